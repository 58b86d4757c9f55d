//! Where the time of a training step goes: every part of a step timed alone, in the step's own shapes, times how often a step
//! does it, against whole steps timed in between. One thread, native engine. Prints Markdown tables:
//! `cargo bench --bench waterfall`.
//!
//! What no part accounts for is the last line of a table: calls, order of the data, caches that a part alone finds warm (then
//! the line is positive) or that the step before left warmer than a part alone does (then it may be negative).
//!
//! Arguments: nothing for all, or presets. `--test` runs everything once.

mod common;

use std::hint::black_box;
use std::time::Duration;

use common::layer::{Layer, Product, buffer};
use common::{Arguments, Measured, Stopwatch, head, header, row, run, seconds_of, source, trainer};
use gannet::cpu::{EngineKind, Isa};
use gannet::gan::presets::Preset;
use gannet::gan::source::Extent;
use gannet::gan::{Adam, GanSpec, Network, Objective, OptimizerSpec, Sgd, Trainer};
use gannet::internals::engine::gather;
use gannet::internals::kernel::activation::backward_epilogue;
use gannet::internals::kernel::loss::{
    LossTerm, bce_with_logits, joint_bce_with_logits, softmax_cross_entropy, take_scaled,
};
use gannet::internals::kernel::noise::{StreamKey, normal};
use gannet::internals::kernel::optimizer::{AdamStep, SgdStep, Update};
use gannet::internals::kernel::reduce::add_assign;
use gannet::internals::net::InputMode;
use gannet::internals::parallel::Team;
use gannet::internals::program::{Gradients, Loss, Pass, Rows};
use gannet::net::{Activation, LayerSpec, NetworkSpec};

/// Presets and batches.
const PRESETS: [(Preset, usize); 4] =
    [(Preset::Circle, 256), (Preset::Gaussian2d, 1_024), (Preset::Mixture1d, 1_024), (Preset::Mnist, 1_024)];

/// How long a part is timed, [`REPEATS`] times.
const SPAN: Duration = Duration::from_millis(4);
const REPEATS: usize = 5;

/// Kinds of parts, as the summary shows them.
const KINDS: [&str; 10] = [
    "latents",
    "real samples and copies",
    "forward products",
    "dropout",
    "losses",
    "input gradients",
    "weight gradients",
    "slots combined",
    "updates",
    "phases",
];

/// What a part does for the step.
struct Line {
    kind: &'static str,
    name: String,
    calls: usize,
    /// Floating-point operations of a call that count as work.
    flop: f64,
    of_call: Measured,
}

impl Line {
    fn seconds(&self) -> f64 {
        self.calls as f64 * self.of_call.seconds
    }

    /// Of the whole step.
    fn share(&self, whole: Measured) -> f64 {
        self.calls as f64 * self.of_call.capacity / whole.capacity
    }
}

/// The parts of a step, timed as they are named.
struct Waterfall {
    isa: Isa,
    stopwatch: Stopwatch,
    test: bool,
    trainer: Trainer<'static>,
    steps: u64,
    /// Whole steps, timed beside every part.
    wholes: Vec<Measured>,
    lines: Vec<Line>,
    /// Calls of the engine that the lines account for.
    products: usize,
}

/// How a network meets a pass.
#[derive(Clone, Copy)]
struct Meeting<'a> {
    /// `D`, `G`, and on what.
    name: &'a str,
    network: &'a NetworkSpec,
    /// Samples side by side, and the parts of the panel that draw their own dropout.
    width: usize,
    parts: usize,
    /// How often a step does it, over all panels.
    calls: usize,
}

impl Waterfall {
    fn new(arguments: &Arguments, preset: Preset, batch: usize) -> gannet::Result<Self> {
        let mut trainer = trainer(preset, batch, 1)?;
        let isa = trainer.isa();
        let stopwatch = Stopwatch::new(arguments, isa, SPAN, REPEATS);
        let seconds = seconds_of(1, &mut || run(&mut trainer, 2)) / 2.0;
        let steps = if arguments.test { 1 } else { (SPAN.as_secs_f64() / seconds) as u64 + 1 };
        let (wholes, lines) = (Vec::new(), Vec::new());
        Ok(Self { isa, stopwatch, test: arguments.test, trainer, steps, wholes, lines, products: 0 })
    }

