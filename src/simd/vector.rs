//! The vector trait that kernels are generic over, and the trait of a kernel itself.

use super::IsaKind;

/// Vectors of one instruction set.
///
/// A value of an implementing type is a *token*: it can only be made by a check of the processor ([`Isa`](super::Isa)), so
/// whoever holds one may execute its instructions. That is why all methods but the raw loads and stores are safe.
///
/// All methods are `inline(always)`; they become single instructions inside [`Isa::run`](super::Isa::run) and nowhere else.
/// Arithmetic is IEEE 754 single precision, rounded to nearest even, on every instruction set. Only [`Simd::mul_add`] may
/// differ: see [`Simd::FUSED`].
pub trait Simd: Copy + Send + Sync + 'static {
    /// The name of the instruction set.
    const KIND: IsaKind;
    /// The number of `f32` (and of `u32`) in a vector: a divisor of [`LANE_GROUP`](super::LANE_GROUP).
    const LANES: usize;
    /// How many vectors fit the register file: what a micro-kernel may hold without spilling.
    const REGISTERS: usize;
    /// Whether [`Simd::mul_add`] rounds once. Always true on AVX2 and AVX-512.
    const FUSED: bool;

    /// A vector of `f32`.
    type F32: Copy;
    /// A vector of 32-bit integers; signedness is a matter of the operation.
    type U32: Copy;
    /// One truth value for each lane.
    type Mask: Copy;

    /// Loads [`Simd::LANES`] values, at any alignment.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of [`Simd::LANES`] values.
    unsafe fn load_pointer(self, from: *const f32) -> Self::F32;

    /// Stores [`Simd::LANES`] values, at any alignment.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of [`Simd::LANES`] values.
    unsafe fn store_pointer(self, value: Self::F32, to: *mut f32);

    /// `value` in every lane.
    fn splat(self, value: f32) -> Self::F32;
    /// `a + b`
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a - b`
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b`
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`, correctly rounded.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The square root, correctly rounded.
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once if [`Simd::FUSED`].
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `c - a * b`, rounded once if [`Simd::FUSED`].
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `a < b ? a : b`: the **second** operand if either is NaN or both are zeros.
    ///
    /// So `min(limit, x)` lets a NaN in `x` through, and `min(x, limit)` loses it.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a > b ? a : b`: the **second** operand if either is NaN or both are zeros.
    ///
    /// So `max(limit, x)` lets a NaN in `x` through, and `max(x, limit)` loses it.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `a < b`; false if either is NaN.
    fn less(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `a <= b`; false if either is NaN.
    fn less_equal(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `a == b`; false if either is NaN, so `equal(a, a)` says which lanes are numbers.
    fn equal(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `mask ? yes : no`, bit for bit.
    fn select(self, mask: Self::Mask, yes: Self::F32, no: Self::F32) -> Self::F32;
    /// Whether `mask` is true in every lane.
    fn all(self, mask: Self::Mask) -> bool;

    /// The bits of the floats.
    fn to_bits(self, a: Self::F32) -> Self::U32;
    /// The floats that have these bits.
    fn with_bits(self, a: Self::U32) -> Self::F32;
    /// The nearest signed integers (ties to even); unspecified for NaN and beyond 32 bits.
    fn to_i32(self, a: Self::F32) -> Self::U32;
    /// Signed integers as floats, rounded to nearest even.
    fn convert_i32(self, a: Self::U32) -> Self::F32;

    /// `value` in every lane.
    fn splat_u32(self, value: u32) -> Self::U32;
    /// Loads the first [`Simd::LANES`] integers. Panics if there are fewer.
    fn load_u32(self, from: &[u32]) -> Self::U32;
    /// Stores into the first [`Simd::LANES`] integers. Panics if there are fewer.
    fn store_u32(self, value: Self::U32, to: &mut [u32]);
    /// Loads the first [`Simd::LANES`] bytes and widens them to 32 bits. Panics if there are fewer.
    fn load_u8(self, from: &[u8]) -> Self::U32;
    /// `a + b`, wrapping.
    fn add_u32(self, a: Self::U32, b: Self::U32) -> Self::U32;
    /// `a - b`, wrapping.
    fn sub_u32(self, a: Self::U32, b: Self::U32) -> Self::U32;
    /// The low 32 bits of `a * b`.
    fn mul_u32(self, a: Self::U32, b: Self::U32) -> Self::U32;
    /// `a & b`
    fn and(self, a: Self::U32, b: Self::U32) -> Self::U32;
    /// `a | b`
    fn or(self, a: Self::U32, b: Self::U32) -> Self::U32;
    /// `a ^ b`
    fn xor(self, a: Self::U32, b: Self::U32) -> Self::U32;
    /// `a << bits`, `bits < 32`; an immediate shift where `bits` is a constant.
    fn shift_left(self, a: Self::U32, bits: u32) -> Self::U32;
    /// `a >> bits` filled with zeros, `bits < 32`; an immediate shift where `bits` is a constant.
    fn shift_right(self, a: Self::U32, bits: u32) -> Self::U32;
    /// `a >> bits` filled with the sign, `bits < 32`; an immediate shift where `bits` is a constant.
    fn shift_right_signed(self, a: Self::U32, bits: u32) -> Self::U32;
    /// `a == b`
    fn equal_u32(self, a: Self::U32, b: Self::U32) -> Self::Mask;
    /// `a < b`, both signed.
    fn less_i32(self, a: Self::U32, b: Self::U32) -> Self::Mask;
    /// Whether the top bit is set.
    fn top_bit(self, a: Self::U32) -> Self::Mask;
    /// `mask ? yes : no`
    fn select_u32(self, mask: Self::Mask, yes: Self::U32, no: Self::U32) -> Self::U32;

    /// `a` rotated left by `0 < bits < 32`.
    #[inline(always)]
    fn rotate_left(self, a: Self::U32, bits: u32) -> Self::U32 {
        self.or(self.shift_left(a, bits), self.shift_right(a, 32 - bits))
    }

    /// `a * 2^n` for integral `n` in `-250 ..= 250`, rounded once (results may be denormal). NaN in either gives NaN if it
    /// stands in both.
    #[inline(always)]
    fn scale_by_power_of_two(self, a: Self::F32, n: Self::F32) -> Self::F32 {
        // In two halves, each of which is a normal number; the first product is exact.
        let bias = self.splat_u32(127);
        let n = self.to_i32(n);
        let half = self.shift_right_signed(n, 1);
        let rest = self.sub_u32(n, half);
        let first = self.with_bits(self.shift_left(self.add_u32(half, bias), 23));
        let second = self.with_bits(self.shift_left(self.add_u32(rest, bias), 23));
        self.mul(self.mul(a, first), second)
    }

    /// `value`, which the compiler must have computed before it makes any load that follows in the program. Emits no instruction, and by
    /// default does nothing. A loop whose values fill the registers needs it: whatever is loaded early takes a register from something
    /// else.
    #[inline(always)]
    fn settle(self, value: Self::F32) -> Self::F32 {
        value
    }

    /// Asks for the cache line at `address`, which may be any address, to be brought into the cache.
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        let _ = address;
    }

    /// Transposes a square of [`Simd::LANES`] rows, each a vector: element `j` of row `i` becomes element `i` of row `j`. Rows
    /// begin `from_row` and `to_row` values apart.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads, and `to` for writes, of all these rows.
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize);

    /// The sum over the lanes of each of 16 groups of [`LANE_GROUP`](super::LANE_GROUP) lanes, of which a group fills one vector
    /// or two. The order is fixed: halves onto halves, lane `i` and lane `i + 8`, then 4, 2, 1.
    #[inline(always)]
    fn sum_groups(self, groups: &[[Self::F32; 2]; 16], sums: &mut [f32; 16]) {
        for (group, sum) in groups.iter().zip(sums) {
            let mut lanes = [0.0; super::LANE_GROUP];
            for (vector, to) in group.iter().zip(lanes.chunks_exact_mut(Self::LANES)) {
                self.store(*vector, to);
            }
            let mut half = super::LANE_GROUP / 2;
            while half > 0 {
                for lane in 0..half {
                    lanes[lane] += lanes[lane + half];
                }
                half /= 2;
            }
            *sum = lanes[0];
        }
    }

    /// Loads the first [`Simd::LANES`] values. Panics if there are fewer.
    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::F32 {
        assert!(from.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above.
        unsafe { self.load_pointer(from.as_ptr()) }
    }

    /// Stores into the first [`Simd::LANES`] values. Panics if there are fewer.
    #[inline(always)]
    fn store(self, value: Self::F32, to: &mut [f32]) {
        assert!(to.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above.
        unsafe { self.store_pointer(value, to.as_mut_ptr()) }
    }

    /// Loads at most [`Simd::LANES`] values; the lanes beyond are 0. Panics if there are more.
    #[inline(always)]
    fn load_partial(self, from: &[f32]) -> Self::F32 {
        let mut buffer = [0.0; super::LANE_GROUP];
        buffer[..Self::LANES][..from.len()].copy_from_slice(from);
        self.load(&buffer)
    }

    /// Stores the first `to.len()` lanes. Panics if there are fewer lanes.
    #[inline(always)]
    fn store_partial(self, value: Self::F32, to: &mut [f32]) {
        let mut buffer = [0.0; super::LANE_GROUP];
        self.store(value, &mut buffer);
        to.copy_from_slice(&buffer[..Self::LANES][..to.len()]);
    }

    /// The absolute value; of a NaN, a NaN.
    #[inline(always)]
    fn abs(self, a: Self::F32) -> Self::F32 {
        self.with_bits(self.and(self.to_bits(a), self.splat_u32(0x7fff_ffff)))
    }

    /// `lane` in each lane: 0, 1, 2 ...
    #[inline(always)]
    fn lane_numbers(self) -> Self::U32 {
        self.load_u32(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    }
}

/// A computation that is written once for every instruction set and run by [`Isa::run`](super::Isa::run).
pub trait Kernel {
    /// What it returns.
    type Output;

    /// Computes. Implementations, and all they call down to the methods of [`Simd`], are `#[inline(always)]`: only then
    /// do they inherit the instruction set of the function that [`Isa::run`](super::Isa::run) enters. A closure cannot
    /// be, so none handles vectors: where one did, each of its operations became a call, twenty times slower.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}
