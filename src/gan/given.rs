//! A step whose random numbers come from outside: how an implementation is held against another.

use super::spec::{GanSpec, Order};
use super::streams::Stream;
use crate::error::{Error, Result};

/// Everything random of one step, handed in instead of drawn. All matrices are row-major, one row a sample of the batch.
#[derive(Clone, Copy, Debug)]
pub struct GivenStep<'a> {
    /// Real samples, `[batch, features]`.
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
}

impl<'a> GivenStep<'a> {
    /// The latents in the place of a stream's.
    pub(super) fn latents(&self, stream: Stream) -> Option<&'a [f32]> {
        match stream {
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
            _ => None,
        }
    }

    /// Checks every matrix against the specification.
    pub(super) fn check(&self, spec: &GanSpec, batch: usize) -> Result<()> {
        if spec.discriminator_steps != 1 {
            return Err(Error::setting("discriminator_steps", "a given step has one step of D per step of G"));
        }
        if spec.generator.layers.iter().any(|layer| layer.dropout > 0.0) {
            return Err(Error::setting(
                "generator",
                "a given step has no place for the keeps of a generator's dropout",
            ));
        }
        let check = |name: String, found: usize, columns: usize| {
            if found == batch * columns {
                return Ok(());
            }
            Err(Error::shape(name, format!("{batch} x {columns} values"), format!("{found} values")))
        };
        check("real".into(), self.real.len(), spec.features())?;
        check("discriminator_latents".into(), self.discriminator_latents.len(), spec.latents())?;
        if spec.order == Order::DiscriminatorFirst {
            check("generator_latents".into(), self.generator_latents.len(), spec.latents())?;
        }
        let roles = [
            ("keep_real", self.keep_real),
            ("keep_fake", self.keep_fake),
            ("keep_generator_step", self.keep_generator_step),
        ];
        for (role, keeps) in roles {
            for (index, layer) in spec.discriminator.layers.iter().enumerate() {
                if layer.dropout > 0.0 {
                    let keeps = keeps.get(index).copied().flatten().unwrap_or(&[]);
                    check(format!("{role}[{index}]"), keeps.len(), layer.outputs)?;
                }
            }
        }
        Ok(())
    }
}
