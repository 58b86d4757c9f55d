//! What a file holds. gannet looks at the first bytes of a file, never at its name.

use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use gannet::data::npy;
use gannet::gan::presets::Preset;
use gannet::internals::engine;
use gannet::internals::file;
use gannet::{Error, Result};
use gannet_tables::Delimiter;

use crate::folder::run_folder::{CONFIG, refused, replica};
use crate::numbers::counted;
use crate::terminal::command_lines::quoted;

/// Bytes of a file, or of an array in an archive, that are looked at.
pub(crate) const HEAD: u64 = 1 << 13;

/// Files in a folder that are looked into.
const MOST_FILES: usize = 100;

/// How a table of another program becomes one that can be read.
const AS_CSV: &str = "save the table as CSV (pandas: df.to_csv(\"table.csv\", index=False))";
const AS_SHEET: &str = "save the sheet as CSV in UTF-8";
const AS_IDX: &str = "give a folder of gray PNG pictures of one size (ImageMagick: mogrify -format png -colorspace Gray *), or pack them into an IDX file";
const AS_SAFETENSORS: &str =
    "save weights by safetensors.torch.save_file(model.state_dict(), \"model.safetensors\"), data by numpy.save";
const UNPACK: &str = "unpack it and give the file in it";

/// Standard input, as `--data` and `gannet train` name it.
pub(crate) const STDIN_PATH: &str = "-";

/// What messages call standard input.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// A table of text, plain or gzip.
    Text,
    /// Text, plain or gzip, in which no usual sign separates cells.
    Prose,
    /// An array of NumPy with rows of numbers, plain or gzip.
    Npy,
    /// The same of images.
    NpyImages,
    /// An archive of NumPy's arrays.
    Npz,
    /// IDX, plain or gzip.
    Images,
    /// PNG pictures in a folder.
    Pictures,
    /// Settings for a run.
    Config,
    /// Tensors in a safetensors file.
    Weights,
    /// Something that cannot be read: what it is, and what helps.
    Other(Cow<'static, str>, Cow<'static, str>),
}

use Contents::Other;

impl Contents {
    /// What the file `path` holds.
    ///
    /// # Errors
    ///
    /// A folder without pictures, or standard input; what the system reports.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        check_stdin(path)?;
        if path.is_dir() {
            return if holds_pictures(path) { Ok(Self::Pictures) } else { Err(folder(path)) };
        }
        let (file, _) = file::open(path).map_err(|error| match error {
            // A pipe or a device, as `<(command)` of a shell is.
            Error::Data { origin, problem } => {
                Error::data(origin, format!("{problem}; write what comes from it into a file first, and give that"))
            }
            other => other,
        })?;
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head).map_err(refused("read", path))?;
        Ok(known(&head))
    }

    /// What a file of these bytes holds.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        known(&bytes[..bytes.len().min(HEAD as usize)])
    }

    /// The same where the user says what separates the cells of a text: then it is a table.
    pub(crate) fn separated(self, delimiter: Option<Delimiter>) -> Self {
        if self == Self::Prose && delimiter.is_some() { Self::Text } else { self }
    }

    /// Whether it holds samples.
    pub(crate) fn are_samples(&self) -> bool {
        matches!(self, Self::Text | Self::Npy | Self::Npz) || self.are_images()
    }

    /// Whether the samples are images.
    pub(crate) fn are_images(&self) -> bool {
        matches!(self, Self::NpyImages | Self::Images | Self::Pictures)
    }

    /// The error about the file `path` where something else was needed.
    pub(crate) fn instead(&self, path: &Path, needed: &str) -> Error {
        let name = if is_standard_input(path) { Path::new(STANDARD_INPUT).display() } else { path.display() };
        let (what, cure): (&str, Cow<'_, str>) = match self {
            Self::Text => ("a table of text", "give it as data: gannet train FILE".into()),
            Self::Prose => (
                "a text without rows of numbers",
                "give a table (a row a sample) or a configuration file, or name the delimiter by --delimiter".into(),
            ),
            Self::Npy => ("a NumPy array", "give it as data: gannet train FILE".into()),
            Self::NpyImages => ("a NumPy array of images", "give it as data: gannet train FILE".into()),
            Self::Npz => ("an archive of NumPy", "give it as data: gannet train FILE --array NAME".into()),
            Self::Images => ("an IDX file", "give it as data: gannet train FILE".into()),
            Self::Pictures => ("a folder of pictures", "give it as data: gannet train FILE".into()),
            Self::Config | Self::Weights if is_standard_input(path) => {
                ("settings or weights", "save it to a file, and give that".into())
            }
            Self::Config => ("a configuration file", "train with it: gannet train FILE".into()),
            Self::Weights => ("a file of weights", "begin with them: gannet train PRESET --weights FILE".into()),
            Other(what, cure) => (what, Cow::Borrowed(cure)),
        };
        // In Python's quotation marks the name stands as it is, otherwise as a shell takes it.
        let cure = cure.replace("\"FILE\"", &format!("{:?}", path.to_string_lossy())).replace("FILE", &quoted(path));
        Error::data(name.to_string(), format!("is {what}, not {needed}; {cure}"))
    }
}

