//! The tables of a run, as a run that goes on reads them. Second opinion: the crate csv.

use ::csv::{ReaderBuilder, Terminator};
use gannet_cli::hostile::kept_table;

use super::memory::{Cap, within};

/// What is kept, which doubles as it grows, and one line.
const CAP: Cap = Cap { each: 8, fixed: 4 << 10 };
/// The columns that every table has, and those that it may have besides: none, or one.
const HEADERS: [[&str; 2]; 2] = [["step,epoch,loss", ""], ["step,epoch,loss", ",more"]];
const LAST: u64 = 1_000;

type Rows = Vec<(u64, Vec<String>)>;

fn keep(bytes: &[u8], header: [&str; 2]) -> gannet::Result<(String, Rows)> {
    let mut rows = Rows::new();
    let mut row = |step, cells: &[&str]| rows.push((step, cells.iter().map(|cell| cell.to_string()).collect()));
    let kept = kept_table(bytes, header, LAST, &mut row)?;
    Ok((kept, rows))
}

pub fn check(input: &[u8]) -> bool {
    HEADERS.map(|header| check_with(input, header)).contains(&true)
}

/// The same of a run with these columns.
fn check_with(input: &[u8], header: [&str; 2]) -> bool {
    let whole_header = header.concat();
    // The number of columns in the file, if its header is one of those that it may have.
    let opening = input.split_inclusive(|&byte| byte == b'\n').next().and_then(|line| line.strip_suffix(b"\n"));
    let columns = [header[0], &whole_header].into_iter().find(|header| opening == Some(header.as_bytes()));
    let columns = columns.map(|header| header.split(',').count());
    let parsed = within(CAP, input.len(), || kept_table(input, header, LAST, &mut |_, _| {}));
    let Ok(kept) = parsed else {
        assert_eq!(columns, None);
        return false;
    };
    let (again, mut rows) = keep(input, header).expect("it was read before");
    assert_eq!(kept, again);
    // A file without a whole line is as good as none.
    let columns = columns.unwrap_or(whole_header.split(',').count());
    assert!(rows.iter().all(|(_, cells)| cells.len() == columns));
    // Cells of columns that the file lacks are empty.
    rows.iter_mut().for_each(|(_, cells)| cells.resize(whole_header.split(',').count(), String::new()));
    // What is kept is kept again, whole.
    assert_eq!(keep(kept.as_bytes(), header).expect("a table that was kept"), (again, rows.clone()));
    assert_eq!(kept.lines().next(), Some(whole_header.as_str()));
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
        assert!(*step <= LAST && cells[0].parse() == Ok(*step), "{cells:?}");
    }
    // Every line of the file that the second opinion would keep is kept.
    let whole = input.rsplitn(2, |&byte| byte == b'\n').nth(1).unwrap_or_default();
    let due = whole.split(|&byte| byte == b'\n').skip(1).take_while(|line| line.len() < 64 * 1024 - 1).filter(|line| {
        str::from_utf8(line).is_ok_and(|line| {
            line.split(',').count() == columns
                && line.split(',').next().and_then(|cell| cell.parse::<u64>().ok()).is_some_and(|step| step <= LAST)
        })
    });
    assert_eq!(due.count(), rows.len());
    true
}
