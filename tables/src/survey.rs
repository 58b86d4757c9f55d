//! The first pass over a table: its encoding, its dialect, its columns and the kind of each.

use std::io::{Cursor, Read};

use gannet::Result;

use crate::conclude::{Survey, Wanted, conclude};
use crate::contents::looks_like;
use crate::cure::Setting;
use crate::dialect::Dialect;
use crate::encoding::{Decoded, Encoding, detect, is_utf32};
use crate::form::Form;
use crate::input::Input;
use crate::marks::Marks;
use crate::note::Note;
use crate::options::ReadOptions;
use crate::pass::pass;
use crate::records::Records;
use crate::sniff::sniff;

/// Bytes that a file is judged by before it is read.
const HEAD: usize = 1 << 18;
/// Bytes of the longest byte order mark.
const LONGEST_MARK: u64 = 3;

/// Text of `input` in an encoding, behind its byte order mark.
pub(crate) fn text<'a>(input: &'a Input, encoding: &Encoding) -> Result<Decoded<Box<dyn Read + 'a>>> {
    let mut reader = input.open()?;
    let mut start = Vec::new();
    reader.by_ref().take(LONGEST_MARK).read_to_end(&mut start).map_err(|source| input.refused(source))?;
    start.drain(..encoding.mark_length(&start));
    Ok(Decoded::new(Box::new(Cursor::new(start).chain(reader)), encoding))
}

/// Looks at a whole table; where `known` is given, as one of that form.
pub(crate) fn survey(input: &Input, options: &ReadOptions, known: Option<&Form>) -> Result<Survey> {
    let Beginning { head, is_whole, mut encoding, has_mark } = Beginning::of(input, options)?;
    let mut notes = Vec::new();
    // What is not UTF-8 after all is found out at its first byte that is none: then all begins anew.
    loop {
        let dialect = Dialect { encoding, has_byte_order_mark: has_mark, ..Dialect::default() };
        if let Some(mut survey) = attempt(input, &head, is_whole, dialect, Wanted { options, known })? {
            notes.append(&mut survey.notes);
            survey.notes = notes;
            return Ok(survey);
        }
        if options.encoding.is_some() || has_mark || !notes.is_empty() {
            let cures = [("name its encoding", Some(Setting::Encoding)), ("save it as UTF-8", None)];
            return Err(input.error(format!("is not UTF-8 throughout; {}", options.setting_names.cures(&cures))));
        }
        encoding = Encoding::Windows1252;
        notes.push(Note::Encoding(encoding.name().to_string()));
    }
}

/// What the first bytes of a file show.
pub(crate) struct Beginning {
    /// These bytes.
    pub(crate) head: Vec<u8>,
    /// Whether they are all.
    pub(crate) is_whole: bool,
    /// The encoding that they show, unless the caller knows it.
    pub(crate) encoding: Encoding,
    pub(crate) has_mark: bool,
}

impl Beginning {
    /// That of `input`.
    ///
    /// # Errors
    ///
    /// A file that is no text, with what it looks like.
    pub(crate) fn of(input: &Input, options: &ReadOptions) -> Result<Self> {
        options.validate()?;
        let (head, is_whole) = head(input)?;
        if let Some(what) = looks_like(&head) {
            return Err(input.error(format!("is {what}")));
        }
        let no_text = || input.error("holds bytes that are no text, so it is no table; save the table as CSV in UTF-8");
        if is_utf32(&head) {
            return Err(input.error("is in UTF-32, which no table is read in; save it as UTF-8"));
        }
        let (encoding, has_mark) = match (&options.encoding, detect(&head)) {
            (Some(asked), Some((found, _))) if asked.contradicts(&found, &head) => {
                let cures = [("leave the encoding out", None), ("correct it", Some(Setting::Encoding))];
                // What is not UTF-8 is of single bytes.
                let is_utf8 = found != Encoding::Utf8 || head_text(&head, is_whole, &found).is_some();
                let found = if is_utf8 { found } else { Encoding::Windows1252 };
                let (asked, found) = (asked.name(), found.name());
                return Err(input.error(format!(
                    "is in {found}, not in {asked}, as its first bytes show; {}",
                    options.setting_names.cures(&cures)
                )));
            }
            (Some(encoding), found) => {
                let has_mark = found.is_some_and(|(found, has_mark)| has_mark && found == *encoding);
                (encoding.clone(), has_mark)
            }
            (None, found) => found.ok_or_else(no_text)?,
        };
        Ok(Self { head, is_whole, encoding, has_mark })
    }
}

/// Looks at a whole table in an encoding; `None` where that is UTF-8 and the bytes are not.
fn attempt(input: &Input, head: &[u8], is_whole: bool, dialect: Dialect, wanted: Wanted<'_>) -> Result<Option<Survey>> {
    let Some(head) = head_text(head, is_whole, &dialect.encoding) else { return Ok(None) };
    if head.trim().is_empty() && is_whole {
        return Err(input.error("holds no rows; give a table with a row a sample"));
    }
    let mut sniffed = sniff(&head, wanted.options);
    sniffed.dialect.encoding = dialect.encoding;
    sniffed.dialect.has_byte_order_mark = dialect.has_byte_order_mark;
    let marks = Marks::new(wanted.options.missing.as_deref());
    let mut records = Records::new(text(input, &sniffed.dialect.encoding)?, input.origin(), sniffed.split);
    match pass(&mut records, input, wanted.options, wanted.known, &marks) {
        Err(_) if records.source().has_met_other_bytes() => Ok(None),
        Err(error) => Err(error),
        Ok(pass) => conclude(pass, sniffed, input, wanted, &marks).map(Some),
    }
}

/// The first bytes of a file, and whether they are all.
fn head(input: &Input) -> Result<(Vec<u8>, bool)> {
    let mut head = Vec::new();
    let read = input.open()?.take(HEAD as u64).read_to_end(&mut head);
    read.map_err(|source| input.refused(source))?;
    let is_whole = head.len() < HEAD;
    Ok((head, is_whole))
}

/// The whole lines of the first bytes as text; `None` where they are not in the encoding.
pub(crate) fn head_text(head: &[u8], is_whole: bool, encoding: &Encoding) -> Option<String> {
    let mark = encoding.mark_length(head);
    let mut decoded = Decoded::new(head.get(mark..)?, encoding);
    let (mut text, mut block) = (Vec::new(), vec![0; HEAD]);
    loop {
        match decoded.read(&mut block) {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(&block[..read]),
            // The last character may be cut.
            Err(_) if !is_whole && head.len() - text.len() - mark < 4 => break,
            Err(_) => return None,
        }
    }
    if !is_whole {
        let last = text.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        text.truncate(last.map_or(text.len(), |last| last + 1));
    }
    String::from_utf8(text).ok()
}
