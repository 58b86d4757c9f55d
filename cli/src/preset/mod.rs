//! What a preset's name stands for outside of the networks: what its samples are.
//!
//! Where they come from stands in [`loading`](crate::settings::loading), how they are measured and drawn in
//! [`measures`](crate::measures::measure) and [`pictures`](crate::run::pictures).

pub(crate) mod goal;
pub(crate) mod measure_names;
pub(crate) mod table;

use gannet::gan::presets;
use gannet::{Error, Result};

use gannet_settings::nearest::suggestion;
use gannet_settings::own_data::Shape;
use table::{Data, Measuring};

/// The name of a preset whose samples come from a file of the user's.
pub(crate) const OWN: &str = "own";

/// What older versions call the preset: in `config.toml`, in `run.json` and as an option.
pub(crate) const OLD: &str = "system";

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    /// A preset of the library.
    Known(presets::Preset),
    /// A file of the user's, which the settings name.
    Own(Shape),
}

impl Preset {
    /// The names of all presets.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        presets::Preset::ALL.iter().map(|preset| preset.name()).chain([OWN])
    }

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Known(preset) => preset.name(),
            Self::Own(_) => OWN,
        }
    }

    /// The preset, if it is one.
    pub(crate) fn known(self) -> Option<presets::Preset> {
        match self {
            Self::Known(preset) => Some(preset),
            Self::Own(_) => None,
        }
    }

    /// Where its samples come from; `None` for own data.
    pub(crate) fn data(self) -> Option<Data> {
        self.known().map(|preset| table::entry(preset).data)
    }

    /// Whether its samples come from a folder with the four files of MNIST.
    pub(crate) fn reads_folder(self) -> bool {
        matches!(self.data(), Some(Data::Folder { .. }))
    }

    /// How what is learned is measured.
    pub(crate) fn measuring(self) -> Measuring {
        self.known().map_or(Measuring::Halves, |preset| table::entry(preset).measuring)
    }

    /// What a sample is.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Own(shape) => shape,
            Self::Known(preset) => match (preset.image(), table::entry(preset).data) {
                (Some((height, width)), _) => Shape::Image { height, width },
                (None, Data::Made { features, .. }) => Shape::Numbers(features),
                (None, _) => Shape::Numbers(0),
            },
        }
    }

    /// `(height, width)` where samples are images.
    pub(crate) fn image(self) -> Option<(usize, usize)> {
        match self.shape() {
            Shape::Image { height, width } => Some((height, width)),
            Shape::Numbers(_) | Shape::Mixed { .. } => None,
        }
    }

    /// Values of one sample.
    pub(crate) fn features(self) -> usize {
        self.shape().features()
    }
}

/// The preset called `name`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that tells the known names.
pub(crate) fn preset_named(name: &str) -> Result<presets::Preset> {
    presets::Preset::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = presets::Preset::ALL.iter().map(|preset| preset.name()).collect();
        let known = format!("(known presets: {})", names.join(", "));
        Error::setting("preset", format!("`{name}` is unknown{} {known}", suggestion(name, names)))
    })
}

/// The error about a name that no preset has.
pub(crate) fn unknown(setting: &str, name: &str) -> Error {
    Error::setting(setting, format!("`{name}` is unknown{} ({})", suggestion(name, Preset::names()), known()))
}

/// The names of all presets, for messages.
pub(crate) fn known() -> String {
    format!("known presets: {}", Preset::names().collect::<Vec<_>>().join(", "))
}
