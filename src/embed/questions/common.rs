//! What questions have in common: the factors that several of them follow.

use super::block::Block;
use super::white::White;
use crate::core::linalg;
use crate::core::parallel;
use crate::core::random::{Stream, mix};
use crate::embed::Pca;
use crate::{Error, Result, Run};
use ndarray::Array2;

/// Factors at most.
const MOST: usize = 30;
/// Rows that factors are found from, at most; fewer of wide tables.
const ROWS: usize = 20_000;
const VALUES: usize = 20_000_000;
/// Tables of shuffled questions that say what chance makes.
const SHUFFLES: u64 = 2;
const KEY: u64 = 0x7175_6573_7469_6f6e;

/// The factors of a table's questions, in the whitened space.
///
/// The model is that of probabilistic principal components (Tipping and Bishop, 1999): z = V a + e, with e of variance 1 and
/// a of the variances `signal`.
pub(super) struct Common {
    /// Columns of the whitened space x factors, orthonormal.
    axes: Array2<f64>,
    /// Variance of each factor above that of a question's own.
    signal: Vec<f64>,
}

impl Common {
    /// Principal components of the whitened questions whose variance is above that of the first one after each question's
    /// answers were shuffled (parallel analysis; Horn, 1965).
    ///
    /// A missing answer is 0, and the answers of a question that a share s of the rows has are divided by √s, so that the
    /// variance of every column stays 1; what questions share, which is then weakened by s, is scaled back.
    pub(super) fn of(blocks: &[Block], white: &[White], run: &Run) -> Result<Self> {
        let columns: usize = white.iter().map(White::columns).sum();
        let rows = blocks.first().map_or(0, |block| block.missing.len());
        let none = Common { axes: Array2::zeros((columns, 0)), signal: Vec::new() };
        if blocks.len() < 2 || columns == 0 || rows < 3 {
            return Ok(none);
        }
        let sampled = rows.min(ROWS).min((VALUES / columns.max(1)).max(2000));
        let sample: Vec<u32> = (0..sampled).map(|i| (i * rows / sampled) as u32).collect();
        let run = run.at("questions");
        let found = Pca::new(MOST).fit(&table(blocks, white, |_| sample.clone()), &run)?;
        let mut chance = 1.0f64;
        for shuffle in 0..SHUFFLES {
            let draws = Stream::new(KEY, shuffle);
            let shuffled = |question: usize| {
                let mut order = sample.clone();
                order.sort_unstable_by_key(|&row| (mix(draws.of(question as u64).bits(row.into())), row));
                order
            };
            chance = chance.max(Pca::new(1).fit(&table(blocks, white, shuffled), &run)?.explained_variance()[0]);
        }
        let variances = found.explained_variance();
        let factors = variances.iter().take_while(|&&variance| variance > chance).count();
        let present = white.iter().map(|white| white.present * white.columns() as f64).sum::<f64>() / columns as f64;
        Ok(Common {
            axes: found.components().slice(ndarray::s![..factors, ..]).t().to_owned(),
            signal: variances.iter().take(factors).map(|variance| (variance - 1.0) / present).collect(),
        })
    }

    /// Number of factors.
    pub(super) fn factors(&self) -> usize {
        self.signal.len()
    }

    /// What the factors say of each answer: row by row the mean of V a given the answers that there are, rows x columns.
    ///
    /// a = (diag(1 / signal) + V'V)⁻¹ V'z over the columns that are there, where V'V is the identity minus what the missing
    /// ones contribute.
    pub(super) fn expected(&self, blocks: &[Block], white: &[White]) -> Result<Array2<f32>> {
        let rows = blocks.first().map_or(0, |block| block.missing.len());
        let columns = self.axes.nrows();
        let mut all = Array2::<f32>::zeros((rows, columns));
        let factors = self.factors();
        let Some(values) = all.as_slice_mut().filter(|_| factors > 0) else { return Ok(all) };
        const CHUNK: usize = 128;
        let solved = std::sync::atomic::AtomicBool::new(true);
        parallel::for_each_chunk(values, CHUNK * columns, |chunk, out| {
            for (r, out) in out.chunks_mut(columns).enumerate() {
                match self.scores(blocks, white, chunk * CHUNK + r) {
                    Some(scores) => {
                        for (to, axis) in out.iter_mut().zip(self.axes.outer_iter()) {
                            *to = axis.iter().zip(&scores).map(|(v, a)| v * a).sum::<f64>() as f32;
                        }
                    }
                    None => solved.store(false, std::sync::atomic::Ordering::Relaxed),
                }
            }
        });
        let reason = "the factors of the questions have no solution; leave columns out that repeat others";
        if solved.into_inner() { Ok(all) } else { Err(Error::Unsolved { method: "questions", reason }) }
    }

    /// The mean of a row's factors.
    fn scores(&self, blocks: &[Block], white: &[White], row: usize) -> Option<Vec<f64>> {
        let k = self.factors();
        let (mut right, mut left) = (vec![0.0; k], vec![0.0; k * k]);
        for i in 0..k {
            left[i * k + i] = 1.0 + 1.0 / self.signal[i];
        }
        let mut gaps = false;
        for (block, white) in blocks.iter().zip(white) {
            for (c, z) in white.values(block, row).enumerate() {
                let axis = self.axes.row(white.first + c);
                if !block.missing[row] {
                    right.iter_mut().zip(axis).for_each(|(sum, v)| *sum += v * z);
                    continue;
                }
                gaps = true;
                for i in 0..k {
                    (0..=i).for_each(|j| left[i * k + j] -= axis[i] * axis[j]);
                }
            }
        }
        if !gaps {
            return Some(right.iter().zip(&self.signal).map(|(sum, s)| sum * s / (1.0 + s)).collect());
        }
        for i in 0..k {
            (0..i).for_each(|j| left[j * k + i] = left[i * k + j]);
        }
        let lower = linalg::cholesky(&left, k)?;
        for i in 0..k {
            let known: f64 = (0..i).map(|j| lower[i * k + j] * right[j]).sum();
            right[i] = (right[i] - known) / lower[i * k + i];
        }
        for i in (0..k).rev() {
            let known: f64 = (i + 1..k).map(|j| lower[j * k + i] * right[j]).sum();
            right[i] = (right[i] - known) / lower[i * k + i];
        }
        Some(right)
    }
}

/// The whitened answers, each question's taken from rows of its own, divided by the root of its share of answers.
fn table(blocks: &[Block], white: &[White], rows_of: impl Fn(usize) -> Vec<u32> + Sync + Send) -> Array2<f32> {
    let parts = parallel::map(blocks.len(), |question| {
        let (block, white) = (&blocks[question], &white[question]);
        let factor = 1.0 / white.present.sqrt();
        rows_of(question)
            .into_iter()
            .flat_map(|row| white.values(block, row as usize).map(|z| (z * factor) as f32).collect::<Vec<f32>>())
            .collect::<Vec<f32>>()
    });
    let columns: usize = white.iter().map(White::columns).sum();
    let rows = parts.iter().zip(white).find(|(_, white)| white.columns() > 0).map_or(0, |(p, w)| p.len() / w.columns());
    let mut all = Array2::zeros((rows, columns.max(1)));
    for (part, white) in parts.iter().zip(white).filter(|(_, white)| white.columns() > 0) {
        for (row, values) in part.chunks(white.columns()).enumerate() {
            values.iter().enumerate().for_each(|(c, &z)| all[[row, white.first + c]] = z);
        }
    }
    all
}
