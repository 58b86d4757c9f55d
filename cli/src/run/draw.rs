//! Samples of a trained generator one after another, as many as are asked for, in memory that does not grow with their number.

use gannet::cpu::Isa;
use gannet::data::one_hot;
use gannet::gan::{Model, Sampler};
use gannet::internals::memory::filled;
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};
use gannet_tables::{Calibration, Value};

use crate::data::filter::Filter;
use crate::data::own::OwnData;
use crate::run::in_parts;
use crate::settings::config::RunConfig;

/// Rows that a thread makes at a time, and values of these rows.
const ROWS: usize = 1 << 13;
const VALUES: usize = 1 << 20;
/// Rows from which on several threads are worth their start.
const MANY: usize = 1 << 12;
/// Samples of a seed.
const MOST: u64 = 1 << 32;
/// Rows that are made for one that meets the conditions, and rows that are made in any case.
const TRIES: u64 = 10_000;
const LEAST_TRIES: u64 = 1_000_000;
/// Rows after which that is looked at, whatever the number of threads.
const CHECKED: u64 = 1 << 13;

/// What samples are made by.
pub(crate) struct Draw<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) model: &'a Model,
    pub(crate) seed: u64,
    /// The class of the sample of an index, where there are classes.
    pub(crate) class: &'a (dyn Fn(u64) -> Option<usize> + Sync),
    pub(crate) filter: &'a Filter,
    /// Threads at most; what is drawn does not depend on them.
    pub(crate) threads: usize,
}

/// A sample: its class, its values, and the row of a table that it is.
pub(crate) struct Drawn<'a> {
    pub(crate) class: Option<usize>,
    pub(crate) sample: &'a [f32],
    pub(crate) row: &'a [Value],
}

impl Draw<'_> {
    /// Hands `count` samples that meet the conditions to `take`, in the order of their indices.
    ///
    /// # Errors
    ///
    /// What the generator or `take` reports; conditions that hardly any sample meets; memory or threads that the system refuses.
    pub(crate) fn each(&self, count: usize, mut take: impl FnMut(Drawn<'_>) -> Result<()>) -> Result<()> {
        let spec = &self.config.spec;
        let features = spec.features();
        if count as u64 > MOST {
            return Err(Error::shape("samples", format!("at most {MOST}"), count.to_string()));
        }
        let threads = if count < MANY && self.filter.is_empty() { 1 } else { self.threads.max(1) };
        let rows = ROWS.min(VALUES / features.max(1)).max(1);
        let isa = Isa::resolve(None)?;
        let calibration = self.config.calibration(self.model, isa)?;
        let first = Sampler::new(self.model, spec, isa)?;
        let mut samplers = (1..threads).map(|_| first.share()).collect::<Result<Vec<_>>>()?;
        samplers.push(first);
        let mut decoder = self.decoder();
        let mut samples = filled(rows * threads * features, 0.0)?;
        let (mut taken, mut index) = (0, 0u64);
        while taken < count {
            let wanted = if self.filter.is_empty() { (count - taken).min(rows * threads) } else { rows * threads };
            let samples = &mut samples[..wanted * features];
            self.fill(&mut samplers, index, (samples, wanted.div_ceil(threads)), calibration.as_ref())?;
            for sample in samples.chunks_exact(features) {
                let class = (self.class)(index);
                index += 1;
                decoder.decode(sample, class);
                if self.filter.accepts(&decoder.row) {
                    take(Drawn { class, sample, row: &decoder.row })?;
                    taken += 1;
                    if taken == count {
                        break;
                    }
                }
                if index.is_multiple_of(CHECKED) {
                    self.check(taken, index)?;
                }
            }
        }
        Ok(())
    }

    /// Hands each of `samples`, which were made of given latents, to `take`.
    ///
    /// # Errors
    ///
    /// What `take` reports.
    pub(crate) fn each_of(&self, samples: &mut [f32], mut take: impl FnMut(Drawn<'_>) -> Result<()>) -> Result<()> {
        let calibration = self.config.calibration(self.model, Isa::resolve(None)?)?;
        let calibration = calibration.map(Calibration::for_probabilities);
        let mut decoder = self.decoder();
        for (index, sample) in (0..).zip(samples.chunks_exact_mut(self.config.spec.features())) {
            calibration.iter().for_each(|calibration| calibration.apply(sample));
            let class = (self.class)(index);
            decoder.decode(sample, class);
            take(Drawn { class, sample, row: &decoder.row })?;
        }
        Ok(())
    }

    /// Fills `samples` from an index on, each of the samplers so many rows.
    fn fill(
        &self,
        samplers: &mut [Sampler],
        first: u64,
        (samples, rows): (&mut [f32], usize),
        calibration: Option<&Calibration>,
    ) -> Result<()> {
        let features = self.config.spec.features();
        let part = |sampler: &mut Sampler, number: usize, part: &mut [f32]| {
            let condition = |index, condition: &mut [f32]| {
                if let Some(class) = (self.class)(index) {
                    one_hot(class, condition);
                }
            };
            sampler.sample_with(self.seed, first + (number * rows) as u64, condition, part)?;
            calibration.iter().for_each(|calibration| calibration.apply(part));
            Ok(())
        };
        let parts = samples.chunks_mut((rows * features).max(1)).zip(samplers).enumerate();
        in_parts::each(parts, |(number, (rows, sampler))| part(sampler, number, rows)).map(drop)
    }

    /// Gives up where hardly any sample meets the conditions.
    fn check(&self, taken: usize, made: u64) -> Result<()> {
        if self.filter.is_empty() || made < LEAST_TRIES.max(TRIES.saturating_mul(taken as u64)) {
            return Ok(());
        }
        let made = thousands(made);
        let problem = if taken == 0 {
            let codec = self.config.own.as_ref().and_then(OwnData::codec);
            let ranges = codec.map_or_else(String::new, |codec| self.filter.ranges(codec));
            format!("none of {made} samples that were made meets the conditions; loosen them{ranges}")
        } else {
            let meet = if taken == 1 { "meets" } else { "meet" };
            let taken = thousands(taken as u64);
            format!(
                "{taken} of {made} samples that were made {meet} the conditions; loosen them, or ask for no more than that by --count"
            )
        };
        Err(Error::setting("where", problem))
    }

    fn decoder(&self) -> Decoder<'_> {
        let codec = self.config.own.as_ref().and_then(OwnData::codec);
        let columns = codec.map_or(0, |codec| codec.form().columns.len());
        Decoder { codec: codec.map(|codec| codec.as_ref()), row: vec![Value::Missing; columns] }
    }
}

