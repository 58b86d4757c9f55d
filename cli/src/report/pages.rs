//! The pages: which runs they are about, and the files that they are written to.

use std::path::{Path, PathBuf};

use gannet::Result;

use super::record::Record;
use super::renewal::Renewal;
use super::shots::Shot;
use super::{several, shots, single};
use crate::folder::run_folder::{self, REPLICAS, REPORT, is_run, refused, write_atomically};
use crate::numbers::counted;

/// Runs in a page.
pub(super) const MOST_RUNS: usize = 256;
/// Entries of a folder of replicas that are looked at.
const MOST_ENTRIES: usize = 1 << 16;

/// Bytes that the page of so many `runs` takes while it is made again and again, where each run has `pictures` of `bytes` as files.
pub(crate) fn memory(runs: u64, pictures: u64, bytes: u64) -> u64 {
    /// Of a run: its settings, and what is left of its tables.
    const RECORD: u64 = 256 << 10;
    /// What a page has beside its pictures.
    const TEXT: u64 = 1 << 20;
    let runs = runs.min(MOST_RUNS as u64);
    let shots = shots::memory(runs, pictures, bytes);
    let shown = if runs > 1 { shots.min(several::MOST_PICTURES as u64) } else { shots };
    // A text that grows takes up to twice its length.
    shots.saturating_add(2 * (shown + TEXT)).saturating_add(runs * RECORD)
}

/// Makes the page in `folder` from what is there now: about the run whose folder it is, or about all runs in it.
///
/// # Errors
///
/// [`Error::Io`](gannet::Error::Io) where the system refuses to write it, with the page before it still there; a folder without a run.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let out = folder.join(REPORT);
    write_page(&out, &page_about(&[folder.to_path_buf()], &out, |_, _| ())?)
}

/// Writes a page in the folder of a run, in the place of the one before.
pub(crate) fn write_page(path: &Path, page: &str) -> Result<()> {
    write_atomically(path, |file| file.write_all(page.as_bytes()))
}

/// The page about all runs that `given` means, which will lie at `out`. `tell` hears of pictures that cannot be read.
pub(crate) fn page_about(given: &[PathBuf], out: &Path, tell: impl Fn(&Path, &str)) -> Result<String> {
    let mut folders = Vec::new();
    for path in given {
        folders.extend(runs_in(path)?);
    }
    let left_out = leave_out(&mut folders);
    let count = folders.len();
    let mut records: Vec<Record> = folders.iter().map(|folder| Record::read(folder, count)).collect();
    tell_apart(&mut records);
    for record in &records {
        record.left_out().iter().for_each(|left_out| tell(&record.folder, left_out));
    }
    let (title, overview) = match given {
        [folder] => (title_of(folder), shots::shot(&folder.join(REPLICAS), None)),
        _ => (None, None),
    };
    Ok(render(&records, left_out, title, out, (None, overview.as_ref())))
}

/// Leaves the first runs that a page has room for; says how many are left out.
pub(super) fn leave_out<T>(runs: &mut Vec<T>) -> usize {
    let left_out = runs.len().saturating_sub(MOST_RUNS);
    runs.truncate(MOST_RUNS);
    left_out
}

/// The page about `records`, without those `left_out`, that will lie at `out`, which is made again as `renewal` says; about several with an
/// `overview` of their measures.
pub(super) fn render(
    records: &[Record],
    left_out: usize,
    title: Option<String>,
    out: &Path,
    (renewal, overview): (Option<&Renewal>, Option<&Shot>),
) -> String {
    if let [record] = records {
        return single::render(record, renewal);
    }
    let links: Vec<Option<String>> = records.iter().map(|record| link(record, out)).collect();
    let mut presets: Vec<String> = records.iter().map(Record::preset).collect();
    presets.dedup();
    let of = match presets.as_slice() {
        [preset] => format!(" of {preset}"),
        _ => String::new(),
    };
    let title = title.unwrap_or_else(|| format!("{}{of}", counted(records.len() as u64, "run")));
    several::render(&title, records, left_out, &links, renewal, overview)
}

/// Gives runs whose folders have one name those of their whole paths.
pub(super) fn tell_apart(records: &mut [Record]) {
    let names: Vec<String> = records.iter().map(|record| record.name.clone()).collect();
    for record in records {
        if names.iter().filter(|name| **name == record.name).count() > 1 {
            record.name = record.folder.display().to_string();
        }
    }
}

/// The name of a folder of runs.
pub(super) fn title_of(folder: &Path) -> Option<String> {
    folder.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// The address of a run's own page, seen from `out`, where it lies beside or below it.
pub(super) fn link(record: &Record, out: &Path) -> Option<String> {
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let page = absolute(&record.folder)?.join(REPORT);
    let below = page.strip_prefix(absolute(out)?.parent()?).ok()?;
    let part = |part: std::path::Component<'_>| {
        let bytes = part.as_os_str().to_str()?.bytes();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        Some(bytes.map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect::<String>())
    };
    let parts: Option<Vec<String>> = below.components().map(part).collect();
    // `./` keeps a name with a colon from being taken for a scheme.
    parts.filter(|_| record.has_report).map(|parts| format!("./{}", parts.join("/")))
}

/// The runs that `path` means: itself, or those in it, as replicas are.
pub(super) fn runs_in(path: &Path) -> Result<Vec<PathBuf>> {
    if is_run(path) {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = path.read_dir().map_err(refused("read", path))?;
    let mut runs: Vec<PathBuf> =
        entries.take(MOST_ENTRIES).flatten().map(|entry| entry.path()).filter(|path| is_run(path)).collect();
    runs.sort();
    if runs.is_empty() { Err(run_folder::no_run(path)) } else { Ok(runs) }
}
