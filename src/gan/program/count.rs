//! What a script costs, counted from what it says.

use super::{Gradients, Pass, Rows, Script, Segment};
use crate::gan::plan::Plan;
use crate::gan::spec::GanSpec;
use crate::net::NetworkSpec;
use crate::net::double_backward;
use crate::net::panels::PassPlan;
use crate::net::pass::{self, InputMode};
use crate::network::Network;

impl Script {
    /// All passes of a step, each with how often it comes.
    pub(in crate::gan) fn passes(&self) -> impl Iterator<Item = (u64, Pass)> {
        let turns = [(self.discriminator_turns as u64, &self.discriminator), (1, &self.generator)];
        turns.into_iter().flat_map(|(turns, segments)| {
            let passes = segments.iter().filter_map(|segment| match segment {
                Segment::Passes(passes) => Some(passes),
                Segment::Average(_) | Segment::Update(_) => None,
            });
            passes.flatten().map(move |pass| (turns, *pass))
        })
    }

    /// Matrix products of a step of these networks in which penalties are due; `generator` is `None` where the fakes come from outside. A
    /// weight gradient is one for each panel.
    pub(in crate::gan) fn products(
        &self,
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
        plan: &Plan,
    ) -> u64 {
        let of_pass = |pass: Pass| {
            let panels = plan.cut.own_places().flat_map(|place| plan.chunks(plan.cut.slot(place))).map(|chunk| {
                if pass.is_of_generator() { plan.packing * chunk.panels.count } else { chunk.panels.count }
            });
            panels.map(|panels| pass.products(&plan.pass, generator, discriminator, panels)).sum::<u64>()
        };
        self.passes().map(|(turns, pass)| turns * of_pass(pass)).sum()
    }

    /// Floating-point operations of a step for each sample of the batch: the mean of steps with penalties and without. They saturate for
    /// networks beyond what any machine holds.
    pub(in crate::gan) fn flop_per_sample(&self, generator: &NetworkSpec, discriminator: &NetworkSpec) -> u64 {
        let of_pass = |(turns, pass): (u64, Pass)| {
            let flop = |pass: Pass| pass.flop_per_sample(generator, discriminator);
            let between =
                |due: u64, else_: u64| due.saturating_add(else_.saturating_mul(self.interval - 1)) / self.interval;
            let flop = match pass {
                Pass::Judge(Rows::Between) | Pass::Penalize { rows: Rows::Between, .. } => between(flop(pass), 0),
                Pass::Penalize { rows, gradients } => between(flop(pass), flop(Pass::learn(rows, gradients))),
                _ => flop(pass),
            };
            // D judges a pack at once.
            let times = if pass.is_of_generator() { self.packing as u64 } else { 1 };
            flop.saturating_mul(turns).saturating_mul(times)
        };
        self.passes().map(of_pass).fold(0, u64::saturating_add) / self.packing as u64
    }
}

impl GanSpec {
    /// Floating-point operations of one step, per sample of the batch, with M the weights of a network and M' those beyond its
    /// first layer: `12 M_D + 4 M_D' + 6 M_G + 2 M_G'` with one step of D per step of G.
    ///
    /// D's step costs `4 M_D` forward on real and fake, as much for the weight gradients, `4 M_D'` for the deltas between
    /// layers, and `2 M_G` for the fakes. G's costs `2 M_G` and `2 M_D` forward, `2 M_D` back through D to the fakes, and
    /// `2 M_G + 2 M_G'` back through G. A relativistic objective adds a pass of D over real samples, that of averages passes of D and G
    /// over all, penalties what `docs/penalties.md` says. This is the nominal work: what a step saves where both updates share passes is
    /// not subtracted, and D's work for a pack is shared by its samples. It saturates for networks beyond what any machine holds.
    pub fn flop_per_sample(&self) -> u64 {
        Script::new(self).flop_per_sample(&self.generator, &self.discriminator)
    }
}

impl Pass {
    /// What takes the place of [`Pass::Penalize`] in a turn without penalties.
    fn learn(rows: Rows, gradients: Gradients) -> Self {
        Self::Learn { network: Network::Discriminator, rows, gradients, input: InputMode::Skip }
    }

    /// Whether it takes samples through G.
    fn is_of_generator(self) -> bool {
        matches!(self, Self::Generate { .. } | Self::Learn { network: Network::Generator, .. })
    }

    /// Products over a chunk of `panels` panels.
    fn products(
        self,
        plan: &PassPlan,
        generator: Option<&NetworkSpec>,
        discriminator: &NetworkSpec,
        panels: usize,
    ) -> u64 {
        let of = |network| match network {
            Network::Generator => generator,
            Network::Discriminator => Some(discriminator),
        };
        match self {
            Self::Generate { .. } => {
                of(Network::Generator).map_or(0, |spec| pass::forward_products(plan, spec, panels))
            }
            Self::Judge(_) => pass::forward_products(plan, discriminator, panels),
            Self::Learn { network, gradients, input, .. } => of(network)
                .map_or(0, |spec| pass::backward_products(plan, spec, panels, gradients != Gradients::Ignored, input)),
            Self::Penalize { .. } => double_backward::products(plan, discriminator, panels),
            Self::Stage
            | Self::Keep(_)
            | Self::Loss(_)
            | Self::Share(_)
            | Self::Narrow(_)
            | Self::HandOver
            | Self::Publish
            | Self::Answer(_) => 0,
        }
    }

    /// Floating-point operations of the products for a sample: a multiplication and an addition for each weight, of pairs twice. The
    /// gradients that flow down to the first layer meet only the weights beyond it.
    fn flop_per_sample(self, generator: &NetworkSpec, discriminator: &NetworkSpec) -> u64 {
        let of = |network| match network {
            Network::Generator => generator,
            Network::Discriminator => discriminator,
        };
        let flop = |factor: u64, weights: usize| factor.saturating_mul(weights as u64);
        match self {
            Self::Generate { .. } => flop(2, of(Network::Generator).weights()),
            Self::Judge(rows) => flop(2 * rows.parts() as u64, discriminator.weights()),
            Self::Learn { network, rows, gradients, input } => {
                let factor = 2 * rows.parts() as u64;
                let spec = of(network);
                let down = if input == InputMode::Skip { spec.weights_beyond_first() } else { spec.weights() };
                let of_weights = if gradients == Gradients::Ignored { 0 } else { flop(factor, spec.weights()) };
                flop(factor, down).saturating_add(of_weights)
            }
            Self::Penalize { rows, .. } => {
                double_backward::flop_per_sample(discriminator).saturating_mul(rows.parts() as u64)
            }
            Self::Stage
            | Self::Keep(_)
            | Self::Loss(_)
            | Self::Share(_)
            | Self::Narrow(_)
            | Self::HandOver
            | Self::Publish
            | Self::Answer(_) => 0,
        }
    }
}

impl Rows {
    /// Parts of a panel.
    pub(super) fn parts(self) -> usize {
        match self {
            Self::Pairs => 2,
            Self::Fakes | Self::Reals | Self::Between => 1,
        }
    }
}
