//! Rewritings of a script that save work. Each states the condition under which the result is the same.

use super::{Gradients, Loss, Pass, Rows, Script, Segment};
use crate::gan::plan::{Plan, Schedule};
use crate::gan::spec::GanSpec;
use crate::net::Normalization;
use crate::net::pass::InputMode;
use crate::network::Network;

impl Script {
    /// Fakes that still stand on the tape are not made again: fakes of the same chunk, made of the same latents by a G that was not
    /// updated since, or handed in. The bits are the same.
    pub(in crate::gan) fn with_fakes_kept(mut self, plan: &Plan) -> Self {
        keep_fakes(self.discriminator.iter_mut().chain(&mut self.generator), plan);
        self
    }

    /// The same within G's turn for a gradient from outside.
    pub(in crate::gan) fn with_answered_fakes_kept(mut self, plan: &Plan) -> Self {
        keep_fakes(self.answered.iter_mut(), plan);
        self
    }

    /// One pass of pairs through D serves both networks where they share the fakes and the D that these meet; where both losses are
    /// cross-entropies of one logit, so that a fake's gradient of G's loss is a multiple of that of D's loss, at the logit and so at the
    /// fake; where D has neither dropout nor instance noise, which would differ between the two, nor batch normalization, by which the loss
    /// of one sample moves with the others; and where no penalty joins D's loss. D's
    /// gradient with respect to a fake's logit is never less than a tiny share of its weight, so that the multiple is exact to within
    /// rounding ([`joint_bce_with_logits`](crate::kernel::loss::joint_bce_with_logits)).
    pub(in crate::gan) fn with_passes_joined(mut self, spec: &GanSpec) -> Self {
        let discriminator = &spec.discriminator;
        let joins = spec.objective.is_of_log_odds() && !discriminator.has(Normalization::Batch);
        if !joins || discriminator.drops() || self.is_noisy {
            return self;
        }
        for segment in self.discriminator.iter_mut().chain(&mut self.generator) {
            let Segment::Passes(passes) = segment else { continue };
            // What is shared has no rows of conditions.
            let wide: Vec<_> = passes.iter().copied().filter(|pass| !matches!(pass, Pass::Narrow(_))).collect();
            let made_by = passes.iter().find_map(|pass| match pass {
                Pass::Narrow(activation) | Pass::Learn { input: InputMode::Through(activation), .. } => {
                    Some(*activation)
                }
                _ => None,
            });
            let Some(activation) = made_by else { continue };
            let joined = match wide.as_slice() {
                [
                    generate @ Pass::Generate { .. },
                    Pass::Judge(Rows::Fakes),
                    Pass::Loss(Loss::Generator),
                    Pass::Learn { network: Network::Discriminator, rows: Rows::Fakes, .. },
                    of_generator @ Pass::Learn { network: Network::Generator, .. },
                    Pass::Judge(Rows::Pairs),
                    Pass::Loss(Loss::Discriminator),
                    Pass::Learn { network, rows, gradients, .. },
                ] => vec![
                    *generate,
                    Pass::Judge(Rows::Pairs),
                    Pass::Loss(Loss::Joint),
                    Pass::Learn { network: *network, rows: *rows, gradients: *gradients, input: InputMode::Plain },
                    Pass::Share(activation),
                    *of_generator,
                ],
                _ => continue,
            };
            *passes = joined;
        }
        self
    }

    /// A network is updated by the backward pass of the last chunk, operation by operation as the gradients are completed: where all
    /// gradients are summed in one place (the layer-parallel schedule, of one shard), where nothing but updates stands between that pass's
    /// segment and the update, where no later pass of the segment reads the network, where no loss follows that may stop the step, and
    /// where that pass is one of every turn. Nor where its update `stands_apart`, because it needs all gradients of the network first.
    /// The bits are the same.
    pub(in crate::gan) fn with_updates_fused(mut self, plan: &Plan, stands_apart: impl Fn(Network) -> bool) -> Self {
        if plan.schedule != Schedule::LayerParallel || plan.cut.shards() > 1 {
            return self;
        }
        for turn in [&mut self.discriminator, &mut self.generator, &mut self.answered] {
            for index in 0..turn.len() {
                let (before, after) = turn.split_at_mut(index + 1);
                let Some(Segment::Passes(passes)) = before.last_mut() else { continue };
                for network in Segment::updated(after).filter(|network| !stands_apart(*network)) {
                    let Some(last) = passes.iter().rposition(|pass| pass.reads(network)) else { continue };
                    let stops = passes[last..].iter().any(|pass| matches!(pass, Pass::Loss(_)));
                    let at_times =
                        self.interval > 1 && matches!(passes[last], Pass::Penalize { rows: Rows::Between, .. });
                    if let Pass::Learn { gradients: gradients @ Gradients::Summed, .. }
                    | Pass::Penalize { gradients: gradients @ Gradients::Summed, .. } = &mut passes[last]
                        && !stops
                        && !at_times
                    {
                        *gradients = Gradients::SummedAndUsed;
                    }
                }
            }
        }
        self
    }
}

/// Takes out of segments that follow each other the passes that would make fakes again.
fn keep_fakes<'a>(segments: impl Iterator<Item = &'a mut Segment>, plan: &Plan) {
    // What made the fakes that stand on the tape.
    let mut standing = None;
    for segment in segments {
        match segment {
            Segment::Passes(passes) => {
                // Of several chunks, the last one's fakes stand there.
                if !plan.is_one_chunk() {
                    standing = None;
                }
                passes.retain(|pass| {
                    let makes = matches!(pass, Pass::Generate { .. } | Pass::Stage);
                    let again = makes && standing == Some(*pass);
                    if makes {
                        standing = Some(*pass);
                    }
                    !again
                });
            }
            Segment::Update(Network::Generator) => standing = None,
            Segment::Average(_) | Segment::Update(Network::Discriminator) => {}
        }
    }
}

impl Pass {
    /// Whether it reads the parameters of `network`.
    fn reads(self, network: Network) -> bool {
        match self {
            Self::Generate { .. } => network == Network::Generator,
            Self::Judge(_) | Self::Penalize { .. } => network == Network::Discriminator,
            Self::Learn { network: of, .. } => network == of,
            Self::Stage
            | Self::Keep(_)
            | Self::Loss(_)
            | Self::Share(_)
            | Self::Narrow(_)
            | Self::HandOver
            | Self::Publish
            | Self::Answer(_) => false,
        }
    }
}
