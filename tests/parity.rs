//! Whole training runs against PyTorch's in f64: every case in `tests/parity/`, or in the folder that `GANNET_PARITY_DIR` names.
//! `scripts/parity.py` makes them.
//!
//! A case is a safetensors file whose metadata describe the networks, the objective, the order of updates and the optimizer,
//! and whose tensors are the initial parameters, the real samples, latents and dropout keeps of each step, and what PyTorch
//! got: gradients of the first step, losses of every step, final parameters. The bar: every tensor within
//! `1e-5 * max|tensor| + 1e-7`, on every instruction set of the machine, with every engine, at 1 and 2 threads.

mod reference;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet::cpu::{EngineKind, Isa};
use gannet::data::ArraySource;
use gannet::gan::{
    self, AdamW, GanSpec, GivenStep, Model, ModularLoss, Objective, OptimizerSpec, Order, Penalties, RateSchedule,
    RmsProp, Sgd, Trainer, TrainerOptions,
};
use gannet::net::{Activation, LayerSpec, LayerTensors, NetworkSpec, Normalization};
use reference::network::{Parameters, backward, flat, forward, widened, zeros};
use reference::numbers::wide;
use reference::optimizer::Adam;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::Value;

/// A case as it was read.
struct Case {
    name: String,
    spec: GanSpec,
    batch: usize,
    steps: usize,
    bytes: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let folder = std::env::var_os("GANNET_PARITY_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity"), PathBuf::from);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no case in {}", folder.display());
    paths.iter().map(|path| read_case(path)).collect()
}

