//! The answers of a table in one Euclidean space, before any embedder.

mod balance;
mod block;
mod common;
mod white;

use crate::core::random::digest;
use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, parallel};
use crate::table::{Part, Schema};
use crate::{Embedded, Embedder, Error, Prepared, Result, Run, Settings};
use block::Block;
use common::Common;
use ndarray::{Array2, ArrayRef2, ArrayView2, s};
use std::borrow::Cow;
use white::White;

/// An embedder of a table's answers: it brings the questions of the rows that it is given, anew each time, into one Euclidean
/// space, and hands that on.
///
/// Rows are those of [`Schema::encode`](crate::table::Schema::encode), NaN for missing. First every question gets an expected
/// squared distance of 1 between two random rows, whether it is a number, a level or several answers:
///
/// - A number is brought to its scale (linear, logarithm or mid-rank), values beyond the 0.5th and the 99.5th percentile count
///   as these, and all is divided by √(2 variance). A date is a number of days.
/// - An ordinal is its mid-rank, divided in the same way.
/// - A category is a column for each level, 0 or 1, divided by √(2 (1 - Σ p²)), p being the shares of the levels; those that
///   fewer than one row in a hundred have are one.
/// - Flags, or several answers to one question, are 0 or 1 each, divided by √(2 Σ p (1 - p)).
/// - A place in a cycle is a point on a circle.
///
/// No question is stretched further than to a largest squared distance of 20 between two rows: so an answer that hardly
/// anybody gives does not tear these rows away from all others. A question with one answer only has no part in the space.
///
/// Rows that share a level are at distance 0 in that question, and all others far away; so each question by itself would cut
/// the rows into its levels, whatever these have to do with anything else. What makes clusters is what questions have in
/// common. Therefore the factors that several questions follow are found: principal components of the questions, each
/// whitened, whose variance is above what shuffled answers give (parallel analysis; Horn, 1965). A question of levels, or of
/// numbers of which many rows share one, enters the space as what the factors say of the row's answer, and the rest with a
/// [part](Questions::own) of 0.2; numbers enter as they are. Where no factors are found, levels have no part in the space,
/// and rows may well all be at one place: there are no clusters.
///
/// A missing answer is imputed for this space alone, as what the factors say of it, given the row's other answers.
///
/// Questions are multiplied by √weight, and where there are several groups of questions, each is divided by its first
/// singular value, as in multiple factor analysis (Escofier and Pagès, 1994), so that a group does not count for more by
/// having more questions.
///
/// ```
/// use recluster::embed::{Pca, Questions};
/// use recluster::table::{Column, Schema, Table, Values};
/// use recluster::{Embedder, Run};
/// let table = Table::new(vec![
///     Column::new("plan", Values::words(["basic", "pro", "basic", "team"].map(Some))),
///     Column::new("spent", Values::numbers([3.5, 40.25, f64::NAN, 88.0])),
/// ])?;
/// let schema = Schema::infer(&table);
/// let embedding = Questions::new(Pca::new(2), &schema).embed(&schema.encode(&table)?, &Run::new())?;
/// assert_eq!(embedding.nrows(), 4);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Questions<E> {
    embedder: E,
    parts: Vec<Part>,
    own: f64,
}

impl<E> Questions<E> {
    /// Puts the space of the schema's questions in front of an embedder.
    pub fn new(embedder: E, schema: &Schema) -> Self {
        Questions { embedder, parts: schema.parts(), own: 0.2 }
    }

    /// The part in the space of what a question of levels says by itself, and no other question does; 0 to 1, default 0.2.
    pub fn own(mut self, part: f64) -> Self {
        self.own = part;
        self
    }

    /// The embedder behind.
    pub fn embedder(&self) -> &E {
        &self.embedder
    }

    /// The space of `rows` (n x features): n x some columns.
    ///
    /// O(n x columns x (columns of a question + factors)), principal components of at most 20,000 rows, and for each row with
    /// gaps O(factors³). Memory: four times the result.
    ///
    /// # Errors
    /// [`Error::Setting`] for a part out of its range; [`Error::Empty`]; [`Error::NotFinite`] for an infinity;
    /// [`Error::Shape`] when the columns are not the schema's features; [`Error::Unsolved`] where the factors cannot be found;
    /// [`Error::Cancelled`].
    pub fn space(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        if !(0.0..=1.0).contains(&self.own) {
            return Err(Error::setting("own", self.own, "must be from 0 to 1"));
        }
        check_count("columns, one for each feature", self.parts.len(), rows.ncols())?;
        let (checked, parts, own) = (Rows::with_missing(rows)?, &self.parts, self.own);
        run.install(|| {
            // Sums walk the rows in canonical order, so that their order in the table changes nothing.
            let order = Canonical::of(&checked).order;
            let questions: Vec<&[Part]> = parts.chunk_by(|a, b| a.question == b.question).collect();
            let blocks = parallel::map(questions.len(), |q| Block::of(questions[q], &checked, &order));
            let mut space = Space::of(&blocks.into_iter().flatten().collect::<Vec<_>>(), own, run)?;
            balance::groups(&mut space, run)?;
            Ok(space.in_order(&order))
        })?
    }
}

