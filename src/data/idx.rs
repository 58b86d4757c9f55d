//! MNIST's IDX files: plain or gzip, checked before memory is taken, so that a hostile file costs an error and nothing else.
//!
//! Format (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"): two zero bytes, the element type
//! (0x08: unsigned byte), the number of dimensions, each dimension as a big-endian `u32`, then the elements, last dimension
//! fastest. Whether a file is compressed is read from its first two bytes, not from its name.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::data::bytes::ByteSource;
use crate::data::packed::{AGAIN, Unpacked, read_full};
use crate::error::{Error, Result};
use crate::file;
use crate::memory::filled;

/// Files whose header promises more elements than this are refused. MNIST's largest has 47 million.
pub const MAX_BYTES: u64 = 1 << 30;

/// The largest label: ten classes.
const MAX_LABEL: u8 = 9;

/// The element type of all MNIST files: unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// Grayscale images of one size, as they stand in an IDX file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Images {
    /// The number of images, at least 1.
    pub count: usize,
    /// Rows of an image, at least 1.
    pub height: usize,
    /// Columns of an image, at least 1.
    pub width: usize,
    /// `count * height * width` bytes: image by image, row by row.
    pub pixels: Vec<u8>,
}

impl Images {
    /// The images as a source, bytes scaled from [0, 255] to [-1, 1] while they are gathered.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the fields contradict each other, which they do not if they were read from a file.
    pub fn into_source(self) -> Result<ByteSource> {
        ByteSource::new(self.pixels, self.height, self.width, u8::MAX)
    }
}

/// The four files of MNIST, or of a data set in its format.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mnist {
    /// The training images.
    pub train_images: Images,
    /// The class of each training image, 0 to 9.
    pub train_labels: Vec<u8>,
    /// The test images, of the same size as the training images.
    pub test_images: Images,
    /// The class of each test image, 0 to 9.
    pub test_labels: Vec<u8>,
}

/// Reads the four files of MNIST from the folder `dir`, each plain or gzip-compressed, under either customary spelling of its
/// name (`train-images-idx3-ubyte`, `train-images.idx3-ubyte`, either with `.gz`; a plain file is preferred).
///
/// # Errors
///
/// [`Error::Data`] for files that are missing (all of them in one message, with the names looked for), for files that
/// [`read_images`] or [`read_labels`] refuse, and for files that do not belong together; [`Error::Io`] where the system
/// refuses to read.
pub fn mnist(dir: &Path) -> Result<Mnist> {
    mnist_within(dir, u64::MAX)
}

/// The same of at most `most` bytes of pixels and labels.
///
/// # Errors
///
/// As [`mnist`], and [`Error::MemoryLimit`].
pub fn mnist_within(dir: &Path, most: u64) -> Result<Mnist> {
    let found = four_files(dir);
    let [Ok(train_images), Ok(train_labels), Ok(test_images), Ok(test_labels)] = &found else {
        let missing = found.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("; ");
        let problem =
            if dir.is_dir() { "files of MNIST not found" } else { "is no folder, so it holds no files of MNIST" };
        return Err(Error::data(
            dir.display().to_string(),
            format!(
                "{problem}: {missing} (looked for plain and with .gz); name the folder that holds them with --data DIR, or give the files these names"
            ),
        ));
    };
    let mut budget = Budget::new(most);
    let (train_images, train_labels) = read_pair(train_images, train_labels, &mut budget)?;
    let (test_path, test_labels_path) = (test_images, test_labels);
    let (test_images, test_labels) = read_pair(test_path, test_labels_path, &mut budget)?;
    if (train_images.height, train_images.width) != (test_images.height, test_images.width) {
        return Err(Error::data(
            test_path.display().to_string(),
            format!(
                "its images have {} x {} pixels, the training images {} x {}; give four files of one data set",
                test_images.height, test_images.width, train_images.height, train_images.width
            ),
        ));
    }
    Ok(Mnist { train_images, train_labels, test_images, test_labels })
}

