//! Settings that steer a training beside its optimizers: the labels of real samples, the noise on all of them, the average that is
//! sampled from, the clipping of gradients, the schedule of the learning rates. [`Setting::GAN`] lists them.

use gannet::gan::{RateDecay, RateSchedule};
use gannet::internals::numbers::counted;
use toml::Value;

use crate::kind::Kind;
use crate::setting::{CommandOption, HasSpec, Setting, chosen, fraction, in_32_bits, number, size, whole};
use crate::values::{RATE_DECAYS, names};

impl<C: HasSpec> Setting<C> {
    /// How far the labels of real samples are smoothed.
    pub const LABEL_SMOOTHING: Self = Self {
        option: Some(CommandOption {
            name: "label-smoothing",
            value: "S",
            help: "Let the discriminator learn the label 1 - S of real samples, for instance with 0.1; fakes keep theirs [default: 0].",
        }),
        example: "0.1",
        get: |config| Some(fraction(config.spec().label_smoothing)),
        set: |config, value| {
            config.spec_mut().label_smoothing = in_32_bits(value);
            Ok(())
        },
        words: Some(("label of real samples", |config| match config.spec().label_smoothing {
            0.0 => String::new(),
            smoothing => format!("{}", 1.0 - smoothing),
        })),
        ..Self::new(
            "gan",
            "label_smoothing",
            Kind::Number { below: 1.0 },
            "What the label of real samples is less than 1 in the discriminator's loss, usually 0.1; 0 = nothing. For minimax, non_saturating, \
         non_saturating_half and least_squares.",
        )
    };

    /// How much noise there is on the samples that D judges.
    pub const INSTANCE_NOISE: Self = Self {
        option: Some(CommandOption {
            name: "instance-noise",
            value: "SD",
            help: "Add normal noise of this standard deviation to all samples that the discriminator judges, real and generated, which falls \
               to 0 in a line; in the units that it sees: of tables and points about 1 is the spread of the data [default: 0].",
        }),
        example: "0.1",
        get: |config| Some(fraction(config.spec().instance_noise)),
        set: |config, value| {
            config.spec_mut().instance_noise = in_32_bits(value);
            if config.spec_mut().instance_noise == 0.0 {
                // What a file says of its steps is over.
                config.spec_mut().instance_noise_steps = 0;
            }
            Ok(())
        },
        words: Some(("instance noise", |config| {
            match (config.spec().instance_noise, config.spec().instance_noise_steps) {
                (0.0, _) => String::new(),
                (deviation, 0) => deviation.to_string(),
                (deviation, steps) => format!("{deviation}, gone in {}", counted(steps, "step")),
            }
        })),
        ..Self::new(
            "gan",
            "instance_noise",
            Kind::Number { below: f32::INFINITY },
            "Standard deviation of normal noise on all samples that the discriminator judges, which falls to 0 in a line over the run or over \
         instance_noise_steps; 0 = none.",
        )
    };

    /// How long it falls.
    pub const INSTANCE_NOISE_STEPS: Self = Self {
        option: Some(CommandOption {
            name: "instance-noise-steps",
            value: "N",
            help: "Steps until instance noise is gone [default: the length of the run].",
        }),
        example: "10000",
        stands: |config| config.spec().instance_noise != 0.0,
        get: |config| Some(config.spec().instance_noise_steps).filter(|steps| *steps > 0).map(number),
        set: |config, value| {
            config.spec_mut().instance_noise_steps = whole(value);
            Ok(())
        },
        ..Self::new(
            "gan",
            "instance_noise_steps",
            Kind::POSITIVE,
            "Steps until instance noise is gone. Without it: the length of the run.",
        )
    };

    /// How many samples D judges together.
    pub const PACKING: Self = Self {
        option: Some(CommandOption {
            name: "packing",
            value: "M",
            help: "Let the discriminator judge packs of M samples, all real or all generated, as PacGAN does: a generator that repeats itself is \
                   found out. The batch is made of whole packs [default: 1].",
        }),
        example: "2",
        get: |config| Some(number(config.spec().packing as u64)),
        set: |config, value| {
            *config.spec_mut() = config.spec().clone().with_packing(size(value));
            Ok(())
        },
        words: Some(("samples in a pack", |config| match config.spec().packing {
            1 => String::new(),
            packing => packing.to_string(),
        })),
        ..Self::new(
            "gan",
            "packing",
            Kind::Whole { least: 1, most: 128 },
            "Samples that the discriminator judges together (PacGAN), usually 2 to 4; its first layer has as many times the inputs of a sample. \
             The batch is a multiple of it. 1 = each alone.",
        )
    };

