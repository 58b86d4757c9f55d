//! What a message says to do, and how it names the settings of a caller.

use crate::kind::Kind;

/// How messages name what a caller may decide. A program has names of its own for its users, and some of them can change nothing but the
/// file.
///
/// ```
/// use gannet_tables::{Input, ReadOptions, SettingNames, read};
///
/// let options = ReadOptions::default().with_encoding(gannet_tables::Encoding::Utf8).with_setting_names(SettingNames::Options);
/// let error = read(&Input::bytes("t.csv", &b"name\nK\xf6ln\n"[..]), &options).unwrap_err();
/// assert_eq!(error.to_string(), "t.csv: is not UTF-8 throughout; name its encoding by --encoding, or save it as UTF-8");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingNames {
    /// By the functions of [`ReadOptions`](crate::ReadOptions), such as `with_encoding`.
    #[default]
    Functions,
    /// By the options of the program `gannet`, such as `--encoding`.
    Options,
    /// Not at all: whoever reads the message can change the file alone.
    None,
}

/// A setting that helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Delimiter,
    Encoding,
    /// Whether there is one.
    Header(bool),
    Missing,
    Decimal,
    Categories,
    Drop,
    /// The kind of a column.
    Kind(Kind),
}

/// Something to do, and the setting that it takes; none where the file is to be changed.
pub(crate) type Cure = (&'static str, Option<Setting>);

impl SettingNames {
    /// What a setting is called; `None` where it cannot be changed.
    pub(crate) fn name(self, setting: Setting) -> Option<String> {
        let (function, option) = match setting {
            Setting::Delimiter => ("with_delimiter", "--delimiter"),
            Setting::Encoding => ("with_encoding", "--encoding"),
            Setting::Header(_) => ("with_header", "--header"),
            Setting::Missing => ("with_missing", "--missing"),
            Setting::Decimal => ("with_decimal", "--decimal"),
            Setting::Categories => ("with_max_categories", "--categories"),
            Setting::Drop => ("with_drop", "--drop"),
            Setting::Kind(_) => ("with_kind", "--kind"),
        };
        match (self, setting) {
            (Self::None, _) => None,
            (Self::Functions, _) => Some(format!("`{function}`")),
            (Self::Options, Setting::Kind(kind)) => Some(format!("{option} NAME={kind}")),
            (Self::Options, Setting::Header(is_there)) => {
                Some(format!("{option} {}", if is_there { "yes" } else { "no" }))
            }
            (Self::Options, _) => Some(option.to_string()),
        }
    }

    /// What can be done, one thing or another: those that need a setting with its name, unless it cannot be changed.
    pub(crate) fn cures(self, all: &[Cure]) -> String {
        let possible = |(what, setting): &Cure| match setting {
            None => Some((*what).to_string()),
            Some(setting) => self.name(*setting).map(|name| format!("{what} by {name}")),
        };
        let possible: Vec<String> = all.iter().filter_map(possible).collect();
        match possible.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [one, other] => format!("{one}, or {other}"),
            [first @ .., last] => format!("{}, or {last}", first.join(", ")),
        }
    }

    /// The same behind what a message says, with `condition` behind it; nothing where nothing can be done.
    pub(crate) fn behind(self, all: &[Cure], condition: &str) -> String {
        let cures = self.cures(all);
        if cures.is_empty() { cures } else { format!("; {cures}{condition}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cure_names_what_its_reader_can_change() {
        let cures = [
            ("correct it", None),
            ("name it as a mark of missing values", Some(Setting::Missing)),
            ("make the column categorical", Some(Setting::Kind(Kind::Categorical))),
        ];
        let told = |names: SettingNames, count: usize| names.cures(&cures[..count]);
        assert_eq!(
            told(SettingNames::Options, 3),
            "correct it, name it as a mark of missing values by --missing, or make the column categorical by --kind NAME=categorical"
        );
        assert_eq!(
            told(SettingNames::Functions, 2),
            "correct it, or name it as a mark of missing values by `with_missing`"
        );
        assert_eq!(told(SettingNames::None, 3), "correct it");
        assert_eq!(SettingNames::None.behind(&cures[1..], " if it is one"), "");
    }
}
