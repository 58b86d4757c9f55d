//! A folder of PNG pictures as images: gray ones of one size, in the order of their names.

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use gannet::data::{ByteSource, idx};
use gannet::internals::file;
use gannet::internals::memory::filled;
use gannet::internals::packed::MAX_EXPANSION;
use gannet::{Error, Result};
use png::{ColorType, Decoder, DecodingError, Limits, Transformations};

use crate::folder::run_folder::refused;

/// Bytes that decoding one picture takes beside its pixels at most, even where the run may take more.
const DECODER: usize = 64 << 20;

/// What helps against pictures that cannot be learned together.
const ALIKE: &str =
    "make all pictures gray and of one size (ImageMagick: mogrify -colorspace Gray -resize WIDTHxHEIGHT! *.png)";

/// The pictures in `folder`, in at most `most` bytes, and the most bytes that reading them took at once. Hidden files and folders in it are left out; everything else is a picture.
///
/// # Errors
///
/// [`Error::Data`] that names the first file that is no gray picture of the size of the first one; [`Error::MemoryLimit`]; what the system
/// reports.
pub(crate) fn read(folder: &Path, most: u64) -> Result<(ByteSource, u64)> {
    let files = files(folder)?;
    let (mut pixels, mut size, mut taken) = (Vec::<u8>::new(), None, 0);
    for path in &files {
        let picture = Picture::open(path, pixels.capacity() as u64, most)?;
        let [height, width] = *size.get_or_insert([picture.height, picture.width]);
        if [picture.height, picture.width] != [height, width] {
            let problem = format!(
                "has {} x {} pixels (height x width), and the first picture {height} x {width}; {ALIKE}",
                picture.height, picture.width
            );
            return Err(Error::data(path.display().to_string(), problem));
        }
        let needed = (height as u64).saturating_mul(width as u64).saturating_mul(files.len() as u64);
        let needed_now = needed.saturating_add(picture.decoded());
        if needed_now > most {
            return Err(Error::MemoryLimit { needed: needed_now, limit: most });
        }
        taken = taken.max(needed_now);
        if needed > idx::MAX_BYTES {
            let problem = format!("its pictures have {needed} pixels, more than {}; give fewer", idx::MAX_BYTES);
            return Err(Error::data(folder.display().to_string(), problem));
        }
        if pixels.is_empty() {
            pixels.try_reserve_exact(needed as usize).map_err(|_| Error::OutOfMemory { bytes: needed })?;
        }
        picture.append(&mut pixels)?;
    }
    let [height, width] = size.ok_or_else(|| {
        Error::data(folder.display().to_string(), "is a folder without pictures; give one with PNG files")
    })?;
    Ok((ByteSource::new(pixels, height, width, u8::MAX)?, taken))
}

/// The files in a folder that are not hidden, by their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused("read", folder))? {
        let entry = entry.map_err(refused("read", folder))?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && !entry.path().is_dir() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// A picture whose header was read.
struct Picture<'a> {
    path: &'a Path,
    reader: png::Reader<BufReader<fs::File>>,
    height: usize,
    width: usize,
}

impl<'a> Picture<'a> {
    /// Reads the header of the file `path`. What is `held` already and its decoder take at most `most` bytes.
    fn open(path: &'a Path, held: u64, most: u64) -> Result<Self> {
        let (file, length) = file::open(path).map_err(|error| match error {
            Error::Data { origin, problem } => Error::data(origin, format!("{problem}; move it out of the folder")),
            other => other,
        })?;
        let bytes = usize::try_from(most.saturating_sub(held)).unwrap_or(usize::MAX).min(DECODER);
        let mut decoder = Decoder::new_with_limits(BufReader::new(file), Limits { bytes });
        // Neither is looked at, and both may be long.
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        // Bytes: no palettes, no bits, no numbers of 16 bits.
        decoder.set_transformations(Transformations::normalize_to_color8());
        let reader = decoder.read_info().map_err(|error| match error {
            // How much it takes is not known: this is what it may.
            DecodingError::LimitsExceeded if bytes < DECODER => {
                Error::MemoryLimit { needed: held.saturating_add(DECODER as u64), limit: most }
            }
            error => wrong(path, error),
        })?;
        let (height, width) = (reader.info().height as usize, reader.info().width as usize);
        let picture = Self { path, reader, height, width };
        // A bit becomes a byte, or four of a palette's colors.
        if picture.decoded() / 32 > length.saturating_mul(MAX_EXPANSION) {
            let problem = format!(
                "is truncated: {length} bytes cannot hold {height} x {width} pixels; write it again, or move it out of the folder"
            );
            return Err(Error::data(path.display().to_string(), problem));
        }
        Ok(picture)
    }

    /// Bytes of its pixels with all channels.
    fn decoded(&self) -> u64 {
        let channels = self.reader.output_color_type().0.samples() as u64;
        channels.saturating_mul(self.height as u64).saturating_mul(self.width as u64)
    }

    /// Adds its pixels, which are gray.
    fn append(mut self, pixels: &mut Vec<u8>) -> Result<()> {
        let error = |problem: String| Error::data(self.path.display().to_string(), problem);
        let (channels, is_color) = match self.reader.output_color_type().0 {
            ColorType::Grayscale => (1, false),
            ColorType::GrayscaleAlpha => (2, false),
            ColorType::Rgb => (3, true),
            _ => (4, true),
        };
        let mut bytes = filled(usize::try_from(self.decoded()).unwrap_or(usize::MAX), 0)?;
        self.reader.next_frame(&mut bytes).map_err(|problem| wrong(self.path, problem))?;
        for (index, pixel) in bytes.chunks_exact(channels).enumerate() {
            let place = || format!("row {}, column {} (counted from 0)", index / self.width, index % self.width);
            if channels % 2 == 0 && pixel[channels - 1] != u8::MAX {
                return Err(error(format!(
                    "{}: the picture is not opaque, and gannet learns gray images; {ALIKE}, and remove transparency (-alpha remove)",
                    place()
                )));
            }
            if is_color && pixel[1..3] != [pixel[0]; 2] {
                return Err(error(format!(
                    "{}: the picture has colors, and gannet learns gray images; {ALIKE}",
                    place()
                )));
            }
            pixels.push(pixel[0]);
        }
        Ok(())
    }
}

