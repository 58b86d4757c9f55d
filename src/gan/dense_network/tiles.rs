//! How the rows of a batch are laid out: in tiles, each on a tape of its own, and in slots, each of which adds up the gradients of its
//! tiles in order.
//!
//! Everything that results depend on follows from the network and the number of rows in the call, never from the number of threads or
//! from the most rows that there is room for.

use crate::gan::plan::{MOST_SLOTS, TILE_PARAMETERS, TILE_WIDTH, wide_panel};
use crate::net::panels::Panels;
use crate::net::parameters::ParameterLayout;
use crate::simd::LANE_GROUP;

/// Rows in work on one tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// The first row.
    pub(super) first: usize,
    /// The panels that hold them.
    pub(super) panels: Panels,
}

/// The tiles of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tiles {
    rows: usize,
    /// Samples of a panel.
    width: usize,
    /// Whether a tile is a panel, which one worker carries through all layers; else one tile holds all rows, and all workers share each
    /// of its products.
    small: bool,
}

/// Whether a network's parameters fit the caches beside a tile.
pub(super) fn is_small(layout: &ParameterLayout) -> bool {
    layout.len() <= TILE_PARAMETERS
}

impl Tiles {
    /// The tiles of `rows` rows, at least one.
    pub(super) fn new(small: bool, rows: usize) -> Self {
        let width = match small {
            true => rows.div_ceil(rows.div_ceil(TILE_WIDTH)).next_multiple_of(LANE_GROUP),
            false => wide_panel(rows),
        };
        Self { rows, width, small }
    }

    /// All rows.
    pub(super) fn rows(self) -> usize {
        self.rows
    }

    /// Rows of a panel; the last may have fewer.
    pub(super) fn width(self) -> usize {
        self.width
    }

    /// How many there are.
    pub(super) fn count(self) -> usize {
        if self.small { self.rows.div_ceil(self.width) } else { 1 }
    }

    /// Rows of a tile; the last may have fewer.
    pub(super) fn rows_of_tile(self) -> usize {
        if self.small { self.width } else { self.rows }
    }

    /// Tile `index`.
    pub(super) fn tile(self, index: usize) -> Tile {
        let first = index * self.rows_of_tile();
        let samples = self.rows_of_tile().min(self.rows - first);
        let panels = Panels { count: samples.div_ceil(self.width), width: self.width, parts: 1, blocks: 1, samples };
        Tile { first, panels }
    }

    /// Tiles of a slot; the last may have fewer.
    pub(super) fn tiles_of_slot(self) -> usize {
        self.count().div_ceil(MOST_SLOTS)
    }

    /// Slots.
    pub(super) fn slots(self) -> usize {
        self.count().div_ceil(self.tiles_of_slot())
    }
}

/// What batches of up to so many rows need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) tapes: usize,
    /// Lanes of each.
    pub(super) lanes: usize,
    pub(super) slots: usize,
}

impl Room {
    /// For batches of 1 to `most_rows` rows.
    pub(super) fn new(small: bool, most_rows: usize) -> Self {
        if small {
            let tapes = most_rows.div_ceil(TILE_WIDTH);
            let lanes = most_rows.min(TILE_WIDTH).next_multiple_of(LANE_GROUP);
            return Self { tapes, lanes, slots: tapes.min(MOST_SLOTS) };
        }
        // A batch gets wider panels only where these leave no more lanes empty.
        Self { tapes: 1, lanes: most_rows.next_multiple_of(wide_panel(most_rows.min(NARROWEST))), slots: 1 }
    }
}

/// Rows from which on the panels of wide networks are no narrower.
const NARROWEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_rows_once_and_fit_the_room() {
        for small in [true, false] {
            for most in [1, 15, 16, 17, 63, 64, 65, 100, 128, 129, 700, 4_096, 4_097, 10_000] {
                let room = Room::new(small, most);
                for rows in (1..=most.min(600)).chain([most]) {
                    let tiles = Tiles::new(small, rows);
                    let mut next = 0;
                    for index in 0..tiles.count() {
                        let Tile { first, panels } = tiles.tile(index);
                        assert_eq!(first, next);
                        assert!(panels.samples > 0 && panels.lanes() <= room.lanes, "{rows} of {most}: {panels:?}");
                        assert!(panels.width.is_multiple_of(LANE_GROUP) && panels.lanes() >= panels.samples);
                        next += panels.samples;
                    }
                    assert_eq!(next, rows);
                    assert!(tiles.count() <= room.tapes && tiles.slots() <= room.slots, "{rows} of {most}");
                }
            }
        }
    }
}
