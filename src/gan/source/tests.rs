//! What a batch takes and what it refuses.

use super::*;
use crate::error::Error;

const NUMBERS: [u32; 3] = [4, 0, 7];

/// Lets `write` write a batch of three samples of two features. Returns its values, or the sample and the text of its error.
fn batch(write: impl FnOnce(&mut BatchWriter<'_>) -> Result<(), BoxError>) -> Result<Vec<f32>, (u64, String)> {
    let mut values = vec![9.0; 6];
    match write_batch(Numbers::Listed(&NUMBERS), 2, &mut values, write) {
        Ok(()) => Ok(values),
        Err(Error::Source { sample, source }) => Err((sample, source.to_string())),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn rows_are_written_in_every_way() {
    let expected = Ok(vec![4.0, 0.5, 0.0, 0.5, 7.0, 0.5]);
    let one_by_one = batch(|batch| {
        while let Some((number, row)) = batch.next_row() {
            row.copy_from_slice(&[number as f32, 0.5]);
        }
        Ok(())
    });
    let copied = batch(|batch| {
        assert_eq!((batch.len(), batch.features(), batch.is_empty()), (3, 2, false));
        for number in batch.numbers() {
            batch.write(&[number as f32, 0.5])?;
        }
        Ok(())
    });
    let backwards = batch(|batch| {
        batch.write(&[4.0, 0.5])?;
        let rows: Vec<_> = batch.rows().collect();
        for (number, row) in rows.into_iter().rev() {
            row.copy_from_slice(&[number as f32, 0.5]);
        }
        Ok(())
    });
    for found in [one_by_one, copied, backwards] {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_batch_that_is_not_as_asked_for_names_the_sample() {
    let refused = |write: fn(&mut BatchWriter<'_>) -> Result<(), BoxError>| batch(write).unwrap_err();
    let shape = |sample, text: &str| (sample, text.to_string());
    assert_eq!(refused(|_| Ok(())), shape(4, "batch: expected 3 samples, found 0"));
    assert_eq!(refused(|_| Err("gone".into())), shape(4, "gone"));
    assert_eq!(refused(|batch| Ok(batch.write(&[1.0])?)), shape(4, "sample: expected 2 values, found 1"));
    let second = |batch: &mut BatchWriter<'_>| {
        batch.write(&[1.0; 2])?;
        Ok(batch.write(&[1.0; 3])?)
    };
    assert_eq!(refused(second), shape(0, "sample: expected 2 values, found 3"));
    let too_few = |batch: &mut BatchWriter<'_>| {
        batch.next_row();
        batch.next_row();
        Ok(())
    };
    assert_eq!(refused(too_few), shape(7, "batch: expected 3 samples, found 2"));
    let in_the_second = |batch: &mut BatchWriter<'_>| {
        batch.next_row();
        batch.next_row();
        Err("gone".into())
    };
    assert_eq!(refused(in_the_second), shape(0, "gone"));
    let too_many = |batch: &mut BatchWriter<'_>| loop {
        batch.write(&[1.0; 2])?;
    };
    assert_eq!(refused(too_many), shape(7, "batch: expected 3 samples, found more"));
}

#[test]
fn what_is_not_written_is_no_number() {
    let values = batch(|batch| {
        batch.next_row();
        batch.rows().for_each(|(_, row)| row[0] = 1.0);
        Ok(())
    });
    let is_number: Vec<_> = values.unwrap().into_iter().map(f32::is_finite).collect();
    assert_eq!(is_number, [false, false, true, false, true, false]);
}

#[test]
fn memory_gives_its_rows_and_refuses_others() {
    let bytes: Vec<u8> = (0..16).collect();
    let floats: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) * 0.5 - 1.0).collect();
    for memory in [from_rows(&floats, 2).unwrap(), from_bytes(&bytes, 2, 0.5, -1.0).unwrap()] {
        assert_eq!(memory.shape(), Shape::new(2, 8));
        assert_eq!(
            batch(|batch| memory.fill(batch).ok_or_else(|| "none".into())),
            Ok(vec![3.0, 3.5, -1.0, -0.5, 6.0, 6.5])
        );
    }
    let few = from_rows(&floats[..14], 2).unwrap();
    let (sample, text) = batch(|batch| Source::fill(&few, batch)).unwrap_err();
    assert!(sample == 7 && text.contains("fewer samples"), "{sample}: {text}");
    assert!(from_rows(&[], 2).is_err() && from_rows(&floats, 0).is_err() && from_rows(&floats, 3).is_err());
    assert!(from_bytes(&bytes, 3, 1.0, 0.0).is_err() && from_bytes(&bytes, 2, f32::NAN, 0.0).is_err());
}
