//! A table of a run that grows by whole lines while the run goes on, so that a run that is cut short leaves what it had.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::mem;
use std::path::{Path, PathBuf};

use gannet::internals::file;
use gannet::{Error, Result};

use crate::folder::run_folder::{refused, write_atomically};

/// Longest line that is read: a hundred times what any is written with.
const LONGEST: u64 = 64 * 1024;

/// Why a table has another header, and what to do.
const OTHER_VERSION: &str = ": another version wrote it. Go on with that version, or move the file out of the folder: the run \
                             then begins a new one";

/// The columns of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a> {
    /// Those that every run has, separated by commas.
    pub(crate) always: &'a str,
    /// Those that some runs have behind them, each with a comma before it.
    pub(crate) more: &'a str,
    /// Whether this run has these.
    pub(crate) wanted: bool,
}

impl Columns<'_> {
    /// The first line of a table without the columns that some runs have, and with them.
    fn header(&self, more: bool) -> String {
        [self.always, if more { self.more } else { "" }].concat()
    }
}

/// A table in a file. It is open only while lines are written: of many runs side by side each has two.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    /// Whether it has the columns that some runs have.
    more: bool,
    pending: String,
    /// What becomes of the file when its run begins or goes on.
    change: Change,
}

/// What becomes of a file before lines are added.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Nothing,
    /// There is none yet: it is made, with this header.
    Make(String),
    /// These lines stay.
    Cut(String),
}

impl LineFile {
    /// The table of a run that begins, or goes on after step `last`. It is read and not changed: [`begin`](Self::begin) makes the file,
    /// or takes away the lines of later steps, which the run makes again, and a line that was cut short. `row` sees the cells of
    /// each line that stays; the first is the step. Where the table has no columns yet that this run has, their cells stay empty; those
    /// that it has and the run has not, it keeps.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where the header is another; [`Error::Io`].
    pub(crate) fn read(
        path: PathBuf,
        columns: Columns<'_>,
        last: Option<u64>,
        mut row: impl FnMut(u64, &[&str]),
    ) -> Result<Self> {
        // What is no regular file is refused, not replaced.
        if !fs::exists(&path).map_err(refused("read", &path))? {
            let (more, change) = (columns.wanted, Change::Make(columns.header(columns.wanted)));
            return Ok(Self { path, more, pending: String::new(), change });
        }
        let (file, length) = file::open(&path)?;
        let Kept { lines, more, widened } = keep(BufReader::new(file), &path, columns, last, &mut row)?;
        // What stays are lines of the file: as many bytes are the same bytes.
        let is_whole = length == lines.len() as u64 && !widened;
        let change = if is_whole { Change::Nothing } else { Change::Cut(lines) };
        Ok(Self { path, more, pending: String::new(), change })
    }

    /// Whether it has the columns that some runs have.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    /// Whether there is no file yet.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.change, Change::Make(_))
    }

    /// Makes the file ready for more lines.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn begin(&mut self) -> Result<()> {
        match mem::replace(&mut self.change, Change::Nothing) {
            Change::Nothing => Ok(()),
            Change::Make(header) => {
                File::create_new(&self.path).map_err(refused("create", &self.path))?;
                self.push(&header);
                self.flush()
            }
            Change::Cut(kept) => write_atomically(&self.path, |file| file.write_all(kept.as_bytes())),
        }
    }

    /// Adds a line, in memory.
    pub(crate) fn push(&mut self, line: &str) {
        self.pending.push_str(line);
        self.pending.push('\n');
    }

    /// Writes the lines added since the last time.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.open().and_then(|mut file| file.write_all(self.pending.as_bytes()));
        written.map_err(|source| file::refused("write", &self.path, source))?;
        self.pending.clear();
        Ok(())
    }

    /// Makes what was flushed outlast a loss of power.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn sync(&self) -> Result<()> {
        self.open().and_then(|file| file.sync_data()).map_err(|source| file::refused("write", &self.path, source))
    }

    /// The file, to write at its end.
    fn open(&self) -> io::Result<File> {
        file::open_with(&self.path, File::options().append(true))
    }
}

/// The cells of a line: at least one. No table of a run needs quotation marks, so they are characters like any other.
pub(crate) fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',')
}

