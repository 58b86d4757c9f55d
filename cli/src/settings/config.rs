//! The settings of a run, and the defaults of each preset.
//!
//! What a command asks for in their place stands in [`config_source`](crate::settings::config_source).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa, IsaKind};
use gannet::data::one_hot;
use gannet::gan::presets::{self, Duration};
use gannet::gan::{GanSpec, Model, RateDecay, Source, TrainerOptions};
use gannet::internals::engine::{self, Derivation, RunSeed};
use gannet::{Error, Result};
use gannet_settings::own_data::{self, Shape};
use gannet_tables::Calibration;

use crate::data::classes::Classes;
use crate::data::data_file::DataFile;
use crate::data::own::OwnData;
use crate::data::samples::Samples;
use crate::numbers::counted;
use crate::preset::measure_names;
use crate::preset::{Preset, table};

/// The settings of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunConfig {
    /// Which data, measures and pictures.
    pub(crate) preset: Preset,
    /// Length of the training.
    pub(crate) duration: Duration,
    /// Samples of a step.
    pub(crate) batch: usize,
    /// Parts of a batch whose gradients are added in a tree.
    pub(crate) shards: usize,
    /// Seed of everything.
    pub(crate) seed: u64,
    /// How the seeds of measures, pictures and examinations follow from it. No file of settings has it: a run has it in its history.
    pub(crate) derivation: Derivation,
    /// Whether the data are shuffled anew for each epoch.
    pub(crate) shuffle: bool,
    /// Whether rare classes are trained more often than they are.
    pub(crate) balance: bool,
    /// Worker threads; 0 = one for each processor.
    pub(crate) threads: usize,
    /// What computes the matrix products.
    pub(crate) engine: EngineKind,
    /// A forced instruction set.
    pub(crate) isa: Option<IsaKind>,
    /// Most bytes that the run may take.
    pub(crate) memory_limit: Option<u64>,
    /// Steps between evaluations; `None` = not chosen yet.
    pub(crate) evaluate_every: Option<u64>,
    /// Steps between rows of `metrics.csv`; `None` = not chosen yet.
    pub(crate) report_every: Option<u64>,
    /// Steps between checkpoints; 0 = by time alone.
    pub(crate) checkpoint_steps: u64,
    /// Seconds between checkpoints; 0 = by steps alone.
    pub(crate) checkpoint_seconds: u64,
    /// Checkpoints that are kept.
    pub(crate) keep: usize,
    /// The measure of which the best checkpoint is kept; `None` = none is.
    pub(crate) best: Option<String>,
    /// Whether somebody asked for it: otherwise it is the preset's.
    pub(crate) best_is_asked: bool,
    /// Evaluations in a row without a new best after which the run ends; 0 = it does not end for that.
    pub(crate) patience: u64,
    /// Whether event files for TensorBoard are written.
    pub(crate) tensorboard: bool,
    /// Epochs between model files; 0 = only the last.
    pub(crate) save_epochs: u64,
    /// Points of a preset that makes its data.
    pub(crate) points: Option<usize>,
    /// Folder of the IDX files.
    pub(crate) directory: Option<PathBuf>,
    /// The file of own data.
    pub(crate) own: Option<OwnData>,
    /// Files of the weights to begin with; none = drawn ones.
    pub(crate) weights: Vec<PathBuf>,
    /// What is trained.
    pub(crate) spec: GanSpec,
}

impl RunConfig {
    /// The preset and the steps of a run whose settings are, but for its length, those that `docs/results.md` was made with.
    pub(crate) fn as_documented(&self) -> Option<(&'static str, u64)> {
        let preset = self.preset.known()?;
        let mut usual = Self::of(preset);
        if usual.schedule_follows_length() {
            usual.spec.schedule.steps = self.spec.schedule.steps;
        }
        let same = self.spec == usual.spec
            && (self.batch, self.shards, self.points) == (usual.batch, usual.shards, usual.points)
            && (self.shuffle, self.balance) == (usual.shuffle, usual.balance)
            && self.weights.is_empty();
        let samples = table::entry(preset).data.samples().or(self.points)? as u64;
        let steps = match self.duration {
            Duration::Epochs(epochs) => epochs.saturating_mul(samples).div_ceil(self.batch as u64),
            Duration::Steps(steps) => steps,
        };
        same.then_some((preset.name(), steps))
    }

    /// A preset's defaults.
    pub(crate) fn of(preset: presets::Preset) -> Self {
        let mut spec = preset.spec();
        // The preset's own is of its own length.
        spec.schedule.steps = 0;
        Self {
            points: preset.points(),
            shuffle: preset.shuffle(),
            save_epochs: table::entry(preset).save_epochs,
            ..Self::with(Preset::Known(preset), preset.batch(), preset.duration(), spec)
        }
    }

