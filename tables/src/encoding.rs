//! Encodings of text: which one a file has, its text as UTF-8, and text back into its bytes.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, EncoderResult};
use serde::{Deserialize, Serialize};

/// How text becomes bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, the lower byte first.
    Utf16Le,
    /// UTF-16, the higher byte first.
    Utf16Be,
    /// Windows-1252, of which the printable characters of Latin-1 are a part.
    Windows1252,
    /// Another one by its name in the Encoding Standard, such as `shift_jis`.
    Other(String),
}

impl Encoding {
    /// The encoding with this name, such as `utf-8`, `latin1` or `shift_jis`; `None` where there is none.
    pub fn named(name: &str) -> Option<Self> {
        let found = encoding_rs::Encoding::for_label(name.trim().as_bytes())?;
        Some(match found {
            _ if found == encoding_rs::UTF_8 => Self::Utf8,
            _ if found == encoding_rs::UTF_16LE => Self::Utf16Le,
            _ if found == encoding_rs::UTF_16BE => Self::Utf16Be,
            _ if found == encoding_rs::WINDOWS_1252 => Self::Windows1252,
            other => Self::Other(other.name().to_ascii_lowercase()),
        })
    }

    /// The name by which [`named`](Self::named) finds it.
    pub fn label(&self) -> &str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
            Self::Other(name) => name,
        }
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16 (little-endian)",
            Self::Utf16Be => "UTF-16 (big-endian)",
            Self::Windows1252 => "Windows-1252 (Latin-1)",
            Self::Other(name) => name,
        }
    }

    /// Its tables.
    fn tables(&self) -> Option<&'static encoding_rs::Encoding> {
        match self {
            Self::Utf8 => Some(encoding_rs::UTF_8),
            Self::Utf16Le => Some(encoding_rs::UTF_16LE),
            Self::Utf16Be => Some(encoding_rs::UTF_16BE),
            Self::Windows1252 => Some(encoding_rs::WINDOWS_1252),
            Self::Other(name) => encoding_rs::Encoding::for_label(name.as_bytes()),
        }
    }

    /// Whether there is such an encoding.
    pub(crate) fn is_known(&self) -> bool {
        self.tables().is_some()
    }

    /// The byte order mark of files in it.
    pub(crate) fn byte_order_mark(&self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xef\xbb\xbf",
            Self::Utf16Le => b"\xff\xfe",
            Self::Utf16Be => b"\xfe\xff",
            Self::Windows1252 | Self::Other(_) => b"",
        }
    }

    /// Bytes of the byte order mark at the beginning of `head`: that of the encoding, or that of UTF-8, which is no text in any other.
    pub(crate) fn mark_length(&self, head: &[u8]) -> usize {
        let marks = [self.byte_order_mark(), Self::Utf8.byte_order_mark()];
        marks.into_iter().find(|mark| !mark.is_empty() && head.starts_with(mark)).map_or(0, <[u8]>::len)
    }

    /// Whether a file that begins with `head`, in which `found` was found, cannot be in this encoding: one of the two takes two bytes for a
    /// letter and the other does not, or takes them in the other order.
    pub(crate) fn contradicts(&self, found: &Self, head: &[u8]) -> bool {
        let is_wide = |encoding: &Self| matches!(encoding, Self::Utf16Le | Self::Utf16Be);
        match (is_wide(self), is_wide(found)) {
            (false, false) => false,
            // An empty file, and one of a letter, show nothing.
            _ => self != found && head.len() > 2,
        }
    }

    /// Appends `text` in this encoding; a character that it does not have becomes `?`.
    pub(crate) fn encode(&self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Utf16Le => text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes())),
            Self::Utf16Be => text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes())),
            Self::Windows1252 | Self::Other(_) => self.encode_by_table(text, out),
        }
    }

    /// Whether it has all characters of `text`.
    pub(crate) fn has(&self, text: &str) -> bool {
        match self {
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => true,
            Self::Windows1252 | Self::Other(_) => {
                text.is_ascii() || self.tables().is_some_and(|tables| !tables.encode(text).2)
            }
        }
    }

    fn encode_by_table(&self, text: &str, out: &mut Vec<u8>) {
        let Some(tables) = self.tables() else { return };
        let mut encoder = tables.new_encoder();
        let (mut rest, mut block) = (text, [0; 1024]);
        loop {
            let (result, read, written) = encoder.encode_from_utf8_without_replacement(rest, &mut block, true);
            out.extend_from_slice(&block[..written]);
            rest = &rest[read..];
            match result {
                EncoderResult::InputEmpty => return,
                EncoderResult::OutputFull => {}
                EncoderResult::Unmappable(_) => out.push(b'?'),
            }
        }
    }
}

