//! The searches of a k-d tree for each of its widths and norms.

use super::core_distance::Ask;
use super::kdtree::Tree;
use super::lightest::{Round, State, search};
use super::nearest::{LeafNeighbours, nearest};
use super::norm::{Absolutes, Largest, Norm, Squares};
use crate::core::simd;
use std::ops::Range;

/// The hot loops of a tree, compiled for wide registers too, for each number of columns.
pub(super) trait Kernels {
    /// See [`nearest()`].
    fn nearest(&self, leaves: Range<usize>, ask: &Ask<'_>) -> LeafNeighbours;
    /// See [`search()`].
    fn search(&self, leaves: Range<usize>, round: &Round<'_>, states: &mut [State]);
}

/// Most columns that have a tree for other sums than those of squares.
pub(super) const MOST_COLUMNS_OF_OTHERS: usize = 8;

macro_rules! kernels {
    ($($columns:literal: $($norm:ident)*),*) => {$(
        impl Kernels for Tree<$columns> {
            fn nearest(&self, leaves: Range<usize>, ask: &Ask<'_>) -> LeafNeighbours {
                simd::multiversion! {
                    fn wide_or_not(tree: &Tree<$columns>, leaves: Range<usize>, ask: &Ask<'_>) -> LeafNeighbours {
                        match tree.norm {
                            $(Norm::$norm => nearest::<$norm, $columns>(tree, leaves, ask),)*
                            #[allow(unreachable_patterns)]
                            _ => nearest::<Squares, $columns>(tree, leaves, ask),
                        }
                    }
                }
                wide_or_not(self, leaves, ask)
            }

            fn search(&self, leaves: Range<usize>, round: &Round<'_>, states: &mut [State]) {
                simd::multiversion! {
                    fn wide_or_not(
                        tree: &Tree<$columns>,
                        leaves: Range<usize>,
                        round: &Round<'_>,
                        states: &mut [State],
                    ) {
                        match tree.norm {
                            $(Norm::$norm => search::<$norm, $columns>(tree, leaves, round, states),)*
                            #[allow(unreachable_patterns)]
                            _ => search::<Squares, $columns>(tree, leaves, round, states),
                        }
                    }
                }
                wide_or_not(self, leaves, round, states)
            }
        }
    )*};
}
kernels!(
    2: Squares Absolutes Largest, 3: Squares, 4: Squares Absolutes Largest, 6: Squares, 8: Squares Absolutes Largest,
    10: Squares, 12: Squares, 16: Squares
);