    /// The defaults for own data.
    pub(crate) fn of_own(own: OwnData) -> Self {
        let (preset, batch, spec) = (own.preset(), own.batch(), own.spec());
        let shards = own_data::shards(own.shape(), batch);
        Self { own: Some(own.clone()), shards, ..Self::with(preset, batch, own.duration(batch), spec) }
    }

    /// The defaults for own data of `shape` that are not there.
    ///
    /// # Errors
    ///
    /// Those of [`OwnData::of_shape`].
    pub(crate) fn of_shape(shape: Shape) -> Result<Self> {
        let (own, batch) = (OwnData::of_shape(shape)?, own_data::batch(shape, usize::MAX));
        let (shards, duration) = (own_data::shards(shape, batch), own_data::duration(shape, 1, batch));
        let spec = own_data::spec_with(shape, &[], 0);
        Ok(Self { own: Some(own), shards, ..Self::with(Preset::Own(shape), batch, duration, spec) })
    }

    /// The defaults of all presets.
    fn with(preset: Preset, batch: usize, duration: Duration, spec: GanSpec) -> Self {
        Self {
            preset,
            duration,
            batch,
            shards: 1,
            seed: 0,
            derivation: Derivation::default(),
            shuffle: true,
            balance: false,
            threads: 0,
            engine: EngineKind::default(),
            isa: None,
            memory_limit: None,
            evaluate_every: None,
            report_every: None,
            checkpoint_steps: 0,
            checkpoint_seconds: 60,
            keep: 2,
            best: measure_names::main_measure(preset).map(str::to_string),
            best_is_asked: false,
            patience: 0,
            tensorboard: true,
            save_epochs: 0,
            points: None,
            directory: None,
            own: None,
            weights: Vec::new(),
            spec,
        }
    }

    /// Where the objective asks for another last layer of D than the preset's: that it has it.
    pub(crate) fn fitted_discriminator(&self) -> Option<String> {
        let mut usual = match (self.preset.known(), &self.own) {
            (Some(preset), _) => preset.spec(),
            (None, Some(own)) => own.spec(),
            (None, None) => return None,
        };
        let before = usual.objective.logits();
        usual.objective = self.spec.objective;
        let is_fitted =
            engine::fit_discriminator(&mut usual) && usual.discriminator.layers == self.spec.discriminator.layers;
        let after = usual.objective.logits();
        is_fitted.then(|| {
            let objective = self.spec.objective.name();
            format!("D's last layer has {after} outputs instead of {before}, as the objective {objective} needs")
        })
    }

    /// Whether the run's best model is the one to take: where somebody asked for the best, or for an early end.
    pub(crate) fn takes_best(&self) -> bool {
        self.best.is_some() && (self.best_is_asked || self.patience > 0)
    }

    /// The file of own data.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where none is named.
    pub(crate) fn own_data(&self) -> Result<&OwnData> {
        self.own.as_ref().ok_or_else(|| Error::setting("data.file", "is missing; own data need a file"))
    }

    /// The name in titles of pictures: the preset's, or what is shown of own data.
    pub(crate) fn title(&self) -> String {
        self.own.as_ref().map_or_else(|| self.preset.name().to_string(), OwnData::title)
    }

    /// Takes the samples from `path`, the option `--data`: the folder of mnist, or another file of own data.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for presets that need neither.
    pub(crate) fn take_data(&mut self, path: &Path) -> Result<()> {
        match &mut self.own {
            _ if self.preset.reads_folder() => self.directory = Some(path.to_path_buf()),
            Some(own) => *own = own.with_file(DataFile::named(path, own.limit)?)?,
            _ => {
                let problem = format!("{} needs no data; leave --data out", self.preset.name());
                return Err(Error::setting("data", problem));
            }
        }
        Ok(())
    }

    /// Whether the schedule of the learning rates is to be as long as the run.
    fn schedule_follows_length(&self) -> bool {
        self.spec.schedule.decay != RateDecay::Constant && self.spec.schedule.steps == 0
    }

    /// Whether instance noise is to fall as long as the run.
    fn noise_follows_length(&self) -> bool {
        self.spec.instance_noise != 0.0 && self.spec.instance_noise_steps == 0
    }

    /// Gives a schedule and instance noise without a length that of the run, on so many samples.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where the schedule's warm-up takes all of them.
    pub(crate) fn resolve_schedule(&mut self, samples: usize) -> Result<()> {
        let length = match self.duration {
            Duration::Epochs(epochs) => {
                let per_step = (self.batch as u128).saturating_mul(self.spec.discriminator_steps as u128).max(1);
                u64::try_from((u128::from(epochs) * samples as u128).div_ceil(per_step)).unwrap_or(u64::MAX)
            }
            Duration::Steps(steps) => steps,
        };
        if self.noise_follows_length() {
            self.spec.instance_noise_steps = length;
        }
        if self.schedule_follows_length() {
            self.spec.schedule.steps = length;
            return self.validate();
        }
        Ok(())
    }

