//! Gradients against finite differences of the losses in f64: every parameter of both networks is
//! moved a little up and down. Covers every activation in hidden layers and as the generator's output, dropout and none, every
//! objective and order, every engine and instruction set.

mod reference;

use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::{GanSpec, GivenStep, Model, ModularLoss, Objective, OptimizerSpec, Order, Trainer, TrainerOptions};
use gannet::net::{Activation, LayerTensors, NetworkSpec};
use reference::activation::ALL as ACTIVATIONS;
use reference::difference;
use reference::loss::{cross_entropy, margin, probability};
use reference::network::{Parameters, flat, forward, widened};
use reference::numbers::{numbers, wide};

const OBJECTIVES: [Objective; 4] =
    [Objective::Minimax, Objective::NonSaturating, Objective::NonSaturatingHalf, Objective::Softmax];

const ORDERS: [Order; 3] =
    [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];

const BATCH: usize = 21;
const LATENTS: usize = 3;
const FEATURES: usize = 4;
const DROPOUT: f32 = 0.25;

/// The outputs of a network for one sample.
fn output(spec: &NetworkSpec, parameters: &Parameters, input: Vec<f64>, keeps: &[Option<&[u8]>]) -> Vec<f64> {
    forward(spec, parameters, input, keeps).pop().unwrap()
}

/// A step's inputs, and the losses of both networks as functions of parameters.
struct Problem {
    spec: GanSpec,
    real: Vec<f32>,
    latents: [Vec<f32>; 2],
    /// Keeps of D's layers for real, fake and generator step.
    keeps: [Vec<Option<Vec<u8>>>; 3],
}

impl Problem {
    fn new(hidden: Activation, output: Activation, objective: Objective, order: Order) -> Self {
        let optimizer = OptimizerSpec::sgd(0.05);
        let spec = GanSpec::new(
            NetworkSpec::dense(&[LATENTS, 5, FEATURES], hidden, 0.0, output),
            NetworkSpec::dense(&[FEATURES, 7, 3, objective.logits()], hidden, DROPOUT, Activation::Linear),
        )
        .with_objective(objective)
        .with_order(order)
        .with_optimizers(optimizer);
        let keeps = |seed: u64| {
            let layers = spec.discriminator.layers.iter().enumerate();
            layers
                .map(|(index, layer)| {
                    let draws = numbers(BATCH * layer.outputs, seed + index as u64);
                    (layer.dropout > 0.0).then(|| draws.iter().map(|draw| u8::from(*draw > -0.5)).collect())
                })
                .collect()
        };
        Self {
            real: numbers(BATCH * FEATURES, 1),
            latents: [numbers(BATCH * LATENTS, 2), numbers(BATCH * LATENTS, 3)],
            keeps: [keeps(10), keeps(20), keeps(30)],
            spec,
        }
    }

    /// The same with a discriminator that drops nothing.
    fn without_dropout(mut self) -> Self {
        self.spec.discriminator.layers.iter_mut().for_each(|layer| layer.dropout = 0.0);
        self
    }

    fn mean_cross_entropy(&self, d: &Parameters, samples: &[Vec<f64>], role: usize, real: bool) -> f64 {
        self.mean(d, samples, role, |margin| cross_entropy(margin, real))
    }

    /// The mean of what `of` makes of each sample's margin.
    fn mean(&self, d: &Parameters, samples: &[Vec<f64>], role: usize, of: impl Fn(f64) -> f64) -> f64 {
        let sample = |(index, sample): (usize, &Vec<f64>)| {
            let layers = self.spec.discriminator.layers.iter().zip(&self.keeps[role]);
            let keeps: Vec<Option<&[u8]>> = layers
                .map(|(layer, keeps)| keeps.as_deref().map(|keeps| &keeps[index * layer.outputs..][..layer.outputs]))
                .collect();
            of(margin(&output(&self.spec.discriminator, d, sample.clone(), &keeps)))
        };
        samples.iter().enumerate().map(sample).sum::<f64>() / BATCH as f64
    }

    fn rows(values: &[f32], columns: usize) -> Vec<Vec<f64>> {
        values.chunks(columns).map(wide).collect()
    }

    fn fakes(&self, g: &Parameters, latents: &[f32]) -> Vec<Vec<f64>> {
        let latents = Self::rows(latents, LATENTS).into_iter();
        latents.map(|latent| output(&self.spec.generator, g, latent, &[])).collect()
    }

    fn discriminator_loss(&self, g: &Parameters, d: &Parameters) -> f64 {
        let real = self.mean_cross_entropy(d, &Self::rows(&self.real, FEATURES), 0, true);
        let fake = self.mean_cross_entropy(d, &self.fakes(g, &self.latents[0]), 1, false);
        if self.spec.objective == Objective::NonSaturatingHalf { (real + fake) / 2.0 } else { real + fake }
    }

