//! What becomes of a tile's sums before they leave the registers, or of a block of them after its last terms: bias and activation of the
//! forward product, the derivative of the input gradient.
//!
//! Activations that are linear on either side of zero, and their derivatives, are one formula of two constants. The others (tanh,
//! sigmoid) cost so much more than a pass over the cache that they have one of their own, and so has dropout, whose random
//! numbers run down the features of a lane and do not stop where a tile does.

use crate::gemm::Derivative;
use crate::kernel::activation::Activation;
use crate::simd::Simd;

/// A function of each sum.
pub(super) trait Epilogue: Copy {
    /// Whether it is made for a panel of `rows` rows of `width` lanes.
    fn covers(&self, rows: usize, width: usize) -> bool;

    /// The result for the vector of sums of row `row` at lane `lane`.
    ///
    /// # Safety
    ///
    /// The vector lies within a panel that the epilogue [`covers`](Self::covers).
    unsafe fn finish<S: Simd>(&self, simd: S, sum: S::F32, row: usize, lane: usize) -> S::F32;
}

/// The sums themselves.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Epilogue for Plain {
    fn covers(&self, _rows: usize, _width: usize) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, _simd: S, sum: S::F32, _row: usize, _lane: usize) -> S::F32 {
        sum
    }
}

/// An activation that is linear on either side of zero: the identity above, `slope * x` below.
#[derive(Clone, Copy)]
pub(super) struct Piecewise {
    slope: f32,
    /// What the negative side does not go below: finite where the slope is 0, so that `0 * -inf` stays 0.
    floor: f32,
}

impl Piecewise {
    /// `None` for the other activations.
    pub(super) fn new(activation: Activation) -> Option<Self> {
        match activation {
            Activation::Linear => Some(Self { slope: 1.0, floor: f32::NEG_INFINITY }),
            Activation::Relu => Some(Self { slope: 0.0, floor: f32::MIN }),
            Activation::LeakyRelu { slope } => Some(Self { slope, floor: f32::NEG_INFINITY }),
            Activation::Tanh | Activation::Sigmoid => None,
        }
    }

    /// The output. NaN passes both the maximum (its second operand) and the multiplication.
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        let zero = simd.splat(0.0);
        let below = simd.mul_add(simd.max(simd.splat(self.floor), x), simd.splat(self.slope), zero);
        simd.select(simd.less(zero, x), x, below)
    }
}

/// `activation(sum + bias)`
#[derive(Clone, Copy)]
pub(super) struct Forward<'a> {
    pub(super) activation: Piecewise,
    /// One for each row.
    pub(super) bias: &'a [f32],
}

impl Epilogue for Forward<'_> {
    fn covers(&self, rows: usize, _width: usize) -> bool {
        rows <= self.bias.len()
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, sum: S::F32, row: usize, _lane: usize) -> S::F32 {
        // SAFETY: there is a bias for each row of a panel that `covers` accepted.
        let bias = simd.splat(unsafe { *self.bias.get_unchecked(row) });
        self.activation.value(simd, simd.add(sum, bias))
    }
}

/// `sum * derivative`, the derivative taken from the outputs of the layer below.
#[derive(Clone, Copy)]
pub(super) struct Backward<'a> {
    /// `[rows, width]`
    values: &'a [f32],
    width: usize,
    /// The derivative above zero, and elsewhere.
    above: f32,
    below: f32,
}

impl<'a> Backward<'a> {
    /// For a layer below with this activation.
    pub(super) fn new(activation: Piecewise, derivative: &Derivative<'a>, width: usize) -> Self {
        let above = 1.0 / (1.0 - derivative.dropout);
        Self { values: derivative.values, width, above, below: activation.slope * above }
    }

    /// The outputs, and the derivative there; NaN where the output is NaN.
    #[inline(always)]
    unsafe fn factor<S: Simd>(&self, simd: S, row: usize, lane: usize) -> (S::F32, S::F32) {
        // SAFETY: the vector lies within a panel that `covers` accepted, and so within the values.
        let y = unsafe { simd.load_pointer(self.values.as_ptr().add(row * self.width + lane)) };
        let zero = simd.splat(0.0);
        let not_above = simd.select(simd.less_equal(y, zero), simd.splat(self.below), y);
        (y, simd.select(simd.less(zero, y), simd.splat(self.above), not_above))
    }
}