/// The four files of MNIST in the folder `dir`: images and labels to train on, images and labels to test with. Of a file that is
/// not there, the names that were looked for.
fn four_files(dir: &Path) -> [std::result::Result<PathBuf, String>; 4] {
    const STEMS: [(&str, &str); 4] =
        [("train-images", "idx3"), ("train-labels", "idx1"), ("t10k-images", "idx3"), ("t10k-labels", "idx1")];
    STEMS.map(|(stem, format)| {
        let names = [format!("{stem}-{format}-ubyte"), format!("{stem}.{format}-ubyte")];
        let path = names
            .iter()
            .map(|name| dir.join(name))
            .chain(names.iter().map(|name| dir.join(format!("{name}.gz"))))
            .find(|path| path.exists());
        path.ok_or_else(|| names.join(" or "))
    })
}

/// Whether the folder `dir` has all four files of MNIST, and the images to train on have this height and width.
#[cfg(feature = "internals")]
pub fn has_mnist(dir: &Path, size: (usize, usize)) -> bool {
    let found = four_files(dir);
    let is_of_size = |path: &PathBuf| image_size(path) == Some(size);
    found.iter().all(std::result::Result::is_ok) && found[0].as_ref().is_ok_and(is_of_size)
}

/// The height and width of the images that the IDX file `path` holds by its header; `None` where that is none of images.
#[cfg(feature = "internals")]
pub fn image_size(path: &Path) -> Option<(usize, usize)> {
    let [_, height, width] = IdxFile::open(path).and_then(|mut file| file.shape::<3>("images")).ok()?;
    Some((height, width))
}

/// Reads an IDX file of images: three dimensions of unsigned bytes.
///
/// # Errors
///
/// [`Error::Data`], with the offset, for anything but exactly one such array of at most [`MAX_BYTES`] elements and at least
/// one; [`Error::Io`] where the system refuses to read; [`Error::OutOfMemory`].
pub fn read_images(path: &Path) -> Result<Images> {
    read_images_within(path, u64::MAX)
}

/// The same of at most `most` bytes of pixels.
///
/// # Errors
///
/// As [`read_images`], and [`Error::MemoryLimit`].
pub fn read_images_within(path: &Path, most: u64) -> Result<Images> {
    images(IdxFile::open(path)?, &mut Budget::new(most))
}

/// Reads images from `reader`, which gives `length` bytes; `path` stands in messages.
///
/// # Errors
///
/// As [`read_images`].
pub fn parse_images(reader: impl BufRead, length: u64, path: &Path) -> Result<Images> {
    parse_images_within(reader, length, path, u64::MAX)
}

/// The same of at most `most` bytes of pixels.
///
/// # Errors
///
/// As [`read_images_within`].
pub fn parse_images_within(reader: impl BufRead, length: u64, path: &Path, most: u64) -> Result<Images> {
    images(IdxFile::new(reader, length, path)?, &mut Budget::new(most))
}

/// Reads an IDX file of labels: one dimension of unsigned bytes, each 0 to 9.
///
/// # Errors
///
/// As for [`read_images`], and [`Error::Data`] for the first label above 9.
pub fn read_labels(path: &Path) -> Result<Vec<u8>> {
    labels(IdxFile::open(path)?, None, &mut Budget::new(u64::MAX))
}

/// Reads labels from `reader`, which gives `length` bytes; `path` stands in messages.
///
/// # Errors
///
/// As [`read_labels`].
pub fn parse_labels(reader: impl BufRead, length: u64, path: &Path) -> Result<Vec<u8>> {
    labels(IdxFile::new(reader, length, path)?, None, &mut Budget::new(u64::MAX))
}

/// Bytes that reading may take.
struct Budget {
    most: u64,
    taken: u64,
}

