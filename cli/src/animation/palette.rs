//! At most 255 colors for the pixels of all frames.
//!
//! Charts have thousands of colors, since they are antialiased and drawn through one another, but all of them lie between a few.
//! The most frequent colors are kept as they are; no further one is taken within a radius of one that is kept, and the radius is
//! the smallest at which 255 are enough. So a pixel changes by little more than the radius, and most do not change at all.

/// Colors besides the transparent one.
const MOST_COLORS: usize = 255;

/// Bits of each channel that tell one bin of colors from another.
const BITS: usize = 6;
const BINS: usize = 1 << (3 * BITS);

/// The index of the transparent color.
pub(super) const TRANSPARENT: u8 = 0;

/// Red, green and blue.
pub(super) type Rgb = [u8; 3];

/// Colors and how often they occur: for each bin its number of pixels and its usual color.
pub(super) struct Colors {
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    pixels: u32,
    color: Rgb,
    /// How far `color` is ahead of the bin's other colors: what has the majority is found with this count alone (Boyer and
    /// Moore, "MJRTY", 1981).
    lead: u32,
}

impl Colors {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { bins: vec![Bin::default(); BINS] }
    }

    /// Counts pixels.
    pub(super) fn count(&mut self, pixels: &[Rgb]) {
        for &color in pixels {
            let bin = &mut self.bins[bin_of(color)];
            bin.pixels = bin.pixels.saturating_add(1);
            if bin.lead == 0 {
                bin.color = color;
            }
            bin.lead = if bin.color == color { bin.lead.saturating_add(1) } else { bin.lead - 1 };
        }
    }

    /// The palette for these colors.
    pub(super) fn palette(&self) -> Palette {
        let mut bins: Vec<&Bin> = self.bins.iter().filter(|bin| bin.pixels > 0).collect();
        // Stable: bins of the same number of pixels stay in their order.
        bins.sort_by_key(|bin| std::cmp::Reverse(bin.pixels));
        let mut radius = 0.0;
        let colors = loop {
            match apart(&bins, radius * radius) {
                Some(colors) => break colors,
                None => radius = (1.15 * radius + 0.5_f64).ceil(),
            }
        };
        Palette { colors, known: vec![TRANSPARENT; BINS] }
    }
}

/// The usual colors of bins but for those within a radius of an earlier one; `None` if they are too many.
fn apart(bins: &[&Bin], squared_radius: f64) -> Option<Vec<Rgb>> {
    let mut colors: Vec<Rgb> = Vec::with_capacity(MOST_COLORS);
    for bin in bins {
        if colors.iter().all(|&color| f64::from(squared_distance(color, bin.color)) > squared_radius) {
            if colors.len() == MOST_COLORS {
                return None;
            }
            colors.push(bin.color);
        }
    }
    Some(colors)
}

/// Some colors, and which of them stands for any other.
pub(super) struct Palette {
    colors: Vec<Rgb>,
    /// The index that stands for the colors of a bin; [`TRANSPARENT`] where it was not asked for yet.
    known: Vec<u8>,
}

impl Palette {
    /// Red, green and blue of each index. The transparent one is white.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [[255; 3]].iter().chain(&self.colors).flatten().copied().collect()
    }

    /// The index of the color that is nearest to those of the bin that `color` lies in.
    #[inline]
    pub(super) fn index(&mut self, color: Rgb) -> u8 {
        let known = &mut self.known[bin_of(color)];
        if *known == TRANSPARENT {
            let nearest = (0..self.colors.len()).min_by_key(|&i| squared_distance(self.colors[i], color));
            *known = nearest.map_or(TRANSPARENT, |i| i as u8 + 1);
        }
        *known
    }
}

/// The bin of a color.
#[inline]
fn bin_of([red, green, blue]: Rgb) -> usize {
    let part = |channel: u8| usize::from(channel) >> (8 - BITS);
    (part(red) << (2 * BITS)) | (part(green) << BITS) | part(blue)
}

/// The square of the distance of two colors.
#[inline]
fn squared_distance(a: Rgb, b: Rgb) -> u32 {
    let squared = |channel: usize| u32::from(a[channel].abs_diff(b[channel])).pow(2);
    squared(0) + squared(1) + squared(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The color that `palette` gives for another.
    fn shown(palette: &mut Palette, color: Rgb) -> Rgb {
        let index = palette.index(color);
        assert_ne!(index, TRANSPARENT);
        palette.bytes().as_chunks().0[usize::from(index)]
    }

    #[test]
    fn few_colors_stay_as_they_are() {
        let colors: Vec<Rgb> = (0..64).map(|i| [4 * i, 255 - 4 * i, 128]).collect();
        let mut counted = Colors::new();
        counted.count(&colors);
        let mut palette = counted.palette();
        assert!(colors.iter().all(|&color| shown(&mut palette, color) == color));
        assert_eq!(palette.bytes().len(), 3 * 65);
    }

    #[test]
    fn many_colors_change_little_and_the_most_frequent_not_at_all() {
        let mut counted = Colors::new();
        let ramp = |i: usize, j: usize| [(255 - i) as u8, (255 - i / 2 - j / 4) as u8, (255 - j / 2) as u8];
        let colors: Vec<Rgb> = (0..256 * 256).map(|k| ramp(k / 256, k % 256)).collect();
        counted.count(&colors);
        let ink = [28, 32, 38];
        counted.count(&[ink; 5000]);
        counted.count(&[[29, 33, 36]; 4000]);
        let mut palette = counted.palette();
        assert_eq!(shown(&mut palette, ink), ink);
        assert!(palette.bytes().len() <= 3 * 256);
        // An even mesh of 255 colors on this surface of some 190 x 280 would reach 16 at the corners of its squares.
        let worst = colors.iter().map(|&color| squared_distance(shown(&mut palette, color), color)).max();
        assert!(worst.unwrap() <= 20 * 20, "{worst:?}");
    }

    #[test]
    fn no_color_is_a_palette_too() {
        assert_eq!(Colors::new().palette().bytes(), [255; 3]);
    }
}