    /// Times a part that a step does `calls` times.
    fn part(&mut self, kind: &'static str, name: impl Into<String>, calls: usize, flop: f64, call: impl FnMut()) {
        let of_call = self.stopwatch.time(call);
        // Whole steps of the large presets are long: few of them tell as much.
        let due = self.lines.len().is_multiple_of(if self.steps == 1 { 8 } else { 1 });
        if due && (!self.test || self.wholes.is_empty()) {
            let found = self.stopwatch.once(1, &mut || run(&mut self.trainer, self.steps));
            let steps = self.steps as f64;
            self.wholes.push(Measured { seconds: found.seconds / steps, capacity: found.capacity / steps });
        }
        self.lines.push(Line { kind, name: name.into(), calls, flop, of_call });
    }

    /// The medians over the whole steps.
    fn whole(&self) -> Measured {
        Measured::median(&self.wholes)
    }

    /// The forward products of a pass; what dropout adds to them becomes a line of its own.
    fn forward(&mut self, pass: Meeting<'_>) -> gannet::Result<()> {
        let (isa, engine) = (self.isa, EngineKind::Native.engine());
        for spec in &pass.network.layers {
            let mut layer = Layer::new(spec, None, pass.width, pass.parts)?;
            let name = pass.line(spec);
            let flop = layer.flop();
            self.part(KINDS[2], &name, pass.calls, flop, || layer.run_with(Product::Forward, engine, isa, false));
            if spec.dropout > 0.0 {
                let without = self.lines[self.lines.len() - 1].of_call;
                self.part(KINDS[3], &name, pass.calls, 0.0, || layer.run(Product::Forward, engine, isa));
                if let Some(line) = self.lines.last_mut() {
                    line.of_call.seconds -= without.seconds;
                    line.of_call.capacity -= without.capacity;
                }
            }
            self.products += pass.calls;
        }
        Ok(())
    }

    /// The backward products of a pass. Of `chunk_panels` panels in a row all but the first add to the weight gradients; `None`
    /// leaves these out.
    fn backward(&mut self, pass: Meeting<'_>, input: InputMode, chunk_panels: Option<usize>) -> gannet::Result<()> {
        let (isa, engine) = (self.isa, EngineKind::Native.engine());
        let mut below = match input {
            InputMode::Through(activation) => Some((activation, 0.0)),
            InputMode::Skip | InputMode::Plain => None,
        };
        for (index, spec) in pass.network.layers.iter().enumerate() {
            let mut layer = Layer::new(spec, below, pass.width, 1)?;
            let name = pass.line(spec);
            let flop = layer.flop();
            if let Some(chunk_panels) = chunk_panels {
                let mut panel = 0;
                self.part(KINDS[6], &name, pass.calls, flop, || {
                    layer.accumulate = panel > 0;
                    panel = (panel + 1) % chunk_panels;
                    layer.run(Product::WeightGradient, engine, isa);
                });
                self.products += pass.calls;
            }
            if index > 0 || input != InputMode::Skip {
                self.part(KINDS[5], &name, pass.calls, flop, || layer.run(Product::InputGradient, engine, isa));
                self.products += pass.calls;
            }
            below = Some((spec.activation, spec.dropout));
        }
        Ok(())
    }

    /// The products of a tangent pass, which the last layer has no part in.
    fn tangents(&mut self, pass: Meeting<'_>) -> gannet::Result<()> {
        let (isa, engine) = (self.isa, EngineKind::Native.engine());
        let layers = pass.network.layers.len() - 1;
        for spec in &pass.network.layers[..layers] {
            let mut layer = Layer::new(spec, None, pass.width, pass.parts)?;
            let flop = layer.flop();
            let name = format!("{}, tangents", pass.line(spec));
            self.part(KINDS[2], name, pass.calls, flop, || layer.run_with(Product::Forward, engine, isa, false));
            self.products += pass.calls;
        }
        Ok(())
    }

    /// Drawing a panel's latents.
    fn latents(&mut self, spec: &GanSpec, width: usize, calls: usize) -> gannet::Result<()> {
        let (isa, mut panel, mut first) = (self.isa, buffer(spec.latents() * width)?, 0);
        self.part(KINDS[0], format!("{} x {width} normals", spec.latents()), calls, 0.0, || {
            normal(isa, StreamKey::new(1, 2, 3), first, &mut panel, width);
            first += width;
        });
        Ok(())
    }

