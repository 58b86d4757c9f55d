//! Arguments from outside, checked as far as they can be.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::slice;

use gannet::gan::Network;

use crate::status::{Failure, GannetStatus};

/// The failure of an argument that is NULL.
pub(crate) fn null(name: &str) -> Failure {
    Failure::new(GannetStatus::NullPointer, format!("{name} is NULL"))
}

/// Checks that something can be written to `place`, called `name`.
pub(crate) fn check_place<T>(place: *mut T, name: &str) -> Result<(), Failure> {
    match place {
        _ if place.is_null() => Err(null(name)),
        _ if !place.is_aligned() => Err(Failure::argument(format!("{name} stands at an address that is not aligned"))),
        _ => Ok(()),
    }
}

/// Writes a result to a place that [`check_place`] has checked.
///
/// # Safety
///
/// A value can be written there.
pub(crate) unsafe fn put<T>(place: *mut T, name: &str, value: T) -> Result<(), Failure> {
    check_place(place, name)?;
    // SAFETY: of the caller; neither NULL nor unaligned.
    unsafe { place.write(value) };
    Ok(())
}

/// The text called `name`.
///
/// # Safety
///
/// `text` is NULL, or a text that ends with 0 and stays for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(null(name));
    }
    // SAFETY: of the caller.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| Failure::argument(format!("{name} is not UTF-8; encode the text as UTF-8")))
}

/// `count` bytes.
///
/// # Safety
///
/// `pointer` is NULL, or as many bytes can be read there for `'a`.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, count: usize) -> Result<&'a [u8], Failure> {
    if pointer.is_null() {
        return Err(null("bytes"));
    }
    if count > isize::MAX as usize {
        return Err(Failure::argument(format!("{count} bytes are more than memory can hold")));
    }
    // SAFETY: of the caller; not NULL, and not too long.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

/// Most values that a slice can have.
const MOST_VALUES: usize = isize::MAX as usize / size_of::<f32>();

/// How many values `rows` rows of `features` values are.
fn values(rows: usize, features: usize, name: &str) -> Result<usize, Failure> {
    rows.checked_mul(features)
        .filter(|count| *count <= MOST_VALUES)
        .ok_or_else(|| Failure::argument(format!("{name} has {rows} rows, more than memory can hold")))
}

/// The rows called `name`, one behind the other.
///
/// # Safety
///
/// `pointer` is NULL, or `rows * features` values can be read there for `'a`, and nobody writes them.
pub(crate) unsafe fn rows<'a>(
    pointer: *const f32,
    rows: usize,
    features: usize,
    name: &str,
) -> Result<&'a [f32], Failure> {
    let count = values(rows, features, name)?;
    if count == 0 {
        return Ok(&[]);
    }
    check_place(pointer.cast_mut(), name)?;
    // SAFETY: of the caller; neither NULL nor unaligned, and not too long.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

/// The rows called `name`, one behind the other, to be written.
///
/// # Safety
///
/// `pointer` is NULL, or `rows * features` values can be read and written there for `'a`, and nobody else uses them.
pub(crate) unsafe fn rows_mut<'a>(
    pointer: *mut f32,
    rows: usize,
    features: usize,
    name: &str,
) -> Result<&'a mut [f32], Failure> {
    let count = values(rows, features, name)?;
    if count == 0 {
        return Ok(&mut []);
    }
    check_place(pointer, name)?;
    // SAFETY: of the caller; neither NULL nor unaligned, and not too long.
    Ok(unsafe { slice::from_raw_parts_mut(pointer, count) })
}

/// Refuses rows that are written while others that share memory with them are read.
pub(crate) fn check_apart(
    (read, count_read): (*const f32, usize),
    (written, count_written): (*mut f32, usize),
    name: &str,
) -> Result<(), Failure> {
    if count_read.max(count_written) > MOST_VALUES {
        // What is too long is told of where it is read.
        return Ok(());
    }
    let end = |start: usize, count: usize| start.saturating_add(count.saturating_mul(size_of::<f32>()));
    let (read, written) = (read.addr(), written.addr());
    if read < end(written, count_written) && written < end(read, count_read) {
        return Err(Failure::argument(format!("{name} share memory; give the result a place of its own")));
    }
    Ok(())
}

/// The network of this number.
pub(crate) fn network(number: i32) -> Result<Network, Failure> {
    match number {
        0 => Ok(Network::Generator),
        1 => Ok(Network::Discriminator),
        _ => {
            let problem = format!("{number} is no network; use GANNET_GENERATOR or GANNET_DISCRIMINATOR");
            Err(Failure::argument(problem))
        }
    }
}

/// Writes `count` to `needed`, and says whether there is memory of the caller's to write as many values to: without any, the number alone
/// was asked for.
///
/// # Safety
///
/// `to` is NULL or has room for `capacity` values; `needed` is NULL or can be written.
pub(crate) unsafe fn has_room<T>(
    count: usize,
    to: *mut T,
    capacity: usize,
    needed: *mut usize,
) -> Result<bool, Failure> {
    if !needed.is_null() {
        // SAFETY: of the caller.
        unsafe { put(needed, "needed", count)? };
    }
    if to.is_null() {
        return if needed.is_null() { Err(null("needed")) } else { Ok(false) };
    }
    if capacity < count {
        let problem = format!("the memory has room for {capacity}, but {count} are needed");
        return Err(Failure::new(GannetStatus::BufferTooSmall, problem));
    }
    check_place(to, "the memory for the result")?;
    Ok(true)
}

/// Copies `from` to memory of the caller that has room for `capacity` of them, and writes how many there are to `needed`. Without
/// memory, only that.
///
/// # Safety
///
/// As of [`has_room`].
pub(crate) unsafe fn copy_out<T: Copy>(
    from: &[T],
    to: *mut T,
    capacity: usize,
    needed: *mut usize,
) -> Result<(), Failure> {
    // SAFETY: of the caller.
    if unsafe { has_room(from.len(), to, capacity, needed)? } {
        // SAFETY: there is room for as many.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to, from.len()) };
    }
    Ok(())
}

/// [`copy_out`] of a text with the 0 that ends it.
///
/// # Safety
///
/// As of [`copy_out`].
pub(crate) unsafe fn copy_text(
    from: &str,
    to: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> Result<(), Failure> {
    let bytes: Vec<u8> = from.bytes().filter(|byte| *byte != 0).chain([0]).collect();
    // SAFETY: of the caller; a character of C is a byte.
    unsafe { copy_out(&bytes, to.cast(), capacity, needed) }
}
