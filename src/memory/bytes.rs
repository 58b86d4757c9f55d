//! Numbers as the bytes that they stand in.

/// The bytes of `values`, in the order of this machine.
pub fn of(values: &[f32]) -> &[u8] {
    // SAFETY: the slice is valid for reads of as many bytes, all of which are initialized, and `u8` has no alignment.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The same, to be written: any bytes are numbers.
pub fn of_mut(values: &mut [f32]) -> &mut [u8] {
    // SAFETY: as in `of`, exclusively borrowed; and every pattern of bits is an `f32`.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_come_back_from_their_bytes() {
        let values = [1.5_f32, -0.0, f32::NAN];
        let mut copy = [0.0; 3];
        super::of_mut(&mut copy).copy_from_slice(super::of(&values));
        assert_eq!(copy.map(f32::to_bits), values.map(f32::to_bits));
        assert_eq!(super::of(&values)[..4], 1.5_f32.to_ne_bytes());
    }
}