/// Whether a path means standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    [STDIN_PATH, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name))
}

/// Refuses a path that means standard input, where a file is needed.
fn check_stdin(path: &Path) -> Result<()> {
    if !is_standard_input(path) {
        return Ok(());
    }
    let problem = "a file is needed here, and not standard input; save it to a file, and give that";
    Err(Error::data(path.display().to_string(), problem))
}

/// Whether a folder that is no run's holds PNG pictures alone, as far as its first files show. A damaged one counts by its name, so that
/// the error is about that file.
fn holds_pictures(path: &Path) -> bool {
    let is_picture = |file: &&PathBuf| {
        let mut head = Vec::new();
        let read = file::open(file).is_ok_and(|(file, _)| file.take(8).read_to_end(&mut head).is_ok());
        read && head == b"\x89PNG\r\n\x1a\n"
    };
    let is_named_so = |file: &PathBuf| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if path.join(CONFIG).is_file() || path.join(replica(0)).is_dir() {
        return false;
    }
    let entries = entries(path);
    let files: Vec<&PathBuf> = entries.iter().filter(|entry| entry.is_file()).take(MOST_FILES).collect();
    files.iter().any(is_picture) && files.iter().all(|file| is_named_so(file) || is_picture(file))
}

/// What is in a folder and not hidden, by name. The system lists it in any order, so all of it is read before a part is chosen.
fn entries(path: &Path) -> Vec<PathBuf> {
    let is_hidden = |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(|entry| entry.ok());
    let mut entries: Vec<PathBuf> = entries.filter(|entry| !is_hidden(entry)).map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

/// The error about a folder where a file was needed.
pub(crate) fn folder(path: &Path) -> Error {
    let name = path.display();
    let of = |problem: String| Error::data(name.to_string(), problem);
    if path.join(CONFIG).is_file() {
        return of(format!(
            "is the folder of a run, not a file of data; to repeat the run: gannet train {}",
            quoted(path)
        ));
    }
    let first = path.join(replica(0));
    if first.is_dir() {
        return of(format!(
            "holds several runs; name one of them; to repeat the first: gannet train {}",
            quoted(&first)
        ));
    }
    if Preset::Mnist.image().is_some_and(|size| engine::has_mnist(path, size)) {
        return of(format!(
            "is a folder of IDX files; name one of them, or train on MNIST's four: gannet train mnist --data {}",
            quoted(path)
        ));
    }
    let is_picture = |entry: &&PathBuf| {
        let name = entry.to_string_lossy().to_ascii_lowercase();
        [".png", ".jpg", ".jpeg", ".bmp", ".gif"].iter().any(|end| name.ends_with(end))
    };
    let entries = entries(path);
    let pictures = entries.iter().filter(is_picture).count();
    if pictures > 0 && entries.iter().any(|entry| !is_picture(&entry) && entry.is_file()) {
        let problem = "holds pictures and other files; move the pictures to a folder of their own, or name a file";
        return of(problem.to_string());
    }
    if pictures > 0 {
        return of(format!("is a folder with {}; {AS_IDX}", counted(pictures as u64, "picture")));
    }
    let mut files = entries.iter().filter(|entry| entry.is_file()).peekable();
    if files.peek().is_none() {
        return of("is a folder without files; give a file of data, a configuration file or a run".to_string());
    }
    match files.take(MOST_FILES).find(|file| is_trainable(file)) {
        Some(file) => of(format!(
            "is a folder, and no run (there is no {CONFIG}); name a file in it, for instance: gannet train {}",
            quoted(file)
        )),
        None => of(format!(
            "is a folder, and no run (there is no {CONFIG}); no file in it holds samples or settings: give a table \
             (CSV or NumPy's), images (PNG pictures in a folder, IDX or NumPy's), a configuration file or a run"
        )),
    }
}

/// Whether `gannet train` takes the file: settings, a table, or images (and not the labels that IDX files have).
fn is_trainable(file: &Path) -> bool {
    match Contents::of(file) {
        Ok(Contents::Images) => engine::image_size(file).is_some(),
        Ok(contents) => contents.are_samples() || contents == Contents::Config,
        Err(_) => false,
    }
}

/// What a file holds that begins with `head`.
fn known(head: &[u8]) -> Contents {
    if !head.starts_with(b"\x1f\x8b") {
        return plain(head);
    }
    let mut inner = Vec::new();
    // A file that is cut off gives what there is of it.
    let read = MultiGzDecoder::new(head).take(HEAD).read_to_end(&mut inner);
    if inner.is_empty() && read.is_err() {
        return Other("a gzip file that is damaged or cut off".into(), "copy or download it again".into());
    }
    match plain(&inner) {
        data @ (Contents::Text | Contents::Prose | Contents::Npy | Contents::NpyImages | Contents::Images) => data,
        Other(what, cure) => Other(format!("{what}, compressed by gzip").into(), cure),
        _ => Other("compressed by gzip".into(), "unpack it: gunzip < FILE > unpacked".into()),
    }
}

/// Signatures of files that cannot be read: where they stand, what the file is, and what helps.
const SIGNATURES: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\x89PNG\r\n", "a PNG picture", AS_IDX),
    (0, b"\xff\xd8\xff", "a JPEG picture", AS_IDX),
    (0, b"GIF8", "a GIF picture", AS_IDX),
    (0, b"BM\0", "a BMP picture", AS_IDX),
    (8, b"WEBP", "a WebP picture", AS_IDX),
    (0, b"II*\0", "a TIFF picture", AS_IDX),
    (0, b"MM\0*", "a TIFF picture", AS_IDX),
    (0, b"%PDF", "a PDF document", "export its table as CSV"),
    (0, b"\xd0\xcf\x11\xe0", "an old Excel workbook or another Office document", AS_SHEET),
    (0, b"PAR1", "a Parquet file", AS_CSV),
    (0, b"ARROW1", "an Arrow file", AS_CSV),
    (0, b"FEA1", "a Feather file", AS_CSV),
    (0, b"\x89HDF\r\n", "an HDF5 file", AS_CSV),
    (0, b"SQLite format 3", "an SQLite database", AS_CSV),
    (0, b"MATLAB 5.0", "a MATLAB file", "save the matrix as CSV: writematrix(A, \"table.csv\")"),
    (0, b"RDX", "an R data file", "save the table as CSV: write.csv(table, \"table.csv\", row.names=FALSE)"),
    (0, b"\x80\x02", "a pickle of Python or PyTorch", AS_SAFETENSORS),
    (0, b"\x80\x03", "a pickle of Python", AS_CSV),
    (0, b"\x80\x04", "a pickle of Python", AS_CSV),
    (0, b"\x80\x05", "a pickle of Python", AS_CSV),
    (0, b"BZh", "compressed by bzip2", "unpack it: bunzip2 < FILE > unpacked"),
    (0, b"\xfd7zXZ\0", "compressed by xz", "unpack it: unxz < FILE > unpacked"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by Zstandard", "unpack it: unzstd < FILE > unpacked"),
    (0, b"\x04\x22\x4d\x18", "compressed by LZ4", "unpack it: unlz4 < FILE > unpacked"),
    (0, b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (0, b"Rar!", "a RAR archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"\x7fELF", "a program", "give a file of data"),
];

/// The same for a file that is not compressed by gzip.
fn plain(head: &[u8]) -> Contents {
    let has = |at: usize, signature: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(signature));
    let other = |what: &'static str, cure: &'static str| Other(what.into(), cure.into());
    if has(0, npy::MAGIC) {
        return if npy::are_images(head) { Contents::NpyImages } else { Contents::Npy };
    }
    if let [0, 0, kind, dimensions, ..] = head
        && (8..=14).contains(kind)
        && (1..=8).contains(dimensions)
    {
        return Contents::Images;
    }
    if has(0, b"PK\x03\x04") {
        return archive(head);
    }
    if let Some(&(_, _, what, cure)) = SIGNATURES.iter().find(|&&(at, signature, ..)| has(at, signature)) {
        return other(what, cure);
    }
    // The length of the header as 8 bytes, and the header, which is a JSON object.
    if has(8, b"{\"") && head[..8].iter().rev().take(4).all(|&byte| byte == 0) {
        return Contents::Weights;
    }
    let is_utf16 = has(0, b"\xff\xfe") || has(0, b"\xfe\xff") || {
        let zeros = |first: usize| head.iter().skip(first).step_by(2).take(64).filter(|&&byte| byte == 0).count();
        let pairs = (head.len() / 2).min(64);
        pairs >= 4 && (zeros(0) * 10 > pairs * 9) != (zeros(1) * 10 > pairs * 9)
    };
    if is_utf16 {
        // Settings and weights are in no such text.
        return Contents::Text;
    }
    let control = head.iter().filter(|&&byte| byte < b' ' && !b"\t\r\n".contains(&byte)).count();
    if head.contains(&0) || control * 4 > head.len() {
        return other("no text, and no format that gannet knows", "give a table (CSV or NPY) or images (IDX)");
    }
    text(&String::from_utf8_lossy(head))
}

/// What a ZIP archive that begins with `head` holds. The names of the files in it stand there as they are.
fn archive(head: &[u8]) -> Contents {
    let has = |name: &str| head.windows(name.len()).any(|window| window == name.as_bytes());
    let other = |what: &'static str, cure: &'static str| Other(what.into(), cure.into());
    // The name of the first file: its length at 26, itself at 30 (PKWARE, "APPNOTE.TXT", 4.3.7).
    let length = head.get(26..28).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let first = head.get(30..30 + length).map(String::from_utf8_lossy).unwrap_or_default();
    if first.ends_with(".npy") {
        return Contents::Npz;
    }
    if has("data.pkl") {
        return other("a file of PyTorch", AS_SAFETENSORS);
    }
    if has("[Content_Types].xml") || has("xl/") {
        return other("an Excel workbook or another Office document", AS_SHEET);
    }
    if has("application/vnd.oasis.opendocument") {
        return other("an OpenDocument file", AS_SHEET);
    }
    other("a ZIP archive", UNPACK)
}

/// What a text that begins with `head` is.
fn text(head: &str) -> Contents {
    let start = head.trim_start_matches('\u{feff}').trim_start();
    let lower = start.get(..start.len().min(64)).unwrap_or("").to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<head") {
        let cure = "if it is what a download gave, download the file itself";
        return Other("an HTML page".into(), cure.into());
    }
    if start.starts_with('<') {
        return Other("an XML or HTML file".into(), AS_CSV.into());
    }
    let inside = start.strip_prefix('[').map(|rest| rest.trim_start_matches(['[', ' ', '\r', '\n']));
    let is_name = |rest: &str| rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if start.starts_with('{') || inside.is_some_and(|rest| !is_name(rest)) {
        return Other("a JSON file".into(), AS_CSV.into());
    }
    let lines: Vec<&str> = start.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let has_number = |line: &&str| {
        line.split([',', ';', '\t', '|', ' ']).any(|cell| cell.trim_matches([' ', '"', '\'']).parse::<f64>().is_ok())
    };
    // What programs of tables write before them.
    if lines.first().is_some_and(|line| is_delimiter_hint(line)) {
        return Contents::Text;
    }
    let mut meaning = lines.iter().filter(|line| !line.starts_with(['#', '%']));
    let first = meaning.next();
    if first.is_some_and(|line| is_setting(line)) {
        return Contents::Config;
    }
    if lines.iter().any(has_number) {
        return Contents::Text;
    }
    if lines.iter().any(|line| is_setting(line)) {
        return Contents::Config;
    }
    let cells = |line: &&str| line.matches([',', ';', '\t']).count();
    let is_even = first.is_none_or(|first| meaning.all(|line| cells(line) == cells(first)));
    // Cells may have line ends in quotes, and texts other signs: one that most lines have as often as the first separates cells.
    let separates = |delimiter: char| {
        let cells = |line: &str| line.matches(delimiter).count();
        let of_first = first.map_or(0, |line| cells(line));
        let alike = lines.iter().filter(|line| cells(line) == of_first).count();
        of_first > 0 && 2 * alike > lines.len()
    };
    // The reader of tables says what is wrong with one of words. Of a long first line no other may be seen.
    if is_even || lines.len() < 2 || [',', ';', '\t', '|'].into_iter().any(separates) {
        return Contents::Text;
    }
    Contents::Prose
}

/// Whether a line names the delimiter of a table, as `sep=;`.
fn is_delimiter_hint(line: &str) -> bool {
    line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) && line.chars().count() <= 5
}

