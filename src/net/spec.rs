//! What a network looks like, before any number of it exists.

use std::fmt;

use crate::error::{Error, Result};
use crate::kernel::activation::Activation;

impl Activation {
    /// Its name, as files have it: `leaky_relu`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }
}

/// What people call it: `leaky ReLU 0.2`.
impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relu => formatter.write_str("ReLU"),
            Self::LeakyRelu { slope } => write!(formatter, "leaky ReLU {slope}"),
            Self::Linear | Self::Tanh | Self::Sigmoid => formatter.write_str(self.name()),
        }
    }
}

/// What bounds the sums that a layer's weights make, before it adds its biases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Normalization {
    /// Nothing.
    #[default]
    None,
    /// Layer normalization (Ba et al., "Layer normalization", 2016): less the mean of the sample's sums and divided by
    /// `sqrt(variance + 1e-5)` of them, so that no sample and no layer outgrows the others. Each sample is on its own, so that
    /// [penalties](crate::gan::Penalties) on D's gradient keep their meaning.
    Layer,
    /// Batch normalization (Ioffe and Szegedy, "Batch normalization", 2015): each sum less its mean over a group of samples and divided by
    /// `sqrt(variance + 1e-5)` of them. A group is what a panel holds of one kind, real or generated: 16 to a few hundred samples
    /// ([`PlanSummary::panel_width`](crate::gan::PlanSummary::panel_width) tells how many), which Hoffer et al. ("Train longer, generalize better",
    /// 2017) call a ghost batch. When samples are made for show, running means and variances over the batches of the network's own turns
    /// stand in their place. A D that is normalized so takes no [penalties](crate::gan::Penalties), which are about single samples.
    Batch,
    /// Spectral normalization (Miyato et al., "Spectral normalization for generative adversarial networks", 2018): the weights divided by
    /// their largest singular value, which one power iteration an update follows, as PyTorch's `spectral_norm` does. It bounds D's slope, is for
    /// D alone, and suits its last layer too.
    Spectral,
}

impl Normalization {
    /// Its name, as files have it: `layer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Layer => "layer",
            Self::Batch => "batch",
            Self::Spectral => "spectral",
        }
    }

    /// The names of what it keeps beside weights and biases, a value for each output. No optimizer changes them.
    pub const fn buffers(self) -> &'static [&'static str] {
        match self {
            Self::None | Self::Layer => &[],
            Self::Batch => &["running_mean", "running_var"],
            Self::Spectral => &["singular_vector"],
        }
    }

    /// Whether gradients that passes find are not yet those of the parameters, or tell more than these.
    pub(crate) const fn is_settled_apart(self) -> bool {
        !self.buffers().is_empty()
    }

    /// Whether biases, activation and dropout follow an operation of its own.
    pub(crate) const fn is_of_sums(self) -> bool {
        matches!(self, Self::Layer | Self::Batch)
    }

    #[cfg(feature = "serde")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// One dense layer: `y = dropout(activation(normalization(W x) + b))` with W of shape `[outputs, inputs]`.
///
/// ```
/// use gannet::net::{Activation, LayerSpec};
///
/// let layer = LayerSpec::new(64, 128, Activation::Relu).with_dropout(0.2);
/// assert_eq!((layer.inputs, layer.outputs, layer.dropout), (64, 128, 0.2));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct LayerSpec {
    /// Features that enter.
    pub inputs: usize,
    /// Features that leave.
    pub outputs: usize,
    /// What normalizes the sums. The last layer of a network takes none but [`Normalization::Spectral`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Normalization::is_none"))]
    pub normalization: Normalization,
    /// The activation.
    pub activation: Activation,
    /// Probability of dropping an output while training; 0 = no dropout.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub dropout: f32,
    /// Sizes of the groups that the last outputs of G's last layer are in, one group behind the other: of each group it makes a softmax, so
    /// that the group stands for a category with as many values. Every output before them is a number of its own.
    ///
    /// In training and where samples are made, a softmax is a draw: Gumbel noise joins the sums, and a temperature of
    /// [`SOFTMAX_TEMPERATURE`] makes one of the outputs nearly 1 (Jang et al., "Categorical reparameterization with Gumbel-softmax", 2017). As a
    /// [function](crate::gan::NetworkFunction) G gives the probabilities themselves.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub softmax: Vec<usize>,
}

/// The temperature of draws from a softmax: that of CTGAN (Xu et al., "Modeling tabular data using conditional GAN", 2019).
pub const SOFTMAX_TEMPERATURE: f32 = 0.2;

impl LayerSpec {
    /// A layer without normalization and dropout.
    pub fn new(inputs: usize, outputs: usize, activation: Activation) -> Self {
        Self { inputs, outputs, normalization: Normalization::None, activation, dropout: 0.0, softmax: Vec::new() }
    }

