//! Gradients against finite differences of the losses in f64: every parameter of both networks is
//! moved a little up and down. Covers every activation in hidden layers and as the generator's output, dropout and none, every
//! objective, order and penalty, every engine and instruction set.

mod reference;

use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::{
    GanSpec, GivenStep, Model, ModularLoss, Objective, OptimizerSpec, Order, Penalties, Trainer, TrainerOptions,
};
use gannet::internals::kernel::noise::{StreamKey, normal};
use gannet::internals::program::Stream;
use gannet::internals::simd::LANE_GROUP;
use gannet::net::{Activation, LayerSpec, LayerTensors, NetworkSpec, Normalization};
use reference::activation::ALL as ACTIVATIONS;
use reference::difference;
use reference::loss::{discriminator_loss, generator_loss, margin, probabilities};
use reference::network::{Parameters, flat, forward, margin_gradient, widened};
use reference::numbers::{numbers, wide};

const OBJECTIVES: [Objective; 9] = [
    Objective::Minimax,
    Objective::NonSaturating,
    Objective::NonSaturatingHalf,
    Objective::Softmax,
    Objective::LeastSquares,
    Objective::Hinge,
    Objective::Wasserstein,
    Objective::RelativisticPairing,
    Objective::RelativisticAverage,
];

const ORDERS: [Order; 3] =
    [Order::DiscriminatorFirst, Order::DiscriminatorFirstSharedFake, Order::GeneratorFirstSharedFake];

const BATCH: usize = 21;
const LATENTS: usize = 3;
const FEATURES: usize = 4;
const DROPOUT: f32 = 0.25;
const SEED: u64 = 6;

/// The outputs of a network for one sample.
fn output(spec: &NetworkSpec, parameters: &Parameters, input: Vec<f64>, keeps: &[Option<&[u8]>]) -> Vec<f64> {
    forward(spec, parameters, input, keeps).pop().unwrap()
}

/// Whose dropout it is: D's on real samples and on fakes in its own step, on fakes and on real samples in G's, and between the two kinds.
#[derive(Clone, Copy)]
enum Role {
    Real,
    Fake,
    GeneratorStep,
    GeneratorReal,
    Between,
}

