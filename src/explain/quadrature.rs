//! Gauss-Legendre quadrature on [0, 1].

/// Points that are evaluated together; the last group is padded with points of weight 0.
pub(super) const LANES: usize = 4;

/// Points and weights in groups of [`LANES`].
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) groups: Vec<Group>,
}

/// [`LANES`] points t, their complements 1 - t, and their weights.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) t: [f64; LANES],
    pub(super) rest: [f64; LANES],
    pub(super) weight: [f64; LANES],
}

impl Rule {
    /// The rule of n points (at least one is used), exact for polynomials of degree 2 n - 1; its weights sum to 1.
    ///
    /// The points are the roots of the Legendre polynomial P_n, found by Newton's method from the starting points
    /// cos(π (i - 1/4) / (n + 1/2)); weights 2 / ((1 - x²) P_n'(x)²) (Abramowitz and Stegun 25.4.29), halved for [0, 1].
    pub(super) fn new(n: usize) -> Self {
        let n = n.max(1);
        let mut groups = vec![Group::default(); n.div_ceil(LANES)];
        for i in 0..n {
            let mut x = libm::cos(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5));
            let mut slope = 1.0;
            for _ in 0..100 {
                let (value, derivative) = legendre(n, x);
                slope = derivative;
                let step = value / derivative;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            let group = &mut groups[i / LANES];
            group.t[i % LANES] = (1.0 - x) / 2.0;
            group.rest[i % LANES] = (1.0 + x) / 2.0;
            group.weight[i % LANES] = 1.0 / ((1.0 - x * x) * slope * slope);
        }
        Rule { groups }
    }
}

/// P_n(x) and its derivative, by the three-term recurrence; |x| < 1.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monomials_are_integrated_exactly_up_to_the_promised_degree() {
        for n in 1..=40 {
            let rule = Rule::new(n);
            for degree in 0..2 * n {
                let mut sum = 0.0;
                for group in &rule.groups {
                    for lane in 0..LANES {
                        sum += group.weight[lane] * group.t[lane].powi(degree as i32);
                    }
                }
                assert!((sum - 1.0 / (degree as f64 + 1.0)).abs() < 1e-14, "{n} points, degree {degree}: {sum}");
            }
        }
    }
}