    /// Checks what does not need the data.
    pub(crate) fn validate(&self) -> Result<()> {
        self.check_widths()?;
        let mut spec = self.spec.clone();
        if self.schedule_follows_length() {
            // Any length will do here; that of the run is known with its data.
            spec.schedule.steps = u64::MAX;
        }
        if self.noise_follows_length() {
            spec.instance_noise_steps = u64::MAX;
        }
        spec.validate().map_err(|error| match error {
            Error::InvalidSetting { name, problem } => Error::setting(format!("gan.{name}"), problem),
            other => other,
        })?;
        if self.patience > 0 && self.best.is_none() {
            let problem = "has no measure to go by; set best to one of evaluation.csv, or leave it out";
            return Err(Error::setting("run.patience", problem));
        }
        if self.balance && self.classes().is_none() {
            let problem = "has no classes to balance; name the column or the file that holds them (--labels, or `labels` of [data]), or leave it out";
            return Err(Error::setting("data.balance", problem));
        }
        let (made, features) = (self.spec.features(), self.preset.features());
        if made != features {
            let last = self.spec.generator.layers.len().saturating_sub(1);
            let name = self.preset.name();
            let problem = format!(
                "the last layer gives {}, but a sample of {name} has {features}",
                counted(made as u64, "value")
            );
            return Err(Error::setting(format!("gan.generator.layers[{last}].outputs"), problem));
        }
        Ok(())
    }

    /// Checks that the layers take and make what a sample of own data has, which settings of the data decide.
    fn check_widths(&self) -> Result<()> {
        let Some(own) = &self.own else { return Ok(()) };
        let GanSpec { generator, discriminator, conditions, packing, .. } = &self.spec;
        let (Some(last), false) = (generator.layers.last(), discriminator.layers.is_empty()) else { return Ok(()) };
        let (features, conditions) = (self.preset.features(), *conditions);
        let taken = features.saturating_add(conditions).saturating_mul(*packing);
        let groups = own.codec().map_or(&[][..], |codec| codec.groups());
        let of_generator = format!("gan.generator.layers[{}]", generator.layers.len() - 1);
        let inputs = own.spec().generator.inputs();
        // What there is, what it is to be, and whether that is wrong.
        let sizes = [
            (
                format!("{of_generator}.outputs"),
                last.outputs.to_string(),
                features.to_string(),
                last.outputs != features,
            ),
            (
                format!("{of_generator}.softmax"),
                format!("{:?}", last.softmax),
                format!("{groups:?}"),
                own.codec().is_some()
                    && last.softmax != groups
                    // Outputs of one's own may have no groups; where they are to be others, the defaults' are told.
                    && (!last.softmax.is_empty() || last.outputs != features),
            ),
            (
                "gan.discriminator.layers[0].inputs".to_string(),
                discriminator.inputs().to_string(),
                taken.to_string(),
                discriminator.inputs() != taken,
            ),
            (
                "gan.generator.layers[0].inputs".to_string(),
                generator.inputs().to_string(),
                inputs.to_string(),
                generator.inputs() <= conditions,
            ),
        ];
        let wrong: Vec<_> = sizes.iter().filter(|(.., is_wrong)| *is_wrong).collect();
        let Some((name, is, needed, _)) = wrong.first() else { return Ok(()) };
        let more: Vec<String> = wrong[1..].iter().map(|(name, _, needed, _)| format!("{name} to {needed}")).collect();
        let more = if more.is_empty() { String::new() } else { format!(" (and {})", more.join(", ")) };
        let (what, values) = if own.codec().is_some() { ("a row", "values") } else { ("an image", "pixels") };
        let groups =
            if groups.is_empty() { String::new() } else { format!(", of which the last are in groups of {groups:?}") };
        let classes = match conditions {
            0 => String::new(),
            1 => ", and there is 1 class".to_string(),
            more => format!(", and there are {}", counted(more as u64, "class")),
        };
        let before = own.classes_before();
        let latents = if before == conditions {
            String::new()
        } else {
            format!(
                "; the inputs of gan.generator.layers[0] are latents and classes, of which there were {before} before"
            )
        };
        let packed = if *packing == 1 { String::new() } else { format!(", in packs of {packing}") };
        let problem = format!(
            "is {is}, but {what} of {} has {features} {values}{groups}{classes}{packed}, {}; set it to {needed}{more}, or delete [gan] \
             with its networks to get the defaults for these data{latents}",
            own.file.origin().display(),
            own.why_so_many_values(),
        );
        Err(Error::setting(name.as_str(), problem))
    }

