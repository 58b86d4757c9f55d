//! Compression: what is read does not depend on how it was compressed. The input is a DEFLATE stream whose checksum is always
//! right, and, behind its first two bytes, a plain file that is compressed in two members.

use std::io::{Read, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use gannet::data::idx::parse_images;

use super::{idx, origin};

pub fn check(input: &[u8]) -> bool {
    let streamed = idx::check(&member(input));
    let Some((&[level, cut], plain)) = input.split_first_chunk() else { return streamed };
    let cut = plain.len() * usize::from(cut) / 255;
    let compressed: Vec<u8> = [&plain[..cut], &plain[cut..]]
        .into_iter()
        .flat_map(|part| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(u32::from(level % 10)));
            encoder.write_all(part).and_then(|()| encoder.finish()).expect("memory takes everything")
        })
        .collect();
    let read = |bytes: &[u8]| parse_images(bytes, bytes.len() as u64, origin()).ok();
    // A plain file that looks compressed is none.
    if !plain.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(read(&compressed), read(plain));
    }
    idx::check(&compressed) || streamed
}

/// A gzip file around `stream`, as far as it can be expanded, with the checksum and the length of what it holds.
fn member(stream: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut decoder = flate2::bufread::DeflateDecoder::new(stream);
    let mut block = [0; 4096];
    // An error leaves the length and checksum of what came before it.
    while let Ok(read @ 1..) = decoder.read(&mut block) {
        content.extend(&block[..read]);
    }
    let used = decoder.total_in() as usize;
    let mut sum = Crc::new();
    sum.update(&content);
    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    file.extend(&stream[..used.min(stream.len())]);
    file.extend(sum.sum().to_le_bytes());
    file.extend(sum.amount().to_le_bytes());
    file
}