impl Epilogue for Backward<'_> {
    fn covers(&self, rows: usize, width: usize) -> bool {
        width == self.width && rows.saturating_mul(width) <= self.values.len()
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, sum: S::F32, row: usize, lane: usize) -> S::F32 {
        // SAFETY: the caller's promise.
        let (_, factor) = unsafe { self.factor(simd, row, lane) };
        simd.mul(sum, factor)
    }
}

/// [`Backward`] through dropout: 0 where the mark of a dropped element stands.
#[derive(Clone, Copy)]
pub(super) struct BackwardDropout<'a>(pub(super) Backward<'a>);

impl Epilogue for BackwardDropout<'_> {
    fn covers(&self, rows: usize, width: usize) -> bool {
        self.0.covers(rows, width)
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, sum: S::F32, row: usize, lane: usize) -> S::F32 {
        // SAFETY: the caller's promise.
        let (y, factor) = unsafe { self.0.factor(simd, row, lane) };
        let dropped = simd.equal_u32(simd.to_bits(y), simd.splat_u32((-0.0f32).to_bits()));
        simd.mul(sum, simd.select(dropped, simd.splat(0.0), factor))
    }
}

/// One of them, chosen at run time: for products so large that a choice for each block of them costs nothing.
pub(super) enum Any<'a> {
    /// See [`Plain`].
    Plain(Plain),
    /// See [`Forward`].
    Forward(Forward<'a>),
    /// See [`Backward`].
    Backward(Backward<'a>),
    /// See [`BackwardDropout`].
    BackwardDropout(BackwardDropout<'a>),
}

impl Any<'_> {
    /// Whether it is made for a panel of `rows` rows of `width` lanes.
    pub(super) fn covers(&self, rows: usize, width: usize) -> bool {
        match self {
            Self::Plain(epilogue) => epilogue.covers(rows, width),
            Self::Forward(epilogue) => epilogue.covers(rows, width),
            Self::Backward(epilogue) => epilogue.covers(rows, width),
            Self::BackwardDropout(epilogue) => epilogue.covers(rows, width),
        }
    }

    /// Finishes the sums of some rows and lanes of the panel at `c`: each the first one and how many.
    ///
    /// # Safety
    ///
    /// The epilogue [`covers`](Self::covers) the panel, which is valid for reads and writes, and the rows and lanes, whole vectors, are
    /// some of it.
    #[inline(always)]
    pub(super) unsafe fn finish_all<S: Simd>(
        &self,
        simd: S,
        c: *mut f32,
        width: usize,
        rows: (usize, usize),
        lanes: (usize, usize),
    ) {
        // SAFETY: the caller's promise, passed on.
        unsafe {
            match self {
                Self::Plain(_) => {}
                Self::Forward(epilogue) => finish_all(simd, epilogue, c, width, rows, lanes),
                Self::Backward(epilogue) => finish_all(simd, epilogue, c, width, rows, lanes),
                Self::BackwardDropout(epilogue) => finish_all(simd, epilogue, c, width, rows, lanes),
            }
        }
    }
}

/// [`Any::finish_all`] of one epilogue.
///
/// # Safety
///
/// As there.
#[inline(always)]
unsafe fn finish_all<S: Simd, E: Epilogue>(
    simd: S,
    epilogue: &E,
    c: *mut f32,
    width: usize,
    (first_row, rows): (usize, usize),
    (first_lane, lanes): (usize, usize),
) {
    for row in first_row..first_row + rows {
        for lane in (first_lane..first_lane + lanes).step_by(S::LANES) {
            // SAFETY: the vector is one of those that the caller vouches for.
            unsafe {
                let c = c.add(row * width + lane);
                simd.store_pointer(epilogue.finish(simd, simd.load_pointer(c), row, lane), c);
            }
        }
    }
}
