//! Figures of samples that are known.

use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::data::ArraySource;
use crate::gan::presets::Preset;
use crate::gan::{Trainer, TrainerOptions};
use crate::kernel::activation::Activation;
use crate::net::{LayerTensors, NetworkSpec};

/// What is examined, in a GAN whose figures are known.
#[test]
fn figures_are_those_of_the_definition() {
    // D takes a number for real where it is above 0.5. G makes |z|, once by two units of which one is dead.
    let mut spec = Preset::Mixture1d.spec();
    spec.generator = NetworkSpec::dense(&[1, 4, 1], Activation::Relu, 0.0, Activation::Linear);
    let source: Arc<dyn Source> = Arc::new(ArraySource::new(vec![0.0, 1.0, 2.0, 3.0], 1).unwrap());
    let options = TrainerOptions { batch: 1, ..Default::default() };
    let mut model = Trainer::new(spec.clone(), source.clone(), options).unwrap().model().unwrap();
    model.generator = vec![
        LayerTensors::new(vec![1.0, -1.0, 0.0, 0.0], vec![0.0, 0.0, -1.0, f32::MIN_POSITIVE]),
        LayerTensors::new(vec![1.0, 1.0, 1.0, 0.0], vec![0.0]),
    ];
    model.discriminator = vec![LayerTensors::new(vec![1.0], vec![-0.5])];
    let isa = Isa::best();
    let health = examine(&model, Some(&model), &spec, &*source, 3, isa).unwrap();
    let samples = model.sample_columns_of(&spec, [4, usize::MAX], Stream::Health.key(3, 0), |_, _| (), isa).unwrap();
    assert!(samples.iter().all(|sample| *sample >= 0.0));
    assert_eq!(health.real_accuracy, 0.75);
    assert_eq!(health.fake_accuracy, samples.iter().filter(|sample| **sample < 0.5).count() as f64 / 4.0);
    let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / 4.0;
    let variance = samples.iter().map(|sample| (f64::from(*sample) - mean).powi(2)).sum::<f64>() / 4.0;
    assert!((health.spread - (variance / 1.25).sqrt()).abs() < 1e-12, "{health:?}");
    let nearest: HashSet<u32> = samples.iter().map(|sample| sample.round().min(3.0) as u32).collect();
    assert_eq!(health.coverage, nearest.len() as f64 / 4.0);
    assert_eq!((health.generator_dead_units, health.discriminator_dead_units), (0.25, 0.0));
    assert!((health.generator_gradient_norm.unwrap() - 6f64.sqrt()).abs() < 1e-12);
    assert!((health.discriminator_gradient_norm.unwrap() - 1.25f64.sqrt()).abs() < 1e-12);
    let unknown = examine(&model, None, &spec, &*source, 3, isa).unwrap();
    assert_eq!((unknown.generator_gradient_norm, unknown.discriminator_gradient_norm), (None, None));
}