impl Budget {
    fn new(most: u64) -> Self {
        Self { most, taken: 0 }
    }

    /// Takes `size` bytes more.
    fn take(&mut self, size: u64) -> Result<()> {
        self.taken = self.taken.saturating_add(size);
        if self.taken > self.most {
            return Err(Error::MemoryLimit { needed: self.taken, limit: self.most });
        }
        Ok(())
    }
}

/// Reads the images of `file`.
fn images(mut file: IdxFile<'_>, budget: &mut Budget) -> Result<Images> {
    let shape = file.shape("images")?;
    let [count, height, width] = shape;
    Ok(Images { count, height, width, pixels: file.elements(&shape, "images", budget)? })
}

/// Reads the labels of `file`, which are those of `images` in the file with this path, where these are given.
fn labels(mut file: IdxFile<'_>, images: Option<(&Images, &Path)>, budget: &mut Budget) -> Result<Vec<u8>> {
    let [count] = file.shape("labels")?;
    if let Some((images, path)) = images.filter(|(images, _)| images.count != count) {
        let problem = format!(
            "holds {count} labels for the {} images of {}; give images and labels of one data set",
            images.count,
            path.display()
        );
        return Err(file.error(problem));
    }
    let path = file.path;
    let labels = file.elements(&[count], "labels", budget)?;
    if let Some(i) = labels.iter().position(|&label| label > MAX_LABEL) {
        return Err(Error::data(
            path.display().to_string(),
            format!(
                "label {} at offset {}; labels are 0 to {MAX_LABEL}: number the classes from 0, or train the images alone as own data",
                labels[i],
                i + 8
            ),
        ));
    }
    Ok(labels)
}

/// Reads images and their labels, and checks that there are as many of one as of the other.
fn read_pair(images_path: &Path, labels_path: &Path, budget: &mut Budget) -> Result<(Images, Vec<u8>)> {
    let images = images(IdxFile::open(images_path)?, budget)?;
    let labels = labels(IdxFile::open(labels_path)?, Some((&images, images_path)), budget)?;
    Ok((images, labels))
}

/// A file that is being read, decompressed if it is gzip.
struct IdxFile<'a> {
    path: &'a Path,
    reader: Unpacked<'a>,
    /// Bytes of the file itself.
    length: u64,
    /// Bytes read so far, after decompression.
    offset: u64,
}

impl<'a> IdxFile<'a> {
    fn new(reader: impl BufRead + 'a, length: u64, path: &'a Path) -> Result<Self> {
        // The dimensions are checked before a byte is expanded: only they bound what it is worth.
        let reader = Unpacked::new(reader, length, u64::MAX).map_err(|source| file::refused("read", path, source))?;
        Ok(Self { path, reader, length, offset: 0 })
    }

    fn open(path: &'a Path) -> Result<Self> {
        let (file, length) = file::open(path)?;
        Self::new(BufReader::new(file), length, path)
    }

