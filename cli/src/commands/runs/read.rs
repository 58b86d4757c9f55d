//! Reading what a list of runs needs, and no more: of a table its header and its last line.

use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use gannet::internals::file;

use crate::folder::line_file;

/// Bytes of `config.toml` and `run.json` at most.
const LARGEST: u64 = 8 << 20;
/// Bytes at the beginning of a table that are looked at.
const PIECE: u64 = 16 << 10;

/// The text of a file.
pub(super) fn text(path: &Path) -> Option<String> {
    String::from_utf8(file::read(path, LARGEST).ok()?).ok()
}

/// The cells of the last line of a table under the names of its header.
pub(super) fn last_line(path: &Path) -> Option<Vec<(String, String)>> {
    let (mut file, length) = file::open(path).ok()?;
    let mut head = Vec::new();
    file.by_ref().take(PIECE).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let (header, _) = head.split_once('\n')?;
    let last = line_file::last_line(&mut file, length).ok()??;
    let last = String::from_utf8_lossy(&last);
    let cells: Vec<&str> = line_file::cells(&last).map(str::trim).collect();
    let names: Vec<&str> = line_file::cells(header).map(str::trim).collect();
    (names.len() == cells.len())
        .then(|| names.into_iter().zip(cells).map(|(name, cell)| (name.to_string(), cell.to_string())).collect())
}

/// When a file was last written.
pub(super) fn written(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_line_is_found_in_any_table() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.csv");
        let last = |contents: &str| {
            std::fs::write(&path, contents).unwrap();
            last_line(&path).map(|cells| cells.into_iter().map(|(name, cell)| name + "=" + &cell).collect::<Vec<_>>())
        };
        assert_eq!(last("a,b\n1,2\n3,4\n"), Some(vec!["a=3".to_string(), "b=4".to_string()]));
        assert_eq!(last("a,b\n1,2\n3,4"), Some(vec!["a=1".to_string(), "b=2".to_string()]));
        let long = "1,2\n".repeat(100_000);
        assert_eq!(last(&format!("a,b\n{long}7,8\n")), Some(vec!["a=7".to_string(), "b=8".to_string()]));
        for nothing in ["", "a,b", "a,b\n", "a,b\n1\n", "a,b\n1,2,3\n"] {
            assert_eq!(last(nothing), None, "{nothing}");
        }
        assert_eq!(last_line(place.path()), None);
    }
}
