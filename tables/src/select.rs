//! The names of columns, and which of them a caller wants.

use gannet::{Error, Result};

use crate::cure::{Setting, SettingNames};
use crate::options::ReadOptions;
use crate::text::listed;

/// The names of columns with these headings; those without one are numbered.
pub(crate) fn names(headings: &[String]) -> Vec<String> {
    let name = |(index, heading): (usize, &String)| {
        if heading.is_empty() { format!("column_{}", index + 1) } else { heading.clone() }
    };
    headings.iter().enumerate().map(name).collect()
}

/// The places of the columns that a caller wants, in their order. Messages call the file `origin`, where the table is one.
pub(crate) fn selected(names: &[String], options: &ReadOptions, origin: Option<&str>) -> Result<Vec<usize>> {
    let told = options.setting_names;
    let kinds: Vec<&String> = options.kinds.keys().collect();
    let asked = [
        (Setting::Columns, options.columns.iter().flatten().collect()),
        (Setting::Drop, options.drop.iter().collect()),
        (Setting::Kinds, kinds),
        (Setting::Labels, options.labels.iter().collect::<Vec<_>>()),
    ];
    let unknown = asked.into_iter().map(|(setting, asked)| {
        let unknown: Vec<&String> = asked.into_iter().filter(|name| !names.contains(name)).collect();
        (setting, unknown)
    });
    let unknown: Vec<_> = unknown.filter(|(_, unknown)| !unknown.is_empty()).collect();
    if let Some((setting, of_setting)) = unknown.first() {
        let there = listed(names);
        if told == SettingNames::Settings {
            let table = origin.unwrap_or("the table");
            let problem = format!("{table} has no column {}; it has {there}", listed(of_setting));
            return Err(Error::setting(told.blamed(*setting), problem));
        }
        let all: Vec<&String> = unknown.iter().flat_map(|(_, unknown)| unknown).copied().collect();
        // Their lists are parted at commas.
        let is_parted = told == SettingNames::Options && names.iter().any(|name| name.contains(','));
        let cure = if is_parted { "; put a name that has a comma in double quotes" } else { "" };
        let problem = format!("has no column {}; it has {there}{cure}", listed(&all));
        return Err(Error::data(origin.unwrap_or("table"), problem));
    }
    let is_kept = |name: &String| {
        let is_chosen = options.columns.as_ref().is_none_or(|columns| columns.contains(name));
        (is_chosen || options.labels.as_ref() == Some(name)) && !options.drop.contains(name)
    };
    let places: Vec<usize> = (0..names.len()).filter(|&place| is_kept(&names[place])).collect();
    if places.is_empty() {
        let (setting, problem) = match &options.columns {
            Some(columns) if columns.is_empty() => (Setting::Columns, "is empty; name one column or more"),
            _ => (Setting::Drop, "no column is left; keep at least one"),
        };
        return Err(Error::setting(told.blamed(setting), problem));
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn what_is_to_blame_has_the_name_that_its_user_gave_it() {
        let names = ["a", "b"].map(str::to_string);
        let told = |options: ReadOptions, told: SettingNames| {
            selected(&names, &options.with_setting_names(told), Some("t.csv")).unwrap_err().to_string()
        };
        let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let options = ReadOptions::default;
        for (options, of_file, of_program) in [
            (
                options().with_columns(list(&["a", "z"])),
                "data.columns: t.csv has no column `z`; it has `a`, `b`",
                "t.csv: has no column `z`; it has `a`, `b`",
            ),
            (
                options().with_drop(list(&["y", "z"])),
                "data.drop: t.csv has no column `y`, `z`; it has `a`, `b`",
                "t.csv: has no column `y`, `z`; it has `a`, `b`",
            ),
            (
                options().with_kind("z", Kind::Date),
                "data.kinds: t.csv has no column `z`; it has `a`, `b`",
                "t.csv: has no column `z`; it has `a`, `b`",
            ),
            (
                options().with_labels("z".to_string()),
                "data.labels: t.csv has no column `z`; it has `a`, `b`",
                "t.csv: has no column `z`; it has `a`, `b`",
            ),
            (
                options().with_columns(Vec::new()),
                "data.columns: is empty; name one column or more",
                "columns: is empty; name one column or more",
            ),
            (
                options().with_drop(list(&["a", "b"])),
                "data.drop: no column is left; keep at least one",
                "drop: no column is left; keep at least one",
            ),
        ] {
            assert_eq!(told(options.clone(), SettingNames::Settings), of_file);
            assert_eq!(told(options, SettingNames::Options), of_program);
        }
        let parted = ["a", "d,e"].map(str::to_string);
        let asked = options().with_columns(list(&["d", "e"])).with_setting_names(SettingNames::Options);
        let problem = selected(&parted, &asked, Some("t.csv")).unwrap_err().to_string();
        assert!(problem.ends_with("it has `a`, `d,e`; put a name that has a comma in double quotes"), "{problem}");
        let labels = options().with_columns(list(&["b"])).with_labels("a".to_string());
        assert_eq!(selected(&names, &labels, Some("t.csv")).unwrap(), [0, 1]);
        assert_eq!([labels.kind("a"), labels.kind("b")], [Some(Kind::Categorical), None]);
        assert_eq!(labels.with_kind("a", Kind::Boolean).kind("a"), Some(Kind::Boolean));
    }
}
