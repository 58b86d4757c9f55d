//! Optimizers as they are specified: their settings, names and bounds. The rules: [`kernel::optimizer`](crate::kernel::optimizer).

use std::fmt;

use crate::error::{Error, Result};
use crate::kernel::optimizer::{AdamStep, AdamWStep, RmsPropStep, SgdStep, Update};

/// Adam, in PyTorch's form.
///
/// ```
/// use gannet::gan::{Adam, OptimizerSpec};
///
/// let adam = Adam::new(0.0002).with_beta1(0.5);
/// assert_eq!((adam.beta1, adam.beta2, adam.epsilon), (0.5, 0.999, 1e-8));
/// assert_eq!(OptimizerSpec::from(adam).learning_rate(), 0.0002);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Adam {
    /// Learning rate.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
}

impl Adam {
    /// With PyTorch's defaults beside the learning rate: betas 0.9 and 0.999, epsilon 1e-8.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// The same with another [decay of the first moment](Self::beta1).
    #[must_use]
    pub const fn with_beta1(mut self, beta1: f32) -> Self {
        self.beta1 = beta1;
        self
    }

    /// The same with another [decay of the second moment](Self::beta2).
    #[must_use]
    pub const fn with_beta2(mut self, beta2: f32) -> Self {
        self.beta2 = beta2;
        self
    }

    /// The same with another [epsilon](Self::epsilon).
    #[must_use]
    pub const fn with_epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }
}

/// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019), in PyTorch's form.
///
/// Before each update of Adam's, every parameter is multiplied by `1 - learning_rate * weight_decay`, weights and biases alike.
///
/// ```
/// use gannet::gan::AdamW;
///
/// let adamw = AdamW::new(0.0002).with_beta1(0.5).with_weight_decay(0.1);
/// assert_eq!((adamw.beta1, adamw.beta2, adamw.epsilon, adamw.weight_decay), (0.5, 0.999, 1e-8, 0.1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct AdamW {
    /// Learning rate.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Weight decay; 0 = Adam.
    pub weight_decay: f32,
}

impl AdamW {
    /// With PyTorch's defaults beside the learning rate: betas 0.9 and 0.999, epsilon 1e-8, weight decay 0.01.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
    }

    /// The same with another [decay of the first moment](Self::beta1).
    #[must_use]
    pub const fn with_beta1(mut self, beta1: f32) -> Self {
        self.beta1 = beta1;
        self
    }

    /// The same with another [decay of the second moment](Self::beta2).
    #[must_use]
    pub const fn with_beta2(mut self, beta2: f32) -> Self {
        self.beta2 = beta2;
        self
    }

    /// The same with another [epsilon](Self::epsilon).
    #[must_use]
    pub const fn with_epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The same with another [weight decay](Self::weight_decay).
    #[must_use]
    pub const fn with_weight_decay(mut self, weight_decay: f32) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

/// RMSprop (Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012), in PyTorch's form, without momentum and
/// not centered: `v = alpha * v + (1 - alpha) * gradient^2`, and the parameter moves by
/// `-learning_rate * gradient / (sqrt(v) + epsilon)`.
///
/// ```
/// use gannet::gan::RmsProp;
///
/// let rmsprop = RmsProp::new(0.00005);
/// assert_eq!((rmsprop.alpha, rmsprop.epsilon), (0.99, 1e-8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct RmsProp {
    /// Learning rate.
    pub learning_rate: f32,
    /// Decay of the mean of squared gradients.
    pub alpha: f32,
    /// Added to the root of that mean.
    pub epsilon: f32,
}

impl RmsProp {
    /// With PyTorch's defaults beside the learning rate: alpha 0.99, epsilon 1e-8.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, alpha: 0.99, epsilon: 1e-8 }
    }

    /// The same with another [decay of the mean of squared gradients](Self::alpha).
    #[must_use]
    pub const fn with_alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// The same with another [epsilon](Self::epsilon).
    #[must_use]
    pub const fn with_epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }
}

/// Gradient descent with momentum, in PyTorch's form.
///
/// ```
/// use gannet::gan::Sgd;
///
/// assert_eq!(Sgd::new(0.01).with_momentum(0.9).momentum, 0.9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Sgd {
    /// Learning rate.
    pub learning_rate: f32,
    /// Momentum; 0 = plain descent.
    pub momentum: f32,
}

impl Sgd {
    /// Plain gradient descent.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, momentum: 0.0 }
    }

    /// The same with this [momentum](Self::momentum).
    #[must_use]
    pub const fn with_momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }
}

/// An optimizer and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase", tag = "kind")
)]
#[non_exhaustive]
pub enum OptimizerSpec {
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
    /// RMSprop.
    RmsProp(RmsProp),
    /// Gradient descent.
    Sgd(Sgd),
}