fn number(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn read_case(path: &Path) -> Case {
    let bytes = std::fs::read(path).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = metadata.metadata().as_ref().unwrap();
    let config: Value = serde_json::from_str(&metadata["config"]).unwrap();
    let layer = |layer: &Value| {
        let activation = match layer["activation"].as_str().unwrap() {
            "linear" => Activation::Linear,
            "relu" => Activation::Relu,
            "leaky_relu" => Activation::LeakyRelu { slope: number(&layer["slope"]) },
            "tanh" => Activation::Tanh,
            "sigmoid" => Activation::Sigmoid,
            other => panic!("activation {other}"),
        };
        let normalization = match layer.get("normalization").and_then(Value::as_str) {
            None => Normalization::None,
            Some("layer") => Normalization::Layer,
            Some("batch") => Normalization::Batch,
            Some("spectral") => Normalization::Spectral,
            Some(other) => panic!("normalization {other}"),
        };
        LayerSpec::new(count(&layer["in"]), count(&layer["out"]), activation)
            .with_normalization(normalization)
            .with_dropout(number(&layer["dropout"]))
    };
    let network = |layers: &Value| NetworkSpec::new(layers.as_array().unwrap().iter().map(layer).collect());
    let optimizer = &config["optimizer"];
    let learning_rate = number(&optimizer["lr"]);
    let optimizer: OptimizerSpec = match optimizer["kind"].as_str().unwrap() {
        "adam" => gan::Adam::new(learning_rate)
            .with_beta1(number(&optimizer["beta1"]))
            .with_beta2(number(&optimizer["beta2"]))
            .with_epsilon(number(&optimizer["eps"]))
            .into(),
        "adamw" => AdamW::new(learning_rate)
            .with_beta1(number(&optimizer["beta1"]))
            .with_beta2(number(&optimizer["beta2"]))
            .with_epsilon(number(&optimizer["eps"]))
            .with_weight_decay(number(&optimizer["weight_decay"]))
            .into(),
        "rmsprop" => RmsProp::new(learning_rate)
            .with_alpha(number(&optimizer["alpha"]))
            .with_epsilon(number(&optimizer["eps"]))
            .into(),
        "sgd" => Sgd::new(learning_rate).with_momentum(optimizer.get("momentum").map_or(0.0, number)).into(),
        other => panic!("optimizer {other}"),
    };
    let spec = GanSpec::new(network(&config["generator"]), network(&config["discriminator"]))
        .with_objective(match config["objective"].as_str().unwrap() {
            "minimax" => Objective::Minimax,
            "non_saturating" => Objective::NonSaturating,
            "non_saturating_half" => Objective::NonSaturatingHalf,
            "softmax" => Objective::Softmax,
            "least_squares" => Objective::LeastSquares,
            "hinge" => Objective::Hinge,
            "wasserstein" => Objective::Wasserstein,
            "relativistic_pairing" => Objective::RelativisticPairing,
            "relativistic_average" => Objective::RelativisticAverage,
            other => panic!("objective {other}"),
        })
        .with_order(match config["order"].as_str().unwrap() {
            "discriminator_first" => Order::DiscriminatorFirst,
            "discriminator_first_shared_fake" => Order::DiscriminatorFirstSharedFake,
            "generator_first_shared_fake" => Order::GeneratorFirstSharedFake,
            other => panic!("order {other}"),
        })
        .with_optimizers(optimizer)
        .with_conditions(config.get("conditions").map_or(0, count));
    let weight = |name: &str| config.get("penalties").and_then(|penalties| penalties.get(name)).map_or(0.0, number);
    let penalties = Penalties::default()
        .with_r1(weight("r1"))
        .with_r2(weight("r2"))
        .with_gradient_penalty(weight("gradient_penalty"))
        .with_one_sided(config["penalties"]["one_sided"].as_bool().unwrap_or(false));
    let spec = spec
        .with_penalties(penalties)
        .with_label_smoothing(config.get("label_smoothing").map_or(0.0, number))
        .with_weight_clip(config.get("weight_clip").map_or(0.0, number))
        .with_ema_decay(config.get("ema_decay").map_or(0.0, number));
    let spec = match config.get("schedule") {
        Some(schedule) => {
            let steps = schedule["steps"].as_u64().unwrap();
            let falling = match schedule["decay"].as_str().unwrap() {
                "linear" => RateSchedule::linear(steps),
                "cosine" => RateSchedule::cosine(steps),
                other => panic!("schedule {other}"),
            };
            let end = |name: &str| schedule.get(name).map(number);
            let mut falling = falling.with_warmup(schedule["warmup"].as_u64().unwrap());
            falling.final_rate = end("final_rate").unwrap_or(0.0);
            falling.final_penalty = end("final_penalty").unwrap_or(1.0);
            (falling.final_beta1, falling.final_beta2) = (end("final_beta1"), end("final_beta2"));
            spec.with_schedule(falling)
        }
        None => spec,
    };
    let mut spec = spec;
    spec.packing = config.get("packing").map_or(1, count);
    let clip_norm = |network: &str| config.get("clip_norm").map_or(0.0, |norms| number(&norms[network]));
    let spec =
        spec.with_generator_clip_norm(clip_norm("generator")).with_discriminator_clip_norm(clip_norm("discriminator"));
    let (batch, steps) = (count(&config["batch"]), count(&config["steps"]));
    Case { name: metadata["case"].clone(), spec, batch, steps, bytes }
}

/// A case's tensors.
struct Tensors<'a>(SafeTensors<'a>);

impl Tensors<'_> {
    fn f32(&self, name: &str) -> Vec<f32> {
        let tensor = self.0.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
        tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    fn f64(&self, name: &str) -> Vec<f64> {
        let tensor = self.0.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tensor.dtype(), Dtype::F64, "{name}");
        tensor.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    /// Keeps of every layer of the discriminator for one role, over all steps.
    fn keeps(&self, role: &str, spec: &NetworkSpec) -> Vec<Option<Vec<u8>>> {
        let tensor = |index| self.0.tensor(&format!("keep.{role}.{index}")).ok();
        (0..spec.layers.len()).map(|index| tensor(index).map(|tensor| tensor.data().to_vec())).collect()
    }

    fn network(&self, prefix: &str, spec: &NetworkSpec) -> Vec<LayerTensors> {
        let layers = spec.layers.iter().enumerate();
        layers
            .map(|(index, layer)| {
                let tensor = |kind: &str| self.f32(&format!("{prefix}.{index}.{kind}"));
                let tensors = LayerTensors::new(tensor("weight"), tensor("bias"));
                match layer.normalization {
                    Normalization::Spectral => tensors.with_buffers(vec![tensor("singular_vector")]),
                    _ => tensors,
                }
            })
            .collect()
    }
}

