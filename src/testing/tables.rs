//! Small tables for the checks.

use crate::core::random::Stream;
use ndarray::{Array2, ArrayRef2, Axis};

/// Three groups of 60 rows and ten rows between them, 4 columns, in no order.
pub(super) fn groups() -> Array2<f32> {
    let draws = Stream::new(1, 1);
    let table = Array2::from_shape_fn((190, 4), |(i, j)| {
        if i >= 180 {
            return (12.0 * draws.uniform((i * 4 + j) as u64)) as f32;
        }
        let centre = if (i % 3 + 1) & (1 << (j % 2)) != 0 { 10.0 } else { 0.0 };
        centre + draws.normal((i * 4 + j) as u64) as f32
    });
    table.select(Axis(0), &shuffled(190, 0))
}

/// Whole numbers from a small range: ties everywhere, and some rows that are equal.
pub(super) fn ties(columns: usize) -> Array2<f32> {
    let draws = Stream::new(2, 1);
    Array2::from_shape_fn((120, columns), |(i, j)| (20 * (i % 2) + draws.below((i * columns + j) as u64, 4)) as f32)
}

/// Every row of a table of up to 40 rows three times, in no order.
pub(super) fn threefold(table: &ArrayRef2<f32>) -> Array2<f32> {
    let n = table.nrows().min(40);
    let order: Vec<usize> = shuffled(3 * n, 1).into_iter().map(|i| i % n).collect();
    table.select(Axis(0), &order)
}

/// Degenerate tables.
pub(super) fn odd(columns: usize) -> Vec<(&'static str, Array2<f32>)> {
    let small = |i: usize, j: usize| ((i * 7 + j * 3) % 11) as f32;
    vec![
        ("no rows", Array2::zeros((0, columns))),
        ("no columns", Array2::zeros((5, 0))),
        ("one row", Array2::from_elem((1, columns), 2.0)),
        ("two rows", Array2::from_shape_fn((2, columns), |(i, j)| (i * (j + 1)) as f32)),
        ("one column", Array2::from_shape_fn((60, 1), |(i, _)| (i % 17) as f32)),
        ("60 equal rows", Array2::from_elem((60, columns), 1.5)),
        ("all zeros", Array2::zeros((60, columns))),
        ("a constant column", Array2::from_shape_fn((60, columns), |(i, j)| if j == 0 { 7.0 } else { small(i, j) })),
        ("two different rows", Array2::from_shape_fn((60, columns), |(i, _)| (i % 2) as f32)),
        ("fewer rows than columns", Array2::from_shape_fn((9, 4 * columns), |(i, j)| small(i * i, j))),
        ("values of 1e37", Array2::from_shape_fn((50, columns), |(i, j)| 1e37 * small(i, j))),
        ("values of 1e-40", Array2::from_shape_fn((50, columns), |(i, j)| 1e-40 * small(i, j))),
        ("the largest values", Array2::from_shape_fn((50, columns), |(i, j)| f32::MAX * (small(i, j) / 5.0 - 1.0))),
        (
            "columns on unlike scales",
            Array2::from_shape_fn((50, columns), |(i, j)| small(i, j) * [1e-20, 1.0, 1e20][j % 3]),
        ),
    ]
}

/// A permutation of 0..n, always the same one.
pub(super) fn shuffled(n: usize, which: u64) -> Vec<usize> {
    let draws = Stream::new(3, which);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| (draws.bits(i as u64), i));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_what_their_names_say() {
        assert_eq!(groups().dim(), (190, 4));
        assert!(odd(3).iter().all(|(_, table)| table.iter().all(|x| x.is_finite())));
        let mut order = shuffled(50, 4);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
        let table = threefold(&groups());
        for row in table.rows() {
            assert_eq!(table.rows().into_iter().filter(|other| *other == row).count(), 3);
        }
    }
}