    fn generator_loss(&self, g: &Parameters, d: &Parameters) -> f64 {
        let latents = if self.spec.order == Order::DiscriminatorFirst { 1 } else { 0 };
        let fakes = self.fakes(g, &self.latents[latents]);
        match self.spec.objective {
            Objective::Minimax => -self.mean_cross_entropy(d, &fakes, 2, false),
            _ => self.mean_cross_entropy(d, &fakes, 2, true),
        }
    }
}

fn compare(name: &str, found: impl Iterator<Item = f32>, expected: &[f64], misses: &mut Vec<String>) {
    let found: Vec<f64> = found.map(f64::from).collect();
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    // f32 rounding of sums of a few terms, relative to the largest gradient, and the noise of the differences.
    let bar = 5e-6 * largest + 1e-8;
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        if !((found - expected).abs() <= bar) {
            misses.push(format!("{name} [{index}]: {found} instead of {expected}"));
        }
    }
}

fn check(problem: &Problem, engine: EngineKind, isa: Isa, misses: &mut Vec<String>) {
    let spec = &problem.spec;
    let name = format!(
        "{:?} {:?} {:?} {:?} dropout {} {engine} {}",
        spec.generator.layers[0].activation,
        spec.generator.layers[1].activation,
        spec.objective,
        spec.order,
        spec.discriminator.layers[0].dropout,
        isa.kind()
    );
    let source = ArraySource::new(problem.real.clone(), FEATURES).unwrap();
    let options = TrainerOptions::default().with_batch(BATCH).with_engine(engine).with_isa(isa.kind()).with_seed(6);
    let mut trainer = Trainer::new(spec.clone(), Arc::new(source), options).unwrap();
    let before: Model = trainer.model().unwrap();
    let [keep_real, keep_fake, keep_generator_step] =
        [0, 1, 2].map(|role: usize| problem.keeps[role].iter().map(Option::as_deref).collect::<Vec<_>>());
    let report = trainer
        .step_with(
            &GivenStep::new(&problem.real, &problem.latents[0])
                .with_generator_latents(&problem.latents[1])
                .with_keep_real(&keep_real)
                .with_keep_fake(&keep_fake)
                .with_keep_generator_step(&keep_generator_step),
        )
        .unwrap();
    let (found, after) = (trainer.gradients().unwrap(), trainer.model().unwrap());
    let (g, d) = (widened(&before.generator), widened(&before.discriminator));
    // G's gradient is taken through the D that its step meets.
    let met = if spec.order == Order::GeneratorFirstSharedFake { d.clone() } else { widened(&after.discriminator) };
    let of_real = problem.mean(&d, &Problem::rows(&problem.real, FEATURES), 0, probability);
    let of_fake = problem.mean(&d, &problem.fakes(&g, &problem.latents[0]), 1, probability);
    let losses = [
        ("D(x)", report.real_probability, of_real),
        ("D(G(z))", report.fake_probability, of_fake),
        ("D's loss", report.discriminator_loss, problem.discriminator_loss(&g, &d)),
        ("G's loss", report.generator_loss, problem.generator_loss(&g, &met)),
    ];
    for (which, found, expected) in losses {
        if !((found - expected).abs() <= 1e-6 * (1.0 + expected.abs())) {
            misses.push(format!("{name}: {which} is {found} instead of {expected}"));
        }
    }
    let of_d = difference::gradient(&d, |d| problem.discriminator_loss(&g, d));
    compare(&format!("{name}: D"), flat(&found.discriminator), &of_d, misses);
    let of_g = difference::gradient(&g, |g| problem.generator_loss(g, &met));
    compare(&format!("{name}: G"), flat(&found.generator), &of_g, misses);
}