/// The step of the last whole line of the table at `path`; 0 where there is no line or no table.
///
/// # Errors
///
/// [`Error::Data`] where something else than a file is in its place; [`Error::Io`].
pub(crate) fn last_step(path: &Path) -> Result<u64> {
    if path.symlink_metadata().is_err() {
        return Ok(0);
    }
    let (mut file, length) = file::open(path)?;
    let last = last_line(&mut file, length).map_err(refused("read", path))?.unwrap_or_default();
    let last = String::from_utf8_lossy(&last);
    Ok(cells(&last).next().and_then(|step| step.parse().ok()).unwrap_or(0))
}

/// The last whole line of the table in `file`, of `length` bytes; `None` where it has no line but its header. A line without its end
/// is still being written.
///
/// # Errors
///
/// What the system reports.
pub(crate) fn last_line(file: &mut File, length: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let mut parts = bytes.rsplit(|&byte| byte == b'\n').skip(1);
    let last = parts.next();
    // Another end of a line stands before it.
    Ok(parts.next().and(last).map(<[u8]>::to_vec))
}

/// What stays of a table.
pub(crate) struct Kept {
    /// The header and the lines.
    pub(crate) lines: String,
    /// Whether they have the columns that some runs have.
    more: bool,
    /// Whether they got these.
    widened: bool,
}

/// The header and the lines of a table that stay: whole ones, of text, with a step up to `last` and as many cells as the header.
///
/// # Errors
///
/// As [`LineFile::read`].
pub(crate) fn keep(
    mut file: impl BufRead,
    path: &Path,
    names: Columns<'_>,
    last: Option<u64>,
    row: &mut dyn FnMut(u64, &[&str]),
) -> Result<Kept> {
    let mut kept = names.header(names.wanted) + "\n";
    let (mut columns, mut more, mut empty) = (0, names.wanted, String::new());
    let mut bytes = Vec::new();
    for number in 0u64.. {
        bytes.clear();
        file.by_ref().take(LONGEST).read_until(b'\n', &mut bytes).map_err(refused("read", path))?;
        let Some(line) = bytes.strip_suffix(b"\n") else { break };
        if number == 0 {
            let Some(has_more) =
                [names.wanted, !names.wanted].into_iter().find(|more| line == names.header(*more).as_bytes())
            else {
                let problem = format!("opens with `{}` instead of `{}`", shown(line), names.header(names.wanted));
                return Err(Error::data(path.display().to_string(), problem + OTHER_VERSION));
            };
            columns = cells(&names.header(has_more)).count();
            more |= has_more;
            if more && !has_more {
                empty = ",".repeat(cells(names.more).count() - 1);
            }
            kept = names.header(more) + "\n";
            continue;
        }
        // One cell more than there may be: a line of nothing but commas takes no memory.
        let Ok(line) = str::from_utf8(line) else { continue };
        let cells: Vec<&str> = cells(line).take(columns + 1).collect();
        if let Ok(step) = cells[0].parse::<u64>()
            && Some(step) <= last
            && cells.len() == columns
        {
            row(step, &cells);
            let needed = bytes.len() + empty.len();
            let memory = Error::OutOfMemory { bytes: (kept.len() + needed) as u64 };
            kept.try_reserve(needed).map_err(|_| memory)?;
            kept.extend([line, &empty, "\n"]);
        }
    }
    Ok(Kept { lines: kept, more, widened: !empty.is_empty() })
}

