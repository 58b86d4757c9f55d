//! Reading event files back. A file may be damaged or hostile: lengths are checked before memory is taken.

use std::io::Read;
use std::path::Path;

use gannet::internals::file;
use gannet::{Error, Result};
use prost::Message;

use super::messages::Event;
use super::record::{FOOTER, HEADER, LONGEST, checksum};

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 30;

/// Values of an event at most: an empty one has 2 bytes in a file, and twenty times that in memory.
const MOST_VALUES: usize = 1 << 16;

/// The field of [`Event`] that holds the values, and the field of the values in it.
const SUMMARY: u64 = 5;
const VALUES: u64 = 1;

/// An event file in memory.
#[derive(Clone, Debug)]
pub struct EventFile {
    origin: String,
    bytes: Vec<u8>,
}

impl EventFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses; [`Error::Data`] if the file has more than 1 GiB.
    pub fn open(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let (file, _) = file::open(path)?;
        file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(|source| file::refused("read", path, source))?;
        let origin = path.display().to_string();
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(Error::data(origin, format!("has more than {LONGEST_FILE} bytes")));
        }
        Ok(Self { origin, bytes })
    }

    /// A file's bytes; `origin` is what errors call it.
    pub fn from_bytes(origin: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { origin: origin.into(), bytes }
    }

    /// The events from the file's start. Where the file is cut off, they end; where it is damaged, they end with an
    /// [`Error::Data`] that names the record's offset.
    ///
    /// At any time one event is in memory, which takes less than 4 times the length of its record and 16 MiB.
    pub fn events(&self) -> Events<'_> {
        Events { file: self, offset: 0, ended: false }
    }
}

/// The events of a file, in order.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    file: &'a EventFile,
    offset: usize,
    ended: bool,
}

impl Events<'_> {
    /// The offset at which the next record begins; after the last event the file's length, or where the record begins that
    /// is cut off or damaged.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The event of the next record; `None` where the file ends, in the middle of a record too.
    fn read(&mut self) -> Result<Option<Event>, &'static str> {
        let rest = &self.file.bytes[self.offset..];
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else { return Ok(None) };
        let [l0, l1, l2, l3, l4, l5, l6, l7, sum @ ..] = *header;
        let length = [l0, l1, l2, l3, l4, l5, l6, l7];
        if checksum(&length) != u32::from_le_bytes(sum) {
            return Err("the length of the record does not match its checksum");
        }
        let length = usize::try_from(u64::from_le_bytes(length)).ok().filter(|&length| length <= LONGEST);
        let Some(length) = length else { return Err("the record is longer than any event") };
        let Some((message, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let Some(sum) = rest.first_chunk::<FOOTER>() else { return Ok(None) };
        if checksum(message) != u32::from_le_bytes(*sum) {
            return Err("the event does not match its checksum");
        }
        if values(message).is_none_or(|values| values > MOST_VALUES) {
            return Err("the record is no event, or has too many values");
        }
        let event = Event::decode(message).map_err(|_| "the record is no event")?;
        self.offset += HEADER + length + FOOTER;
        Ok(Some(event))
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let event = self
            .read()
            .map_err(|problem| Error::data(self.file.origin.clone(), format!("{problem}, at offset {}", self.offset)));
        self.ended = !matches!(event, Ok(Some(_)));
        event.transpose()
    }
}

/// How many values an encoded event has; `None` if it is no message.
fn values(event: &[u8]) -> Option<usize> {
    let mut count = 0;
    for summary in Fields(event) {
        if let (SUMMARY, Some(summary)) = summary? {
            for value in Fields(summary) {
                count += usize::from(value?.0 == VALUES);
            }
        }
    }
    Some(count)
}

/// The fields of an encoded message: their numbers, and the bytes of those that have a length. `None` for what is no field.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Option<&'a [u8]>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    /// The next field. Its key holds the number and, in the last 3 bits, the encoding: a number of variable length, 8 bytes, a
    /// length and bytes, or 4 bytes. Groups, which no field of an event is, count as damage.
    fn field(&mut self) -> Option<(u64, Option<&'a [u8]>)> {
        let key = self.varint()?;
        let bytes = match key & 7 {
            0 => self.varint().map(|_| None)?,
            1 => self.take(8).map(|_| None)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Some(self.take(length)?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return None,
        };
        Some((key >> 3, bytes))
    }

    /// A number of variable length: 7 bits a byte, the lowest first; the 8th says that another byte follows.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The next `length` bytes.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}
