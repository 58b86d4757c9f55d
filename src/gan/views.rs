//! Tensors where they stand: views of a network's parameters and gradients by name, without a copy.

use crate::net::parameters::{LayerPlace, ParameterLayout};
use crate::network::Network;
use crate::tensor_name::{Role, TensorName};

/// A tensor where it stands. Rows of weights may stand apart in memory, so that values are handed out row by row.
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    name: TensorName,
    shape: [usize; 2],
    /// From one row to the next.
    stride: usize,
    values: &'a [f32],
}

impl<'a> TensorView<'a> {
    /// Its name.
    pub fn name(&self) -> TensorName {
        self.name
    }

    /// Its shape: `[outputs, inputs]` for weights, `[outputs]` for biases.
    pub fn shape(&self) -> &[usize] {
        shape(self.name.role, &self.shape)
    }

    /// Its rows: for weights one for each output, for biases a single one.
    pub fn rows(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let len = row_len(self.name.role, self.shape);
        self.values.chunks(self.stride.max(1)).map(move |row| &row[..len])
    }

    /// All values, row after row.
    pub fn values(&self) -> impl Iterator<Item = f32> + use<'a> {
        self.rows().flatten().copied()
    }
}

/// A tensor that may be changed where it stands.
#[derive(Debug)]
pub struct TensorViewMut<'a> {
    name: TensorName,
    shape: [usize; 2],
    stride: usize,
    values: &'a mut [f32],
}

impl TensorViewMut<'_> {
    /// Its name.
    pub fn name(&self) -> TensorName {
        self.name
    }

    /// Its shape: `[outputs, inputs]` for weights, `[outputs]` for biases.
    pub fn shape(&self) -> &[usize] {
        shape(self.name.role, &self.shape)
    }

    /// Its rows: for weights one for each output, for biases a single one.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let len = row_len(self.name.role, self.shape);
        self.values.chunks_mut(self.stride.max(1)).map(move |row| &mut row[..len])
    }
}

fn shape(role: Role, shape: &[usize; 2]) -> &[usize] {
    match role {
        Role::Weight => shape,
        Role::Bias => &shape[..1],
    }
}

fn row_len(role: Role, [outputs, inputs]: [usize; 2]) -> usize {
    match role {
        Role::Weight => inputs,
        Role::Bias => outputs,
    }
}

/// Where a tensor of a layer stands: its shape, its stride and its range.
fn place(layer: &LayerPlace, role: Role) -> ([usize; 2], usize, std::ops::Range<usize>) {
    let shape = [layer.bias.len(), layer.inputs];
    match role {
        Role::Weight => (shape, layer.stride, layer.weight.clone()),
        Role::Bias => (shape, layer.bias.len(), layer.bias.clone()),
    }
}

/// The tensors of `network` in an arena, layer after layer, the weights first.
pub(super) fn tensors<'a>(
    network: Network,
    layout: &'a ParameterLayout,
    arena: &'a [f32],
) -> impl Iterator<Item = TensorView<'a>> {
    layout.layers().iter().enumerate().flat_map(move |(layer, of_layer)| {
        Role::DENSE.into_iter().map(move |role| {
            let (shape, stride, range) = place(of_layer, role);
            TensorView { name: TensorName { network, layer, role }, shape, stride, values: &arena[range] }
        })
    })
}

/// The same, to be changed.
pub(super) fn tensors_mut<'a>(
    network: Network,
    layout: &'a ParameterLayout,
    arena: &'a mut [f32],
) -> impl Iterator<Item = TensorViewMut<'a>> {
    // Tensors stand in the arena in their order.
    let (mut rest, mut passed) = (arena, 0);
    let places = layout.layers().iter().enumerate();
    let places = places.flat_map(|(layer, of_layer)| Role::DENSE.map(|role| (layer, role, place(of_layer, role))));
    places.map(move |(layer, role, (shape, stride, range))| {
        let (values, behind) = std::mem::take(&mut rest)[range.start - passed..].split_at_mut(range.len());
        (rest, passed) = (behind, range.end);
        TensorViewMut { name: TensorName { network, layer, role }, shape, stride, values }
    })
}
