//! UMAP made ready for many embeddings of the same rows: one graph, and for parts of the rows one list of neighbours.

use super::rows::GraphRows;
use super::start::Dense;
use super::{Given, Umap, UmapGraph};
use crate::core::{AnyTable, Cached, OwnTable, Rows};
use crate::neighbors::{Nearest, Neighbors, check_part};
use crate::{Embedded, Error, Prepared, Result, Run};
use ndarray::ArrayView2;
use std::borrow::Cow;
use std::sync::Arc;

/// Of four rows in five, lists this many times as long nearly always leave enough neighbours.
const LONGER: usize = 2;
/// A part of one row in this many, or fewer, is searched by itself: longer lists of all rows would cost more, and little of
/// them would be left.
const SMALL_PART: usize = 4;

/// Seeds share the graph; parts share the search for neighbours, which the first of them makes.
pub(super) struct PreparedUmap<'a> {
    umap: &'a Umap,
    graph: UmapGraph<'a>,
    /// Under the run that the embedder was prepared with.
    run: Run,
    longer: Cached<Neighbors>,
}

impl<'a> PreparedUmap<'a> {
    pub(super) fn new(umap: &'a Umap, rows: impl Into<GraphRows<'a>>, run: &Run) -> Result<Self> {
        let graph = umap.graph_of(rows, &Given::new(), run)?;
        Ok(PreparedUmap { umap, graph, run: run.clone(), longer: Cached::default() })
    }

    /// Neighbours of all rows, long enough to be cut.
    fn longer(&self) -> Result<Arc<Neighbors>> {
        self.longer.get(|| {
            let k = self.umap.n_neighbors.saturating_mul(LONGER).min(self.graph.rows.len());
            let search = Nearest::new(k).metric(self.umap.metric.clone()).search(self.umap.search);
            search.found(self.graph.rows.any(), &self.run)
        })
    }

    /// Neighbours of a part of the rows, from the longer lists; none, to be searched anew, for a small part, and where some rows
    /// have so many copies that a list would hold little else.
    fn of_part(&self, table: AnyTable<'_>, part: &[u32], run: &Run) -> Result<Option<Neighbors>> {
        let canonical = &self.graph.canonical;
        check_part(part, canonical.group_of_row().len())?;
        let is_small = part.len().saturating_mul(SMALL_PART) <= canonical.group_of_row().len();
        if is_small || (0..canonical.groups()).any(|group| 2 * canonical.weight(group) > self.umap.n_neighbors) {
            return Ok(None);
        }
        self.longer()?.part_of(table, part, self.umap.n_neighbors, self.umap.metric.clone(), run).map(Some)
    }
}

impl Prepared for PreparedUmap<'_> {
    /// Of sparse rows their 40 leading principal components, at unit length for cosine, as roots of shares for Hellinger
    /// distance.
    fn rows(&self) -> ArrayView2<'_, f32> {
        self.graph.dense().view()
    }

    fn embed(&self, part: Option<&[u32]>, run: &Run) -> Result<Embedded> {
        let Some(part) = part else { return self.umap.embed_graph(&self.graph, run) };
        let (own, near) = self.graph.rows.lent(|table| {
            let own = table.gather(part)?;
            Ok((own, self.of_part(table, part, run)?))
        })?;
        let embed = || {
            let rows = match &own {
                OwnTable::Dense(table) => GraphRows::from(Rows::finite(table)?),
                OwnTable::Sparse(rows) => Cow::Borrowed(rows).into(),
            };
            let given = near.as_ref().map_or_else(Given::new, |near| Given::new().neighbors(near));
            let graph = self.umap.graph_of(rows, &given, run)?;
            self.umap.embed_graph(&graph, run)
        };
        embed().map_err(|error: Error| error.of_part(part))
    }
}