/// A step's inputs, and the losses of both networks as functions of parameters.
struct Problem {
    spec: GanSpec,
    real: Vec<f32>,
    latents: [Vec<f32>; 2],
    /// Keeps of D's layers for each role.
    keeps: [Vec<Option<Vec<u8>>>; 5],
    /// Where between real samples and fakes the gradient penalty looks.
    shares: Vec<f32>,
    /// The instance noise of each role, `[batch, features]`; zeros without.
    noise: [Vec<f64>; 5],
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
        // No weight comes near it.
        .with_weight_clip(if objective == Objective::Wasserstein { 100.0 } else { 0.0 })
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
            keeps: [10, 20, 30, 40, 50].map(keeps),
            shares: numbers(BATCH, 4).iter().map(|number| (number + 1.0) / 2.0).collect(),
            noise: std::array::from_fn(|_| vec![0.0; BATCH * FEATURES]),
            spec,
        }
    }

    /// The same with layer normalization in both networks.
    fn with_normalization(mut self) -> Self {
        self.spec.generator = self.spec.generator.with_normalization(Normalization::Layer);
        self.spec.discriminator = self.spec.discriminator.with_normalization(Normalization::Layer);
        self
    }

    /// The same with a G whose outputs are these groups, and numbers before them.
    fn with_softmax(mut self, groups: &[usize]) -> Self {
        self.spec.generator.layers[1].softmax = groups.to_vec();
        self
    }

    /// The same with a discriminator that drops nothing.
    fn without_dropout(mut self) -> Self {
        self.spec.discriminator.layers.iter_mut().for_each(|layer| layer.dropout = 0.0);
        self
    }

    /// The same with penalties.
    fn with_penalties(mut self, penalties: Penalties) -> Self {
        self.spec = self.spec.with_penalties(penalties).with_weight_clip(0.0);
        self
    }

    /// The same with the labels of real samples smoothed.
    fn with_label_smoothing(mut self, smoothing: f32) -> Self {
        self.spec = self.spec.with_label_smoothing(smoothing);
        self
    }

    /// The same with instance noise: what the first step draws for each role.
    fn with_noise(mut self, deviation: f32) -> Self {
        let streams = [
            Stream::NoiseReal,
            Stream::NoiseFake,
            Stream::NoiseGeneratorStep,
            Stream::NoiseGeneratorReal,
            Stream::NoiseBetween,
        ];
        self.spec = self.spec.with_instance_noise(deviation, 7);
        let width = BATCH.next_multiple_of(LANE_GROUP);
        self.noise = streams.map(|stream| {
            let mut panel = vec![0.0; FEATURES * width];
            normal(Isa::best(), StreamKey::new(SEED, 0, stream as u64), 0, &mut panel, width);
            let of = |index: usize| panel[index % FEATURES * width + index / FEATURES];
            (0..BATCH * FEATURES).map(|index| f64::from(deviation) * f64::from(of(index))).collect()
        });
        self
    }

    /// A sample of the batch as D sees it.
    fn seen(&self, role: Role, index: usize, sample: &[f64]) -> Vec<f64> {
        let noise = &self.noise[role as usize][index * FEATURES..];
        sample.iter().zip(noise).map(|(value, noise)| value + noise).collect()
    }

    /// What D's layers keep of a sample of the batch.
    fn keeps_of(&self, role: Role, index: usize) -> Vec<Option<&[u8]>> {
        let layers = self.spec.discriminator.layers.iter().zip(&self.keeps[role as usize]);
        layers
            .map(|(layer, keeps)| keeps.as_deref().map(|keeps| &keeps[index * layer.outputs..][..layer.outputs]))
            .collect()
    }

    /// D's margins of samples.
    fn margins(&self, d: &Parameters, samples: &[Vec<f64>], role: Role) -> Vec<f64> {
        let of = |(index, sample): (usize, &Vec<f64>)| {
            margin(&output(&self.spec.discriminator, d, self.seen(role, index, sample), &self.keeps_of(role, index)))
        };
        samples.iter().enumerate().map(of).collect()
    }

    /// The mean of what `of` makes of the norm of D's gradient at each sample.
    fn mean_of_norms(&self, d: &Parameters, samples: &[Vec<f64>], role: Role, of: impl Fn(f64) -> f64) -> f64 {
        let of_sample = |(index, sample): (usize, &Vec<f64>)| {
            let keeps = self.keeps_of(role, index);
            let gradient = margin_gradient(&self.spec.discriminator, d, self.seen(role, index, sample), &keeps);
            of(gradient.iter().map(|value| value * value).sum::<f64>().sqrt())
        };
        samples.iter().enumerate().map(of_sample).sum::<f64>() / BATCH as f64
    }

    fn rows(values: &[f32], columns: usize) -> Vec<Vec<f64>> {
        values.chunks(columns).map(wide).collect()
    }

    fn reals(&self) -> Vec<Vec<f64>> {
        Self::rows(&self.real, FEATURES)
    }

    fn fakes(&self, g: &Parameters, latents: &[f32]) -> Vec<Vec<f64>> {
        let latents = Self::rows(latents, LATENTS).into_iter();
        latents.map(|latent| output(&self.spec.generator, g, latent, &[])).collect()
    }

    /// The penalties on D's gradient, as the papers have them.
    fn penalty(&self, g: &Parameters, d: &Parameters) -> f64 {
        let Penalties { r1, r2, gradient_penalty, one_sided, .. } = self.spec.penalties;
        let (reals, fakes) = (self.reals(), self.fakes(g, &self.latents[0]));
        let between: Vec<Vec<f64>> = reals
            .iter()
            .zip(&fakes)
            .zip(&self.shares)
            .map(|((real, fake), &share)| {
                let share = f64::from(share);
                real.iter().zip(fake).map(|(real, fake)| share * real + (1.0 - share) * fake).collect()
            })
            .collect();
        let distance = |norm: f64| if one_sided { (norm - 1.0).max(0.0) } else { norm - 1.0 };
        let of_reals = self.mean_of_norms(d, &reals, Role::Real, |norm| norm.powi(2) / 2.0);
        let of_fakes = self.mean_of_norms(d, &fakes, Role::Fake, |norm| norm.powi(2) / 2.0);
        let of_between = self.mean_of_norms(d, &between, Role::Between, |norm| distance(norm).powi(2));
        f64::from(r1) * of_reals + f64::from(r2) * of_fakes + f64::from(gradient_penalty) * of_between
    }

    fn discriminator_loss(&self, g: &Parameters, d: &Parameters) -> f64 {
        let real = self.margins(d, &self.reals(), Role::Real);
        let fake = self.margins(d, &self.fakes(g, &self.latents[0]), Role::Fake);
        discriminator_loss(self.spec.objective, f64::from(self.spec.label_smoothing), &real, &fake)
    }

    fn generator_loss(&self, g: &Parameters, d: &Parameters) -> f64 {
        let latents = if self.spec.order == Order::DiscriminatorFirst { 1 } else { 0 };
        let real = self.margins(d, &self.reals(), Role::GeneratorReal);
        let fake = self.margins(d, &self.fakes(g, &self.latents[latents]), Role::GeneratorStep);
        generator_loss(self.spec.objective, &real, &fake)
    }
}

