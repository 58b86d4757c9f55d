//! What settings tell about own data.

use gannet::{Error, Result};
use gannet_tables::{Codec, SettingNames};

use crate::data::codec_file::Fitted;
use crate::data::reading::Reading;

/// What `[data]` tells about a file; what is left out is read from it.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// How a table is read.
    pub(crate) reading: Reading,
    /// How the rows of a table become samples, where that is known.
    pub(crate) fitted: Option<Fitted>,
    /// Scales of columns, which older versions had.
    pub(crate) offset: Option<Vec<f64>>,
    pub(crate) scale: Option<Vec<f64>>,
    pub(crate) image: Option<[usize; 2]>,
    /// The column with the classes, or the file with those of images.
    pub(crate) labels: Option<String>,
    pub(crate) classes: Option<Vec<String>>,
    pub(crate) class_counts: Option<Vec<u64>>,
    /// Most bytes that the run may take.
    pub(crate) limit: Option<u64>,
    /// How messages name them: as the options or as the settings of a file that they were given by.
    pub(crate) names: SettingNames,
}

impl Settings {
    /// The codec that the scales of an older version are.
    pub(super) fn of_lines(&self) -> Result<Option<Codec>> {
        let named = |error| match error {
            Error::InvalidSetting { name, problem } => Error::setting(format!("data.{name}"), problem),
            Error::Data { problem, .. } => Error::setting("data.scale", problem),
            Error::Shape { .. } => {
                Error::setting("data.columns", "there are other numbers of names, offsets and scales")
            }
            other => other,
        };
        match (&self.offset, &self.scale) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::setting("data.offset", "needs `scale` beside it")),
            (None, Some(_)) => Err(Error::setting("data.scale", "needs `offset` beside it")),
            (Some(_), Some(_)) if self.image.is_some() => {
                Err(Error::setting("data.image", "excludes `offset` and `scale`: pixels have a scale of their own"))
            }
            (Some(offset), Some(scale)) => {
                let names = match &self.reading.columns {
                    Some(names) => names.clone(),
                    None => (1..=scale.len()).map(|column| format!("column_{column}")).collect(),
                };
                let classes: Vec<(String, u64)> =
                    self.classes.iter().flatten().cloned().zip(self.class_counts.iter().flatten().copied()).collect();
                let condition = self.labels.as_deref().map(|from| (from, classes.as_slice()));
                Codec::of_lines(&names, offset, scale, condition).map(Some).map_err(named)
            }
        }
    }
}
