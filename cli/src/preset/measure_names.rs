//! Which measures suit which preset, and of which of them a value can be the best.

use crate::preset::goal;
use crate::preset::{Preset, table};
use gannet_settings::nearest::suggestion;

/// Names of the measures that are taken while a run goes on.
pub(crate) fn running_names(preset: Preset) -> &'static [&'static str] {
    preset.known().map_or(&OWN_NAMES, |preset| table::entry(preset).measures)
}

/// The measures of a preset of which a value can be better than another.
pub(crate) fn rated_names(preset: Preset) -> impl Iterator<Item = &'static str> {
    running_names(preset).iter().copied().filter(|name| goal::is_rated(name))
}

/// What a preset is judged by: its first distance, or else the first measure that can be better or worse.
pub(crate) fn main_measure(preset: Preset) -> Option<&'static str> {
    rated_names(preset).find(|name| goal::is_distance(name)).or_else(|| rated_names(preset).next())
}

/// Names of the measures of own data.
pub(crate) const OWN_NAMES: [&str; 5] =
    ["sliced_wasserstein", "real_sliced_wasserstein", "mean_error", "sd_error", "sd_ratio"];

/// The name of a measure whose best value is looked for; none for `none`.
///
/// # Errors
///
/// What is wrong, with the known names.
pub(crate) fn best(preset: Preset, name: &str) -> Result<Option<String>, String> {
    let known: Vec<&str> = rated_names(preset).collect();
    if name == "none" {
        Ok(None)
    } else if known.contains(&name) {
        Ok(Some(name.to_string()))
    } else {
        let hint = suggestion(name, known.iter().copied());
        Err(format!("`{name}` is no measure that has a best value{hint} (none, {})", known.join(", ")))
    }
}
