//! The figures of one moment: both networks run forward, without dropout, over generated and real samples.

use super::cells::lost_share;
use super::coverage::{coverage, total_variance};
use super::distance::distances;
use super::figures::Health;
use crate::error::{Error, Result};
use crate::gan::model::Model;
use crate::gan::objective::Objective;
use crate::gan::outside::{Derivation, RunSeed};
use crate::gan::source::{Extent, InMemory, Numbers, Source, write_batch};
use crate::gan::spec::GanSpec;
use crate::gan::streams::Stream;
use crate::gemm::EngineKind;
use crate::kernel::activation::Activation;
use crate::kernel::noise;
use crate::kernel::panel::scatter_rows;
use crate::kernel::sum;
use crate::memory::AlignedBuffer;
use crate::net::folded::Folded;
use crate::net::panels::{Panels, Part, PassContext, PassPlan};
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{self, Alone, NetworkView};
use crate::net::{LayerTensors, NetworkSpec};
use crate::parallel::Team;
use crate::simd::{Isa, LANE_GROUP};

/// Real samples, and as many generated ones, that are examined; fewer where the data have fewer. A share of them has a standard
/// error of at most 0.022, which the thresholds of the verdicts leave room for; more cost time, the distances by the square.
const SAMPLES: usize = 512;

/// Samples that pass a network at once.
const WIDTH: usize = 8 * LANE_GROUP;

/// Where the derivative of tanh or of the sigmoid is below this share of its largest value, a unit is saturated: Adam divides a
/// gradient by its size, but what is left of the sum over the units is one in a thousand.
const SATURATED: f32 = 1e-3;

/// Examines `model`: up to 512 samples from G, with latents that `seed` alone determines, against as many of `real`, taken at
/// equal distances; of an endless source, which is asked for its first 512, though it may have given them before. Give the same `seed` at
/// each evaluation of a run: then what changes is the networks. `gradients` are those of the last step
/// ([`Trainer::gradients`](crate::gan::Trainer::gradients)); `None` before the first.
///
/// It runs on the calling thread and takes memory of its own: a millisecond for networks on points, some 50 ms for those of
/// `mnist`.
///
/// # Errors
///
/// A specification that is not valid, or that the model, the gradients or the data do not fit; no data; a source that fails; data or
/// generated samples that are not finite; memory that the system refuses.
pub fn examine(
    model: &Model,
    gradients: Option<&Model>,
    spec: &GanSpec,
    real: &dyn Source,
    seed: u64,
    isa: Isa,
) -> Result<Health> {
    examine_by(model, gradients, spec, real, RunSeed { seed, derivation: Derivation::default() }, isa)
}

