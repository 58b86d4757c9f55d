//! Writing event files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gannet::internals::file;
use gannet::{Error, Result};

use super::messages::{Event, Image, Kind, SessionLog, SourceMetadata, Summary, Value, What};
use super::plugins::{self, Setting};
use super::{histogram, record};
use crate::folder::run_folder::refused;

/// What the names of event files begin with. TensorBoard reads each file whose name holds `tfevents`, in the order of the names.
pub(crate) const PREFIX: &str = "events.out.tfevents.";

/// The format's version: the first event of each file tells it. From version 2 on, the start of a session discards what
/// earlier sessions wrote of later steps.
const FILE_VERSION: &str = "brain.Event:2";

/// Bytes that are held back at most before they are written.
const MOST_PENDING: usize = 1 << 20;

/// An event file that grows by whole records. It is open only while records are written: of many runs side by side each has one.
#[derive(Debug)]
pub(crate) struct EventWriter {
    path: PathBuf,
    pending: Vec<u8>,
    /// The length of the file.
    written: u64,
}

impl EventWriter {
    /// A new file `events.out.tfevents.SECONDS.HOST.PID` in `folder`, for a run that goes on after the step `done`, or for
    /// a new one.
    ///
    /// The file follows the older ones of the folder in TensorBoard's order. What those say of later steps than `done` (of
    /// all steps, if nothing is done) is void: TensorBoard's reader in Python (`_Purge` in `event_accumulator.py`) discards it because of
    /// the start of a session that stands at the head of the file; the faster one in Rust discards of each tag what is not
    /// older than the tag's next value.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses.
    pub(crate) fn create(folder: &Path, done: Option<u64>) -> Result<Self> {
        let seconds = now().max(0.0) as u64;
        let seconds = newest(folder)?.map_or(seconds, |newest| seconds.max(newest.saturating_add(1)));
        let path = folder.join(format!("{PREFIX}{seconds:010}.{}.{}", host(), std::process::id()));
        fs::File::create_new(&path).map_err(refused("create", &path))?;
        let mut writer = Self { path, pending: Vec::new(), written: 0 };
        let source = SourceMetadata { writer: concat!("gannet ", env!("CARGO_PKG_VERSION")).to_owned() };
        let version = Event { source_metadata: Some(source), ..event(0, What::FileVersion(FILE_VERSION.to_owned())) };
        record::append(&mut writer.pending, &version);
        let first_void = done.map_or(0, |step| step.saturating_add(1));
        writer.push(first_void, What::SessionLog(SessionLog { status: SessionLog::START }))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds numbers, each under its tag. They are written as they are, NaN and infinities too, rounded to 32 bits.
    ///
    /// # Errors
    ///
    /// Those of [`EventWriter::flush`].
    pub(crate) fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        let value = |&(tag, value): &(&str, f64)| Value { tag: tag.to_owned(), kind: Some(Kind::Scalar(value as f32)) };
        self.push(step, What::Summary(Summary { values: values.iter().map(value).collect() }))
    }

    /// Adds a picture: the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if `png` does not begin as a PNG file does or has more than 64 MiB; those of [`EventWriter::flush`].
    pub(crate) fn image(&mut self, step: u64, tag: &str, png: &[u8]) -> Result<()> {
        let image = image(png).map_err(|problem| Error::data(format!("picture {tag}"), problem))?;
        self.one(step, tag, Kind::Image(image))
    }

    /// Adds the histogram of numbers. NaN and infinities are left out of it.
    ///
    /// # Errors
    ///
    /// Those of [`EventWriter::flush`].
    pub(crate) fn histogram(&mut self, step: u64, tag: &str, values: &[f32]) -> Result<()> {
        self.one(step, tag, Kind::Histogram(Box::new(histogram::histogram(values))))
    }

    /// Adds the settings of a run that begins or goes on after `step`: as a text, and for the plugin of hyperparameters.
    ///
    /// # Errors
    ///
    /// Those of [`EventWriter::flush`].
    pub(crate) fn settings(&mut self, step: u64, settings: &BTreeMap<String, Setting>, markdown: &str) -> Result<()> {
        let step = counted(step);
        self.append(&plugins::text(now(), step, "settings", markdown))?;
        self.append(&plugins::start(now(), step, settings))
    }

    /// Adds that the run has done all its steps.
    ///
    /// # Errors
    ///
    /// Those of [`EventWriter::flush`].
    pub(crate) fn end(&mut self, step: u64) -> Result<()> {
        self.append(&plugins::end(now(), counted(step)))
    }

