//! Which tensor of which network: the names that files and views have in common, and how names are read.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::network::Network;

impl FromStr for Network {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let problem = || Error::setting("network", format!("`{name}` is unknown; use generator or discriminator"));
        Self::ALL.into_iter().find(|network| network.name() == name).ok_or_else(problem)
    }
}

/// Which tensor of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The weights, `[outputs, inputs]`.
    Weight,
    /// The biases, `[outputs]`.
    Bias,
}

impl Role {
    /// Both tensors of a dense layer.
    pub(crate) const DENSE: [Self; 2] = [Self::Weight, Self::Bias];

    /// Its name, as files and errors have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
        }
    }
}

/// The name of a tensor, as files have it: `generator.0.weight`.
///
/// ```
/// use gannet::gan::{Network, Role, TensorName};
///
/// let name: TensorName = "discriminator.2.bias".parse()?;
/// assert_eq!(name, TensorName::new(Network::Discriminator, 2, Role::Bias));
/// assert_eq!(name.to_string(), "discriminator.2.bias");
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct TensorName {
    /// The network.
    pub network: Network,
    /// The layer, counted from 0.
    pub layer: usize,
    /// Which of the layer's tensors.
    pub role: Role,
}

impl TensorName {
    /// The name of a tensor of a layer, counted from 0.
    pub const fn new(network: Network, layer: usize, role: Role) -> Self {
        Self { network, layer, role }
    }
}

impl fmt::Display for TensorName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.network, self.layer, self.role.name())
    }
}

impl FromStr for TensorName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let parsed = || {
            let (network, rest) = name.split_once('.')?;
            let (layer, role) = rest.split_once('.')?;
            let role = Role::DENSE.into_iter().find(|known| known.name() == role)?;
            let name = Self { network: network.parse().ok()?, layer: layer.parse().ok()?, role };
            Some(name)
        };
        // Numbers have one spelling: neither `+1` nor `01`.
        parsed().filter(|parsed| parsed.to_string() == name).ok_or_else(|| {
            Error::setting("tensor", format!("`{name}` is no name of a tensor, as `generator.0.weight` is"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for network in Network::ALL {
            assert_eq!(network.name().parse::<Network>().unwrap(), network);
            for role in Role::DENSE {
                for layer in [0, 1, 10, usize::MAX] {
                    let name = TensorName { network, layer, role };
                    assert_eq!(name.to_string().parse::<TensorName>().unwrap(), name);
                }
            }
        }
        for name in [
            "",
            "generator",
            "generator.0",
            "generator.0.weight.x",
            "generator.00.weight",
            "generator.+1.bias",
            "g.0.bias",
        ] {
            assert!(name.parse::<TensorName>().is_err(), "{name}");
        }
        assert!("G".parse::<Network>().is_err());
    }
}
