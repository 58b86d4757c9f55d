//! Activations and their slopes, from their definitions (PyTorch's `nn.ReLU`, `nn.LeakyReLU`, `nn.Tanh`, `nn.Sigmoid`).

use gannet::net::Activation;

use super::loss::sigmoid;

/// One of each kind.
pub(crate) const ALL: [Activation; 5] =
    [Activation::Linear, Activation::Relu, Activation::LeakyRelu { slope: 0.2 }, Activation::Tanh, Activation::Sigmoid];

/// The value at `x`. NaN stays NaN.
#[allow(unreachable_patterns, reason = "within the crate every kind is known")]
pub(crate) fn value(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Linear => x,
        Activation::Relu if x <= 0.0 => 0.0,
        Activation::Relu => x,
        Activation::LeakyRelu { slope } if x <= 0.0 => f64::from(slope) * x,
        Activation::LeakyRelu { .. } => x,
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
        other => panic!("no reference for {other}"),
    }
}

/// The slope where the value is `y`: tanh' = 1 - tanh^2, sigmoid' = sigmoid (1 - sigmoid). At a bend it is that of the negative side.
#[allow(unreachable_patterns, reason = "within the crate every kind is known")]
pub(crate) fn slope(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::Linear => 1.0,
        Activation::Relu => f64::from(u8::from(y > 0.0)),
        Activation::LeakyRelu { slope } => {
            if y > 0.0 {
                1.0
            } else {
                f64::from(slope)
            }
        }
        Activation::Tanh => 1.0 - y * y,
        Activation::Sigmoid => y * (1.0 - y),
        other => panic!("no reference for {other}"),
    }
}
