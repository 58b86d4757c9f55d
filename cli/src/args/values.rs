//! Names and numbers that arguments may be, and how they are read.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gannet::cpu::{EngineKind, IsaKind};
use gannet::gan::Network;
use gannet::gan::weights::Numbering;
use gannet::gan::{Objective, Order};

use crate::checkpoints::SavedState;

/// Largest number of a configuration file: TOML's integers have 64 bits and a sign.
pub(crate) const LARGEST: u64 = i64::MAX as u64;

/// Objectives by name, as in a configuration file.
pub(crate) const OBJECTIVES: &[(&str, Objective)] = &[
    ("minimax", Objective::Minimax),
    ("non_saturating", Objective::NonSaturating),
    ("non_saturating_half", Objective::NonSaturatingHalf),
    ("softmax", Objective::Softmax),
];

/// Orders of updates by name, as in a configuration file.
pub(crate) const ORDERS: &[(&str, Order)] = &[
    ("discriminator_first", Order::DiscriminatorFirst),
    ("discriminator_first_shared_fake", Order::DiscriminatorFirstSharedFake),
    ("generator_first_shared_fake", Order::GeneratorFirstSharedFake),
];

/// Networks by name.
pub(crate) const NETWORKS: &[(&str, Network)] =
    &[("generator", Network::Generator), ("discriminator", Network::Discriminator)];

/// Numberings of layers by name.
pub(super) const NUMBERINGS: &[(&str, Numbering)] =
    &[("sequential", Numbering::Sequential), ("layers", Numbering::Layers)];

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

/// Engines by name.
pub(crate) const ENGINES: &[(&str, EngineKind)] =
    &[("auto", EngineKind::Auto), ("native", EngineKind::Native), ("matrixmultiply", EngineKind::Matrixmultiply)];

/// Instruction sets by name.
pub(super) const ISAS: &[(&str, IsaKind)] =
    &[("avx512", IsaKind::Avx512), ("avx2", IsaKind::Avx2), ("portable", IsaKind::Portable)];

/// The name of `value` in one of the tables above.
pub(crate) fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |&(name, _)| name)
}

/// Accepts the names of a table, hyphens being as good as underscores.
pub(super) fn choice<T: Copy + Send + Sync + 'static>(
    table: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = table.iter().map(|&(name, _)| PossibleValue::new(name).alias(name.replace('_', "-")));
    PossibleValuesParser::new(names).try_map(move |given: String| {
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

/// Bytes: `1000000`, `512KiB`, `300M`, `2GiB`; every unit is a power of 1,024.
pub(crate) fn byte_count(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(shift).and_then(|(number, shift)| number.checked_mul(1 << shift));
    match bytes {
        Some(bytes) if bytes > 0 && bytes <= LARGEST => Ok(bytes),
        _ => Err("needs a number of bytes, for instance 500000000, 512MiB or 2GiB".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_with_units() {
        let good =
            [("1", 1), ("512KiB", 512 << 10), ("3m", 3 << 20), ("2GiB", 2 << 30), ("2 GB", 2 << 30), ("1T", 1 << 40)];
        for (text, expected) in good {
            assert_eq!(byte_count(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "-1", "1.5G", "GiB", "2 PiB", "99999999999T", "nan"] {
            assert!(byte_count(text).is_err(), "{text}");
        }
    }

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
