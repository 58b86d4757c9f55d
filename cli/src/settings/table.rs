//! All settings with one value: one entry each. Options, configuration files, their schema, templates and reports follow from it.
//!
//! What has settings of its own (optimizers, networks, the columns of own data) is described by its types, and in
//! `structures.schema.json`.

use gannet::gan::GanSpec;
use gannet::gan::presets::Duration;
use gannet::internals::numbers::thousands;
use toml::Value;

use gannet_settings::values::{ENGINES, ISAS, MOST_SHARDS, name_of, names, of_name};
use gannet_settings::{CommandOption, HasSpec, Kind, chosen, number, path, size, text, whole};

use super::config::RunConfig;
use crate::numbers::counted;
use crate::preset::{Preset, measure_names};

/// A setting of a run.
pub(crate) type Setting = gannet_settings::Setting<RunConfig>;

impl HasSpec for RunConfig {
    fn spec(&self) -> &GanSpec {
        &self.spec
    }

    fn spec_mut(&mut self) -> &mut GanSpec {
        &mut self.spec
    }
}

/// Settings of which only one can be given.
pub(crate) const EXCLUSIVE: [&str; 2] = ["epochs", "steps"];

/// All of them, in the order of a configuration file.
pub(crate) const SETTINGS: &[Setting] = &all::<{ OF_RUN.len() + Setting::GAN.len() }>();

/// Those of a run, then those of its GAN.
const fn all<const COUNT: usize>() -> [Setting; COUNT] {
    let mut all = [OF_RUN[0]; COUNT];
    let mut index = 1;
    while index < COUNT {
        all[index] = if index < OF_RUN.len() { OF_RUN[index] } else { Setting::GAN[index - OF_RUN.len()] };
        index += 1;
    }
    all
}

