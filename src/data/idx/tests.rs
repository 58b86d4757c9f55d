//! Every way in which an IDX file can be wrong, and that none of them is a panic.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

/// An IDX file of unsigned bytes.
fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, UNSIGNED_BYTE, dimensions.len() as u8];
    dimensions.iter().for_each(|dimension| file.extend(dimension.to_be_bytes()));
    file.extend(data);
    file
}

/// How a file is stored: [`plain`] or [`gzip`].
type Wrap = fn(&[u8]) -> Vec<u8>;

fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three images of 2 x 2 pixels.
fn three_images() -> Vec<u8> {
    idx(&[3, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255])
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Asserts that reading `bytes`, plain or compressed, as images fails with one line that names the file and says `expected`.
fn refused(bytes: &[u8], expected: &str) {
    let dir = TempDir::new().unwrap();
    let path = write(&dir, "file", bytes);
    let error = read_images(&path).unwrap_err();
    assert!(matches!(error, Error::Data { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(expected), "expected `{expected}` in: {message}");
    assert!(message.starts_with(&path.display().to_string()) && !message.contains('\n'), "{message}");
}

#[test]
fn reads_plain_and_compressed_images_and_labels() {
    let dir = TempDir::new().unwrap();
    // The name does not decide whether a file is compressed.
    for (name, bytes) in [("a", three_images()), ("b", gzip(&three_images())), ("c.gz", three_images())] {
        let images = read_images(&write(&dir, name, &bytes)).unwrap();
        assert_eq!((images.count, images.height, images.width), (3, 2, 2));
        assert_eq!(images.pixels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
        let source = images.into_source().unwrap();
        assert_eq!((source.len(), source.features()), (3, 4));
    }
    let labels = idx(&[4], &[9, 0, 5, 5]);
    for (name, bytes) in [("d", labels.clone()), ("e", gzip(&labels))] {
        assert_eq!(read_labels(&write(&dir, name, &bytes)).unwrap(), [9, 0, 5, 5]);
    }
    // A gzip file may consist of several members.
    let (head, tail) = labels.split_at(5);
    assert_eq!(read_labels(&write(&dir, "f", &[gzip(head), gzip(tail)].concat())).unwrap(), [9, 0, 5, 5]);
}

#[test]
fn refuses_what_is_no_idx_file_of_images() {
    for wrap in [plain as Wrap, gzip] {
        refused(&wrap(b""), "truncated: ends at offset 0");
        refused(&wrap(&[0, 0]), "truncated: ends at offset 2");
        refused(&wrap(b"<html>404</html>"), "no IDX file: bytes 0x3c 0x68 at offset 0");
        refused(&wrap(&[0, 0, 0x0d, 3]), "element type 0x0d at offset 2");
        refused(&wrap(&idx(&[2], &[1, 2])), "1 dimensions at offset 3 where images have 3; this is a file of labels");
        refused(&wrap(&idx(&[1, 1], &[1])), "2 dimensions at offset 3");
        refused(&wrap(&idx(&[0, 2, 2], &[])), "holds no images: dimension 0 at offset 4 is 0");
        refused(&wrap(&idx(&[2, 2, 0], &[])), "dimension 2 at offset 12 is 0");
        refused(
            &wrap(&idx(&[1, 2, 2], &[1, 2, 3, 4, 5])),
            "trailing bytes: the array that its header describes ends at offset 20",
        );
        refused(&wrap(&three_images()[..27]), "truncated");
        refused(&wrap(&three_images()[..14]), "truncated: ends at offset 14, the dimensions from offset 12 need 4");
    }
    refused(&three_images()[..27], "promises 28 bytes, the file ends at offset 27");
    refused(&gzip(&three_images()[..27]), "ends at offset 27, images from offset 16 need 12 bytes");
}

#[test]
fn refuses_huge_sizes_before_it_takes_memory() {
    for wrap in [plain as Wrap, gzip] {
        refused(&wrap(&idx(&[u32::MAX; 3], &[1])), "exceed the limit of 1073741824 bytes");
        refused(&wrap(&idx(&[1 << 31, 1 << 31, 4], &[1])), "exceed the limit");
        refused(&wrap(&idx(&[(1 << 30) + 1, 1, 1], &[1])), "exceed the limit");
        refused(&wrap(&idx(&[1 << 30, 1, 1], &[1])), "promises 1073741840 bytes");
    }
    // Zeros compress nearly as far as DEFLATE can, and must not be mistaken for a lie.
    let dir = TempDir::new().unwrap();
    let zeros = gzip(&idx(&[1 << 12, 1 << 6, 1 << 6], &[0; 1 << 24]));
    assert_eq!(read_images(&write(&dir, "zeros", &zeros)).unwrap().count, 1 << 12);
}

#[test]
fn refuses_labels_that_are_none() {
    let dir = TempDir::new().unwrap();
    let refused = |bytes: &[u8], expected: &str| {
        let message = read_labels(&write(&dir, "labels", bytes)).unwrap_err().to_string();
        assert!(message.contains(expected), "expected `{expected}` in: {message}");
    };
    refused(&idx(&[3], &[9, 10, 11]), "label 10 at offset 9");
    refused(&three_images(), "3 dimensions at offset 3 where labels have 1; this is a file of images");
    refused(&idx(&[0], &[]), "holds no labels");
}

#[test]
fn refuses_damaged_gzip() {
    let whole = gzip(&three_images());
    let mut checksum = whole.clone();
    let end = checksum.len() - 8;
    checksum[end] ^= 1;
    refused(&checksum, "damaged gzip data after 28 decompressed bytes");
    refused(&[&whole[..], b"garbage"].concat(), "damaged gzip data");
    refused(&whole[..12], "gzip");
}

/// Truncation at every offset and a flip of every bit: an error or a well-formed array, never a panic.
#[test]
fn mutations_never_panic() {
    let dir = TempDir::new().unwrap();
    let labels = idx(&[5], &[1, 2, 3, 4, 5]);
    for valid in [three_images(), gzip(&three_images()), labels.clone(), gzip(&labels)] {
        let check = |bytes: &[u8], whole: bool| {
            let path = write(&dir, "mutation", bytes);
            if let Ok(images) = read_images(&path) {
                assert!(whole && images.pixels.len() == images.count * images.height * images.width);
            }
            if let Ok(labels) = read_labels(&path) {
                assert!(whole && labels.iter().all(|&label| label <= 9));
            }
        };
        (0..valid.len()).for_each(|length| check(&valid[..length], false));
        for bit in 0..8 * valid.len() {
            let mut flipped = valid.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(&flipped, true);
        }
    }
}

#[test]
fn refuses_what_is_no_regular_file() {
    let dir = TempDir::new().unwrap();
    assert!(read_images(dir.path()).unwrap_err().to_string().ends_with("not a regular file"));
    assert!(matches!(read_images(&dir.path().join("absent")), Err(Error::Io { action: "read", .. })));
    #[cfg(unix)]
    if Path::new("/dev/zero").exists() {
        assert!(read_images(Path::new("/dev/zero")).unwrap_err().to_string().ends_with("not a regular file"));
    }
}

/// The four files under the names of `spelling`, written by `wrap`.
fn mnist_folder(separator: char, suffix: &str, wrap: Wrap) -> TempDir {
    let dir = TempDir::new().unwrap();
    let name = |stem: &str, format: &str| format!("{stem}{separator}{format}-ubyte{suffix}");
    write(&dir, &name("train-images", "idx3"), &wrap(&three_images()));
    write(&dir, &name("train-labels", "idx1"), &wrap(&idx(&[3], &[7, 8, 9])));
    write(&dir, &name("t10k-images", "idx3"), &wrap(&idx(&[1, 2, 2], &[4, 3, 2, 1])));
    write(&dir, &name("t10k-labels", "idx1"), &wrap(&idx(&[1], &[6])));
    dir
}

#[test]
fn mnist_is_found_under_all_customary_names() {
    for separator in ['-', '.'] {
        for (suffix, wrap) in [("", plain as Wrap), (".gz", gzip)] {
            let dir = mnist_folder(separator, suffix, wrap);
            let mnist = mnist(dir.path()).unwrap();
            assert_eq!((mnist.train_images.count, mnist.test_images.count), (3, 1));
            assert_eq!((mnist.train_labels, mnist.test_labels), (vec![7, 8, 9], vec![6]));
        }
    }
}

#[test]
fn missing_files_are_all_named_in_one_line() {
    let dir = mnist_folder('-', ".gz", gzip);
    fs::remove_file(dir.path().join("train-labels-idx1-ubyte.gz")).unwrap();
    fs::remove_file(dir.path().join("t10k-images-idx3-ubyte.gz")).unwrap();
    let message = mnist(dir.path()).unwrap_err().to_string();
    for expected in [
        "train-labels-idx1-ubyte or train-labels.idx1-ubyte",
        "t10k-images.idx3-ubyte",
        ".gz",
        "--data DIR",
        "not found",
    ] {
        assert!(message.contains(expected), "expected `{expected}` in: {message}");
    }
    assert!(!message.contains("train-images") && !message.contains('\n'), "{message}");
    let message = mnist(&dir.path().join("absent")).unwrap_err().to_string();
    assert!(message.contains("is no folder") && message.contains("train-images-idx3-ubyte"), "{message}");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let refused = |name: &str, bytes: &[u8], expected: &str| {
        let dir = mnist_folder('-', "", plain);
        write(&dir, name, bytes);
        let message = mnist(dir.path()).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(name), "expected `{expected}` in: {message}");
    };
    refused("train-labels-idx1-ubyte", &idx(&[2], &[1, 2]), "holds 2 labels for the 3 images of");
    refused("t10k-labels-idx1-ubyte", &idx(&[2], &[1, 2]), "holds 2 labels for the 1 images of");
    refused("t10k-images-idx3-ubyte", &idx(&[1, 4, 1], &[1; 4]), "4 x 1 pixels, the training images 2 x 2");
    refused("train-images-idx3-ubyte", &idx(&[3], &[1, 2, 3]), "were two files exchanged?");
}

#[test]
fn labels_are_counted_before_they_are_read() {
    for (name, count) in [("train-labels-idx1-ubyte", 3), ("t10k-labels-idx1-ubyte", 1)] {
        let dir = mnist_folder('-', "", plain);
        // Nothing of the labels is there, which reading them would tell.
        let whole = gzip(&idx(&[1 << 16], &[0; 1 << 16]));
        write(&dir, name, &whole[..whole.len() - 8]);
        let message = mnist(dir.path()).unwrap_err().to_string();
        assert!(message.contains(&format!("holds 65536 labels for the {count} images of")), "{message}");
    }
}

#[test]
fn the_limit_is_that_of_all_pixels_and_labels() {
    let dir = mnist_folder('.', ".gz", gzip);
    mnist_within(dir.path(), 12 + 3 + 4 + 1).unwrap();
    for (most, needed) in [(19, 20), (18, 19), (15, 19), (14, 15), (12, 15), (11, 12), (0, 12)] {
        match mnist_within(dir.path(), most) {
            Err(Error::MemoryLimit { needed: told, limit }) => assert_eq!((told, limit), (needed, most)),
            other => panic!("{most}: {other:?}"),
        }
    }
}

/// Runs where the environment variable `GANNET_MNIST_DIR` names a folder with the real files.
#[test]
fn the_real_mnist_is_read() {
    let Some(dir) = std::env::var_os("GANNET_MNIST_DIR") else { return };
    let mnist = mnist(Path::new(&dir)).unwrap();
    assert_eq!((mnist.train_images.count, mnist.train_images.height, mnist.train_images.width), (60_000, 28, 28));
    assert_eq!(mnist.test_images.count, 10_000);
    let count = |digit: u8| mnist.train_labels.iter().filter(|&&label| label == digit).count();
    // Known of the data set: its first label, the rarest and the most frequent digit, the mean of its pixels.
    assert_eq!((mnist.train_labels[0], count(5), count(1)), (5, 5421, 6742));
    let pixels = &mnist.train_images.pixels;
    let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / (255.0 * pixels.len() as f64);
    assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
}
