//! An update of a tile of the weights whose gradient has just been written.
//!
//! The gradient is still in the first-level cache, and the tile's weights and states are fetched while it is summed
//! ([`Beside`]): the memory traffic of the update runs beside the arithmetic of the product, where a pass of its own would wait for it.
//! The product is compiled for each rule, so that the update of a tile stands within its loops: with a call for each tile, steps of wide
//! networks were some percent slower.

use super::tile::{Beside, MOST_BESIDE};
use crate::kernel::optimizer::{MOST_STATES, Rule};
use crate::simd::Simd;

/// What follows on a finished tile of the weights' gradient.
pub(super) trait TileUpdate {
    /// Whether anything does.
    const UPDATES: bool;

    /// Its operands in the tile that begins at `start` and has rows `stride` apart, to be fetched `rows` rows at a time.
    fn beside(&self, start: usize, stride: usize, rows: usize) -> Option<Beside>;

    /// Updates `rows` rows of `count` weights, the first at `start`, the rows `stride` apart, by the gradient, which is as long as the
    /// operands and laid out like them. Returns whether all is finite.
    ///
    /// # Panics
    ///
    /// If the rows reach beyond the gradient.
    fn update<S: Simd>(
        &mut self,
        simd: S,
        gradient: &[f32],
        start: usize,
        rows_and_count: [usize; 2],
        stride: usize,
    ) -> bool;
}

/// Nothing does: a gradient that is only left where it stands.
pub(super) struct Keep;

impl TileUpdate for Keep {
    const UPDATES: bool = false;

    #[inline(always)]
    fn beside(&self, _start: usize, _stride: usize, _rows: usize) -> Option<Beside> {
        None
    }

    #[inline(always)]
    fn update<S: Simd>(&mut self, _: S, _: &[f32], _: usize, _: [usize; 2], _: usize) -> bool {
        true
    }
}

/// The update of a block of weights by the rule `R`, tile after tile.
pub(super) struct Tiles<'a, R, const STATES: usize> {
    rule: R,
    parameters: &'a mut [f32],
    states: [&'a mut [f32]; STATES],
}

impl<'a, R: Rule<STATES>, const STATES: usize> Tiles<'a, R, STATES> {
    /// # Panics
    ///
    /// If the operands do not have the length of the gradient.
    pub(super) fn new(
        rule: R,
        parameters: &'a mut [f32],
        states: &'a mut [&mut [f32]; MOST_STATES],
        gradient: &[f32],
    ) -> Self {
        let Some(states) = states.first_chunk_mut::<STATES>() else {
            unreachable!("no rule has more than most states")
        };
        let states = states.each_mut().map(|state| &mut **state);
        let fit = parameters.len() == gradient.len() && states.iter().all(|state| state.len() == gradient.len());
        assert!(fit, "a gradient and the rule's states for each parameter");
        Self { rule, parameters, states }
    }
}

impl<R: Rule<STATES>, const STATES: usize> TileUpdate for Tiles<'_, R, STATES> {
    const UPDATES: bool = true;

    #[inline(always)]
    fn beside(&self, start: usize, stride: usize, rows: usize) -> Option<Beside> {
        let mut starts = [self.parameters.as_ptr(); MOST_BESIDE];
        for (address, state) in starts[1..].iter_mut().zip(&self.states) {
            *address = state.as_ptr();
        }
        Some(Beside { starts: starts.map(|address| address.wrapping_add(start)), count: 1 + STATES, row: stride, rows })
    }

    #[inline(always)]
    fn update<S: Simd>(
        &mut self,
        simd: S,
        gradient: &[f32],
        start: usize,
        [rows, count]: [usize; 2],
        stride: usize,
    ) -> bool {
        assert!(rows > 0 && start + (rows - 1) * stride + count <= gradient.len().min(self.parameters.len()));
        let Self { rule, parameters, states } = self;
        let zero = simd.splat(0.0);
        let mut finite = [zero; 2];
        let mut tails_are_finite = true;
        for row in 0..rows {
            let first = start + row * stride;
            for (vector, lane) in (0..count / S::LANES * S::LANES).step_by(S::LANES).enumerate() {
                let at = first + lane;
                // SAFETY: whole vectors of the row, which the assertion above found within the slices: all have one length (`new`).
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
