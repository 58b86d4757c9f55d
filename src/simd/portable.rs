//! The portable instruction set on the `wide` crate: 8 lanes of whatever the target offers at compile time.

use wide::{f32x8, i32x8, u32x8};

use super::{IsaKind, Kernel, Simd};

/// Vectors of the `wide` crate, on any target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portable(());

impl Portable {
    /// The token: every processor has these instructions.
    pub(super) fn token() -> Self {
        Self(())
    }

    /// Runs `kernel` in a function of its own, as the other tokens do, so that the caller stays small.
    #[inline(never)]
    pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}

/// Masks of integers as masks of floats.
#[inline(always)]
fn float_mask(mask: i32x8) -> f32x8 {
    f32x8::from_bits(mask.cast_unsigned())
}

impl Simd for Portable {
    const KIND: IsaKind = IsaKind::Portable;
    const LANES: usize = 8;
    /// Two registers of 128 bits each: half of the 16 of the x86-64 baseline, half of NEON's 32 being left unused.
    const REGISTERS: usize = 8;
    const FUSED: bool = cfg!(any(
        all(target_feature = "avx", target_feature = "fma"),
        all(not(target_feature = "avx"), target_feature = "sse", target_feature = "fma"),
        all(target_arch = "aarch64", target_feature = "neon")
    ));

    type F32 = f32x8;
    type U32 = u32x8;
    type Mask = f32x8;

    #[inline(always)]
    unsafe fn load_pointer(self, from: *const f32) -> f32x8 {
        // SAFETY: the caller vouches for eight readable values; an array of `f32` has their alignment.
        f32x8::new(unsafe { from.cast::<[f32; 8]>().read() })
    }

    #[inline(always)]
    unsafe fn store_pointer(self, value: f32x8, to: *mut f32) {
        // SAFETY: the caller vouches for eight writable values; an array of `f32` has their alignment.
        unsafe { to.cast::<[f32; 8]>().write(value.to_array()) }
    }

    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the caller vouches for the pointers.
        unsafe {
            let mut rows = [f32x8::ZERO; 8];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = self.load_pointer(from.add(i * from_row));
            }
            for (i, row) in f32x8::transpose(rows).into_iter().enumerate() {
                self.store_pointer(row, to.add(i * to_row));
            }
        }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> f32x8 {
        f32x8::splat(value)
    }

    #[inline(always)]
    fn add(self, a: f32x8, b: f32x8) -> f32x8 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32x8, b: f32x8) -> f32x8 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32x8, b: f32x8) -> f32x8 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32x8, b: f32x8) -> f32x8 {
        a / b
    }

    #[inline(always)]
    fn sqrt(self, a: f32x8) -> f32x8 {
        a.sqrt()
    }

    #[inline(always)]
    fn mul_add(self, a: f32x8, b: f32x8, c: f32x8) -> f32x8 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn neg_mul_add(self, a: f32x8, b: f32x8, c: f32x8) -> f32x8 {
        a.mul_neg_add(b, c)
    }

    #[inline(always)]
    fn min(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_lt(b).select(a, b)
    }

    #[inline(always)]
    fn max(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_gt(b).select(a, b)
    }

    #[inline(always)]
    fn less(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_lt(b)
    }

    #[inline(always)]
    fn less_equal(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_le(b)
    }

    #[inline(always)]
    fn equal(self, a: f32x8, b: f32x8) -> f32x8 {
        a.simd_eq(b)
    }

    #[inline(always)]
    fn select(self, mask: f32x8, yes: f32x8, no: f32x8) -> f32x8 {
        mask.select(yes, no)
    }

    #[inline(always)]
    fn all(self, mask: f32x8) -> bool {
        mask.all()
    }

    #[inline(always)]
    fn to_bits(self, a: f32x8) -> u32x8 {
        a.to_bits()
    }

    #[inline(always)]
    fn with_bits(self, a: u32x8) -> f32x8 {
        f32x8::from_bits(a)
    }

    #[inline(always)]
    fn to_i32(self, a: f32x8) -> u32x8 {
        a.fast_round_int().cast_unsigned()
    }

    #[inline(always)]
    fn convert_i32(self, a: u32x8) -> f32x8 {
        f32x8::from_i32x8(a.cast_signed())
    }

    #[inline(always)]
    fn splat_u32(self, value: u32) -> u32x8 {
        u32x8::splat(value)
    }

    #[inline(always)]
    fn load_u32(self, from: &[u32]) -> u32x8 {
        u32x8::new(std::array::from_fn(|lane| from[lane]))
    }

    #[inline(always)]
    fn store_u32(self, value: u32x8, to: &mut [u32]) {
        to[..8].copy_from_slice(&value.to_array());
    }

    #[inline(always)]
    fn load_u8(self, from: &[u8]) -> u32x8 {
        u32x8::new(std::array::from_fn(|lane| u32::from(from[lane])))
    }

    #[inline(always)]
    fn add_u32(self, a: u32x8, b: u32x8) -> u32x8 {
        a + b
    }

    #[inline(always)]
    fn sub_u32(self, a: u32x8, b: u32x8) -> u32x8 {
        a - b
    }

    #[inline(always)]
    fn mul_u32(self, a: u32x8, b: u32x8) -> u32x8 {
        a * b
    }

    #[inline(always)]
    fn and(self, a: u32x8, b: u32x8) -> u32x8 {
        a & b
    }

    #[inline(always)]
    fn or(self, a: u32x8, b: u32x8) -> u32x8 {
        a | b
    }

    #[inline(always)]
    fn xor(self, a: u32x8, b: u32x8) -> u32x8 {
        a ^ b
    }

    #[inline(always)]
    fn shift_left(self, a: u32x8, bits: u32) -> u32x8 {
        a.unbounded_shl_scalar(bits)
    }

    #[inline(always)]
    fn shift_right(self, a: u32x8, bits: u32) -> u32x8 {
        a.unbounded_shr_scalar(bits)
    }

    #[inline(always)]
    fn shift_right_signed(self, a: u32x8, bits: u32) -> u32x8 {
        a.cast_signed().unbounded_shr_scalar(bits).cast_unsigned()
    }

    #[inline(always)]
    fn equal_u32(self, a: u32x8, b: u32x8) -> f32x8 {
        f32x8::from_bits(a.simd_eq(b))
    }

    #[inline(always)]
    fn less_i32(self, a: u32x8, b: u32x8) -> f32x8 {
        float_mask(a.cast_signed().simd_lt(b.cast_signed()))
    }

    #[inline(always)]
    fn top_bit(self, a: u32x8) -> f32x8 {
        float_mask(a.cast_signed().unbounded_shr_scalar(31))
    }

    #[inline(always)]
    fn select_u32(self, mask: f32x8, yes: u32x8, no: u32x8) -> u32x8 {
        mask.to_bits().select(yes, no)
    }
}
