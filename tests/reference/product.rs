//! Products of matrices by their definition, and the three of a dense layer.

/// `A B` of a `[rows, inner]` and an `[inner, columns]` matrix.
pub(crate) fn times(a: &[f64], b: &[f64], [rows, inner, columns]: [usize; 3]) -> Vec<f64> {
    assert_eq!((a.len(), b.len()), (rows * inner, inner * columns), "sizes");
    let mut product = vec![0.0; rows * columns];
    for row in 0..rows {
        for k in 0..inner {
            for column in 0..columns {
                product[row * columns + column] += a[row * inner + k] * b[k * columns + column];
            }
        }
    }
    product
}

/// The `[columns, rows]` matrix that has the rows of a `[rows, columns]` one as its columns.
pub(crate) fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}

/// The products of a dense layer `Y = W X + b`, where samples are columns: what the forward and the backward pass need of it.
pub(crate) struct Dense {
    /// `W X + b`, `[outputs, samples]`.
    pub(crate) output: Vec<f64>,
    /// `W^T D` of the gradient `D` with respect to the output, `[inputs, samples]`.
    pub(crate) input_gradient: Vec<f64>,
    /// `D X^T`, `[outputs, inputs]`.
    pub(crate) weight_gradient: Vec<f64>,
    /// The sums of the rows of `D`.
    pub(crate) bias_gradient: Vec<f64>,
}

impl Dense {
    pub(crate) fn new(weights: &[f32], bias: &[f32], input: &[f32], delta: &[f32], samples: usize) -> Self {
        let [weights, bias, input, delta] = [weights, bias, input, delta].map(super::numbers::wide);
        let (inputs, outputs) = (input.len() / samples, bias.len());
        let mut output = times(&weights, &input, [outputs, inputs, samples]);
        output.chunks_mut(samples).zip(&bias).for_each(|(row, bias)| row.iter_mut().for_each(|y| *y += bias));
        Self {
            output,
            input_gradient: times(&transposed(&weights, inputs), &delta, [inputs, outputs, samples]),
            weight_gradient: times(&delta, &transposed(&input, samples), [outputs, samples, inputs]),
            bias_gradient: delta.chunks(samples).map(|row| row.iter().sum()).collect(),
        }
    }
}
