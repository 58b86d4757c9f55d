//! The dialect of a text table: all that its bytes have around the values.

use serde::{Deserialize, Serialize};

use crate::encoding::Encoding;

/// What stands between the cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delimiter {
    /// One ASCII character.
    Char(char),
    /// Spaces and tabs, as many as there are; rows are written with so many spaces.
    Spaces(u8),
}

impl Delimiter {
    /// Its name in messages.
    pub fn name(self) -> String {
        match self {
            Self::Char(',') => "comma".to_string(),
            Self::Char(';') => "semicolon".to_string(),
            Self::Char('\t') => "tab".to_string(),
            Self::Char('|') => "pipe".to_string(),
            Self::Char(other) => format!("`{other}`"),
            Self::Spaces(_) => "spaces".to_string(),
        }
    }
}

/// Whether cells can be told apart by this character.
pub(crate) fn is_delimiter(character: char) -> bool {
    character == '\t'
        || (character.is_ascii_graphic() && !character.is_ascii_alphanumeric() && !"\"'".contains(character))
}

/// How lines end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineEnd {
    /// A line feed.
    #[default]
    LineFeed,
    /// Carriage return and line feed.
    Both,
    /// A carriage return, as old Macs wrote.
    Return,
}

impl LineEnd {
    /// Its bytes.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::LineFeed => "\n",
            Self::Both => "\r\n",
            Self::Return => "\r",
        }
    }
}

/// Where rows end with a delimiter behind their last cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trailing {
    /// Nowhere.
    #[default]
    None,
    /// In all rows but the header.
    Rows,
    /// In all rows and the header.
    All,
}

/// All that the bytes of a table have around its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dialect {
    /// How text becomes bytes.
    pub encoding: Encoding,
    /// Whether the file begins with a byte order mark.
    pub has_byte_order_mark: bool,
    /// How lines end.
    pub line_end: LineEnd,
    /// Whether the last line has an end, too.
    pub has_final_line_end: bool,
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// Whether a space follows each delimiter.
    pub has_space: bool,
    /// What stands around cells that hold a delimiter: `"` or `'`.
    pub quote: char,
    /// What lines that are no rows begin with.
    pub comment: Option<char>,
    /// Whether the first line names the delimiter, as `sep=;`.
    pub has_delimiter_line: bool,
    /// The line of names; none where the file has none.
    pub header: Option<Header>,
    /// The second line, where it has the unit of each column.
    pub units: Option<Vec<String>>,
    /// Whether rows end with a delimiter.
    pub trailing: Trailing,
}

/// The line of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// Whether its names stand in quotes.
    pub is_quoted: bool,
    /// What it begins with where it is a comment: `# `.
    pub prefix: String,
    /// Whether it lacks the first column, the names of rows, as tables of R do.
    pub is_short: bool,
}

impl Dialect {
    /// Commas, line feeds, double quotes, UTF-8, a header.
    pub fn new() -> Self {
        Self {
            encoding: Encoding::Utf8,
            has_byte_order_mark: false,
            line_end: LineEnd::LineFeed,
            has_final_line_end: true,
            delimiter: Delimiter::Char(','),
            has_space: false,
            quote: '"',
            comment: None,
            has_delimiter_line: false,
            header: Some(Header::default()),
            units: None,
            trailing: Trailing::None,
        }
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::new()
    }
}
