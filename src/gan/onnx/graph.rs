//! A graph of ONNX that grows node by node.

use super::messages::{
    AttributeProto, BOOL, DOUBLE, DimensionProto, FLOAT, FLOAT_ATTRIBUTE, GraphProto, INT_ATTRIBUTE, INT64, NodeProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::error::Result;
use crate::memory::room;

/// The name of the number of rows.
const ROWS: &str = "rows";

/// Numbers of a kind that tensors have.
pub(super) trait Number: Copy {
    /// The number of the kind.
    const KIND: i32;

    /// Appends its bytes.
    fn append(self, bytes: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($kind:ty => $name:ident),*) => {
        $(impl Number for $kind {
            const KIND: i32 = $name;

            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        })*
    };
}

numbers!(f32 => FLOAT, f64 => DOUBLE, i64 => INT64);

impl Number for bool {
    const KIND: i32 = BOOL;

    fn append(self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self));
    }
}

/// A graph, and the value that its last node makes.
pub(super) struct Graph {
    graph: GraphProto,
    last: String,
}

impl Graph {
    /// A graph named `name` that begins with its inputs, `[rows, width]` each, side by side.
    pub(super) fn new(name: &str, inputs: &[(&str, usize)]) -> Self {
        let input = inputs.iter().map(|(name, width)| value(name, FLOAT, *width)).collect();
        let graph = GraphProto { name: name.into(), input, ..GraphProto::default() };
        let names: Vec<String> = inputs.iter().map(|(name, _)| name.to_string()).collect();
        match names.as_slice() {
            [name] => Self { graph, last: name.clone() },
            _ => {
                let mut graph = Self { graph, last: "inputs".into() };
                graph.join(names, "inputs");
                graph
            }
        }
    }

    /// A tensor of `values` of the shape `dims`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(super) fn tensor<T: Number>(&mut self, name: &str, dims: &[usize], values: &[T]) -> Result<()> {
        let mut raw_data = room(size_of_val(values))?;
        values.iter().for_each(|value| value.append(&mut raw_data));
        let dims = dims.iter().map(|dim| *dim as i64).collect();
        self.graph.initializer.push(TensorProto { dims, data_type: T::KIND, name: name.into(), raw_data });
        Ok(())
    }

    /// A node that makes `output` of the last value and of tensors.
    pub(super) fn node(&mut self, operator: &str, tensors: &[&str], output: &str, attributes: Vec<AttributeProto>) {
        let tensors = tensors.iter().map(|name| name.to_string());
        let inputs = std::iter::once(std::mem::take(&mut self.last)).chain(tensors).collect();
        self.push(operator, inputs, output.into(), attributes);
    }

    /// Cuts the last value into `parts`, whose widths are in the tensor `sizes`.
    pub(super) fn split(&mut self, sizes: &str, parts: &[String]) {
        let input = vec![std::mem::take(&mut self.last), sizes.into()];
        let name = format!("{sizes}.split");
        let (output, attribute) = (parts.to_vec(), vec![int("axis", 1)]);
        self.graph.node.push(NodeProto { input, output, name, op_type: "Split".into(), attribute });
    }

    /// A node that makes `output` of the value `input`.
    pub(super) fn of(&mut self, operator: &str, input: &str, output: &str, attributes: Vec<AttributeProto>) {
        self.push(operator, vec![input.into()], output.into(), attributes);
    }

    /// A node that makes `output` of values and tensors.
    pub(super) fn of_all(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: Vec<AttributeProto>) {
        self.push(operator, inputs.iter().map(|name| name.to_string()).collect(), output.into(), attributes);
    }

    /// The name of the value that the last node makes.
    pub(super) fn last(&self) -> String {
        self.last.clone()
    }

    /// Puts values side by side.
    pub(super) fn join(&mut self, values: Vec<String>, output: &str) {
        self.push("Concat", values, output.into(), vec![int("axis", 1)]);
    }

    fn push(&mut self, operator: &str, input: Vec<String>, output: String, attribute: Vec<AttributeProto>) {
        self.last.clone_from(&output);
        let name = format!("{output}.{}", operator.to_ascii_lowercase());
        self.graph.node.push(NodeProto { input, output: vec![output], name, op_type: operator.into(), attribute });
    }

    /// Makes the last value, which no other node takes, the output `name`, `[rows, width]` of numbers of this kind.
    pub(super) fn output(&mut self, name: &str, kind: i32, width: usize) {
        if let Some(output) = self.graph.node.last_mut().and_then(|node| node.output.first_mut()) {
            *output = name.into();
        }
        self.graph.output.push(value(name, kind, width));
    }

    /// The whole graph.
    pub(super) fn finish(self) -> GraphProto {
        self.graph
    }
}

/// An attribute.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i: Some(value), r#type: INT_ATTRIBUTE, ..AttributeProto::default() }
}

/// An attribute.
pub(super) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.into(), f: Some(value), r#type: FLOAT_ATTRIBUTE, ..AttributeProto::default() }
}

/// An input or an output `[rows, width]`.
fn value(name: &str, kind: i32, width: usize) -> ValueInfoProto {
    let rows = DimensionProto { dim_param: Some(ROWS.into()), ..DimensionProto::default() };
    let columns = DimensionProto { dim_value: Some(width as i64), ..DimensionProto::default() };
    let shape = Some(TensorShapeProto { dim: vec![rows, columns] });
    let tensor_type = Some(TensorTypeProto { elem_type: kind, shape });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}