/// The encoding that the first bytes of a file show, and whether they are a byte order mark. `None` where they are no text in any.
pub(crate) fn detect(head: &[u8]) -> Option<(Encoding, bool)> {
    for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
        if head.starts_with(encoding.byte_order_mark()) {
            return Some((encoding, true));
        }
    }
    // Tables are ASCII for the most part, of which every second byte is 0 in UTF-16.
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    match (even, odd) {
        (0, 0) => Some((Encoding::Utf8, false)),
        _ if 10 * odd > 4 * pairs && 20 * even <= pairs => Some((Encoding::Utf16Le, false)),
        _ if 10 * even > 4 * pairs && 20 * odd <= pairs => Some((Encoding::Utf16Be, false)),
        _ => None,
    }
}

/// Whether the first bytes of a file are those of UTF-32, whose byte order mark begins as that of UTF-16: three bytes of four are 0.
pub(crate) fn is_utf32(head: &[u8]) -> bool {
    let quads = head.len() / 4;
    let is_of = |letter: usize| {
        let is_text = |byte: u8| byte >= b' ' || byte.is_ascii_whitespace();
        let is_letter =
            |quad: &[u8]| (0..4).all(|place| if place == letter { is_text(quad[place]) } else { quad[place] == 0 });
        quads > 2 && 10 * head.chunks_exact(4).filter(|quad| is_letter(quad)).count() > 9 * quads
    };
    head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) || is_of(0) || is_of(3)
}

/// Bytes that are asked for at a time.
const BLOCK: usize = 1 << 16;

/// Bytes that a character may take, with one that is begun before it.
const LEAST_ROOM: usize = 8;

/// A reader of UTF-8 text from bytes in any encoding. Its callers give it room for a character at least.
pub(crate) struct Decoded<R> {
    source: R,
    has_met_other_bytes: bool,
    way: Way,
}

enum Way {
    /// UTF-8 as it is; the bytes of a character that is not complete yet.
    Checked(Vec<u8>),
    Converted {
        decoder: Box<Decoder>,
        block: Vec<u8>,
        /// What of the block has not been converted.
        left: std::ops::Range<usize>,
        is_end: bool,
        /// Whether the decoder has given all, and must not be asked again.
        is_done: bool,
    },
}

impl<R: Read> Decoded<R> {
    /// Text from `source`, whose byte order mark has been passed.
    pub(crate) fn new(source: R, encoding: &Encoding) -> Self {
        let way = match encoding.tables() {
            Some(tables) if tables != encoding_rs::UTF_8 => Way::Converted {
                decoder: Box::new(tables.new_decoder_without_bom_handling()),
                block: vec![0; BLOCK],
                left: 0..0,
                is_end: false,
                is_done: false,
            },
            _ => Way::Checked(Vec::new()),
        };
        Self { source, has_met_other_bytes: false, way }
    }

    /// Whether it failed since the bytes are not UTF-8.
    pub(crate) fn has_met_other_bytes(&self) -> bool {
        self.has_met_other_bytes
    }
}