/// The questions side by side, rows in canonical order.
struct Space {
    /// Column by column.
    columns: Vec<Vec<f32>>,
    /// For each column the question's group.
    group: Vec<usize>,
    rows: usize,
}

impl Space {
    fn of(blocks: &[Block], own: f64, run: &Run) -> Result<Self> {
        let white = White::of_all(blocks)?;
        let common = Common::of(blocks, &white, run)?;
        let expected = common.expected(blocks, &white)?;
        let alone = blocks.len() < 2;
        let parts = parallel::map(blocks.len(), |q| {
            let (block, white) = (&blocks[q], &white[q]);
            let expected = expected.slice(s![.., white.first..white.first + white.columns()]);
            match block.discrete && !alone {
                true if common.factors() == 0 => Vec::new(),
                true => shared(block, white, &expected, own),
                false => filled(block, white, &expected),
            }
        });
        let group = parts.iter().zip(blocks).flat_map(|(part, block)| part.iter().map(|_| block.group)).collect();
        let rows = expected.nrows();
        Ok(Space { columns: parts.into_iter().flatten().collect(), group, rows })
    }

    /// The space with the rows in the table's order. Without columns, all rows are at one place.
    fn in_order(self, order: &[u32]) -> Array2<f32> {
        let mut all = Array2::zeros((order.len(), self.columns.len().max(1)));
        for (place, &row) in order.iter().enumerate() {
            all.row_mut(row as usize).iter_mut().zip(&self.columns).for_each(|(to, column)| *to = column[place]);
        }
        all
    }
}

/// A question of numbers, gaps filled.
fn filled(block: &Block, white: &White, expected: &ArrayView2<'_, f32>) -> Vec<Vec<f32>> {
    let weight = block.weight.sqrt();
    let column = |(c, column): (usize, &Vec<f32>)| {
        let value = |(row, &x): (usize, &f32)| match block.missing[row] {
            true => (white.back(expected.row(row).iter().copied(), c) * weight) as f32,
            false => (f64::from(x) * weight) as f32,
        };
        column.iter().enumerate().map(value).collect()
    };
    block.columns.iter().enumerate().map(column).collect()
}

/// A question of levels: what it has in common with others, and a part of the rest. Both are whitened; all columns of the rest
/// together weigh as one.
fn shared(block: &Block, white: &White, expected: &ArrayView2<'_, f32>, own: f64) -> Vec<Vec<f32>> {
    let common = (block.weight * 0.5 * block.mean).sqrt();
    let own = own * common / (white.columns() as f64).sqrt();
    let mut columns = vec![vec![0.0; block.missing.len()]; white.columns()];
    for (row, expected) in expected.outer_iter().enumerate() {
        let present = !block.missing[row];
        for ((column, z), &r) in columns.iter_mut().zip(white.values(block, row)).zip(expected) {
            let (z, r) = (z, f64::from(r));
            column[row] = (r * common + if present { (z - r) * own } else { 0.0 }) as f32;
        }
    }
    columns
}

impl<E: Embedder> Embedder for Questions<E> {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.embedder.embed(&self.space(rows, run)?, run)
    }

    fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
        self.embedder.embed_in_full(&self.space(rows, run)?, run)
    }

    fn prepare<'a>(&'a self, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        // All parts are compared as the whole is.
        self.embedder.prepare(Cow::Owned(self.space(&rows, run)?), run)
    }

    fn takes_missing(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.embedder.name()
    }

    fn settings(&self) -> Settings {
        let questions = self.parts.chunk_by(|a, b| a.question == b.question).count();
        // What the parts are, in a word: two schemas with as many questions differ.
        let parts = format!("{:016x}", digest(format!("{:?}", self.parts).as_bytes()));
        self.embedder.settings().with("questions", questions).with("digest", parts).with("own", self.own)
    }
}

#[cfg(test)]
mod tests;
