//! Between row-major samples and panels: transpositions through a tile of 16 samples by 16 features.

use crate::simd::{Isa, Kernel, LANE_GROUP, Simd};

/// Features of a tile.
const TILE: usize = 16;

/// Rows of up to so many features are gathered value by value: a tile would be filled for a fraction.
const NARROW: usize = 4;

/// Gathers rows of a row-major `[.., features]` matrix into the lanes of a panel: lane `s` gets row `rows[s]`; the lanes from
/// `rows.len()` to `width` become 0.
///
/// # Panics
///
/// If the shapes do not fit, or a row lies outside of `data`.
pub fn gather_rows(isa: Isa, data: &[f32], features: usize, rows: &[u32], panel: &mut [f32], width: usize) {
    gather_columns(isa, data, Columns::all(features), rows, panel, width);
}

/// Some columns of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The first one.
    pub first: usize,
    /// Their number.
    pub count: usize,
    /// Columns of the matrix.
    pub of: usize,
}

impl Columns {
    /// All of `of`.
    pub const fn all(of: usize) -> Self {
        Self { first: 0, count: of, of }
    }

    /// The last `count` of `of`, or all if there are fewer.
    pub const fn last(count: usize, of: usize) -> Self {
        let first = of.saturating_sub(count);
        Self { first, count: of - first, of }
    }
}

/// [`gather_rows`] of some columns of `data`.
///
/// # Panics
///
/// If the shapes do not fit, or a row lies outside of `data`.
pub fn gather_columns(isa: Isa, data: &[f32], columns: Columns, rows: &[u32], panel: &mut [f32], width: usize) {
    check(columns.count, rows, panel, width);
    if columns.count <= NARROW {
        for (feature, lanes) in panel.chunks_exact_mut(width).enumerate() {
            let (filled, empty) = lanes.split_at_mut(rows.len());
            for (lane, &row) in filled.iter_mut().zip(rows) {
                *lane = data[row as usize * columns.of + columns.first + feature];
            }
            empty.fill(0.0);
        }
    } else {
        isa.run(Gather { data, columns, rows, panel, width, convert: Copied });
    }
}

/// The same from bytes, scaled in the same pass: `byte * scale + offset`.
///
/// # Panics
///
/// If the shapes do not fit, or a row lies outside of `data`.
pub fn gather_bytes(
    isa: Isa,
    data: &[u8],
    columns: Columns,
    rows: &[u32],
    [scale, offset]: [f32; 2],
    panel: &mut [f32],
    width: usize,
) {
    check(columns.count, rows, panel, width);
    isa.run(Gather { data, columns, rows, panel, width, convert: Scaled { scale, offset } });
}

fn check(features: usize, rows: &[u32], panel: &[f32], width: usize) {
    assert!(width > 0 && width.is_multiple_of(LANE_GROUP), "the width is a multiple of the lane group");
    assert_eq!(panel.len(), features * width, "one row of the panel for each feature");
    assert!(rows.len() <= width, "one lane for each row");
}

/// How the values of a tile become those of the panel.
trait Convert {
    type From: Copy + Default;

    fn convert<S: Simd>(&self, simd: S, from: &[Self::From]) -> S::F32;
}

struct Copied;

impl Convert for Copied {
    type From = f32;

    #[inline(always)]
    fn convert<S: Simd>(&self, simd: S, from: &[f32]) -> S::F32 {
        simd.load(from)
    }
}

struct Scaled {
    scale: f32,
    offset: f32,
}

impl Convert for Scaled {
    type From = u8;

    #[inline(always)]
    fn convert<S: Simd>(&self, simd: S, from: &[u8]) -> S::F32 {
        simd.mul_add(simd.convert_i32(simd.load_u8(from)), simd.splat(self.scale), simd.splat(self.offset))
    }
}

struct Gather<'a, C: Convert> {
    data: &'a [C::From],
    columns: Columns,
    rows: &'a [u32],
    panel: &'a mut [f32],
    width: usize,
    convert: C,
}

impl<C: Convert> Kernel for Gather<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for lane in (0..self.width).step_by(LANE_GROUP) {
            let rows = self.rows.get(lane..).unwrap_or_default();
            let rows = &rows[..rows.len().min(LANE_GROUP)];
            for (tile_index, outputs) in self.panel.chunks_mut(TILE * self.width).enumerate() {
                let first = tile_index * TILE;
                let count = TILE.min(self.columns.count - first);
                let mut tile = [[C::From::default(); LANE_GROUP]; TILE];
                for (sample, &row) in rows.iter().enumerate() {
                    let start = row as usize * self.columns.of + self.columns.first + first;
                    let values = &self.data[start..][..count];
                    for (feature, &value) in tile.iter_mut().zip(values) {
                        feature[sample] = value;
                    }
                }
                for (values, output) in tile.iter().zip(outputs.chunks_exact_mut(self.width)) {
                    let output = &mut output[lane..lane + LANE_GROUP];
                    for (from, to) in values.chunks_exact(S::LANES).zip(output.chunks_exact_mut(S::LANES)) {
                        simd.store(self.convert.convert(simd, from), to);
                    }
                    output[rows.len()..].fill(0.0);
                }
            }
        }
    }
}

/// Writes the first `samples` lanes of a panel as rows of a row-major `[samples, features]` matrix.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn scatter_rows(isa: Isa, panel: &[f32], width: usize, samples: usize, rows: &mut [f32]) {
    assert!(width > 0 && panel.len().is_multiple_of(width), "a panel is made of whole rows");
    assert!(samples <= width, "one lane for each sample");
    let features = panel.len() / width;
    assert_eq!(rows.len(), samples * features, "one row for each sample");
    if features > 0 {
        isa.run(Scatter { panel, width, features, rows });
    }
}

struct Scatter<'a> {
    panel: &'a [f32],
    width: usize,
    features: usize,
    rows: &'a mut [f32],
}

impl Kernel for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        for (group, rows) in self.rows.chunks_mut(LANE_GROUP * self.features).enumerate() {
            for (tile, features) in self.panel.chunks(TILE * self.width).enumerate() {
                for (sample, row) in rows.chunks_exact_mut(self.features).enumerate() {
                    let values = features.iter().skip(group * LANE_GROUP + sample).step_by(self.width);
                    for (to, &from) in row[tile * TILE..].iter_mut().zip(values) {
                        *to = from;
                    }
                }
            }
        }
    }
}
