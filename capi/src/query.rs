//! What the library tells of itself and of the processor.

use std::ffi::{CStr, c_char};
use std::ptr;

use crate::arguments;
use crate::border::call;
use crate::settings;
use crate::status::GannetStatus;

/// The version of the interface that a header describes. It changes when the interface breaks; what is added leaves it.
pub const GANNET_ABI_VERSION: u32 = 1;

/// The version of the interface that the library has. A program whose header has another `GANNET_ABI_VERSION` must not go on.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_abi_version() -> u32 {
    GANNET_ABI_VERSION
}

/// The version of gannet: a text that is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// Writes the name of the instruction set that trainers take by default to `isa`: that of the environment variable `GANNET_ISA`, or the
/// best of this processor. The text is never freed.
///
/// # Safety
///
/// A pointer can be written to `isa`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gannet_isa(isa: *mut *const c_char) -> GannetStatus {
    call(|| {
        // SAFETY: NULL is no text.
        let found = unsafe { settings::isa(ptr::null())? };
        // SAFETY: of the caller.
        unsafe { arguments::put(isa, "isa", settings::isa_name(found).as_ptr()) }
    })
}
