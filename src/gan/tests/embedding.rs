//! What programs that embed the trainer do between steps.

use super::*;

#[test]
fn trainers_can_go_to_other_threads() {
    fn check<T: Send + Sync>() {}
    check::<Trainer>();
    check::<ModularLoss>();
}

/// A rate that is set is the rate that the trainer was made with; a checkpoint holds it.
#[test]
fn a_learning_rate_can_be_changed_between_steps() {
    use crate::data::synthetic;
    use crate::gan::presets::Preset;

    let points = Arc::new(synthetic::circle(100, 1).unwrap());
    let with = |[generator, discriminator]: [f32; 2]| {
        let spec = Preset::Circle.spec();
        let spec = GanSpec {
            generator_optimizer: spec.generator_optimizer.with_learning_rate(generator),
            discriminator_optimizer: spec.discriminator_optimizer.with_learning_rate(discriminator),
            ..spec
        };
        Trainer::new(spec, points.clone(), TrainerOptions::default()).unwrap()
    };
    let go = |trainer: &mut Trainer| trainer.run(5, 0, |_| ControlFlow::Continue(())).unwrap();
    let (mut set, mut made) = (with([1e-3, 2e-3]), with([3e-3, 4e-3]));
    set.set_learning_rate(Network::Generator, 3e-3).unwrap();
    set.set_learning_rate(Network::Discriminator, 4e-3).unwrap();
    assert_eq!(go(&mut set), go(&mut made));
    assert!(set.checkpoint().unwrap() == made.checkpoint().unwrap());

    // What a resumed run uses: the same rates, or its own where that is allowed.
    set.set_learning_rate(Network::Generator, 5e-4).unwrap();
    let checkpoint = set.checkpoint().unwrap();
    let mut resumed = with([3e-3, 4e-3]);
    let refused = resumed.restore(&checkpoint, Changes::Refused).unwrap_err().to_string();
    assert!(refused.contains("learning_rate"), "{refused}");
    resumed.set_learning_rate(Network::Generator, 5e-4).unwrap();
    resumed.restore(&checkpoint, Changes::Refused).unwrap();
    go(&mut set);
    go(&mut resumed);
    assert!(set.model().unwrap() == resumed.model().unwrap());
    for own in [1e-2, 5e-4] {
        let mut allowed = with([own, 4e-3]);
        allowed.restore(&checkpoint, Changes::Allowed).unwrap();
        assert_eq!(allowed.spec().generator_optimizer.learning_rate(), own);
        go(&mut allowed);
        assert_eq!(set.model().unwrap() == allowed.model().unwrap(), own == 5e-4);
    }

    let before = set.model().unwrap();
    for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(set.set_learning_rate(Network::Discriminator, wrong), Err(Error::InvalidSetting { .. })));
    }
    assert_eq!(set.spec().discriminator_optimizer.learning_rate(), 4e-3);
    assert!(set.model().unwrap() == before);
}

/// The names and values of views are those of model files and models.
#[test]
fn views_show_parameters_and_gradients_where_they_stand() {
    use crate::data::synthetic;
    use crate::gan::presets::Preset;

    // Rows of 256 weights stand apart.
    let spec = GanSpec {
        generator: NetworkSpec::dense(&[2, 256, 2], Activation::Relu, 0.0, Activation::Linear),
        ..Preset::Circle.spec()
    };
    let points = Arc::new(synthetic::circle(100, 1).unwrap());
    let mut trainer = Trainer::new(spec, points, TrainerOptions::default()).unwrap();
    trainer.run(3, 0, |_| ControlFlow::Continue(())).unwrap();
    let model = trainer.model().unwrap();
    let file = model.to_safetensors(trainer.spec()).unwrap();
    let file = safetensors::SafeTensors::deserialize(&file).unwrap();
    let (mut names, gradients) = (0, trainer.gradients().unwrap());
    for network in Network::ALL {
        for (views, copies) in [
            (trainer.parameters(network).collect::<Vec<_>>(), model.network(network)),
            (trainer.parameter_gradients(network).collect(), gradients.network(network)),
        ] {
            let copies = copies.iter().flat_map(|layer| [&layer.weight, &layer.bias]);
            assert_eq!(views.len(), copies.clone().count());
            for (view, copy) in views.iter().zip(copies) {
                assert_eq!(view.values().collect::<Vec<_>>(), *copy, "{}", view.name());
                assert_eq!(file.tensor(&view.name().to_string()).unwrap().shape(), view.shape());
                names += 1;
            }
        }
    }
    assert_eq!(names, 2 * file.len());
}
