//! Colors and sizes of all pictures.
//!
//! Sizes are pixels of a picture meant for a display of two pixels per point, so that half of each is what the eye sees.

use plotters_backend::BackendColor;

/// Red, green and blue.
pub(super) type Rgb = (u8, u8, u8);

/// The page.
pub(super) const WHITE: Rgb = (255, 255, 255);
/// Titles.
pub(super) const INK: Rgb = (28, 32, 38);
/// Labels, subtitles and notes: a contrast of 7.2 : 1 on white.
pub(super) const MUTED: Rgb = (82, 88, 97);
/// Axes and reference lines.
pub(super) const AXIS: Rgb = (140, 147, 157);
/// Grid lines.
pub(super) const GRID: Rgb = (230, 233, 237);

/// Real data and the discriminator. This color and the next are the blue and the vermilion of the palette that Okabe and Ito
/// chose to be told apart by colorblind eyes ("Color Universal Design", 2008).
pub(super) const REAL: Rgb = (0, 114, 178);
/// Generated data and the generator.
pub(super) const GENERATED: Rgb = (213, 94, 0);
/// Pixels that are not a number: no shade of grey.
pub(super) const NOT_A_NUMBER: Rgb = (255, 0, 200);

/// Font size of the title.
pub(super) const TITLE: f32 = 34.0;
/// Font size of subtitle, panel titles, legend.
pub(super) const TEXT: f32 = 25.0;
/// Font size of tick labels and notes.
pub(super) const LABEL: f32 = 22.0;
/// Space around the page.
pub(super) const MARGIN: i32 = 44;
/// Width of axes and grid lines.
pub(super) const HAIRLINE: i32 = 2;

/// A color of the backend.
pub(super) fn color(rgb: Rgb, alpha: f64) -> BackendColor {
    BackendColor { alpha, rgb }
}
