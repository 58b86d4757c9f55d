//! The framing of messages in a file, that of TensorFlow's `RecordWriter` (`tensorflow/core/lib/io/record_writer.h`).
//!
//! A record is, in little endian: the length of the message (8 bytes), the checksum of these 8 bytes (4), the message, and the
//! checksum of the message (4).

use prost::Message;

/// Bytes before the message.
pub(super) const HEADER: usize = 12;
/// Bytes after the message.
pub(super) const FOOTER: usize = 4;

/// The longest message that is written or read, in bytes: far more than a picture takes.
pub(super) const LONGEST: usize = 1 << 26;

/// The checksum of a record's parts: CRC-32C, masked, since the checksum of data that hold checksums is weak otherwise
/// (`tensorflow/core/lib/hash/crc32c.h`).
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// Adds a record to the end of `buffer`.
pub(super) fn append(buffer: &mut Vec<u8>, message: &impl Message) {
    let message = message.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    buffer.extend_from_slice(&length);
    buffer.extend_from_slice(&checksum(&length).to_le_bytes());
    buffer.extend_from_slice(&message);
    buffer.extend_from_slice(&checksum(&message).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::messages::{Event, What};
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        // RFC 3720, appendix B.4: 32 zeros, 32 ones, 32 ascending bytes; and the check value of the catalogs of CRCs.
        let ascending: Vec<u8> = (0..32).collect();
        for (bytes, crc) in [
            (&[0; 32][..], 0x8A91_36AA),
            (&[0xFF; 32][..], 0x62A8_AB43),
            (&ascending[..], 0x46DD_794E),
            (b"123456789", 0xE306_9283_u32),
        ] {
            assert_eq!(crc32c::crc32c(bytes), crc);
            assert_eq!(checksum(bytes), crc.rotate_right(15).wrapping_add(0xA282_EAD8));
        }
    }

    #[test]
    fn a_record_has_the_bytes_that_tensorboard_writes() {
        // The first record of a file that `tensorboard.summary.writer.RecordWriter` (2.21.0) wrote of
        // `Event(wall_time=1.5, file_version="brain.Event:2")`.
        let mut bytes = Vec::new();
        let what = Some(What::FileVersion("brain.Event:2".to_owned()));
        append(&mut bytes, &Event { wall_time: 1.5, what, ..Event::default() });
        let known = b"\x18\0\0\0\0\0\0\0\xA3\x7F\x4B\x22\x09\0\0\0\0\0\0\xF8\x3F\x1A\x0Dbrain.Event:2*(dl";
        assert_eq!(bytes, known);
    }
}
