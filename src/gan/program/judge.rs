//! D's pass over a chunk: its input, and the logits.

use super::Rows;
use super::context::{Reals, Work, panels_of};
use crate::gan::networks::Networks;
use crate::gan::streams::Stream;
use crate::gan::workspace::Scratch;
use crate::kernel::noise;
use crate::kernel::panel::gather_rows;
use crate::kernel::penalty::interpolate;
use crate::net::panels::PassContext;
use crate::net::pass;
use crate::net::tape::Value;
use crate::network::Network;
use crate::parallel::{Chunks, Team};

impl Work<'_> {
    /// D's logits.
    pub(super) fn judge(
        &self,
        team: &Team<'_>,
        networks: &Networks,
        (rows, drops): (Rows, bool),
        (fakes, room): (Value, Option<Value>),
        trace: usize,
        scratch: &mut Scratch,
    ) {
        let Self { context, chunk } = *self;
        let panels = panels_of(chunk, rows);
        scratch.begin(Network::Discriminator, trace, panels.lanes());
        let (trace, view) = (context.program.trace(trace), networks.view(Network::Discriminator));
        let input = trace.input();
        match (rows, room) {
            (Rows::Pairs, _) => self.pair(team, fakes, input, scratch),
            (Rows::Reals, _) => self.gather(team, input, scratch),
            (Rows::Between, Some(shares)) => self.mix(team, fakes, (input, shares), scratch),
            (Rows::Fakes, _) if input != fakes => self.copy(team, fakes, input, scratch),
            (Rows::Fakes | Rows::Between, _) => {}
        }
        self.add_noise(team, rows, input, scratch);
        let pass = PassContext { team, plan: &context.plan.pass, panels };
        let tape = &mut scratch.tape;
        let part = |keeps| self.part(keeps);
        match rows {
            _ if !drops => pass::forward(&pass, view, &[], trace, tape),
            Rows::Fakes => pass::forward(&pass, view, &[part(Stream::KeepGeneratorStep)], trace, tape),
            Rows::Reals => pass::forward(&pass, view, &[part(Stream::KeepGeneratorReal)], trace, tape),
            Rows::Between => pass::forward(&pass, view, &[part(Stream::KeepBetween)], trace, tape),
            Rows::Pairs => {
                pass::forward(&pass, view, &[Stream::KeepReal, Stream::KeepFake].map(part), trace, tape);
            }
        }
    }

    /// Real samples and fakes, side by side in the same panels.
    fn pair(&self, team: &Team<'_>, fakes: Value, input: Value, scratch: &mut Scratch) {
        let chunk = self.chunk;
        let (half, panels, features) = (chunk.panels.width, panels_of(chunk, Rows::Pairs), self.features(fakes));
        let width = panels.width;
        let [fakes, input] = scratch.tape.several([(fakes, chunk.panels.lanes()), (input, panels.lanes())]);
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, features * width)), |(panel, input)| {
            self.real_samples(panel, input, width);
            let fakes = fakes[panel * features * half..].chunks_exact(half);
            for (row, fakes) in input.chunks_exact_mut(width).zip(fakes) {
                row[half..].copy_from_slice(fakes);
            }
        });
    }

    /// Real samples alone.
    fn gather(&self, team: &Team<'_>, input: Value, scratch: &mut Scratch) {
        let (panels, features) = (self.chunk.panels, self.features(input));
        let input = Chunks::new(scratch.tape.get_mut(input, panels.lanes()), features * panels.width);
        team.for_each((0..panels.count, input), |(panel, input)| self.real_samples(panel, input, panels.width));
    }

    /// Samples between real ones and fakes, a share of each drawn for every sample.
    fn mix(&self, team: &Team<'_>, fakes: Value, (input, shares): (Value, Value), scratch: &mut Scratch) {
        let Self { context, chunk } = *self;
        let (isa, panels, features) = (context.plan.pass.isa, chunk.panels, self.features(fakes));
        let (width, lanes) = (panels.width, panels.lanes());
        let given = context.draws.given.and_then(|given| given.numbers(Stream::Interpolation));
        let key = context.draws.key(Stream::Interpolation);
        let [fakes, input, shares] = scratch.tape.several([fakes, input, shares].map(|value| (value, lanes)));
        let fakes = &*fakes;
        let values = (0..panels.count, Chunks::new(input, features * width), Chunks::new(shares, width));
        team.for_each(values, |(panel, input, shares)| {
            match given {
                Some(numbers) => gather_rows(isa, numbers, 1, self.rows(panel), shares, width),
                None => noise::uniform(isa, key, chunk.first + panel * width, 0.0, 1.0, shares, width),
            }
            self.real_samples(panel, input, width);
            interpolate(isa, &fakes[panel * features * width..][..features * width], shares, input);
        });
    }

    /// Fakes, where they do not stay what they are.
    fn copy(&self, team: &Team<'_>, fakes: Value, input: Value, scratch: &mut Scratch) {
        let (panels, len) = (self.chunk.panels, self.features(fakes) * self.chunk.panels.width);
        let [fakes, input] = scratch.tape.several([fakes, input].map(|value| (value, panels.lanes())));
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, len)), |(panel, input)| {
            input.copy_from_slice(&fakes[panel * len..][..len]);
        });
    }

    /// Adds instance noise to D's input. What is added to a sample depends on the turn, the sample and its kind alone.
    fn add_noise(&self, team: &Team<'_>, rows: Rows, input: Value, scratch: &mut Scratch) {
        let Self { context, chunk } = *self;
        let (isa, deviation) = (context.plan.pass.isa, context.noise);
        if deviation == 0.0 {
            return;
        }
        let streams: &[Stream] = match rows {
            Rows::Pairs => &[Stream::NoiseReal, Stream::NoiseFake],
            Rows::Fakes => &[Stream::NoiseGeneratorStep],
            Rows::Reals => &[Stream::NoiseGeneratorReal],
            Rows::Between => &[Stream::NoiseBetween],
        };
        let (panels, part) = (panels_of(chunk, rows), chunk.panels.width);
        let (width, len) = (panels.width, self.features(input) * panels.width);
        let input = Chunks::new(scratch.tape.get_mut(input, panels.lanes()), len);
        team.for_each((0..panels.count, input), |(panel, input)| {
            for (number, stream) in streams.iter().enumerate() {
                let (key, lanes) = (context.draws.key(*stream), number * part..(number + 1) * part);
                noise::add_normal(isa, key, deviation, chunk.first + panel * part, input, width, lanes);
            }
        });
    }

    /// The real samples of a panel, in the first lanes of rows that begin `width` values apart.
    fn real_samples(&self, panel: usize, rows_of_panel: &mut [f32], width: usize) {
        let Self { context, chunk } = *self;
        let isa = context.plan.pass.isa;
        match context.reals {
            Reals::Rows(memory, rows) => {
                let first = chunk.first + panel * chunk.panels.width;
                memory.gather(isa, &rows[first..first + chunk.valid(panel)], rows_of_panel, width);
            }
            Reals::Given(rows) => {
                let features = rows_of_panel.len() / width;
                gather_rows(isa, rows, features, self.rows(panel), rows_of_panel, width);
            }
        }
    }
}
