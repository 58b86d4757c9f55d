//! The options about how a data file is read: which array of an archive, and how a table.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use gannet_tables::{Delimiter, Encoding, Kind, Scaling};

use super::values::choice;
use crate::data::reading::{self, Reading, SCALINGS};

/// How a data file is read. What is not given about its table is found out from the table.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options for tables")]
pub(crate) struct TableArgs {
    /// The array of an archive of NumPy (.npz), a table or images; needed where it has several.
    #[arg(long, value_name = "NAME", conflicts_with = "resume", help_heading = "Options for data files")]
    array: Option<String>,
    /// Learn these columns alone; a name that has a comma stands in double quotes.
    #[arg(long, value_name = "NAME[,NAME...]", value_parser = List::parse, conflicts_with = "resume")]
    columns: Vec<List>,
    /// Leave these columns out.
    #[arg(long, value_name = "NAME[,NAME...]", value_parser = List::parse, conflicts_with = "resume")]
    drop: Vec<List>,
    /// What a column is: continuous, integer, boolean, categorical, date, constant, counter, identifier or free_text. May be given
    /// several times.
    #[arg(long, value_name = "NAME=KIND", value_parser = of_column, conflicts_with = "resume")]
    kind: Vec<(String, Kind)>,
    /// Texts that stand for missing values, instead of the usual ones (NA, ?, NULL, nan, an empty cell and others).
    #[arg(long, value_name = "TEXT[,TEXT...]", value_parser = List::parse, conflicts_with = "resume")]
    missing: Option<Vec<List>>,
    /// What stands between cells: comma, semicolon, tab, pipe, spaces, or a sign.
    #[arg(long, value_name = "SIGN", value_parser = reading::delimiter, conflicts_with = "resume")]
    delimiter: Option<Delimiter>,
    /// How the bytes of the file become text, such as utf-8, latin1, utf-16le.
    #[arg(long, value_name = "NAME", value_parser = reading::encoding, conflicts_with = "resume")]
    encoding: Option<Encoding>,
    /// Whether the first row has the names of the columns.
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no(), conflicts_with = "resume")]
    header: Option<bool>,
    /// The decimal mark: a point or a comma.
    #[arg(long, value_name = "MARK", value_parser = reading::decimal, conflicts_with = "resume")]
    decimal: Option<char>,
    /// Categories of a column at most; rarer ones become one more [default: 255].
    #[arg(long, value_name = "N", value_parser = categories, conflicts_with = "resume")]
    categories: Option<usize>,
    /// How numbers are scaled: by their quantiles, or by mean and standard deviation [default: quantile].
    #[arg(long, value_name = "SCALING", value_parser = choice(SCALINGS), conflicts_with = "resume")]
    numbers: Option<Scaling>,
    /// How far new numbers and dates, scaled by quantiles, may lie beyond those of the table, in percent of the range of a column; they thin out on the
    /// way, an end at which values pile up stays, and so does the sign of a column [default: 0].
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with = "resume")]
    beyond: Option<f64>,
}

impl TableArgs {
    /// What they decide.
    pub(crate) fn reading(&self) -> Reading {
        Reading {
            array: self.array.clone(),
            columns: (!self.columns.is_empty()).then(|| joined(&self.columns)),
            drop: joined(&self.drop),
            kinds: self.kind.iter().cloned().collect(),
            delimiter: self.delimiter,
            encoding: self.encoding.clone(),
            header: self.header,
            missing: self.missing.as_deref().map(joined),
            decimal: self.decimal,
            categories: self.categories,
            numbers: self.numbers.unwrap_or_default(),
            beyond: self.beyond.unwrap_or_default(),
        }
    }
}

/// Texts between commas.
#[derive(Clone, Debug, Default)]
struct List(Vec<String>);

impl List {
    /// Those of an option. As in a row of CSV, a text in double quotes may have commas, and a quote in it stands twice.
    fn parse(text: &str) -> Result<Self, String> {
        let (mut items, mut item, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if is_quoted && letters.next_if_eq(&'"').is_some() => item.push('"'),
                '"' if is_quoted || item.is_empty() => is_quoted = !is_quoted,
                ',' if !is_quoted => items.push(std::mem::take(&mut item)),
                letter => item.push(letter),
            }
        }
        items.push(item);
        if is_quoted { Err("has a double quote that is not closed".to_string()) } else { Ok(Self(items)) }
    }
}

/// The texts of an option that was given several times.
fn joined(lists: &[List]) -> Vec<String> {
    lists.iter().flat_map(|list| &list.0).cloned().collect()
}

/// A column and its kind.
fn of_column(text: &str) -> Result<(String, Kind), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("is NAME=KIND, such as zip=categorical")?;
    reading::kind(kind).map(|kind| (column.to_string(), kind))
}

/// A number of categories.
fn categories(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "is a whole number".to_string())?;
    reading::check_categories(number)
}

/// A share of a range.
fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "is a number".to_string())?;
    reading::check_beyond(number)
}

fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["yes", "no"]).map(|text| text == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_have_commas_in_quotes() {
        let parsed = |text: &str| List::parse(text).map(|list| list.0);
        for (text, items) in [
            ("a", &["a"][..]),
            ("a,b c,", &["a", "b c", ""]),
            ("", &[""]),
            ("\"d,e\",f", &["d,e", "f"]),
            ("a,\"say \"\"yes, no\"\"\"", &["a", "say \"yes, no\""]),
            ("5\",\"\"", &["5\"", ""]),
        ] {
            assert_eq!(parsed(text).unwrap(), items, "{text}");
        }
        assert!(parsed("a,\"b").unwrap_err().contains("not closed"));
    }
}
