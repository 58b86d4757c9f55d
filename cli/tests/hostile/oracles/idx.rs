//! IDX files, plain and compressed. Second opinion: a reader of 20 lines after flate2.

use std::io::Read;

use gannet::data::idx::{parse_images, parse_labels};

use super::memory::{Cap, within};
use super::{is_told, origin};

/// A compressed file may hold 1032 times its own bytes; the decoder and its buffers take 100 KiB.
const CAP: Cap = Cap { each: 1032, fixed: 128 << 10 };
/// Where a message may say that the mistake is.
const PLACES: [&str; 2] = ["offset ", "decompressed bytes"];

pub fn check(input: &[u8]) -> bool {
    let length = input.len() as u64;
    let images = within(CAP, input.len(), || parse_images(input, length, origin()));
    let labels = within(CAP, input.len(), || parse_labels(input, length, origin()));
    let content = if input.starts_with(&[0x1f, 0x8b]) { decompressed(input) } else { Some(input.to_vec()) };
    let array = content.as_deref().and_then(array);
    for error in [images.as_ref().err(), labels.as_ref().err()].into_iter().flatten() {
        is_told(error, &PLACES);
    }
    let expected = array.clone().and_then(|(shape, pixels)| match shape[..] {
        [count, height, width] => Some(([count, height, width], pixels)),
        _ => None,
    });
    let (images, labels) = (images.ok(), labels.ok());
    let found = images.as_ref().map(|images| ([images.count, images.height, images.width], images.pixels.clone()));
    assert_eq!(found, expected);
    let expected = array.filter(|(shape, labels)| shape.len() == 1 && labels.iter().all(|&label| label <= 9));
    assert_eq!(labels, expected.map(|(_, labels)| labels));
    if let Some(images) = &images {
        let mut written = vec![0, 0, 8, 3];
        for dimension in [images.count, images.height, images.width] {
            written.extend(u32::try_from(dimension).expect("it was read from 32 bits").to_be_bytes());
        }
        written.extend(&images.pixels);
        let length = written.len() as u64;
        assert_eq!(&parse_images(&written[..], length, origin()).expect("an array that was read"), images);
    }
    images.is_some() || labels.is_some()
}

/// The content of a compressed file.
pub(super) fn decompressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut content).ok()?;
    Some(content)
}

/// The shape and the bytes of an array of bytes.
fn array(bytes: &[u8]) -> Option<(Vec<usize>, Vec<u8>)> {
    let (&[0, 0, 8, dimensions], mut rest) = bytes.split_first_chunk()? else { return None };
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        let (dimension, after) = rest.split_first_chunk()?;
        shape.push(u32::from_be_bytes(*dimension) as usize);
        rest = after;
    }
    let size = shape.iter().try_fold(1u128, |product, &dimension| product.checked_mul(dimension as u128))?;
    (size > 0 && size == rest.len() as u128).then(|| (shape, rest.to_vec()))
}
