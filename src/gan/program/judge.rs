//! D's pass over a chunk: its input, and the logits.

use super::Rows;
use super::context::{Reals, Work, panels_of};
use crate::gan::networks::Networks;
use crate::gan::streams::Stream;
use crate::gan::workspace::Scratch;
use crate::kernel::noise;
use crate::kernel::panel::{Columns, gather_columns, gather_rows};
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
            (Rows::Fakes, _) if input != fakes => self.widen(team, fakes, input, scratch),
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
        let (width, rows) = (panels.width, self.features(input));
        let [fakes, input] = scratch.tape.several([(fakes, chunk.panels.lanes()), (input, panels.lanes())]);
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, rows * width)), |(panel, input)| {
            self.real_samples(panel, input, width);
            let (input, conditions) = input.split_at_mut(features * width);
            let fakes = fakes[panel * features * half..].chunks_exact(half);
            for (row, fakes) in input.chunks_exact_mut(width).zip(fakes) {
                row[half..].copy_from_slice(fakes);
            }
            // The fakes have those of the real samples beside them.
            for row in conditions.chunks_exact_mut(width) {
                row.copy_within(..half, half);
            }
        });
    }

    /// Fakes where they do not stay what they are, and their conditions.
    fn widen(&self, team: &Team<'_>, fakes: Value, input: Value, scratch: &mut Scratch) {
        let panels = self.chunk.panels;
        let [of_fakes, of_input] = [fakes, input].map(|value| self.features(value) * panels.width);
        let [fakes, input] = scratch.tape.several([fakes, input].map(|value| (value, panels.lanes())));
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, of_input)), |(panel, input)| {
            let (features, conditions) = input.split_at_mut(of_fakes);
            features.copy_from_slice(&fakes[panel * of_fakes..][..of_fakes]);
            self.conditions(panel, conditions);
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
        let (width, lanes, rows) = (panels.width, panels.lanes(), self.features(input));
        let given = context.draws.given.and_then(|given| given.numbers(Stream::Interpolation));
        let key = context.draws.key(Stream::Interpolation);
        let [fakes, input, shares] = scratch.tape.several([fakes, input, shares].map(|value| (value, lanes)));
        let fakes = &*fakes;
        let values = (0..panels.count, Chunks::new(input, rows * width), Chunks::new(shares, width));
        team.for_each(values, |(panel, input, shares)| {
            match given {
                Some(numbers) => gather_rows(isa, numbers, 1, self.rows(panel), shares, width),
                None => noise::uniform(isa, key, chunk.first + panel * width, 0.0, 1.0, shares, width),
            }
            self.real_samples(panel, input, width);
            let input = &mut input[..features * width];
            interpolate(isa, &fakes[panel * features * width..][..features * width], shares, input);
        });
    }

    /// The conditions of a panel's samples, a row each.
    pub(super) fn conditions(&self, panel: usize, conditions: &mut [f32]) {
        let Self { context, chunk } = *self;
        let (isa, width) = (context.plan.pass.isa, chunk.panels.width);
        if conditions.is_empty() {
            return;
        }
        match context.reals {
            Reals::Rows(memory, rows) => {
                let first = chunk.first + panel * width;
                memory.gather_last(isa, &rows[first..first + chunk.valid(panel)], conditions, width);
            }
            Reals::Given(rows) => {
                let columns = Columns::last(context.program.conditions, rows.len() / context.identity.len());
                gather_columns(isa, rows, columns, self.rows(panel), conditions, width);
            }
        }
    }

    /// Adds instance noise to D's input, but for the conditions. What is added to a sample depends on the turn, the sample and its kind
    /// alone.
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
        let noisy = len - context.program.conditions * width;
        team.for_each((0..panels.count, input), |(panel, input)| {
            let input = &mut input[..noisy];
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