    /// The average of G's parameters.
    pub const EMA_DECAY: Self = Self {
        option: Some(CommandOption {
            name: "ema-decay",
            value: "DECAY",
            help: "Sample from an exponential moving average of the generator's parameters with this decay, for instance 0.999; 0 = from \
               the parameters themselves [default: 0].",
        }),
        get: |config| Some(fraction(config.spec().ema_decay)),
        set: |config, value| {
            config.spec_mut().ema_decay = in_32_bits(value);
            Ok(())
        },
        words: Some(("G's average", |config| match config.spec().ema_decay {
            0.0 => "none".to_string(),
            decay => format!("decay {decay}"),
        })),
        ..Self::new(
            "gan",
            "ema_decay",
            Kind::Number { below: 1.0 },
            "Decay of an exponential moving average of the generator's parameters, from which samples, measures and pictures come; the \
         training itself does not depend on it. 0 = no average.",
        )
    };

    /// The largest norm of G's gradients.
    pub const GENERATOR_CLIP_NORM: Self = Self {
        option: Some(CommandOption {
            name: "generator-clip-norm",
            value: "NORM",
            help: "Scale the generator's gradients down to this norm where theirs is larger; 0 = do not [default: 0].",
        }),
        get: |config| Some(fraction(config.spec().generator_clip_norm)),
        set: |config, value| {
            config.spec_mut().generator_clip_norm = in_32_bits(value);
            Ok(())
        },
        words: Some(("G's gradients", |config| clipped(config.spec().generator_clip_norm))),
        ..Self::new(
            "gan",
            "generator_clip_norm",
            Kind::Number { below: f32::INFINITY },
            "Largest norm of the generator's gradients over all its parameters: larger ones are scaled to it before each update. 0 = any norm.",
        )
    };

    /// The largest norm of D's gradients.
    pub const DISCRIMINATOR_CLIP_NORM: Self = Self {
        option: Some(CommandOption {
            name: "discriminator-clip-norm",
            value: "NORM",
            help: "The same of the discriminator's gradients [default: 0].",
        }),
        get: |config| Some(fraction(config.spec().discriminator_clip_norm)),
        set: |config, value| {
            config.spec_mut().discriminator_clip_norm = in_32_bits(value);
            Ok(())
        },
        words: Some(("D's gradients", |config| clipped(config.spec().discriminator_clip_norm))),
        ..Self::new(
            "gan",
            "discriminator_clip_norm",
            Kind::Number { below: f32::INFINITY },
            "Largest norm of the discriminator's gradients over all its parameters, as of the generator's. 0 = any norm.",
        )
    };

    /// How the learning rates fall.
    pub const SCHEDULE: Self = Self {
        option: Some(CommandOption {
            name: "schedule",
            value: "SCHEDULE",
            help: "How the learning rates of both networks change with the steps [default: constant].",
        }),
        get: |config| Some(Value::String(config.spec().schedule.decay.name().to_string())),
        set: |config, value| {
            let schedule = &mut config.spec_mut().schedule;
            chosen(RATE_DECAYS, value, &mut schedule.decay);
            if schedule.decay == RateDecay::Constant {
                // What a file or a preset says of a length and of ends is over.
                *schedule = RateSchedule::constant().with_warmup(schedule.warmup_steps);
            }
            Ok(())
        },
        words: Some(("learning rates", |config| config.spec().schedule.to_string())),
        ..Self::new(
            "gan",
            "schedule",
            Kind::Choice(|| names(RATE_DECAYS)),
            "How the learning rates of both networks change with the steps: constant, linear (down to 0 in a line), cosine (down to 0 along \
         half a cosine), over the run or over schedule_steps.",
        )
    };

    /// How long they fall.
    pub const SCHEDULE_STEPS: Self = Self {
        option: Some(CommandOption {
            name: "schedule-steps",
            value: "N",
            help: "Steps until the learning rates of a schedule are down; the last one's stay after them [default: the length of the run].",
        }),
        example: "10000",
        stands: |config| config.spec().schedule.decay != RateDecay::Constant,
        get: |config| Some(config.spec().schedule.steps).filter(|steps| *steps > 0).map(number),
        set: |config, value| {
            config.spec_mut().schedule.steps = whole(value);
            Ok(())
        },
        ..Self::new(
            "gan",
            "schedule_steps",
            Kind::POSITIVE,
            "Steps until the learning rates of a schedule are down; the last one's stay after them. Without it: the length of the run.",
        )
    };