    /// The classes under which samples are made, if they are.
    pub(crate) fn classes(&self) -> Option<Classes> {
        match (&self.own, self.preset.known()) {
            (Some(own), _) => own.labels.as_ref().map(|labels| labels.classes.clone()),
            (None, Some(preset)) => table::entry(preset).classes.map(|classes| classes()),
            (None, None) => None,
        }
    }

    /// What the trainer of a seed draws from: the samples, and where both networks are given their classes these.
    ///
    /// # Errors
    ///
    /// Labels that are of no known class.
    pub(crate) fn source(&self, samples: &Samples, seed: u64) -> Result<Arc<dyn Source>> {
        match self.classes() {
            Some(classes) if self.balance => samples.balanced(classes.len(), seed),
            Some(classes) => samples.labelled(classes.len()),
            None => Ok(samples.source()),
        }
    }

    /// Samples of `model` for measures: of all classes, as often as in the data.
    ///
    /// # Errors
    ///
    /// As [`Model::sample`].
    pub(crate) fn measured_samples(&self, model: &Model, count: usize, isa: Isa) -> Result<Vec<f32>> {
        let classes = self.classes();
        let condition = |index, row: &mut [f32]| {
            if let Some(classes) = &classes {
                one_hot(classes.of_sample(index), row);
            }
        };
        let mut samples = engine::measured_samples(model, &self.spec, count, self.run_seed(), &condition, isa)?;
        self.harden(&mut samples);
        Ok(samples)
    }

    /// Samples of `model` for pictures, of which the first `columns` values are kept: of one class after the other.
    ///
    /// # Errors
    ///
    /// As [`Model::sample`].
    pub(crate) fn shown_samples(&self, model: &Model, count_and_columns: [usize; 2], isa: Isa) -> Result<Vec<f32>> {
        let classes = self.classes();
        let condition = |index, row: &mut [f32]| {
            if let Some(classes) = &classes {
                one_hot(classes.in_turn(index), row);
            }
        };
        let mut samples =
            engine::shown_samples(model, &self.spec, count_and_columns, self.run_seed(), &condition, isa)?;
        if count_and_columns[1] >= self.spec.features() {
            self.harden(&mut samples);
        }
        Ok(samples)
    }

    /// How samples of `model` become rows of the run's table; `None` of anything else.
    ///
    /// # Errors
    ///
    /// As [`Model::sample`].
    pub(crate) fn calibration(&self, model: &Model, isa: Isa) -> Result<Option<Calibration>> {
        /// Keeps its samples apart from those of measures.
        const DOMAIN: u64 = 0x5bd1_e995_9e37_79b9;
        let Some(codec) = self.own.as_ref().and_then(OwnData::codec) else { return Ok(None) };
        let classes = self.classes();
        let condition = |index, row: &mut [f32]| {
            if let Some(classes) = &classes {
                one_hot(classes.of_sample(index), row);
            }
        };
        let seed = RunSeed { seed: self.seed ^ DOMAIN, derivation: self.derivation };
        let samples = engine::measured_samples(model, &self.spec, codec.calibration_samples(), seed, &condition, isa)?;
        Ok(Some(codec.calibration(&samples)))
    }

    /// Makes of samples of a table, with all their values, what its rows are: one of each group. They are what the generator makes, not
    /// put right by a [calibration](Self::calibration), under which nobody would see what it has not learned.
    fn harden(&self, samples: &mut [f32]) {
        if let Some(codec) = self.own.as_ref().and_then(OwnData::codec) {
            codec.harden(samples);
        }
    }

    /// Samples of `model` as `gannet sample` gives them: those for measures, put right by a [calibration](Self::calibration).
    ///
    /// # Errors
    ///
    /// As [`Model::sample`].
    pub(crate) fn calibrated_samples(&self, model: &Model, count: usize, isa: Isa) -> Result<Vec<f32>> {
        let classes = self.classes();
        let condition = |index, row: &mut [f32]| {
            if let Some(classes) = &classes {
                one_hot(classes.of_sample(index), row);
            }
        };
        let mut samples = engine::measured_samples(model, &self.spec, count, self.run_seed(), &condition, isa)?;
        self.calibration(model, isa)?.iter().for_each(|calibration| calibration.apply(&mut samples));
        Ok(samples)
    }

    /// The seed, for what is drawn outside of steps.
    pub(crate) fn run_seed(&self) -> RunSeed {
        RunSeed { seed: self.seed, derivation: self.derivation }
    }

    /// The trainer's share of the settings.
    pub(crate) fn trainer_options(&self) -> TrainerOptions {
        TrainerOptions::default()
            .with_batch(self.batch)
            .with_shards(self.shards)
            .with_seed(self.seed)
            .with_shuffle(self.shuffle)
            .with_threads(self.threads)
            .with_engine(self.engine)
            .with_isa(self.isa)
            .with_memory_limit(self.memory_limit)
    }
}
