//! A question's columns turned and scaled so that they are uncorrelated, each of variance 1.

use super::block::Block;
use crate::core::linalg;
use crate::{Error, Result};

/// Directions of a smaller share of a question's variance are left out.
const LEAST: f64 = 0.005;

/// The whitening of one question.
pub(super) struct White {
    /// Place of its first column among those of all questions.
    pub(super) first: usize,
    /// Share of the rows that have an answer.
    pub(super) present: f64,
    /// Directions, one after another, each of the block's number of columns.
    directions: Vec<f64>,
    /// Standard deviation along each.
    deviations: Vec<f64>,
}

impl White {
    /// The whitening of each block.
    pub(super) fn of_all(blocks: &[Block]) -> Result<Vec<Self>> {
        let mut first = 0;
        let mut all = Vec::with_capacity(blocks.len());
        for block in blocks {
            let white = Self::of(block, first)?;
            first += white.columns();
            all.push(white);
        }
        Ok(all)
    }

    fn of(block: &Block, first: usize) -> Result<Self> {
        let (d, rows) = (block.columns.len(), block.missing.len());
        let answers = block.missing.iter().filter(|missing| !**missing).count().max(1) as f64;
        let mut covariance = vec![0.0; d * d];
        for i in 0..d {
            for j in 0..=i {
                let (x, y) = (&block.columns[i], &block.columns[j]);
                let sum: f64 = x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
                (covariance[i * d + j], covariance[j * d + i]) = (sum / answers, sum / answers);
            }
        }
        let trace: f64 = (0..d).map(|i| covariance[i * d + i]).sum();
        let reason = "the covariances of a question have no solution";
        let eigen = linalg::symmetric(&covariance, d).ok_or(Error::Unsolved { method: "questions", reason })?;
        let (mut directions, mut deviations) = (Vec::new(), Vec::new());
        for (k, &variance) in eigen.values.iter().enumerate().filter(|(_, v)| **v > LEAST * trace && **v > 0.0) {
            let vector = &eigen.vectors[k * d..(k + 1) * d];
            directions.extend(vector);
            deviations.push(variance.sqrt());
        }
        Ok(White { first, present: answers / rows.max(1) as f64, directions, deviations })
    }

    /// Number of its columns.
    pub(super) fn columns(&self) -> usize {
        self.deviations.len()
    }

    /// The whitened answer of a row; 0 where it is missing.
    pub(super) fn values<'a>(&'a self, block: &'a Block, row: usize) -> impl Iterator<Item = f64> + 'a {
        let d = block.columns.len();
        self.deviations.iter().enumerate().map(move |(k, deviation)| {
            let direction = &self.directions[k * d..(k + 1) * d];
            direction.iter().zip(&block.columns).map(|(v, x)| v * f64::from(x[row])).sum::<f64>() / deviation
        })
    }

    /// Whitened values as values of the block's column `c`.
    pub(super) fn back(&self, white: impl Iterator<Item = f32>, c: usize) -> f64 {
        let d = self.directions.len() / self.deviations.len().max(1);
        let along = white.zip(&self.deviations).enumerate();
        along.map(|(k, (z, deviation))| f64::from(z) * deviation * self.directions[k * d + c]).sum()
    }
}
