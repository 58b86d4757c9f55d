//! Pure loops over slices. No networks, no threads, no allocation.
//!
//! A *panel* is a block of samples stored feature by feature, the samples side by side: feature `f` of sample `s` stands at
//! `f * width + s`, and `width` is a multiple of [`LANE_GROUP`](crate::simd::LANE_GROUP).

#![forbid(unsafe_code)]

pub mod activation;
pub mod average;
pub mod batch_normalization;
pub mod curvature;
pub mod distance;
pub mod dropout;
pub mod layer_normalization;
pub mod loss;
pub mod math;
pub mod noise;
pub mod optimizer;
pub mod panel;
pub mod peak;
pub mod penalty;
pub mod quantile;
pub mod reduce;
pub mod softmax;
pub mod spectral;
pub mod sum;

#[cfg(test)]
mod tests;
