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
        let (width, rows, of_sample) = (panels.width, self.features(input), self.of_sample());
        let [fakes, input] = scratch.tape.several([(fakes, self.generated().lanes()), (input, panels.lanes())]);
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, rows * width)), |(panel, input)| {
            self.real_samples(panel, input, width);
            for (place, input) in input.chunks_exact_mut(of_sample * width).enumerate() {
                let (input, conditions) = input.split_at_mut(features * width);
                let fakes = fakes[(place * panels.count + panel) * features * half..].chunks_exact(half);
                for (row, fakes) in input.chunks_exact_mut(width).zip(fakes) {
                    row[half..].copy_from_slice(fakes);
                }
                // The fakes have those of the real samples beside them.
                for row in conditions.chunks_exact_mut(width) {
                    row.copy_within(..half, half);
                }
            }
        });
    }

    /// Fakes where they do not stay what they are, and their conditions.
    fn widen(&self, team: &Team<'_>, fakes: Value, input: Value, scratch: &mut Scratch) {
        let panels = self.chunk.panels;
        let [of_fakes, of_input] = [fakes, input].map(|value| self.features(value) * panels.width);
        let of_sample = self.of_sample() * panels.width;
        let [fakes, input] = scratch.tape.several([(fakes, self.generated().lanes()), (input, panels.lanes())]);
        let fakes = &*fakes;
        team.for_each((0..panels.count, Chunks::new(input, of_input)), |(panel, input)| {
            for (place, input) in input.chunks_exact_mut(of_sample).enumerate() {
                let number = place * panels.count + panel;
                let (features, conditions) = input.split_at_mut(of_fakes);
                features.copy_from_slice(&fakes[number * of_fakes..][..of_fakes]);
                self.conditions(number, conditions);
            }
        });
    }

    /// Real samples alone.
    fn gather(&self, team: &Team<'_>, input: Value, scratch: &mut Scratch) {
        let (panels, features) = (self.chunk.panels, self.features(input));
        let input = Chunks::new(scratch.tape.get_mut(input, panels.lanes()), features * panels.width);
        team.for_each((0..panels.count, input), |(panel, input)| self.real_samples(panel, input, panels.width));
    }

    /// Samples between real ones and fakes, a share of each drawn for every sample, or for every pack.
    fn mix(&self, team: &Team<'_>, fakes: Value, (input, shares): (Value, Value), scratch: &mut Scratch) {
        let Self { context, chunk } = *self;
        let (isa, panels, features) = (context.plan.pass.isa, chunk.panels, self.features(fakes));
        let (width, lanes, rows) = (panels.width, panels.lanes(), self.features(input));
        let (of_sample, of_fakes) = (self.of_sample() * width, features * width);
        let given = context.draws.given.and_then(|given| given.numbers(Stream::Interpolation));
        let key = context.draws.key(Stream::Interpolation);
        let values = [(fakes, self.generated().lanes()), (input, lanes), (shares, lanes)];
        let [fakes, input, shares] = scratch.tape.several(values);
        let fakes = &*fakes;
        let values = (0..panels.count, Chunks::new(input, rows * width), Chunks::new(shares, width));
        team.for_each(values, |(panel, input, shares)| {
            match given {
                Some(numbers) => gather_rows(isa, numbers, 1, self.rows(panel), shares, width),
                None => noise::uniform(isa, key, chunk.first + panel * width, 0.0, 1.0, shares, width),
            }
            self.real_samples(panel, input, width);
            for (place, input) in input.chunks_exact_mut(of_sample).enumerate() {
                let fakes = &fakes[(place * panels.count + panel) * of_fakes..][..of_fakes];
                interpolate(isa, fakes, shares, &mut input[..of_fakes]);
            }
        });
    }

    /// The conditions of the samples of panel `panel` of G, a row each.
    pub(super) fn conditions(&self, panel: usize, conditions: &mut [f32]) {
        let context = self.context;
        let (isa, width) = (context.plan.pass.isa, self.chunk.panels.width);
        if conditions.is_empty() {
            return;
        }
        let numbers = self.rows(panel);
        match context.reals {
            Reals::Rows(memory, rows) => {
                memory.gather_last(isa, &rows[self.first_sample(panel)..][..numbers.len()], conditions, width);
            }
            Reals::Given(rows) => {
                let columns = Columns::last(context.program.conditions, rows.len() / context.identity.len());
                gather_columns(isa, rows, columns, numbers, conditions, width);
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
        let (of_sample, conditions) = (self.of_sample() * width, context.program.conditions * width);
        let input = Chunks::new(scratch.tape.get_mut(input, panels.lanes()), len);
        team.for_each((0..panels.count, input), |(panel, input)| {
            for (place, input) in input.chunks_exact_mut(of_sample).enumerate() {
                let first = self.first_sample(place * panels.count + panel);
                let input = &mut input[..of_sample - conditions];
                for (number, stream) in streams.iter().enumerate() {
                    let (key, lanes) = (context.draws.key(*stream), number * part..(number + 1) * part);
                    noise::add_normal(isa, key, deviation, first, input, width, lanes);
                }
            }
        });
    }

    /// Rows of a sample in D's input, its conditions among them.
    fn of_sample(&self) -> usize {
        self.context.program.of_sample
    }

    /// The real samples of a panel, in the first lanes of rows that begin `width` values apart.
    fn real_samples(&self, panel: usize, rows_of_panel: &mut [f32], width: usize) {
        let Self { context, chunk } = *self;
        let (isa, of_sample) = (context.plan.pass.isa, self.of_sample());
        for (place, values) in rows_of_panel.chunks_exact_mut(of_sample * width).enumerate() {
            let number = place * chunk.panels.count + panel;
            match context.reals {
                Reals::Rows(memory, rows) => {
                    let rows = &rows[self.first_sample(number)..][..chunk.valid(panel)];
                    memory.gather(isa, rows, values, width);
                }
                Reals::Given(rows) => gather_rows(isa, rows, of_sample, self.rows(number), values, width),
            }
        }
    }
}
