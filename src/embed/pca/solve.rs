//! The directions themselves: exact on either side, and randomized.

use super::PcaModel;
use super::frame::{Frame, whole};
use super::orthonormal::{complete, orthonormal};
use crate::core::linalg::{self, dense, pairs, product};
use crate::core::random::Stream;
use crate::core::{Rows, parallel};
use crate::{Error, Result};

/// Directions that a randomized fit carries beyond those it is asked for.
pub(super) const MORE: usize = 10;
/// Pieces whose sums of columns x directions are held at once by a randomized fit.
const WAVE: usize = 8;
/// Rows in such a piece.
const PIECE: usize = 512;

pub(super) const UNSOLVED: Error = Error::Unsolved {
    method: "principal components",
    reason: "the squares of the values are too large to be added up; divide the columns by some constant",
};

/// Exact principal components of the picked rows, whose order must depend on content alone.
pub(crate) fn principal(rows: &Rows<'_>, pick: &[u32], most: usize) -> Result<PcaModel> {
    exact(Frame::of(rows, pick), rows, pick, most, &|| Ok(()))
}

pub(super) fn exact(
    frame: Frame,
    rows: &Rows<'_>,
    pick: &[u32],
    most: usize,
    step: &(dyn Fn() -> Result<()> + Sync),
) -> Result<PcaModel> {
    let n = pick.len();
    let keep = most.min(n).min(rows.columns());
    let m = frame.live.len();
    step()?;
    if m == 0 {
        return Ok(frame.model(n, keep, &[], &[], 0.0));
    }
    // The eigenvalues of both sides are the squared singular values of the centred rows.
    if m <= n {
        let row = |i: usize| rows.row(pick[i] as usize);
        let mut sums = if frame.narrow {
            let stretches = frame.stretches();
            let shift: Vec<f32> = frame.shift.iter().map(|&s| s as f32).collect();
            pairs::outer_sum(n, m, |i, out| whole(row(i), &stretches, &shift, out))
        } else {
            product::outer_sum(n, m, |i, out| frame.shifted(row(i), out))
        };
        for i in 0..m {
            for j in 0..=i {
                sums[i * m + j] -= n as f64 * frame.rest[i] * frame.rest[j];
            }
        }
        step()?;
        let total = (0..m).map(|i| sums[i * m + i].max(0.0)).sum();
        let eigen = linalg::largest(&sums, m, keep.min(m)).ok_or(UNSOLVED)?;
        Ok(frame.model(n, keep, &eigen.values, &eigen.vectors, total))
    } else {
        let mut centred = vec![0.0; n * m];
        parallel::for_each_chunk(&mut centred, m, |i, out| {
            let row = rows.row(pick[i] as usize);
            out.iter_mut().zip(&frame.live).for_each(|(out, &c)| *out = f64::from(row[c]) - frame.mean[c]);
        });
        let gram = parallel::map(n, |i| {
            let x = &centred[i * m..(i + 1) * m];
            (0..n).map(|j| if j <= i { dense::dot(x, &centred[j * m..(j + 1) * m]) } else { 0.0 }).collect::<Vec<_>>()
        })
        .concat();
        step()?;
        let total = (0..n).map(|i| gram[i * n + i]).sum();
        let eigen = linalg::largest(&gram, n, keep).ok_or(UNSOLVED)?;
        let directions = from_gram(&eigen.values, &eigen.vectors, &centred, n, m);
        Ok(frame.model(n, keep, &eigen.values, &directions, total))
    }
}

/// Eigenpairs (λ, u) of X X' give directions X'u / √λ. Directions without variance are filled up with unit vectors made
/// orthogonal to the others.
fn from_gram(values: &[f64], vectors: &[f64], centred: &[f64], n: usize, m: usize) -> Vec<f64> {
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(values.len());
    for (j, &value) in values.iter().enumerate() {
        let mut direction = vec![0.0; m];
        if value > 1e-12 * values[0].max(0.0) && value > 0.0 {
            product::add_rows(&vectors[j * n..(j + 1) * n], centred, &mut direction);
        }
        complete(&mut direction, &directions);
        directions.push(direction);
    }
    directions.concat()
}

