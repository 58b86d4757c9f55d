//! An update of a tile of the weights whose gradient has just been written.
//!
//! The gradient is still in the first-level cache, and the tile's weights and states are fetched while it is summed
//! ([`Beside`]): the memory traffic of the update runs beside the arithmetic of the product, where a pass of its own would wait for it.
//! Each rule's update of a tile stands within the product's loops, and the rule is looked up at each tile. With a call for each tile, steps
//! of wide networks were some percent slower; with a product for each rule, the engine took a fifth longer to compile (docs/perf/build.md).

use super::tile::{Beside, MOST_BESIDE};
use crate::gemm::WeightUpdate;
use crate::kernel::optimizer::{Rule, RuleKernel};
use crate::simd::Simd;

/// The update of a block of weights, tile after tile.
pub(super) struct Tiles<'a> {
    weights: WeightUpdate<'a>,
    /// States that the rule has.
    states: usize,
}

impl<'a> Tiles<'a> {
    /// # Panics
    ///
    /// If the operands do not have the length of the gradient.
    pub(super) fn new(weights: WeightUpdate<'a>, gradient: &[f32]) -> Self {
        let states = weights.update.state_names().len();
        let mut operands = weights.states[..states].iter().map(|state| state.len()).chain([weights.parameters.len()]);
        assert!(operands.all(|len| len == gradient.len()), "a gradient and the rule's states for each parameter");
        Self { weights, states }
    }

    /// The operands in the tile that begins at `start` and has rows `stride` apart, to be fetched `rows` rows at a time.
    #[inline(always)]
    pub(super) fn beside(&self, start: usize, stride: usize, rows: usize) -> Beside {
        let mut starts = [self.weights.parameters.as_ptr(); MOST_BESIDE];
        for (address, state) in starts[1..].iter_mut().zip(&self.weights.states) {
            *address = state.as_ptr();
        }
        let starts = starts.map(|address| address.wrapping_add(start));
        Beside { starts, count: 1 + self.states, row: stride, rows }
    }

    /// Updates `rows` rows of `count` weights, the first at `start`, the rows `stride` apart, by the gradient, which is laid out like the
    /// operands. Returns whether all is finite.
    ///
    /// # Panics
    ///
    /// If the rows reach beyond the gradient.
    #[inline(always)]
    pub(super) fn update<S: Simd>(
        &mut self,
        simd: S,
        gradient: &[f32],
        start: usize,
        [rows, count]: [usize; 2],
        stride: usize,
    ) -> bool {
        assert!(rows > 0 && start + (rows - 1) * stride + count <= gradient.len().min(self.weights.parameters.len()));
        let update = self.weights.update;
        update.run(Tile { simd, weights: &mut self.weights, gradient, start, rows, count, stride })
    }
}

/// A tile of weights, as [`Tiles::update`] has checked it.
struct Tile<'t, 'a, S> {
    simd: S,
    weights: &'t mut WeightUpdate<'a>,
    gradient: &'t [f32],
    start: usize,
    rows: usize,
    count: usize,
    stride: usize,
}

impl<S: Simd> RuleKernel for Tile<'_, '_, S> {
    /// Whether all is finite.
    type Output = bool;

    #[inline(always)]
    fn run<R: Rule<STATES>, const STATES: usize>(self, rule: R) -> bool {
        let Self { simd, weights: WeightUpdate { parameters, states, .. }, gradient, start, rows, count, stride } =
            self;
        let Some(states) = states.first_chunk_mut::<STATES>() else {
            unreachable!("no rule has more than most states")
        };
        let zero = simd.splat(0.0);
        let mut finite = [zero; 2];
        let mut tails_are_finite = true;
        for row in 0..rows {
            let first = start + row * stride;
            for (vector, lane) in (0..count / S::LANES * S::LANES).step_by(S::LANES).enumerate() {
                let at = first + lane;
                // SAFETY: whole vectors of the row, which `Tiles::update`, the only maker of a tile, found within the gradient and the
                // parameters. `Tiles::new` found this rule's states as long as the parameters.
                unsafe {
                    let parameter = parameters.as_mut_ptr().add(at);
                    let gradient = simd.load_pointer(gradient.as_ptr().add(at));
                    let mut values = [zero; STATES];
                    for (value, state) in values.iter_mut().zip(&*states) {
                        *value = simd.load_pointer(state.as_ptr().add(at));
                    }
                    let (new, values) = rule.update(simd, simd.load_pointer(parameter), gradient, values);
                    simd.store_pointer(new, parameter);
                    for (value, state) in values.iter().zip(&mut *states) {
                        simd.store_pointer(*value, state.as_mut_ptr().add(at));
                    }
                    // 0 * x is NaN for infinities and NaN.
                    let last = values.last().copied().unwrap_or(gradient);
                    let finite = &mut finite[vector % 2];
                    *finite = simd.mul_add(new, zero, simd.mul_add(last, zero, *finite));
                }
            }
            if !count.is_multiple_of(S::LANES) {
                let tail = first + count / S::LANES * S::LANES..first + count;
                let (parameters, gradient) = (&mut parameters[tail.clone()], &gradient[tail.clone()]);
                let mut values = [zero; STATES];
                for (value, state) in values.iter_mut().zip(&*states) {
                    *value = simd.load_partial(&state[tail.clone()]);
                }
                let (new, values) =
                    rule.update(simd, simd.load_partial(parameters), simd.load_partial(gradient), values);
                simd.store_partial(new, parameters);
                for (value, state) in values.iter().zip(&mut *states) {
                    simd.store_partial(*value, &mut state[tail.clone()]);
                }
                // The padding does not count: a rule may divide zero by zero there.
                let last = states.last().map_or(gradient, |last| &last[tail]);
                tails_are_finite &= parameters.iter().chain(last).all(|value| value.is_finite());
            }
        }
        let finite = simd.add(finite[0], finite[1]);
        tails_are_finite && simd.all(simd.equal(finite, zero))
    }
}
