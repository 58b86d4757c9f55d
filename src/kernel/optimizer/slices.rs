//! The loop of all rules, over slices.

use super::{Rule, RuleKernel};
use crate::simd::{Isa, Kernel, Simd};

/// Parameters from which on what an update reads is fetched ahead: all of it together is too much for a level-2 cache.
const MANY: usize = 1 << 16;

/// How far ahead, in values. Within a page of memory the processor does so by itself, but it begins anew at each (docs/perf/steps.md, "Huge
/// pages, and updates behind the gradient").
const AHEAD: usize = 256;

/// What an update reads and changes.
pub(super) struct Slices<'a, 'b> {
    pub(super) isa: Isa,
    pub(super) parameters: &'a mut [f32],
    pub(super) gradients: &'a [f32],
    /// Those of the rule; what more there are is left alone.
    pub(super) states: &'a mut [&'b mut [f32]],
}

impl RuleKernel for Slices<'_, '_> {
    type Output = bool;

    fn run<R: Rule<STATES>, const STATES: usize>(self, rule: R) -> bool {
        let Self { isa, parameters, gradients, states } = self;
        let len = parameters.len();
        let states = states.first_chunk_mut::<STATES>().filter(|states| states.iter().all(|state| state.len() == len));
        let Some(states) = states.filter(|_| gradients.len() == len) else {
            panic!("a gradient and the rule's states for each parameter")
        };
        let states = states.each_mut().map(|state| &mut **state);
        isa.run(RuleSlices { rule, parameters, gradients, states })
    }
}

/// The same by the rule `R`, all of one length.
struct RuleSlices<'a, R, const STATES: usize> {
    rule: R,
    parameters: &'a mut [f32],
    gradients: &'a [f32],
    states: [&'a mut [f32]; STATES],
}

impl<R: Rule<STATES>, const STATES: usize> Kernel for RuleSlices<'_, R, STATES> {
    /// Whether all new parameters and last states are finite.
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let Self { rule, parameters, gradients, states } = self;
        // All of one length, so that one comparison a vector holds for all of them.
        let len = parameters.len();
        let (gradients, mut states) = (&gradients[..len], states.map(|state| &mut state[..len]));
        let zero = simd.splat(0.0);
        let mut finite = zero;
        let mut at = 0_usize;
        while let Some(end) = at.checked_add(S::LANES).filter(|end| *end <= len) {
            if len >= MANY {
                simd.prefetch(parameters.as_ptr().wrapping_add(at + AHEAD));
                simd.prefetch(gradients.as_ptr().wrapping_add(at + AHEAD));
                for state in &states {
                    simd.prefetch(state.as_ptr().wrapping_add(at + AHEAD));
                }
            }
            let mut values = [zero; STATES];
            for (value, state) in values.iter_mut().zip(&states) {
                *value = simd.load(&state[at..end]);
            }
            let gradient = simd.load(&gradients[at..end]);
            let (new, values) = rule.update(simd, simd.load(&parameters[at..end]), gradient, values);
            simd.store(new, &mut parameters[at..end]);
            for (value, state) in values.iter().zip(&mut states) {
                simd.store(*value, &mut state[at..end]);
            }
            // 0 * x is NaN for infinities and NaN.
            let last = values.last().copied().unwrap_or(gradient);
            finite = simd.mul_add(new, zero, simd.mul_add(last, zero, finite));
            at = end;
        }
        let whole_is_finite = simd.all(simd.equal(finite, zero));
        // Arenas are made of whole cache lines: they have no tail.
        if at == len {
            return whole_is_finite;
        }
        let (parameters, gradients) = (&mut parameters[at..], &gradients[at..]);
        let mut values = [zero; STATES];
        for (value, state) in values.iter_mut().zip(&states) {
            *value = simd.load_partial(&state[at..]);
        }
        let (new, values) = rule.update(simd, simd.load_partial(parameters), simd.load_partial(gradients), values);
        simd.store_partial(new, parameters);
        for (value, state) in values.iter().zip(&mut states) {
            simd.store_partial(*value, &mut state[at..]);
        }
        // The padding does not count: with an epsilon of 0 it is 0 / 0 in Adam.
        let last = states.last().map_or(gradients, |last| &last[at..]);
        whole_is_finite && parameters.iter().chain(last).all(|value| value.is_finite())
    }
}
