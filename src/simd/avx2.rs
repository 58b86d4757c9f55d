//! AVX2 with FMA: 8 lanes, masks in vector registers (only the top bit of a lane counts).

use std::arch::x86_64::*;

use super::x86::{Avx2, methods};
use super::{IsaKind, Simd};

impl Simd for Avx2 {
    const KIND: IsaKind = IsaKind::Avx2;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const FUSED: bool = true;

    type F32 = __m256;
    type U32 = __m256i;
    type Mask = __m256;

    #[inline(always)]
    unsafe fn load_pointer(self, from: *const f32) -> __m256 {
        // SAFETY: the caller vouches for the pointer, the token for the instruction.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store_pointer(self, value: __m256, to: *mut f32) {
        // SAFETY: the caller vouches for the pointer, the token for the instruction.
        unsafe { _mm256_storeu_ps(to, value) }
    }

    #[inline(always)]
    fn settle(self, value: __m256) -> __m256 {
        /// The register class is there only where the instructions are.
        #[inline]
        #[target_feature(enable = "avx")]
        fn settled(mut value: __m256) -> __m256 {
            // SAFETY: there is no instruction in it. That it may touch memory, as the compiler believes, keeps loads behind it.
            unsafe { std::arch::asm!("/* {0} */", inout(ymm_reg) value, options(nostack, preserves_flags)) };
            value
        }
        // SAFETY: the token vouches for the feature.
        unsafe { settled(value) }
    }

    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        // SAFETY: a prefetch reads nothing that the program could see, and no address makes it fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }

    #[inline(always)]
    fn load_u32(self, from: &[u32]) -> __m256i {
        assert!(from.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above; the token vouches for the instruction.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store_u32(self, value: __m256i, to: &mut [u32]) {
        assert!(to.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above; the token vouches for the instruction.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), value) }
    }