/// Those beside the table `[gan]`.
const OF_RUN: &[Setting] = &[
    Setting {
        example: "\"circle\"",
        is_listed: false,
        get: |config| Some(Value::String(config.preset.name().to_string())),
        // Everything else has the defaults of the preset, so that it is known before any setting is set.
        words: Some(("preset", |config| config.preset.name().to_string())),
        ..Setting::new(
            "run",
            "preset",
            Kind::Choice(|| Preset::names().collect()),
            "What is learned: one of the presets, or `own` for a file of yours, which [data] names.",
        )
    },
    Setting {
        option: Some(CommandOption { name: "epochs", value: "N", help: "Train for N passes over the data." }),
        example: "100",
        follows_data: true,
        get: |config| match config.duration {
            Duration::Epochs(epochs) => Some(number(epochs)),
            Duration::Steps(_) => None,
        },
        set: |config, value| {
            config.duration = Duration::Epochs(whole(value));
            Ok(())
        },
        ..Setting::new(
            "run",
            "epochs",
            Kind::POSITIVE,
            "Length of the training in passes over the data; or give `steps`.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "steps",
            value: "N",
            help: "Train for N steps of the generator, instead of epochs.",
        }),
        example: "10000",
        get: |config| match config.duration {
            Duration::Steps(steps) => Some(number(steps)),
            Duration::Epochs(_) => None,
        },
        set: |config, value| {
            config.duration = Duration::Steps(whole(value));
            Ok(())
        },
        ..Setting::new(
            "run",
            "steps",
            Kind::POSITIVE,
            "Length of the training in steps of the generator; or give `epochs`.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "batch",
            value: "N",
            help: "Real samples, and as many generated ones, in a step.",
        }),
        example: "128",
        follows_data: true,
        get: |config| Some(number(config.batch)),
        set: |config, value| {
            config.batch = size(value);
            // There are no more parts than samples, unless somebody asks for them.
            config.shards = config.shards.min(1 << config.batch.max(1).ilog2());
            Ok(())
        },
        words: Some(("batch", |config| thousands(config.batch as u64))),
        ..Setting::new(
            "run",
            "batch",
            Kind::POSITIVE,
            "Real samples, and as many generated ones, in a step. At most the samples of the data.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "shards",
            value: "N",
            help: "Parts of a batch whose gradients are added in a tree, a power of two: as many processes can then share a batch and \
                   come to the same bits. The result depends on it [default: 1; 2 for a table with categories or gaps].",
        }),
        get: |config| Some(number(config.shards)),
        set: |config, value| {
            config.shards = size(value);
            Ok(())
        },
        words: Some(("shards", |config| thousands(config.shards as u64))),
        ..Setting::new(
            "run",
            "shards",
            Kind::PowerOfTwo { most: MOST_SHARDS },
            "Parts of a batch whose gradients are added in a tree: a power of two, at most the batch. As many processes can share a \
             batch and come to the same bits. The result depends on it.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "seed",
            value: "N",
            help: "Seed of everything that is drawn: data, initial weights, order, latents, dropout.",
        }),
        get: |config| Some(number(config.seed)),
        set: |config, value| {
            config.seed = whole(value);
            Ok(())
        },
        words: Some(("seed", |config| config.seed.to_string())),
        ..Setting::new(
            "run",
            "seed",
            Kind::COUNT,
            "Seed of everything that is drawn: made data, initial weights, order, latents, dropout.",
        )
    },
    Setting {
        get: |config| Some(Value::Boolean(config.shuffle)),
        set: |config, value| {
            config.shuffle = value.as_bool().unwrap_or(config.shuffle);
            Ok(())
        },
        words: Some(("shuffled", |config| if config.shuffle { "for each epoch" } else { "no" }.to_string())),
        ..Setting::new("run", "shuffle", Kind::Flag, "Whether the data come in a new order in each epoch.")
    },
    Setting {
        option: Some(CommandOption {
            name: "balance",
            value: "",
            help: "Train rare classes more often than they are, by the logarithm of their numbers of samples; samples keep the data's \
                   proportions. With --labels, or a preset that has classes.",
        }),
        stands: |config| config.classes().is_some(),
        get: |config| Some(Value::Boolean(config.balance)),
        set: |config, value| {
            config.balance = value.as_bool().unwrap_or(config.balance);
            Ok(())
        },
        words: Some(("balanced", |config| if config.balance { "by classes" } else { "" }.to_string())),
        ..Setting::new(
            "data",
            "balance",
            Kind::Flag,
            "Whether real samples of rare classes come more often than they are: a class by the logarithm of its number of samples, and \
             one of these. Samples keep the data's proportions.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "threads",
            value: "N",
            help: "Worker threads; 0 = one for each processor, and at most 4 for each (or 16). The result does not depend on it \
                   [default: 0].",
        }),
        is_listed: false,
        get: |config| Some(number(config.threads)),
        set: |config, value| {
            config.threads = size(value);
            Ok(())
        },
        words: Some(("threads", |config| match config.threads {
            0 => "one a processor".to_string(),
            threads => threads.to_string(),
        })),
        ..Setting::new(
            "run",
            "threads",
            Kind::COUNT,
            "Worker threads; 0 = one for each processor. More than 4 for each processor (at least 16) are not taken. The result does \
             not depend on it.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "engine",
            value: "ENGINE",
            help: "What computes the matrix products; auto takes the faster one for each [default: auto].",
        }),
        is_listed: false,
        get: |config| Some(Value::String(name_of(ENGINES, &config.engine).to_string())),
        set: |config, value| {
            chosen(ENGINES, value, &mut config.engine);
            Ok(())
        },
        words: Some(("engine", |config| name_of(ENGINES, &config.engine).to_string())),
        ..Setting::new(
            "run",
            "engine",
            Kind::Choice(|| names(ENGINES)),
            "What computes the matrix products; auto takes the faster one for each: auto, native, matrixmultiply.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "isa",
            value: "ISA",
            help: "Force an instruction set [default: $GANNET_ISA, or the best].",
        }),
        example: "\"avx2\"",
        is_listed: false,
        get: |config| config.isa.map(|isa| Value::String(name_of(ISAS, &isa).to_string())),
        set: |config, value| {
            config.isa = of_name(ISAS, text(value));
            Ok(())
        },
        words: Some(("instruction set", |config| {
            config.isa.map_or_else(|| "the best".to_string(), |isa| isa.to_string())
        })),
        ..Setting::new(
            "run",
            "isa",
            Kind::Choice(|| names(ISAS)),
            "A forced instruction set: avx512, avx2, portable. Without it: $GANNET_ISA, or the best.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "memory-limit",
            value: "SIZE",
            help: "Most memory that the run may take, data, measuring and saving included, in bytes or as 512MiB, 2GiB ...; --plan \
                   shows the parts.",
        }),
        example: "\"2GiB\"",
        is_listed: false,
        get: |config| config.memory_limit.map(number),
        set: |config, value| {
            config.memory_limit = Some(whole(value));
            if let Some(own) = &mut config.own {
                own.limit = config.memory_limit;
            }
            Ok(())
        },
        words: Some(("memory limit", |config| {
            config.memory_limit.map_or_else(|| "none".to_string(), |limit| counted(limit, "byte"))
        })),
        ..Setting::new(
            "run",
            "memory_limit",
            Kind::Bytes,
            "Most memory that the run may take, in bytes or as \"512MiB\", \"2GiB\". Without it: what the system gives.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "report-every",
            value: "N",
            help: "Write the losses to metrics.csv every N steps [default: a thousand times a run or more].",
        }),
        example: "10",
        is_listed: false,
        get: |config| config.report_every.map(number),
        set: |config, value| {
            config.report_every = Some(whole(value));
            Ok(())
        },
        ..Setting::new(
            "run",
            "report_every",
            Kind::POSITIVE,
            "Steps between rows of metrics.csv. Without it: a thousand rows a run or more.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "evaluate-every",
            value: "N",
            help: "Measure and draw every N steps [default: ten times a run].",
        }),
        example: "1000",
        is_listed: false,
        get: |config| config.evaluate_every.map(number),
        set: |config, value| {
            config.evaluate_every = Some(whole(value));
            Ok(())
        },
        ..Setting::new(
            "run",
            "evaluate_every",
            Kind::POSITIVE,
            "Steps between measurements and pictures. Without it: ten times a run.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "checkpoint-steps",
            value: "N",
            help: "Write a checkpoint every N steps; 0 = by time alone [default: 0].",
        }),
        get: |config| Some(number(config.checkpoint_steps)),
        set: |config, value| {
            config.checkpoint_steps = whole(value);
            Ok(())
        },
        ..Setting::new("run", "checkpoint_steps", Kind::COUNT, "Steps between checkpoints; 0 = by time alone.")
    },
    Setting {
        option: Some(CommandOption {
            name: "checkpoint-seconds",
            value: "N",
            help: "Write a checkpoint every N seconds; 0 = by steps alone [default: 60].",
        }),
        get: |config| Some(number(config.checkpoint_seconds)),
        set: |config, value| {
            config.checkpoint_seconds = whole(value);
            Ok(())
        },
        ..Setting::new("run", "checkpoint_seconds", Kind::COUNT, "Seconds between checkpoints; 0 = by steps alone.")
    },
    Setting {
        option: Some(CommandOption { name: "keep", value: "N", help: "Keep the last N checkpoints [default: 2]." }),
        get: |config| Some(number(config.keep)),
        set: |config, value| {
            config.keep = size(value);
            Ok(())
        },
        ..Setting::new("run", "keep", Kind::POSITIVE, "Checkpoints that are kept: the last ones.")
    },
    Setting {
        option: Some(CommandOption {
            name: "best",
            value: "MEASURE",
            help: "Keep the checkpoint of the evaluation with the best value of this measure, too, and let gannet sample, evaluate and \
                   export take it; none = do not [default: kept by the preset's distance, and taken where those commands are asked for the best].",
        }),
        example: "\"none\"",
        is_listed: false,
        // The preset's own measure is nothing that was asked for.
        get: |config| match &config.best {
            Some(best) => Some(Value::String(best.clone())).filter(|_| config.best_is_asked),
            None => Some(Value::String("none".to_string())),
        },
        set: |config, value| {
            config.best = measure_names::best(config.preset, text(value))?;
            config.best_is_asked = config.best.is_some();
            Ok(())
        },
        ..Setting::new(
            "run",
            "best",
            Kind::Text,
            "The measure of evaluation.csv whose best checkpoint is kept, too, and taken by gannet sample, evaluate and export; \"none\" = no \
             such checkpoint. Without it: one by the preset's distance, which they take where they are asked for the best.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "patience",
            value: "N",
            help: "End the run after N evaluations in a row without a new best value of the measure of --best, and let gannet sample, \
                   evaluate and export take the best model; 0 = train to the end [default: 0].",
        }),
        example: "10",
        is_listed: false,
        get: |config| Some(number(config.patience)),
        set: |config, value| {
            config.patience = whole(value);
            Ok(())
        },
        ..Setting::new(
            "run",
            "patience",
            Kind::COUNT,
            "Evaluations in a row without a new best value of the measure of `best` after which the run ends; 0 = train to the end.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "no-tensorboard",
            value: "",
            help: "Write no event files for TensorBoard.",
        }),
        get: |config| Some(Value::Boolean(config.tensorboard)),
        set: |config, value| {
            config.tensorboard = value.as_bool().unwrap_or(config.tensorboard);
            Ok(())
        },
        ..Setting::new("run", "tensorboard", Kind::Flag, "Whether event files for TensorBoard are written.")
    },
    Setting {
        option: Some(CommandOption {
            name: "save-epochs",
            value: "N",
            help: "Save both networks alone every N epochs; 0 = only at the end [default: 100 for mnist, else 0].",
        }),
        get: |config| Some(number(config.save_epochs)),
        set: |config, value| {
            config.save_epochs = whole(value);
            Ok(())
        },
        ..Setting::new(
            "run",
            "save_epochs",
            Kind::COUNT,
            "Epochs between files with both networks alone (models/epoch-010.safetensors); 0 = only one at the end. mnist: 100, so that \
             a run takes less than 200 MB.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "weights",
            value: "FILE",
            help: "Begin with the weights of a safetensors file: a model of gannet's, or a PyTorch state_dict of dense layers. Give it \
                   twice for a file of each network.",
        }),
        example: "[\"generator.safetensors\", \"discriminator.safetensors\"]",
        get: |config| {
            let files: Vec<Value> = config.weights.iter().map(|file| path(file)).collect();
            Some(Value::Array(files)).filter(|_| !config.weights.is_empty())
        },
        set: |config, value| {
            config.weights = value.as_array().into_iter().flatten().map(|file| text(file).into()).collect();
            Ok(())
        },
        ..Setting::new(
            "run",
            "weights",
            Kind::Paths,
            "Safetensors files of the weights to begin with, as PyTorch or gannet name them. Without it: drawn.",
        )
    },
    Setting {
        option: Some(CommandOption {
            name: "points",
            value: "N",
            help: "Number of points that are made to train on: every preset but mnist, digits and own.",
        }),
        example: "1000",
        stands: |config| config.points.is_some(),
        get: |config| config.points.map(number),
        set: |config, value| {
            if config.points.is_none() {
                return Err(format!("{} has a fixed number of samples; leave it out", config.preset.name()));
            }
            config.points = Some(size(value));
            Ok(())
        },
        words: Some(("points", |config| {
            config.points.map_or_else(|| "-".to_string(), |points| thousands(points as u64))
        })),
        ..Setting::new(
            "data",
            "points",
            Kind::POSITIVE,
            "Number of points that are made to train on: every preset but mnist, digits and own.",
        )
    },
    Setting {
        example: "\"mnist\"",
        stands: |config| config.preset.reads_folder(),
        is_listed: false,
        get: |config| config.directory.as_deref().map(path),
        set: |config, value| {
            if !config.preset.reads_folder() {
                return Err(format!("{} needs no data folder; leave it out", config.preset.name()));
            }
            config.directory = Some(text(value).into());
            Ok(())
        },
        words: Some(("data", |config| {
            config.directory.as_ref().map_or_else(|| "-".to_string(), |folder| folder.display().to_string())
        })),
        ..Setting::new(
            "data",
            "directory",
            Kind::Path,
            "Folder of the four IDX files of mnist, plain or gzipped, from this file's folder.",
        )
    },
];

#[cfg(test)]
mod tests {
    use gannet::gan::presets;

    use super::*;
    use crate::settings::flat;

    /// A default that is a value, and not told in words ("ten times a run"), is the one that a preset has.
    #[test]
    fn the_help_of_options_tells_their_defaults() {
        let usual = RunConfig::of(presets::Preset::Circle);
        let mut told = Vec::new();
        for setting in SETTINGS {
            let help = setting.option.map_or("", |option| option.help);
            let Some((_, rest)) = help.split_once("[default: ") else { continue };
            let (default, _) = rest.split_once(']').unwrap();
            if !default.contains(' ') {
                let value = (setting.get)(&usual).unwrap();
                assert_eq!(default, flat::text(&value), "{}", setting.path());
                told.push(setting.name);
            }
        }
        assert_eq!(
            told,
            [
                "threads",
                "engine",
                "checkpoint_steps",
                "checkpoint_seconds",
                "keep",
                "patience",
                "label_smoothing",
                "instance_noise",
                "packing",
                "penalty_interval",
                "ema_decay",
                "generator_clip_norm",
                "discriminator_clip_norm",
                "schedule",
                "warmup_steps",
                "final_rate",
                "final_penalty"
            ]
        );
    }
}
