//! Rows of which most values are zero: what is not, row after row.

mod any;
mod columns;
mod make;

use super::rows::{Content, bits, sparse_content_hash};
use super::{Error, Result, parallel};
pub(crate) use any::{AnyRows, AnyTable, OwnTable};
pub(crate) use columns::SparseColumns;
use ndarray::Array2;
use std::cmp::Ordering;
use std::ops::Range;

/// A table of f32 of which only the values that are not zero are kept, row after row (CSR): 8 bytes for each entry and 8 for
/// each row, whatever the columns.
///
/// Columns ascend within each row, each at most once; zeros that are given (of either sign) are left out; all values are
/// finite. At most 2³² - 2 rows and 2²⁴ columns. What is computed of sparse rows is what would be computed of the dense
/// table: zero is a value, never a missing one.
///
/// ```
/// use recluster::SparseRows;
/// // As scipy's csr_matrix holds them: shape, indptr, indices, data.
/// let rows = SparseRows::new((3, 1000), vec![0, 2, 2, 3], vec![4, 999, 0], vec![1.0, 2.0, 5.0])?;
/// assert_eq!((rows.rows(), rows.columns(), rows.entries()), (3, 1000, 3));
/// assert_eq!(rows.row(0), (&[4, 999][..], &[1.0, 2.0][..]));
/// assert_eq!(rows.to_dense(1..3)?[[1, 0]], 5.0);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SparseRows {
    columns: usize,
    /// Where each row's entries begin, then their number.
    starts: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of values that are not zero.
    pub fn entries(&self) -> usize {
        self.indices.len()
    }

    /// Columns and values of a row's entries, columns ascending; nothing for a row that there is not.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        match self.starts.get(row..).and_then(|starts| starts.get(..2)) {
            Some(ends) => (&self.indices[ends[0]..ends[1]], &self.values[ends[0]..ends[1]]),
            None => (&[], &[]),
        }
    }

    /// The rows numbered `rows`, in that order; a row may come more than once.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that is no row's; [`Error::Empty`] for none.
    pub fn select(&self, rows: &[u32]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row as usize >= self.rows()) {
            return Err(Error::setting("part", format!("row {row}"), "must be a row of the table"));
        }
        if rows.is_empty() {
            return Err(Error::Empty { what: "the data", rows: 0, columns: self.columns });
        }
        Ok(self.picked(rows))
    }

    /// The rows numbered `rows`, all of which must be rows of the table.
    pub(crate) fn picked(&self, rows: &[u32]) -> Self {
        let length = |&row: &u32| self.starts[row as usize + 1] - self.starts[row as usize];
        let mut picked = SparseRows::open(self.columns, rows.iter().map(length).sum());
        rows.iter().for_each(|&row| picked.push(self.row(row as usize)));
        picked
    }

    /// Some rows with their zeros, rows x columns: for what takes dense rows, a block at a time.
    ///
    /// # Errors
    /// [`Error::Shape`] for a range that ends behind the last row, or before it begins.
    pub fn to_dense(&self, rows: Range<usize>) -> Result<Array2<f32>> {
        if rows.end > self.rows() || rows.start > rows.end {
            let what = "end of a range of rows, at least its start and at most";
            return Err(Error::Shape { what, expected: self.rows(), found: rows.end });
        }
        let numbers: Vec<u32> = rows.map(|row| row as u32).collect();
        Ok(self.dense(&numbers))
    }

    /// Some rows with their zeros, in the order given; all must be rows of the table.
    pub(crate) fn dense(&self, rows: &[u32]) -> Array2<f32> {
        let mut table = Array2::zeros((rows.len(), self.columns));
        if let Some(all) = table.as_slice_mut() {
            parallel::for_each_chunk(all, 64 * self.columns, |chunk, out| {
                for (out, &row) in out.chunks_mut(self.columns).zip(&rows[chunk * 64..]) {
                    self.scatter(row as usize, out);
                }
            });
        }
        table
    }

    /// Writes a row's entries into a dense row of zeros.
    pub(crate) fn scatter(&self, row: usize, out: &mut [f32]) {
        let (indices, values) = self.row(row);
        indices.iter().zip(values).for_each(|(&column, &value)| out[column as usize] = value);
    }

    /// All values that are not zero.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Row and column of an entry.
    fn place(&self, entry: usize) -> (usize, usize) {
        (self.starts.partition_point(|&start| start <= entry) - 1, self.indices[entry] as usize)
    }

    /// The same entries with other values.
    pub(crate) fn mapped(&self, change: impl Fn(f32) -> f32) -> SparseRows {
        let values = self.values.iter().map(|&value| change(value)).collect();
        SparseRows { columns: self.columns, starts: self.starts.clone(), indices: self.indices.clone(), values }
    }

    /// Rows with one column more, whose values `change` changes in place; the last column is 1 where it gives none, else 0.
    pub(crate) fn with_column(&self, change: impl Fn(&mut [f32]) -> Option<()> + Sync + Send) -> SparseRows {
        let parts = parallel::map_ranges(self.rows(), 256, |range| {
            let mut part = SparseRows::open(self.columns + 1, self.starts[range.end] - self.starts[range.start]);
            for row in range {
                let begin = part.values.len();
                part.push(self.row(row));
                if change(&mut part.values[begin..]).is_none() {
                    part.indices.push(self.columns as u32);
                    part.values.push(1.0);
                    part.starts.pop();
                    part.starts.push(part.values.len());
                }
            }
            part
        });
        let mut all = SparseRows::open(self.columns + 1, parts.iter().map(|part| part.indices.len()).sum());
        for part in parts {
            let begin = all.indices.len();
            all.starts.extend(part.starts[1..].iter().map(|start| begin + start));
            all.indices.extend(part.indices);
            all.values.extend(part.values);
        }
        all
    }

    /// No row yet, with room for `entries`.
    fn open(columns: usize, entries: usize) -> Self {
        let (indices, values) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        SparseRows { columns, starts: vec![0], indices, values }
    }

    /// Adds a row.
    fn push(&mut self, (indices, values): (&[u32], &[f32])) {
        self.indices.extend_from_slice(indices);
        self.values.extend_from_slice(values);
        self.starts.push(self.indices.len());
    }
}

impl Content for SparseRows {
    fn count(&self) -> usize {
        self.rows()
    }

    fn hash(&self, i: usize) -> u64 {
        let (indices, values) = self.row(i);
        sparse_content_hash(self.columns, indices, values)
    }

    /// By the first column in which the rows differ: there a zero is before all others.
    fn compare(&self, i: usize, j: usize) -> Ordering {
        let ((a, x), (b, y)) = (self.row(i), self.row(j));
        let same = a.iter().zip(b).zip(x.iter().zip(y)).take_while(|((a, b), (x, y))| a == b && x == y).count();
        match (a.get(same), b.get(same)) {
            (Some(a), Some(b)) if a == b => bits(x[same]).cmp(&bits(y[same])),
            (Some(a), Some(b)) => b.cmp(a),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}