/// The error about a file that is no whole PNG picture, or that the system refuses to read.
fn wrong(path: &Path, error: DecodingError) -> Error {
    let problem = match error {
        DecodingError::IoError(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            return refused("read", path)(source);
        }
        DecodingError::LimitsExceeded => {
            format!("is a picture that takes more memory than {DECODER} bytes; {ALIKE}")
        }
        error => format!("is no PNG picture, or a damaged one ({error}); write it again, or move it out of the folder"),
    };
    Error::data(path.display().to_string(), problem)
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, Encoder};

    use super::*;

    /// A picture of two columns in PNG's format.
    fn picture(color: ColorType, depth: BitDepth, height: u32, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 2, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![9, 9, 9, 200, 200, 200]);
        }
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
        file
    }

    #[test]
    fn gray_pictures_of_every_kind_are_images_in_the_order_of_their_names() {
        let place = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("c.png", picture(ColorType::Grayscale, BitDepth::Eight, 1, &[1, 255])),
            ("a", picture(ColorType::Rgb, BitDepth::Eight, 1, &[7, 7, 7, 8, 8, 8])),
            ("d.png", picture(ColorType::Grayscale, BitDepth::One, 1, &[0b0100_0000])),
            ("e.png", picture(ColorType::Grayscale, BitDepth::Sixteen, 1, &[18, 0, 19, 0])),
            ("b.png", picture(ColorType::Rgba, BitDepth::Eight, 1, &[5, 5, 5, 255, 6, 6, 6, 255])),
            ("f.PNG", picture(ColorType::Indexed, BitDepth::Eight, 1, &[1, 0])),
            ("g.png", picture(ColorType::GrayscaleAlpha, BitDepth::Eight, 1, &[3, 255, 4, 255])),
            (".hidden", b"no picture".to_vec()),
        ] {
            fs::write(place.path().join(name), bytes).unwrap();
        }
        fs::create_dir(place.path().join("more")).unwrap();
        let (found, taken) = read(place.path(), 14 + 8).unwrap();
        assert_eq!((found.len(), found.height(), found.width(), taken), (7, 1, 2, 14 + 8));
        assert_eq!(found.bytes(), [7, 8, 5, 6, 1, 255, 0, 255, 18, 19, 200, 9, 3, 4]);
        // Beside all pixels stand those of a picture with all channels.
        assert!(matches!(read(place.path(), 21), Err(Error::MemoryLimit { limit: 21, .. })));
        // A line of the first one, which the decoder takes, has six bytes.
        assert!(matches!(read(place.path(), 5), Err(Error::MemoryLimit { limit: 5, .. })));
    }

    #[test]
    fn what_the_system_refuses_is_no_damaged_picture() {
        let told = |kind: io::ErrorKind| wrong(Path::new("a.png"), DecodingError::IoError(kind.into()));
        assert!(matches!(told(io::ErrorKind::PermissionDenied), Error::Io { .. }));
        assert!(told(io::ErrorKind::UnexpectedEof).to_string().contains("damaged"));
    }

    #[test]
    fn texts_and_profiles_of_a_picture_are_left_out() {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 2, 1);
        encoder.add_text_chunk("Comment".to_string(), "long ".repeat(1 << 16)).unwrap();
        encoder.write_header().unwrap().write_image_data(&[1, 255]).unwrap();
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("a.png"), file).unwrap();
        assert_eq!(read(place.path(), 4).unwrap().0.bytes(), [1, 255]);
    }

    #[test]
    fn the_first_file_that_does_not_fit_is_named() {
        let good = picture(ColorType::Grayscale, BitDepth::Eight, 1, &[1, 255]);
        let mut huge = good.clone();
        // The width in the header, whose checksum is then wrong.
        huge[16..20].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
        for (bytes, part) in [
            (
                picture(ColorType::Grayscale, BitDepth::Eight, 2, &[1, 2, 3, 4]),
                "has 2 x 2 pixels (height x width), and the first picture 1 x 2",
            ),
            (
                picture(ColorType::Rgb, BitDepth::Eight, 1, &[7, 7, 7, 8, 9, 8]),
                "row 0, column 1 (counted from 0): the picture has colors",
            ),
            (picture(ColorType::Rgba, BitDepth::Eight, 1, &[7, 7, 7, 0, 8, 8, 8, 255]), "not opaque"),
            (b"\xff\xd8\xff\xe0 a JPEG".to_vec(), "is no PNG picture"),
            (good[..good.len() - 20].to_vec(), "damaged"),
            (huge, "damaged"),
            (Vec::new(), "no PNG picture"),
        ] {
            let place = tempfile::tempdir().unwrap();
            fs::write(place.path().join("a.png"), &good).unwrap();
            fs::write(place.path().join("b.png"), bytes).unwrap();
            let problem = read(place.path(), u64::MAX).unwrap_err().to_string();
            assert!(
                problem.contains("b.png: ") && problem.contains(part) && problem.contains("; "),
                "{part}: {problem}"
            );
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(read(empty.path(), u64::MAX).unwrap_err().to_string().contains("without pictures"));
    }
}
