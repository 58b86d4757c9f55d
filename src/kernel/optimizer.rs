//! Optimizer updates over a range of a parameter arena.
//!
//! A range may begin and end anywhere: no value depends on where it does.

use crate::simd::{Isa, Kernel, Simd};

/// One Adam update (Kingma and Ba, "Adam", 2015, in PyTorch's form: epsilon is added after the bias-corrected root).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// The update's number, from 1; sets the bias corrections `1 - beta^t`.
    pub t: u64,
}

/// Updates `parameters` and both moments from `gradients`. Denormal moments are flushed to zero.
///
/// Returns whether all gradients, new moments and new parameters are finite.
///
/// # Panics
///
/// If the slices differ in length.
pub fn adam(
    isa: Isa,
    step: &AdamStep,
    parameters: &mut [f32],
    gradients: &[f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
) -> bool {
    let length = parameters.len();
    assert!(
        gradients.len() == length && first_moment.len() == length && second_moment.len() == length,
        "one gradient and two moments for each parameter"
    );
    isa.run(Adam { factors: AdamFactors::new(step), parameters, gradients, first_moment, second_moment })
}

/// The scalars of a step, such that one root and one division remain for each parameter:
/// `rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) = scaled_rate m / (sqrt(v) + scaled_epsilon)`.
pub(crate) struct AdamFactors {
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    scaled_rate: f32,
    scaled_epsilon: f32,
}

impl AdamFactors {
    pub(crate) fn new(step: &AdamStep) -> Self {
        let (beta1, beta2) = (f64::from(step.beta1), f64::from(step.beta2));
        let root = (1.0 - power(beta2, step.t)).sqrt();
        Self {
            beta1: step.beta1,
            rest1: (1.0 - beta1) as f32,
            beta2: step.beta2,
            rest2: (1.0 - beta2) as f32,
            scaled_rate: (f64::from(step.learning_rate) * root / (1.0 - power(beta1, step.t))) as f32,
            scaled_epsilon: (f64::from(step.epsilon) * root) as f32,
        }
    }

    /// New parameters, first and second moments.
    #[inline(always)]
    pub(crate) fn update<S: Simd>(&self, simd: S, [p, g, m, v]: [S::F32; 4]) -> [S::F32; 3] {
        let m = simd.mul_add(simd.splat(self.rest1), g, simd.mul(simd.splat(self.beta1), m));
        let m = flush(simd, m);
        let v = simd.mul_add(simd.mul(simd.splat(self.rest2), g), g, simd.mul(simd.splat(self.beta2), v));
        let v = flush(simd, v);
        let quotient = simd.div(m, simd.add(simd.sqrt(v), simd.splat(self.scaled_epsilon)));
        [simd.neg_mul_add(simd.splat(self.scaled_rate), quotient, p), m, v]
    }
}

/// `base^exponent` by repeated squaring: the same bits on every platform, which the C library's `pow` does not promise.
fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power *= base;
        }
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

struct Adam<'a> {
    factors: AdamFactors,
    parameters: &'a mut [f32],
    gradients: &'a [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
}

impl Kernel for Adam<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let zero = simd.splat(0.0);
        let mut finite = zero;
        let mut parameters = self.parameters.chunks_exact_mut(S::LANES);
        let mut gradients = self.gradients.chunks_exact(S::LANES);
        let mut firsts = self.first_moment.chunks_exact_mut(S::LANES);
        let mut seconds = self.second_moment.chunks_exact_mut(S::LANES);
        let vectors = parameters.by_ref().zip(gradients.by_ref()).zip(firsts.by_ref().zip(seconds.by_ref()));
        for ((p, g), (m, v)) in vectors {
            let old = [simd.load(p), simd.load(g), simd.load(m), simd.load(v)];
            let [new_p, new_m, new_v] = self.factors.update(simd, old);
            simd.store(new_p, p);
            simd.store(new_m, m);
            simd.store(new_v, v);
            // 0 * x is NaN for infinities and NaN. A second moment is finite only if its gradient was.
            finite = simd.mul_add(new_p, zero, simd.mul_add(new_v, zero, finite));
        }
        let (p, g) = (parameters.into_remainder(), gradients.remainder());
        let (m, v) = (firsts.into_remainder(), seconds.into_remainder());
        let old = [simd.load_partial(p), simd.load_partial(g), simd.load_partial(m), simd.load_partial(v)];
        let [new_p, new_m, new_v] = self.factors.update(simd, old);
        simd.store_partial(new_p, p);
        simd.store_partial(new_m, m);
        simd.store_partial(new_v, v);
        // The padding does not count: with an epsilon of 0 it is 0 / 0.
        let tail_is_finite = p.iter().chain(&*v).all(|x| x.is_finite());
        simd.all(simd.equal(finite, zero)) && tail_is_finite
    }
}

