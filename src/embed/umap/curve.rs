//! The curve that turns distances in the embedding into memberships.

/// Fits 1 / (1 + a x^(2b)) to the curve that is 1 up to `min_dist` and falls as e^(−(x − min_dist) / spread) beyond, by
/// least squares over 300 points of [0, 3 spread] (McInnes, Healy, Melville 2018, definition 11).
///
/// Levenberg and Marquardt from (1, 1), with each parameter kept positive by working on its logarithm, at a spread of 1: a
/// curve in units of the spread is that of `min_dist / spread`.
pub(crate) fn fit(spread: f64, min_dist: f64) -> (f64, f64) {
    let (a, b) = fit_one(min_dist / spread);
    // Of the extreme spreads still a number in f32.
    ((a * libm::pow(spread, -2.0 * b)).clamp(1e-37, 1e37), b)
}

fn fit_one(min_dist: f64) -> (f64, f64) {
    const POINTS: usize = 300;
    const STEPS: usize = 500;
    let x = |i: usize| 3.0 * i as f64 / (POINTS - 1) as f64;
    let target = |x: f64| if x < min_dist { 1.0 } else { libm::exp(min_dist - x) };
    let loss = |p: [f64; 2]| -> f64 {
        let (a, b) = (libm::exp(p[0]), libm::exp(p[1]));
        (0..POINTS)
            .map(|i| {
                let r = 1.0 / (1.0 + a * libm::pow(x(i), 2.0 * b)) - target(x(i));
                r * r
            })
            .sum()
    };
    let mut p = [0.0f64; 2];
    let mut best = loss(p);
    let mut damping = 1e-3;
    for _ in 0..STEPS {
        let (a, b) = (libm::exp(p[0]), libm::exp(p[1]));
        // Normal equations; the curve is 1 at x = 0 whatever the parameters.
        let (mut h, mut g) = ([[0.0; 2]; 2], [0.0; 2]);
        for i in 1..POINTS {
            let q = a * libm::pow(x(i), 2.0 * b);
            let y = 1.0 / (1.0 + q);
            let slope = -y * y * q;
            let j = [slope, slope * 2.0 * b * libm::log(x(i))];
            for r in 0..2 {
                g[r] += j[r] * (y - target(x(i)));
                for c in 0..2 {
                    h[r][c] += j[r] * j[c];
                }
            }
        }
        let mut moved = 0.0;
        loop {
            let (h00, h11) = (h[0][0] * (1.0 + damping), h[1][1] * (1.0 + damping));
            let determinant = h00 * h11 - h[0][1] * h[1][0];
            let step = [(h11 * g[0] - h[0][1] * g[1]) / determinant, (h00 * g[1] - h[1][0] * g[0]) / determinant];
            let next = [(p[0] - step[0]).clamp(-60.0, 60.0), (p[1] - step[1]).clamp(-20.0, 5.0)];
            let value = loss(next);
            if value < best {
                moved = (next[0] - p[0]).abs() + (next[1] - p[1]).abs();
                (p, best) = (next, value);
                damping = (damping * 0.3).max(1e-12);
                break;
            }
            damping *= 4.0;
            if damping > 1e12 {
                break;
            }
        }
        if moved < 1e-12 {
            break;
        }
    }
    (libm::exp(p[0]), libm::exp(p[1]))
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn published_values_are_met() {
        for (spread, min_dist, a, b) in [(1.0, 0.001, 1.929, 0.792), (1.0, 0.1, 1.577, 0.895)] {
            let (found_a, found_b) = fit(spread, min_dist);
            assert!((found_a - a).abs() < 5.5e-4 && (found_b - b).abs() < 5.5e-4, "{found_a} {found_b}");
        }
    }

    #[test]
    fn every_setting_gives_numbers() {
        for spread in [1e-3, 0.01, 0.1, 1.0, 30.0, 200.0, 1e3] {
            for share in [0.0, 0.001, 0.5, 1.0] {
                let (a, b) = fit(spread, spread * share);
                let (one, same) = fit(1.0, share);
                assert!(
                    b == same && (a / one / libm::pow(spread, -2.0 * b) - 1.0).abs() < 1e-9,
                    "{spread} {share}: {a} {b}"
                );
            }
        }
    }
}