/// Samples of a table as rows.
struct Decoder<'a> {
    codec: Option<&'a gannet_tables::Codec>,
    row: Vec<Value>,
}

impl Decoder<'_> {
    fn decode(&mut self, sample: &[f32], class: Option<usize>) {
        if let Some(codec) = self.codec {
            codec.decode(sample, class, &mut self.row);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use gannet::gan::Trainer;

    use super::*;
    use crate::data::data_file::DataFile;
    use crate::data::own_settings::Settings;
    use crate::settings::loading;

    /// A run on a table of three cities, whose networks have learned nothing yet, in `folder`.
    pub(crate) fn untrained(folder: &Path, labels: Option<&str>) -> (RunConfig, Model) {
        let row = |row: u32| {
            let age = if row % 9 == 4 { "NA".to_string() } else { (20 + row * row % 53).to_string() };
            format!("{},{age},{}.5\n", ["Paris", "Rome", "Oslo", "Paris"][row as usize % 4], row * 7 % 41)
        };
        let file = folder.join("t.csv");
        std::fs::write(&file, "city,age,size\n".to_string() + &(0..200).map(row).collect::<String>()).unwrap();
        let settings = Settings { labels: labels.map(str::to_string), ..Settings::default() };
        let mut config = RunConfig::of_own(OwnData::new(DataFile::of_settings(&file).unwrap(), settings).unwrap());
        let samples = loading::load(&config).unwrap();
        config.resolve_schedule(samples.len()).unwrap();
        let source = config.source(&samples, 0).unwrap();
        let trainer = Trainer::new(config.spec.clone(), source, config.trainer_options().with_threads(1)).unwrap();
        let model = trainer.checkpoint().unwrap().into_model();
        (config, model)
    }

    #[test]
    fn rows_under_conditions_are_the_same_at_any_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let (config, model) = untrained(folder.path(), None);
        let codec = config.own.as_ref().and_then(OwnData::codec).unwrap();
        for (conditions, met) in [(&["city=Rome", "age>=40"][..], true), (&["size<0.5"][..], false), (&[][..], true)] {
            let conditions: Vec<String> = conditions.iter().map(|text| text.to_string()).collect();
            let filter = Filter::new(Some(codec), &conditions).unwrap();
            let mut first = None;
            for threads in 1..=3 {
                let draw = Draw { config: &config, model: &model, seed: 4, class: &|_| None, filter: &filter, threads };
                let mut rows = Vec::new();
                let outcome = draw.each(5_000, |drawn| {
                    rows.push(drawn.row.to_vec());
                    Ok(())
                });
                assert_eq!((outcome.is_ok(), rows.len() == 5_000), (met, met), "{conditions:?}: {outcome:?}");
                let found = (rows, outcome.err().map(|error| error.to_string()));
                assert!(*first.get_or_insert_with(|| found.clone()) == found, "{conditions:?} at {threads} threads");
            }
        }
    }
}
