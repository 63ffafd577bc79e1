//! Inner loops: one pair of rows, or two rows against panels of sixteen.

use super::distance::Distance;
use crate::core::simd::{LANES, multiversion};
use std::sync::Arc;

/// What is summed over the columns of two prepared rows; monotone in the distance.
#[derive(Clone)]
pub(crate) enum Kernel {
    /// Σ (x − y)²
    Squares,
    /// Σ |x − y|
    Absolutes,
    /// max |x − y|
    Largest,
    /// Σ |x − y| / (|x| + |y|), 0 / 0 = 0
    Ratios,
    /// Σ |x − y| / Σ |x + y|, 0 / 0 = 0
    Parts,
    /// Share of columns in which x ≠ y.
    Unlike,
    /// Columns in which one of x, y is zero, as a share of those in which not both are; 0 / 0 = 0
    Sets,
    /// The caller's, on whole rows.
    Own(Arc<dyn Distance>),
}

/// What a kernel adds up over the columns, and what it makes of the sums.
trait Sums {
    /// Whether [`Sums::bottom`] is needed.
    const BOTTOM: bool = false;
    fn top(x: f32, y: f32) -> f32;
    #[inline(always)]
    fn bottom(_: f32, _: f32) -> f32 {
        0.0
    }
    #[inline(always)]
    fn join(a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn end(top: f32, _bottom: f32, _columns: usize) -> f32 {
        top
    }
}

struct Squares;
impl Sums for Squares {
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        (x - y) * (x - y)
    }
}

struct Absolutes;
impl Sums for Absolutes {
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        (x - y).abs()
    }
}

struct Largest;
impl Sums for Largest {
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        (x - y).abs()
    }
    #[inline(always)]
    fn join(a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }
}

struct Ratios;
impl Sums for Ratios {
    /// Halves, so that the sum of two large numbers stays finite.
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        let whole = 0.5 * x.abs() + 0.5 * y.abs();
        (0.5 * x - 0.5 * y).abs() / if whole > 0.0 { whole } else { 1.0 }
    }
}

struct Parts;
impl Sums for Parts {
    const BOTTOM: bool = true;
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        (x - y).abs()
    }
    #[inline(always)]
    fn bottom(x: f32, y: f32) -> f32 {
        (x + y).abs()
    }
    #[inline(always)]
    fn end(top: f32, bottom: f32, _: usize) -> f32 {
        share(top, bottom)
    }
}

struct Unlike;
impl Sums for Unlike {
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        if x == y { 0.0 } else { 1.0 }
    }
    #[inline(always)]
    fn end(top: f32, _: f32, columns: usize) -> f32 {
        top / columns as f32
    }
}

struct Sets;
impl Sums for Sets {
    const BOTTOM: bool = true;
    #[inline(always)]
    fn top(x: f32, y: f32) -> f32 {
        if (x == 0.0) == (y == 0.0) { 0.0 } else { 1.0 }
    }
    #[inline(always)]
    fn bottom(x: f32, y: f32) -> f32 {
        if x == 0.0 && y == 0.0 { 0.0 } else { 1.0 }
    }
    #[inline(always)]
    fn end(top: f32, bottom: f32, _: usize) -> f32 {
        share(top, bottom)
    }
}

/// 0 / 0 = 0; more than nothing of nothing is as far as can be.
#[inline(always)]
fn share(part: f32, whole: f32) -> f32 {
    if part == 0.0 {
        0.0
    } else if whole > 0.0 {
        part / whole
    } else {
        f32::MAX
    }
}

/// NaN, as of infinity less infinity, counts as far.
#[inline(always)]
pub(crate) fn sound(value: f32) -> f32 {
    if value < f32::MAX { value } else { f32::MAX }
}