impl From<Adam> for OptimizerSpec {
    fn from(adam: Adam) -> Self {
        Self::Adam(adam)
    }
}

impl From<AdamW> for OptimizerSpec {
    fn from(adamw: AdamW) -> Self {
        Self::AdamW(adamw)
    }
}

impl From<RmsProp> for OptimizerSpec {
    fn from(rmsprop: RmsProp) -> Self {
        Self::RmsProp(rmsprop)
    }
}

impl From<Sgd> for OptimizerSpec {
    fn from(sgd: Sgd) -> Self {
        Self::Sgd(sgd)
    }
}

/// What people call it: `Adam, rate 0.001, betas 0.9 and 0.999`.
impl fmt::Display for OptimizerSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Adam(Adam { learning_rate, beta1, beta2, .. }) => {
                write!(formatter, "Adam, rate {learning_rate}, betas {beta1} and {beta2}")
            }
            Self::AdamW(AdamW { learning_rate, beta1, beta2, weight_decay, .. }) => {
                write!(formatter, "AdamW, rate {learning_rate}, betas {beta1} and {beta2}, weight decay {weight_decay}")
            }
            Self::RmsProp(RmsProp { learning_rate, alpha, .. }) => {
                write!(formatter, "RMSprop, rate {learning_rate}, alpha {alpha}")
            }
            Self::Sgd(Sgd { learning_rate, momentum: 0.0 }) => {
                write!(formatter, "gradient descent, rate {learning_rate}")
            }
            Self::Sgd(Sgd { learning_rate, momentum }) => {
                write!(formatter, "gradient descent, rate {learning_rate}, momentum {momentum}")
            }
        }
    }
}

impl OptimizerSpec {
    /// [`Adam::new`].
    pub fn adam(learning_rate: f32) -> Self {
        Adam::new(learning_rate).into()
    }

    /// [`Sgd::new`].
    pub fn sgd(learning_rate: f32) -> Self {
        Sgd::new(learning_rate).into()
    }

    /// Its name, as files have it: `adam`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::RmsProp(_) => "rmsprop",
            Self::Sgd(_) => "sgd",
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f32 {
        match *self {
            Self::Adam(Adam { learning_rate, .. })
            | Self::AdamW(AdamW { learning_rate, .. })
            | Self::RmsProp(RmsProp { learning_rate, .. })
            | Self::Sgd(Sgd { learning_rate, .. }) => learning_rate,
        }
    }

    /// Update number `t`, from 1.
    pub(crate) fn update(&self, t: u64) -> Update {
        match *self {
            Self::Adam(Adam { learning_rate, beta1, beta2, epsilon }) => {
                AdamStep { learning_rate, beta1, beta2, epsilon, t }.into()
            }
            Self::AdamW(AdamW { learning_rate, beta1, beta2, epsilon, weight_decay }) => {
                AdamWStep { adam: AdamStep { learning_rate, beta1, beta2, epsilon, t }, weight_decay }.into()
            }
            Self::RmsProp(RmsProp { learning_rate, alpha, epsilon }) => {
                RmsPropStep { learning_rate, alpha, epsilon }.into()
            }
            Self::Sgd(Sgd { learning_rate, momentum }) => SgdStep { learning_rate, momentum }.into(),
        }
    }

    /// How many numbers it remembers for each parameter: memory that is taken as often as that of the parameters.
    pub fn states(&self) -> usize {
        self.state_names().len()
    }

