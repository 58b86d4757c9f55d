//! The settings of a run: from a system's defaults, a configuration file and the command line, in this order.

use std::path::{Path, PathBuf};

use anyhow::Context;
use gannet::data::digits;
use gannet::gan::presets::{Duration, Preset};
use gannet::gan::{EngineKind, GanSpec, OptimizerSpec, TrainerOptions};
use gannet::internals::engine;
use gannet::internals::file;
use gannet::simd::IsaKind;
use gannet::{Error, Result};

use super::args::{OBJECTIVES, TrainArgs, name_of};
use super::config_file::{self, LARGEST};
use super::contents::{self, Contents};
use super::measures;
use super::nearest::suggestion;
use super::output::note;
use super::own::{self, OwnData};
use super::run_folder::{CONFIG, refused};
use super::system::{self, OWN, System};

/// Training images of MNIST.
const MNIST_IMAGES: u64 = 60_000;

/// The settings of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunConfig {
    /// Which data, measures and pictures.
    pub(crate) system: System,
    /// Length of the training.
    pub(crate) duration: Duration,
    /// Samples of a step.
    pub(crate) batch: usize,
    /// Seed of everything.
    pub(crate) seed: u64,
    /// Whether the data are shuffled anew for each epoch.
    pub(crate) shuffle: bool,
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
    /// Whether event files for TensorBoard are written.
    pub(crate) tensorboard: bool,
    /// Epochs between model files; 0 = only the last.
    pub(crate) save_epochs: u64,
    /// Points of a synthetic system.
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
        let preset = self.system.preset()?;
        let usual = Self::of(preset);
        let same = self.spec == usual.spec
            && (self.batch, self.points, self.shuffle) == (usual.batch, usual.points, usual.shuffle)
            && self.weights.is_empty();
        let samples = match preset {
            Preset::Mnist => MNIST_IMAGES,
            Preset::Digits => digits::COUNT as u64,
            _ => self.points? as u64,
        };
        let steps = match self.duration {
            Duration::Epochs(epochs) => epochs.saturating_mul(samples).div_ceil(self.batch as u64),
            Duration::Steps(steps) => steps,
        };
        same.then_some((preset.name(), steps))
    }

    /// A reference system's defaults.
    pub(crate) fn of(preset: Preset) -> Self {
        Self {
            points: preset.points(),
            shuffle: preset.shuffle(),
            // Its document saves both networks at each epoch: of 200, that would be 2.4 GB.
            save_epochs: if preset == Preset::Mnist { 100 } else { 0 },
            ..Self::with(System::Preset(preset), preset.batch(), preset.duration(), preset.spec())
        }
    }

    /// The defaults for own data.
    pub(crate) fn of_own(own: OwnData) -> Self {
        let (system, batch, spec) = (own.system(), own.batch(), own.spec());
        Self { own: Some(own.clone()), ..Self::with(system, batch, own.duration(batch), spec) }
    }

    /// The defaults of all systems.
    fn with(system: System, batch: usize, duration: Duration, spec: GanSpec) -> Self {
        Self {
            system,
            duration,
            batch,
            seed: 0,
            shuffle: true,
            threads: 0,
            engine: EngineKind::default(),
            isa: None,
            memory_limit: None,
            evaluate_every: None,
            report_every: None,
            checkpoint_steps: 0,
            checkpoint_seconds: 60,
            keep: 2,
            best: measures::main_measure(system).map(str::to_string),
            tensorboard: true,
            save_epochs: 0,
            points: None,
            directory: None,
            own: None,
            weights: Vec::new(),
            spec,
        }
    }

    /// What `gannet train` was asked for: a system, a data file or a configuration file, and the options that override it.
    ///
    /// # Errors
    ///
    /// An unknown system, a file that cannot be read, settings that make no sense.
    pub(crate) fn from_args(args: &TrainArgs) -> anyhow::Result<Self> {
        let mut config = Self::named(Path::new(&args.what), args.data.as_deref(), args.memory_limit)?;
        config.override_by(args)?;
        config.validate()?;
        Ok(config)
    }

    /// Where the objective asks for another last layer of D than the system's: that it has it.
    pub(crate) fn fitted_discriminator(&self) -> Option<String> {
        let mut usual = match (self.system.preset(), &self.own) {
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
            let objective = name_of(OBJECTIVES, &self.spec.objective);
            format!("D's last layer has {after} outputs instead of {before}, as the objective {objective} needs")
        })
    }

    /// The settings that `what` names: a system, a data file, a configuration file or a run. `data` takes the place of the
    /// file of own data, and `limit` that of the most memory that the run may take.
    ///
    /// # Errors
    ///
    /// An unknown system, a file that cannot be read, settings that make no sense.
    pub(crate) fn named(path: &Path, data: Option<&Path>, limit: Option<u64>) -> anyhow::Result<Self> {
        let of_file =
            |file: &Path| Ok(Self::of_own(OwnData::new(file, own::Settings { limit, ..Default::default() })?));
        // Only a name of text can be a system's; a path may be of any bytes.
        let what = path.to_str();
        if let Some(preset) = what.and_then(Preset::from_name) {
            let what = preset.name();
            if path.is_file() {
                note(&format!("{what} is the system of this name; for the file write ./{what}"));
            }
            return Ok(Self::of(preset));
        }
        if what == Some(OWN) {
            let missing = || Error::setting("data", "own needs the file with your samples; give it with --data FILE");
            return of_file(data.ok_or_else(missing)?);
        }
        if path.is_dir() {
            let config = path.join(CONFIG);
            return if config.exists() {
                Self::read_with(&config, data, limit)
            } else {
                Err(contents::folder(path).into())
            };
        }
        match Contents::of(path) {
            Ok(Contents::Config) => Self::read_with(path, data, limit),
            Ok(contents) if contents.are_samples() => match data {
                Some(_) => {
                    Err(Error::setting("data", format!("{} is the data already; leave --data out", path.display()))
                        .into())
                }
                None => of_file(path),
            },
            Ok(contents) => Err(contents.instead(path, "data or a configuration").into()),
            // A word that names no file may be meant as a system.
            Err(Error::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound
                    && path.extension().is_none()
                    && what.is_some_and(|what| !what.contains(std::path::MAIN_SEPARATOR)) =>
            {
                Err(system::unknown("system", what.unwrap_or_default()).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is no TOML, or has unknown or senseless settings.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        Self::read_with(path, None, None)
    }

    /// The same with another file of own data, and with another limit of memory than the file has.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(crate) fn read_with(path: &Path, data: Option<&Path>, limit: Option<u64>) -> anyhow::Result<Self> {
        let text = read_text(path)?;
        config_file::parse(&text, path.parent(), data, limit).with_context(|| path.display().to_string())
    }

    /// The file of own data.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where none is named.
    pub(crate) fn own_data(&self) -> Result<&OwnData> {
        self.own.as_ref().ok_or_else(|| Error::setting("data.file", "is missing; own data need a file"))
    }

    /// The name in titles of pictures: the system's, or what is shown of own data.
    pub(crate) fn title(&self) -> String {
        self.own.as_ref().map_or_else(|| self.system.name().to_string(), OwnData::title)
    }

    /// Takes the samples from `path`, the option `--data`: the folder of mnist, or another file of own data.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for systems that need neither.
    pub(crate) fn take_data(&mut self, path: &Path) -> Result<()> {
        match (self.system, &mut self.own) {
            (System::Preset(Preset::Mnist), _) => self.directory = Some(path.to_path_buf()),
            (_, Some(own)) => *own = own.with_file(path)?,
            _ => {
                let problem = format!("{} needs no data; leave --data out", self.system.name());
                return Err(Error::setting("data", problem));
            }
        }
        Ok(())
    }

    /// Options of the command line take the place of settings.
    ///
    /// # Errors
    ///
    /// Options that this system has no use for.
    pub(crate) fn override_by(&mut self, args: &TrainArgs) -> Result<()> {
        match (args.epochs, args.steps) {
            (Some(epochs), _) => self.duration = Duration::Epochs(epochs),
            (None, Some(steps)) => self.duration = Duration::Steps(steps),
            (None, None) => {}
        }
        replace(&mut self.batch, args.batch);
        replace(&mut self.seed, args.seed);
        replace(&mut self.threads, args.threads);
        replace(&mut self.engine, args.engine);
        replace(&mut self.checkpoint_steps, args.checkpoint_steps);
        replace(&mut self.checkpoint_seconds, args.checkpoint_seconds);
        replace(&mut self.keep, args.keep);
        if let Some(name) = &args.best {
            self.best = measure(self.system, name)?;
        }
        self.tensorboard &= !args.no_tensorboard;
        replace(&mut self.save_epochs, args.save_epochs);
        self.isa = args.isa.or(self.isa);
        self.memory_limit = args.memory_limit.or(self.memory_limit);
        if let Some(own) = &mut self.own {
            own.limit = self.memory_limit;
        }
        self.evaluate_every = args.evaluate_every.or(self.evaluate_every);
        self.report_every = args.report_every.or(self.report_every);
        if args.points.is_some() {
            if self.points.is_none() {
                return Err(Error::setting(
                    "points",
                    format!("{} has a fixed number of samples; leave --points out", self.system.name()),
                ));
            }
            self.points = args.points;
        }
        if !args.weights.is_empty() {
            let absolute = |file: &PathBuf| std::path::absolute(file).map_err(refused("find", file));
            self.weights = args.weights.iter().map(absolute).collect::<Result<_>>()?;
        }
        // The file of own data has been taken already: its settings depend on it.
        if let Some(data) = args.data.as_deref().filter(|_| self.own.is_none()) {
            self.take_data(data)?;
        }
        if let Some(objective) = args.objective {
            self.spec.objective = objective;
            engine::fit_discriminator(&mut self.spec);
        }
        replace(&mut self.spec.order, args.order);
        replace(&mut self.spec.discriminator_steps, args.discriminator_steps);
        let GanSpec { generator_optimizer, discriminator_optimizer, .. } = &mut self.spec;
        for (optimizer, rate) in [
            (generator_optimizer, args.generator_learning_rate.or(args.learning_rate)),
            (discriminator_optimizer, args.discriminator_learning_rate.or(args.learning_rate)),
        ] {
            if let Some(rate) = rate {
                *optimizer = optimizer.with_learning_rate(rate);
            }
        }
        let GanSpec { generator_optimizer, discriminator_optimizer, .. } = &mut self.spec;
        for (network, optimizer, own) in [
            ("generator", generator_optimizer, args.generator_beta1),
            ("discriminator", discriminator_optimizer, args.discriminator_beta1),
        ] {
            match (optimizer, own.or(args.beta1)) {
                (_, None) => {}
                (OptimizerSpec::Adam { beta1, .. }, Some(value)) => *beta1 = value,
                (OptimizerSpec::Sgd { .. }, Some(_)) => {
                    let problem = format!(
                        "the {network}'s optimizer is gradient descent (sgd), which has none; leave it out, or set gan.{network}_optimizer to Adam in a configuration file"
                    );
                    return Err(Error::setting("beta1", problem));
                }
            }
        }
        Ok(())
    }

    /// Checks what does not need the data.
    pub(crate) fn validate(&self) -> Result<()> {
        let positive = [
            ("run.batch", Some(self.batch as u64)),
            ("run.epochs", if let Duration::Epochs(epochs) = self.duration { Some(epochs) } else { None }),
            ("run.steps", if let Duration::Steps(steps) = self.duration { Some(steps) } else { None }),
            ("run.evaluate_every", self.evaluate_every),
            ("run.report_every", self.report_every),
            ("run.memory_limit", self.memory_limit),
            ("run.keep", Some(self.keep as u64)),
            ("data.points", self.points.map(|points| points as u64)),
        ];
        for (name, value) in positive {
            if value == Some(0) {
                return Err(Error::setting(name, "must be a whole number from 1 up"));
            }
        }
        self.spec.validate().map_err(|error| match error {
            Error::InvalidSetting { name, problem } => Error::setting(format!("gan.{name}"), problem),
            other => other,
        })?;
        let (made, features) = (self.spec.features(), self.system.features());
        if made != features {
            let last = self.spec.generator.layers.len().saturating_sub(1);
            let whose =
                self.own.as_ref().map_or_else(|| self.system.name().to_string(), |own| own.file.display().to_string());
            let problem = format!("the last layer gives {made} values, but a sample of {whose} has {features}");
            return Err(Error::setting(format!("gan.generator.layers[{last}].outputs"), problem));
        }
        Ok(())
    }

    /// The trainer's share of the settings.
    pub(crate) fn trainer_options(&self) -> TrainerOptions {
        TrainerOptions {
            batch: self.batch,
            seed: self.seed,
            shuffle: self.shuffle,
            threads: self.threads,
            engine: self.engine,
            isa: self.isa,
            memory_limit: self.memory_limit,
            pool: None,
            stop: None,
        }
    }
}

/// The name of a measure whose best value is looked for; none for `none`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that tells the known names.
pub(crate) fn measure(system: System, name: &str) -> Result<Option<String>> {
    let known: Vec<&str> = measures::rated_names(system).collect();
    if name == "none" {
        Ok(None)
    } else if known.contains(&name) {
        Ok(Some(name.to_string()))
    } else {
        let hint = suggestion(name, known.iter().copied());
        let problem = format!("`{name}` is no measure that has a best value{hint} (none, {})", known.join(", "));
        Err(Error::setting("run.best", problem))
    }
}

/// Values of one sample of a reference system.
pub(crate) fn features(preset: Preset) -> usize {
    System::Preset(preset).features()
}

/// The reference system called `name`.
///
/// # Errors
///
/// [`Error::InvalidSetting`] that tells the known names.
pub(crate) fn preset(name: &str) -> Result<Preset> {
    Preset::from_name(name).ok_or_else(|| {
        let names = Preset::ALL.map(Preset::name);
        let known = format!("(known systems: {})", names.join(", "));
        Error::setting("system", format!("`{name}` is unknown{} {known}", suggestion(name, names)))
    })
}

/// The text of a configuration file. What is far larger than any of them is not read to its end, which may never come.
fn read_text(path: &Path) -> Result<String> {
    let wrong = |problem: &str| {
        Err(Error::data(path.display().to_string(), format!("{problem}; give the config.toml of a run")))
    };
    if file::open(path)?.1 > LARGEST {
        return wrong("is no configuration file: it has more than 8 MiB");
    }
    String::from_utf8(file::read(path, LARGEST)?).or_else(|_| wrong("is no configuration file: it is not text (UTF-8)"))
}

/// Sets `place` to `value` if there is one.
pub(crate) fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
