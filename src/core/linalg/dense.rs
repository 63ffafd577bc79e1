//! Dense kernels: the symmetric eigenproblem.
//!
//! Eigenpairs: Householder tridiagonalisation, then implicit QL with Wilkinson's shift (Wilkinson, Reinsch 1971,
//! "Handbook for Automatic Computation II", contributions II/2 and II/3; Golub, Van Loan, "Matrix Computations",
//! algorithms 8.3.1 and 8.3.2). Differences: the eigenvectors are kept as rows, so that each plane rotation runs over
//! two contiguous rows and vectorises; the accumulated reflections are applied row by row for the same reason.

use crate::core::parallel;
use crate::core::random::Stream;
use crate::core::simd::multiversion;

multiversion! {
    /// Turns two rows of the vectors in their plane.
    fn rotate(a: &mut [f64], b: &mut [f64], c: f64, s: f64) {
        for (x, y) in a.iter_mut().zip(b.iter_mut()) {
            let (p, q) = (*x, *y);
            *y = s * p + c * q;
            *x = c * p - s * q;
        }
    }
}

multiversion! {
    /// y += a x
    fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += a * x;
        }
    }
}

multiversion! {
    /// Sum of x_i y_i in eight lanes.
    pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
        let n = x.len().min(y.len());
        let (x, y) = (&x[..n], &y[..n]);
        let mut lanes = [0.0f64; 8];
        let (whole_x, rest_x) = x.as_chunks::<8>();
        let (whole_y, rest_y) = y.as_chunks::<8>();
        for (a, b) in whole_x.iter().zip(whole_y) {
            for i in 0..8 {
                lanes[i] += a[i] * b[i];
            }
        }
        for (i, (a, b)) in rest_x.iter().zip(rest_y).enumerate() {
            lanes[i] += a * b;
        }
        ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
    }
}

multiversion! {
    /// One step of the symmetric rank-two update a -= v w' + w v', the row's part.
    fn rank_two(row: &mut [f64], v: &[f64], w: &[f64], vi: f64, wi: f64) {
        for ((a, v), w) in row.iter_mut().zip(v).zip(w) {
            *a -= vi * w + wi * v;
        }
    }
}

/// Eigenvalues, in no order, and as many orthonormal vectors, row after row. Only the lower triangle is read.
pub(crate) fn symmetric(matrix: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    // Scaled so that squares of entries neither overflow nor vanish.
    let size = matrix.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if size == 0.0 {
        return Some((vec![0.0; n], (0..n * n).map(|i| f64::from(i % (n + 1) == 0)).collect()));
    }
    let mut a: Vec<f64> = (0..n * n).map(|at| matrix[(at / n).max(at % n) * n + (at / n).min(at % n)] / size).collect();
    let (mut d, mut e, reflections) = tridiagonalise(&mut a, n);
    // Rows of `z` hold eigenvectors of the tridiagonal matrix after the iteration; then the reflections bring them back.
    let mut z: Vec<f64> = (0..n * n).map(|i| f64::from(i % (n + 1) == 0)).collect();
    implicit_ql(&mut d, &mut e, &mut z, n)?;
    reflect(&mut z, &reflections, n);
    Some((d.iter().map(|x| x * size).collect(), z))
}

/// The `k` largest eigenvalues, falling, and their orthonormal vectors, row after row: bisection by Sturm's sequence and
/// inverse iteration on the tridiagonal matrix (Golub, Van Loan, sections 8.4.1 and 8.4.2; Wilkinson 1965), each vector
/// made orthogonal to all before it. `None` where a vector does not come out clean: then [`symmetric`] has to do.
pub(crate) fn largest(matrix: &[f64], n: usize, k: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let size = matrix.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if size == 0.0 || k > n {
        return None;
    }
    let mut a: Vec<f64> = (0..n * n).map(|at| matrix[(at / n).max(at % n) * n + (at / n).min(at % n)] / size).collect();
    let (d, e, reflections) = tridiagonalise(&mut a, n);
    let norm = (0..n).fold(0.0f64, |m, i| m.max(d[i].abs() + e[i].abs() + if i > 0 { e[i - 1].abs() } else { 0.0 }));
    let values: Vec<f64> =
        parallel::map_ranges(k, 8, |range| range.map(|rank| bisect(&d, &e, rank, norm)).collect::<Vec<f64>>()).concat();
    let mut z: Vec<f64> = Vec::with_capacity(k * n);
    for (rank, &value) in values.iter().enumerate() {
        let vector = inverse_iteration(&d, &e, value, norm, &z, rank as u64)?;
        z.extend(vector);
    }
    reflect(&mut z, &reflections, n);
    Some((values.iter().map(|x| x * size).collect(), z))
}