    /// The names of what it remembers for each parameter.
    pub(crate) fn state_names(&self) -> &'static [&'static str] {
        self.update(1).state_names()
    }

    /// Checks every setting; `name` opens the offending one's.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`].
    pub fn validate(&self, name: &str) -> Result<()> {
        let check = |field: &str, value: f32, holds: bool, range: &str| {
            if holds {
                Ok(())
            } else {
                Err(Error::setting(format!("{name}.{field}"), format!("{value} is not {range}")))
            }
        };
        let decay = |field: &str, value: f32| check(field, value, (0.0..1.0).contains(&value), "in 0 .. 1");
        // Smaller ones may vanish beside the bias corrections: a gradient of 0 would then give 0 / 0.
        let normal = |epsilon: f32| {
            let holds = epsilon >= f32::MIN_POSITIVE && epsilon.is_finite();
            check("epsilon", epsilon, holds, "a positive number of at least 1.2e-38")
        };
        let rate = self.learning_rate();
        check("learning_rate", rate, rate > 0.0 && rate.is_finite(), "a positive number")?;
        match *self {
            Self::Adam(Adam { beta1, beta2, epsilon, .. }) => {
                decay("beta1", beta1)?;
                decay("beta2", beta2)?;
                normal(epsilon)
            }
            Self::AdamW(AdamW { beta1, beta2, epsilon, weight_decay, .. }) => {
                decay("beta1", beta1)?;
                decay("beta2", beta2)?;
                normal(epsilon)?;
                // More would turn the sign of every parameter.
                let holds = weight_decay >= 0.0 && f64::from(rate) * f64::from(weight_decay) <= 1.0;
                check("weight_decay", weight_decay, holds, "a number from 0 to 1 / learning_rate")
            }
            Self::RmsProp(RmsProp { alpha, epsilon, .. }) => {
                decay("alpha", alpha)?;
                normal(epsilon)
            }
            Self::Sgd(Sgd { momentum, .. }) => decay("momentum", momentum),
        }
    }

    /// The same optimizer with this share of its learning rate.
    pub(crate) fn at_share(self, share: f64) -> Self {
        self.with_learning_rate((f64::from(self.learning_rate()) * share) as f32)
    }

    /// The same optimizer with another learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, rate: f32) -> Self {
        match &mut self {
            Self::Adam(Adam { learning_rate, .. })
            | Self::AdamW(AdamW { learning_rate, .. })
            | Self::RmsProp(RmsProp { learning_rate, .. })
            | Self::Sgd(Sgd { learning_rate, .. }) => *learning_rate = rate,
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of an optimizer stand beside its kind, and no others do.
    #[cfg(feature = "serde")]
    #[test]
    fn optimizers_are_read_and_written_in_one_table() {
        let adam = Adam::new(0.25).with_beta1(0.5).with_beta2(0.75).with_epsilon(0.125);
        let adamw = AdamW::new(0.25).with_beta1(0.5).with_beta2(0.75).with_epsilon(0.125).with_weight_decay(0.0625);
        for (text, optimizer) in [
            (r#"{"kind":"adam","learning_rate":0.25,"beta1":0.5,"beta2":0.75,"epsilon":0.125}"#, adam.into()),
            (
                r#"{"kind":"adamw","learning_rate":0.25,"beta1":0.5,"beta2":0.75,"epsilon":0.125,"weight_decay":0.0625}"#,
                adamw.into(),
            ),
            (
                r#"{"kind":"rmsprop","learning_rate":0.25,"alpha":0.5,"epsilon":0.125}"#,
                RmsProp::new(0.25).with_alpha(0.5).with_epsilon(0.125).into(),
            ),
            (r#"{"kind":"sgd","learning_rate":0.25,"momentum":0.5}"#, Sgd::new(0.25).with_momentum(0.5).into()),
        ] {
            assert_eq!(serde_json::to_string::<OptimizerSpec>(&optimizer).unwrap(), text);
            assert_eq!(serde_json::from_str::<OptimizerSpec>(text).unwrap(), optimizer);
            let other = text.replace('}', r#","typo":1}"#);
            let refused = serde_json::from_str::<OptimizerSpec>(&other).unwrap_err().to_string();
            assert!(refused.starts_with("unknown field `typo`"), "{refused}");
        }
        assert!(serde_json::from_str::<OptimizerSpec>(r#"{"kind":"sgd","learning_rate":0.25}"#).is_err());
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let valid: [OptimizerSpec; 4] = [
            Adam::new(0.1).into(),
            AdamW::new(0.1).with_weight_decay(9.9).into(),
            RmsProp::new(0.1).with_alpha(0.0).into(),
            Sgd::new(0.1).into(),
        ];
        for optimizer in valid {
            optimizer.validate("it").unwrap();
        }
        for (optimizer, field) in [
            (OptimizerSpec::from(AdamW::new(0.0)), "learning_rate"),
            (AdamW::new(0.1).with_beta1(1.0).into(), "beta1"),
            (AdamW::new(0.1).with_beta2(-0.1).into(), "beta2"),
            (AdamW::new(0.1).with_epsilon(0.0).into(), "epsilon"),
            (AdamW::new(0.1).with_weight_decay(-0.1).into(), "weight_decay"),
            (AdamW::new(0.1).with_weight_decay(10.1).into(), "weight_decay"),
            (AdamW::new(0.1).with_weight_decay(f32::NAN).into(), "weight_decay"),
            (AdamW::new(1e-30).with_weight_decay(f32::INFINITY).into(), "weight_decay"),
            (RmsProp::new(-1.0).into(), "learning_rate"),
            (RmsProp::new(0.1).with_alpha(1.0).into(), "alpha"),
            (RmsProp::new(0.1).with_alpha(f32::NAN).into(), "alpha"),
            (RmsProp::new(0.1).with_epsilon(0.0).into(), "epsilon"),
        ] {
            let problem = optimizer.validate("it").unwrap_err().to_string();
            assert!(problem.contains(&format!("it.{field}: ")), "{optimizer:?}: {problem}");
        }
    }
}
