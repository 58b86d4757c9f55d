//! TensorBoard's event files. Second opinion: the records walked by hand, the messages read by prost. Checksums that a mutation
//! broke are put right as well, so that what lies behind them is reached.

use gannet_cli::events::messages::Event;
use gannet_cli::events::read::EventFile;
use prost::Message;

use super::memory::{Cap, within};
use super::{ORIGIN, is_told};

/// An empty value has 2 bytes in a file, some 50 in memory, and a growing list takes three times its length. (Of a record
/// with more values than a file of this program ever has, nothing is decoded at all.)
const CAP: Cap = Cap { each: 128, fixed: 8 << 10 };

pub fn check(input: &[u8]) -> bool {
    let as_it_is = check_as_it_is(input);
    let repaired = check_as_it_is(&repaired(input));
    let framed = check_as_it_is(&framed(input));
    as_it_is || repaired || framed
}

fn check_as_it_is(input: &[u8]) -> bool {
    let file = EventFile::from_bytes(ORIGIN, input.to_vec());
    let mut found = Vec::new();
    let mut events = file.events();
    while let Some(event) = within(CAP, input.len(), || events.next()) {
        match event {
            Ok(event) => found.push(event),
            Err(error) => {
                is_told(&error, &[&format!("at offset {}", events.offset())]);
                assert!(events.next().is_none(), "events after damage");
                break;
            }
        }
    }
    let walked = records(input);
    assert!(found.len() <= walked.len());
    for (event, message) in found.iter().zip(&walked) {
        let second = Event::decode(*message).expect("prost reads it too");
        assert_eq!(second.encode_to_vec(), event.encode_to_vec());
    }
    let read = walked.iter().take(found.len()).map(|message| message.len() + 16).sum::<usize>();
    assert_eq!(events.offset(), read);
    let written: Vec<u8> = found.iter().flat_map(|event| framed(&event.encode_to_vec())).collect();
    let file = EventFile::from_bytes(ORIGIN, written);
    let back = file.events().map(|event| event.expect("an event that was written").encode_to_vec());
    assert!(back.eq(found.iter().map(Message::encode_to_vec)));
    !found.is_empty()
}

/// TensorFlow's masked CRC-32C.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes()
}

/// A record with `message`.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), message, &checksum(message)].concat()
}

/// The messages of the whole records at the start of a file, up to a wrong checksum.
fn records(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((message, after)) = record(rest) {
        if framed(message) != rest[..rest.len() - after.len()] {
            break;
        }
        found.push(message);
        rest = after;
    }
    found
}

/// The message of a record, whatever its checksums say, and what follows the record.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<12>()?;
    let length = u64::from_le_bytes(header[..8].try_into().ok()?);
    let (message, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((message, rest.get(4..)?))
}

/// The file with checksums that are right.
fn repaired(mut rest: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    while let Some((message, after)) = record(rest) {
        file.extend(framed(message));
        rest = after;
    }
    file.extend(rest);
    file
}