/// Eigenvalue number `rank` from above of a tridiagonal matrix whose norm is at most `norm`.
fn bisect(d: &[f64], e: &[f64], rank: usize, norm: f64) -> f64 {
    // How many eigenvalues are above x: as many as the pivots of T − x that are positive.
    let above = |x: f64| {
        let (mut pivot, mut count) = (1.0f64, 0);
        for i in 0..d.len() {
            let coupled = if i > 0 { e[i - 1] * e[i - 1] / pivot } else { 0.0 };
            pivot = d[i] - x - coupled;
            if pivot.abs() < f64::MIN_POSITIVE / f64::EPSILON {
                pivot = -f64::MIN_POSITIVE / f64::EPSILON;
            }
            count += usize::from(pivot > 0.0);
        }
        count
    };
    let (mut low, mut high) = (-1.01 * norm, 1.01 * norm);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high || high - low < 1e-17 * norm {
            return middle;
        }
        if above(middle) > rank {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The unit eigenvector of `value`, orthogonal to the `found` ones (row after row).
fn inverse_iteration(d: &[f64], e: &[f64], value: f64, norm: f64, found: &[f64], rank: u64) -> Option<Vec<f64>> {
    let n = d.len();
    let tiny = f64::EPSILON * norm;
    // T − value = P L U by elimination with row exchanges: U has two diagonals above its own.
    let mut u = vec![[0.0f64; 3]; n];
    let mut multipliers = vec![(0.0f64, false); n];
    let mut current = [d[0] - value, e[0], 0.0];
    for i in 0..n - 1 {
        let mut below = [e[i], d[i + 1] - value, e[i + 1]];
        let exchanged = below[0].abs() > current[0].abs();
        if exchanged {
            std::mem::swap(&mut current, &mut below);
        }
        if current[0].abs() < tiny {
            current[0] = if current[0] < 0.0 { -tiny } else { tiny };
        }
        let m = below[0] / current[0];
        multipliers[i] = (m, exchanged);
        u[i] = current;
        current = [below[1] - m * current[1], below[2] - m * current[2], 0.0];
    }
    if current[0].abs() < tiny {
        current[0] = if current[0] < 0.0 { -tiny } else { tiny };
    }
    u[n - 1] = [current[0], 0.0, 0.0];
    let draws = Stream::new(rank, 0x696e_7665);
    let mut x: Vec<f64> = (0..n).map(|i| draws.uniform(i as u64) - 0.5).collect();
    for round in 0..6 {
        if round > 0 {
            for i in 0..n - 1 {
                let (m, exchanged) = multipliers[i];
                if exchanged {
                    x.swap(i, i + 1);
                }
                x[i + 1] -= m * x[i];
            }
        }
        for i in (0..n).rev() {
            let [diagonal, next, second] = u[i];
            let known = if i + 1 < n { next * x[i + 1] } else { 0.0 } + if i + 2 < n { second * x[i + 2] } else { 0.0 };
            x[i] = (x[i] - known) / diagonal;
        }
        let most = x.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        if !(most > 0.0 && most.is_finite()) {
            return None;
        }
        x.iter_mut().for_each(|x| *x /= most);
        for _ in 0..2 {
            for other in found.chunks_exact(n) {
                let along = dot(&x, other);
                axpy(-along, other, &mut x);
            }
        }
        let length = libm::sqrt(dot(&x, &x));
        if length < 1e-200 {
            return None;
        }
        x.iter_mut().for_each(|x| *x /= length);
        let residual = (0..n).fold(0.0f64, |most, i| {
            let left = if i > 0 { e[i - 1] * x[i - 1] } else { 0.0 };
            let right = if i + 1 < n { e[i] * x[i + 1] } else { 0.0 };
            most.max((left + (d[i] - value) * x[i] + right).abs())
        });
        // One round more than it takes costs little and cleans the vector of its neighbours.
        if round > 1 && residual < 64.0 * tiny {
            return Some(x);
        }
    }
    None
}

/// Applies the reflections to each row of `z`, the last first.
fn reflect(z: &mut [f64], reflections: &[(Vec<f64>, f64)], n: usize) {
    parallel::for_each_chunk(z, 8 * n, |_, rows| {
        for row in rows.chunks_mut(n) {
            for (k, (v, scale)) in reflections.iter().enumerate().rev() {
                let tail = &mut row[k + 1..];
                let product = scale * dot(v, tail);
                axpy(-product, v, tail);
            }
        }
    });
}

/// The diagonal, the off-diagonal and the reflections (v, 2 / v'v), of which number k acts on entries k + 1.. .
///
/// The working matrix is kept whole. A step's update waits for the next step, whose product with the matrix needs the same
/// rows: each of them is read once a step.
#[allow(clippy::type_complexity)]
fn tridiagonalise(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<(Vec<f64>, f64)>) {
    /// Rows in a piece of parallel work.
    const ROWS: usize = 64;
    let mut off = vec![0.0; n];
    let mut reflections: Vec<(Vec<f64>, f64)> = Vec::with_capacity(n.saturating_sub(1));
    // The w of the last reflection, while its update is due to rows k.. .
    let mut due: Option<Vec<f64>> = None;
    for k in 0..n.saturating_sub(1) {
        let (above, below) = a.split_at_mut((k + 1) * n);
        let top = &mut above[k * n + k..];
        let old = due.take().map(|w| (&reflections[k - 1].0, w));
        if let Some((v, w)) = &old {
            rank_two(top, v, w, v[0], w[0]);
        }
        // Column k below the diagonal equals row k right of it.
        let mut v: Vec<f64> = top[1..].to_vec();
        let norm = libm::sqrt(dot(&v, &v));
        let rest = libm::sqrt(dot(&v[1..], &v[1..]));
        let turns = k + 2 < n && rest != 0.0;
        let scale = if turns {
            let alpha = if v[0] > 0.0 { -norm } else { norm };
            off[k] = alpha;
            v[0] -= alpha;
            2.0 / dot(&v, &v)
        } else {
            off[k] = v[0];
            0.0
        };
        // p = scale A v; w = p - (scale / 2)(p'v) v; A -= v w' + w v'.
        if turns || old.is_some() {
            parallel::for_each_chunk(below, ROWS * n, |chunk, rows| {
                for (r, row) in rows.chunks_exact_mut(n).enumerate() {
                    if let Some((v, w)) = &old {
                        let i = chunk * ROWS + r + 1;
                        rank_two(&mut row[k + 1..], &v[1..], &w[1..], v[i], w[i]);
                    }
                    if turns {
                        // Nothing else is read left of the diagonal.
                        row[k] = scale * dot(&row[k + 1..], &v);
                    }
                }
            });
        }
        if turns {
            let mut w: Vec<f64> = below.iter().skip(k).step_by(n).copied().collect();
            let half = 0.5 * scale * dot(&w, &v);
            axpy(-half, &v, &mut w);
            due = Some(w);
            reflections.push((v, scale));
        } else {
            reflections.push((Vec::new(), 0.0));
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), off, reflections)
}

/// Implicit QL with Wilkinson's shift. `e[i]` couples i and i + 1.
fn implicit_ql(d: &mut [f64], e: &mut [f64], z: &mut [f64], n: usize) -> Option<()> {
    const SWEEPS: usize = 60;
    if n > 0 {
        e[n - 1] = 0.0;
    }
    // What is below rounding of the whole matrix counts as zero. Measured against its two neighbours on the diagonal
    // alone, an entry among eigenvalues of zero (rank below n, as with constant columns) never gets small enough.
    let size = d.iter().zip(e.iter()).fold(0.0f64, |most, (d, e)| most.max(d.abs() + e.abs()));
    let zero = f64::EPSILON * size;
    for l in 0..n {
        for sweep in 0.. {
            let m = (l..n - 1).find(|&m| e[m].abs() <= zero).unwrap_or(n - 1);
            if m == l {
                break;
            }
            if sweep == SWEEPS {
                return None;
            }
            let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut r = libm::hypot(g, 1.0);
            g = d[m] - d[l] + e[l] / (g + if g >= 0.0 { r } else { -r });
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut early = false;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                r = libm::hypot(f, g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    early = true;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2.0 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
                let (lower, upper) = z.split_at_mut((i + 1) * n);
                rotate(&mut lower[i * n..], &mut upper[..n], c, s);
            }
            if early {
                continue;
            }
            d[l] -= p;
            e[l] = g;
            e[m] = 0.0;
        }
    }
    Some(())
}
