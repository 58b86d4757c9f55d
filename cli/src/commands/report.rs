//! `gannet report`: writes a page about a run, or about several side by side.

use std::path::{Path, PathBuf};

use super::args::ReportArgs;
use crate::folder::out_file::{OutFile, Suffixes};
use crate::folder::run_folder::REPORT;
use crate::report::{page_about, write_page};
use crate::terminal::output::{alert, note, printable};

/// The suffixes of pages.
const SUFFIXES: Suffixes<()> = Suffixes {
    written: &[("html", ()), ("htm", ())],
    elsewhere: &[
        (&["pdf"], "a browser prints the page into a PDF"),
        (&["json"], "the figures of a run are in its run.json"),
        (&["csv", "xlsx"], "the figures of a run are in its metrics.csv and evaluation.csv"),
    ],
};

/// Runs the command.
pub(crate) fn command(args: &ReportArgs) -> anyhow::Result<()> {
    let out = match (&args.out, args.runs.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [folder]) => {
            let out = folder.join(REPORT);
            let page = page_about(&[folder.to_path_buf()], &out, tell)?;
            write_page(&out, &page)?;
            out
        }
        (None, _) => PathBuf::from(REPORT),
    };
    // The page in the folder that was named is the program's own.
    if args.out.is_some() || args.runs.len() > 1 {
        SUFFIXES.of(&out)?;
        let file = OutFile::file(&out, args.force)?;
        let page = page_about(&args.runs, &out, tell)?;
        file.write(|file| file.write_all(page.as_bytes()))?;
    }
    note(&format!("report in {}", printable(&out)));
    Ok(())
}

/// Tells which pictures of the run in `folder` its page leaves out.
fn tell(folder: &Path, left_out: &str) {
    alert(&format!("warning: {}: {left_out}", printable(folder)));
}
