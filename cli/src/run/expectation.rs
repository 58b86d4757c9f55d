//! What a run will take: time, judged by a few steps, and disk.

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gannet::Result;
use gannet::gan::{OptimizerSpec, Replicas};
use gannet::net::NetworkSpec;

use crate::numbers::{counted, rough_bytes, rough_time};
use crate::settings::config::RunConfig;

/// How long steps are made, about; a single one may take longer.
const SPAN: Duration = Duration::from_millis(300);
/// From here on a run is told how much of the disk it takes.
const MUCH: u64 = 64 << 20;

/// The time of a step, and how many were made for it: of one run alone. The trainer has trained after that.
///
/// # Errors
///
/// What a step reports.
pub(crate) fn time_of_a_step(gans: &mut Replicas) -> Result<(Duration, u32)> {
    let Some(trainer) = gans.trainers_mut().first_mut() else { return Ok((Duration::ZERO, 0)) };
    let mut time_of = |steps: u64| {
        let start = Instant::now();
        trainer.run(steps, 0, |_| ControlFlow::Continue(())).map(|_| start.elapsed())
    };
    // The first step also wakes threads and caches; of long ones it has to do.
    let first = time_of(1)?;
    if first >= SPAN {
        return Ok((first, 1));
    }
    let (mut all, mut steps) = (Duration::ZERO, 0);
    while steps == 0 || (all < SPAN && steps < 1 << 20) {
        all += time_of(1)?;
        steps += 1;
    }
    Ok((all / steps, steps))
}

/// The time of so many steps, in words.
pub(crate) fn time((step, made): (Duration, u32), steps: u64) -> String {
    let seconds = step.as_secs_f64() * steps as f64;
    let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let time = if seconds < 1.0 { "less than a second".to_string() } else { format!("about {}", rough_time(time)) };
    format!("{time}, an estimate from {}, without measuring and drawing", counted(u64::from(made), "step"))
}

/// What a run takes of the disk, in bytes.
pub(crate) struct Disk {
    /// Models that are kept, the last one among them, and the size of one.
    models: (u64, u64),
    /// Checkpoints, the best one and one that is being written among them, and the size of one.
    checkpoints: (u64, u64),
    /// Pictures, tables, events.
    others: u64,
    runs: u64,
}

impl Disk {
    /// That of `runs` runs, each with so many `evaluations`, which each keep `models` models beside the last.
    pub(crate) fn new(config: &RunConfig, models: u64, evaluations: u64, runs: u64) -> Self {
        let spec = &config.spec;
        let numbers = |network: &NetworkSpec| {
            let biases = network.layers.iter().map(|layer| layer.outputs).sum::<usize>();
            network.weights().saturating_add(biases) as u64
        };
        let with_moments = |optimizer: &OptimizerSpec| 1 + optimizer.states() as u64;
        let (g, d) = (numbers(&spec.generator), numbers(&spec.discriminator));
        let averages = if spec.ema_decay > 0.0 { g } else { 0 };
        let checkpoint = 4
            * (g * with_moments(&spec.generator_optimizer)
                + d * with_moments(&spec.discriminator_optimizer)
                + averages);
        let best = u64::from(config.best.is_some());
        Self {
            models: (models + 1, 4 * (g + d)),
            checkpoints: (config.keep as u64 + best + 1, checkpoint),
            others: evaluations.saturating_mul(PICTURE),
            runs,
        }
    }

    /// All of it.
    fn bytes(&self) -> u64 {
        let of = |(count, each): (u64, u64)| count.saturating_mul(each);
        of(self.models).saturating_add(of(self.checkpoints)).saturating_add(self.others).saturating_mul(self.runs)
    }

    /// What is told of it where a run begins: nothing if it is little.
    pub(crate) fn remark(&self) -> String {
        if self.bytes() < MUCH { String::new() } else { format!(", about {} on the disk", rough_bytes(self.bytes())) }
    }
}

/// Bytes of an evaluation: its picture as a file, among the events and in the report, and small histograms.
const PICTURE: u64 = 750_000;

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |name: &str, (count, each): (u64, u64)| format!("{} of {}", counted(count, name), rough_bytes(each));
        let (models, checkpoints) = (part("model", self.models), part("checkpoint", self.checkpoints));
        write!(f, "about {}: {models}, up to {checkpoints}, pictures and events", rough_bytes(self.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use gannet::gan::presets::{Duration as Length, Preset};

    use super::*;

    #[test]
    fn no_preset_takes_more_than_200_mb_by_default() {
        for &preset in Preset::ALL {
            let config = RunConfig::of(preset);
            let models = match (config.save_epochs, config.duration) {
                (0, _) | (_, Length::Steps(_)) => 0,
                (every, Length::Epochs(epochs)) => epochs / every,
            };
            let disk = |evaluations| Disk::new(&config, models, evaluations, 1).bytes();
            assert!(disk(11) < 200_000_000, "{}: {}", preset.name(), disk(11));
            assert_eq!(disk(1011) - disk(11), 1000 * PICTURE);
        }
    }

    #[test]
    fn times_are_for_people() {
        let told = time((Duration::from_millis(36), 8), 120_000);
        assert_eq!(told, "about 72 minutes, an estimate from 8 steps, without measuring and drawing");
        assert!(time((Duration::from_micros(1), 100), 1000).starts_with("less than a second, "));
        assert!(time((Duration::MAX, 1), u64::MAX).starts_with("about "));
    }
}
