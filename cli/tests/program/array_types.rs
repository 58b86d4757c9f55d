//! Arrays of every type of NumPy's: samples come back as text of the type, with all digits, between the ends of the data.

use std::collections::BTreeSet;

use crate::place::Place;

/// Rows of an array.
const ROWS: i64 = 80;

/// An NPY file of one column.
fn npy(descr: &str, elements: Vec<u8>) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({ROWS}, 1), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &elements].concat()
}

/// The sampled cells of a run on a column of these elements.
fn sampled(place: &Place, name: &str, descr: &str, elements: Vec<u8>) -> Vec<String> {
    place.write(&format!("{name}.npy"), npy(descr, elements));
    place.succeed(&format!("train {name}.npy --steps 2 --threads 1 --quiet --out {name}"));
    let text = place.succeed(&format!("sample {name} --count 400 --out -"));
    place.succeed(&format!("sample {name} --count 400 --out {name}.csv"));
    assert_eq!(place.read(&format!("{name}.csv")), text);
    text.lines().skip(1).map(str::to_string).collect()
}

#[test]
fn whole_numbers_are_written_in_full() {
    const WIDE: i64 = 1 << 53;
    let place = Place::new();
    macro_rules! check {
        ($name:literal, $descr:literal, $kind:ty, $value:expr) => {{
            let value: fn(i64) -> $kind = $value;
            let all: Vec<$kind> = (0..ROWS).map(value).collect();
            let cells = sampled(&place, $name, $descr, all.iter().flat_map(|value| value.to_le_bytes()).collect());
            let (least, greatest) = (all.iter().min().unwrap(), all.iter().max().unwrap());
            let found: BTreeSet<$kind> = cells
                .iter()
                .map(|cell| cell.parse().unwrap_or_else(|_| panic!("{}: {cell} is no whole number of the type", $name)))
                .collect();
            assert!(found.iter().all(|value| (least..=greatest).contains(&value)), "{}: {found:?}", $name);
            // Near numbers stay apart, and the ends are reached.
            let different = all.iter().collect::<BTreeSet<_>>().len();
            assert!(found.len() > different / 2, "{}: {found:?}", $name);
        }};
    }
    check!("b1", "|b1", u8, |row| (row % 3 == 0).into());
    check!("u1", "|u1", u8, |row| (255 - row * 3) as u8);
    check!("i1", "|i1", i8, |row| (row * 3 - 128) as i8);
    check!("u2", "<u2", u16, |row| u16::MAX - row as u16);
    check!("i2", "<i2", i16, |row| i16::MIN + row as i16);
    check!("u4", "<u4", u32, |row| u32::MAX - row as u32);
    check!("i4", "<i4", i32, |row| i32::MIN + row as i32);
    check!("u8", "<u8", u64, |row| (i64::MAX - row) as u64);
    check!("u8-codes", "<u8", u64, |row| u64::MAX - (row % 16) as u64);
    check!("i8", "<i8", i64, |row| i64::MIN + row * 7 % 79);
    check!("near", "<i8", i64, |row| WIDE - 40 + row * 7 % 80);
    check!("times", "<i8", i64, |row| 1_764_288_000_123_456_789 + row * row);

    // Beyond 2^53 an odd number is no float.
    let cells = place.succeed("sample near --count 400 --out -");
    let odd =
        cells.lines().skip(1).map(|cell| cell.parse::<i64>().unwrap()).any(|value| value > WIDE && value % 2 == 1);
    assert!(odd, "{cells}");
    let told = place.run("sample near --count 400 --out near-new.npy");
    assert!(told.code == Some(0) && told.stderr.contains("whole numbers of 2^53 or more"), "{told:?}");
    let told = place.run("sample u4 --count 400 --out u4-new.npy");
    assert!(told.code == Some(0) && !told.stderr.contains("2^53"), "{told:?}");
    // Another file of the type, and the samples themselves, are of the same columns.
    place.succeed("evaluate near --data times.npy");
    place.succeed("evaluate near --data near.csv");
}

#[test]
fn fractions_are_written_as_short_as_they_read_back() {
    let place = Place::new();
    let doubles: Vec<f64> = (0..ROWS).map(|row| 1.7e9 + (row * row) as f64 / 7.0).collect();
    let singles: Vec<f32> = (0..ROWS).map(|row| 0.1 + (row * row) as f32 / 7.0).collect();
    // Halves of 16 bits: 1 and 80 of the next fractions.
    let halves: Vec<u16> = (0..ROWS as u16).map(|row| 0x3c00 + row).collect();
    let few: Vec<f32> = (0..ROWS).map(|row| 0.1 * (row % 3 + 1) as f32).collect();
    let check = |name: &str, cells: &[String], ends: [f64; 2], is_single: bool| {
        let mut different = BTreeSet::new();
        for cell in cells {
            let (value, shortest) = match cell.parse::<f32>() {
                Ok(single) if is_single => (f64::from(single), single.to_string()),
                _ => (cell.parse::<f64>().unwrap(), cell.parse::<f64>().unwrap().to_string()),
            };
            assert_eq!(*cell, shortest, "{name}");
            assert!((ends[0]..=ends[1]).contains(&value), "{name}: {cell} is not in {ends:?}");
            different.insert(cell);
        }
        assert!(different.len() > 60, "{name}: {different:?}");
    };
    let bytes = doubles.iter().flat_map(|value| value.to_le_bytes()).collect();
    check("f8", &sampled(&place, "f8", "<f8", bytes), [doubles[0], doubles[ROWS as usize - 1]], false);
    let bytes = singles.iter().flat_map(|value| value.to_le_bytes()).collect();
    let ends = [singles[0], singles[ROWS as usize - 1]].map(f64::from);
    check("f4", &sampled(&place, "f4", "<f4", bytes), ends, true);
    let bytes = halves.iter().flat_map(|value| value.to_le_bytes()).collect();
    let cells = sampled(&place, "f2", "<f2", bytes);
    check("f2", &cells, [1.0, 1.0 + 79.0 / 1024.0], false);
    assert!(cells.iter().all(|cell| (cell.parse::<f64>().unwrap() * 1024.0).fract() == 0.0), "{cells:?}");
    place.succeed("sample f2 --count 400 --out f2-new.npy");
    let array = place.bytes("f2-new.npy");
    let values = array[array.len() - 400 * 8..].chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()));
    assert!(values.into_iter().all(|value| (value * 1024.0).fract() == 0.0));
    // Few fractions are categories, by the texts that they have in the array's type.
    let cells = sampled(&place, "few", "<f4", few.iter().flat_map(|value| value.to_le_bytes()).collect());
    assert_eq!(cells.iter().map(String::as_str).collect::<BTreeSet<_>>(), ["0.1", "0.2", "0.3"].into(), "{few:?}");
    let found = place.succeed("sample few --where column_1=0.1 --count 3 --out -");
    assert_eq!(found, "column_1\n0.1\n0.1\n0.1\n");
    for (run, file) in [("f4", "f4.csv"), ("f4", "f8.npy"), ("few", "few.csv"), ("few", "few.npy")] {
        let told = place.run(&format!("evaluate {run} --data {file}"));
        assert!(told.code == Some(0) && !told.stderr.contains("none of"), "{told:?}");
    }
}