/// What a metric of one's own returned, as a distance. `f32::max` would turn NaN into 0, the nearest there is; and keys sort
/// by bits, in which minus zero is the farthest.
#[inline(always)]
fn of_own(value: f32) -> f32 {
    if value > 0.0 {
        value.min(f32::MAX)
    } else if value.is_nan() {
        f32::MAX
    } else {
        0.0
    }
}

/// One pair of rows, summed in [`LANES`] lanes.
#[inline(always)]
fn pair_body<S: Sums>(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (mut top, mut bottom) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (whole_a, rest_a) = a[..n].as_chunks::<LANES>();
    let (whole_b, rest_b) = b[..n].as_chunks::<LANES>();
    for (x, y) in whole_a.iter().zip(whole_b) {
        for l in 0..LANES {
            top[l] = S::join(top[l], S::top(x[l], y[l]));
        }
        if S::BOTTOM {
            for l in 0..LANES {
                bottom[l] += S::bottom(x[l], y[l]);
            }
        }
    }
    for (l, (&x, &y)) in rest_a.iter().zip(rest_b).enumerate() {
        top[l] = S::join(top[l], S::top(x, y));
        bottom[l] += S::bottom(x, y);
    }
    folded::<S>(top, bottom, n)
}

/// What a kernel makes of its lanes.
#[inline(always)]
fn folded<S: Sums>(mut top: [f32; LANES], mut bottom: [f32; LANES], columns: usize) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            top[l] = S::join(top[l], top[l + width]);
            bottom[l] += bottom[l + width];
        }
        width /= 2;
    }
    S::end(top[0], bottom[0], columns)
}

/// Columns, ascending, and values of a sparse row's entries.
pub(crate) type Entries<'a> = (&'a [u32], &'a [f32]);

/// Calls `each(column, x, y)` for the columns in which either row has an entry, ascending. No branch depends on which of the
/// two has it.
#[inline(always)]
pub(super) fn either((a, x): Entries<'_>, (b, y): Entries<'_>, mut each: impl FnMut(u32, f32, f32)) {
    let (mut i, mut j) = (0, 0);
    while i < a.len().min(x.len()) && j < b.len().min(y.len()) {
        let column = a[i].min(b[j]);
        let (own, other) = (a[i] == column, b[j] == column);
        each(column, if own { x[i] } else { 0.0 }, if other { y[j] } else { 0.0 });
        (i, j) = (i + usize::from(own), j + usize::from(other));
    }
    a[i..].iter().zip(&x[i..]).for_each(|(&column, &x)| each(column, x, 0.0));
    b[j..].iter().zip(&y[j..]).for_each(|(&column, &y)| each(column, 0.0, y));
}

/// [`pair_body`] of two sparse rows, to the bit: columns in which both are zero add nothing to any sum, and the others are
/// added in the same lanes in the same order.
fn pair_of_entries<S: Sums>(a: Entries<'_>, b: Entries<'_>, columns: usize) -> f32 {
    let (mut top, mut bottom) = ([0.0f32; LANES], [0.0f32; LANES]);
    either(a, b, |column, x, y| {
        let lane = column as usize % LANES;
        top[lane] = S::join(top[lane], S::top(x, y));
        if S::BOTTOM {
            bottom[lane] += S::bottom(x, y);
        }
    });
    folded::<S>(top, bottom, columns)
}

/// The value that [`sweep_body`] has for two sparse rows, to the bit.
fn swept_of_entries<S: Sums>(a: Entries<'_>, b: Entries<'_>, columns: usize) -> f32 {
    let (mut top, mut bottom) = (0.0, 0.0);
    either(a, b, |_, x, y| {
        top = S::join(top, S::top(x, y));
        if S::BOTTOM {
            bottom += S::bottom(x, y);
        }
    });
    S::end(top, bottom, columns)
}

