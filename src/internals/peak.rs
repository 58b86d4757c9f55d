//! The measured limit of one core: floating-point operations a second of independent fused multiply-adds.

use std::time::{Duration, Instant};

use crate::kernel::peak::fma_flops;
use crate::simd::Isa;

/// How long one measurement takes at most: long enough for the clock to settle, short enough to repeat.
const SPAN: Duration = Duration::from_millis(10);

/// A stopwatch for one instruction set's peak.
#[derive(Debug)]
pub struct PeakMeter {
    isa: Isa,
    iterations: u64,
    found: Vec<f64>,
}

impl PeakMeter {
    /// A meter whose measurements take about 10 ms each.
    pub fn new(isa: Isa) -> Self {
        Self::spanning(isa, SPAN)
    }

    /// A meter whose measurements take between half of `span` and all of it.
    pub fn spanning(isa: Isa, span: Duration) -> Self {
        let mut iterations = 1_000;
        loop {
            let start = Instant::now();
            fma_flops(isa, iterations);
            if start.elapsed() >= span / 2 || iterations >= 1 << 40 {
                break;
            }
            iterations *= 2;
        }
        Self { isa, iterations, found: Vec::with_capacity(64) }
    }

    /// Measures once, on one thread: this one. Returns FLOP/s.
    pub fn measure(&mut self) -> f64 {
        let start = Instant::now();
        let flops = fma_flops(self.isa, self.iterations);
        let rate = flops as f64 / start.elapsed().as_secs_f64();
        self.found.push(rate);
        rate
    }

    /// The median of what was measured, in FLOP/s.
    pub fn median(&mut self) -> f64 {
        median(&mut self.found)
    }
}

/// The median of several measurements of one core's peak, in FLOP/s.
pub fn peak_flops(isa: Isa) -> f64 {
    /// Odd, so that the median is one of them; the first ones also wake the core up.
    const REPEATS: usize = 9;
    let mut meter = PeakMeter::new(isa);
    (0..REPEATS).for_each(|_| _ = meter.measure());
    meter.median()
}

/// The median; of an even number the mean of the middle two; NaN of nothing.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan());
    }
}
