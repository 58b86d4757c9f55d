//! Vectors whose memory may be refused without ending the process.

use crate::error::{Error, Result};

/// An empty vector with room for `len` values.
///
/// # Errors
///
/// [`Error::OutOfMemory`].
pub fn room<T>(len: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    values.try_reserve_exact(len).map_err(|_| Error::OutOfMemory { bytes })?;
    Ok(values)
}

/// A vector of `len` times `value`.
///
/// # Errors
///
/// [`Error::OutOfMemory`].
pub fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>> {
    let mut values = room(len)?;
    values.resize(len, value);
    Ok(values)
}

/// A copy of values.
///
/// # Errors
///
/// [`Error::OutOfMemory`].
pub fn copied<T: Copy>(values: &[T]) -> Result<Vec<T>> {
    let mut copy = room(values.len())?;
    copy.extend_from_slice(values);
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_is_an_error() {
        assert_eq!(filled(3, 7u8).unwrap(), [7, 7, 7]);
        assert!(room::<u8>(0).unwrap().is_empty());
        for len in [usize::MAX, isize::MAX as usize / 2] {
            assert!(matches!(filled(len, 0u64), Err(Error::OutOfMemory { bytes }) if bytes > 1 << 60));
        }
    }
}