/// The body of a sweep: two queries against sixteen rows at a time.
///
/// A panel holds sixteen rows column by column: panel[c * 16 + l] is column c of row l. Each lane sums over the columns
/// in order, so the value for a pair is the same whichever of the two is the query and whatever else is in the panel.
#[inline(always)]
fn sweep_body<S: Sums>(queries: [&[f32]; 2], panels: &[f32], out: [&mut [f32]; 2]) {
    let [q0, q1] = queries;
    let [out0, out1] = out;
    let width = q0.len();
    let q1 = &q1[..width];
    let (out0, _) = out0.as_chunks_mut::<LANES>();
    let (out1, _) = out1.as_chunks_mut::<LANES>();
    for ((panel, out0), out1) in panels.chunks_exact(width * LANES).zip(out0).zip(out1) {
        let (columns, _) = panel.as_chunks::<LANES>();
        let (mut top0, mut top1) = ([0.0f32; LANES], [0.0f32; LANES]);
        let (mut bottom0, mut bottom1) = ([0.0f32; LANES], [0.0f32; LANES]);
        for ((p, &a), &b) in columns.iter().zip(q0).zip(q1) {
            for l in 0..LANES {
                top0[l] = S::join(top0[l], S::top(a, p[l]));
            }
            for l in 0..LANES {
                top1[l] = S::join(top1[l], S::top(b, p[l]));
            }
            if S::BOTTOM {
                for l in 0..LANES {
                    bottom0[l] += S::bottom(a, p[l]);
                }
                for l in 0..LANES {
                    bottom1[l] += S::bottom(b, p[l]);
                }
            }
        }
        for l in 0..LANES {
            out0[l] = S::end(top0[l], bottom0[l], width);
            out1[l] = S::end(top1[l], bottom1[l], width);
        }
    }
}

macro_rules! kernels {
    ($($sums:ident $pair:ident $sweep:ident)*) => {
        $(
            multiversion! {
                fn $pair(a: &[f32], b: &[f32]) -> f32 {
                    pair_body::<$sums>(a, b)
                }
            }
            multiversion! {
                fn $sweep(q0: &[f32], q1: &[f32], panels: &[f32], out0: &mut [f32], out1: &mut [f32]) {
                    sweep_body::<$sums>([q0, q1], panels, [out0, out1]);
                }
            }
        )*

        /// What the kernel makes of one pair of rows.
        #[inline(always)]
        pub(crate) fn pair(kernel: &Kernel, a: &[f32], b: &[f32]) -> f32 {
            match kernel {
                $(Kernel::$sums => $pair(a, b),)*
                Kernel::Own(own) => of_own(own.distance(a, b)),
            }
        }

        /// What a sweep makes of one pair of sparse rows of `columns` columns.
        pub(super) fn swept_sparse(kernel: &Kernel, a: Entries<'_>, b: Entries<'_>, columns: usize) -> f32 {
            match kernel {
                $(Kernel::$sums => swept_of_entries::<$sums>(a, b, columns),)*
                Kernel::Own(_) => f32::MAX,
            }
        }

        /// Values of two queries against every row of the panels: `out` takes 16 numbers for each panel.
        pub(super) fn sweep(kernel: &Kernel, [q0, q1]: [&[f32]; 2], panels: &[f32], [out0, out1]: [&mut [f32]; 2]) {
            match kernel {
                $(Kernel::$sums => $sweep(q0, q1, panels, out0, out1),)*
                Kernel::Own(_) => {}
            }
        }
    };
}

kernels! {
    Squares pair_squares sweep_squares
    Absolutes pair_absolutes sweep_absolutes
    Largest pair_largest sweep_largest
    Ratios pair_ratios sweep_ratios
    Parts pair_parts sweep_parts
    Unlike pair_unlike sweep_unlike
    Sets pair_sets sweep_sets
}

/// Sum of squared differences of whole rows.
pub(crate) fn squares(a: &[f32], b: &[f32]) -> f32 {
    pair_squares(a, b)
}

/// [`squares`] of two sparse rows.
pub(super) fn sparse_squares(a: Entries<'_>, b: Entries<'_>) -> f32 {
    pair_of_entries::<Squares>(a, b, 0)
}

