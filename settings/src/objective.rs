//! What the two networks minimize and in which order, and the list of all settings of the table `[gan]` that have one value.

use gannet::gan::GanSpec;
use gannet::internals::engine;
use gannet::internals::numbers::thousands;
use toml::Value;

use crate::kind::Kind;
use crate::setting::{CommandOption, HasSpec, Setting, chosen, number, size};
use crate::values::{OBJECTIVES, ORDERS, names};

/// The recipe that is the library's default for two networks.
const PLAIN: &str = "plain";

/// The networks of `spec` by that recipe.
pub(crate) fn plain(spec: GanSpec) -> GanSpec {
    let mut plain = GanSpec::new(spec.generator, spec.discriminator).with_conditions(spec.conditions);
    plain.packing = spec.packing;
    plain
}

impl<C: HasSpec> Setting<C> {
    /// The settings of the table `[gan]` with one value, in the order of a configuration file. A recipe comes first, so that others
    /// override it.
    pub const GAN: &[Self] = &[
        Self::RECIPE,
        Self::OBJECTIVE,
        Self::ORDER,
        Self::DISCRIMINATOR_STEPS,
        Self::LABEL_SMOOTHING,
        Self::INSTANCE_NOISE,
        Self::INSTANCE_NOISE_STEPS,
        Self::PACKING,
        Self::R1,
        Self::R2,
        Self::GRADIENT_PENALTY,
        Self::ONE_SIDED,
        Self::INTERVAL,
        Self::WEIGHT_CLIP,
        Self::EMA_DECAY,
        Self::GENERATOR_CLIP_NORM,
        Self::DISCRIMINATOR_CLIP_NORM,
        Self::SCHEDULE,
        Self::SCHEDULE_STEPS,
        Self::WARMUP_STEPS,
        Self::FINAL_RATE,
        Self::FINAL_PENALTY,
        Self::FINAL_BETA1,
        Self::FINAL_BETA2,
    ];

    /// Several settings at once.
    pub const RECIPE: Self = Self {
        option: Some(CommandOption {
            name: "recipe",
            value: "NAME",
            help: "Several settings at once, which others may override: r3gan is relativistic_pairing with R1 and R2 of weight 1, Adam with \
                   betas 0 and 0.99, and an average of the generator with decay 0.999; plain is non_saturating and Adam at 0.0002 with these betas.",
        }),
        example: "\"r3gan\"",
        is_listed: false,
        set: |config, value| {
            let spec = config.spec_mut();
            *spec = match value.as_str() {
                Some(PLAIN) => plain(spec.clone()),
                _ => spec.clone().with_r3gan(),
            };
            engine::fit_discriminator(spec);
            Ok(())
        },
        ..Self::new(
            "gan",
            "recipe",
            Kind::Choice(|| vec!["r3gan", PLAIN]),
            "Several settings at once, which others override: r3gan (Huang et al. 2024) is relativistic_pairing with r1 and r2 of 1, Adam with \
             betas 0 and 0.99 at the learning rates that there are, and an ema_decay of 0.999; plain is non_saturating, Adam at 0.0002 with \
             these betas, and none of the others. A run's file has the settings themselves.",
        )
    };

    /// What is minimized.
    pub const OBJECTIVE: Self = Self {
        option: Some(CommandOption { name: "objective", value: "OBJECTIVE", help: "What the two networks minimize." }),
        get: |config| Some(Value::String(config.spec().objective.name().to_string())),
        set: |config, value| {
            chosen(OBJECTIVES, value, &mut config.spec_mut().objective);
            engine::fit_discriminator(config.spec_mut());
            Ok(())
        },
        words: Some(("objective", |config| config.spec().objective.name().replace('_', " "))),
        ..Self::new(
            "gan",
            "objective",
            Kind::Choice(|| names(OBJECTIVES)),
            "What the two networks minimize: minimax, non_saturating, non_saturating_half, softmax (two outputs of the discriminator), \
             least_squares, hinge, wasserstein (with a gradient_penalty or a weight_clip), relativistic_pairing, relativistic_average.",
        )
    };

    /// The order of updates.
    pub const ORDER: Self = Self {
        option: Some(CommandOption { name: "order", value: "ORDER", help: "The order of updates within a step." }),
        get: |config| Some(Value::String(config.spec().order.name().to_string())),
        set: |config, value| {
            chosen(ORDERS, value, &mut config.spec_mut().order);
            Ok(())
        },
        words: Some(("order", |config| config.spec().order.name().replace('_', " "))),
        ..Self::new(
            "gan",
            "order",
            Kind::Choice(|| names(ORDERS)),
            "The order of updates within a step: discriminator_first, discriminator_first_shared_fake, generator_first_shared_fake.",
        )
    };

    /// Steps of D per step of G.
    pub const DISCRIMINATOR_STEPS: Self = Self {
        option: Some(CommandOption {
            name: "discriminator-steps",
            value: "K",
            help: "Steps of the discriminator per step of the generator.",
        }),
        get: |config| Some(number(config.spec().discriminator_steps)),
        set: |config, value| {
            config.spec_mut().discriminator_steps = size(value);
            Ok(())
        },
        words: Some(("D steps per G step", |config| thousands(config.spec().discriminator_steps as u64))),
        ..Self::new(
            "gan",
            "discriminator_steps",
            Kind::Whole { least: 1, most: 1 << 20 },
            "Steps of the discriminator per step of the generator.",
        )
    };
}
