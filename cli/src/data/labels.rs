//! Labels: where the class of each sample of own data comes from.

use std::path::Path;

use gannet::data::idx;
use gannet::{Error, Result};
use gannet_tables::{Codec, Domain, SettingNames, Table};

use crate::data::classes::Classes;
use crate::data::reading::Decided;
use crate::data::table;
use crate::folder::run_folder::refused;
use crate::numbers::counted;

/// Where the class of each sample comes from, and what classes there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labels {
    /// The column of a table, or the IDX file with the labels of images.
    pub(crate) from: String,
    pub(crate) classes: Classes,
}

impl Labels {
    /// Those of the condition of a codec.
    pub(crate) fn of(codec: &Codec) -> Option<Self> {
        let (names, counts) = codec.classes().into_iter().unzip();
        codec.condition().map(|from| Self { from: from.to_string(), classes: Classes::new(names, counts) })
    }
}

/// The labels that a file of images is read with, or the column of a table.
pub(crate) enum Wanted {
    None,
    /// Those that it has.
    From(String),
    /// Of these classes.
    Known(Labels),
}

impl Wanted {
    /// Where the labels are.
    pub(crate) fn from(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::From(from) | Self::Known(Labels { from, .. }) => Some(from),
        }
    }

    /// The same with the path of a file of labels made absolute: a run may be gone on with from anywhere.
    pub(crate) fn absolute(self) -> Result<Self> {
        let Self::From(from) = self else { return Ok(self) };
        let path = std::path::absolute(&from).map_err(refused("find", Path::new(&from)))?;
        // It was text, and what comes before it is in the settings of the run, which are text.
        Ok(Self::From(path.to_str().map_or(from, str::to_string)))
    }

    /// The labels of the `count` images in `file`.
    pub(crate) fn of_images(&self, file: &Path, count: usize) -> Result<Option<Vec<f64>>> {
        let Some(from) = self.from() else { return Ok(None) };
        let labels = idx::read_labels(Path::new(from))?;
        if labels.len() != count {
            let problem = format!(
                "holds {} for the {} of {}",
                counted(labels.len() as u64, "label"),
                counted(count as u64, "image"),
                file.display()
            );
            return Err(Error::data(from, problem));
        }
        Ok(Some(labels.into_iter().map(f64::from).collect()))
    }

    /// The classes of these labels, and the class of each.
    pub(crate) fn classes(self, values: Option<Vec<f64>>, origin: &str) -> Result<Option<(Labels, Vec<u8>)>> {
        let Some(values) = values else { return Ok(None) };
        match self {
            Self::None => Ok(None),
            Self::From(from) => {
                let (classes, of_each) = Classes::found(&values, origin)?;
                Ok(Some((Labels { from, classes }, of_each)))
            }
            Self::Known(labels) => {
                let of_each = labels.classes.labels(&values, origin)?;
                Ok(Some((labels, of_each)))
            }
        }
    }
}

/// Refuses a column of labels that has no classes, or more than `most`, with which the table was read. Messages call settings as `names`
/// says.
pub(crate) fn check_column(
    table: &Table,
    labels: &str,
    most: usize,
    (origin, names): (&str, SettingNames),
) -> Result<()> {
    let form = table.form();
    table::check_labels(form, labels, origin)?;
    let [of_labels, of_kinds, of_categories] = ["labels", "kinds", "categories"].map(|one| Decided(one).told(names));
    if form.columns.len() == 1 {
        let problem = format!(
            "labels: is the only column, and labels need something to label; leave {of_labels} out, or give more columns"
        );
        return Err(Error::data(origin, problem));
    }
    let Some(column) = form.columns.iter().find(|column| column.name == labels) else { return Ok(()) };
    match &column.domain {
        Domain::Categories { rest: None, .. } if column.categories() <= most => Ok(()),
        Domain::Categories { .. } => {
            let more = if most < Classes::MOST { format!(", or raise {of_categories}") } else { String::new() };
            let problem = format!("the labels have more than {most} different values; give a column of classes{more}");
            Err(Error::data(origin, problem))
        }
        _ => Err(Error::data(
            origin,
            format!(
                "labels: the column `{labels}` is {}, and has no classes; give {of_labels} another column, or leave its {of_kinds} out",
                column.kind
            ),
        )),
    }
}
