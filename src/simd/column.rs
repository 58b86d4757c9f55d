//! One vector of lanes of a panel, row after row: the access pattern of kernels that carry a state down the features.
//!
//! Invariant: `next` points at lanes `lane .. lane + LANES` of a row of the panel as long as `rows > 0`. The bounds are
//! checked once, in `new`; so the loops over rows check nothing.

use std::marker::PhantomData;

use super::Simd;

/// Iterates over the rows of a panel of `width` lanes and yields lanes `lane .. lane + LANES` of each.
#[derive(Debug)]
pub struct Column<'a, S> {
    next: *const f32,
    rows: usize,
    width: usize,
    borrow: PhantomData<(&'a [f32], S)>,
}

impl<'a, S: Simd> Column<'a, S> {
    /// The column of `panel` that begins at `lane`.
    ///
    /// # Panics
    ///
    /// If the panel is not made of whole rows of `width`, or the lanes do not lie within it.
    #[inline(always)]
    pub fn new(_simd: S, panel: &'a [f32], width: usize, lane: usize) -> Self {
        let rows = check::<S>(panel.len(), width, lane);
        Self { next: panel.as_ptr().wrapping_add(lane), rows, width, borrow: PhantomData }
    }
}

impl<'a, S: Simd> Iterator for Column<'a, S> {
    type Item = &'a [f32];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [f32]> {
        self.rows = self.rows.checked_sub(1)?;
        let row = self.next;
        self.next = row.wrapping_add(self.width);
        // SAFETY: `row` points at `LANES` values of a row of the borrowed panel (the invariant, checked in `new`).
        Some(unsafe { std::slice::from_raw_parts(row, S::LANES) })
    }
}

/// [`Column`] of a panel that may be written.
#[derive(Debug)]
pub struct ColumnMut<'a, S> {
    next: *mut f32,
    rows: usize,
    width: usize,
    borrow: PhantomData<(&'a mut [f32], S)>,
}

impl<'a, S: Simd> ColumnMut<'a, S> {
    /// The column of `panel` that begins at `lane`.
    ///
    /// # Panics
    ///
    /// If the panel is not made of whole rows of `width`, or the lanes do not lie within it.
    #[inline(always)]
    pub fn new(_simd: S, panel: &'a mut [f32], width: usize, lane: usize) -> Self {
        let rows = check::<S>(panel.len(), width, lane);
        Self { next: panel.as_mut_ptr().wrapping_add(lane), rows, width, borrow: PhantomData }
    }
}

impl<'a, S: Simd> Iterator for ColumnMut<'a, S> {
    type Item = &'a mut [f32];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a mut [f32]> {
        self.rows = self.rows.checked_sub(1)?;
        let row = self.next;
        self.next = row.wrapping_add(self.width);
        // SAFETY: `row` points at `LANES` values of a row of the exclusively borrowed panel (the invariant, checked in
        // `new`), and rows do not overlap because `LANES <= width`.
        Some(unsafe { std::slice::from_raw_parts_mut(row, S::LANES) })
    }
}

/// Checks the invariant and returns the number of rows.
#[inline(always)]
fn check<S: Simd>(length: usize, width: usize, lane: usize) -> usize {
    assert!(lane <= width && S::LANES <= width - lane, "the lanes lie within the width");
    assert!(length.is_multiple_of(width), "a panel is made of whole rows");
    length / width
}