/// One step of gradient descent with momentum (PyTorch's form: `velocity = momentum * velocity + gradient`, and the first
/// velocity is the gradient, which a velocity of zero gives).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub learning_rate: f32,
    /// Momentum; 0 = plain descent.
    pub momentum: f32,
}

/// Updates `parameters` (and `velocity`, which may be empty if the momentum is 0). Denormal velocities are flushed to zero.
///
/// Returns whether all gradients and new parameters are finite.
///
/// # Panics
///
/// If the slices differ in length.
pub fn sgd(isa: Isa, step: &SgdStep, parameters: &mut [f32], gradients: &[f32], velocity: &mut [f32]) -> bool {
    assert_eq!(gradients.len(), parameters.len(), "one gradient for each parameter");
    if step.momentum == 0.0 {
        isa.run(Descent { rate: step.learning_rate, parameters, gradients })
    } else {
        assert_eq!(velocity.len(), parameters.len(), "one velocity for each parameter");
        isa.run(Momentum { step: *step, parameters, gradients, velocity })
    }
}

struct Descent<'a> {
    rate: f32,
    parameters: &'a mut [f32],
    gradients: &'a [f32],
}

impl Kernel for Descent<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let (zero, rate) = (simd.splat(0.0), simd.splat(self.rate));
        let mut finite = zero;
        let mut parameters = self.parameters.chunks_exact_mut(S::LANES);
        let mut gradients = self.gradients.chunks_exact(S::LANES);
        for (p, g) in parameters.by_ref().zip(gradients.by_ref()) {
            let (new, g) = (simd.load(p), simd.load(g));
            let new = simd.neg_mul_add(rate, g, new);
            simd.store(new, p);
            finite = simd.mul_add(new, zero, simd.mul_add(g, zero, finite));
        }
        let (p, g) = (parameters.into_remainder(), gradients.remainder());
        simd.store_partial(simd.neg_mul_add(rate, simd.load_partial(g), simd.load_partial(p)), p);
        let tail_is_finite = p.iter().chain(g).all(|x| x.is_finite());
        simd.all(simd.equal(finite, zero)) && tail_is_finite
    }
}

impl SgdStep {
    /// New parameters and velocities.
    #[inline(always)]
    fn update<S: Simd>(&self, simd: S, p: S::F32, g: S::F32, velocity: S::F32) -> (S::F32, S::F32) {
        let velocity = flush(simd, simd.mul_add(simd.splat(self.momentum), velocity, g));
        (simd.neg_mul_add(simd.splat(self.learning_rate), velocity, p), velocity)
    }
}

struct Momentum<'a> {
    step: SgdStep,
    parameters: &'a mut [f32],
    gradients: &'a [f32],
    velocity: &'a mut [f32],
}

impl Kernel for Momentum<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> bool {
        let zero = simd.splat(0.0);
        let mut finite = zero;
        let mut parameters = self.parameters.chunks_exact_mut(S::LANES);
        let mut gradients = self.gradients.chunks_exact(S::LANES);
        let mut velocities = self.velocity.chunks_exact_mut(S::LANES);
        for ((p, g), velocity) in parameters.by_ref().zip(gradients.by_ref()).zip(velocities.by_ref()) {
            let (new_p, new_velocity) = self.step.update(simd, simd.load(p), simd.load(g), simd.load(velocity));
            simd.store(new_p, p);
            simd.store(new_velocity, velocity);
            // A velocity is finite only if its gradient was.
            finite = simd.mul_add(new_p, zero, simd.mul_add(new_velocity, zero, finite));
        }
        let (p, g, velocity) = (parameters.into_remainder(), gradients.remainder(), velocities.into_remainder());
        let (new_p, new_velocity) =
            self.step.update(simd, simd.load_partial(p), simd.load_partial(g), simd.load_partial(velocity));
        simd.store_partial(new_p, p);
        simd.store_partial(new_velocity, velocity);
        let tail_is_finite = p.iter().chain(&*velocity).all(|x| x.is_finite());
        simd.all(simd.equal(finite, zero)) && tail_is_finite
    }
}