/// The same by the seed of a run.
///
/// # Errors
///
/// As [`examine`].
pub(crate) fn examine_by(
    model: &Model,
    gradients: Option<&Model>,
    spec: &GanSpec,
    real: &dyn Source,
    seed: RunSeed,
    isa: Isa,
) -> Result<Health> {
    spec.validate()?;
    let (features, of_row, shape) = (spec.features(), spec.row_features(), real.shape());
    let len = match shape.extent() {
        Extent::Finite(samples) | Extent::Chosen(samples) => u32::try_from(samples).unwrap_or(u32::MAX) as usize,
        Extent::Endless => SAMPLES,
    };
    let count = len.min(SAMPLES);
    if shape.features() != of_row || count == 0 {
        let found = format!("{} of {} features", shape.extent(), shape.features());
        return Err(Error::shape("data", format!("samples of {of_row} features"), found));
    }
    let numbers: Vec<u32> = (0..count).map(|index| row(index, count, len)).collect();
    let (mut copied, in_order): (_, Vec<u32>);
    let (memory, rows) = match real.in_memory() {
        Some(memory) => {
            memory.check(shape)?;
            (memory, &numbers)
        }
        None => {
            copied = AlignedBuffer::zeroed(of_row.saturating_mul(count))?;
            write_batch(Numbers::Listed(&numbers), of_row, &mut copied, |batch| real.fill(batch))?;
            in_order = (0..count as u32).collect();
            (InMemory::of_rows(&copied, of_row), &in_order)
        }
    };
    let mut generator = Subject::new("generator", &spec.generator, &model.generator, isa)?;
    let mut discriminator = Subject::new("discriminator", &spec.discriminator, &model.discriminator, isa)?;
    let norms = gradients.map(|gradients| norms(gradients, &generator, &discriminator)).transpose()?;
    let panel = features.saturating_mul(WIDTH);
    let mut reals = AlignedBuffer::zeroed(panel.saturating_mul(count.div_ceil(WIDTH)))?;
    // Samples, and behind them the conditions that fakes have, too.
    let mut rows_in_full = AlignedBuffer::zeroed(of_row.saturating_mul(WIDTH))?;
    let mut real_rows = AlignedBuffer::zeroed(features.saturating_mul(count))?;
    let mut fake_rows = AlignedBuffer::zeroed(features.saturating_mul(count))?;
    let (mut real_margins, mut fake_margins) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let key = seed.key(Stream::Health);
    for (index, reals) in reals.chunks_exact_mut(panel).take(count.div_ceil(WIDTH)).enumerate() {
        let first = index * WIDTH;
        let samples = WIDTH.min(count - first);
        let place = first * features..(first + samples) * features;

        memory.gather(isa, &rows[first..first + samples], &mut rows_in_full, WIDTH);
        let (of_samples, conditions) = rows_in_full.split_at(panel);
        reals.copy_from_slice(of_samples);

        let (latents, given) = generator.input().split_at_mut(spec.latents() * WIDTH);
        noise::normal(isa, key, first, latents, WIDTH);
        given.copy_from_slice(conditions);
        let fakes = generator.forward(isa, samples, Some(Part::drawn(key, first)));
        scatter_rows(isa, fakes, WIDTH, samples, &mut fake_rows[place.clone()]);
        scatter_rows(isa, reals, WIDTH, samples, &mut real_rows[place]);
        // Packs of samples that follow each other; what is left of a last one is not judged.
        let packs = samples / spec.packing;
        pack([fakes, conditions], spec.packing, discriminator.input());
        fake_margins.extend(margins(spec.objective, discriminator.forward(isa, packs, None), packs));
        pack([reals, conditions], spec.packing, discriminator.input());
        real_margins.extend(margins(spec.objective, discriminator.forward(isa, packs, None), packs));
    }
    let (real_rows, fake_rows) = (&real_rows[..features * count], &fake_rows[..features * count]);
    check_finite("data", real_rows, features, |index| numbers[index] as usize)?;
    check_finite("generated samples", fake_rows, features, |index| index)?;
    let (real_variance, fake_variance) = (total_variance(real_rows, features)?, total_variance(fake_rows, features)?);
    let distances = distances(isa, seed.key(Stream::HealthDirections), real_rows, fake_rows, features)?;
    let both_constant = real_variance == 0.0 && fake_variance == 0.0;
    let [real_accuracy, fake_accuracy] = accuracies(spec, &real_margins, &fake_margins);
    Ok(Health {
        real_accuracy,
        fake_accuracy,
        spread: if both_constant { 1.0 } else { (fake_variance / real_variance).sqrt() },
        coverage: coverage(isa, &reals, count, WIDTH, fake_rows, features)?,
        lost_share: lost_share(real_rows, fake_rows, features)?,
        data_distance: distances.data,
        halves_distance: distances.halves,
        mean_shift: distances.means,
        generator_gradient_norm: norms.map(|[generator, _]| generator),
        discriminator_gradient_norm: norms.map(|[_, discriminator]| discriminator),
        generator_dead_units: generator.dead_units(),
        discriminator_dead_units: discriminator.dead_units(),
    })
}

/// Puts samples, and the conditions beside them, into packs of `packing` that follow each other: a lane of `input` each.
fn pack([samples, conditions]: [&[f32]; 2], packing: usize, input: &mut [f32]) {
    let of_sample = samples.len() + conditions.len();
    for (place, input) in input.chunks_exact_mut(of_sample).enumerate() {
        let rows = samples.chunks_exact(WIDTH).chain(conditions.chunks_exact(WIDTH));
        for (row, values) in input.chunks_exact_mut(WIDTH).zip(rows) {
            let packed = values.iter().skip(place).step_by(packing);
            row.iter_mut().zip(packed).for_each(|(to, from)| *to = *from);
        }
    }
}

/// The row of a source of `len` samples that is number `index` of the `count` examined.
fn row(index: usize, count: usize, len: usize) -> u32 {
    // Sources have at most 2^32 samples, so that neither the product nor the quotient overflows.
    (index as u64 * len as u64 / count as u64) as u32
}

/// For each sample the logit of "real" against "fake": positive where D takes it for real.
fn margins(objective: Objective, logits: &[f32], samples: usize) -> impl Iterator<Item = f32> {
    let two = objective.logits() == 2;
    (0..samples).map(move |lane| if two { logits[WIDTH + lane] - logits[lane] } else { logits[lane] })
}