    /// Filling D's input with real samples beside fakes.
    fn pairs(&mut self, preset: Preset, batch: usize, width: usize, calls: usize) -> gannet::Result<()> {
        let (isa, data) = (self.isa, source(preset, batch)?);
        let Extent::Finite(samples) = data.shape().extent() else { return Ok(()) };
        let (features, samples) = (data.shape().features(), samples as usize);
        // Rows all over the data, other ones each time, as a shuffled epoch has them; in order where the preset keeps it.
        let stride = if preset.shuffle() { 7919 } else { 1 };
        let rows: Vec<u32> = (0..samples).map(|index| (index * stride % samples) as u32).collect();
        let mut windows = rows.chunks_exact(width).cycle();
        let mut input = buffer(features * 2 * width)?;
        self.part(KINDS[1], format!("{features} x {width} gathered"), calls, 0.0, || {
            gather(&*data, isa, windows.next().unwrap_or_default(), &mut input, 2 * width);
        });
        let fakes = buffer(features * width)?;
        self.part(KINDS[1], format!("{features} x {width} fakes put beside them"), calls, 0.0, || {
            for (row, fakes) in input.chunks_exact_mut(2 * width).zip(fakes.chunks_exact(width)) {
                row[width..].copy_from_slice(fakes);
            }
            black_box(&mut input);
        });
        Ok(())
    }

    /// Logits to gradients: `calls` times for each of `parts` parts of `width` samples.
    fn losses(&mut self, objective: Objective, width: usize, parts: usize, calls: usize) -> gannet::Result<()> {
        let isa = self.isa;
        let logits = buffer(objective.logits() * parts * width)?;
        let mut deltas = buffer(logits.len())?;
        let term = LossTerm::new(true, 1.0 / 1024.0);
        self.part(KINDS[4], format!("{} x {}", objective.logits(), parts * width), calls, 0.0, || {
            deltas.copy_from_slice(&logits);
            let (first, second) = deltas.split_at_mut(if objective.logits() == 2 { parts * width } else { 0 });
            for part in 0..parts {
                let lanes = part * width..(part + 1) * width;
                if first.is_empty() {
                    black_box(bce_with_logits(isa, term, &mut second[lanes], width, false));
                } else {
                    let (fake, real) = (&mut first[lanes.clone()], &mut second[lanes]);
                    black_box(softmax_cross_entropy(isa, term, fake, real, width, false));
                }
            }
        });
        Ok(())
    }

    /// Logits to the gradients of both networks' losses.
    fn joint_losses(&mut self, width: usize, calls: usize) -> gannet::Result<()> {
        let isa = self.isa;
        let term = LossTerm::new(true, 1.0 / 1024.0);
        let (logits, mut ratios, mut deltas) = (buffer(2 * width)?, buffer(2 * width)?, buffer(2 * width)?);
        self.part(KINDS[4], format!("1 x {}, joint", 2 * width), calls, 0.0, || {
            ratios.copy_from_slice(&logits);
            let ((real_logits, ratios), (real, fake)) = (ratios.split_at_mut(width), deltas.split_at_mut(width));
            real.copy_from_slice(real_logits);
            black_box(bce_with_logits(isa, term, real, width, false));
            black_box(joint_bce_with_logits(isa, term.weight, term, ratios, fake, width, false));
        });
        Ok(())
    }

    /// The fakes' gradient taken from D's.
    fn share(&mut self, output: Activation, features: usize, width: usize, calls: usize) -> gannet::Result<()> {
        let (isa, ratios) = (self.isa, buffer(width)?);
        let (pairs, fakes, mut taken) =
            (buffer(features * 2 * width)?, buffer(features * width)?, buffer(features * width)?);
        self.part(KINDS[4], format!("{features} x {width} gradients scaled for G"), calls, 0.0, || {
            take_scaled(isa, &pairs, 2 * width, &ratios, &mut taken);
            backward_epilogue(isa, output, 0.0, &fakes, &mut taken);
        });
        Ok(())
    }

