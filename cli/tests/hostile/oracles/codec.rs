//! How the rows of a run's table become samples, and back. Second opinion: the file that is written again, and the rows of samples, encoded
//! and decoded once more.

use gannet_cli::hostile::table_codec;
use gannet_tables::{Codec, Value, Writer};

use super::memory::{Cap, within};
use super::{ORIGIN, is_readable, is_told};

/// A tree of JSON, for the version, and then the codec.
const CAP: Cap = Cap { each: 512, fixed: 64 << 10 };
/// Rows that are made of samples.
const ROWS: usize = 12;
/// Samples may have anything in them, though those of a generator are finite.
const SCORES: [f32; 11] =
    [0.0, -0.4, 1.3, -2.7, 4.4, -9.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];

pub fn check(input: &[u8]) -> bool {
    let (codec, written) = match within(CAP, input.len(), || table_codec(input, ORIGIN)) {
        Ok(read) => read,
        Err(error) => {
            is_told(&error, &["damaged", "version"]);
            return false;
        }
    };
    let (again, same) = table_codec(&written, ORIGIN).expect("a codec that was written");
    assert_eq!((&again, &same), (&codec, &written));
    makes_rows(&codec);
    true
}

/// Asserts that any samples become rows which the writer takes, and which are the same once encoded and decoded.
fn makes_rows(codec: &Codec) {
    let (features, classes) = (codec.features(), codec.classes().len());
    let samples: Vec<f32> =
        (0..ROWS * features).map(|place| SCORES[place * (place / features + 1) % SCORES.len()]).collect();
    let class = |row: usize| (classes > 0).then(|| row % classes);
    let mut values = vec![Value::Missing; codec.form().columns.len()];
    let mut writer = match Writer::new(Vec::new(), codec.form()) {
        Ok(writer) => writer,
        Err(error) => return assert!(is_readable(&error.to_string()), "{error}"),
    };
    for (row, sample) in samples.chunks_exact(features).enumerate() {
        codec.decode(sample, class(row), &mut values);
        writer.write_row(&values).expect("a row of the table");
    }
    let table = codec.table(&samples, class).expect("memory for a few rows");
    let encoded = codec.encode(&table, u64::MAX).expect("a table of its own");
    let mut sample = vec![0.0; features];
    for row in 0..ROWS {
        encoded.copy(row, &mut sample);
        assert!(sample.iter().all(|score| score.is_finite()), "{sample:?}");
        assert_eq!(encoded.class(row), class(row));
    }
    let mut calibrated = samples;
    codec.calibration(&calibrated).apply(&mut calibrated);
}
