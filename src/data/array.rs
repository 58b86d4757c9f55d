//! Samples as a row-major `f32` array in memory.

use crate::data::check_count;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::gan::source::{InMemory, Shape, Source};
use crate::rows;

/// Samples in memory: a row-major `[samples, features]` matrix of finite `f32`.
#[derive(Clone, Debug, PartialEq)]
pub struct ArraySource {
    values: Vec<f32>,
    features: usize,
}

impl ArraySource {
    /// Takes `values` as rows of `features` values, one row a sample.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if there is no value, no feature, a last row that is not whole, or more than `u32::MAX` rows;
    /// [`Error::Data`] if a value is not finite, naming the first such row and column (counted from 0).
    pub fn new(values: Vec<f32>, features: usize) -> Result<Self> {
        check_count("samples", rows::some("samples", values.len(), features)?)?;
        rows::finite("samples", &values, features)?;
        Ok(Self { values, features })
    }

    /// The number of samples.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.values.len() / self.features
    }

    /// Features of a sample.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The values, row-major `[samples, features]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Gives the values back, row-major `[samples, features]`.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

impl Source for ArraySource {
    fn shape(&self) -> Shape {
        Shape::new(self.features, self.len())
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        Some(InMemory::of_rows(&self.values, self.features))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::simd::{Isa, LANE_GROUP};

    #[test]
    fn refuses_what_is_no_matrix_of_finite_values() {
        for (values, features) in [(vec![], 2), (vec![1.0], 0), (vec![1.0; 5], 2)] {
            assert!(matches!(ArraySource::new(values, features), Err(Error::Shape { .. })));
        }
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = ArraySource::new(vec![0.0, 1.0, 2.0, bad, bad, 5.0], 2).unwrap_err().to_string();
            assert!(error.contains("row 1, column 1"), "{error}");
        }
    }

    #[test]
    fn gathers_rows_into_lanes() {
        let source = ArraySource::new((0..15u8).map(f32::from).collect(), 3).unwrap();
        assert_eq!((source.len(), source.features()), (5, 3));
        for isa in Isa::available() {
            let mut panel = vec![f32::NAN; 3 * LANE_GROUP];
            source.in_memory().unwrap().gather(isa, &[4, 0, 2], &mut panel, LANE_GROUP);
            for feature in 0..3 {
                let mut expected = [0.0; LANE_GROUP];
                for (lane, row) in [4, 0, 2].into_iter().enumerate() {
                    expected[lane] = source.values()[row * 3 + feature];
                }
                assert_eq!(panel[feature * LANE_GROUP..][..LANE_GROUP], expected, "{isa:?}, feature {feature}");
            }
        }
    }
}
