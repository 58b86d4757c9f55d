//! What the header of an array of NumPy says: the type of the elements, their order, and the shape.

use crate::data::idx::MAX_BYTES;
use crate::data::table::MAX_COLUMNS;

/// The type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) kind: Kind,
    /// Bytes of an element.
    pub(super) size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Float,
    Signed,
    Unsigned,
}

impl Element {
    /// The type that NumPy writes as `descr`, for instance `<f4`.
    fn parse(descr: &str) -> Option<Self> {
        let mut characters = descr.chars();
        let (order, kind) = (characters.next()?, characters.next()?);
        // One digit: a sign or zeros before it are not NumPy's.
        let size = characters.next()?.to_digit(10).filter(|_| characters.as_str().is_empty())? as usize;
        let big_endian = match order {
            '<' => false,
            '>' => true,
            // That of the machine, which NumPy names otherwise.
            '=' => cfg!(target_endian = "big"),
            // One byte has no order.
            '|' if size == 1 => false,
            _ => return None,
        };
        let kind = match (kind, size) {
            ('b', 1) => Kind::Bool,
            ('f', 2 | 4 | 8) => Kind::Float,
            ('i', 1 | 2 | 4 | 8) => Kind::Signed,
            ('u', 1 | 2 | 4 | 8) => Kind::Unsigned,
            _ => return None,
        };
        Some(Self { kind, size, big_endian })
    }

    /// Whether these are whole numbers that 64 bits of a float may not tell apart.
    pub(super) fn is_wide_integer(self) -> bool {
        matches!(self.kind, Kind::Signed | Kind::Unsigned) && self.size == 8
    }

    /// Bits of a float that holds each of them, but for wide integers: those of its own, or 64.
    pub(super) fn float_bits(self) -> u32 {
        if self.kind == Kind::Float { 8 * self.size as u32 } else { 64 }
    }

    /// The bits of an element's bytes.
    pub(super) fn bits(self, bytes: &[u8]) -> u64 {
        let mut bits = 0u64;
        for index in 0..self.size {
            let byte = bytes[if self.big_endian { index } else { self.size - 1 - index }];
            bits = bits << 8 | u64::from(byte);
        }
        bits
    }

    /// The value of an element's bits.
    pub(super) fn value(self, bits: u64) -> f64 {
        match (self.kind, self.size) {
            (Kind::Bool, _) => f64::from(u8::from(bits != 0)),
            (Kind::Float, 2) => half(bits as u16),
            (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Float, _) => f64::from_bits(bits),
            (Kind::Unsigned, _) => bits as f64,
            (Kind::Signed, size) => {
                // The sign is carried from the highest bit of the element.
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
        }
    }
}

/// Saves a frame of pandas as a table.
const TO_CSV: &str = "to_csv(\"data.csv\", index=False)";

/// Why elements of the type `descr` are refused, and what helps. NumPy writes numbers of other packages, such as bfloat16, as the type `V`.
fn refusal(descr: &str) -> String {
    let kind = descr.trim_start_matches(['<', '>', '=', '|']).chars().next();
    let cannot = |what: &str| format!("elements of type {descr:?} cannot be read from an NPY file: they are {what}");
    // The prefix makes names of pandas's numbers of columns, which look like a row above texts.
    let as_csv = |what: &str, array: &str| {
        format!("{}; save them as CSV: pandas.DataFrame({array}).add_prefix(\"x\").{TO_CSV}", cannot(what))
    };
    let as_npy =
        |what: &str, array: &str| format!("{}; save them as numbers: numpy.save(\"data.npy\", {array})", cannot(what));
    match kind {
        Some('U') => as_csv("texts", "array"),
        // pandas would write `b'text'`.
        Some('S') => as_csv("texts", "numpy.char.decode(array)"),
        Some('O') => as_csv("Python objects", "array"),
        Some('M') => as_csv("dates", "array"),
        // Of a gap, the quotient is NaN.
        Some('m') => as_npy("spans of time", "array / numpy.timedelta64(1, \"s\")"),
        Some('c') => as_npy("complex", "numpy.column_stack([array.real, array.imag])"),
        _ => format!(
            "elements of type {descr:?} cannot be read; bool, f2, f4, f8 and integers can: numpy.save(\"data.npy\", array.astype(\"f4\"))"
        ),
    }
}

/// What is wrong with a header.
#[derive(Debug)]
pub(super) enum Problem {
    /// It is not as NumPy writes it.
    Form(String),
    /// Its elements cannot be read; the text says what helps.
    Elements(String),
}

impl<T: Into<String>> From<T> for Problem {
    fn from(problem: T) -> Self {
        Self::Form(problem.into())
    }
}

/// A number of 16 bits (IEEE 754, binary16): a sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) element: Element,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
}

