//! Tables as people have them: reading, kinds of columns, and the same form back.
//!
//! [`read`] takes a text table as it is and finds out the rest: its encoding and dialect, whether it has a header, the [`Kind`] of each
//! column with the reason, how numbers and dates are written, and what stands for missing values. Whatever it finds out can be overruled
//! by [`ReadOptions`], and what it assumed is in the [`Note`]s. The [`Table`] has typed columns, and a [`Form`] that a [`Writer`] needs to
//! write rows that nobody can tell from the file's by their form. A form is stored by serde, so that rows can be written without the file.
//!
//! ```
//! use gannet_tables::{Input, Kind, ReadOptions, Value, Writer, read};
//!
//! let text = "id;born;height;city\n1;05.03.1990;1,75;Paris\n2;31.12.1985;1,62;Rome\n3;17.07.2001;;Paris\n";
//! let table = read(&Input::bytes("people.csv", text), &ReadOptions::default().with_kind("id", Kind::Counter))?;
//! let kinds: Vec<Kind> = table.form().columns.iter().map(|column| column.kind).collect();
//! assert_eq!(kinds, [Kind::Counter, Kind::Date, Kind::Continuous, Kind::Categorical]);
//!
//! let mut writer = Writer::new(Vec::new(), table.form())?;
//! let mut row = [Value::Missing; 4];
//! for index in 0..table.rows() {
//!     table.row(index, &mut row);
//!     writer.write_row(&row)?;
//! }
//! assert_eq!(writer.finish()?, text.as_bytes());
//! # Ok::<(), gannet::Error>(())
//! ```
//!
//! # Limits
//!
//! A row has at most 1 MiB and 16,384 cells. A column has at most [`DEFAULT_CATEGORIES`] categories, or as many as the caller says up to
//! [`MAX_CATEGORIES`]; rarer texts become the rest. While a table is looked at, 262,144 distinct texts at most are counted, shared out to its
//! columns, at most 8,192 to each; the rarest are forgotten. So a table of more than 1,000 columns has fewer categories. A compressed file
//! expands to 4 GiB at most. All memory is checked against [`ReadOptions::memory_limit`] before it is taken.
//!
//! # How kinds are told
//!
//! All rows count, and the first rule that fits decides. Each column has the reason in words.
//!
//! | kind | a column of |
//! |---|---|
//! | constant | one value, or of numbers that differ by rounding only |
//! | counter | whole numbers that count up from 0 or 1, in 10 rows or more; from any number in 20 rows or more, or where the first column has no name |
//! | identifier | each whole number of a range once, in 20 rows or more; years (1800 to 2200) are values, in this row as in the one above |
//! | boolean | true and false, yes and no, t and f, y and n, on and off, 0 and 1, in any case |
//! | categorical | at most 12 distinct values, each in 5 rows or more on average |
//! | date | days, times, or both, months of a year, days without one, and durations, all written alike; whole numbers such as 20240531 |
//! | integer, continuous | numbers alone |
//! | free text | texts of more than 6 words, or 80 bytes, on average, most of them different |
//! | identifier | texts of which more than 80 % are different, and whole numbers beyond 2^63 of more than 15 digits that count |
//! | categorical | all other texts |
//!
//! Where up to 10 % of the values of a column of numbers or dates are others, the first of them is an error: it is more likely a mistake
//! than a category. Codes such as `136A` among whole numbers are texts.
//!
//! A mark of missing values, such as `NA`, `?` or an empty cell, is a value where it is plausible: `None` among words, `-` beside `+`, `NA`
//! among codes of two capitals. Rows of empty cells alone are left out, and so are lines above the names of columns.
//!
//! # Layers
//!
//! Each uses only what stands below it.
//!
//! ```text
//! codec  quality                      rows as samples of a network, and back; how good generated tables are
//! given                               rows of a file that has some of a table's columns
//! read  writer  numbers               tables from files and arrays, and rows back into files
//! load  survey                        the second pass, for values; the first, which decides
//! conclude                            what a table has, from all its rows
//! header  decide  identity  select    names, kinds of columns, columns of another file
//! unread                              texts that may have been meant for dates or numbers
//! categories  complaint  pass  cure   texts of a column; messages; all rows, tallied
//! lines_above                         which of the first lines are above the table
//! tally  sniff                        a column as its cells come; the dialect from the first lines
//! number_tally  date_tally  distinct  numbers, dates and texts of a column
//! exponent_tally  span                exponents of numbers; the least and the greatest of counts
//! row_numbers                         whether whole numbers number rows
//! lead                                the first rows
//! records  record  frame              rows of cells, without what is drawn around them
//! table  form  note  options  kind    what is found, and what is asked for
//! number  date  scan  calendar        cells to values and back
//! elements                            numbers of an array
//! input  encoding  dialect            bytes and text
//! ```
#![forbid(unsafe_code)]

mod affix;
mod as_numbers;
mod calendar;
mod categories;
mod codec;
mod complaint;
mod conclude;
mod contents;
mod cure;
mod date;
mod date_format;
mod date_parts;
mod date_tally;
mod date_text;
mod decide;
mod dialect;
mod distinct;
mod elements;
mod encoding;
mod exponent_tally;
mod form;
mod frame;
mod given;
mod header;
mod identity;
mod input;
mod kind;
mod lead;
mod lines_above;
mod load;
mod marks;
mod note;
mod number;
mod number_format;
mod number_tally;
mod number_text;
mod numbers;
mod options;
mod pass;
pub mod quality;
mod read;
mod record;
mod records;
mod row_numbers;
mod scan;
mod select;
mod sniff;
mod span;
mod survey;
mod table;
mod tally;
mod text;
mod unread;
mod writer;

pub use as_numbers::AsNumbers;
#[cfg(feature = "onnx")]
pub use codec::OnnxColumn;
pub use codec::{Calibration, Codec, EncodedTable, Facet, Finder, Found, Pool, Scaling, Wanted, probit};
pub use cure::SettingNames;
pub use date_format::{DateFormat, DateUnit, DayFormat, DayOrder, HalfFormat, LetterCase, MonthStyle, TimeFormat};
pub use dialect::{Delimiter, Dialect, Header, LineEnd, Trailing};
pub use elements::Elements;
pub use encoding::Encoding;
pub use form::{Category, ColumnForm, Domain, Form, Mark};
pub use given::{GivenCell, GivenRow, GivenRows};
pub use input::Input;
pub use kind::Kind;
pub use note::Note;
pub use number_format::{ExponentFormat, Mantissa, NumberFormat};
pub use options::{Comments, DEFAULT_CATEGORIES, MAX_CATEGORIES, ReadOptions};
pub use read::{read, read_as};
pub use table::{Column, Indices, Mask, Table, Value, Values};
pub use writer::Writer;
