//! Sparse rows from what others hold, checked.

use super::SparseRows;
use crate::core::shape::check_count;
use crate::{Error, Result};
use ndarray::ArrayRef2;

/// Most rows: numbers of 32 bits.
const MOST_ROWS: usize = u32::MAX as usize - 1;
/// Most columns, since what is learnt of a table takes memory for each.
const MOST_COLUMNS: usize = 1 << 24;

impl SparseRows {
    /// From the parts of a CSR matrix, as scipy's `csr_matrix` has them: `shape` is (rows, columns); the entries of row i are
    /// those from `indptr[i]` to `indptr[i + 1]`, with their columns in `indices` and their values in `data`.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows or columns; [`Error::TooManyRows`]; [`Error::Setting`] for too many columns, and for an
    /// `indptr` that does not begin at 0 or falls; [`Error::Shape`] for parts of unlike lengths; [`Error::Entry`] for a
    /// column that is not below `columns` or does not come after the one before it in its row (scipy's `sort_indices` and
    /// `sum_duplicates` mend that); [`Error::NotFinite`] for a value that is NaN or infinite.
    pub fn new((rows, columns): (usize, usize), indptr: Vec<usize>, indices: Vec<u32>, data: Vec<f32>) -> Result<Self> {
        check_shape(rows, columns)?;
        check_count("places in indptr, one for each row and one more", rows + 1, indptr.len())?;
        check_count("values of sparse rows, one for each column named", indices.len(), data.len())?;
        if indptr[0] != 0 {
            return Err(Error::setting("indptr", indptr[0], "must begin at 0"));
        }
        check_count("the last place in indptr, the number of entries", indices.len(), indptr[rows])?;
        if let Some(row) = indptr.windows(2).position(|ends| ends[0] > ends[1]) {
            let value = format!("{} after {} (row {row})", indptr[row + 1], indptr[row]);
            return Err(Error::setting("indptr", value, "must not fall"));
        }
        let mut made = SparseRows { columns, starts: indptr, indices, values: data };
        for row in 0..rows {
            made.check_row(row)?;
        }
        made.leave_out_zeros();
        Ok(made)
    }

    /// From entries in any order: entry i is `values[i]` at row `rows[i]`, column `columns[i]`, as in scipy's `coo_matrix`.
    ///
    /// # Errors
    /// Those of [`SparseRows::new`]: a place that comes twice is an [`Error::Entry`], counted in the order of rows and
    /// columns.
    ///
    /// ```
    /// use recluster::SparseRows;
    /// let rows = SparseRows::from_entries((2, 10), &[1, 0, 1], &[9, 3, 0], &[1.0, 2.0, 3.0])?;
    /// assert_eq!(rows.row(1), (&[0, 9][..], &[3.0, 1.0][..]));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn from_entries(shape: (usize, usize), rows: &[u32], columns: &[u32], values: &[f32]) -> Result<Self> {
        check_shape(shape.0, shape.1)?;
        check_count("columns of entries, one for each row named", rows.len(), columns.len())?;
        check_count("values of sparse rows, one for each column named", columns.len(), values.len())?;
        if let Some((entry, &row)) = rows.iter().enumerate().find(|&(_, &row)| row as usize >= shape.0) {
            return Err(Error::Entry { row: row as usize, entry, reason: "there is no such row" });
        }
        let mut starts = vec![0usize; shape.0 + 1];
        rows.iter().for_each(|&row| starts[row as usize + 1] += 1);
        for row in 0..shape.0 {
            starts[row + 1] += starts[row];
        }
        let (mut next, mut entries) = (starts.clone(), vec![(0u32, 0.0f32); rows.len()]);
        for ((&row, &column), &value) in rows.iter().zip(columns).zip(values) {
            let at = &mut next[row as usize];
            entries[*at] = (column, value);
            *at += 1;
        }
        drop(next);
        starts.windows(2).for_each(|ends| entries[ends[0]..ends[1]].sort_by_key(|entry| entry.0));
        let (indices, values) = entries.into_iter().unzip();
        SparseRows::new(shape, starts, indices, values)
    }

    /// What is not zero in a dense table, rows x columns.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::NotFinite`]; [`Error::TooManyRows`]; [`Error::Setting`] for too many columns.
    pub fn from_dense(table: &ArrayRef2<f32>) -> Result<Self> {
        let (rows, columns) = table.dim();
        check_shape(rows, columns)?;
        let (mut starts, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in table.rows() {
            for (&value, column) in row.iter().zip(0..).filter(|(value, _)| **value != 0.0) {
                indices.push(column);
                values.push(value);
            }
            starts.push(indices.len());
        }
        SparseRows::new((rows, columns), starts, indices, values)
    }

    fn check_row(&self, row: usize) -> Result<()> {
        let (indices, values) = self.row(row);
        let broken = |at: usize, reason| Err(Error::Entry { row, entry: self.starts[row] + at, reason });
        for (at, (&column, &value)) in indices.iter().zip(values).enumerate() {
            if column as usize >= self.columns {
                return broken(at, "its column is not below the number of columns");
            }
            match at.checked_sub(1).map(|before| indices[before]) {
                Some(before) if before == column => return broken(at, "its column comes twice"),
                Some(before) if before > column => return broken(at, "its column comes before the last entry's"),
                _ => {}
            }
            if !value.is_finite() {
                return Err(Error::NotFinite { what: "the data", row, column: column as usize, value });
            }
        }
        Ok(())
    }

    fn leave_out_zeros(&mut self) {
        if self.values.iter().all(|&value| value != 0.0) {
            return;
        }
        let (mut kept, mut from) = (0, 0);
        for row in 0..self.rows() {
            let end = self.starts[row + 1];
            for at in from..end {
                if self.values[at] != 0.0 {
                    (self.indices[kept], self.values[kept]) = (self.indices[at], self.values[at]);
                    kept += 1;
                }
            }
            self.starts[row + 1] = kept;
            from = end;
        }
        self.indices.truncate(kept);
        self.values.truncate(kept);
    }
}

