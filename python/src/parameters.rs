//! Parameters, what belongs to each of them, or buffers beside them, as dictionaries of arrays.

use gannet::Error;
use gannet::net::{LayerSpec, LayerTensors, NetworkSpec};
use gannet_settings::nearest::suggestion;
use numpy::{PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{not_dense, required, vector};
use crate::problem::Problem;

/// The tensors of a layer: name, shape, values.
fn tensors<'a>(
    prefix: &str,
    index: usize,
    layer: &'a LayerTensors,
    [outputs, inputs]: [usize; 2],
) -> [(String, Vec<usize>, &'a [f32]); 2] {
    let name = |role: &str| format!("{prefix}{index}.{role}");
    [(name("weight"), vec![outputs, inputs], &layer.weight), (name("bias"), vec![outputs], &layer.bias)]
}

/// Puts a copy of the tensors of a network into `dict`: `PREFIX0.weight`, `[outputs, inputs]`, `PREFIX0.bias`, ...
pub(crate) fn put(
    dict: &Bound<'_, PyDict>,
    prefix: &str,
    spec: &NetworkSpec,
    layers: &[LayerTensors],
) -> Result<(), Problem> {
    for (index, (tensor, layer)) in layers.iter().zip(&spec.layers).enumerate() {
        for (name, shape, values) in tensors(prefix, index, tensor, [layer.outputs, layer.inputs]) {
            dict.set_item(name, vector(dict.py(), values.len(), values.iter().copied())?.reshape(shape)?)?;
        }
    }
    Ok(())
}

/// The names of a network's tensors.
pub(crate) fn names(prefix: &str, spec: &NetworkSpec) -> Vec<String> {
    (0..spec.layers.len()).flat_map(|index| ["weight", "bias"].map(|role| format!("{prefix}{index}.{role}"))).collect()
}

/// Refuses a name in `dict`, the argument `what`, that is not `known`.
pub(crate) fn check_names(dict: &Bound<'_, PyDict>, what: &str, known: &[String]) -> Result<(), Problem> {
    for name in dict.keys() {
        let name: String = name.extract()?;
        if !known.contains(&name) {
            let hint = suggestion(&name, known.iter().map(String::as_str));
            return Err(Error::setting(what, format!("there is no tensor `{name}`{hint}")).into());
        }
    }
    Ok(())
}

/// Tensors of a network's layers that a dict has, by their place in the layer. They are copies, so that the network is changed in one go
/// while no other thread uses it.
pub(crate) struct Given(Vec<(usize, Place, Vec<f32>)>);

/// The place of a tensor in its layer.
enum Place {
    Weight,
    Bias,
    /// The buffer of a number.
    Buffer(usize),
}

impl Given {
    /// The weights and biases that `dict` has.
    pub(crate) fn parameters(dict: &Bound<'_, PyDict>, prefix: &str, spec: &NetworkSpec) -> Result<Self, Problem> {
        let mut given = Vec::new();
        for (index, layer) in spec.layers.iter().enumerate() {
            let tensors = [
                ("weight", vec![layer.outputs, layer.inputs], Place::Weight),
                ("bias", vec![layer.outputs], Place::Bias),
            ];
            for (role, shape, place) in tensors {
                let values = copied(dict, format!("{prefix}{index}.{role}"), &shape)?;
                given.extend(values.map(|values| (index, place, values)));
            }
        }
        Ok(Self(given))
    }

    /// The buffers that `dict` has, which are those of the network alone.
    pub(crate) fn buffers(dict: &Bound<'_, PyDict>, spec: &NetworkSpec) -> Result<Self, Problem> {
        check_names(dict, "buffers", &buffers(spec).flat_map(|(_, names)| names).collect::<Vec<_>>())?;
        let mut given = Vec::new();
        for (index, names) in buffers(spec) {
            for (number, name) in names.into_iter().enumerate() {
                let values = copied(dict, name, &[spec.layers[index].outputs])?;
                given.extend(values.map(|values| (index, Place::Buffer(number), values)));
            }
        }
        Ok(Self(given))
    }

    /// Puts them into the network's `layers`; what was not given stays.
    pub(crate) fn put_into(self, layers: &mut [LayerTensors]) {
        for (index, place, values) in self.0 {
            let layer = &mut layers[index];
            match place {
                Place::Weight => layer.weight = values,
                Place::Bias => layer.bias = values,
                Place::Buffer(number) => layer.buffers[number] = values,
            }
        }
    }
}

/// A copy of the tensor `name` of this shape, if `dict` has it.
fn copied(dict: &Bound<'_, PyDict>, name: String, shape: &[usize]) -> Result<Option<Vec<f32>>, Problem> {
    let Some(value) = dict.get_item(&name)? else { return Ok(None) };
    let array: PyReadonlyArrayDyn<'_, f32> = required(&value, "float32")?.extract()?;
    if array.shape() != shape {
        return Err(Error::shape(name, format!("{shape:?}"), format!("{:?}", array.shape())).into());
    }
    Ok(Some(array.as_slice().map_err(not_dense)?.to_vec()))
}

/// The names of what the normalizations of a network's layers keep: for each layer with some its number and their names.
fn buffers(spec: &NetworkSpec) -> impl Iterator<Item = (usize, Vec<String>)> {
    let of_layer = |(index, layer): (usize, &LayerSpec)| {
        (index, layer.normalization.buffers().iter().map(|name| format!("{index}.{name}")).collect())
    };
    spec.layers.iter().enumerate().map(of_layer)
}

/// A copy of what the normalizations of a network keep: `0.running_mean`, `[outputs]`, ...
pub(crate) fn buffers_dict<'py>(
    py: Python<'py>,
    spec: &NetworkSpec,
    layers: &[LayerTensors],
) -> Result<Bound<'py, PyDict>, Problem> {
    let dict = PyDict::new(py);
    for (index, names) in buffers(spec) {
        for (name, values) in names.into_iter().zip(&layers[index].buffers) {
            dict.set_item(name, vector(py, values.len(), values.iter().copied())?)?;
        }
    }
    Ok(dict)
}
