//! The least and the greatest of some counts.

/// The least and the greatest of some counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) least: u16,
    pub(crate) most: u16,
}

impl Span {
    pub(crate) const NONE: Self = Self { least: u16::MAX, most: 0 };

    pub(crate) fn add(&mut self, count: u16) {
        (self.least, self.most) = (self.least.min(count), self.most.max(count));
    }

    pub(crate) fn is_none(self) -> bool {
        self.least > self.most
    }
}