    #[inline(always)]
    fn load_u8(self, from: &[u8]) -> __m256i {
        assert!(from.len() >= Self::LANES);
        // SAFETY: the slice is long enough, checked above; the token vouches for the instructions.
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.as_ptr().cast())) }
    }

    // Three rounds, each of which exchanges halves of a distance: pairs, fours, eights.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
        // SAFETY: the token vouches for the instructions, the caller for the pointers.
        unsafe {
            let mut rows = [_mm256_setzero_ps(); 8];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm256_loadu_ps(from.add(i * from_row));
            }
            let mut fours = rows;
            for i in (0..8).step_by(4) {
                let [a, b, c, d] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]];
                let (upper, lower) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
                fours[i] = _mm256_shuffle_ps::<0x44>(upper, lower);
                fours[i + 1] = _mm256_shuffle_ps::<0xee>(upper, lower);
                let (upper, lower) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
                fours[i + 2] = _mm256_shuffle_ps::<0x44>(upper, lower);
                fours[i + 3] = _mm256_shuffle_ps::<0xee>(upper, lower);
            }
            for c in 0..4 {
                _mm256_storeu_ps(to.add(c * to_row), _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]));
                _mm256_storeu_ps(to.add((4 + c) * to_row), _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]));
            }
        }
    }

    // After the two vectors of a group are added, each round adds the halves of two vectors into one: 16, 8, 4, 2.
    #[inline(always)]
    fn sum_groups(self, groups: &[[__m256; 2]; 16], sums: &mut [f32; 16]) {
        // SAFETY: the token vouches for the instructions; the stores fill half of the 16 sums each.
        unsafe {
            let mut v = [_mm256_setzero_ps(); 16];
            for (vector, [low, high]) in v.iter_mut().zip(groups) {
                *vector = _mm256_add_ps(*low, *high);
            }
            for i in 0..8 {
                let (a, b) = (v[i], v[8 + i]);
                v[i] = _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b));
            }
            for i in 0..4 {
                let (a, b) = (_mm256_castps_pd(v[i]), _mm256_castps_pd(v[4 + i]));
                let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
                v[i] = _mm256_add_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high));
            }
            for i in 0..2 {
                let (a, b) = (v[i], v[2 + i]);
                v[i] = _mm256_add_ps(_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0xdd>(a, b));
            }
            // Half `h` of vector `i` now holds groups `8 h + i + [0, 4, 2, 6]`.
            let order = _mm256_setr_epi32(0, 2, 1, 3, 4, 6, 5, 7);
            let (even, odd) = (_mm256_permutevar8x32_ps(v[0], order), _mm256_permutevar8x32_ps(v[1], order));
            let (low, high) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
            _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_permute2f128_ps::<0x20>(low, high));
            _mm256_storeu_ps(sums.as_mut_ptr().add(8), _mm256_permute2f128_ps::<0x31>(low, high));
        }
    }

    methods! {
        fn splat(value: f32) -> __m256 { _mm256_set1_ps(value) }
        fn add(a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
        fn sub(a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
        fn mul(a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
        fn div(a: __m256, b: __m256) -> __m256 { _mm256_div_ps(a, b) }
        fn sqrt(a: __m256) -> __m256 { _mm256_sqrt_ps(a) }
        fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmadd_ps(a, b, c) }
        fn neg_mul_add(a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fnmadd_ps(a, b, c) }
        fn min(a: __m256, b: __m256) -> __m256 { _mm256_min_ps(a, b) }
        fn max(a: __m256, b: __m256) -> __m256 { _mm256_max_ps(a, b) }

        fn less(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
        fn less_equal(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LE_OQ>(a, b) }
        fn equal(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
        fn select(mask: __m256, yes: __m256, no: __m256) -> __m256 { _mm256_blendv_ps(no, yes, mask) }
        fn all(mask: __m256) -> bool { _mm256_movemask_ps(mask) == 0xff }

        fn to_bits(a: __m256) -> __m256i { _mm256_castps_si256(a) }
        fn with_bits(a: __m256i) -> __m256 { _mm256_castsi256_ps(a) }
        fn to_i32(a: __m256) -> __m256i { _mm256_cvtps_epi32(a) }
        fn convert_i32(a: __m256i) -> __m256 { _mm256_cvtepi32_ps(a) }

        fn splat_u32(value: u32) -> __m256i { _mm256_set1_epi32(value.cast_signed()) }
        fn add_u32(a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi32(a, b) }
        fn sub_u32(a: __m256i, b: __m256i) -> __m256i { _mm256_sub_epi32(a, b) }
        fn mul_u32(a: __m256i, b: __m256i) -> __m256i { _mm256_mullo_epi32(a, b) }
        fn and(a: __m256i, b: __m256i) -> __m256i { _mm256_and_si256(a, b) }
        fn or(a: __m256i, b: __m256i) -> __m256i { _mm256_or_si256(a, b) }
        fn xor(a: __m256i, b: __m256i) -> __m256i { _mm256_xor_si256(a, b) }
        fn shift_left(a: __m256i, bits: u32) -> __m256i { _mm256_sllv_epi32(a, _mm256_set1_epi32(bits.cast_signed())) }
        fn shift_right(a: __m256i, bits: u32) -> __m256i { _mm256_srlv_epi32(a, _mm256_set1_epi32(bits.cast_signed())) }
        fn shift_right_signed(a: __m256i, bits: u32) -> __m256i {
            _mm256_srav_epi32(a, _mm256_set1_epi32(bits.cast_signed()))
        }
        fn equal_u32(a: __m256i, b: __m256i) -> __m256 { _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)) }
        fn less_i32(a: __m256i, b: __m256i) -> __m256 { _mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a)) }
        fn top_bit(a: __m256i) -> __m256 { _mm256_castsi256_ps(a) }
        fn select_u32(mask: __m256, yes: __m256i, no: __m256i) -> __m256i {
            _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(no), _mm256_castsi256_ps(yes), mask))
        }
    }
}
