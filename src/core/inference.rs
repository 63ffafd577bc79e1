//! Tail probabilities and intervals of tests.

use super::numerics::exp;

/// Terms after which a series or a fraction is taken as it stands.
const MOST: usize = 10_000;

/// The probability that a chi-square variable of so many degrees of freedom is at least `x`: Q(degrees / 2, x / 2), the
/// regularised upper incomplete gamma function, by its series below the mean and by Lentz's continued fraction above. To
/// about 1e-12.
pub(crate) fn chi_square_tail(x: f64, degrees: usize) -> f64 {
    if degrees == 0 || x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    let (a, x) = (degrees as f64 / 2.0, x / 2.0);
    if x.is_infinite() {
        return 0.0;
    }
    // x^a e^-x / Γ(a).
    let scale = exp(a * libm::log(x) - x - libm::lgamma(a));
    let tail = if x < a + 1.0 { 1.0 - scale * series(a, x) } else { scale * fraction(a, x) };
    tail.clamp(0.0, 1.0)
}

/// The 97.5th percentile of the normal distribution.
pub(crate) const Z95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of a share found among `rows` rows (Wilson, "Probable inference, the law of succession, and statistical
/// inference", JASA 1927).
pub(crate) fn wilson(share: f64, rows: f64) -> [f64; 2] {
    let widen = 1.0 + Z95 * Z95 / rows;
    let middle = (share + Z95 * Z95 / (2.0 * rows)) / widen;
    let half = Z95 * (share * (1.0 - share) / rows + Z95 * Z95 / (4.0 * rows * rows)).sqrt() / widen;
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

/// The sum over n of x^n / (a (a + 1) ... (a + n)).
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    for n in 1..MOST {
        term *= x / (a + n as f64);
        sum += term;
        if term < sum * 1e-16 {
            break;
        }
    }
    sum
}

/// 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...))).
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let apart = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / apart(b));
    let mut value = d;
    for n in 1..MOST {
        let n = n as f64;
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / apart(numerator * d + b);
        c = apart(b + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{chi_square_tail, wilson};
    use approx::assert_relative_eq;

    #[test]
    fn tails_are_those_of_scipy() {
        // scipy.stats.chi2.sf(x, degrees), scipy 1.17.1.
        for (x, degrees, expected) in TAILS {
            assert_relative_eq!(chi_square_tail(x, degrees), expected, max_relative = 1e-10);
        }
        assert_eq!(
            [chi_square_tail(0.0, 3), chi_square_tail(-1.0, 3), chi_square_tail(f64::NAN, 3), chi_square_tail(5.0, 0)],
            [1.0; 4]
        );
        assert_eq!([chi_square_tail(f64::INFINITY, 3), chi_square_tail(1e9, 2)], [0.0; 2]);
    }

    #[test]
    fn intervals_are_wilsons() {
        let near = |share: f64, low: f64, high: f64| {
            let found = wilson(share, 10.0);
            assert!((found[0] - low).abs() < 5e-5 && (found[1] - high).abs() < 5e-5, "{found:?}");
        };
        near(0.8, 0.4902, 0.9433);
        // Of none and of all of ten: z² / (10 + z²).
        near(0.0, 0.0, 0.2775);
        near(1.0, 0.7225, 1.0);
    }

    #[test]
    fn tails_fall() {
        for degrees in [1, 2, 7, 60, 1000] {
            let tails: Vec<f64> =
                (0..400).map(|i| chi_square_tail(f64::from(i) * degrees as f64 / 100.0, degrees)).collect();
            assert!(tails.windows(2).all(|pair| pair[0] >= pair[1]), "{degrees}");
        }
    }

    const TAILS: [(f64, usize, f64); 13] = [
        (3.84, 1, 0.05004352124870519),
        (0.001, 1, 0.9747728793699604),
        (30.0, 1, 4.3204630578274955e-08),
        (700.0, 1, 2.990226975124623e-154),
        (1.0, 2, 0.6065306597126334),
        (2.5, 5, 0.7764950711233227),
        (11.07, 5, 0.050009618622405425),
        (90.0, 5, 6.719319364852582e-18),
        (60.0, 60, 0.4757169861063199),
        (59.0, 61, 0.5487560361317702),
        (120.0, 60, 6.876264968732136e-06),
        (999.0, 1000, 0.502975706170884),
        (1200.0, 1000, 1.2255942330622893e-05),
    ];
}