/// Step `step` of steps that lie one behind another.
fn at<T>(values: &[T], step: usize, steps: usize) -> &[T] {
    let len = values.len() / steps;
    &values[step * len..(step + 1) * len]
}

fn keeps_at(keeps: &[Option<Vec<u8>>], step: usize, steps: usize) -> Vec<Option<&[u8]>> {
    keeps.iter().map(|keeps| keeps.as_deref().map(|keeps| at(keeps, step, steps))).collect()
}

/// Collects every tensor that misses the bar.
#[derive(Default)]
struct Misses(Vec<String>);

impl Misses {
    fn compare(&mut self, name: &str, found: impl Iterator<Item = f64>, expected: &[f64]) {
        let found: Vec<f64> = found.collect();
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let bar = 1e-5 * largest + 1e-7;
        let worst = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
        // A NaN must count as a miss, so the test is for "within", not for "beyond".
        if !worst.clone().all(|difference| difference <= bar) {
            let worst = worst.fold(0.0, |worst: f64, next| if next <= worst { worst } else { next });
            self.0.push(format!("{name}: off by {worst:e}, the bar is {bar:e}"));
        }
    }

    fn compare_network(
        &mut self,
        run: &str,
        (prefix, spec): (&str, &NetworkSpec),
        found: &[LayerTensors],
        tensors: &Tensors<'_>,
    ) {
        for (index, (found, layer)) in found.iter().zip(&spec.layers).enumerate() {
            let kept = layer.normalization.buffers().iter().copied().zip(&found.buffers);
            for (kind, values) in [("weight", &found.weight), ("bias", &found.bias)].into_iter().chain(kept) {
                let name = format!("{prefix}.{index}.{kind}");
                let values = values.iter().map(|value| f64::from(*value));
                self.compare(&format!("{run}: {name}"), values, &tensors.f64(&name));
            }
        }
    }
}

/// Every engine, instruction set and number of threads to try.
fn runs() -> Vec<(EngineKind, Isa, usize)> {
    let mut runs = Vec::new();
    for engine in EngineKind::ALL {
        for isa in Isa::available() {
            for threads in [1, 2] {
                runs.push((engine, isa, threads));
            }
        }
    }
    runs
}

