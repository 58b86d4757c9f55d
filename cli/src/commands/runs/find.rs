//! Which folders are runs.

use std::fs;
use std::path::{Path, PathBuf};

use gannet::{Error, Result};

use crate::folder::files::refused;
use crate::folder::run_folder::is_run;

/// Folders within folders that are looked into.
const DEEPEST: usize = 8;

/// A folder that is a run, or that looks like one.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// The folders of its replicas, where it is one of several runs.
    pub(super) replicas: Vec<PathBuf>,
}

/// The runs in `folder` and below it, by name; of replicas their common folder, and each of them where that is asked for.
///
/// # Errors
///
/// [`Error::Io`] where `folder` itself cannot be read, [`Error::Data`] where it is no folder. What lies deeper and cannot be read is
/// passed over.
pub(super) fn runs(folder: &Path, each: bool) -> Result<Vec<Found>> {
    if !folder.is_dir() {
        let problem = if folder.exists() { "is no folder" } else { "does not exist" };
        let hint = "give the folder that holds the runs: gannet runs DIR";
        return Err(Error::data(folder.display().to_string(), format!("{problem}; {hint}")));
    }
    fs::read_dir(folder).map_err(refused("read", folder))?;
    let mut found = Vec::new();
    walk(folder, 0, each, &mut found);
    Ok(found)
}

fn walk(folder: &Path, depth: usize, each: bool, found: &mut Vec<Found>) {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        // No links: they may lead in a circle.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| !name(path).starts_with('.'))
        .collect();
    folders.sort();
    let replicas: Vec<PathBuf> = folders.iter().filter(|path| is_replica(path)).cloned().collect();
    if is_run(folder) || !replicas.is_empty() {
        let parts = if each { replicas.clone() } else { Vec::new() };
        found.push(Found { path: folder.to_path_buf(), replicas });
        found.extend(parts.into_iter().map(|path| Found { path, replicas: Vec::new() }));
        return;
    }
    if depth < DEEPEST {
        folders.iter().for_each(|folder| walk(folder, depth + 1, each, found));
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn is_replica(path: &Path) -> bool {
    name(path).strip_prefix("replica-").is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}