/// Reads once, however often it is interrupted.
fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.len() < LEAST_ROOM {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no room for a character"));
        }
        match &mut self.way {
            Way::Checked(kept) => loop {
                let begun = kept.len();
                out[..begun].copy_from_slice(kept);
                let read = read_some(&mut self.source, &mut out[begun..])?;
                let length = begun + read;
                let valid = match std::str::from_utf8(&out[..length]) {
                    Ok(_) => length,
                    Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
                    Err(_) => {
                        self.has_met_other_bytes = true;
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8"));
                    }
                };
                kept.clear();
                kept.extend_from_slice(&out[valid..length]);
                if valid > 0 || read == 0 {
                    return Ok(valid);
                }
            },
            Way::Converted { is_done: true, .. } => Ok(0),
            Way::Converted { decoder, block, left, is_end, is_done } => loop {
                if left.start >= left.end && !*is_end {
                    let read = read_some(&mut self.source, block)?;
                    (*left, *is_end) = (0..read, read == 0);
                }
                let (result, read, written, _) = decoder.decode_to_utf8(&block[left.clone()], out, *is_end);
                left.start += read;
                *is_done = *is_end && result == CoderResult::InputEmpty;
                if written > 0 || *is_done {
                    return Ok(written);
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: &Encoding) -> io::Result<String> {
        all(Decoded::new(bytes, encoding))
    }

    fn all(mut reader: impl Read) -> io::Result<String> {
        let (mut text, mut block) = (Vec::new(), vec![0; 1000]);
        loop {
            match reader.read(&mut block)? {
                0 => return Ok(String::from_utf8(text).unwrap()),
                read => text.extend_from_slice(&block[..read]),
            }
        }
    }

    #[test]
    fn text_comes_back_in_every_encoding() {
        let text = "Größe;5 €\r\n".repeat(20_000);
        for encoding in [
            Encoding::Utf8,
            Encoding::Utf16Le,
            Encoding::Utf16Be,
            Encoding::Windows1252,
            Encoding::named("iso-8859-15").unwrap(),
        ] {
            let mut bytes = Vec::new();
            encoding.encode(&text, &mut bytes);
            assert!(decoded(&bytes, &encoding).unwrap() == text, "{encoding:?}");
        }
        let mut bytes = Vec::new();
        Encoding::Windows1252.encode("a日b", &mut bytes);
        assert_eq!(bytes, b"a?b");
        assert_eq!((Encoding::named("latin1"), Encoding::named("nonsense")), (Some(Encoding::Windows1252), None));
    }

    #[test]
    fn encodings_are_recognized() {
        let units = |text: &str, encoding: Encoding| {
            let mut bytes = Vec::new();
            encoding.encode(text, &mut bytes);
            bytes
        };
        assert_eq!(detect(b"x,y\n1,2\n"), Some((Encoding::Utf8, false)));
        assert_eq!(detect(b"\xef\xbb\xbfx"), Some((Encoding::Utf8, true)));
        assert_eq!(detect(b"\xff\xfex\0"), Some((Encoding::Utf16Le, true)));
        assert_eq!(detect(&units("x,y\n1,2\n", Encoding::Utf16Le)), Some((Encoding::Utf16Le, false)));
        assert_eq!(detect(&units("x,y\n1,2\n", Encoding::Utf16Be)), Some((Encoding::Utf16Be, false)));
        assert_eq!(detect(b"x,y\n1,2\n\0\0\0\0"), None);
        let wide = |text: &str| text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect::<Vec<u8>>();
        assert!(is_utf32(&wide("x,y\n1,2\n")) && is_utf32(b"\xff\xfe\0\0") && is_utf32(b"\0\0\xfe\xff"));
        assert!(!is_utf32(b"x,y\n1,2\n") && !is_utf32(&units("x,y\n1,2\n", Encoding::Utf16Le)) && !is_utf32(b""));
    }

    #[test]
    fn what_is_not_utf8_is_told() {
        for bytes in [&b"a\xff"[..], b"a\xc3", b"\xc3(", b"ok\xed\xa0\x80"] {
            let mut reader = Decoded::new(bytes, &Encoding::Utf8);
            assert!(all(&mut reader).is_err() && reader.has_met_other_bytes(), "{bytes:?}");
        }
    }

    /// A character may end in another block than it begins in.
    #[test]
    fn characters_across_blocks() {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
                self.0 = rest;
                out[0] = *first;
                Ok(1)
            }
        }
        let text = "ä€𝄞x";
        assert_eq!(all(Decoded::new(Slow(text.as_bytes()), &Encoding::Utf8)).unwrap(), text);
    }
}