#[test]
fn training_runs_match_pytorch_in_f64() {
    let mut misses = Misses::default();
    for case in cases() {
        let tensors = Tensors(SafeTensors::deserialize(&case.bytes).unwrap());
        let real = tensors.f32("real");
        let (latents_d, latents_g) = (tensors.f32("latent.discriminator_step"), tensors.f32("latent.generator_step"));
        let keeps = ["real", "fake", "generator_step", "generator_real", "between"]
            .map(|role| tensors.keeps(role, &case.spec.discriminator));
        let is_between = case.spec.penalties.gradient_penalty > 0.0;
        let shares = if is_between { tensors.f32("interpolation") } else { Vec::new() };
        let (g, d) = (&case.spec.generator, &case.spec.discriminator);
        // The samples of a shard are a group of their own in batch normalization.
        let is_grouped = g.layers.iter().chain(&d.layers).any(|of| of.normalization == Normalization::Batch);
        let most = if is_grouped { 1 } else { case.batch / case.spec.packing };
        let shards = [1, 2, 4].into_iter().filter(|shards| *shards <= most);
        for ((engine, isa, threads), shards) in
            runs().into_iter().flat_map(|run| shards.clone().map(move |shards| (run, shards)))
        {
            let run = format!("{} {engine} {} {threads} {shards}", case.name, isa.kind());
            let source = ArraySource::new(at(&real, 0, case.steps).to_vec(), case.spec.row_features()).unwrap();
            let isa = Some(isa.kind());
            let options = TrainerOptions::default()
                .with_batch(case.batch)
                .with_shards(shards)
                .with_threads(threads)
                .with_engine(engine)
                .with_isa(isa);
            let mut trainer = Trainer::new(case.spec.clone(), Arc::new(source), options).unwrap();
            let initial = Model::new(
                tensors.network("init.generator", &case.spec.generator),
                tensors.network("init.discriminator", &case.spec.discriminator),
            );
            trainer.set_model(&initial).unwrap();
            let (mut losses, mut penalties) = ([Vec::new(), Vec::new()], Vec::new());
            for step in 0..case.steps {
                let [keep_real, keep_fake, keep_generator_step, keep_generator_real, keep_between] =
                    keeps.each_ref().map(|keeps| keeps_at(keeps, step, case.steps));
                let report = trainer
                    .step_with(
                        &GivenStep::new(at(&real, step, case.steps), at(&latents_d, step, case.steps))
                            .with_generator_latents(at(&latents_g, step, case.steps))
                            .with_keep_real(&keep_real)
                            .with_keep_fake(&keep_fake)
                            .with_keep_generator_step(&keep_generator_step)
                            .with_keep_generator_real(&keep_generator_real)
                            .with_interpolation(at(&shares, step, case.steps))
                            .with_keep_between(&keep_between),
                    )
                    .unwrap();
                penalties.extend(report.penalty);
                losses[0].push(report.discriminator_loss);
                losses[1].push(report.generator_loss);
                if step == 0 {
                    let gradients = trainer.gradients().unwrap();
                    misses.compare_network(&run, ("gradient.generator", g), &gradients.generator, &tensors);
                    misses.compare_network(&run, ("gradient.discriminator", d), &gradients.discriminator, &tensors);
                }
            }
            for (name, losses) in ["loss.discriminator", "loss.generator"].iter().zip(losses) {
                misses.compare(&format!("{run}: {name}"), losses.into_iter(), &tensors.f64(name));
            }
            if !case.spec.penalties.is_none() {
                misses.compare(&format!("{run}: penalty"), penalties.into_iter(), &tensors.f64("penalty"));
            }
            let model = trainer.raw_model().unwrap();
            misses.compare_network(&run, ("final.generator", g), &model.generator, &tensors);
            if case.spec.ema_decay > 0.0 {
                // Statistics are averaged, too, which PyTorch leaves to whoever asks for it.
                let mut averages = trainer.model().unwrap().generator;
                averages.iter_mut().for_each(|layer| layer.buffers.clear());
                misses.compare_network(&run, ("average.generator", g), &averages, &tensors);
            }
            let mut discriminator = model.discriminator;
            if case.spec.objective.is_relativistic()
                && let Some(last) = discriminator.last_mut()
            {
                // It cancels in every difference of logits: its gradient is 0 but for rounding, which Adam scales up.
                last.bias = tensors
                    .f64(&format!("final.discriminator.{}.bias", case.spec.discriminator.layers.len() - 1))
                    .iter()
                    .map(|value| *value as f32)
                    .collect();
            }
            misses.compare_network(&run, ("final.discriminator", d), &discriminator, &tensors);
        }
    }
    assert!(misses.0.is_empty(), "{} tensors miss the bar:\n{}", misses.0.len(), misses.0.join("\n"));
}

/// A generator in f64 with Adam: what another program would bring to the modular loss.
struct ForeignGenerator<'a> {
    spec: &'a NetworkSpec,
    parameters: Parameters,
    /// In the order of [`Parameters`].
    adam: Vec<Adam>,
}

impl<'a> ForeignGenerator<'a> {
    fn new(spec: &'a NetworkSpec, tensors: &[LayerTensors], optimizer: OptimizerSpec) -> Self {
        let OptimizerSpec::Adam(adam) = optimizer else { panic!("the case's optimizer is Adam") };
        let adam = Adam::new([adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon]);
        Self { spec, parameters: widened(tensors), adam: vec![adam; flat(tensors).count()] }
    }

