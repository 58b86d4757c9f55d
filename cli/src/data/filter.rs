//! Conditions on the rows of a table, as `--where` has them: `city=Paris`, `age>=40`, `born<1990-01-01`, `income=` for a missing value.

use gannet::{Error, Result};
use gannet_settings::nearest::suggestion;
use gannet_tables::{Codec, ColumnForm, Domain, Value};

/// Conditions that a row has to meet, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter(Vec<Condition>);

/// A condition on a column.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    column: usize,
    operator: Operator,
    operand: Operand,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Signs of operators; those that begin like another come first.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// What a value is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operand {
    Missing,
    Category(u32),
    Number {
        wanted: f64,
        /// How many units of the last decimal that is written make one; none where decimals do not tell.
        unit: Option<f64>,
    },
    Whole(i64),
}

/// Decimals up to which a number is brought to those that are written.
const MOST_DECIMALS: u16 = 15;

impl Filter {
    /// The conditions in `texts`, on the columns of a table.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that says what is wrong with one of them, and what there is.
    pub(crate) fn new(codec: Option<&Codec>, texts: &[String]) -> Result<Self> {
        let Some(first) = texts.first() else { return Ok(Self::default()) };
        let Some(codec) = codec else {
            return Err(Error::setting("where", format!("`{first}` is for a run on a table; leave --where out")));
        };
        texts.iter().map(|text| condition(codec, text)).collect::<Result<_>>().map(Self)
    }

    /// Whether there is no condition.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row meets them.
    pub(crate) fn accepts(&self, row: &[Value]) -> bool {
        self.0.iter().all(|condition| row.get(condition.column).is_some_and(|value| condition.accepts(*value)))
    }

    /// From where to where the numbers and dates go that there are conditions on, for a message; empty where there are none.
    pub(crate) fn ranges(&self, codec: &Codec) -> String {
        let columns = codec.form().columns.iter().enumerate();
        let named = columns.filter(|(place, _)| self.0.iter().any(|condition| condition.column == *place));
        let ranges = named.filter_map(|(_, column)| column.range().map(|range| (&column.name, range)));
        ranges
            .map(|(name, [least, greatest])| format!("; `{name}` goes from {least} to {greatest} in the data"))
            .collect()
    }

    /// Takes out the conditions on the column that samples are made under, which their class meets once and for all: for each of the
    /// classes whether it does. `None` where there is no such condition.
    pub(crate) fn take_classes(&mut self, codec: &Codec) -> Option<Vec<bool>> {
        let column = codec.form().position(codec.condition()?)?;
        let (of_class, others): (Vec<_>, Vec<_>) = self.0.drain(..).partition(|condition| condition.column == column);
        self.0 = others;
        let meets = |class| {
            let value = codec.class_value(class);
            of_class.iter().all(|condition| condition.accepts(value))
        };
        (!of_class.is_empty()).then(|| (0..codec.classes().len()).map(meets).collect())
    }
}

/// The condition in a text.
fn condition(codec: &Codec, text: &str) -> Result<Condition> {
    let wrong = |problem: String| Err(Error::setting("where", problem));
    let columns = &codec.form().columns;
    // Names may hold signs of operators: the longest that fits is meant.
    let begins = |text: &str, column: &&ColumnForm| {
        let behind = text.strip_prefix(column.name.as_str()).map(str::trim_start);
        behind.is_some_and(|behind| OPERATORS.iter().any(|(sign, _)| behind.starts_with(sign)))
    };
    let named =
        |text: &str| columns.iter().filter(|column| begins(text, column)).max_by_key(|column| column.name.len());
    // A name may begin with a space, too.
    let spaced = text.trim_start();
    let Some((text, column)) = named(text).map(|column| (text, column)).or_else(|| Some((spaced, named(spaced)?)))
    else {
        let Some(end) = text.find(['=', '<', '>', '!']) else {
            return wrong(format!(
                "`{text}` is no condition; write NAME=VALUE, NAME!=VALUE, or a name, < > <= or >= and a number or date"
            ));
        };
        let name = text[..end].trim();
        let names = columns.iter().map(|column| column.name.as_str());
        let known: Vec<&str> = names.clone().take(12).collect();
        return wrong(format!(
            "there is no column `{name}`{} (columns: {})",
            suggestion(name, names),
            known.join(", ")
        ));
    };
    let behind = text[column.name.len()..].trim_start();
    let (operator, value) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, behind.strip_prefix(sign)?.trim())))
        .unwrap_or((Operator::Equal, ""));
    let place = columns.iter().position(|other| std::ptr::eq(other, column)).unwrap_or(0);
    let operand = operand(column, operator, value).map_err(|problem| {
        // Such as `age==40` or `age=>40`.
        let signs = if value.starts_with(['=', '<', '>', '!']) { "; the signs are = != < <= > >=" } else { "" };
        format!("{problem}{signs}")
    });
    operand.map(|operand| Condition { column: place, operator, operand }).or_else(wrong)
}