/// [`bytes`] of two sparse rows of whole numbers from 0 to 255: in f64 no sum is rounded.
pub(super) fn sparse_bytes(a: Entries<'_>, b: Entries<'_>) -> f32 {
    let mut sum = 0.0f64;
    either(a, b, |_, x, y| sum += f64::from((x - y) * (x - y)));
    sum as f32
}

multiversion! {
    fn pair_bytes(a: &[u8], b: &[u8]) -> u32 {
        let n = a.len().min(b.len());
        let (whole_a, rest_a) = a[..n].as_chunks::<LANES>();
        let (whole_b, rest_b) = b[..n].as_chunks::<LANES>();
        let mut sums = [0i32; LANES];
        for (x, y) in whole_a.iter().zip(whole_b) {
            for l in 0..LANES {
                // In 16 bits, so that one instruction squares and adds neighbours.
                let difference = i16::from(x[l]) - i16::from(y[l]);
                sums[l] += i32::from(difference) * i32::from(difference);
            }
        }
        let rest = rest_a.iter().zip(rest_b).map(|(&x, &y)| u32::from(x.abs_diff(y)) * u32::from(x.abs_diff(y)));
        sums.iter().map(|&sum| sum as u32).sum::<u32>() + rest.sum::<u32>()
    }
}

/// Columns up to which the squares of [`bytes`] fit.
pub(crate) const MOST_BYTES: usize = 1 << 15;

/// [`squares`] of two rows of bytes, exactly, before it is rounded to f32; up to [`MOST_BYTES`] columns.
pub(crate) fn bytes(a: &[u8], b: &[u8]) -> f32 {
    pair_bytes(a, b) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::SparseRows;
    use crate::core::random::Stream;
    use ndarray::Array2;

    #[test]
    fn sparse_rows_have_the_sums_of_dense_ones() {
        let draws = Stream::new(2, 9);
        for columns in [1, 15, 16, 17, 40, 333] {
            let dense = Array2::from_shape_fn((12, columns), |(i, j)| {
                let draw = draws.of(i as u64).normal(j as u64) as f32;
                if draw.abs() > 0.3 * i as f32 { draw } else { 0.0 }
            });
            let sparse = SparseRows::from_dense(&dense).unwrap();
            let row = |i: usize| &dense.as_slice().unwrap()[i * columns..(i + 1) * columns];
            for (i, j) in (0..12).flat_map(|i| (0..12).map(move |j| (i, j))) {
                assert_eq!(sparse_squares(sparse.row(i), sparse.row(j)), squares(row(i), row(j)), "{i} {j}");
                let panel: Vec<f32> = row(j).iter().flat_map(|&x| [x; LANES]).collect();
                for kernel in [
                    Kernel::Squares,
                    Kernel::Absolutes,
                    Kernel::Largest,
                    Kernel::Ratios,
                    Kernel::Parts,
                    Kernel::Unlike,
                    Kernel::Sets,
                ] {
                    let (mut one, mut other) = ([0.0; LANES], [0.0; LANES]);
                    sweep(&kernel, [row(i), row(i)], &panel, [&mut one, &mut other]);
                    let value = swept_sparse(&kernel, sparse.row(i), sparse.row(j), columns);
                    assert_eq!(value.to_bits(), one[3].to_bits(), "{columns} columns: {i} {j}");
                }
            }
            let whole = dense.mapv(|x| (40.0 * x.abs()).floor().min(255.0));
            let sparse = SparseRows::from_dense(&whole).unwrap();
            let small = |i: usize| whole.row(i).iter().map(|&x| x as u8).collect::<Vec<u8>>();
            for (i, j) in (0..12).map(|i| (i, (i * 5 + 1) % 12)) {
                assert_eq!(sparse_bytes(sparse.row(i), sparse.row(j)), bytes(&small(i), &small(j)));
            }
        }
    }
}
