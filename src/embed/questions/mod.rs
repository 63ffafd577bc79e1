//! The answers of a table in one Euclidean space, before any embedder.

mod balance;
mod block;
mod impute;

use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, parallel};
use crate::table::{Part, Schema};
use crate::{Embedded, Embedder, Prepared, Result, Run, Settings};
use block::Block;
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

/// An embedder of a table's answers: it brings the questions of the rows that it is given, anew each time, into one Euclidean
/// space, and hands that on.
///
/// Rows are those of [`Schema::encode`](crate::table::Schema::encode), NaN for missing. In the space every question has an
/// expected squared distance of 1 between two random rows, whether it is a number, a level or several answers:
///
/// - A number is brought to its scale (linear, logarithm or mid-rank), values beyond the 0.5th and the 99.5th percentile count
///   as these, and all is divided by √(2 variance). A date is a number of days.
/// - An ordinal is its mid-rank, divided in the same way.
/// - A category is a column for each level, 0 or 1, divided by √(2 (1 - Σ p²)), p being the shares of the levels.
/// - Flags, or several answers to one question, are 0 or 1 each, divided by √(2 Σ p (1 - p)).
/// - A place in a cycle is a point on a circle.
///
/// No question is stretched further than to a largest squared distance of 20 between two rows: so an answer that hardly
/// anybody gives does not tear these rows away from all others. A question with one answer only has no part in the space.
/// Questions are multiplied by √weight, and where there are several groups of questions, each is divided by its first
/// singular value, as in multiple factor analysis (Escofier and Pagès, 1994), so that a group does not count for more by
/// having more questions.
///
/// A missing answer is imputed, for this space alone: see [`Questions::space`].
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
/// assert_eq!(embedding.dim(), (4, 2));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Questions<E> {
    embedder: E,
    parts: Vec<Part>,
}

impl<E> Questions<E> {
    /// Puts the space of the schema's questions in front of an embedder.
    pub fn new(embedder: E, schema: &Schema) -> Self {
        Questions { embedder, parts: schema.parts() }
    }

    /// The embedder behind.
    pub fn embedder(&self) -> &E {
        &self.embedder
    }

    /// The space of `rows` (n x features): n x some columns.
    ///
    /// A missing answer is first put at the mean of its question. Where any is missing, answers are then predicted from the
    /// first principal components of the space, twice: so rows with gaps lie among rows of alike answers and not with each
    /// other.
    ///
    /// O(n x columns), and PCA where answers are missing or questions have groups. Memory: twice the result.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty); [`Error::NotFinite`](crate::Error::NotFinite) for an infinity;
    /// [`Error::Shape`](crate::Error::Shape) when the columns are not the schema's features.
    pub fn space(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        check_count("columns, one for each feature", self.parts.len(), rows.ncols())?;
        let (checked, parts) = (Rows::with_missing(rows)?, &self.parts);
        run.install(|| {
            // Sums walk the rows in canonical order, so that their order in the table changes nothing.
            let order = Canonical::of(&checked).order;
            let questions: Vec<&[Part]> = parts.chunk_by(|a, b| a.question == b.question).collect();
            let blocks = parallel::map(questions.len(), |q| Block::of(questions[q], &checked, &order));
            let mut space = Space::join(&blocks, order.len());
            impute::gaps(&mut space, run)?;
            balance::groups(&mut space, run)?;
            Ok(space.in_order(&order))
        })?
    }
}

/// The questions side by side, rows in canonical order.
struct Space {
    values: Array2<f32>,
    /// For each column the question's group.
    group: Vec<usize>,
    /// For each column, of which feature a missing value leaves it open.
    missing: Vec<std::sync::Arc<Vec<bool>>>,
}

impl Space {
    fn join(blocks: &[Block], rows: usize) -> Self {
        let columns: Vec<(&Vec<f32>, usize, &std::sync::Arc<Vec<bool>>)> = blocks
            .iter()
            .flat_map(|block| block.columns.iter().map(|column| (&column.values, block.group, &column.missing)))
            .collect();
        let wide = columns.len();
        // Rows that differ in nothing are all at one place.
        let mut values = Array2::zeros((rows, wide.max(1)));
        if let Some(all) = values.as_slice_mut().filter(|_| wide > 0) {
            parallel::for_each_chunk(all, 256 * wide, |chunk, out| {
                for (r, row) in out.chunks_mut(wide).enumerate() {
                    row.iter_mut().zip(&columns).for_each(|(to, column)| *to = column.0[chunk * 256 + r]);
                }
            });
        }
        let group = columns.iter().map(|column| column.1).collect();
        let missing = columns.iter().map(|column| column.2.clone()).collect();
        Space { values, group, missing }
    }

    /// The values with the rows in the table's order.
    fn in_order(self, order: &[u32]) -> Array2<f32> {
        let mut all = Array2::zeros(self.values.dim());
        for (row, &to) in self.values.outer_iter().zip(order) {
            all.row_mut(to as usize).assign(&row);
        }
        all
    }
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
        self.embedder.settings().with("questions", questions)
    }
}

#[cfg(test)]
mod tests;