    /// How long they rise before.
    pub const WARMUP_STEPS: Self = Self {
        option: Some(CommandOption {
            name: "warmup-steps",
            value: "N",
            help: "Steps at the beginning in which the learning rates rise to their values [default: 0].",
        }),
        get: |config| Some(number(config.spec().schedule.warmup_steps)),
        set: |config, value| {
            config.spec_mut().schedule.warmup_steps = whole(value);
            Ok(())
        },
        ..Self::new(
            "gan",
            "warmup_steps",
            Kind::COUNT,
            "Steps at the beginning in which the learning rates rise to their values, with any schedule; 0 = none.",
        )
    };

    /// Where the learning rates end.
    pub const FINAL_RATE: Self = Self {
        option: Some(CommandOption {
            name: "final-rate",
            value: "SHARE",
            help: "Let the learning rates of a schedule fall to this share of their values, from 0 to 1 [default: 0].",
        }),
        example: "0.25",
        stands: |config| config.spec().schedule.decay != RateDecay::Constant,
        get: |config| Some(fraction(config.spec().schedule.final_rate)),
        set: |config, value| {
            config.spec_mut().schedule.final_rate = in_32_bits(value);
            Ok(())
        },
        ..Self::new(
            "gan",
            "final_rate",
            Kind::Number { below: f32::INFINITY },
            "The share of their values that the learning rates of a schedule fall to, from 0 to 1, where they stay.",
        )
    };

    /// Where the weights of penalties end.
    pub const FINAL_PENALTY: Self = Self {
        option: Some(CommandOption {
            name: "final-penalty",
            value: "SHARE",
            help: "Let the weights of the penalties fall along the schedule to this share of their values [default: 1].",
        }),
        example: "0.1",
        stands: |config| config.spec().schedule.decay != RateDecay::Constant,
        get: |config| Some(fraction(config.spec().schedule.final_penalty)),
        set: |config, value| {
            config.spec_mut().schedule.final_penalty = in_32_bits(value);
            Ok(())
        },
        ..Self::new(
            "gan",
            "final_penalty",
            Kind::Number { below: f32::INFINITY },
            "The share of their values that the weights of r1, r2 and gradient_penalty fall to along the schedule, from 0 to 1, where they stay.",
        )
    };

    /// Where beta1 ends.
    pub const FINAL_BETA1: Self = Self {
        option: Some(CommandOption {
            name: "final-beta1",
            value: "BETA",
            help: "Let beta1 of adam and adamw go along the schedule to this value; left out, it stays.",
        }),
        example: "0.0",
        stands: |config| config.spec().schedule.decay != RateDecay::Constant,
        get: |config| config.spec().schedule.final_beta1.map(fraction),
        set: |config, value| {
            config.spec_mut().schedule.final_beta1 = Some(in_32_bits(value));
            Ok(())
        },
        ..Self::new(
            "gan",
            "final_beta1",
            Kind::Number { below: 1.0 },
            "What beta1 of adam and adamw goes to along the schedule, of both networks. Without it: it stays.",
        )
    };

    /// Where beta2 ends.
    pub const FINAL_BETA2: Self = Self {
        option: Some(CommandOption {
            name: "final-beta2",
            value: "BETA",
            help: "The same of beta2, for instance from 0.9 to 0.99.",
        }),
        example: "0.99",
        stands: |config| config.spec().schedule.decay != RateDecay::Constant,
        get: |config| config.spec().schedule.final_beta2.map(fraction),
        set: |config, value| {
            config.spec_mut().schedule.final_beta2 = Some(in_32_bits(value));
            Ok(())
        },
        ..Self::new(
            "gan",
            "final_beta2",
            Kind::Number { below: 1.0 },
            "What beta2 of adam and adamw goes to along the schedule, of both networks. Without it: it stays.",
        )
    };
}

/// A largest norm in words.
fn clipped(norm: f32) -> String {
    if norm == 0.0 { "of any norm".to_string() } else { format!("clipped to the norm {norm}") }
}
