//! One pass of D over real samples and fakes, beside two passes.

use super::super::plan::Plan;
use super::super::program::Script;
use super::*;

/// A trainer whose passes are joined, and one whose passes are apart.
fn joint_and_apart(
    spec: GanSpec,
    source: &Arc<Rows>,
    batch: usize,
    change: impl Fn(&mut Model),
) -> [Trainer<'static>; 2] {
    let apart =
        |script: Script, _: &GanSpec, plan: &Plan| script.with_fakes_kept(plan).with_updates_fused(plan, |_| false);
    let trainers = [
        Trainer::new(spec.clone(), source.clone(), options(batch)),
        Trainer::with_script(spec, source.clone(), options(batch), apart),
    ];
    trainers.map(|trainer| {
        let mut trainer = trainer.unwrap();
        let mut model = trainer.model().unwrap();
        change(&mut model);
        trainer.set_model(&model).unwrap();
        trainer
    })
}

/// D's logits are moved as far as they can be without its probabilities being anything but 0 or 1 in f32, and beyond.
#[test]
fn joint_passes_have_the_gradients_of_separate_ones() {
    let mut complaints = Vec::new();
    for (hidden, batch) in [(8, 20), (8, 300), (400, 20), (400, 600), (400, 1_100)] {
        for objective in [Objective::Minimax, Objective::NonSaturating, Objective::NonSaturatingHalf] {
            for output in [Activation::Linear, Activation::Tanh, Activation::Sigmoid] {
                // The logits' offset, and what they are multiplied by: the last spreads them over some -100 .. 100.
                for (offset, spread) in [(0.0, 1.0), (10.0, 1.0), (-10.0, 1.0), (80.0, 1.0), (-80.0, 1.0), (0.0, 300.0)]
                {
                    let mut spec = GanSpec { objective, ..spec(Order::GeneratorFirstSharedFake, hidden) };
                    spec.generator.layers[1].activation = output;
                    let source = Arc::new(Rows::new(batch));
                    let trainers = joint_and_apart(spec, &source, batch, |model| {
                        let LayerTensors { weight: weights, bias: biases, .. } = &mut model.discriminator[2];
                        weights.iter_mut().for_each(|weight| *weight *= spread);
                        biases[0] = offset;
                    });
                    let [joint, apart] = trainers.map(|mut trainer| {
                        let report = trainer.run(1, 0, |_| ControlFlow::Continue(())).unwrap().unwrap();
                        (report, trainer.gradients().unwrap())
                    });
                    let name = format!("{hidden} {batch} {objective:?} {output:?} {offset} {spread}");
                    if joint.0 != apart.0 {
                        complaints.push(format!("{name}: {:?}, not {:?}", joint.0, apart.0));
                    }
                    // D's gradient of a fake is another only where it is the least one.
                    if offset > -40.0 && spread == 1.0 && joint.1.discriminator != apart.1.discriminator {
                        complaints.push(format!("{name}: gradients of D"));
                    }
                    let networks = [
                        ("D", &joint.1.discriminator, &apart.1.discriminator),
                        ("G", &joint.1.generator, &apart.1.generator),
                    ];
                    for (network, joint, apart) in networks {
                        for (layer, (joint, apart)) in joint.iter().zip(apart).enumerate() {
                            for (joint, apart) in [(&joint.weight, &apart.weight), (&joint.bias, &apart.bias)] {
                                let largest = apart.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
                                // Denormal numbers have no relative precision.
                                let bar = 1e-6 * largest + 1e-42;
                                let worst = joint.iter().zip(apart).map(|(joint, apart)| (joint - apart).abs());
                                if !worst.clone().all(|difference| difference <= bar) {
                                    let worst = worst.fold(0.0, f32::max);
                                    complaints.push(format!("{name}: {network} {layer}: {worst:e} of {largest:e}"));
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// A number that is not finite shows in the same place whether the passes are joint or not.
#[test]
fn joint_passes_hide_nothing_that_is_not_finite() {
    /// Where a value is put: a parameter of G or D by layer, or a feature of a real sample.
    #[derive(Debug)]
    enum Place {
        Generator(usize),
        Discriminator(usize),
        Real,
    }
    for place in [
        Place::Generator(0),
        Place::Generator(1),
        Place::Discriminator(0),
        Place::Discriminator(1),
        Place::Discriminator(2),
        Place::Real,
    ] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for objective in [Objective::Minimax, Objective::NonSaturating] {
                let mut rows = Rows::new(20);
                if let Place::Real = place {
                    rows.0[7 * FEATURES] = value;
                }
                let spec = GanSpec { objective, ..spec(Order::GeneratorFirstSharedFake, 8) };
                let trainers = joint_and_apart(spec, &Arc::new(rows), 20, |model| match place {
                    Place::Generator(layer) => model.generator[layer].bias[1] = value,
                    Place::Discriminator(layer) => model.discriminator[layer].bias[0] = value,
                    Place::Real => (),
                });
                let [joint, apart] =
                    trainers.map(|mut trainer| match trainer.run(1, 0, |_| ControlFlow::Continue(())) {
                        Err(Error::NotFinite { step: 1, network, layer, quantity }) => {
                            (network.name(), layer, quantity)
                        }
                        other => panic!("{place:?} {value} {objective:?}: {other:?}"),
                    });
                assert_eq!(joint, apart, "{place:?} {value} {objective:?}");
            }
        }
    }
}
