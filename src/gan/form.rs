//! Which turns a trainer can take, and the script that they need. A trainer begins with the fastest one, for whole steps alone; what
//! asks for more changes it once, for good, and changes no bit.

use super::plan::Plan;
use super::program::Script;
use super::spec::GanSpec;

/// What is asked of a trainer beyond whole steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Turns of one network alone: no turn finds what another has left.
    pub(super) alone: bool,
    /// Hooks between the gradients and the update: the update stands apart.
    pub(super) hooked: bool,
    /// Turns of G with a gradient from outside.
    pub(super) answered: bool,
}

impl Form {
    /// What either asks for.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            alone: self.alone || other.alone,
            hooked: self.hooked || other.hooked,
            answered: self.answered || other.answered,
        }
    }

    /// The script, with every rewriting that is left.
    pub(super) fn script(self, spec: &GanSpec, plan: &Plan) -> Script {
        let mut script = Script::new(spec);
        if self.answered {
            script = script.with_answered_turn(spec).with_answered_fakes_kept(plan);
        }
        if !self.alone {
            script = script.with_fakes_kept(plan);
        }
        script = script.with_passes_joined(spec);
        // The norm of gradients is known when all of them are, and so is what a normalization makes of them.
        let stands_apart = |network| spec.clip_norm(network) > 0.0 || spec.network(network).is_settled_apart();
        if self.hooked { script } else { script.with_updates_fused(plan, stands_apart) }
    }
}