    /// The same layer with another [normalization](Self::normalization).
    #[must_use]
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        self.normalization = normalization;
        self
    }

    /// The same layer with this [probability of dropping an output](Self::dropout).
    #[must_use]
    pub fn with_dropout(mut self, dropout: f32) -> Self {
        self.dropout = dropout;
        self
    }

    /// The same layer with these [groups of outputs](Self::softmax).
    #[must_use]
    pub fn with_softmax(mut self, groups: Vec<usize>) -> Self {
        self.softmax = groups;
        self
    }

    /// Outputs that are in no [group](Self::softmax).
    pub(crate) fn numbers(&self) -> usize {
        self.outputs - self.softmax.iter().sum::<usize>().min(self.outputs)
    }
}

#[cfg(feature = "serde")]
fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

/// How initial weights are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Initialization {
    /// PyTorch's default for `Linear`: weights and biases uniform in `±1 / sqrt(inputs)`; biases 0 behind a normalization.
    #[default]
    Pytorch,
    /// Glorot and Bengio 2010: weights uniform in `±sqrt(6 / (inputs + outputs))`, biases 0.
    Xavier,
    /// He et al. 2015: weights normal with variance `2 / inputs`, biases 0.
    He,
    /// Weights normal with standard deviation `sigma`, biases 0.
    Normal {
        /// The standard deviation.
        #[cfg_attr(feature = "serde", serde(default = "usual_sigma"))]
        sigma: f32,
    },
}

impl Initialization {
    /// Its name, as files have it: `pytorch`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pytorch => "pytorch",
            Self::Xavier => "xavier",
            Self::He => "he",
            Self::Normal { .. } => "normal",
        }
    }
}

/// What people call it: `normal, deviation 0.02`.
impl fmt::Display for Initialization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pytorch => formatter.write_str("PyTorch's"),
            Self::Xavier => formatter.write_str("Xavier"),
            Self::He => formatter.write_str("He"),
            Self::Normal { sigma } => write!(formatter, "normal, deviation {sigma}"),
        }
    }
}

/// The standard deviation of a configuration file that names none: that of the usual recipes for GANs (Radford et al. 2015).
#[cfg(feature = "serde")]
fn usual_sigma() -> f32 {
    0.02
}

/// A network: layers, each of which takes what the one before it gives.
///
/// ```
/// use gannet::net::{Activation, Initialization, LayerSpec, NetworkSpec};
///
/// let layers = vec![LayerSpec::new(2, 16, Activation::Tanh), LayerSpec::new(16, 1, Activation::Linear)];
/// let network = NetworkSpec::new(layers).with_initialization(Initialization::Xavier);
/// assert_eq!((network.inputs(), network.outputs()), (2, 1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct NetworkSpec {
    /// How initial weights are drawn.
    #[cfg_attr(feature = "serde", serde(default))]
    pub initialization: Initialization,
    /// The layers, first to last.
    pub layers: Vec<LayerSpec>,
}

/// The number of weights of `layers`.
fn weights(layers: &[LayerSpec]) -> usize {
    layers.iter().map(|layer| layer.inputs.saturating_mul(layer.outputs)).fold(0, usize::saturating_add)
}

/// What is wrong with the groups of a layer that has some.
fn softmax_problem(layer: &LayerSpec, is_last: bool) -> Option<String> {
    let total = layer.softmax.iter().copied().fold(0, usize::saturating_add);
    if !is_last {
        return Some("only the last layer of a network has groups of outputs".into());
    }
    if let Some(group) = layer.softmax.iter().find(|group| **group < 2) {
        return Some(format!("a group of {group} is no choice; a category has two values or more"));
    }
    if total > layer.outputs {
        return Some(format!("the groups have {total} outputs, the layer {}", layer.outputs));
    }
    let is_plain = layer.activation == Activation::Linear && layer.normalization == Normalization::None;
    (!is_plain || layer.dropout != 0.0)
        .then(|| "a layer with groups has the activation linear, no normalization and no dropout".into())
}

impl NetworkSpec {
    /// A network of these layers, with PyTorch's initial weights.
    pub fn new(layers: Vec<LayerSpec>) -> Self {
        Self { initialization: Initialization::Pytorch, layers }
    }

    /// The same network with other [initial weights](Self::initialization).
    #[must_use]
    pub fn with_initialization(mut self, initialization: Initialization) -> Self {
        self.initialization = initialization;
        self
    }

    /// Whether a layer drops values in training.
    pub(crate) fn drops(&self) -> bool {
        self.layers.iter().any(|layer| layer.dropout > 0.0)
    }

    /// Whether a layer's outputs are drawn, in training at least: dropped, or from a [softmax](LayerSpec::softmax).
    pub(crate) fn draws(&self) -> bool {
        self.drops() || self.softmax().is_some()
    }

    /// The first layer with a [softmax](LayerSpec::softmax).
    pub(crate) fn softmax(&self) -> Option<usize> {
        self.layers.iter().position(|layer| !layer.softmax.is_empty())
    }

