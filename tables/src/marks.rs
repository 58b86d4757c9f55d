//! Texts that stand for missing values.

/// Texts that mean nothing else in a table, in the spellings that programs write; `\N` is that of MySQL and PostgreSQL.
/// Errors of Excel are those of its English, German, French and Spanish versions; `#NUM!` is the same in the last two.
const USUAL: [&str; 42] = [
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "NULL",
    "Null",
    "null",
    "NaN",
    "nan",
    "NAN",
    "<NA>",
    "NaT",
    "na",
    "#NULL!",
    "#VALUE!",
    "#DIV/0!",
    "(null)",
    "\\N",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#NV",
    "#WERT!",
    "#BEZUG!",
    "#ZAHL!",
    "#N/D",
    "#VALEUR!",
    "#NOM?",
    "#NOMBRE!",
    "#NUL!",
    "#VALOR!",
    "#NOMBRE?",
    "#¡VALOR!",
    "#¡REF!",
    "#¡NUM!",
    "#¡NULO!",
    "#¡DIV/0!",
    "#¿NOMBRE?",
    "#SPILL!",
    "#CALC!",
    "#ÜBERLAUF!",
];
/// Those that may be a value of a column of texts: a sign among other signs, or a word.
const DOUBTFUL: [&str; 9] = ["?", "-", "--", "---", ".", "..", "*", "None", "none"];
/// Marks have at most so many bytes.
const LONGEST: usize = 64;

/// The texts that stand for missing values in a table.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    texts: Vec<String>,
    /// How many of these, from the first on, are not doubtful.
    certain: usize,
    /// Whether the caller chose them: then they are never values.
    are_given: bool,
    /// The bytes that they begin with.
    firsts: [bool; 256],
}

impl Marks {
    /// The marks that a caller gave, or the usual ones.
    pub(crate) fn new(given: Option<&[String]>) -> Self {
        let (mut texts, are_given): (Vec<String>, bool) = match given {
            Some(given) => (given.iter().map(|mark| mark.trim().to_string()).collect(), true),
            None => (USUAL.iter().chain(&DOUBTFUL).map(ToString::to_string).collect(), false),
        };
        // An empty cell of a column of numbers is no number, whatever a caller says.
        if !texts.iter().any(String::is_empty) {
            texts.push(String::new());
        }
        texts.retain(|mark| mark.len() <= LONGEST);
        let mut firsts = [false; 256];
        texts.iter().filter_map(|mark| mark.bytes().next()).for_each(|first| firsts[usize::from(first)] = true);
        let certain = if are_given { texts.len() } else { USUAL.len() };
        Self { texts, certain, are_given, firsts }
    }

    /// Whether the caller chose them.
    pub(crate) fn are_given(&self) -> bool {
        self.are_given
    }

    /// The number of the mark that a cell is.
    pub(crate) fn find(&self, cell: &[u8]) -> Option<usize> {
        if let Some(first) = cell.first()
            && (!self.firsts[usize::from(*first)] || cell.len() > LONGEST)
        {
            return None;
        }
        self.texts.iter().position(|mark| mark.as_bytes() == cell)
    }

    /// The text of a mark.
    pub(crate) fn text(&self, mark: usize) -> &str {
        self.texts.get(mark).map_or("", String::as_str)
    }

    /// Whether a mark is a plausible value of a column with these texts: `None` among words, `-` beside `+`, `NA` among codes of two
    /// capitals.
    pub(crate) fn is_value(&self, mark: usize, texts: &[&str]) -> bool {
        if self.are_given || texts.is_empty() {
            return false;
        }
        let text = self.text(mark);
        let is_sign = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_punctuation());
        let is_code = |text: &str| text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase());
        match text {
            "NA" => texts.len() >= 5 && texts.iter().all(|text| is_code(text)),
            _ if mark < self.certain => false,
            _ if is_sign(text) => texts.iter().any(|text| is_sign(text)),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_values_where_they_are_plausible() {
        let marks = Marks::new(None);
        let is_value = |text: &str, texts: &[&str]| marks.is_value(marks.find(text.as_bytes()).unwrap(), texts);
        assert!(is_value("NA", &["DE", "FR", "GB", "US", "AF"]));
        assert!(!is_value("NA", &["Paris", "Rome"]));
        assert!(is_value("None", &["Brick", "Stone"]));
        assert!(is_value("-", &["+"]) && !is_value("-", &["a", "b"]));
        assert!(!is_value("", &["a"]) && !is_value("?", &["a"]));
        assert!(!is_value("\\N", &["A", "B"]));
        assert_eq!(marks.find(b"Nevada"), None);
        for error in ["#REF!", "#NV", "#WERT!", "#BEZUG!", "#VALEUR!", "#NOMBRE?", "#¡VALOR!"] {
            assert!(marks.find(error.as_bytes()).is_some() && !is_value(error, &["#FF0000", "#a"]), "{error}");
        }
    }

    #[test]
    fn given_marks_are_never_values() {
        let marks = Marks::new(Some(&["-9999".to_string(), "none".to_string()]));
        assert_eq!(marks.find(b"NA"), None);
        assert!(!marks.is_value(marks.find(b"none").unwrap(), &["a"]));
        assert!(marks.find(b"-9999").is_some() && marks.find(b"").is_some());
    }
}
