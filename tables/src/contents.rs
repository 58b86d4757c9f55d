//! What a file that is no text table looks like, and what to do with it.

/// The beginnings of files, what they are, and the cure.
const BEGINNINGS: [(&[u8], &str); 17] = [
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive; save the sheet as CSV, or unpack the archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (b"\x89PNG", "a PNG image; give a folder of images, or a table"),
    (b"\xff\xd8\xff", "a JPEG image; give a table"),
    (b"GIF8", "a GIF image; give a table"),
    (b"%PDF", "a PDF document; export its table as CSV"),
    (b"PAR1", "a Parquet file; convert it to CSV"),
    (b"ARROW1", "an Arrow file; convert it to CSV"),
    (b"\x89HDF", "an HDF5 file; export its table as CSV"),
    (b"SQLite format 3", "an SQLite database; export a table as CSV"),
    (b"\x93NUMPY", "a NumPy array; give it as it is, by a name that ends in .npy"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard; unpack it, or compress it by gzip"),
    (b"\xfd7zXZ", "compressed by xz; unpack it, or compress it by gzip"),
    (b"BZh", "compressed by bzip2; unpack it, or compress it by gzip"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"RDX", "R data; write the table by write.csv"),
    (b"SAS", "a SAS file; export its table as CSV"),
];

/// What a file with this beginning is instead of a table, with the cure; `None` where it may be a table.
pub(crate) fn looks_like(head: &[u8]) -> Option<&'static str> {
    let found = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning));
    // Those of letters alone may begin a name of a column.
    let found = found.filter(|(beginning, _)| !beginning.is_ascii() || head.contains(&0) || *beginning == b"%PDF");
    if let Some((_, what)) = found {
        return Some(what);
    }
    let text = head.trim_ascii_start();
    let begins =
        |beginning: &[u8]| text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning));
    if begins(b"<!doctype") || begins(b"<html") {
        return Some("a web page; the download went wrong, or needs the address of the file itself");
    }
    if begins(b"<?xml") {
        return Some("an XML document; convert it to CSV");
    }
    let is_relation = |line: &[u8]| line.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"@relation"));
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    if lines.find(|line| !line.is_empty() && !line.starts_with(b"%")).is_some_and(is_relation) {
        return Some("an ARFF file; remove all up to the line @data, or convert it to CSV");
    }
    let after = text.get(1..).unwrap_or_default().trim_ascii_start();
    if begins(b"{") && matches!(after.first(), Some(b'"')) || begins(b"[") && matches!(after.first(), Some(b'{' | b'['))
    {
        return Some("JSON; convert it to CSV");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_kinds_are_named() {
        for (head, part) in [
            (&b"PK\x03\x04\x14\0\x06\0"[..], "Excel workbook"),
            (b"\x89PNG\r\n\x1a\n", "PNG image"),
            (b"%PDF-1.7", "PDF"),
            (b"PAR1\x15\x04\x15\0", "Parquet"),
            (b"  <!DOCTYPE html>", "web page"),
            (b"<HTML><body>", "web page"),
            (b"% made by hand\n%\n\n@RELATION x\n", "ARFF"),
            (b"[{\"a\": 1}]", "JSON"),
            (b"{\n \"a\": 1}", "JSON"),
        ] {
            assert!(looks_like(head).is_some_and(|what| what.contains(part)), "{part}");
        }
        for head in [&b"SAS,RDX\n1,2"[..], b"PAR1,PAR2\n", b"[x],y\n1,2", b"{a},b", b"", b"GIF8,x\n"] {
            assert_eq!(looks_like(head), None, "{head:?}");
        }
    }
}
