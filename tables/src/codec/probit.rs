//! The quantile function of the standard normal distribution.

/// Scores of the data lie between this and its negative.
pub(super) const FARTHEST: f64 = 4.5;
/// Scores go on so far where values go on beyond the data: a normal variable is farther out once in 500 million times.
pub(super) const REACH: f64 = 6.0;

/// The number below which a standard normal variable lies with probability `share`, from 0 to 1 without the ends: P. J. Acklam, "An
/// algorithm for computing the inverse normal cumulative distribution function", 2003. Its relative error is below 1.15e-9.
pub fn probit(share: f64) -> f64 {
    /// From here down, and as far from 1, it is a function of the logarithm.
    const TAIL: f64 = 0.024_25;
    const CENTER: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const CENTER_BELOW: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const ENDS: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const ENDS_BELOW: [f64; 5] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];
    let end = |share: f64| {
        let q = (-2.0 * share.ln()).sqrt();
        polynomial(&ENDS, q) / polynomial(&ENDS_BELOW, q)
    };
    if share < TAIL {
        end(share)
    } else if share <= 1.0 - TAIL {
        let q = share - 0.5;
        polynomial(&CENTER, q * q) * q / polynomial(&CENTER_BELOW, q * q)
    } else {
        -end(1.0 - share)
    }
}

/// A polynomial, the coefficient of the highest power first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are scipy's (`scipy.stats.norm.ppf`, 1.17).
    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (share, expected) in [
            (1e-9, -5.997_807_015_007_687),
            (0.001, -3.090_232_306_167_813_5),
            (0.024, -1.977_368_428_181_947_4),
            (0.025, -1.959_963_984_540_054),
            (0.3, -0.524_400_512_708_041),
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_840_8),
        ] {
            let found = probit(share);
            assert!((found - expected).abs() <= 1.2e-9 * expected.abs(), "{share}: {found}");
            assert!((found + probit(1.0 - share)).abs() < 1e-6);
        }
    }
}