    /// Each sample's way through the network.
    fn forward(&self, latents: &[f32]) -> Vec<Vec<Vec<f64>>> {
        let samples = latents.chunks(self.spec.layers[0].inputs);
        samples.map(|latent| forward(self.spec, &self.parameters, wide(latent), &[])).collect()
    }

    fn fakes(&self, latents: &[f32]) -> Vec<f32> {
        let outputs = self.forward(latents).into_iter().filter_map(|mut outputs| outputs.pop());
        outputs.flatten().map(|output| output as f32).collect()
    }

    fn update(&mut self, latents: &[f32], gradient: &[f32]) {
        let mut sums = zeros(&self.parameters);
        let samples = self.forward(latents);
        for (outputs, delta) in samples.iter().zip(gradient.chunks(gradient.len() / samples.len())) {
            backward(self.spec, &self.parameters, outputs, wide(delta), &mut sums);
        }
        let parameters = self.parameters.iter_mut().flat_map(|(weight, bias)| weight.iter_mut().chain(bias));
        let sums = sums.iter().flat_map(|(weight, bias)| weight.iter().chain(bias));
        for ((parameter, gradient), adam) in parameters.zip(sums).zip(&mut self.adam) {
            adam.step(parameter, *gradient);
        }
    }
}

/// The modular loss is D's step followed by G's on the same fakes: every case of that order whose generator is one linear
/// layer, whose optimizer is Adam and whose discriminator has no dropout is also a case for it.
#[test]
fn modular_loss_with_a_foreign_generator_matches_pytorch_in_f64() {
    let mut misses = Misses::default();
    for case in cases() {
        let spec = &case.spec;
        let fits = spec.order == Order::DiscriminatorFirstSharedFake
            && spec.generator.layers.len() == 1
            && spec.generator.layers[0].activation == Activation::Linear
            && spec.discriminator.layers.iter().all(|layer| layer.dropout == 0.0)
            && matches!(spec.generator_optimizer, OptimizerSpec::Adam(_));
        if !fits {
            continue;
        }
        let tensors = Tensors(SafeTensors::deserialize(&case.bytes).unwrap());
        let (real, latents) = (tensors.f32("real"), tensors.f32("latent.discriminator_step"));
        for (engine, isa, threads) in runs() {
            let run = format!("modular {} {engine} {} {threads}", case.name, isa.kind());
            let options = TrainerOptions::default()
                .with_batch(case.batch)
                .with_threads(threads)
                .with_engine(engine)
                .with_isa(isa.kind());
            let optimizer = spec.discriminator_optimizer;
            let mut loss = ModularLoss::new(spec.discriminator.clone(), spec.objective, optimizer, options).unwrap();
            loss.set_discriminator(&tensors.network("init.discriminator", &spec.discriminator)).unwrap();
            let initial = tensors.network("init.generator", &spec.generator);
            let mut generator = ForeignGenerator::new(&spec.generator, &initial, spec.generator_optimizer);
            let mut losses = [Vec::new(), Vec::new()];
            let mut gradient = vec![f32::NAN; case.batch * spec.features()];
            for step in 0..case.steps {
                let latents = at(&latents, step, case.steps);
                let fakes = generator.fakes(latents);
                let report = loss.step(&fakes, at(&real, step, case.steps), &mut gradient).unwrap();
                generator.update(latents, &gradient);
                losses[0].push(report.discriminator_loss);
                losses[1].push(report.generator_loss);
            }
            for (name, losses) in ["loss.discriminator", "loss.generator"].iter().zip(losses) {
                misses.compare(&format!("{run}: {name}"), losses.into_iter(), &tensors.f64(name));
            }
            misses.compare_network(
                &run,
                ("final.discriminator", &spec.discriminator),
                &loss.discriminator().unwrap(),
                &tensors,
            );
            let (weight, bias) = &generator.parameters[0];
            misses.compare(&run, weight.iter().copied(), &tensors.f64("final.generator.0.weight"));
            misses.compare(&run, bias.iter().copied(), &tensors.f64("final.generator.0.bias"));
        }
    }
    assert!(misses.0.is_empty(), "{} tensors miss the bar:\n{}", misses.0.len(), misses.0.join("\n"));
}
