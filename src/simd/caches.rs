//! The sizes of the processor's caches.

use std::path::Path;
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// The environment variable that says how large the caches are to be taken to be, instead of as large as they are: the sizes of the
/// first and the second level in bytes, with a comma in between. Results do not depend on it, only speed.
pub const CACHES_VARIABLE: &str = "GANNET_CACHES";

/// Sizes of the data caches of a core, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caches {
    /// The first level.
    pub level1: usize,
    /// The second level.
    pub level2: usize,
}

impl Caches {
    /// What nearly every processor has that has AVX2: sizes for those that do not tell theirs.
    pub const LEAST: Self = Self { level1: 32 * 1024, level2: 256 * 1024 };

    /// Those of this processor, or what `GANNET_CACHES` says: found once, and the same from then on. A setting that is not two sizes is
    /// passed over: [`Isa::resolve`](super::Isa::resolve) refuses it.
    pub fn found() -> Self {
        static FOUND: OnceLock<Caches> = OnceLock::new();
        *FOUND.get_or_init(|| Self::named().ok().flatten().or_else(Self::told).unwrap_or(Self::LEAST))
    }

    /// What the environment variable `GANNET_CACHES` says, if it is set.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] where that is not two sizes.
    pub(super) fn named() -> Result<Option<Self>> {
        let text = std::env::var_os(CACHES_VARIABLE).filter(|text| !text.is_empty());
        text.map(|text| Self::parse(&text.to_string_lossy())).transpose()
    }

    fn parse(text: &str) -> Result<Self> {
        let size = |text: &str| text.trim().parse().ok().filter(|size| *size > 0);
        let sizes = text.split_once(',').and_then(|(one, two)| Some((size(one)?, size(two)?)));
        let (level1, level2) = sizes.ok_or_else(|| {
            Error::setting(
                CACHES_VARIABLE,
                format!("`{text}` is not two sizes in bytes, of the first and the second level, such as 32768,524288"),
            )
        })?;
        Ok(Self { level1, level2 })
    }

    /// What Linux tells of the first processor's caches; one that several cores share counts whole.
    fn told() -> Option<Self> {
        let caches = Path::new("/sys/devices/system/cpu/cpu0/cache");
        let (mut level1, mut level2) = (None, None);
        for index in 0..4 {
            let read = |name| std::fs::read_to_string(caches.join(format!("index{index}/{name}")));
            let (Ok(level), Ok(kind), Ok(size)) = (read("level"), read("type"), read("size")) else { break };
            let size =
                size.trim().strip_suffix('K').and_then(|size| size.parse::<usize>().ok()).map(|size| size * 1024);
            match (level.trim(), kind.trim()) {
                ("1", "Data" | "Unified") => level1 = size,
                ("2", "Data" | "Unified") => level2 = size,
                _ => {}
            }
        }
        Some(Self { level1: level1?, level2: level2? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_others_are_refused() {
        assert_eq!(Caches::parse("32768,524288").unwrap(), Caches { level1: 32_768, level2: 524_288 });
        assert_eq!(Caches::parse("1, 2").unwrap(), Caches { level1: 1, level2: 2 });
        for text in ["x", "1", "1,", ",1", "0,1", "1,0", "-1,2", "1,2,3", "32K,512K", "1;2"] {
            let message = Caches::parse(text).unwrap_err().to_string();
            assert!(message.contains(text) && message.contains("GANNET_CACHES"), "{message}");
        }
    }

    #[test]
    fn the_processor_has_caches() {
        let Caches { level1, level2 } = Caches::found();
        assert!(level1 > 0 && level2 > 0);
    }
}