    /// Reads the header of an array of `DIMENSIONS` dimensions of `what` ("images" or "labels"), and checks that the file can
    /// hold it.
    fn shape<const DIMENSIONS: usize>(&mut self, what: &str) -> Result<[usize; DIMENSIONS]> {
        let mut magic = [0; 4];
        self.fill(&mut magic, "the magic number")?;
        if magic[..2] != [0, 0] {
            return Err(self.error(format!(
                "no IDX file: bytes {:#04x} {:#04x} at offset 0 instead of 0 0; {AGAIN}",
                magic[0], magic[1]
            )));
        }
        if magic[2] != UNSIGNED_BYTE {
            return Err(self.error(format!(
                "element type {:#04x} at offset 2; only {UNSIGNED_BYTE:#04x} (unsigned bytes) can be read: write the pixels as bytes, 0 to 255",
                magic[2]
            )));
        }
        let dimensions = usize::from(magic[3]);
        if dimensions != DIMENSIONS {
            let kind = match dimensions {
                1 => "this is a file of labels: give that of the images (were two files exchanged?)",
                3 => "this is a file of images: give that of the labels (were two files exchanged?)",
                _ => "write gray images, as count x height x width, or save each as a row of a table (NPY or CSV)",
            };
            return Err(
                self.error(format!("{dimensions} dimensions at offset 3 where {what} have {DIMENSIONS}; {kind}"))
            );
        }
        let mut shape = [0; DIMENSIONS];
        for (i, dimension) in shape.iter_mut().enumerate() {
            let mut bytes = [0; 4];
            self.fill(&mut bytes, "the dimensions")?;
            *dimension = u32::from_be_bytes(bytes);
            if *dimension == 0 {
                return Err(self.error(format!("holds no {what}: dimension {i} at offset {} is 0; {AGAIN}", 4 + 4 * i)));
            }
        }
        let size = shape
            .iter()
            .try_fold(1u64, |product, &dimension| product.checked_mul(u64::from(dimension)))
            .filter(|&size| size <= MAX_BYTES)
            .ok_or_else(|| {
                self.error(format!("dimensions {shape:?} at offset 4 exceed the limit of {MAX_BYTES} bytes; write fewer or smaller images"))
            })?;
        self.check_size(size)?;
        // Each is at most `MAX_BYTES`, as is their product, which every `usize` of 32 bits or more can hold.
        Ok(shape.map(|dimension| dimension as usize))
    }

    /// Reads the elements of an array of this shape, which [`shape`](Self::shape) read, and checks that nothing follows.
    fn elements(mut self, shape: &[usize], what: &str, budget: &mut Budget) -> Result<Vec<u8>> {
        let size = shape.iter().product();
        budget.take(size as u64)?;
        let mut data = filled(size, 0)?;
        self.fill(&mut data, what)?;
        self.finish()?;
        Ok(data)
    }

    fn error(&self, problem: String) -> Error {
        Error::data(self.path.display().to_string(), problem)
    }

    /// Fills `buffer` with the next bytes, which are (part of) `what`.
    fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<()> {
        let read = read_full(&mut self.reader, buffer).map_err(|source| file::refused("read", self.path, source))?;
        let start = self.offset;
        self.offset += read as u64;
        if read < buffer.len() {
            return Err(self.error(format!(
                "truncated: ends at offset {}, {what} from offset {start} need {} bytes; {AGAIN}",
                self.offset,
                buffer.len()
            )));
        }
        Ok(())
    }

    /// Refuses a file that cannot hold, or holds more than, the `size` bytes that its header promises after itself.
    fn check_size(&self, size: u64) -> Result<()> {
        let (promised, length) = (self.offset + size, self.length);
        if self.reader.is_packed() {
            if promised > self.reader.longest() {
                return Err(self.error(format!(
                    "truncated: its header (offset 4) promises {promised} bytes, more than {length} bytes of gzip can hold; {AGAIN}"
                )));
            }
        } else if promised > length {
            return Err(self.error(format!(
                "truncated: its header (offset 4) promises {promised} bytes, the file ends at offset {length}; {AGAIN}"
            )));
        } else if promised < length {
            return Err(self.trailing(promised));
        }
        Ok(())
    }

    /// Checks that nothing follows; in a compressed file this also verifies the checksum.
    fn finish(&mut self) -> Result<()> {
        let read = read_full(&mut self.reader, &mut [0]).map_err(|source| file::refused("read", self.path, source))?;
        if read > 0 {
            return Err(self.trailing(self.offset));
        }
        Ok(())
    }

    /// Bytes follow the array, which ends at offset `end`.
    fn trailing(&self, end: u64) -> Error {
        self.error(format!(
            "trailing bytes: the array that its header describes ends at offset {end}, the file does not; {AGAIN}"
        ))
    }
}

// Most of them compress their files.
#[cfg(all(test, feature = "gzip"))]
mod tests;
