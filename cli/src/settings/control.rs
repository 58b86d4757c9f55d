//! Settings that steer a training beside its optimizers: the average that is sampled from. The [table](super::table) lists them.

use super::kind::Kind;
use super::setting::{CommandOption, Setting, fraction, in_32_bits};

/// The average of G's parameters.
pub(super) const EMA_DECAY: Setting = Setting {
    option: Some(CommandOption {
        name: "ema-decay",
        value: "DECAY",
        help: "Sample from an exponential moving average of the generator's parameters with this decay, for instance 0.999; 0 = from \
               the parameters themselves [default: 0].",
    }),
    get: |config| Some(fraction(config.spec.ema_decay)),
    set: |config, value| {
        config.spec.ema_decay = in_32_bits(value);
        Ok(())
    },
    words: Some(("G's average", |config| match config.spec.ema_decay {
        0.0 => "none".to_string(),
        decay => format!("decay {decay}"),
    })),
    ..Setting::new(
        "gan",
        "ema_decay",
        Kind::Number { below: 1.0 },
        "Decay of an exponential moving average of the generator's parameters, from which samples, measures and pictures come; the \
         training itself does not depend on it. 0 = no average.",
    )
};
