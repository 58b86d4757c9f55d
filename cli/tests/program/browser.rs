//! Chromium: `$CHROMIUM`, or one that is found on the path.

use std::path::PathBuf;

use crate::skip::skip;

/// The browser; says so where there is none.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = named.or_else(|| places.find(|path| path.is_file()));
    if found.is_none() {
        skip("Chromium", "install the package chromium, or name the program with $CHROMIUM");
    }
    found
}