    /// Adding up the slots' gradients and updating a network.
    fn update(&mut self, name: &str, network: &NetworkSpec, optimizer: OptimizerSpec) -> gannet::Result<()> {
        /// Parameters that one call of an optimizer takes, as the trainer calls it.
        const UPDATE_CHUNK: usize = 8 * 1024;
        let isa = self.isa;
        let count: usize = network.layers.iter().map(|layer| (layer.inputs + 1) * layer.outputs).sum();
        let [mut parameters, gradients, mut first, mut second] =
            [buffer(count)?, buffer(count)?, buffer(count)?, buffer(count)?];
        second.fill(1.0);
        let slots = self.trainer.plan().slots;
        if slots > 1 {
            self.part(KINDS[7], format!("{name}, {count} parameters"), slots - 1, 0.0, || {
                add_assign(isa, &mut first, &gradients);
            });
        }
        first.fill(0.1);
        let name = format!("{name}, {count} parameters");
        // So slow that nothing runs away.
        let update: Update = match optimizer {
            OptimizerSpec::Adam(Adam { beta1, beta2, epsilon, .. }) => {
                AdamStep { learning_rate: 1e-9, beta1, beta2, epsilon, t: 1_000 }.into()
            }
            OptimizerSpec::Sgd(Sgd { momentum, .. }) => SgdStep { learning_rate: 1e-9, momentum }.into(),
            other => return Err(gannet::Error::setting("optimizer", format!("{other} has no part here"))),
        };
        self.part(KINDS[8], name, 1, 0.0, || {
            let states = first.chunks_mut(UPDATE_CHUNK).zip(second.chunks_mut(UPDATE_CHUNK));
            let values = parameters.chunks_mut(UPDATE_CHUNK).zip(gradients.chunks(UPDATE_CHUNK));
            for ((parameters, gradients), (first, second)) in values.zip(states) {
                black_box(update.apply(isa, parameters, gradients, &mut [first, second]));
            }
        });
        Ok(())
    }

    /// What it costs that the parts are phases of a team, which is alone here.
    fn phases(&mut self) {
        let in_phases = |line: &&Line| line.kind != KINDS[1] && line.kind != KINDS[3];
        let calls = self.lines.iter().filter(in_phases).map(|line| line.calls).sum();
        let team = Team::serial();
        self.part(KINDS[9], "of one empty item", calls, 0.0, || {
            team.for_each(0..black_box(1), |item| _ = black_box(item))
        });
    }
}

impl Meeting<'_> {
    /// What a line about a layer says.
    fn line(&self, layer: &LayerSpec) -> String {
        format!("{} {}x{}, {} samples", self.name, layer.outputs, layer.inputs, self.width)
    }
}

/// Times all parts of a step of the preset: the passes of its program.
fn measure(arguments: &Arguments, preset: Preset, batch: usize) -> gannet::Result<Waterfall> {
    let spec = preset.spec();
    let mut waterfall = Waterfall::new(arguments, preset, batch)?;
    let plan = waterfall.trainer.plan();
    let (width, panels) = (plan.panel_width, batch.div_ceil(plan.panel_width));
    for (turns, pass) in waterfall.trainer.passes() {
        let calls = turns as usize * panels;
        let of_rows = |network, rows| match (network, rows) {
            (Network::Generator, _) => Meeting { name: "G", network: &spec.generator, width, parts: 1, calls },
            (Network::Discriminator, Rows::Fakes | Rows::Reals | Rows::Between) => {
                let name = match rows {
                    Rows::Reals => "D, real",
                    Rows::Between => "D, between",
                    _ => "D, fake",
                };
                Meeting { name, network: &spec.discriminator, width, parts: 1, calls }
            }
            (Network::Discriminator, Rows::Pairs) => {
                let network = &spec.discriminator;
                Meeting { name: "D, real and fake", network, width: 2 * width, parts: 2, calls }
            }
        };
        match pass {
            Pass::Generate { .. } => {
                waterfall.latents(&spec, width, calls)?;
                waterfall.forward(of_rows(Network::Generator, Rows::Fakes))?;
            }
            Pass::Judge(rows) => {
                if rows == Rows::Pairs {
                    waterfall.pairs(preset, batch, width, calls)?;
                }
                waterfall.forward(of_rows(Network::Discriminator, rows))?;
            }
            Pass::Loss(Loss::Discriminator) => waterfall.losses(spec.objective, width, 2, calls)?,
            Pass::Loss(Loss::Generator) => waterfall.losses(spec.objective, width, 1, calls)?,
            Pass::Loss(Loss::Joint) => waterfall.joint_losses(width, calls)?,
            Pass::Learn { network, rows, gradients, input } => {
                let chunk_panels = (gradients != Gradients::Ignored).then_some(plan.chunk / width);
                waterfall.backward(of_rows(network, rows), input, chunk_panels)?;
            }
            Pass::Penalize { rows, .. } => {
                // Back to the input; the tangents, which cost what a forward pass does; the gradients of the weights.
                let meeting = of_rows(Network::Discriminator, rows);
                waterfall.backward(meeting, InputMode::Plain, Some(plan.chunk / width))?;
                waterfall.tangents(meeting)?;
            }
            Pass::Share(activation) => waterfall.share(activation, spec.features(), width, calls)?,
            Pass::Narrow(_) | Pass::Keep(_) => unreachable!("the presets timed here have neither conditions nor means"),
            Pass::Stage | Pass::HandOver | Pass::Publish | Pass::Answer(_) => {
                unreachable!("in a step, nothing comes from outside")
            }
        }
    }
    waterfall.update("D", &spec.discriminator, spec.discriminator_optimizer)?;
    waterfall.update("G", &spec.generator, spec.generator_optimizer)?;
    waterfall.phases();

    assert_eq!(
        waterfall.products as u64,
        plan.products_per_step,
        "{}: the parts listed here are no longer those of the step",
        preset.name()
    );
    Ok(waterfall)
}

