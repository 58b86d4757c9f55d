//! AVX-512: 16 lanes, masks in mask registers.

use std::arch::x86_64::*;

use super::x86::{Avx512, methods};
use super::{IsaKind, Simd};

impl Simd for Avx512 {
    const KIND: IsaKind = IsaKind::Avx512;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;

    type F32 = __m512;
    type U32 = __m512i;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn load_pointer(self, from: *const f32) -> __m512 {
        // SAFETY: the caller vouches for the pointer, the token for the instruction.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_pointer(self, value: __m512, to: *mut f32) {
        // SAFETY: the caller vouches for the pointer, the token for the instruction.
        unsafe { _mm512_storeu_ps(to, value) }
    }

    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        // SAFETY: a prefetch reads nothing that the program could see, and no address makes it fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }

    #[inline(always)]
    fn load_u32(self, from: &[u32]) -> __m512i {
        assert!(from.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above; the token vouches for the instruction.
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_u32(self, value: __m512i, to: &mut [u32]) {
        assert!(to.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above; the token vouches for the instruction.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), value) }
    }

    #[inline(always)]
    fn load_u8(self, from: &[u8]) -> __m512i {
        assert!(from.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above; the token vouches for the instructions.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn all(self, mask: __mmask16) -> bool {
        mask == u16::MAX
    }

    // Four rounds, each of which exchanges halves of a distance: pairs, fours, eights (of 128 bits), sixteens.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the token vouches for the instructions, the caller for the pointers.
        unsafe {
            let mut rows = [_mm512_setzero_ps(); 16];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm512_loadu_ps(from.add(i * from_row));
            }
            let mut pairs = rows;
            for i in (0..16).step_by(2) {
                pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
                pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
            }
            // Row `4 g + c`: columns `c`, `4 + c`, `8 + c` and `12 + c` of rows `4 g .. 4 g + 4`.
            let mut fours = pairs;
            for i in (0..16).step_by(4) {
                for half in 0..2 {
                    let (a, b) = (_mm512_castps_pd(pairs[i + half]), _mm512_castps_pd(pairs[i + 2 + half]));
                    fours[i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                    fours[i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                }
            }
            for c in 0..4 {
                let low = _mm512_shuffle_f32x4::<0x88>(fours[c], fours[4 + c]);
                let high = _mm512_shuffle_f32x4::<0xdd>(fours[c], fours[4 + c]);
                let low_below = _mm512_shuffle_f32x4::<0x88>(fours[8 + c], fours[12 + c]);
                let high_below = _mm512_shuffle_f32x4::<0xdd>(fours[8 + c], fours[12 + c]);
                _mm512_storeu_ps(to.add(c * to_row), _mm512_shuffle_f32x4::<0x88>(low, low_below));
                _mm512_storeu_ps(to.add((4 + c) * to_row), _mm512_shuffle_f32x4::<0x88>(high, high_below));
                _mm512_storeu_ps(to.add((8 + c) * to_row), _mm512_shuffle_f32x4::<0xdd>(low, low_below));
                _mm512_storeu_ps(to.add((12 + c) * to_row), _mm512_shuffle_f32x4::<0xdd>(high, high_below));
            }
        }
    }

    // Each round adds the halves of two vectors into one: 16 vectors, 8, 4, 2, 1.
    #[inline(always)]
    fn sum_groups(self, groups: &[[__m512; 2]; 16], sums: &mut [f32; 16]) {
        // SAFETY: the token vouches for the instructions; the store fills the 16 sums.
        unsafe {
            let mut v = [_mm512_setzero_ps(); 16];
            for (vector, group) in v.iter_mut().zip(groups) {
                *vector = group[0];
            }
            for i in 0..8 {
                let (a, b) = (v[i], v[8 + i]);
                v[i] = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
            }
            for i in 0..4 {
                let (a, b) = (v[i], v[4 + i]);
                v[i] = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
            }
            for i in 0..2 {
                let (a, b) = (_mm512_castps_pd(v[i]), _mm512_castps_pd(v[2 + i]));
                let (low, high) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
                v[i] = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
            }
            let (a, b) = (v[0], v[1]);
            let sum = _mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xdd>(a, b));
            // Where the rounds have left each group's sum.
            let order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
            _mm512_storeu_ps(sums.as_mut_ptr(), _mm512_permutexvar_ps(order, sum));
        }
    }

    methods! {
        fn splat(value: f32) -> __m512 { _mm512_set1_ps(value) }
        fn add(a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        fn sub(a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        fn mul(a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        fn div(a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        fn sqrt(a: __m512) -> __m512 { _mm512_sqrt_ps(a) }
        fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        fn neg_mul_add(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fnmadd_ps(a, b, c) }
        fn min(a: __m512, b: __m512) -> __m512 { _mm512_min_ps(a, b) }
        fn max(a: __m512, b: __m512) -> __m512 { _mm512_max_ps(a, b) }

        fn less(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
        fn less_equal(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b) }
        fn equal(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
        fn select(mask: __mmask16, yes: __m512, no: __m512) -> __m512 { _mm512_mask_blend_ps(mask, no, yes) }

        fn to_bits(a: __m512) -> __m512i { _mm512_castps_si512(a) }
        fn with_bits(a: __m512i) -> __m512 { _mm512_castsi512_ps(a) }
        fn to_i32(a: __m512) -> __m512i { _mm512_cvtps_epi32(a) }
        fn convert_i32(a: __m512i) -> __m512 { _mm512_cvtepi32_ps(a) }

        fn splat_u32(value: u32) -> __m512i { _mm512_set1_epi32(value.cast_signed()) }
        fn add_u32(a: __m512i, b: __m512i) -> __m512i { _mm512_add_epi32(a, b) }
        fn sub_u32(a: __m512i, b: __m512i) -> __m512i { _mm512_sub_epi32(a, b) }
        fn mul_u32(a: __m512i, b: __m512i) -> __m512i { _mm512_mullo_epi32(a, b) }
        fn and(a: __m512i, b: __m512i) -> __m512i { _mm512_and_si512(a, b) }
        fn or(a: __m512i, b: __m512i) -> __m512i { _mm512_or_si512(a, b) }
        fn xor(a: __m512i, b: __m512i) -> __m512i { _mm512_xor_si512(a, b) }
        fn shift_left(a: __m512i, bits: u32) -> __m512i { _mm512_sllv_epi32(a, _mm512_set1_epi32(bits.cast_signed())) }
        fn shift_right(a: __m512i, bits: u32) -> __m512i { _mm512_srlv_epi32(a, _mm512_set1_epi32(bits.cast_signed())) }
        fn shift_right_signed(a: __m512i, bits: u32) -> __m512i {
            _mm512_srav_epi32(a, _mm512_set1_epi32(bits.cast_signed()))
        }
        fn rotate_left(a: __m512i, bits: u32) -> __m512i { _mm512_rolv_epi32(a, _mm512_set1_epi32(bits.cast_signed())) }
        fn equal_u32(a: __m512i, b: __m512i) -> __mmask16 { _mm512_cmpeq_epi32_mask(a, b) }
        fn less_i32(a: __m512i, b: __m512i) -> __mmask16 { _mm512_cmplt_epi32_mask(a, b) }
        fn top_bit(a: __m512i) -> __mmask16 { _mm512_movepi32_mask(a) }
        fn select_u32(mask: __mmask16, yes: __m512i, no: __m512i) -> __m512i { _mm512_mask_blend_epi32(mask, no, yes) }

        fn scale_by_power_of_two(a: __m512, n: __m512) -> __m512 { _mm512_scalef_ps(a, n) }
    }
}
