//! The weights that passes see under spectral normalization: those of the parameters, divided by their largest singular value.
//!
//! Parameters hold each layer's weights `W` and its left singular vector `u` as the last iteration began with it. From these alone follow
//! `v = W^T u / |W^T u|`, the largest singular value `|W v|` and what passes see, so that a run goes on from a checkpoint with the same bits.

use super::parameters::{LayerPlace, ParameterLayout};
use super::spec::{NetworkSpec, Normalization};
use crate::error::Result;
use crate::kernel::spectral::{self, Division};
use crate::memory::{self, AlignedBuffer};
use crate::parallel::{Chunks, Team};
use crate::simd::Isa;

/// Weights that one task takes, about: 32 KiB.
const CHUNK: usize = 8 * 1024;

/// Columns that one task takes.
const COLUMNS: usize = 256;

/// An arena like that of the parameters, with the weights that passes see.
#[derive(Debug)]
pub(crate) struct SpectralWeights {
    arena: AlignedBuffer,
    layers: Vec<Singular>,
}

/// The largest singular value of a layer's weights, and its vectors.
#[derive(Debug)]
struct Singular {
    layer: usize,
    value: f32,
    left: Vec<f32>,
    right: Vec<f32>,
    /// Room for a number of each row.
    sums: Vec<f32>,
}

impl Singular {
    /// What the weights are multiplied by.
    fn inverse(&self) -> f32 {
        // A matrix of zeros stays one.
        if self.value == 0.0 { 0.0 } else { 1.0 / self.value }
    }
}

/// Rows of a task.
fn rows(place: &LayerPlace) -> usize {
    (CHUNK / place.stride.max(1)).max(1)
}

/// A number for each row, in the tasks that take rows.
fn in_rows<'a>(place: &LayerPlace, values: &'a mut [f32]) -> Chunks<'a, f32> {
    Chunks::new(values, rows(place))
}

impl SpectralWeights {
    /// Those of these parameters, if a layer asks for them.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(crate) fn new(
        team: &Team<'_>,
        isa: Isa,
        spec: &NetworkSpec,
        layout: &ParameterLayout,
        parameters: &[f32],
    ) -> Result<Option<Self>> {
        if !spec.has(Normalization::Spectral) {
            return Ok(None);
        }
        let normalized = spec.layers.iter().enumerate().filter(|(_, of)| of.normalization == Normalization::Spectral);
        let singular = |(layer, of): (usize, &super::LayerSpec)| {
            let zeros = |len| memory::filled(len, 0.0);
            Ok(Singular {
                layer,
                value: 0.0,
                left: zeros(of.outputs)?,
                right: zeros(of.inputs)?,
                sums: zeros(of.outputs)?,
            })
        };
        let layers = normalized.map(singular).collect::<Result<_>>()?;
        let mut weights = Self { arena: AlignedBuffer::zeroed(layout.len())?, layers };
        weights.follow(team, isa, layout, parameters);
        Ok(Some(weights))
    }

    /// Bytes that they take.
    pub(crate) fn bytes(spec: &NetworkSpec, layout: &ParameterLayout) -> u64 {
        if !spec.has(Normalization::Spectral) {
            return 0;
        }
        let of_vectors = spec.layers.iter().map(|layer| layer.inputs.saturating_add(layer.outputs.saturating_mul(2)));
        let values = of_vectors.fold(layout.len(), usize::saturating_add);
        (values as u64).saturating_mul(size_of::<f32>() as u64)
    }

    /// What passes see.
    pub(crate) fn arena(&self) -> &[f32] {
        &self.arena
    }

    /// Takes gradients with respect to what passes see to those with respect to the parameters.
    pub(crate) fn take_through(&mut self, team: &Team<'_>, isa: Isa, layout: &ParameterLayout, gradients: &mut [f32]) {
        for singular in &mut self.layers {
            let place = layout.layer(singular.layer);
            let (of_task, inverse) = (rows(place), singular.inverse());
            let (seen, found) = (place.matrix(&self.arena), place.matrix(gradients));
            team.for_each(
                (0..singular.sums.len().div_ceil(of_task), in_rows(place, &mut singular.sums)),
                |(task, sums)| {
                    let [seen, found] = [seen, found].map(|matrix| matrix.rows_from(task * of_task));
                    spectral::row_products(isa, seen, found, sums);
                },
            );
            let along = singular.sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() as f32;
            let (left, right) = (&singular.left, &singular.right);
            let tasks = Chunks::new(&mut gradients[place.weight.clone()], of_task * place.stride);
            team.for_each((0..left.len().div_ceil(of_task), tasks), |(task, gradients)| {
                let division = Division { right, along, inverse };
                spectral::take_through(isa, gradients, place.stride, &left[task * of_task..], division);
            });
        }
    }

    /// One iteration after an update of the `parameters`, from the singular vectors that were found before it.
    pub(crate) fn iterate(&mut self, team: &Team<'_>, isa: Isa, layout: &ParameterLayout, parameters: &mut [f32]) {
        self.keep(layout, parameters);
        self.follow(team, isa, layout, parameters);
    }

    /// Leaves the singular vectors that were found among the `parameters`: the next iteration begins with them.
    pub(crate) fn keep(&self, layout: &ParameterLayout, parameters: &mut [f32]) {
        for singular in &self.layers {
            if let [buffer] = layout.layer(singular.layer).buffers.as_slice() {
                parameters[buffer.clone()].copy_from_slice(&singular.left);
            }
        }
    }

    /// Follows the `parameters`, by one iteration from the singular vectors among them.
    pub(crate) fn follow(&mut self, team: &Team<'_>, isa: Isa, layout: &ParameterLayout, parameters: &[f32]) {
        self.arena.copy_from_slice(parameters);
        for singular in &mut self.layers {
            let place = layout.layer(singular.layer);
            let [buffer] = place.buffers.as_slice() else { continue };
            let (weights, vector, of_task) = (place.matrix(parameters), &parameters[buffer.clone()], rows(place));
            let tasks = singular.right.len().div_ceil(COLUMNS);
            team.for_each((0..tasks, Chunks::new(&mut singular.right, COLUMNS)), |(task, sums)| {
                spectral::transposed_times(isa, weights, vector, task * COLUMNS, sums);
            });
            spectral::normalize(isa, &mut singular.right);
            let right = &singular.right;
            let tasks = singular.left.len().div_ceil(of_task);
            team.for_each((0..tasks, in_rows(place, &mut singular.left)), |(task, products)| {
                spectral::times(isa, weights.rows_from(task * of_task), right, products);
            });
            singular.value = spectral::normalize(isa, &mut singular.left);
            if singular.value == 0.0 {
                // Weights of 0 have no direction. The next ones need one to begin with.
                singular.left.copy_from_slice(vector);
            }
            let inverse = singular.inverse();
            team.for_each(Chunks::new(&mut self.arena[place.weight.clone()], CHUNK), |weights| {
                spectral::scale(isa, weights, inverse);
            });
        }
    }
}