impl Header {
    /// Reads the dictionary.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let (mut element, mut fortran_order, mut shape) = (None, None, None);
        let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let mut rest = inner.ok_or("it is no dictionary")?.trim();
        while !rest.is_empty() {
            let (key, after) = string(rest).ok_or("a key is no string")?;
            let value = after.trim_start().strip_prefix(':').ok_or("a key has no value")?.trim_start();
            let given =
                [("descr", element.is_some()), ("fortran_order", fortran_order.is_some()), ("shape", shape.is_some())];
            if given.contains(&(key, true)) {
                return Err(format!("the key {key:?} stands there twice").into());
            }
            let after = match key {
                "descr" => {
                    if value.starts_with('[') {
                        let problem = "arrays of records cannot be read; save their fields as CSV";
                        return Err(Problem::Elements(format!("{problem}: pandas.DataFrame(array).{TO_CSV}")));
                    }
                    let (descr, after) = string(value).ok_or("`descr` is neither a string nor a list")?;
                    element = Some(Element::parse(descr).ok_or_else(|| Problem::Elements(refusal(descr)))?);
                    after
                }
                "fortran_order" => {
                    let word = |word: &str| value.strip_prefix(word);
                    let (order, after) = word("True")
                        .map(|after| (true, after))
                        .or_else(|| word("False").map(|after| (false, after)))
                        .ok_or("`fortran_order` is neither True nor False")?;
                    fortran_order = Some(order);
                    after
                }
                "shape" => {
                    let (lengths, after) = tuple(value).ok_or("`shape` is no tuple of numbers of 64 bits")?;
                    shape = Some(lengths);
                    after
                }
                other => return Err(format!("unknown key {other:?}").into()),
            };
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if after.is_empty() => after,
                None => return Err("a value is not followed by a comma".into()),
            };
        }
        match (element, fortran_order, shape) {
            (Some(element), Some(fortran_order), Some(shape)) => Ok(Self { element, fortran_order, shape }),
            _ => Err("it needs the keys `descr`, `fortran_order` and `shape`".into()),
        }
    }

    /// Where the element of this number in the file stands in the array.
    pub(super) fn place(&self, number: usize) -> String {
        if let [_] = self.shape[..] {
            return number.to_string();
        }
        let (mut place, mut rest) = (self.shape.clone(), number as u64);
        let mut next = |length: &mut u64| {
            let of_dimension = (*length).max(1);
            *length = rest % of_dimension;
            rest /= of_dimension;
        };
        if self.fortran_order {
            place.iter_mut().for_each(&mut next);
        } else {
            place.iter_mut().rev().for_each(&mut next);
        }
        format!("{place:?}")
    }

    /// Whether its array is one of images by its dimensions: three, or four. [`images`](Self::images) refuses several channels.
    pub(super) fn are_images(&self) -> bool {
        matches!(self.shape.len(), 3 | 4)
    }

    /// How many images there are, their height and their width.
    pub(super) fn images(&self) -> Result<[usize; 3], String> {
        let shape = match self.shape[..] {
            [count, height, width] | [count, height, width, 1] | [count, 1, height, width] => [count, height, width],
            _ => {
                return Err(format!(
                    "the shape {:?} is not that of gray images, which is (images, height, width); make colors gray: array.mean(axis=-1)",
                    self.shape
                ));
            }
        };
        if shape.contains(&0) {
            return Err(format!("holds no pixels: its shape is {:?}; give one with images", self.shape));
        }
        let size = shape.iter().try_fold(1u64, |size, &length| size.checked_mul(length));
        match size.filter(|&size| size <= MAX_BYTES) {
            // Each is at most the product of all, which every `usize` of 32 bits can hold.
            Some(_) => Ok(shape.map(|length| length as usize)),
            None => Err(format!("images of the shape {shape:?} have more than {MAX_BYTES} pixels; give fewer")),
        }
    }

    /// Rows and columns.
    pub(super) fn table(&self) -> Result<(usize, usize), String> {
        let (rows, columns) = match self.shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => {
                let dimensions = self.shape.len();
                return Err(format!(
                    "{dimensions} dimensions; an array of one or two (a row a sample) can be read: array.reshape(len(array), -1)"
                ));
            }
        };
        if rows == 0 || columns == 0 {
            return Err(format!("holds no numbers: its shape is {:?}; give one with rows and columns", self.shape));
        }
        if columns > MAX_COLUMNS as u64 {
            return Err(format!(
                "{columns} columns; at most {MAX_COLUMNS}: give a row for each sample (is it array.T?)"
            ));
        }
        let rows =
            usize::try_from(rows).map_err(|_| format!("{rows} rows are more than memory can hold; give fewer"))?;
        Ok((rows, columns as usize))
    }
}

/// The Python tuple of numbers that `text` begins with, and what follows it. One number has a comma behind it.
fn tuple(text: &str) -> Option<(Vec<u64>, &str)> {
    let (inner, after) = text.strip_prefix('(')?.split_once(')')?;
    let inner = inner.trim();
    let numbers = match inner.strip_suffix(',') {
        Some(numbers) => numbers,
        None if inner.is_empty() => return Some((Vec::new(), after)),
        None => inner.contains(',').then_some(inner)?,
    };
    let number = |text: &str| {
        let text = text.trim();
        // Python 2 wrote long numbers so.
        let text = text.strip_suffix('L').unwrap_or(text);
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if is_number { text.parse().ok() } else { None }
    };
    Some((numbers.split(',').map(number).collect::<Option<_>>()?, after))
}

/// The Python string that `text` begins with, and what follows it. Headers need no escapes; Python 2 may put a `u` before it.
fn string(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('u').unwrap_or(text);
    let quote = text.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    text[1..].split_once(quote)
}
