//! A table of a run that grows by whole lines while the run goes on, so that a run that is cut short leaves what it had.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use super::run_folder::{refused, write_atomically};
use crate::error::{Error, Result};

/// Longest line that is read: a hundred times what any is written with.
const LONGEST: u64 = 64 * 1024;

/// A table in a file. It is open only while lines are written: of many runs side by side each has two.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    pending: String,
}

impl LineFile {
    /// A new file that opens with `header`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses, or the file exists.
    pub(crate) fn create(path: PathBuf, header: &str) -> Result<Self> {
        File::create_new(&path).map_err(refused("create", &path))?;
        let mut lines = Self { path, pending: String::new() };
        lines.push(header);
        lines.flush()?;
        Ok(lines)
    }

    /// Goes on with the file of a run that stopped after step `last`, if it has done any: the lines of later steps, which the run
    /// makes again, and a line that was cut short, are taken away. `row` sees the cells of each line that stays; the first is the step.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where the header is another; [`Error::Io`].
    pub(crate) fn resume(
        path: PathBuf,
        header: &str,
        last: Option<u64>,
        mut row: impl FnMut(u64, &[&str]),
    ) -> Result<Self> {
        if !path.is_file() {
            return Self::create(path, header);
        }
        let mut kept = format!("{header}\n");
        let mut whole = true;
        each_line(&path, |number, line| {
            if number == 0 {
                return if line == header {
                    Ok(())
                } else {
                    let problem = format!("opens with `{line}` instead of `{header}`: another version wrote it");
                    Err(Error::data(path.display().to_string(), problem))
                };
            }
            let cells: Vec<&str> = line.split(',').collect();
            match cells[0].parse::<u64>() {
                Ok(step) if Some(step) <= last && cells.len() == header.split(',').count() => {
                    row(step, &cells);
                    kept.push_str(line);
                    kept.push('\n');
                }
                _ => whole = false,
            }
            Ok(())
        })?;
        if !whole || fs::metadata(&path).map_err(refused("read", &path))?.len() != kept.len() as u64 {
            write_atomically(&path, |file| file.write_all(kept.as_bytes()))?;
        }
        Ok(Self { path, pending: String::new() })
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
        let file = File::options().append(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(self.pending.as_bytes()));
        written.map_err(refused("write", &self.path))?;
        self.pending.clear();
        Ok(())
    }
}

/// Calls `line` with the number and the text of every whole line of a file; one that is cut short or no text is left out.
fn each_line(path: &PathBuf, mut line: impl FnMut(u64, &str) -> Result<()>) -> Result<()> {
    let mut file = BufReader::new(File::open(path).map_err(refused("read", path))?);
    let mut bytes = Vec::new();
    for number in 0.. {
        bytes.clear();
        file.by_ref().take(LONGEST).read_until(b'\n', &mut bytes).map_err(refused("read", path))?;
        let Some(text) = bytes.strip_suffix(b"\n") else { break };
        if let Ok(text) = str::from_utf8(text) {
            line(number, text)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_arrive_whole_when_flushed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        let mut lines = LineFile::create(path.clone(), "step").unwrap();
        lines.push("1");
        assert_eq!(fs::read_to_string(&path).unwrap(), "step\n");
        lines.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step\n1\n");
        assert!(LineFile::create(path, "step").is_err());
    }

    #[test]
    fn a_table_goes_on_after_the_step_that_was_saved() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("metrics.csv");
        let resume = |text: &[u8], last| {
            fs::write(&path, text).unwrap();
            let mut steps = Vec::new();
            let lines = LineFile::resume(path.clone(), "step,loss", Some(last), |step, cells| {
                assert_eq!(cells.len(), 2);
                steps.push(step);
            });
            lines.map(|mut lines| {
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
        assert!(resume(b"step,other\n1,2\n", 5).unwrap_err().to_string().contains("another version"));
        // A run that begins anew leaves nothing, not even of step 0.
        fs::write(&path, "step,loss\n0,1\n").unwrap();
        LineFile::resume(path.clone(), "step,loss", None, |_, _| panic!("no line stays")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step,loss\n");
        fs::remove_file(&path).unwrap();
        LineFile::resume(path.clone(), "step,loss", Some(3), |_, _| panic!("there is no line")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "step,loss\n");
    }
}