/// Randomized subspace iteration: Z := orth(C Z), `power` + 1 times from a random block, C the centred rows' sums of
/// products, then the eigenpairs of Z'C Z (Halko, Martinsson, Tropp 2011, "Finding structure with randomness", SIAM Review
/// 53(2), algorithms 4.4 and 5.3). Their block starts half a step later: it holds A'A times ours.
///
/// C is never made: C Z = Σ over rows x (x'Z).
pub(super) fn randomized(
    rows: &Rows<'_>,
    pick: &[u32],
    most: usize,
    power: usize,
    draws: Stream,
    step: &(dyn Fn() -> Result<()> + Sync),
) -> Result<PcaModel> {
    let n = pick.len();
    let keep = most.min(n).min(rows.columns());
    let frame = Frame::of(rows, pick);
    let m = frame.live.len();
    if m == 0 {
        return Ok(frame.model(n, keep, &[], &[], 0.0));
    }
    let block = (keep + MORE).min(m);
    // Rows of `z` are columns of the table: m x block.
    let mut z: Vec<f64> = (0..m * block).map(|at| draws.normal(at as u64)).collect();
    let mut total = 0.0;
    let mut image = Vec::new();
    for round in 0..power + 2 {
        step()?;
        z = orthonormal(z, m, block);
        (image, total) = times_covariance(&frame, rows, pick, &z, block);
        if image.iter().any(|x| !x.is_finite()) {
            return Err(UNSOLVED);
        }
        if round <= power {
            z.copy_from_slice(&image);
        }
    }
    ritz(frame, n, keep, &z, &image, block, total)
}

/// The model by Rayleigh and Ritz, from an orthonormal block Z (m x block) and its image C Z.
pub(super) fn ritz(
    frame: Frame,
    n: usize,
    keep: usize,
    z: &[f64],
    image: &[f64],
    block: usize,
    total: f64,
) -> Result<PcaModel> {
    let m = frame.live.len();
    let mut ritz = vec![0.0; block * block];
    for (z, p) in z.chunks_exact(block).zip(image.chunks_exact(block)) {
        product::add_product(z, p, &mut ritz);
    }
    let eigen = linalg::largest(&ritz, block, keep.min(block)).ok_or(UNSOLVED)?;
    let mut directions = vec![0.0; keep.min(block) * m];
    for (j, direction) in directions.chunks_exact_mut(m).enumerate() {
        let turn = &eigen.vectors[j * block..(j + 1) * block];
        direction.iter_mut().zip(z.chunks_exact(block)).for_each(|(out, z)| *out = dense::dot(turn, z));
    }
    Ok(frame.model(n, keep, &eigen.values, &directions, total))
}

/// C Z (m x block), and the trace of C.
fn times_covariance(frame: &Frame, rows: &Rows<'_>, pick: &[u32], z: &[f64], block: usize) -> (Vec<f64>, f64) {
    let (n, m) = (pick.len(), frame.live.len());
    let (mut sums, mut total) = (vec![0.0; m * block], 0.0);
    for wave in pick.chunks(WAVE * PIECE) {
        let parts = parallel::map_ranges(wave.len(), PIECE, |range| {
            let (mut sums, mut squares) = (vec![0.0; m * block], 0.0);
            let (mut x, mut y) = (vec![0.0; m], vec![0.0; block]);
            for &i in &wave[range] {
                frame.shifted(rows.row(i as usize), &mut x);
                y.fill(0.0);
                product::add_rows(&x, z, &mut y);
                product::add_product(&x, &y, &mut sums);
                squares += dense::dot(&x, &x);
            }
            (sums, squares)
        });
        for (part, squares) in parts {
            sums.iter_mut().zip(&part).for_each(|(sum, x)| *sum += x);
            total += squares;
        }
    }
    // From products about the shift to products about the mean.
    let mut y = vec![0.0; block];
    product::add_rows(&frame.rest, z, &mut y);
    y.iter_mut().for_each(|y| *y *= -(n as f64));
    product::add_product(&frame.rest, &y, &mut sums);
    (sums, total - n as f64 * dense::dot(&frame.rest, &frame.rest))
}
