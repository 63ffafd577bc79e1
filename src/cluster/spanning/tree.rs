//! The minimum spanning tree of mutual reachability: what HDBSCAN is made of.

use super::sets::Sets;
#[cfg(feature = "serde")]
use crate::core::checks;

/// Raw weights with their ends.
pub(super) type Edges = Vec<(f64, u32, u32)>;

/// A spanning tree of the rows: n - 1 edges in ascending weight.
///
/// The weight of an edge is the mutual reachability of its ends: the largest of their distance and their two core
/// distances. Edges of equal weight stand in the order of their ends' distance, and those of equal distance in one
/// given by the rows' contents, so that the sequence does not depend on the order of the rows either.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpanningTree {
    /// One end of each edge, as a row number.
    pub(crate) a: Vec<u32>,
    /// The other end.
    pub(crate) b: Vec<u32>,
    /// Weights, ascending.
    pub(crate) weight: Vec<f64>,
}

/// Two parts of the rows that become one; see [`SpanningTree::single_linkage`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Merge {
    /// One part, the lower number.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// At which distance.
    pub distance: f64,
    /// Rows of both.
    pub size: u32,
}

impl SpanningTree {
    /// Edges as (row, row, weight), in ascending weight.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize, f64)> + '_ {
        let ends = self.a.iter().zip(&self.b);
        ends.zip(&self.weight).map(|((&a, &b), &weight)| (a as usize, b as usize, weight))
    }

    /// Number of edges: one less than the rows.
    pub fn len(&self) -> usize {
        self.weight.len()
    }

    /// Whether there is no edge: a single row.
    pub fn is_empty(&self) -> bool {
        self.weight.is_empty()
    }

    /// Whether this is a spanning tree of so many rows in ascending weight: a file may be damaged.
    #[cfg(feature = "serde")]
    pub(crate) fn validate(&self, rows: usize) -> checks::Check {
        checks::count("edges and one", self.len() + 1, rows)?;
        checks::count("ends of edges", self.a.len(), self.len())?;
        checks::count("other ends of edges", self.b.len(), self.len())?;
        checks::each("weights of edges", &self.weight, |&weight| weight >= 0.0 && weight.is_finite())?;
        checks::that(self.weight.is_sorted(), || "the weights of edges fall".into())?;
        let mut sets = Sets::new(rows);
        for (i, (a, b, _)) in self.edges().enumerate() {
            let joins = a < rows && b < rows && sets.join(a as u32, b as u32).is_some();
            checks::that(joins, || format!("edge {i} of rows {a} and {b}"))?;
        }
        Ok(())
    }

    /// The single-linkage tree: what each edge joins, in the order of the edges. O(n α(n)).
    ///
    /// Parts 0..rows are rows; part rows + i is what the i-th merge made, as in SciPy's linkage matrices.
    pub fn single_linkage(&self) -> Vec<Merge> {
        let edges = self.a.iter().zip(&self.b).zip(&self.weight);
        merges(self.len() + 1, edges.map(|((&a, &b), &weight)| (a, b, weight)))
    }

    /// Weights, ascending.
    pub fn weights(&self) -> &[f64] {
        &self.weight
    }
}

/// What each of the joins (row, row, distance) brings together, in their order; those within one part are left out.
pub(crate) fn merges(rows: usize, joins: impl ExactSizeIterator<Item = (u32, u32, f64)>) -> Vec<Merge> {
    let mut sets = Sets::new(rows);
    let mut part: Vec<(u32, u32)> = (0..rows as u32).map(|row| (row, 1)).collect();
    let mut merges = Vec::with_capacity(joins.len());
    for (a, b, distance) in joins {
        let (x, y) = (sets.find(a) as usize, sets.find(b) as usize);
        let Some((keep, _)) = sets.join(x as u32, y as u32) else { continue };
        let (first, second) = (part[x].min(part[y]), part[x].max(part[y]));
        let size = first.1 + second.1;
        part[keep as usize] = ((rows + merges.len()) as u32, size);
        merges.push(Merge { a: first.0, b: second.0, distance, size });
    }
    merges
}
