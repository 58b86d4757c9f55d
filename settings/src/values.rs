//! Names and numbers that settings may be, and how they are read.

use gannet::Error;
use gannet::cpu::{EngineKind, IsaKind};
use gannet::gan::{Objective, Order, RateDecay};

/// Largest number of a configuration file: TOML's integers have 64 bits and a sign.
pub const LARGEST: u64 = i64::MAX as u64;

/// Most shards of a batch that the library takes.
pub const MOST_SHARDS: u64 = 1024;

/// Objectives by name, as in a configuration file.
pub const OBJECTIVES: &[(&str, Objective)] = &[
    (Objective::Minimax.name(), Objective::Minimax),
    (Objective::NonSaturating.name(), Objective::NonSaturating),
    (Objective::NonSaturatingHalf.name(), Objective::NonSaturatingHalf),
    (Objective::Softmax.name(), Objective::Softmax),
    (Objective::LeastSquares.name(), Objective::LeastSquares),
    (Objective::Hinge.name(), Objective::Hinge),
    (Objective::Wasserstein.name(), Objective::Wasserstein),
    (Objective::RelativisticPairing.name(), Objective::RelativisticPairing),
    (Objective::RelativisticAverage.name(), Objective::RelativisticAverage),
];

/// Orders of updates by name, as in a configuration file.
pub const ORDERS: &[(&str, Order)] = &[
    (Order::DiscriminatorFirst.name(), Order::DiscriminatorFirst),
    (Order::DiscriminatorFirstSharedFake.name(), Order::DiscriminatorFirstSharedFake),
    (Order::GeneratorFirstSharedFake.name(), Order::GeneratorFirstSharedFake),
];

/// Schedules of learning rates by name, as in a configuration file.
pub const RATE_DECAYS: &[(&str, RateDecay)] = &[
    (RateDecay::Constant.name(), RateDecay::Constant),
    (RateDecay::Linear.name(), RateDecay::Linear),
    (RateDecay::Cosine.name(), RateDecay::Cosine),
];

/// Engines by name.
pub const ENGINES: &[(&str, EngineKind)] =
    &[("auto", EngineKind::Auto), ("native", EngineKind::Native), ("matrixmultiply", EngineKind::Matrixmultiply)];

/// Instruction sets by name.
pub const ISAS: &[(&str, IsaKind)] =
    &[("avx512", IsaKind::Avx512), ("avx2", IsaKind::Avx2), ("portable", IsaKind::Portable)];

/// The engine called `name`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that tells the known names.
pub fn engine(name: &str) -> Result<EngineKind, Error> {
    of_name(ENGINES, name)
        .ok_or_else(|| Error::setting("engine", format!("`{name}` is unknown; use {}", names(ENGINES).join(", "))))
}

/// The name of `value` in one of the tables above.
pub fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |&(name, _)| name)
}

/// The value called `name` in one of the tables above.
pub fn of_name<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
}

/// The names of one of the tables above.
pub fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(name, _)| *name).collect()
}

/// Bytes: `1000000`, `512KiB`, `300M`, `2GiB`; every unit is a power of 1,024.
pub fn byte_count(text: &str) -> Result<u64, String> {
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
}
