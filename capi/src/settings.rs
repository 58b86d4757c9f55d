//! Settings from outside: `gannet_settings::json`.

use std::ffi::c_char;

use gannet::cpu::{Isa, IsaKind};
use gannet::gan::{Network, TrainerOptions};
use gannet::net::NetworkSpec;
use gannet_settings::json::{self, Described};

use crate::arguments;
use crate::status::Failure;

/// What the text of settings describes.
///
/// # Safety
///
/// As of [`arguments::text`].
pub(crate) unsafe fn described(settings: *const c_char) -> Result<Described, Failure> {
    // SAFETY: of the caller.
    let text = unsafe { arguments::text(settings, "settings")? };
    Ok(json::parse(text)?)
}

/// The discriminator that the text of settings describes for a loss.
///
/// # Safety
///
/// As of [`arguments::text`].
pub(crate) unsafe fn loss(settings: *const c_char) -> Result<Described, Failure> {
    // SAFETY: of the caller.
    let text = unsafe { arguments::text(settings, "settings")? };
    Ok(json::loss(text)?)
}

/// One network that the text of settings describes, and the usual options.
///
/// # Safety
///
/// As of [`arguments::text`].
pub(crate) unsafe fn layers(
    settings: *const c_char,
    network: Network,
) -> Result<(NetworkSpec, TrainerOptions), Failure> {
    // SAFETY: of the caller.
    let text = unsafe { arguments::text(settings, "settings")? };
    Ok(json::layers(text, network)?)
}

/// The instruction set of this name; NULL means none in particular.
///
/// # Safety
///
/// As of [`arguments::text`].
pub(crate) unsafe fn isa_kind(name: *const c_char) -> Result<Option<IsaKind>, Failure> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: of the caller.
    let name = unsafe { arguments::text(name, "isa")? };
    Ok(Some(name.parse()?))
}

/// The instruction set of this name, that of `GANNET_ISA`, or the best.
///
/// # Safety
///
/// As of [`arguments::text`].
pub(crate) unsafe fn isa(name: *const c_char) -> Result<Isa, Failure> {
    // SAFETY: of the caller.
    let kind = unsafe { isa_kind(name)? };
    Ok(Isa::resolve(kind)?)
}

/// What an instruction set is called.
pub(crate) fn isa_name(isa: Isa) -> &'static std::ffi::CStr {
    match isa.kind() {
        IsaKind::Avx512 => c"avx512",
        IsaKind::Avx2 => c"avx2",
        IsaKind::Portable => c"portable",
        _ => c"other",
    }
}