/// What the text of a value is in a column.
fn operand(column: &ColumnForm, operator: Operator, value: &str) -> std::result::Result<Operand, String> {
    let name = &column.name;
    let compares = !matches!(operator, Operator::Equal | Operator::Unequal);
    let is_mark = value.is_empty() || column.missing.as_ref().is_some_and(|mark| mark.text == value);
    match &column.domain {
        Domain::Categories { categories, rest } => {
            if compares {
                return Err(format!("`{name}` has categories, which have no order; use = or !="));
            }
            let known = || categories.iter().chain(rest);
            match known().position(|category| category.text == value).and_then(|place| u32::try_from(place).ok()) {
                Some(place) => Ok(Operand::Category(place)),
                None if is_mark => missing(column, operator),
                None => {
                    let some: Vec<&str> = known().take(12).map(|category| category.text.as_str()).collect();
                    let near = suggestion(value, known().map(|category| category.text.as_str()));
                    Err(format!("`{name}` has no category `{value}`{near} (categories: {})", some.join(", ")))
                }
            }
        }
        Domain::Numbers { .. } | Domain::Integers { .. } | Domain::Dates { .. } if is_mark => {
            if compares {
                Err(format!("`{name}`: a value is needed behind the sign"))
            } else {
                missing(column, operator)
            }
        }
        Domain::Numbers { format, .. } | Domain::Integers { format, .. } => {
            let number =
                format.read(value.as_bytes()).or_else(|| value.parse().ok()).filter(|number| number.is_finite());
            let is_written = format.exponent.is_none() && format.max_decimals <= MOST_DECIMALS;
            let unit = is_written.then(|| 10f64.powi(i32::from(format.max_decimals)));
            number
                .map(|wanted| Operand::Number { wanted, unit })
                .ok_or_else(|| format!("`{name}` has numbers{}, and `{value}` is none", between(column)))
        }
        Domain::Dates { format, .. } => format.read(value.as_bytes()).map(Operand::Whole).ok_or_else(|| {
            let range = between(column);
            format!("`{name}` has dates{range}, and `{value}` is none that is written as they are")
        }),
        _ => Err(format!("`{name}` is {}, and is not learned", column.kind.name().replace('_', " "))),
    }
}

/// A missing value, which no row has in a column whose data have none.
fn missing(column: &ColumnForm, operator: Operator) -> std::result::Result<Operand, String> {
    match column.missing {
        None if operator == Operator::Equal => {
            Err(format!("`{}` has no missing values in the run's data, and so none in rows that are made", column.name))
        }
        _ => Ok(Operand::Missing),
    }
}

/// From where to where the numbers or dates of a column go.
fn between(column: &ColumnForm) -> String {
    column.range().map_or_else(String::new, |[least, greatest]| format!(" from {least} to {greatest}"))
}

impl Condition {
    fn accepts(&self, value: Value) -> bool {
        use std::cmp::Ordering;
        let equal = |equal: bool| (self.operator == Operator::Equal) == equal;
        let order = match (self.operand, value) {
            (Operand::Missing, value) => return equal(value == Value::Missing),
            // Nothing is said of a value that is not there.
            (_, Value::Missing) => return false,
            (Operand::Category(wanted), Value::Category(found)) => return equal(wanted == found),
            // What is compared is what will be written.
            (Operand::Number { wanted, unit }, Value::Number(found)) => {
                unit.map_or(found, |unit| (found * unit).round() / unit).partial_cmp(&wanted)
            }
            (Operand::Number { wanted, .. }, Value::Integer(found)) => (found as f64).partial_cmp(&wanted),
            (Operand::Whole(wanted), Value::Date(found)) => Some(found.cmp(&wanted)),
            _ => None,
        };
        order.is_some_and(|order| match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::Unequal => order != Ordering::Equal,
            Operator::Less => order == Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
            Operator::Greater => order == Ordering::Greater,
            Operator::AtLeast => order != Ordering::Less,
        })
    }
}

#[cfg(test)]
mod tests {
    use gannet_tables::{Input, ReadOptions, Scaling, read};

    use super::*;

    fn codec() -> Codec {
        codec_under(None)
    }

    fn codec_under(condition: Option<&str>) -> Codec {
        let rows: String = (0..60)
            .map(|row| {
                let age = if row % 6 == 0 { "NA".to_string() } else { (20 + row * row % 53).to_string() };
                format!(
                    "{},{age},2020-01-{:02},{}.5,7\n",
                    ["Paris", "Rome", "Oslo"][row % 3],
                    1 + row % 28,
                    row * 7 % 41
                )
            })
            .collect();
        let text = format!("city,age,day,a=b,c\n{rows}");
        Codec::fit(&read(&Input::bytes("t.csv", text), &ReadOptions::default()).unwrap(), condition, Scaling::Quantile)
            .unwrap()
    }

