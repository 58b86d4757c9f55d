//! What several integration tests need: a trainer for each preset on data that need no file.

use std::sync::Arc;

use gannet::data::{ArraySource, digits, plane, synthetic};
use gannet::gan::presets::Preset;
use gannet::gan::{Source, Trainer, TrainerOptions};

/// The seed of every data set here.
const DATA_SEED: u64 = 11;

/// Data of the preset's shape: its own, or for `mnist` images of noise.
pub(crate) fn source(preset: Preset, points: usize) -> Arc<dyn Source> {
    match preset {
        Preset::Circle => Arc::new(synthetic::circle(points, DATA_SEED).unwrap()),
        Preset::Mixture1d | Preset::Mixture1dDeep => Arc::new(synthetic::mixture1d(points, DATA_SEED).unwrap()),
        Preset::Gaussian2d => Arc::new(synthetic::gaussian2d(points, DATA_SEED).unwrap()),
        Preset::Ring8 => Arc::new(plane::ring8(points, DATA_SEED).unwrap()),
        Preset::Grid25 => Arc::new(plane::grid25(points, DATA_SEED).unwrap()),
        Preset::SwissRoll => Arc::new(plane::swiss_roll(points, DATA_SEED).unwrap()),
        Preset::TwoMoons => Arc::new(plane::two_moons(points, DATA_SEED).unwrap()),
        Preset::Checkerboard => Arc::new(plane::checkerboard(points, DATA_SEED).unwrap()),
        Preset::Digits => Arc::new(digits::source().unwrap()),
        Preset::Mnist => {
            let features = preset.spec().features();
            let noise = |index: usize| ((index * 7919) % 2001) as f32 / 1000.0 - 1.0;
            Arc::new(ArraySource::new((0..points * features).map(noise).collect(), features).unwrap())
        }
        other => panic!("no data for {}", other.name()),
    }
}

/// A trainer of the preset, on 500 samples or a batch.
pub(crate) fn trainer(preset: Preset, options: TrainerOptions) -> Trainer<'static> {
    let options = options.with_shuffle(preset.shuffle());
    Trainer::new(preset.spec(), source(preset, options.batch.max(500)), options).unwrap()
}