    /// Writes what was added since the last time.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the system refuses. Then the file ends with a whole record, as far as the system lets it be cut
    /// there, and the next call tries again.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let opened = file::open_with(&self.path, fs::File::options().append(true));
        let mut file = opened.map_err(|source| file::refused("write", &self.path, source))?;
        if let Err(error) = file.write_all(&self.pending) {
            // The first failure is the one to tell.
            file.set_len(self.written).ok();
            return Err(refused("write", &self.path)(error));
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Adds one value.
    fn one(&mut self, step: u64, tag: &str, kind: Kind) -> Result<()> {
        self.push(step, What::Summary(Summary { values: vec![Value { tag: tag.to_owned(), kind: Some(kind) }] }))
    }

    /// Adds an event, and writes if much is pending.
    fn push(&mut self, step: u64, what: What) -> Result<()> {
        self.append(&event(step, what))
    }

    fn append(&mut self, message: &impl prost::Message) -> Result<()> {
        record::append(&mut self.pending, message);
        if self.pending.len() > MOST_PENDING { self.flush() } else { Ok(()) }
    }
}

/// An event of now.
fn event(step: u64, what: What) -> Event {
    Event { wall_time: now(), step: counted(step), what: Some(what), source_metadata: None }
}

/// A step as events have it.
fn counted(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The seconds in the name of the folder's last event file, if there is one.
fn newest(folder: &Path) -> Result<Option<u64>> {
    let entries = fs::read_dir(folder).map_err(refused("read", folder))?;
    let seconds = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        let (digits, _) = name.to_str()?.strip_prefix(PREFIX)?.split_once('.')?;
        digits.parse().ok()
    });
    Ok(seconds.max())
}

/// The name of this machine, as far as it can stand in the name of a file.
fn host() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok());
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let name: String = name.unwrap_or_default().chars().filter(plain).take(63).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// A PNG file with what its header says of it; or what is wrong with it.
fn image(png: &[u8]) -> Result<Image, String> {
    if png.len() > record::LONGEST - (1 << 10) {
        return Err(format!("has {} bytes, more than an event may", png.len()));
    }
    // The signature, and the length and type of the first chunk; then width, height, depth and color type.
    let header = png.strip_prefix(b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR").and_then(<[u8]>::first_chunk::<10>);
    let Some(&[w0, w1, w2, w3, h0, h1, h2, h3, _, color]) = header else {
        return Err("is no PNG file".to_owned());
    };
    let side = |bytes| i32::try_from(u32::from_be_bytes(bytes)).ok().filter(|&side| side > 0);
    let (Some(width), Some(height)) = (side([w0, w1, w2, w3]), side([h0, h1, h2, h3])) else {
        return Err("is a PNG file of an impossible size".to_owned());
    };
    let colorspace = match color {
        0 => 1,
        4 => 2,
        6 => 4,
        _ => 3,
    };
    Ok(Image { height, width, colorspace, encoded: png.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_taken() {
        let picture = crate::plot::Picture { width: 3, height: 2, pixels: vec![7; 18] };
        let png = picture.to_png().unwrap();
        let found = image(&png).unwrap();
        assert_eq!((found.width, found.height, found.colorspace), (3, 2, 3));
        assert_eq!(found.encoded, png);
        for damaged in [&png[..25], &png[1..], &[]] {
            assert_eq!(image(damaged), Err("is no PNG file".to_owned()));
        }
        for place in [16, 20] {
            let mut huge = png.clone();
            huge[place] = 0xFF;
            assert!(image(&huge).is_err());
        }
        let mut flat = png;
        flat[16..20].fill(0);
        assert!(image(&flat).is_err());
        assert!(image(&vec![0; record::LONGEST]).unwrap_err().contains("more than"));
    }

    #[test]
    fn later_files_sort_after_older_ones_whatever_the_clock_says() {
        let place = tempfile::tempdir().unwrap();
        let ahead = format!("{PREFIX}9999999990.z.1");
        fs::write(place.path().join(&ahead), "").unwrap();
        fs::write(place.path().join(format!("{PREFIX}word.z.1")), "").unwrap();
        let paths: Vec<_> = (0..3).map(|_| EventWriter::create(place.path(), None).unwrap().path).collect();
        assert!(paths.is_sorted_by(|a, b| a < b));
        assert!(paths[0] > place.path().join(&ahead), "{paths:?}");
    }

    #[test]
    fn a_refused_write_is_an_error_and_is_tried_again() {
        let place = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(place.path(), None).unwrap();
        let before = fs::read(&writer.path).unwrap();
        fs::remove_file(&writer.path).unwrap();
        writer.scalars(1, &[("a", 1.0)]).unwrap();
        assert!(matches!(writer.flush(), Err(Error::Io { action: "write", .. })));
        fs::write(&writer.path, &before).unwrap();
        writer.flush().unwrap();
        let after = fs::read(&writer.path).unwrap();
        assert!(after.starts_with(&before) && after.len() > before.len());
        writer.flush().unwrap();
        assert_eq!(fs::read(&writer.path).unwrap(), after);
        assert!(EventWriter::create(&place.path().join("none"), None).is_err());
    }

    #[test]
    fn much_is_written_without_being_told() {
        let place = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(place.path(), None).unwrap();
        let tag = "x".repeat(MOST_PENDING);
        writer.scalars(1, &[(&tag, 1.0)]).unwrap();
        assert!(fs::metadata(&writer.path).unwrap().len() > MOST_PENDING as u64);
    }
}