    /// A network of `sizes.len() - 1` layers with one activation (and dropout) for the hidden layers and another for the
    /// output: `NetworkSpec::dense(&[2, 16, 32, 2], Activation::Relu, 0.0, Activation::Linear)`.
    pub fn dense(sizes: &[usize], hidden: Activation, dropout: f32, output: Activation) -> Self {
        let last = sizes.len().saturating_sub(2);
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(index, pair)| {
                let (activation, dropout) = if index == last { (output, 0.0) } else { (hidden, dropout) };
                LayerSpec::new(pair[0], pair[1], activation).with_dropout(dropout)
            })
            .collect();
        Self::new(layers)
    }

    /// The same network with this [normalization](LayerSpec::normalization) in all layers but the last; in that too where it is
    /// [spectral](Normalization::Spectral), or none.
    #[must_use]
    pub fn with_normalization(mut self, normalization: Normalization) -> Self {
        let normalized = self.layers.len() - usize::from(normalization.is_of_sums() && !self.layers.is_empty());
        self.layers[..normalized].iter_mut().for_each(|layer| layer.normalization = normalization);
        self
    }

    /// Whether a layer has this normalization.
    pub(crate) fn has(&self, normalization: Normalization) -> bool {
        self.layers.iter().any(|layer| layer.normalization == normalization)
    }

    /// Whether a layer's normalization [settles gradients apart](Normalization::is_settled_apart) from the passes that find them.
    pub(crate) fn is_settled_apart(&self) -> bool {
        self.layers.iter().any(|layer| layer.normalization.is_settled_apart())
    }

    /// Features that enter the first layer.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// Features that leave the last layer.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// The widths that a sample takes on its way: the input's, then each layer's output's.
    pub(crate) fn widths(&self) -> impl Iterator<Item = usize> {
        self.layers.first().map(|layer| layer.inputs).into_iter().chain(self.layers.iter().map(|layer| layer.outputs))
    }

    /// The number of weights (without biases): M in `FLOP = 2 M` for a forward pass of one sample. It saturates where no
    /// [valid](Self::validate) network has so many.
    pub fn weights(&self) -> usize {
        weights(&self.layers)
    }

    /// The number of weights beyond the first layer: M' in `FLOP = 2 M'` for the gradients that flow down to it.
    /// It saturates too.
    pub fn weights_beyond_first(&self) -> usize {
        weights(self.layers.get(1..).unwrap_or_default())
    }

    /// Checks that there is a layer, that no width is 0 or absurd, that neighbours fit, and that slopes and probabilities
    /// lie in their ranges. `name` (`generator`, `discriminator`) opens the name of the offending setting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] that names the first offence.
    pub fn validate(&self, name: &str) -> Result<()> {
        /// Largest width of a layer: weights of two such layers still count in 64 bits, and no dense layer is wider.
        const WIDEST: usize = 1 << 24;
        if self.layers.is_empty() {
            return Err(Error::setting(format!("{name}.layers"), "a network needs at least one layer"));
        }
        let mut before: Option<usize> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let setting = |field: &str| format!("{name}.layers[{index}].{field}");
            for (field, value) in [("inputs", layer.inputs), ("outputs", layer.outputs)] {
                if value == 0 || value > WIDEST {
                    return Err(Error::setting(setting(field), format!("{value} is not between 1 and {WIDEST}")));
                }
            }
            if let Some(outputs) = before
                && outputs != layer.inputs
            {
                let problem = format!("{} does not fit the {outputs} outputs of the layer before it", layer.inputs);
                return Err(Error::setting(setting("inputs"), problem));
            }
            if let Activation::LeakyRelu { slope } = layer.activation
                && !(slope > 0.0 && slope.is_finite())
            {
                return Err(Error::setting(setting("slope"), format!("{slope} is not a positive number")));
            }
            if layer.normalization.is_of_sums() && index + 1 == self.layers.len() {
                let problem = "the last layer of a network cannot be normalized so; in D `spectral` suits it";
                return Err(Error::setting(setting("normalization"), problem));
            }
            if layer.normalization == Normalization::Layer && layer.outputs == 1 {
                let problem = "a layer of one output cannot be normalized: nothing but its bias would be left";
                return Err(Error::setting(setting("normalization"), problem));
            }
            if !(0.0..1.0).contains(&layer.dropout) {
                return Err(Error::setting(
                    setting("dropout"),
                    format!("{} is not a probability from 0 up to, but not including, 1", layer.dropout),
                ));
            }
            if !layer.softmax.is_empty() {
                let problem = softmax_problem(layer, index + 1 == self.layers.len());
                problem.map_or(Ok(()), |problem| Err(Error::setting(setting("softmax"), problem)))?;
            }
            before = Some(layer.outputs);
        }
        match self.initialization {
            Initialization::Normal { sigma } if !(sigma >= 0.0 && sigma.is_finite()) => Err(Error::setting(
                format!("{name}.initialization.sigma"),
                format!("{sigma} is not a number from 0 up"),
            )),
            _ => Ok(()),
        }
    }
}
