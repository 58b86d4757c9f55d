//! A step whose random numbers come from outside: how an implementation is held against another.

use super::spec::{GanSpec, Order};
use super::streams::Stream;
use crate::error::{Error, Result};

/// Everything random of one step, handed in instead of drawn. All matrices are row-major, one row a sample of the batch. Instance noise
/// alone is drawn as in every step; a [softmax](crate::net::LayerSpec::softmax) has no noise, but the temperature of training.
///
/// Where D judges [packs](GanSpec::packing) of `m` samples, pack `k` of the batch has the samples `k`, `k + batch / m`, `k + 2 batch / m` ...,
/// and D's dropout and the shares have a row for each pack: `[batch / m, ..]`.
///
/// ```
/// use gannet::gan::GivenStep;
///
/// let (real, latents, kept) = ([0.5, -0.5], [0.1, 0.2], [1, 0, 1, 1]);
/// let keeps = [Some(kept.as_slice()), None];
/// let step = GivenStep::new(&real, &latents).with_generator_latents(&latents).with_keep_real(&keeps);
/// assert_eq!((step.keep_real.len(), step.keep_generator_step.len()), (2, 0));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GivenStep<'a> {
    /// Real samples, `[batch, features]`, each with its conditions behind it where there are any.
    pub real: &'a [f32],
    /// Latents of D's step, `[batch, latents]`.
    pub discriminator_latents: &'a [f32],
    /// Latents of G's step, `[batch, latents]`; not read in the orders that share the fakes.
    pub generator_latents: &'a [f32],
    /// D's dropout on the real samples: for each layer `[batch, outputs]` with 1 = kept, `None` for a layer without dropout.
    pub keep_real: &'a [Option<&'a [u8]>],
    /// D's dropout on the fakes, in its own step.
    pub keep_fake: &'a [Option<&'a [u8]>],
    /// D's dropout in G's step.
    pub keep_generator_step: &'a [Option<&'a [u8]>],
    /// D's dropout on the real samples in G's step, which a relativistic objective alone reads.
    pub keep_generator_real: &'a [Option<&'a [u8]>],
    /// Shares of the real samples in those that the gradient penalty looks at, `[batch]`; not read without one.
    pub interpolation: &'a [f32],
    /// D's dropout on these samples.
    pub keep_between: &'a [Option<&'a [u8]>],
}

impl<'a> GivenStep<'a> {
    /// A step with these real samples and these [latents of D's step](Self::discriminator_latents): whole for an order that shares
    /// the fakes, and a D without dropout.
    pub fn new(real: &'a [f32], discriminator_latents: &'a [f32]) -> Self {
        Self {
            real,
            discriminator_latents,
            generator_latents: &[],
            keep_real: &[],
            keep_fake: &[],
            keep_generator_step: &[],
            keep_generator_real: &[],
            interpolation: &[],
            keep_between: &[],
        }
    }

    /// The same step with these [latents of G's step](Self::generator_latents).
    #[must_use]
    pub fn with_generator_latents(mut self, latents: &'a [f32]) -> Self {
        self.generator_latents = latents;
        self
    }

    /// The same step with this [dropout on the real samples](Self::keep_real).
    #[must_use]
    pub fn with_keep_real(mut self, keeps: &'a [Option<&'a [u8]>]) -> Self {
        self.keep_real = keeps;
        self
    }

    /// The same step with this [dropout on the fakes of D's step](Self::keep_fake).
    #[must_use]
    pub fn with_keep_fake(mut self, keeps: &'a [Option<&'a [u8]>]) -> Self {
        self.keep_fake = keeps;
        self
    }

    /// The same step with this [dropout in G's step](Self::keep_generator_step).
    #[must_use]
    pub fn with_keep_generator_step(mut self, keeps: &'a [Option<&'a [u8]>]) -> Self {
        self.keep_generator_step = keeps;
        self
    }

    /// The same step with this [dropout on the real samples of G's step](Self::keep_generator_real).
    #[must_use]
    pub fn with_keep_generator_real(mut self, keeps: &'a [Option<&'a [u8]>]) -> Self {
        self.keep_generator_real = keeps;
        self
    }

    /// The same step with these [shares of the real samples](Self::interpolation).
    #[must_use]
    pub fn with_interpolation(mut self, shares: &'a [f32]) -> Self {
        self.interpolation = shares;
        self
    }

    /// The same step with this [dropout between real samples and fakes](Self::keep_between).
    #[must_use]
    pub fn with_keep_between(mut self, keeps: &'a [Option<&'a [u8]>]) -> Self {
        self.keep_between = keeps;
        self
    }

    /// The numbers in the place of a stream's.
    pub(super) fn numbers(&self, stream: Stream) -> Option<&'a [f32]> {
        match stream {
            Stream::Interpolation => Some(self.interpolation),
            Stream::DiscriminatorLatents => Some(self.discriminator_latents),
            Stream::GeneratorLatents => Some(self.generator_latents),
            _ => None,
        }
    }

    /// The dropout keeps in the place of a stream's.
    pub(super) fn keeps(&self, stream: Stream) -> Option<&'a [Option<&'a [u8]>]> {
        match stream {
            Stream::KeepReal => Some(self.keep_real),
            Stream::KeepFake => Some(self.keep_fake),
            Stream::KeepGeneratorStep => Some(self.keep_generator_step),
            Stream::KeepGeneratorReal => Some(self.keep_generator_real),
            Stream::KeepBetween => Some(self.keep_between),
            // G drops nothing here, and its softmax has no noise.
            Stream::GeneratorKeepsFake | Stream::GeneratorKeeps => Some(&[]),
            _ => None,
        }
    }

    /// Checks every matrix against the specification.
    pub(super) fn check(&self, spec: &GanSpec, batch: usize) -> Result<()> {
        let packs = batch / spec.packing;
        if spec.discriminator_steps != 1 {
            return Err(Error::setting("discriminator_steps", "a given step has one step of D per step of G"));
        }
        if spec.generator.layers.iter().any(|layer| layer.dropout > 0.0) {
            return Err(Error::setting(
                "generator",
                "a given step has no place for the keeps of a generator's dropout",
            ));
        }
        let check = |name: String, found: usize, [rows, columns]: [usize; 2]| {
            if found == rows * columns {
                return Ok(());
            }
            Err(Error::shape(name, format!("{rows} x {columns} values"), format!("{found} values")))
        };
        check("real".into(), self.real.len(), [batch, spec.row_features()])?;
        check("discriminator_latents".into(), self.discriminator_latents.len(), [batch, spec.latents()])?;
        if spec.order == Order::DiscriminatorFirst {
            check("generator_latents".into(), self.generator_latents.len(), [batch, spec.latents()])?;
        }
        let mut roles = vec![
            ("keep_real", self.keep_real),
            ("keep_fake", self.keep_fake),
            ("keep_generator_step", self.keep_generator_step),
        ];
        if spec.objective.is_relativistic() {
            roles.push(("keep_generator_real", self.keep_generator_real));
        }
        if spec.penalties.gradient_penalty != 0.0 {
            check("interpolation".into(), self.interpolation.len(), [packs, 1])?;
            roles.push(("keep_between", self.keep_between));
        }
        for (role, keeps) in roles {
            for (index, layer) in spec.discriminator.layers.iter().enumerate() {
                if layer.dropout > 0.0 {
                    let keeps = keeps.get(index).copied().flatten().unwrap_or(&[]);
                    check(format!("{role}[{index}]"), keeps.len(), [packs, layer.outputs])?;
                }
            }
        }
        Ok(())
    }
}
