//! What bad input gives: an error that names it.

use super::*;

#[test]
fn the_step_that_meets_nan_in_the_data_names_itself() {
    let mut rows = Rows::new(160);
    rows.0[50 * FEATURES + 1] = f32::NAN;
    let mut trainer = Trainer::new(spec(Order::DiscriminatorFirst, 8), Arc::new(rows), options(16)).unwrap();
    // Steps that are not reported look as well.
    match trainer.run(9, 0, |_| ControlFlow::Continue(())) {
        Err(Error::NotFinite { step: 4, network: Network::Discriminator, layer: 0, quantity: "real sample" }) => (),
        other => panic!("{other:?}"),
    }
    assert_eq!(trainer.steps_done(), 3);
}

#[test]
fn an_update_names_the_layer_that_is_not_finite() {
    for optimizer in [OptimizerSpec::adam(0.1), OptimizerSpec::sgd(1e30), Sgd::new(1e30).with_momentum(0.5).into()] {
        let network = || {
            let spec = NetworkSpec::dense(&[2, 30, 3, 1], Activation::Tanh, 0.0, Activation::Linear);
            let key = Stream::GeneratorParameters.key(1, 0);
            TrainedNetwork::new(Network::Generator, spec, optimizer, Isa::best(), key).unwrap()
        };
        let update = |gradient: f32| {
            let mut network = network();
            let mut gradients = vec![0.0; network.layout.len()];
            gradients[network.layout.layer(1).bias.start] = gradient;
            network.update(&Team::serial(), Isa::best(), (&gradients, 1), 7)
        };
        update(0.5).unwrap();
        for gradient in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            match update(gradient) {
                Err(Error::NotFinite { step: 7, network: Network::Generator, layer: 1, quantity: "gradient" }) => (),
                other => panic!("{optimizer:?} {gradient}: {other:?}"),
            }
        }
        // Adam's second moment is its square.
        let adam = matches!(optimizer, OptimizerSpec::Adam(_));
        match update(1e22) {
            Err(Error::NotFinite { step: 7, network: Network::Generator, layer: 1, quantity }) => {
                assert_eq!(quantity, if adam { "gradient" } else { "parameter" });
            }
            other => panic!("{optimizer:?}: {other:?}"),
        }
    }
}

#[test]
fn a_gradient_with_respect_to_fakes_that_is_not_finite_is_an_error() {
    let d = NetworkSpec::dense(&[1, 2, 1], Activation::Linear, 0.0, Activation::Linear);
    let optimizer = OptimizerSpec::sgd(f32::MIN_POSITIVE);
    let mut loss = ModularLoss::new(d, Objective::NonSaturating, optimizer, options(1)).unwrap();
    // Zeros come through; the way back is 1e30 * 1e30.
    loss.set_discriminator(&[
        LayerTensors::new(vec![1e30; 2], vec![0.0; 2]),
        LayerTensors::new(vec![1e30; 2], vec![0.0]),
    ])
    .unwrap();
    match loss.step(&[0.0], &[0.0], &mut [0.0]) {
        Err(Error::NotFinite { step: 1, network: Network::Discriminator, layer: 0, .. }) => (),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_input_is_an_error() {
    let good = spec(Order::DiscriminatorFirst, 8);
    let nothing = NetworkSpec { layers: Vec::new(), ..good.generator.clone() };
    let huge = NetworkSpec::dense(&[usize::MAX, usize::MAX, 1], Activation::Relu, 0.0, Activation::Linear);
    let optimizer = OptimizerSpec::sgd(0.1);
    let modular = |spec: &NetworkSpec, optimizer, batch| {
        ModularLoss::new(spec.clone(), Objective::Minimax, optimizer, options(batch)).map(|_| ())
    };
    modular(&good.discriminator, optimizer, 8).unwrap();
    for wrong in [&nothing, &huge, &good.generator] {
        assert!(modular(wrong, optimizer, 8).is_err(), "{wrong:?}");
    }
    assert!(modular(&good.discriminator, optimizer, 0).is_err());
    assert!(modular(&good.discriminator, optimizer, usize::MAX).is_err());
    for epsilon in [0.0, -1.0, f32::NAN, 1e-45] {
        let adam = Adam::new(0.1).with_beta1(0.5).with_beta2(0.5).with_epsilon(epsilon).into();
        assert!(modular(&good.discriminator, adam, 8).is_err(), "epsilon {epsilon}");
    }
    let mut trainer = Trainer::new(good.clone(), Arc::new(Rows::new(40)), options(16)).unwrap();
    let model = trainer.model().unwrap();
    let empty = Model { generator: Vec::new(), discriminator: Vec::new() };
    let half = Model { discriminator: Vec::new(), ..model.clone() };
    for wrong in [&empty, &half] {
        assert!(trainer.set_model(wrong).is_err());
        assert!(trainer.model().unwrap() == model, "nothing is replaced");
        assert!(wrong.to_safetensors(&good).is_err());
    }
    assert!(empty.sample(&good, 10, 1, Isa::best()).is_err());
    assert!(model.sample(&good, usize::MAX, 1, Isa::best()).is_err());
    for generator in [nothing, huge] {
        let spec = GanSpec { generator, ..good.clone() };
        assert!(model.sample(&spec, 10, 1, Isa::best()).is_err());
        assert!(model.to_safetensors(&spec).is_err());
        assert!(Trainer::new(spec, Arc::new(Rows::new(40)), options(16)).is_err());
    }
}

#[test]
fn a_file_of_another_model_is_refused_with_its_reason() {
    let good = spec(Order::DiscriminatorFirst, 8);
    let model = Trainer::new(good.clone(), Arc::new(Rows::new(40)), options(16)).unwrap().model().unwrap();
    let bytes = model.to_safetensors(&good).unwrap();
    assert!(Model::from_safetensors(&bytes, &good, "model").unwrap() == model);
    let problem = |spec: &GanSpec, bytes: &[u8]| {
        Model::from_safetensors(bytes, spec, "model").map(|_| ()).unwrap_err().to_string()
    };
    assert!(problem(&good, &bytes[..bytes.len() - 1]).contains("damaged"));
    assert!(problem(&spec(Order::DiscriminatorFirst, 9), &bytes).contains("discriminator.0.weight"));
    let mut other = good.clone();
    other.discriminator.layers.pop();
    assert!(problem(&other, &bytes).contains("more tensors"));
    other.discriminator.layers = [good.discriminator.layers.clone(), good.discriminator.layers].concat();
    assert!(problem(&other, &bytes).contains("missing"));
}
