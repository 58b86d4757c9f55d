//! Parameters, what belongs to each of them, or buffers beside them, as dictionaries of arrays.

use gannet::Error;
use gannet::net::{LayerSpec, LayerTensors, NetworkSpec};
use gannet_settings::nearest::suggestion;
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{not_dense, required};
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
            dict.set_item(name, PyArray1::from_slice(dict.py(), values).reshape(shape)?)?;
        }
    }
    Ok(())
}

/// The names of a network's tensors.
pub(crate) fn names(prefix: &str, spec: &NetworkSpec) -> Vec<String> {
    (0..spec.layers.len()).flat_map(|index| ["weight", "bias"].map(|role| format!("{prefix}{index}.{role}"))).collect()
}

/// Refuses a name in `dict` that is not `known`.
pub(crate) fn check_names(dict: &Bound<'_, PyDict>, known: &[String]) -> Result<(), Problem> {
    for name in dict.keys() {
        let name: String = name.extract()?;
        if !known.contains(&name) {
            let hint = suggestion(&name, known.iter().map(String::as_str));
            return Err(Error::setting("parameters", format!("there is no tensor `{name}`{hint}")).into());
        }
    }
    Ok(())
}

/// Puts the tensors in `dict` into `layers`; those that it leaves out stay.
pub(crate) fn replace(
    dict: &Bound<'_, PyDict>,
    prefix: &str,
    spec: &NetworkSpec,
    layers: &mut [LayerTensors],
) -> Result<(), Problem> {
    for (index, (tensor, layer)) in layers.iter_mut().zip(&spec.layers).enumerate() {
        let shapes =
            tensors(prefix, index, tensor, [layer.outputs, layer.inputs]).map(|(name, shape, _)| (name, shape));
        for ((name, shape), place) in shapes.into_iter().zip([&mut tensor.weight, &mut tensor.bias]) {
            copy(dict, name, &shape, place)?;
        }
    }
    Ok(())
}

/// Copies the tensor `name` of this shape, if `dict` has it, to its place.
fn copy(dict: &Bound<'_, PyDict>, name: String, shape: &[usize], place: &mut [f32]) -> Result<(), Problem> {
    let Some(value) = dict.get_item(&name)? else { return Ok(()) };
    let array: PyReadonlyArrayDyn<'_, f32> = required(&value, "float32")?.extract()?;
    if array.shape() != shape {
        return Err(Error::shape(name, format!("{shape:?}"), format!("{:?}", array.shape())).into());
    }
    place.copy_from_slice(array.as_slice().map_err(not_dense)?);
    Ok(())
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
            dict.set_item(name, PyArray1::from_slice(py, values))?;
        }
    }
    Ok(dict)
}

/// Puts the buffers in `dict` into `layers`; those that it leaves out stay.
pub(crate) fn replace_buffers(
    dict: &Bound<'_, PyDict>,
    spec: &NetworkSpec,
    layers: &mut [LayerTensors],
) -> Result<(), Problem> {
    check_names(dict, &buffers(spec).flat_map(|(_, names)| names).collect::<Vec<_>>())?;
    for (index, names) in buffers(spec) {
        for (name, place) in names.into_iter().zip(&mut layers[index].buffers) {
            let shape = [place.len()];
            copy(dict, name, &shape, place)?;
        }
    }
    Ok(())
}