/// How many times the rounding of sums of a few terms is to be expected: a normalization of some few small sums makes it larger.
fn rounding(spec: &GanSpec) -> f64 {
    let is_normalized = |layer: &LayerSpec| layer.normalization != Normalization::None;
    if spec.discriminator.layers.iter().any(is_normalized) { 20.0 } else { 1.0 }
}

fn compare(name: &str, found: impl Iterator<Item = f32>, expected: &[f64], rounding: f64, misses: &mut Vec<String>) {
    let found: Vec<f64> = found.map(f64::from).collect();
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    // f32 rounding of sums of a few terms, relative to the largest gradient, and the noise of the differences.
    let bar = 5e-6 * rounding * largest + 1e-8;
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        if !((found - expected).abs() <= bar) {
            misses.push(format!("{name} [{index}]: {found} instead of {expected}"));
        }
    }
}

fn check(problem: &Problem, engine: EngineKind, isa: Isa, misses: &mut Vec<String>) {
    let spec = &problem.spec;
    let name = format!(
        "{:?} {:?} {:?} {:?} {:?} dropout {} {engine} {}",
        spec.generator.layers[0].activation,
        spec.generator.layers[1].activation,
        spec.objective,
        spec.order,
        spec.penalties,
        spec.discriminator.layers[0].dropout,
        isa.kind()
    );
    let source = ArraySource::new(problem.real.clone(), FEATURES).unwrap();
    let options = TrainerOptions::default().with_batch(BATCH).with_engine(engine).with_isa(isa.kind()).with_seed(SEED);
    let mut trainer = Trainer::new(spec.clone(), Arc::new(source), options).unwrap();
    let mut before: Model = trainer.model().unwrap();
    // Behind a normalization biases begin at 0: where dropout has left nothing to normalize, a ReLU would stand on its kink.
    for layer in before.generator.iter_mut().chain(&mut before.discriminator) {
        let zeros = layer.bias.iter_mut().enumerate().filter(|(_, bias)| **bias == 0.0);
        zeros.for_each(|(index, bias)| *bias = 0.05 * (index + 1) as f32);
    }
    trainer.set_model(&before).unwrap();
    let [keep_real, keep_fake, keep_generator_step, keep_generator_real, keep_between] =
        problem.keeps.each_ref().map(|keeps| keeps.iter().map(Option::as_deref).collect::<Vec<_>>());
    let report = trainer
        .step_with(
            &GivenStep::new(&problem.real, &problem.latents[0])
                .with_generator_latents(&problem.latents[1])
                .with_keep_real(&keep_real)
                .with_keep_fake(&keep_fake)
                .with_keep_generator_step(&keep_generator_step)
                .with_keep_generator_real(&keep_generator_real)
                .with_interpolation(&problem.shares)
                .with_keep_between(&keep_between),
        )
        .unwrap();
    let (found, after) = (trainer.gradients().unwrap(), trainer.model().unwrap());
    let (g, d) = (widened(&before.generator), widened(&before.discriminator));
    // G's gradient is taken through the D that its step meets.
    let met = if spec.order == Order::GeneratorFirstSharedFake { d.clone() } else { widened(&after.discriminator) };
    let real = problem.margins(&d, &problem.reals(), Role::Real);
    let fake = problem.margins(&d, &problem.fakes(&g, &problem.latents[0]), Role::Fake);
    let [of_real, of_fake] = probabilities(spec.objective, &real, &fake);
    let losses = [
        ("D(x)", report.real_probability, of_real),
        ("D(G(z))", report.fake_probability, of_fake),
        ("D's loss", report.discriminator_loss, problem.discriminator_loss(&g, &d)),
        ("G's loss", report.generator_loss, problem.generator_loss(&g, &met)),
        ("the penalty", report.penalty.unwrap_or(0.0), problem.penalty(&g, &d)),
    ];
    for (which, found, expected) in losses {
        if !((found - expected).abs() <= 1e-6 * rounding(spec) * (1.0 + expected.abs())) {
            misses.push(format!("{name}: {which} is {found} instead of {expected}"));
        }
    }
    let interval = spec.penalties.interval as f64;
    let of_d = difference::gradient(&d, |d| problem.discriminator_loss(&g, d) + interval * problem.penalty(&g, d));
    compare(&format!("{name}: D"), flat(&found.discriminator), &of_d, rounding(spec), misses);
    let of_g = difference::gradient(&g, |g| problem.generator_loss(g, &met));
    compare(&format!("{name}: G"), flat(&found.generator), &of_g, rounding(spec), misses);
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

/// Every penalty alone and all together, with every activation; at every objective and order; and at an interval, where the first turn is
/// one with penalties.
#[test]
fn gradients_of_penalties_match_finite_differences() {
    let none = Penalties::default();
    let all = none.with_r1(0.7).with_r2(0.3).with_gradient_penalty(1.5);
    let each = [none.with_r1(2.0), none.with_r2(2.0), none.with_gradient_penalty(3.0)];
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for hidden in ACTIVATIONS {
                let problem = |objective, order, penalties| {
                    Problem::new(hidden, Activation::Linear, objective, order).with_penalties(penalties)
                };
                for penalties in each.into_iter().chain([each[2].with_one_sided(true), all.with_interval(4)]) {
                    let one = || problem(Objective::NonSaturating, Order::DiscriminatorFirst, penalties);
                    check(&one(), engine, isa, &mut misses);
                    check(&one().without_dropout(), engine, isa, &mut misses);
                }
                for objective in OBJECTIVES {
                    for order in ORDERS {
                        check(&problem(objective, order, all).without_dropout(), engine, isa, &mut misses);
                    }
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}

/// Every objective that has a label to smooth, in every order, among which is one pass of pairs for both networks; alone and with
/// penalties.
#[test]
fn gradients_of_smoothed_labels_match_finite_differences() {
    let penalties = Penalties::default().with_r1(0.7).with_gradient_penalty(1.5);
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for objective in
                [Objective::Minimax, Objective::NonSaturating, Objective::NonSaturatingHalf, Objective::LeastSquares]
            {
                for (order, smoothing) in ORDERS.into_iter().zip([0.1, 0.25, 0.4]) {
                    let problem = || {
                        Problem::new(Activation::Tanh, Activation::Sigmoid, objective, order)
                            .with_label_smoothing(smoothing)
                    };
                    check(&problem(), engine, isa, &mut misses);
                    check(&problem().without_dropout(), engine, isa, &mut misses);
                    check(&problem().with_penalties(penalties), engine, isa, &mut misses);
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}

/// Instance noise in every order, with every output of G, whose derivative is that of the fakes before the noise; of every objective, and
/// with every penalty, which looks at the noisy samples.
#[test]
fn gradients_of_noisy_samples_match_finite_differences() {
    let penalties = Penalties::default().with_r1(0.7).with_r2(0.3).with_gradient_penalty(1.5);
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for order in ORDERS {
                for output in ACTIVATIONS {
                    let problem = || Problem::new(Activation::Tanh, output, Objective::NonSaturating, order);
                    check(&problem().with_noise(0.5), engine, isa, &mut misses);
                    check(&problem().without_dropout().with_noise(0.5), engine, isa, &mut misses);
                }
                for objective in OBJECTIVES {
                    let problem = || Problem::new(Activation::Tanh, Activation::Sigmoid, objective, order);
                    check(&problem().with_noise(0.25), engine, isa, &mut misses);
                    check(&problem().with_penalties(penalties).with_noise(0.25), engine, isa, &mut misses);
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}

/// Layer normalization in both networks, with every activation behind it, with dropout and without; alone, with every objective, and with
/// penalties, in whose double backward pass it is curved.
#[test]
fn gradients_of_normalized_layers_match_finite_differences() {
    let penalties = Penalties::default().with_r1(0.7).with_r2(0.3).with_gradient_penalty(1.5);
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for order in ORDERS {
                for hidden in ACTIVATIONS {
                    let problem = || {
                        Problem::new(hidden, Activation::Linear, Objective::NonSaturating, order).with_normalization()
                    };
                    check(&problem(), engine, isa, &mut misses);
                    check(&problem().with_penalties(penalties), engine, isa, &mut misses);
                    check(&problem().without_dropout().with_penalties(penalties), engine, isa, &mut misses);
                }
                for objective in OBJECTIVES {
                    let problem =
                        || Problem::new(Activation::Tanh, Activation::Sigmoid, objective, order).with_normalization();
                    check(&problem(), engine, isa, &mut misses);
                    check(&problem().with_penalties(penalties), engine, isa, &mut misses);
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}

/// Groups of G's outputs, alone and beside numbers, in every order and with every objective; and with penalties, which look at them.
#[test]
fn gradients_of_groups_of_outputs_match_finite_differences() {
    let penalties = Penalties::default().with_r1(0.7).with_r2(0.3).with_gradient_penalty(1.5);
    let mut misses = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for order in ORDERS {
                for objective in OBJECTIVES {
                    for groups in [&[2][..], &[2, 2], &[3]] {
                        let problem = || {
                            Problem::new(Activation::Tanh, Activation::Linear, objective, order).with_softmax(groups)
                        };
                        check(&problem(), engine, isa, &mut misses);
                        check(&problem().without_dropout().with_penalties(penalties), engine, isa, &mut misses);
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
    let sizes = [([7, 3], 300, "tile-parallel"), ([450, 300], 60, "layer-parallel"), ([450, 300], 7, "layer-parallel")];
    let kinds = [Normalization::None, Normalization::Layer];
    for ((widths, repeats, schedule), kind) in sizes.into_iter().flat_map(|size| kinds.map(|kind| (size, kind))) {
        let mut problem = Problem::new(hidden, Activation::Linear, Objective::NonSaturating, Order::DiscriminatorFirst);
        let sizes = [FEATURES, widths[0], widths[1], 1];
        problem.spec.discriminator =
            NetworkSpec::dense(&sizes, hidden, DROPOUT, Activation::Linear).with_normalization(kind);
        problem.spec.generator = problem.spec.generator.with_normalization(kind);
        if kind == Normalization::Layer {
            // In whose double backward pass it is curved.
            problem = problem.with_penalties(Penalties::default().with_r1(0.7));
        }
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
                let d = NetworkSpec::dense(&sizes, hidden, 0.0, Activation::Linear).with_normalization(kind);
                let mut modular =
                    ModularLoss::new(d, problem.spec.objective, OptimizerSpec::sgd(0.05), options).unwrap();
                let fakes = repeat(&numbers(BATCH * FEATURES, 4), times);
                let mut of_fakes = vec![f32::NAN; fakes.len()];
                modular.step(&fakes, &real, &mut of_fakes).unwrap();
                (trainer.gradients().unwrap(), of_fakes)
            };
            let ((one, one_of_fakes), (many, many_of_fakes)) = (gradients(1), gradients(repeats));
            let name = format!("{schedule} {engine} {repeats} {kind:?}");
            for (network, found, expected) in
                [("D", &many.discriminator, &one.discriminator), ("G", &many.generator, &one.generator)]
            {
                compare(
                    &format!("{name}: {network}"),
                    flat(found),
                    &wide(&flat(expected).collect::<Vec<f32>>()),
                    rounding(&problem.spec),
                    &mut misses,
                );
            }
            let expected = wide(&one_of_fakes);
            for share in many_of_fakes.chunks(BATCH * FEATURES) {
                let share = share.iter().map(|value| value * repeats as f32);
                compare(&format!("{name}: fakes"), share, &expected, rounding(&problem.spec), &mut misses);
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
                    // A critic needs a bound, which has no part in G's loss.
                    let bound = if objective == Objective::Wasserstein { 0.1 } else { 0.0 };
                    let (penalties, optimizer) = (Penalties::default().with_r1(bound), OptimizerSpec::adam(0.01));
                    let mut loss =
                        ModularLoss::with_penalties(spec.clone(), objective, penalties, optimizer, options).unwrap();
                    let (fakes, real) = (numbers(BATCH * FEATURES, 4), numbers(BATCH * FEATURES, 5));
                    let mut gradient = vec![f32::NAN; fakes.len()];
                    loss.step(&fakes, &real, &mut gradient).unwrap();
                    let d = widened(&loss.discriminator().unwrap());
                    let margins = |values: &[f64]| -> Vec<f64> {
                        values.chunks(FEATURES).map(|row| margin(&output(&spec, &d, row.to_vec(), &[]))).collect()
                    };
                    let of_reals = margins(&wide(&real));
                    let generator_loss =
                        |fakes: &Parameters| generator_loss(objective, &of_reals, &margins(&fakes[0].0));
                    let expected =
                        difference::gradient(&widened(&[LayerTensors::new(fakes, Vec::new())]), generator_loss);
                    let name = format!("{hidden:?} {objective:?} {engine} {}", isa.kind());
                    compare(&name, gradient.into_iter(), &expected, 1.0, &mut misses);
                }
            }
        }
    }
    assert!(misses.is_empty(), "{} misses:\n{}", misses.len(), misses[..misses.len().min(20)].join("\n"));
}