/// Whether a line is one of TOML: `[table]` or `name = value`.
fn is_setting(line: &str) -> bool {
    let is_key = |key: &str| {
        !key.is_empty()
            && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            && key.parse::<f64>().is_err()
    };
    if let Some(inside) = line.strip_prefix('[') {
        return inside.starts_with(|first: char| first.is_ascii_alphabetic() || "_[".contains(first));
    }
    line.split_once('=').is_some_and(|(key, _)| is_key(key.trim()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        file.write_all(bytes).unwrap();
        file.finish().unwrap()
    }

    #[test]
    fn data_and_settings_are_known() {
        let wide = "x".repeat(10_000);
        for (bytes, expected) in [
            (&b"1,2\n3,4\n"[..], Contents::Text),
            (b"x;y\n1;2\n", Contents::Text),
            (b"x|y\n1|2\n", Contents::Text),
            (b"# made by hand\n1 2\n3 4\n", Contents::Text),
            (b"name,city\nA,Paris\nB,Rome\n", Contents::Text),
            (b"q,comment\nAgree,\"x\ny\"\nDisagree,ok\nAgree,z\n", Contents::Text),
            (b"city;person\nParis;Smith, J\nRome;Doe\n", Contents::Text),
            (b"\"a = b\",c\n1,2\n", Contents::Text),
            (b"5 = x\n6\n", Contents::Text),
            (b"", Contents::Text),
            (b"x,y\n", Contents::Text),
            (b"caf\xe9,y\n1,2\n", Contents::Text),
            (b"1,2\n3,4\n\x1a", Contents::Text),
            (wide.as_bytes(), Contents::Text),
            (b"[run]\npreset = 'circle'\n", Contents::Config),
            (b"\xef\xbb\xbf# A run\n\n[run]\n", Contents::Config),
            (b"run.seed = 3\n", Contents::Config),
            (b"preset 'circle'\nseed = 3x\n", Contents::Config),
            (b"[run\nseed = 3\n", Contents::Config),
            (b"\x93NUMPY\x01\0", Contents::Npy),
            (
                b"\x93NUMPY\x01\0\x3e\0{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3), } ",
                Contents::NpyImages,
            ),
            (b"sep=,\n1,2\n", Contents::Text),
            (b"sep=;\r\nx;y\r\n1;2\r\n", Contents::Text),
            (b"\0\0\x08\x03\0\0", Contents::Images),
            (b"\0\0\x0d\x03\0\0", Contents::Images),
            (b"\x40\0\0\0\0\0\0\0{\"a\":{}}", Contents::Weights),
        ] {
            assert_eq!(known(bytes), expected, "{}", bytes.escape_ascii());
            if expected != Contents::Config && expected != Contents::Weights && !bytes.is_empty() {
                assert_eq!(known(&gzip(bytes)), expected, "{}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn what_cannot_be_read_has_a_name_and_a_cure() {
        let zip = |name: &str| {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(26, 0);
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend([0, 0]);
            bytes.extend(name.as_bytes());
            bytes
        };
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar\0");
        for (bytes, told) in [
            (b"\x89PNG\r\n\x1a\n".to_vec(), "a PNG picture"),
            (b"%PDF-1.7".to_vec(), "a PDF"),
            (b"<!DOCTYPE html>\n<p>1,2".to_vec(), "an HTML page"),
            (b"  <HTML><head>".to_vec(), "an HTML page"),
            (b"<?xml version='1.0'?>".to_vec(), "an XML"),
            (b"{\"a\": [1, 2]}".to_vec(), "a JSON file"),
            (b"[[1, 2], [3, 4]]".to_vec(), "a JSON file"),
            (b"[{\"a\": 1}]".to_vec(), "a JSON file"),
            (zip("[Content_Types].xml"), "an Excel workbook"),
            (zip("archive/data.pkl"), "a file of PyTorch"),
            (zip("table.csv"), "a ZIP archive"),
            (tar, "a tar archive"),
            (vec![1, 2, 3, 0, 5, 6, 7, 0, 9], "no text"),
            (b"Dear reader,\nthis is a letter, and long,\nnot more\n".to_vec(), "a text without rows"),
            (b"\x1f\x8b\x08".to_vec(), "a gzip file that is damaged"),
            (gzip(b"%PDF-1.7"), "a PDF document, compressed by gzip"),
            (gzip(b"[run]\nseed = 1\n"), "compressed by gzip"),
        ] {
            let found = known(&bytes);
            assert!(!found.are_samples() && found != Contents::Config, "{}", bytes.escape_ascii());
            let error = found.instead(Path::new("f.csv"), "a file of samples").to_string();
            assert!(error.starts_with("f.csv: is ") && error.contains(told), "{told}: {error}");
            assert!(error.contains("; ") && !error.contains("FILE"), "{error}");
        }
    }

    #[test]
    fn text_is_a_table_where_its_delimiter_is_known() {
        let text = b"name~city\nSmith, J~Rome; Italy\nDoe~Oslo\n";
        let tilde = Some(Delimiter::Char('~'));
        for bytes in [text.to_vec(), gzip(text)] {
            assert_eq!(known(&bytes), Contents::Prose);
            assert_eq!(known(&bytes).separated(None), Contents::Prose);
            assert_eq!(known(&bytes).separated(tilde), Contents::Text);
        }
        assert_eq!(known(b"[run]\nseed = 1\n").separated(tilde), Contents::Config);
    }
}
