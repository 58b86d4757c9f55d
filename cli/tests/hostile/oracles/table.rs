//! The tables of a run, as a run that goes on reads them. Second opinion: the crate csv.

use ::csv::{ReaderBuilder, Terminator};
use gannet_cli::hostile::kept_table;

use super::memory::{Cap, within};

/// What is kept, which doubles as it grows, and one line.
const CAP: Cap = Cap { each: 8, fixed: 4 << 10 };
const HEADER: &str = "step,epoch,loss";
const LAST: u64 = 1_000;

type Rows = Vec<(u64, Vec<String>)>;

fn keep(bytes: &[u8]) -> gannet::Result<(String, Rows)> {
    let mut rows = Rows::new();
    let mut row = |step, cells: &[&str]| rows.push((step, cells.iter().map(|cell| cell.to_string()).collect()));
    let kept = kept_table(bytes, HEADER, LAST, &mut row)?;
    Ok((kept, rows))
}

pub fn check(input: &[u8]) -> bool {
    let parsed = within(CAP, input.len(), || kept_table(input, HEADER, LAST, &mut |_, _| {}));
    let Ok(kept) = parsed else {
        assert!(!input.starts_with(b"step,epoch,loss\n"));
        return false;
    };
    let (again, rows) = keep(input).expect("it was read before");
    assert_eq!(kept, again);
    // What is kept is kept again, whole.
    assert_eq!(keep(kept.as_bytes()).expect("a table that was kept"), (again, rows.clone()));
    let mut reader = ReaderBuilder::new()
        .quoting(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(kept.as_bytes());
    let read: Vec<Vec<String>> =
        reader.records().map(|row| row.expect("text").iter().map(str::to_string).collect()).collect();
    assert_eq!(read.len(), rows.len());
    for ((step, cells), read) in rows.iter().zip(&read) {
        assert_eq!(cells, read);
        assert!(*step <= LAST && cells.len() == 3 && cells[0].parse() == Ok(*step), "{cells:?}");
    }
    // Every line of the file that the second opinion would keep is kept.
    let whole = input.rsplitn(2, |&byte| byte == b'\n').nth(1).unwrap_or_default();
    let due = whole.split(|&byte| byte == b'\n').skip(1).take_while(|line| line.len() < 64 * 1024 - 1).filter(|line| {
        str::from_utf8(line).is_ok_and(|line| {
            line.split(',').count() == 3
                && line.split(',').next().and_then(|cell| cell.parse::<u64>().ok()).is_some_and(|step| step <= LAST)
        })
    });
    assert_eq!(due.count(), rows.len());
    true
}