    fn filter(texts: &[&str]) -> Result<Filter> {
        Filter::new(Some(&codec()), &texts.iter().map(|text| text.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn rows_are_accepted_by_all_conditions() {
        let day = |day: i64| Value::Date(18_262 + day - 1);
        let row = |city, age, on, x| [Value::Category(city), age, day(on), Value::Number(x), Value::Generated];
        let paris = |age| row(u32::from(false), age, 5, 3.5);
        let forty = Value::Integer(40);
        for (texts, row, accepted) in [
            (vec!["age>=40"], paris(forty), true),
            (vec![" age > 40 "], paris(forty), false),
            (vec!["city!="], paris(forty), true),
            (vec!["age=40", "day<2020-01-06"], paris(forty), true),
            (vec!["age!=40"], paris(forty), false),
            (vec!["age=NA"], paris(Value::Missing), true),
            (vec!["age="], paris(forty), false),
            (vec!["age!="], paris(forty), true),
            (vec!["age<=39.5"], paris(Value::Missing), false),
            (vec!["a=b=3.5"], paris(forty), true),
            (vec!["day=2020-01-05"], paris(forty), true),
            // As it will be written.
            (vec!["a=b=3.5"], row(0, forty, 5, 3.5004), true),
            (vec!["a=b>3.5"], row(0, forty, 5, 3.5004), false),
            (vec!["a=b>3.5"], row(0, forty, 5, 3.56), true),
        ] {
            assert_eq!(filter(&texts).unwrap().accepts(&row), accepted, "{texts:?}");
        }
        let of_city = filter(&["city=Rome"]).unwrap();
        let accepted = (0..3).filter(|city| of_city.accepts(&row(*city, forty, 1, 1.0))).count();
        assert_eq!(accepted, 1);
    }

    #[test]
    fn conditions_on_classes_are_taken_out() {
        let codec = codec_under(Some("city"));
        let taken = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
            let mut filter = Filter::new(Some(&codec), &texts).unwrap();
            let classes = filter.take_classes(&codec);
            let names = classes.map(|classes| {
                let all = codec.classes().into_iter().zip(classes);
                all.filter(|(_, is_met)| *is_met).map(|((name, _), _)| name).collect::<Vec<_>>().join(" ")
            });
            (names, filter.0.len())
        };
        let names = |text: &str| Some(text.to_string());
        assert_eq!(taken(&["city=Rome", "age>30"]), (names("Rome"), 1));
        assert_eq!(taken(&["city!=Rome", "city!=Oslo"]), (names("Paris"), 0));
        assert_eq!(taken(&["city=Rome", "city=Oslo"]), (names(""), 0));
        assert_eq!(taken(&["age>30"]), (None, 1));
        // Missing values are a class, too.
        let table =
            read(&Input::bytes("t.csv", "k,x\n".to_string() + &"a,1\nNA,2\nb,4\n".repeat(8)), &ReadOptions::default());
        let codec = Codec::fit(&table.unwrap(), Some("k"), Scaling::Quantile).unwrap();
        for (text, expected) in
            [("k=", [false, false, true]), ("k!=", [true, true, false]), ("k!=a", [false, true, false])]
        {
            let mut filter = Filter::new(Some(&codec), &[text.to_string()]).unwrap();
            assert_eq!(filter.take_classes(&codec).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (text, part) in [
            ("citi=Paris", "did you mean `city`?"),
            ("city=Pari", "did you mean `Paris`?"),
            ("city>Paris", "no order"),
            ("age>x", "numbers from 20 to 72, and `x` is none"),
            ("age>", "a value is needed"),
            ("age==40", "`=40` is none; the signs are = != < <= > >="),
            ("age=>40", "; the signs are"),
            ("day<5", "`day` has dates from 2020-01-01 to 2020-01-28, and `5` is none that is written as they are"),
            ("day<05.01.2020", "none that is written as they are"),
            ("city=", "`city` has no missing values"),
            ("a=b=", "`a=b` has no missing values"),
            ("town > 3", "no column `town` (columns: city, age, day, a=b, c)"),
            ("c=7", "not learned"),
            ("age", "is no condition"),
        ] {
            let problem = filter(&[text]).unwrap_err().to_string();
            assert!(problem.contains(part), "{text}: {problem}");
        }
        assert!(Filter::new(None, &["x=1".to_string()]).is_err() && Filter::new(None, &[]).unwrap().is_empty());
    }
}
