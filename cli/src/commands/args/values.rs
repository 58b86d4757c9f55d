//! Names and numbers that arguments may be, and how they are read.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gannet::gan::Network;
use gannet::gan::weights::Numbering;

use crate::folder::checkpoints::SavedState;
use gannet_settings::values::LARGEST;

/// Networks by name.
pub(crate) const NETWORKS: &[(&str, Network)] =
    &[("generator", Network::Generator), ("discriminator", Network::Discriminator)];

/// Numberings of layers by name.
pub(super) const NUMBERINGS: &[(&str, Numbering)] =
    &[("sequential", Numbering::Sequential), ("layers", Numbering::Layers)];

/// One of several parts of something, from 1: `3/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// That of all parts.
    pub(crate) of: usize,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// NumPy's array.
    Npy,
    /// A table.
    Csv,
    /// A picture.
    Png,
}

/// Formats of samples by name, which is also the suffix of their files.
pub(crate) const SAMPLE_FORMATS: &[(&str, Format)] =
    &[("npy", Format::Npy), ("csv", Format::Csv), ("png", Format::Png)];

/// How networks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkFormat {
    /// Tensors by name.
    Safetensors,
    /// A graph.
    Onnx,
}

/// Formats of networks by name, which is also the suffix of their files.
pub(crate) const NETWORK_FORMATS: &[(&str, NetworkFormat)] =
    &[("safetensors", NetworkFormat::Safetensors), ("onnx", NetworkFormat::Onnx)];

/// Names that are possible, hyphens being as good as underscores.
pub(super) fn possible(names: impl IntoIterator<Item = &'static str>) -> impl Iterator<Item = PossibleValue> {
    names.into_iter().map(|name| PossibleValue::new(name).alias(name.replace('_', "-")))
}

/// Accepts the names of a table, hyphens being as good as underscores.
pub(super) fn choice<T: Copy + Send + Sync + 'static>(
    table: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(possible(table.iter().map(|&(name, _)| name))).try_map(move |given: String| {
        let wanted = given.replace('-', "_");
        table.iter().find(|&&(name, _)| name == wanted).map(|&(_, value)| value).ok_or("unknown")
    })
}

/// Which state of a run: `best`, `last` or a step, perhaps with commas as steps are printed.
pub(super) fn saved_state(text: &str) -> Result<SavedState, String> {
    match text {
        "best" => Ok(SavedState::Best),
        "last" => Ok(SavedState::Last),
        _ => match whole(&text.replace(',', "")) {
            Ok(step) => Ok(SavedState::Step(step)),
            Err(_) => Err("needs best, last or a step".to_string()),
        },
    }
}

/// One of several parts: `3/16`.
pub(super) fn share(text: &str) -> Result<Share, String> {
    let wrong = || "needs a part and the number of parts, for instance 3/16".to_string();
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    let [number, of] = [number, of].map(|text| text.trim().parse::<usize>());
    match (number, of) {
        (Ok(number), Ok(of)) if (1..=of).contains(&number) => Ok(Share { number, of }),
        (Ok(_), Ok(of)) if of > 0 => Err(format!("needs a part from 1 to {of}")),
        _ => Err(wrong()),
    }
}

/// A whole number from 1 up.
pub(super) fn positive_count(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if count > 0 && count as u64 <= LARGEST => Ok(count),
        _ => Err("needs a whole number from 1 up".to_string()),
    }
}

/// A whole number from 0 up that a configuration file can hold.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if number <= LARGEST => Ok(number),
        _ => Err(format!("needs a whole number from 0 up to {LARGEST}")),
    }
}

/// The same from 1 up.
pub(super) fn positive_whole(text: &str) -> Result<u64, String> {
    match whole(text) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("needs a whole number from 1 up".to_string()),
    }
}

/// A finite number above 0.
pub(super) fn positive_number(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("needs a number above 0, for instance 0.001".to_string()),
    }
}

/// A number from 0 up to, but not, 1.
pub(super) fn decay(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if (0.0..1.0).contains(&number) => Ok(number),
        _ => Err("needs a number from 0 up and below 1, for instance 0.5".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decays_are_below_1() {
        assert_eq!((decay("0"), decay("0.9")), (Ok(0.0), Ok(0.9)));
        for text in ["1", "-0.1", "nan", "inf", "0.99999999999", ""] {
            assert!(decay(text).is_err(), "{text}");
        }
    }

    #[test]
    fn states_of_a_run() {
        assert_eq!((saved_state("best"), saved_state("last")), (Ok(SavedState::Best), Ok(SavedState::Last)));
        assert_eq!((saved_state("0"), saved_state("12,800")), (Ok(SavedState::Step(0)), Ok(SavedState::Step(12_800))));
        for text in ["", "first", "-1", "1.5", ","] {
            assert!(saved_state(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_positive_and_finite() {
        assert_eq!(positive_number("2e-4"), Ok(2e-4));
        for text in ["nan", "inf", "0", "-1", "1e-60", "x"] {
            assert!(positive_number(text).is_err(), "{text}");
        }
    }
}