#[test]
fn gradients_match_finite_differences() {
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for hidden in ACTIVATIONS {
                for output in ACTIVATIONS {
                    for order in ORDERS {
                        let problem = Problem::new(hidden, output, Objective::NonSaturating, order);
                        check(&problem, engine, isa, &mut misses);
                        check(&problem.without_dropout(), engine, isa, &mut misses);
                    }
                }
                for objective in OBJECTIVES {
                    for order in ORDERS {
                        let problem = Problem::new(hidden, Activation::Linear, objective, order);
                        check(&problem, engine, isa, &mut misses);
                        check(&problem.without_dropout(), engine, isa, &mut misses);
                    }
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}

/// A batch that repeats a smaller one has the same mean gradients, and for each fake its share. The large batches have more
/// tiles than gradient slots, or several chunks that are worked on one after the other.
#[test]
fn a_repeated_batch_has_the_gradients_of_one() {
    let mut misses = Vec::new();
    let hidden = Activation::Tanh;
    for (widths, repeats, schedule) in
        [([7, 3], 300, "tile-parallel"), ([450, 300], 60, "layer-parallel"), ([450, 300], 7, "layer-parallel")]
    {
        let mut problem = Problem::new(hidden, Activation::Linear, Objective::NonSaturating, Order::DiscriminatorFirst);
        let sizes = [FEATURES, widths[0], widths[1], 1];
        problem.spec.discriminator = NetworkSpec::dense(&sizes, hidden, DROPOUT, Activation::Linear);
        let keeps: Vec<Vec<u8>> = widths
            .iter()
            .map(|width| numbers(BATCH * width, 40).iter().map(|draw| u8::from(*draw > -0.5)).collect())
            .collect();
        for engine in EngineKind::ALL {
            let repeat = |values: &[f32], times: usize| values.repeat(times);
            let gradients = |times: usize| {
                let options = TrainerOptions::default()
                    .with_batch(BATCH * times)
                    .with_threads(2)
                    .with_engine(engine)
                    .with_seed(6);
                let real = repeat(&problem.real, times);
                let source = ArraySource::new(real.clone(), FEATURES).unwrap();
                let mut trainer = Trainer::new(problem.spec.clone(), Arc::new(source), options.clone()).unwrap();
                if times > 1 {
                    assert_eq!(trainer.plan().schedule, schedule);
                }
                let keeps: Vec<Vec<u8>> = keeps.iter().map(|keeps| keeps.repeat(times)).collect();
                let keeps: Vec<Option<&[u8]>> = keeps.iter().map(|keeps| Some(&keeps[..])).collect();
                let [of_d, of_g] = [0, 1].map(|role: usize| repeat(&problem.latents[role], times));
                trainer
                    .step_with(
                        &GivenStep::new(&real, &of_d)
                            .with_generator_latents(&of_g)
                            .with_keep_real(&keeps)
                            .with_keep_fake(&keeps)
                            .with_keep_generator_step(&keeps),
                    )
                    .unwrap();
                // The modular loss draws its keeps, so none here.
                let d = NetworkSpec::dense(&sizes, hidden, 0.0, Activation::Linear);
                let mut modular =
                    ModularLoss::new(d, problem.spec.objective, OptimizerSpec::sgd(0.05), options).unwrap();
                let fakes = repeat(&numbers(BATCH * FEATURES, 4), times);
                let mut of_fakes = vec![f32::NAN; fakes.len()];
                modular.step(&fakes, &real, &mut of_fakes).unwrap();
                (trainer.gradients().unwrap(), of_fakes)
            };
            let ((one, one_of_fakes), (many, many_of_fakes)) = (gradients(1), gradients(repeats));
            let name = format!("{schedule} {engine} {repeats}");
            for (network, found, expected) in
                [("D", &many.discriminator, &one.discriminator), ("G", &many.generator, &one.generator)]
            {
                compare(
                    &format!("{name}: {network}"),
                    flat(found),
                    &wide(&flat(expected).collect::<Vec<f32>>()),
                    &mut misses,
                );
            }
            let expected = wide(&one_of_fakes);
            for share in many_of_fakes.chunks(BATCH * FEATURES) {
                let share = share.iter().map(|value| value * repeats as f32);
                compare(&format!("{name}: fakes"), share, &expected, &mut misses);
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}

/// The gradient with respect to the fakes, which the modular loss hands out.
#[test]
fn gradient_with_respect_to_fakes_matches_finite_differences() {
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for hidden in ACTIVATIONS {
                for objective in OBJECTIVES {
                    let mut spec =
                        NetworkSpec::dense(&[FEATURES, 7, objective.logits()], hidden, 0.0, Activation::Linear);
                    spec.layers[0].activation = hidden;
                    let options = TrainerOptions::default().with_batch(BATCH).with_engine(engine).with_isa(isa.kind());
                    let mut loss =
                        ModularLoss::new(spec.clone(), objective, OptimizerSpec::adam(0.01), options).unwrap();
                    let (fakes, real) = (numbers(BATCH * FEATURES, 4), numbers(BATCH * FEATURES, 5));
                    let mut gradient = vec![f32::NAN; fakes.len()];
                    loss.step(&fakes, &real, &mut gradient).unwrap();
                    let d = widened(&loss.discriminator().unwrap());
                    let generator_loss = |fakes: &Parameters| {
                        let (target, sign) = if objective == Objective::Minimax { (false, -1.0) } else { (true, 1.0) };
                        let rows = fakes[0].0.chunks(FEATURES);
                        let sum: f64 =
                            rows.map(|row| cross_entropy(margin(&output(&spec, &d, row.to_vec(), &[])), target)).sum();
                        sign * sum / BATCH as f64
                    };
                    let expected =
                        difference::gradient(&widened(&[LayerTensors::new(fakes, Vec::new())]), generator_loss);
                    let name = format!("{hidden:?} {objective:?} {engine} {}", isa.kind());
                    compare(&name, gradient.into_iter(), &expected, &mut misses);
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}