fn check_shape(rows: usize, columns: usize) -> Result<()> {
    if rows == 0 || columns == 0 {
        return Err(Error::Empty { what: "the data", rows, columns });
    }
    if rows > MOST_ROWS {
        return Err(Error::TooManyRows { rows, most: MOST_ROWS });
    }
    match columns > MOST_COLUMNS {
        true => Err(Error::setting("columns", columns, "must be at most 16,777,216")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;
    use crate::core::{Canonical, Rows, content_hash};
    use ndarray::{Array2, array};

    /// One value in `every` is not zero.
    fn table(rows: usize, columns: usize, every: usize) -> Array2<f32> {
        let draws = Stream::new(5, 5);
        Array2::from_shape_fn((rows, columns), |(i, j)| {
            let draw = draws.bits((i / 2 * columns + j) as u64) as usize;
            if draw.is_multiple_of(every) { (draw / every % 7) as f32 - 2.0 } else { 0.0 }
        })
    }

    #[test]
    fn sparse_rows_are_in_the_order_of_the_dense_ones() {
        for columns in [1, 2, 3, 4, 5, 7, 8, 63, 400] {
            let dense = table(60, columns, 3);
            let sparse = SparseRows::from_dense(&dense).unwrap();
            for (i, row) in dense.rows().into_iter().enumerate() {
                use crate::core::rows::Content;
                assert_eq!(sparse.hash(i), content_hash(row.as_slice().unwrap()), "{columns} columns, row {i}");
                let checked = Rows::finite(&dense).unwrap();
                (0..60).for_each(|j| assert_eq!(sparse.compare(i, j), checked.compare(i, j), "{i} {j}"));
            }
            let (own, other) = (Canonical::of(&sparse), Canonical::of(&Rows::finite(&dense).unwrap()));
            assert_eq!((own.order, own.starts), (other.order, other.starts));
        }
    }

    #[test]
    fn entries_come_back_from_every_side() {
        let dense = table(37, 1200, 9);
        let sparse = SparseRows::from_dense(&dense).unwrap();
        assert_eq!(sparse.to_dense(0..37).unwrap(), dense);
        assert_eq!(sparse.to_dense(5..5).unwrap().dim(), (0, 1200));
        let pick = [3u32, 36, 3, 0];
        let chosen = sparse.select(&pick).unwrap();
        assert_eq!(chosen.to_dense(0..4).unwrap(), dense.select(ndarray::Axis(0), &[3, 36, 3, 0]));
        let columns = sparse.by_column(&pick);
        assert_eq!(columns.len(), 1200);
        let mut back = Array2::<f32>::zeros((4, 1200));
        for c in 0..1200 {
            let (places, values) = columns.column(c);
            assert!(places.is_sorted());
            places.iter().zip(values).for_each(|(&place, &value)| back[[place as usize, c]] = value);
        }
        assert_eq!(back, chosen.to_dense(0..4).unwrap());
        // The same entries from the last to the first.
        let all: Vec<(u32, u32, f32)> = (0..37u32)
            .flat_map(|i| {
                let (indices, values) = sparse.row(i as usize);
                indices.iter().zip(values).map(move |(&j, &x)| (i, j, x)).collect::<Vec<_>>()
            })
            .rev()
            .collect();
        let part = |of: fn(&(u32, u32, f32)) -> u32| all.iter().map(of).collect::<Vec<u32>>();
        let values: Vec<f32> = all.iter().map(|entry| entry.2).collect();
        let again = SparseRows::from_entries((37, 1200), &part(|e| e.0), &part(|e| e.1), &values).unwrap();
        assert_eq!(again, sparse);
        let more = sparse.with_column(|values| {
            values.iter_mut().for_each(|value| *value *= 2.0);
            (values.len() != sparse.row(4).0.len()).then_some(())
        });
        assert_eq!(more.columns(), 1201);
        let more = more.to_dense(0..37).unwrap();
        assert_eq!(more.slice(ndarray::s![.., ..1200]), 2.0 * &dense);
        for i in 0..37 {
            let expected = if sparse.row(i).0.len() == sparse.row(4).0.len() { 1.0 } else { 0.0 };
            assert_eq!(more[[i, 1200]], expected, "{i}");
        }
    }

    #[test]
    fn zeros_are_left_out_and_rows_may_be_without_entries() {
        let sparse = SparseRows::new((3, 4), vec![0, 2, 2, 4], vec![0, 3, 1, 2], vec![0.0, 2.0, -0.0, 1.0]).unwrap();
        assert_eq!(sparse.entries(), 2);
        assert_eq!(
            sparse,
            SparseRows::from_dense(&array![[0.0, 0.0, 0.0, 2.0], [0.0; 4], [0.0, 0.0, 1.0, 0.0]]).unwrap()
        );
        assert_eq!((sparse.row(1), sparse.row(3)), ((&[][..], &[][..]), (&[][..], &[][..])));
        assert_eq!(SparseRows::new((2, 5), vec![0, 0, 0], vec![], vec![]).unwrap().entries(), 0);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let csr = |shape, indptr: &[usize], indices: &[u32], data: &[f32]| {
            SparseRows::new(shape, indptr.to_vec(), indices.to_vec(), data.to_vec()).unwrap_err()
        };
        let (indptr, data) = (&[0usize, 2, 3][..], &[1.0f32, 2.0, 3.0][..]);
        let entry = |error| match error {
            Error::Entry { row, entry, .. } => (row, entry),
            other => panic!("{other}"),
        };
        assert_eq!(entry(csr((2, 3), indptr, &[1, 1, 0], data)), (0, 1));
        assert_eq!(entry(csr((2, 3), indptr, &[2, 1, 0], data)), (0, 1));
        assert_eq!(entry(csr((2, 3), indptr, &[0, 2, 3], data)), (1, 2));
        assert!(matches!(
            csr((2, 3), indptr, &[0, 2, 1], &[1.0, 2.0, f32::NAN]),
            Error::NotFinite { row: 1, column: 1, .. }
        ));
        assert!(matches!(csr((2, 3), &[0, 2], &[0, 2], &[1.0, 2.0]), Error::Shape { expected: 3, found: 2, .. }));
        assert!(matches!(csr((2, 3), indptr, &[0, 2, 1], &[1.0]), Error::Shape { .. }));
        assert!(matches!(csr((2, 3), &[0, 2, 2], &[0, 2, 1], data), Error::Shape { .. }));
        assert!(matches!(csr((2, 3), &[0, 5, 3], &[0, 2, 1], data), Error::Setting { name: "indptr", .. }));
        assert!(matches!(csr((2, 3), &[1, 2, 3], &[0, 2, 1], data), Error::Setting { name: "indptr", .. }));
        assert!(matches!(csr((0, 3), &[0], &[], &[]), Error::Empty { .. }));
        assert!(matches!(csr((2, 0), &[0, 0, 0], &[], &[]), Error::Empty { .. }));
        assert!(matches!(csr((usize::MAX, 3), &[0], &[], &[]), Error::TooManyRows { .. }));
        assert!(matches!(csr((1, usize::MAX), &[0, 0], &[], &[]), Error::Setting { name: "columns", .. }));
        let twice = SparseRows::from_entries((2, 3), &[1, 0, 1], &[2, 0, 2], &[1.0; 3]).unwrap_err();
        assert_eq!(entry(twice), (1, 2));
        assert_eq!(entry(SparseRows::from_entries((2, 3), &[1, 2], &[2, 0], &[1.0; 2]).unwrap_err()), (2, 1));
        let rows = SparseRows::new((2, 3), vec![0, 1, 2], vec![0, 1], vec![1.0, 1.0]).unwrap();
        assert!(rows.to_dense(1..3).is_err() && rows.select(&[2]).is_err() && rows.select(&[]).is_err());
    }
}