fn main() -> gannet::Result<()> {
    let arguments = Arguments::read();
    println!("{}. One thread, native engine. Shares of a whole step in %, by kind of part:\n", header());
    let presets = PRESETS.into_iter().filter(|(preset, _)| arguments.wants(preset.name()));
    let measured = presets
        .map(|(preset, batch)| Ok((format!("{}, {batch}", preset.name()), measure(&arguments, preset, batch)?)))
        .collect::<gannet::Result<Vec<_>>>()?;
    print_summary(&measured);
    for (name, waterfall) in &measured {
        print_details(name, waterfall);
    }
    Ok(())
}

/// The shares of the kinds of parts, the presets side by side.
fn print_summary(measured: &[(String, Waterfall)]) {
    let names = measured.iter().map(|(name, _)| name.as_str());
    println!("{}", head(&["part"].into_iter().chain(names).collect::<Vec<_>>(), 1));
    let print = |name: &str, share: &dyn Fn(&Waterfall) -> f64| {
        let shares = measured.iter().map(|(_, waterfall)| format!("{:.1}", 0.0 + 100.0 * share(waterfall)));
        println!("{}", row(&std::iter::once(name.to_string()).chain(shares).collect::<Vec<_>>()));
    };
    for kind in KINDS {
        print(kind, &|waterfall| {
            let whole = waterfall.whole();
            waterfall.lines.iter().filter(|line| line.kind == kind).map(|line| line.share(whole)).sum()
        });
    }
    print(REST, &rest);
}

/// The last line of a table.
const REST: &str = "the rest: calls, caches, order of the data";

/// What no part accounts for, as a share of the whole step.
fn rest(waterfall: &Waterfall) -> f64 {
    let whole = waterfall.whole();
    1.0 - waterfall.lines.iter().map(|line| line.share(whole)).sum::<f64>()
}

/// All parts of a preset.
fn print_details(name: &str, waterfall: &Waterfall) {
    let whole = waterfall.whole();
    println!("\n{name}: a step takes {:.1} microseconds.\n", 1e6 * whole.seconds);
    println!("{}", head(&["part", "what", "calls", "microseconds", "% of the step", "% of the peak"], 2));
    for line in &waterfall.lines {
        let of_peak =
            if line.flop > 0.0 { format!("{:.0}", 100.0 * line.flop / line.of_call.capacity) } else { String::new() };
        println!(
            "{}",
            row(&[
                line.kind.to_string(),
                line.name.clone(),
                line.calls.to_string(),
                format!("{:.2}", 1e6 * line.seconds()),
                format!("{:.1}", 100.0 * line.share(whole)),
                of_peak,
            ])
        );
    }
    let rest = rest(waterfall);
    let cells = [REST, "", "", &format!("{:.2}", 1e6 * rest * whole.seconds), &format!("{:.1}", 100.0 * rest), ""];
    println!("{}", row(&cells));
}