/// The shares of real samples and of fakes that D takes for what they are. Where its logits have no zero, the middle between the means of
/// both kinds is one.
fn accuracies(spec: &GanSpec, real: &[f32], fake: &[f32]) -> [f64; 2] {
    let mean = |margins: &[f32]| sum::mean(margins.iter().map(|margin| f64::from(*margin)));
    let border = spec.objective.border(spec.label_smoothing);
    let border = border.unwrap_or_else(|| f64::midpoint(mean(real), mean(fake)) as f32);
    let share = |margins: &[f32], right: fn(f32, f32) -> bool| {
        margins.iter().filter(|margin| right(**margin, border)).count() as f64 / margins.len().max(1) as f64
    };
    [share(real, |margin, border| margin > border), share(fake, |margin, border| margin < border)]
}

/// The Euclidean norms of both networks' gradients.
fn norms(gradients: &Model, generator: &Subject<'_>, discriminator: &Subject<'_>) -> Result<[f64; 2]> {
    for (subject, gradients) in [(generator, &gradients.generator), (discriminator, &gradients.discriminator)] {
        ParameterLayout::new(subject.spec).check_trained(gradients, subject.name)?;
    }
    Ok([&gradients.generator, &gradients.discriminator].map(|tensors| {
        let values = tensors.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias));
        values.map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
    }))
}

/// Refuses rows with a value that is not finite. `number` gives the number of a row.
fn check_finite(what: &str, rows: &[f32], features: usize, number: impl Fn(usize) -> usize) -> Result<()> {
    let Some(index) = rows.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let (row, feature) = (number(index / features), index % features);
    Err(Error::data(what, format!("sample {row}, feature {feature} (counted from 0) is {}", rows[index])))
}

/// A network under examination.
struct Subject<'a> {
    name: &'a str,
    spec: &'a NetworkSpec,
    folded: Folded,
    pass: Alone,
    /// For each hidden unit, layer after layer, whether a gradient passed it at some sample.
    alive: Vec<bool>,
}

impl<'a> Subject<'a> {
    fn new(name: &'a str, spec: &'a NetworkSpec, tensors: &[LayerTensors], isa: Isa) -> Result<Self> {
        let layout = ParameterLayout::new(spec);
        let mut parameters = AlignedBuffer::zeroed(layout.len())?;
        layout.fill(&mut parameters, tensors, name)?;
        let hidden = spec.layers.iter().rev().skip(1).map(|layer| layer.outputs).sum();
        let folded = Folded::new(spec, &layout, &parameters, isa)?;
        let pass = Alone::new(&folded.spec, WIDTH)?;
        Ok(Self { name, spec, folded, pass, alive: vec![false; hidden] })
    }

    /// The panel that the network reads.
    fn input(&mut self) -> &mut [f32] {
        self.pass.tape.get_mut(self.pass.trace.input(), WIDTH)
    }

    /// Runs the panel through the network, notes which units are alive at the first `samples` lanes, and returns the output, of which `part`
    /// draws what is drawn.
    fn forward(&mut self, isa: Isa, samples: usize, part: Option<Part<'_>>) -> &[f32] {
        let Self { folded: Folded { spec, layout, parameters }, pass: Alone { trace, tape }, alive, .. } = self;
        let view = NetworkView { spec, layout, parameters };
        let plan = PassPlan { isa, engine: EngineKind::default().engine(), tasks: 1 };
        let panels = Panels { samples, ..Panels::one(WIDTH) };
        let pass = PassContext { team: &Team::serial(), plan: &plan, panels };
        pass::forward(&pass, view, part.as_slice(), trace, tape);
        let mut flags = alive.iter_mut();
        for (index, layer) in spec.layers.iter().enumerate() {
            let output = tape.get(trace.of_layer(index), WIDTH);
            // The units of the output layer, which comes last, have no flags.
            for (row, alive) in output.chunks_exact(WIDTH).zip(flags.by_ref()) {
                *alive = *alive || row[..samples].iter().any(|output| passes_gradient(layer.activation, *output));
            }
        }
        tape.get(trace.output(), WIDTH)
    }

    /// The share of hidden units that are dead; 0 where there is none.
    fn dead_units(&self) -> f64 {
        let dead = self.alive.iter().filter(|alive| !**alive).count();
        dead as f64 / self.alive.len().max(1) as f64
    }
}

/// Whether a unit with this output lets a gradient through.
fn passes_gradient(activation: Activation, output: f32) -> bool {
    match activation {
        Activation::Linear | Activation::LeakyRelu { .. } => true,
        Activation::Relu => output > 0.0,
        Activation::Tanh => 1.0 - output * output >= SATURATED,
        Activation::Sigmoid => 4.0 * output * (1.0 - output) >= SATURATED,
    }
}

#[cfg(test)]
mod tests;
