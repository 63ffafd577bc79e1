//! What is summed over the columns: the raw value of a pair, monotone in its distance, in f64.
//!
//! The kernels of [`crate::neighbors`] do not serve here: they sum in f32, in lanes. An exact tree needs sums in f64 in the
//! order of the columns, so that a pair alone, four pairs at once and a panel give the same bits.

use crate::neighbors::Metric;

/// The kind of sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Norm {
    /// Σ (x − y)²; the raw value is the squared distance.
    Squares,
    /// Σ |x − y|
    Absolutes,
    /// max |x − y|
    Largest,
}

impl Norm {
    pub(crate) fn of(metric: Metric) -> Self {
        match metric {
            Metric::Manhattan => Norm::Absolutes,
            Metric::Chebyshev => Norm::Largest,
            _ => Norm::Squares,
        }
    }

    /// The raw value of two rows, summed over the columns in order as everywhere in this room.
    pub(crate) fn measure(self, a: &[f32], b: &[f32]) -> f64 {
        let gaps = a.iter().zip(b).map(|(&x, &y)| f64::from(x) - f64::from(y));
        match self {
            Norm::Squares => gaps.fold(0.0, Squares::add),
            Norm::Absolutes => gaps.fold(0.0, Absolutes::add),
            Norm::Largest => gaps.fold(0.0, Largest::add),
        }
    }

    /// Four rows at once: the sums of a pair must run in order, those of four pairs need not wait for each other.
    pub(super) fn measure_four(self, a: &[f32], others: [&[f32]; 4]) -> [f64; 4] {
        #[inline(always)]
        fn run<N: Add>(a: &[f32], others: [&[f32]; 4]) -> [f64; 4] {
            let n = a.len();
            let [p, q, r, s] = others.map(|other| &other[..n]);
            let mut sums = [0.0; 4];
            for c in 0..n {
                let x = f64::from(a[c]);
                let gaps = [x - f64::from(p[c]), x - f64::from(q[c]), x - f64::from(r[c]), x - f64::from(s[c])];
                for (sum, gap) in sums.iter_mut().zip(gaps) {
                    *sum = N::add(*sum, gap);
                }
            }
            sums
        }
        match self {
            Norm::Squares => run::<Squares>(a, others),
            Norm::Absolutes => run::<Absolutes>(a, others),
            Norm::Largest => run::<Largest>(a, others),
        }
    }

    /// The plain distance of vectors in f64, for bounds.
    pub(super) fn distance(self, a: &[f64], b: &[f64]) -> f64 {
        let gaps = a.iter().zip(b).map(|(&x, &y)| x - y);
        match self {
            Norm::Squares => gaps.fold(0.0, Squares::add).sqrt(),
            Norm::Absolutes => gaps.fold(0.0, Absolutes::add),
            Norm::Largest => gaps.fold(0.0, Largest::add),
        }
    }

    /// A raw value as a distance in the unit of the vectors.
    pub(super) fn root(self, raw: f64) -> f64 {
        if self == Norm::Squares { raw.sqrt() } else { raw }
    }
}

/// One kind of sum, known to the compiler.
pub(super) trait Add: Copy + Send + Sync + 'static {
    /// The sum with one more column's gap.
    fn add(sum: f64, gap: f64) -> f64;
    /// The same in f32, for screening.
    fn add_rough(sum: f32, gap: f32) -> f32;
}

#[derive(Clone, Copy)]
pub(super) struct Squares;
#[derive(Clone, Copy)]
pub(super) struct Absolutes;
#[derive(Clone, Copy)]
pub(super) struct Largest;

impl Add for Squares {
    #[inline(always)]
    fn add(sum: f64, gap: f64) -> f64 {
        sum + gap * gap
    }
    #[inline(always)]
    fn add_rough(sum: f32, gap: f32) -> f32 {
        sum + gap * gap
    }
}

impl Add for Absolutes {
    #[inline(always)]
    fn add(sum: f64, gap: f64) -> f64 {
        sum + gap.abs()
    }
    #[inline(always)]
    fn add_rough(sum: f32, gap: f32) -> f32 {
        sum + gap.abs()
    }
}

impl Add for Largest {
    #[inline(always)]
    fn add(sum: f64, gap: f64) -> f64 {
        if gap.abs() > sum { gap.abs() } else { sum }
    }
    #[inline(always)]
    fn add_rough(sum: f32, gap: f32) -> f32 {
        if gap.abs() > sum { gap.abs() } else { sum }
    }
}
