//! Samples as an array of NumPy's.

use std::io::{self, Write};

use gannet::Result;
use gannet::internals::memory::room;
use gannet_tables::{AsNumbers, Category, Codec, ColumnForm, Domain};

use crate::data::own::Form;
use crate::data::samples::byte;
use crate::folder::npy;
use crate::folder::run_folder::TABLE;
use crate::run::draw::Drawn;
use crate::settings::config::RunConfig;
use crate::terminal::output::note;

/// An array in NumPy's format `[samples, values]`: float32; of tables float64, whose units may need it. Own images are bytes,
/// `[samples, height, width]`, as an array of them that is read.
pub(super) enum Array<'a> {
    Plain { columns: usize, values: Vec<f32> },
    Images { height: usize, width: usize, values: Vec<u8> },
    Table { codec: &'a Codec, columns: Vec<AsNumbers<'a>>, values: Vec<f64> },
}

impl<'a> Array<'a> {
    /// An empty one, with room for `count` rows.
    pub(super) fn of(config: &'a RunConfig, count: usize) -> Result<Self> {
        let features = config.spec.features();
        let codec = match config.own.as_ref().map(|own| &own.form) {
            Some(Form::Table(codec)) => codec,
            Some(&Form::Images { height, width }) => {
                return Ok(Self::Images { height, width, values: room(count.saturating_mul(features))? });
            }
            None => return Ok(Self::Plain { columns: features, values: room(count.saturating_mul(features))? }),
        };
        let columns: Vec<_> = codec.form().columns.iter().map(|column| column.domain.as_numbers()).collect();
        let values = room(count.saturating_mul(columns.len()))?;
        Ok(Self::Table { codec, columns, values })
    }

    /// Adds a row.
    pub(super) fn extend(&mut self, drawn: &Drawn<'_>) {
        match self {
            Self::Plain { values, .. } => values.extend_from_slice(drawn.sample),
            Self::Images { values, .. } => values.extend(drawn.sample.iter().map(|value| byte(*value))),
            Self::Table { columns, values, .. } => {
                let row = (values.len() / columns.len().max(1)) as f64;
                values.extend(columns.iter().zip(drawn.row).map(|(column, value)| column.number(*value, row)));
            }
        }
    }

    /// Tells what stands for texts, and which whole numbers are rounded.
    pub(super) fn tell(&self) {
        /// Whole numbers below it are told apart by 64-bit floats.
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        let Self::Table { codec, columns, .. } = self else { return };
        let is_wide = |column: &&ColumnForm| match &column.domain {
            Domain::Integers { range, .. } => range.iter().any(|end| end.unsigned_abs() >= EXACT),
            Domain::Categories { categories, .. } => {
                let number = |category: &Category| category.text.parse::<i128>().ok();
                categories.iter().filter_map(number).any(|number| number.unsigned_abs() >= u128::from(EXACT))
            }
            _ => false,
        };
        let wide: Vec<&str> =
            codec.form().columns.iter().filter(is_wide).map(|column| column.name.as_str()).take(8).collect();
        if !wide.is_empty() {
            note(&format!(
                "an array of float64 has whole numbers of 2^53 or more to the nearest such float ({}); a .csv has them in full",
                wide.join(", ")
            ));
        }
        let columns = codec.form().columns.iter().zip(columns).filter(|(_, numbers)| !numbers.texts_are_numbers());
        let names: Vec<&str> = columns.map(|(column, _)| column.name.as_str()).take(8).collect();
        if !names.is_empty() {
            note(&format!(
                "an array has no texts: categories are counted from 0, in the order of the run's {TABLE} ({}); a .csv has their texts",
                names.join(", ")
            ));
        }
    }

    pub(super) fn write(&self, file: &mut dyn Write) -> io::Result<()> {
        let shape = |columns: usize, values: usize| [values / columns.max(1), columns];
        match self {
            Self::Plain { columns, values } => npy::write(file, &shape(*columns, values.len()), values.iter().copied()),
            Self::Images { height, width, values } => {
                let images = values.len() / (height * width).max(1);
                npy::write(file, &[images, *height, *width], values.iter().copied())
            }
            Self::Table { columns, values, .. } => {
                npy::write(file, &shape(columns.len(), values.len()), values.iter().copied())
            }
        }
    }
}
