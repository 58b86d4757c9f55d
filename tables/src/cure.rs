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
    /// By the settings of a configuration file of `gannet`, such as `data.encoding`.
    Settings,
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
    Columns,
    Drop,
    Labels,
    /// The kinds of columns.
    Kinds,
    /// That of a column.
    Kind(Kind),
}

/// Something to do, and the setting that it takes; none where the file is to be changed.
pub(crate) type Cure = (&'static str, Option<Setting>);

impl Setting {
    /// The function of [`ReadOptions`](crate::ReadOptions) that sets it.
    fn function(self) -> &'static str {
        match self {
            Self::Delimiter => "with_delimiter",
            Self::Encoding => "with_encoding",
            Self::Header(_) => "with_header",
            Self::Missing => "with_missing",
            Self::Decimal => "with_decimal",
            Self::Categories => "with_max_categories",
            Self::Columns => "with_columns",
            Self::Drop => "with_drop",
            Self::Labels => "with_labels",
            Self::Kinds | Self::Kind(_) => "with_kind",
        }
    }

    /// The option of the program that sets it, which is its name in a file, too, but for kinds.
    fn option(self) -> &'static str {
        match self {
            Self::Delimiter => "delimiter",
            Self::Encoding => "encoding",
            Self::Header(_) => "header",
            Self::Missing => "missing",
            Self::Decimal => "decimal",
            Self::Categories => "categories",
            Self::Columns => "columns",
            Self::Drop => "drop",
            Self::Labels => "labels",
            Self::Kinds | Self::Kind(_) => "kind",
        }
    }
}

impl SettingNames {
    /// What a setting is called; `None` where it cannot be changed.
    pub(crate) fn name(self, setting: Setting) -> Option<String> {
        let option = setting.option();
        match (self, setting) {
            (Self::None, _) => None,
            (Self::Functions, _) => Some(format!("`{}`", setting.function())),
            (Self::Options, Setting::Kind(kind)) => Some(format!("--{option} NAME={kind}")),
            (Self::Options, Setting::Kinds) => Some(format!("--{option} NAME=KIND")),
            (Self::Options, Setting::Header(is_there)) => {
                Some(format!("--{option} {}", if is_there { "yes" } else { "no" }))
            }
            (Self::Options, _) => Some(format!("--{option}")),
            (Self::Settings, Setting::Kind(kind)) => Some(format!("data.kinds.NAME = \"{kind}\"")),
            (Self::Settings, Setting::Kinds) => Some("data.kinds.NAME = \"KIND\"".to_string()),
            (Self::Settings, Setting::Header(is_there)) => Some(format!("data.header = {is_there}")),
            (Self::Settings, _) => Some(format!("data.{option}")),
        }
    }

    /// The name of a setting where it is to blame: with its table in a file, so that its line can be found.
    pub(crate) fn blamed(self, setting: Setting) -> String {
        match (self, setting) {
            (Self::Settings, Setting::Kinds | Setting::Kind(_)) => "data.kinds".to_string(),
            (Self::Settings, _) => format!("data.{}", setting.option()),
            _ => setting.option().to_string(),
        }
    }

    /// ` by` with the name of a setting; nothing where it cannot be changed.
    pub(crate) fn by(self, setting: Setting) -> String {
        self.name(setting).map_or_else(String::new, |name| format!(" by {name}"))
    }

    /// What can be done, one thing or another: those that need a setting with its name, unless it cannot be changed.
    pub(crate) fn cures(self, all: &[Cure]) -> String {
        let possible = |(what, setting): &Cure| match setting {
            None => Some((*what).to_string()),
            Some(setting) => self.name(*setting).map(|_| format!("{what}{}", self.by(*setting))),
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
        assert_eq!(
            told(SettingNames::Settings, 3),
            "correct it, name it as a mark of missing values by data.missing, or make the column categorical by data.kinds.NAME = \"categorical\""
        );
        assert_eq!(told(SettingNames::None, 3), "correct it");
        assert_eq!(SettingNames::None.behind(&cures[1..], " if it is one"), "");
    }
}
