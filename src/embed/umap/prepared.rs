//! UMAP made ready for many embeddings of the same rows: one graph, and for parts of the rows one list of neighbours.

use super::{Given, Umap, UmapGraph};
use crate::core::{Cached, Rows, gather};
use crate::neighbors::{Nearest, Neighbors};
use crate::{Embedded, Error, Prepared, Result, Run};
use ndarray::{ArrayRef2, ArrayView2};
use std::borrow::Cow;
use std::sync::Arc;

/// Of four rows in five, lists this many times as long nearly always leave enough neighbours.
const LONGER: usize = 2;

/// Seeds share the graph; parts share the search for neighbours, which the first of them makes.
pub(super) struct PreparedUmap<'a> {
    umap: &'a Umap,
    graph: UmapGraph<'a>,
    /// Under the run that the embedder was prepared with.
    run: Run,
    longer: Cached<Neighbors>,
}

impl<'a> PreparedUmap<'a> {
    pub(super) fn new(umap: &'a Umap, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Self> {
        umap.check()?;
        let graph = umap.graph_of(Rows::finite_cow(rows)?, run)?;
        Ok(PreparedUmap { umap, graph, run: run.clone(), longer: Cached::default() })
    }

    /// Neighbours of all rows, long enough to be cut.
    fn longer(&self, rows: &ArrayRef2<f32>) -> Result<Arc<Neighbors>> {
        self.longer.get(|| {
            let k = (LONGER * self.umap.n_neighbors).min(rows.nrows());
            let search = Nearest::new(k).metric(self.umap.metric.clone()).search(self.umap.search);
            search.find(rows, &self.run)
        })
    }
}

impl Prepared for PreparedUmap<'_> {
    fn rows(&self) -> ArrayView2<'_, f32> {
        self.graph.rows.view()
    }

    fn embed(&self, part: Option<&[u32]>, run: &Run) -> Result<Embedded> {
        let Some(part) = part else { return self.umap.embed_graph(&self.graph, run) };
        let rows = self.rows();
        let table = gather(&rows, part)?;
        let near = self.longer(&rows)?.subset(part, self.umap.n_neighbors, &rows, self.umap.metric.clone(), run)?;
        let embed = || {
            let graph = self.umap.graph_given(&table, &Given::new().neighbors(&near), run)?;
            self.umap.embed_graph(&graph, run)
        };
        embed().map_err(|error: Error| error.of_part(part))
    }
}
