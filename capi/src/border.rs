//! Where calls come in: nothing unwinds out, and what went wrong becomes a status and a message.

use std::panic::{self, AssertUnwindSafe};

use gannet_host::panic_text;

use crate::last_error;
use crate::status::{Failure, GannetStatus};

/// Does what a call is for.
pub(crate) fn call(work: impl FnOnce() -> Result<(), Failure>) -> GannetStatus {
    // Whatever a panic leaves half changed belongs to a handle, which then refuses to be used.
    let failure = match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return GannetStatus::Ok,
        Ok(Err(failure)) => failure,
        Err(payload) => {
            let what = panic_text(payload);
            let message =
                format!("gannet has a mistake, please report it: {what}; free the handle, and go on from a checkpoint");
            Failure::new(GannetStatus::Panic, message)
        }
    };
    last_error::keep(failure.message);
    failure.status
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::last_error::gannet_last_error;

    fn message() -> String {
        // SAFETY: the text ends with 0, and no call comes between.
        unsafe { CStr::from_ptr(gannet_last_error()) }.to_str().unwrap().to_string()
    }

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        assert_eq!(call(|| panic!("seven {}", 7)), GannetStatus::Panic);
        assert!(message().contains("seven 7; free the handle"), "{}", message());
        assert_eq!(call(|| panic!("eight")), GannetStatus::Panic);
        assert!(message().contains("eight"));
        assert_eq!(call(|| std::panic::panic_any(3)), GannetStatus::Panic);
        assert_eq!(call(|| Err(Failure::argument("nine\0ten"))), GannetStatus::InvalidArgument);
        assert_eq!(message(), "nine");
        assert_eq!(call(|| Ok(())), GannetStatus::Ok);
        assert_eq!(message(), "nine", "a call that goes well leaves the message");
        std::thread::spawn(|| assert_eq!(message(), "")).join().unwrap();
    }
}
