//! Each file of `tests/data`, cut and changed at random, in the hands of the oracle.

mod common;
mod oracle;

use proptest::prelude::*;

/// Small files, in which a change is likely to matter.
const FILES: [&str; 14] = [
    "bool.csv",
    "cr_only.csv",
    "date.csv",
    "decimal_comma_quoted.csv",
    "denormal.csv",
    "latin1_header.csv",
    "na.csv",
    "pandas_index.csv",
    "quoted_newline.csv",
    "r_rownames.csv",
    "sep_hint.csv",
    "thousands.csv",
    "units_row.csv",
    "utf16le_bom.csv",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn changed_files_are_read_or_refused(
        file in 0..FILES.len(),
        cut in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), prop_oneof![
            Just(b','), Just(b';'), Just(b'\n'), Just(b'"'), Just(b'#'), Just(b'.'), Just(b'-'), Just(b'0'), Just(b' '), any::<u8>()
        ]), 0..12)
    ) {
        let mut bytes = std::fs::read(common::data(FILES[file])).unwrap();
        bytes.truncate(cut.index(bytes.len()) + 1);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        oracle::check(&bytes);
    }

    #[test]
    fn lines_above_and_frames_are_read_or_refused(lines in proptest::collection::vec(prop_oneof![
        Just("Sales"), Just("Sales, 2023"), Just("2023"), Just("2023,,"), Just(",2019,,2020"), Just("Source,World,"), Just(""), Just(",,,"),
        Just("#a,b,c"), Just("a,b,c"), Just("a,b,c,d"), Just(",x"), Just("1,2,3"), Just("x,1,2.5,"), Just("y,3,4.5,7"), Just("7"),
        Just("| a | b |"), Just("|---|--:|"), Just("| 1 | |"), Just("| x | - |"), Just("+---+"), Just("a|b"), Just("--|--"), Just("1|2"),
    ], 0..14)) {
        oracle::check(lines.join("\n").as_bytes());
    }

    #[test]
    fn small_texts_are_read_or_refused(text in "[-0-9a-cN.,;:/\"' \\n\\t#%$é]{0,60}") {
        oracle::check(text.as_bytes());
    }
}

/// What once did not come back: rows that begin and end with a single quote, which would then be their quotes.
#[test]
fn texts_that_broke_the_writer_come_back() {
    assert!(oracle::check(b"'\t0 0'\n#"));
    // A row of missing values that looks like a line of a frame as soon as no comment is above it.
    assert!(oracle::check(b"7\na|b\n#a,b,c\n--|--"));
    // A row whose missing values were not all written alike, and then were empty cells.
    assert!(oracle::check(b"'\t\n\t0\n\t-"));
    // Units below a row, which was no name after all.
    assert!(oracle::check(b"Source,World,\n#a,b,c\n1,2,3\nSource,World,\n2023,,"));
    // One name above two columns, which the rows made a title.
    assert!(oracle::check(b"a,b,c\n| x | - |\n| 1 | |\n| a | b |\n+---+\n| 1 | |"));
}
