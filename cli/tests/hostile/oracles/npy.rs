//! NPY files. Second opinion: npyz.

use arbitrary::Unstructured;
use gannet::data::npy::{self, Array};
use npyz::{DType, NpyFile, Order, WriteOptions, WriterBuilder};

use super::memory::{Cap, within};
use super::{is_told, origin};

/// Eight bytes of memory for an element of one byte, twice where it is transposed; the header, its text and its shape, which
/// have limits of their own, and a block of elements.
const CAP: Cap = Cap { each: 24, fixed: 1 << 20 };
/// Where a message may say that the mistake is.
const PLACES: [&str; 3] = ["offset ", "does not begin with", "the shape "];

pub fn check(input: &[u8]) -> bool {
    let parsed = within(CAP, input.len(), || npy::parse(input, input.len() as u64, origin()));
    // What is no table may be images, or have gaps.
    let most = u64::MAX;
    let array = within(CAP, input.len(), || npy::parse_array(input, input.len() as u64, origin(), most));
    match (&parsed, array) {
        (Ok(table), Ok(Array::Numbers { columns, values, bits })) => {
            assert!(columns == table.columns && same(&values, &table.values));
            assert!(bits == 64 || values.iter().all(|value| f64::from(*value as f32) == *value));
        }
        (Ok(table), Ok(Array::Integers { columns, values })) => {
            let rounded: Vec<f64> = values.iter().map(|value| *value as f64).collect();
            assert!(columns == table.columns && same(&rounded, &table.values));
        }
        (Ok(table), Ok(Array::Unsigned { columns, values })) => {
            let rounded: Vec<f64> = values.iter().map(|value| *value as f64).collect();
            assert!(columns == table.columns && same(&rounded, &table.values));
            assert!(values.iter().any(|value| i64::try_from(*value).is_err()));
        }
        (Ok(_), other) => panic!("a table is {other:?}"),
        (Err(_), Ok(Array::Images(images))) => {
            assert_eq!(images.pixels.len(), images.count * images.height * images.width);
        }
        (Err(_), Ok(_)) => {}
        (Err(_), Err(error)) => is_told(&error, &PLACES),
    }
    match &parsed {
        Ok(table) => {
            let normalized = normalized(input);
            // npyz has no numbers of 16 bits without one more crate.
            if !normalized.windows(3).any(|descr| descr == b"f2'" || descr == b"f2\"") {
                let (rows, columns, values) = second_opinion(&normalized).expect("npyz reads it too");
                assert_eq!((table.rows(), table.columns), (rows, columns));
                assert!(same(&table.values, &values), "{:?} instead of {values:?}", table.values);
            }
        }
        Err(error) => is_told(error, &PLACES),
    }
    written_reads_back(input);
    parsed.is_ok()
}

/// The file with a header as NumPy writes it: blanks are spaces, and a new line ends it. Without one npyz reads no file, NumPy does. It
/// has the machine's order of bytes by name, nothing of Python 2, and bytes of 0 and 1 instead of truth values.
fn normalized(file: &[u8]) -> Vec<u8> {
    let (start, end) = if file[6] == 1 {
        (10, 10 + usize::from(u16::from_le_bytes([file[8], file[9]])))
    } else {
        (12, 12 + u32::from_le_bytes([file[8], file[9], file[10], file[11]]) as usize)
    };
    let header = str::from_utf8(&file[start..end]).expect("it was read");
    let header = header.trim().replace(char::is_whitespace, " ") + "\n";
    let header = ["u'", "u\""].iter().fold(header, |header, quote| header.replace(quote, &quote[1..]));
    let header = ["'=", "\"="].iter().fold(header, |header, order| header.replace(order, &order.replace('=', "<")));
    let header = header.replace("L,", ",").replace("L )", ")").replace("L)", ")");
    let (truth, header) = (
        header.contains("b1"),
        ["<", ">", "|", "="].iter().fold(header, |header, order| header.replace(&format!("{order}b1"), "|u1")),
    );
    let length = u32::try_from(header.len()).expect("a header that was read").to_le_bytes();
    let elements = file[end..].iter().map(|byte| if truth { u8::from(*byte != 0) } else { *byte });
    [b"\x93NUMPY\x03\0", &length[..], header.as_bytes(), &elements.collect::<Vec<u8>>()].concat()
}

fn same(one: &[f64], other: &[f64]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.to_bits() == other.to_bits())
}

/// Rows, columns and values, row by row.
fn second_opinion(bytes: &[u8]) -> Option<(usize, usize, Vec<f64>)> {
    let header = NpyFile::new(bytes).ok()?;
    let (rows, columns) = match *header.shape() {
        [rows] => (rows as usize, 1),
        [rows, columns] => (rows as usize, columns as usize),
        _ => return None,
    };
    macro_rules! values {
        ($($kind:ty),*) => {
            None$(.or_else(|| {
                let values: Vec<$kind> = NpyFile::new(bytes).ok()?.into_vec().ok()?;
                Some(values.into_iter().map(|value| value as f64).collect::<Vec<f64>>())
            }))*
        };
    }
    let values: Vec<f64> = values!(f64, f32, i8, i16, i32, i64, u8, u16, u32, u64)?;
    if header.order() == Order::C {
        return Some((rows, columns, values));
    }
    let transposed = (0..rows * columns).map(|index| values[index % columns * rows + index / columns]);
    Some((rows, columns, transposed.collect()))
}

/// A table made of `input` and written by npyz, in any type, order of bytes and order of elements, reads back.
fn written_reads_back(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let mut pick = |most| source.int_in_range(0..=most).unwrap_or_default();
    let (rows, columns) = (1 + pick(5), 1 + pick(3));
    let (kind, big, fortran, one_dimension) = (pick(3), pick(1) == 1, pick(1) == 1, pick(1) == 1);
    let numbers: Vec<i16> = (0..rows * columns).map(|_| source.arbitrary().unwrap_or_default()).collect();
    let shape = if one_dimension { vec![(rows * columns) as u64] } else { vec![rows as u64, columns as u64] };
    let order = if fortran { Order::Fortran } else { Order::C };
    let mut bytes = Vec::new();
    macro_rules! write {
        ($name:literal, $kind:ty) => {{
            let name = format!("{}{}", if big { '>' } else { '<' }, $name);
            let dtype = DType::Plain(name.parse().expect("a type of NumPy's"));
            let options = WriteOptions::new().dtype(dtype).shape(&shape).order(order).writer(&mut bytes);
            let mut writer = options.begin_nd().expect("memory takes everything");
            writer.extend(numbers.iter().map(|&number| number as $kind)).expect("memory takes everything");
            writer.finish().expect("as many elements as the shape says");
        }};
    }
    match kind {
        0 => write!("f4", f32),
        1 => write!("f8", f64),
        2 => write!("i8", i64),
        _ => write!("i2", i16),
    }
    let table = npy::parse(&bytes[..], bytes.len() as u64, origin()).expect("what npyz writes");
    let (rows, columns) = if one_dimension { (rows * columns, 1) } else { (rows, columns) };
    let value = |row: usize, column: usize| {
        let index = if fortran { column * rows + row } else { row * columns + column };
        f64::from(numbers[index])
    };
    let expected: Vec<f64> = (0..rows * columns).map(|index| value(index / columns, index % columns)).collect();
    assert_eq!((table.rows(), table.columns), (rows, columns));
    assert!(same(&table.values, &expected), "{:?} instead of {expected:?}", table.values);
}
