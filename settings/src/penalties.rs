//! Settings that bound the slope of D: penalties on its gradient, and the clipping of its weights. [`Setting::GAN`] lists them.

use toml::Value;

use crate::kind::Kind;
use crate::setting::{CommandOption, HasSpec, Setting, fraction, in_32_bits, number, whole};

/// Any weight.
const WEIGHT: Kind = Kind::Number { below: f32::INFINITY };

impl<C: HasSpec> Setting<C> {
    /// Of R1.
    pub const R1: Self = Self {
        option: Some(CommandOption {
            name: "r1",
            value: "WEIGHT",
            help: "Weight of R1: half the squared norm of the discriminator's gradient at real samples [default: 0, none].",
        }),
        example: "1.0",
        get: |config| Some(fraction(config.spec().penalties.r1)),
        set: |config, value| {
            config.spec_mut().penalties.r1 = in_32_bits(value);
            Ok(())
        },
        words: Some(("R1", |config| unless(config.spec().penalties.r1, 0.0))),
        ..Self::new(
            "gan",
            "r1",
            WEIGHT,
            "Weight of R1, half the squared norm of the discriminator's gradient at real samples; 0 for none.",
        )
    };

    /// Of R2.
    pub const R2: Self = Self {
        option: Some(CommandOption {
            name: "r2",
            value: "WEIGHT",
            help: "The same at generated samples: R2 [default: 0, none].",
        }),
        example: "1.0",
        get: |config| Some(fraction(config.spec().penalties.r2)),
        set: |config, value| {
            config.spec_mut().penalties.r2 = in_32_bits(value);
            Ok(())
        },
        words: Some(("R2", |config| unless(config.spec().penalties.r2, 0.0))),
        ..Self::new("gan", "r2", WEIGHT, "Weight of R2, the same at generated samples; 0 for none.")
    };

    /// Of WGAN-GP's penalty.
    pub const GRADIENT_PENALTY: Self = Self {
        option: Some(CommandOption {
            name: "gradient-penalty",
            value: "WEIGHT",
            help: "Weight of WGAN-GP's penalty: the squared distance of that norm from 1, between real and generated samples [default: 0, none].",
        }),
        example: "10.0",
        get: |config| Some(fraction(config.spec().penalties.gradient_penalty)),
        set: |config, value| {
            config.spec_mut().penalties.gradient_penalty = in_32_bits(value);
            // Without the penalty its side has no meaning, and no option takes back what a file says of it. One that is given comes later.
            config.spec_mut().penalties.one_sided &= config.spec_mut().penalties.gradient_penalty != 0.0;
            Ok(())
        },
        words: Some(("gradient penalty", |config| unless(config.spec().penalties.gradient_penalty, 0.0))),
        ..Self::new(
            "gan",
            "gradient_penalty",
            WEIGHT,
            "Weight of WGAN-GP's penalty, the squared distance of that norm from 1 at samples between real and generated ones; usually 10, 0 for none.",
        )
    };

    /// Whether that has one side.
    pub const ONE_SIDED: Self = Self {
        option: Some(CommandOption {
            name: "one-sided",
            value: "",
            help: "Let the gradient penalty leave norms below 1 alone.",
        }),
        example: "true",
        get: |config| Some(Value::Boolean(config.spec().penalties.one_sided)),
        set: |config, value| {
            config.spec_mut().penalties.one_sided = value.as_bool().unwrap_or_default();
            Ok(())
        },
        words: Some(("one-sided penalty", |config| unless(config.spec().penalties.one_sided, false))),
        ..Self::new("gan", "one_sided", Kind::Flag, "Whether the gradient penalty leaves norms below 1 alone.")
    };

    /// How often penalties come.
    pub const INTERVAL: Self = Self {
        option: Some(CommandOption {
            name: "penalty-interval",
            value: "N",
            help: "Penalties join every N-th step of the discriminator, and weigh N times as much [default: 1].",
        }),
        example: "1",
        get: |config| Some(number(config.spec().penalties.interval)),
        set: |config, value| {
            config.spec_mut().penalties.interval = whole(value);
            Ok(())
        },
        words: Some(("penalties at every N-th step", |config| unless(config.spec().penalties.interval, 1))),
        ..Self::new(
            "gan",
            "penalty_interval",
            Kind::Whole { least: 1, most: 1 << 20 },
            "Penalties join every so-many-th step of the discriminator, and weigh as many times as much.",
        )
    };

    /// The bound that clipped weights have.
    pub const WEIGHT_CLIP: Self = Self {
        option: Some(CommandOption {
            name: "weight-clip",
            value: "MOST",
            help: "Clip the discriminator's weights to at most MOST above and below 0 after each of its updates [default: 0, not].",
        }),
        example: "0.01",
        get: |config| Some(fraction(config.spec().weight_clip)),
        set: |config, value| {
            config.spec_mut().weight_clip = in_32_bits(value);
            Ok(())
        },
        words: Some(("weights clipped to", |config| unless(config.spec().weight_clip, 0.0))),
        ..Self::new(
            "gan",
            "weight_clip",
            WEIGHT,
            "What the discriminator's weights are clipped to after each of its updates, above and below 0; 0 for not.",
        )
    };
}

/// A value in words, or nothing where it is what most runs have.
fn unless<T: PartialEq + std::fmt::Display>(value: T, usual: T) -> String {
    if value == usual { String::new() } else { value.to_string() }
}
