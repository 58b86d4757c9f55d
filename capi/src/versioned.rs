//! Structs that grow: their first field is the size that the caller knows them with.

use std::ptr;

use crate::status::{Failure, GannetStatus};

/// A struct that later versions add fields to, at its end.
///
/// # Safety
///
/// It is `repr(C)`, its first field is `size: usize`, and every bit pattern is a value of it. A field of zeros means its default.
pub(crate) unsafe trait Versioned: Copy {
    /// Its name in C.
    const NAME: &'static str;

    /// All fields 0.
    const ZERO: Self;
}

/// Checks the pointer to a struct, and returns the size that the caller gives it.
///
/// # Safety
///
/// `pointer` is NULL, or the size can be read there.
unsafe fn size_of_caller<T: Versioned>(pointer: *const T) -> Result<usize, Failure> {
    if pointer.is_null() {
        return Err(Failure::new(GannetStatus::NullPointer, format!("the {} is NULL", T::NAME)));
    }
    if !pointer.is_aligned() {
        return Err(Failure::argument(format!("the {} stands at an address that is not aligned", T::NAME)));
    }
    // SAFETY: of the caller; the address is aligned.
    let size = unsafe { *pointer.cast::<usize>() };
    if size <= size_of::<usize>() {
        let problem = format!("the size of the {} is {size}; set its field size to sizeof({})", T::NAME, T::NAME);
        return Err(Failure::argument(problem));
    }
    Ok(size)
}

/// The struct at `pointer`. Fields that the caller does not know are 0.
///
/// # Safety
///
/// `pointer` is NULL, or as many bytes can be read there as the field `size` says.
pub(crate) unsafe fn read<T: Versioned>(pointer: *const T) -> Result<T, Failure> {
    /// More would be no struct of any version.
    const MOST: usize = 1 << 12;
    // SAFETY: of the caller.
    let size = unsafe { size_of_caller(pointer)? };
    let problem = |what: &str| {
        Err(Failure::argument(format!("the {} {what}; set its field size to sizeof({})", T::NAME, T::NAME)))
    };
    if size > MOST {
        return problem(&format!("has the size {size}"));
    }
    for offset in size_of::<T>()..size {
        // SAFETY: of the caller.
        if unsafe { *pointer.cast::<u8>().add(offset) } != 0 {
            return problem(
                "sets fields that this version of gannet does not know; take a newer library, or leave them 0",
            );
        }
    }
    let mut value = T::ZERO;
    // SAFETY: both hold as many bytes, and any bytes are a value.
    unsafe {
        ptr::copy_nonoverlapping(pointer.cast::<u8>(), ptr::from_mut(&mut value).cast(), size.min(size_of::<T>()))
    };
    Ok(value)
}

/// Checks the place of a result before the work for it begins; NULL means that nobody wants it.
///
/// # Safety
///
/// As of [`write`].
pub(crate) unsafe fn check<T: Versioned>(pointer: *const T) -> Result<(), Failure> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: of the caller.
    unsafe { size_of_caller(pointer) }.map(|_| ())
}

/// Writes `value` to `pointer`, as much of it as the caller knows; to NULL nothing.
///
/// # Safety
///
/// `pointer` is NULL, or as many bytes can be written there as the field `size` says.
pub(crate) unsafe fn write<T: Versioned>(pointer: *mut T, value: &T) -> Result<(), Failure> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: of the caller.
    let size = unsafe { size_of_caller(pointer)? }.min(size_of::<T>());
    let head = size_of::<usize>();
    let from = ptr::from_ref(value).cast::<u8>();
    // SAFETY: both hold as many bytes; the size of the caller stays.
    unsafe { ptr::copy_nonoverlapping(from.add(head), pointer.cast::<u8>().add(head), size - head) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Pair {
        size: usize,
        one: u64,
        two: u64,
    }

    // SAFETY: as the trait asks.
    unsafe impl Versioned for Pair {
        const NAME: &'static str = "Pair";
        const ZERO: Self = Self { size: 0, one: 0, two: 0 };
    }

    fn read_of(words: &[u64]) -> Result<Pair, GannetStatus> {
        // SAFETY: each test gives the sizes of what it has.
        unsafe { read::<Pair>(words.as_ptr().cast()) }.map_err(|failure| failure.status)
    }

    #[test]
    fn callers_of_other_versions_are_understood() {
        assert_eq!(read_of(&[24, 1, 2]), Ok(Pair { size: 24, one: 1, two: 2 }));
        assert_eq!(read_of(&[16, 1]), Ok(Pair { size: 16, one: 1, two: 0 }), "an older caller");
        assert_eq!(
            read_of(&[32, 1, 2, 0]),
            Ok(Pair { size: 32, one: 1, two: 2 }),
            "a newer one that asks for nothing new"
        );
        assert_eq!(read_of(&[32, 1, 2, 3]), Err(GannetStatus::InvalidArgument));
        for size in [0, 8, 1 << 40] {
            assert_eq!(read_of(&[size, 1, 2]), Err(GannetStatus::InvalidArgument));
        }
        // SAFETY: NULL.
        assert_eq!(unsafe { read::<Pair>(ptr::null()) }.unwrap_err().status, GannetStatus::NullPointer);
    }

    #[test]
    fn results_stay_within_what_the_caller_knows() {
        let value = Pair { size: 24, one: 1, two: 2 };
        let mut words = [16u64, 0, 7];
        // SAFETY: 16 bytes can be written.
        unsafe { write::<Pair>(words.as_mut_ptr().cast(), &value) }.unwrap();
        assert_eq!(words, [16, 1, 7]);
        // SAFETY: NULL.
        unsafe { write::<Pair>(ptr::null_mut(), &value) }.unwrap();
    }
}
