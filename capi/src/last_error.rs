//! The message of the last call of a thread that failed.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::new(CString::default());
}

/// Keeps the message of a call.
pub(crate) fn keep(message: String) {
    // The text ends at the first 0 for a reader in C; no message has one.
    let text = CString::new(message).unwrap_or_else(|error| {
        let end = error.nul_position();
        let mut bytes = error.into_vec();
        bytes.truncate(end);
        CString::new(bytes).unwrap_or_default()
    });
    // A thread that is ending keeps none.
    _ = MESSAGE.try_with(|place| place.replace(text));
}

/// The message of the last call of this thread that did not return `GANNET_OK`; an empty text before the first. It says what is wrong, and
/// what to do where something can be done. The text is UTF-8, and stays until the next call of this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn gannet_last_error() -> *const c_char {
    const NONE: &CStr = c"";
    MESSAGE.try_with(|message| message.borrow().as_ptr()).unwrap_or(NONE.as_ptr())
}