/// The beginning of a line, for a message.
fn shown(line: &[u8]) -> String {
    const SHOWN: usize = 100;
    let dots = if line.len() > SHOWN { "..." } else { "" };
    format!("{}{dots}", line[..line.len().min(SHOWN)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn always(names: &str) -> Columns<'_> {
        Columns { always: names, more: "", wanted: false }
    }

    #[test]
    fn a_table_gets_columns_that_its_run_has_later_and_keeps_them() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        let go_on = |text: &str, wanted| {
            fs::write(&path, text).unwrap();
            let columns = Columns { always: "step,loss", more: ",penalty", wanted };
            let mut lines = LineFile::read(path.clone(), columns, Some(2), |_, _| {}).unwrap();
            lines.begin().unwrap();
            (lines.has_more(), fs::read_to_string(&path).unwrap())
        };
        assert_eq!(go_on("step,loss\n1,2\n2,3\n", false), (false, "step,loss\n1,2\n2,3\n".to_string()));
        assert_eq!(go_on("step,loss\n1,2\n2,3\n", true), (true, "step,loss,penalty\n1,2,\n2,3,\n".to_string()));
        // As many bytes as before, and not the same.
        assert_eq!(go_on("step,loss\n1,2\n9,123456\n", true), (true, "step,loss,penalty\n1,2,\n".to_string()));
        for wanted in [false, true] {
            let text = "step,loss,penalty\n1,2,\n2,3,4\n";
            assert_eq!(go_on(text, wanted), (true, text.to_string()));
        }
    }

    #[test]
    fn lines_arrive_whole_when_flushed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        let begin = |path: PathBuf| {
            LineFile::read(path, always("step"), None, |_, _| {}).and_then(|mut lines| {
                lines.begin()?;
                Ok(lines)
            })
        };
        let mut lines = begin(path.clone()).unwrap();
        lines.push("1");
        assert_eq!(fs::read_to_string(&path).unwrap(), "step\n");
        lines.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step\n1\n");
        assert!(begin(place.path().join("missing/metrics.csv")).is_err());
    }

    #[test]
    fn the_last_whole_line_tells_the_step() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        assert_eq!(last_step(&path).unwrap(), 0);
        let long = format!("step,loss\n{}7,1\n", "1,2\n".repeat(100_000));
        for (text, step) in [
            ("", 0),
            ("step,loss\n", 0),
            ("step,loss\n5,0.1\n30,0.2\n", 30),
            ("step,loss\n5,0.1\n30,0.", 5),
            (long.as_str(), 7),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(last_step(&path).unwrap(), step);
        }
        assert!(last_step(place.path()).is_err());
    }

    #[test]
    fn a_table_goes_on_after_the_step_that_was_saved() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        let resume = |text: &[u8], last| {
            fs::write(&path, text).unwrap();
            let mut steps = Vec::new();
            let lines = LineFile::read(path.clone(), always("step,loss"), Some(last), |step, cells| {
                assert_eq!(cells.len(), 2);
                steps.push(step);
            });
            // Nothing changes until the run goes on.
            assert_eq!(fs::read(&path).unwrap(), text);
            lines.map(|mut lines| {
                lines.begin().unwrap();
                lines.push("9,0.5");
                lines.flush().unwrap();
                (steps, fs::read_to_string(&path).unwrap())
            })
        };
        for (text, last, steps, found) in [
            ("step,loss\n1,2\n2,3\n", 2, vec![1, 2], "step,loss\n1,2\n2,3\n9,0.5\n"),
            ("step,loss\n1,2\n2,3\n", 1, vec![1], "step,loss\n1,2\n9,0.5\n"),
            ("step,loss\n1,2\n2,3", 5, vec![1], "step,loss\n1,2\n9,0.5\n"),
            ("step,loss\n1,2\nx\n2\n", 5, vec![1], "step,loss\n1,2\n9,0.5\n"),
            ("step,loss\n", 5, vec![], "step,loss\n9,0.5\n"),
        ] {
            assert_eq!(resume(text.as_bytes(), last).unwrap(), (steps, found.to_string()), "{text:?}");
        }
        assert_eq!(resume(b"step,loss\n1,\xff\n2,3\n", 5).unwrap().1, "step,loss\n2,3\n9,0.5\n");
        let long = b"x".repeat(9_999);
        for other in [&b"step,other\n1,2\n"[..], b"step,l\xff\n1,2\n", b"step,loss\r\n1,2\r\n", &long] {
            let text = [other, b"\n"].concat();
            let error = resume(&text, 5).unwrap_err().to_string();
            assert!(error.contains("another version") && error.len() < 600, "{error}");
        }
        // A run that begins anew leaves nothing, not even of step 0.
        fs::write(&path, "step,loss\n0,1\n").unwrap();
        let again =
            |last| LineFile::read(path.clone(), always("step,loss"), last, |_, _| panic!("no line stays"))?.begin();
        again(None).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step,loss\n");
        fs::remove_file(&path).unwrap();
        again(Some(3)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step,loss\n");
    }
}
