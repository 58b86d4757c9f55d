//! Optimizers: rules that update parameters from gradients, over a range of a parameter arena.
//!
//! A `Rule` is a number of states for each parameter and one vector function; it is a file of its own and a line of the
//! table below. Everything else is written once for all rules: the loop over slices (`slices`) with its tail and the check that all
//! is finite. An [`Update`] is one update by some rule, whose numbers are worked out: whoever passes it on knows no rule. A kernel that
//! updates within its own loops is compiled for each rule (`RuleKernel`), and still names none.
//!
//! A range may begin and end anywhere: no value depends on where it does.

mod adam;
mod adamw;
mod descent;
mod rmsprop;
mod slices;
mod weight_clip;

pub use adam::AdamStep;
pub use adamw::AdamWStep;
pub use descent::SgdStep;
pub use rmsprop::RmsPropStep;
pub use weight_clip::clip_parameters;

use crate::simd::{Isa, Simd};
use slices::Slices;

/// How parameters follow from gradients, with `STATES` values kept for each parameter, which are zero before the first update.
pub(crate) trait Rule<const STATES: usize>: Copy {
    /// What files call the states: the names of PyTorch's optimizers.
    const STATES: [&'static str; STATES];

    /// The new parameters and states. A state that comes close to zero is flushed to it ([`flush`]). The last state (of a rule without
    /// states: the new parameter) is finite only if the gradient was, whatever the learning rate.
    fn update<S: Simd>(
        &self,
        simd: S,
        parameter: S::F32,
        gradient: S::F32,
        states: [S::F32; STATES],
    ) -> (S::F32, [S::F32; STATES]);
}

/// Code that is compiled for each rule. Where it handles vectors it is `#[inline(always)]`, like a `Kernel`.
pub(crate) trait RuleKernel {
    type Output;

    /// Runs it with a rule.
    fn run<R: Rule<STATES>, const STATES: usize>(self, rule: R) -> Self::Output;
}

/// The table of rules: the type of each, and its number of states.
macro_rules! rules {
    ($($name:ident: $rule:ty, $states:literal;)*) => {
        /// A rule and its numbers for one update.
        #[derive(Clone, Copy, Debug)]
        enum Numbers {
            $($name($rule),)*
        }

        $(impl From<$rule> for Update {
            fn from(rule: $rule) -> Self {
                Self(Numbers::$name(rule))
            }
        })*

        /// Most states of a rule.
        pub const MOST_STATES: usize = {
            let (counts, mut most, mut index) = ([$($states),*], 0, 0);
            while index < counts.len() {
                if counts[index] > most {
                    most = counts[index];
                }
                index += 1;
            }
            most
        };

        /// The names of each rule's states.
        const STATE_NAMES: &[&[&str]] = &[$(&<$rule as Rule<$states>>::STATES),*];

        impl Update {
            /// The names of the states, each of which has an arena.
            pub fn state_names(&self) -> &'static [&'static str] {
                match self.0 {
                    $(Numbers::$name(_) => &<$rule as Rule<$states>>::STATES,)*
                }
            }

            /// Runs `kernel` with the rule: the one place where it is asked which one it is.
            #[inline(always)]
            pub(crate) fn run<K: RuleKernel>(&self, kernel: K) -> K::Output {
                match self.0 {
                    $(Numbers::$name(rule) => kernel.run::<$rule, $states>(rule),)*
                }
            }
        }
    };
}

rules! {
    Descent: descent::Descent, 0;
    Momentum: descent::Momentum, 1;
    Adam: adam::Adam, 2;
    AdamW: adamw::AdamW, 2;
    RmsProp: rmsprop::RmsProp, 1;
}

/// The names of all rules' states, each once: rules that keep the same call it the same.
pub(crate) fn state_names() -> impl Iterator<Item = &'static str> {
    let all = || STATE_NAMES.iter().copied().flatten().copied();
    all().enumerate().filter(move |(index, name)| all().take(*index).all(|other| other != *name)).map(|(_, name)| name)
}

/// One update by some rule.
#[derive(Clone, Copy, Debug)]
pub struct Update(Numbers);

/// The arenas of a rule's states, in the order of their names; those beyond its number are empty.
pub type States<'a> = [&'a mut [f32]; MOST_STATES];

/// What a rule changes, arenas of one layout: the parameters, then its [`States`].
pub(crate) type Arenas<'a> = [&'a mut [f32]; 1 + MOST_STATES];

impl Update {
    /// Updates `parameters` and `states` from `gradients`.
    ///
    /// Returns whether all gradients, new states and new parameters are finite.
    ///
    /// # Panics
    ///
    /// If there are fewer `states` than the rule has, or the slices differ in length.
    pub fn apply(&self, isa: Isa, parameters: &mut [f32], gradients: &[f32], states: &mut [&mut [f32]]) -> bool {
        self.run(Slices { isa, parameters, gradients, states })
    }
}

/// `base^exponent` by repeated squaring: the same bits on every platform, which the C library's `pow` does not promise.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        // Looked up: a processor that had to guess the bits of a step's number would often guess wrong.
        power *= [1.0, base][(exponent % 2) as usize];
        base *= base;
        exponent /= 2;
    }
    power
}

/// Denormal numbers become 0: arithmetic on them is slow on some processors, and they carry nothing here. NaN passes.
#[inline(always)]
fn flush<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    simd.select(simd.less(simd.abs(x), simd.splat(f32::MIN_POSITIVE)), simd.splat(0.0), x)
}

/// An update by each rule of the table.
#[cfg(test)]
pub(crate) fn examples() -> [Update; STATE_NAMES.len()] {
    let adam = AdamStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, t: 3 };
    let descent = |momentum| SgdStep { learning_rate: 0.1, momentum };
    let adamw = AdamWStep { adam, weight_decay: 0.5 };
    let rmsprop = RmsPropStep { learning_rate: 0.1, alpha: 0.9, epsilon: 1e-8 };
    [descent(0.0).into(), descent(0.9).into(), adam.into(), adamw.into(), rmsprop.into()]
}
