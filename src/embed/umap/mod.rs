//! UMAP (McInnes, Healy, Melville 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction",
//! arXiv:1802.03426v3; section, equation and algorithm numbers are those of that version).
//!
//! [`Umap::fit`] is the graph ([`graph`]: different rows and their neighbours, widths after algorithm 3 and the fuzzy union
//! after algorithm 2, both in [`fuzzy`]), then its layout: the target's bend ([`target`]), the curve ([`curve`],
//! definition 11), the start ([`start`], algorithm 4), descent ([`layout`], algorithm 5). Deviations:
//!
//! 1. Equal rows are one point of the graph and share one position (umap-learn's `unique`). Otherwise a row that
//!    occurs more often than `n_neighbors` times is its own cluster, however near its neighbours are.
//! 2. The layout is deterministic and parallel; see [`layout`] for how it differs from sequential descent.
//! 3. The spectral start is bounded; see [`start`].
//! 4. `transform` treats each new row by itself; see [`transform`].
//! 5. Epochs follow the rows (umap-learn: 500 up to 10,000 rows, else 200): a part of a table is often harder to unfold
//!    than the whole, and what few epochs leave tangled looks like clusters.

mod coarse;
mod curve;
mod density;
mod forces;
mod fuzzy;
mod given;
mod graph;
mod inverse;
mod isolated;
mod layout;
mod model;
mod moves;
mod pool;
mod prepared;
mod rows;
mod settings;
mod start;
mod target;
#[cfg(test)]
mod tests;
mod transform;

use crate::core::{Cached, Canonical, Rows, percent, settings_of};
use crate::{Embedded, Embedder, Prepared, Result, Run, Settings, SparseRows};
pub use density::Densmap;
pub use given::Given;
pub use graph::UmapGraph;
pub use model::{GraphFacts, Start, UmapModel};
use ndarray::{Array2, ArrayRef2};
use rows::GraphRows;
pub use settings::{Init, Umap};
use std::borrow::Cow;
pub use target::Target;

const PURPOSE: u64 = 0x756d_6170;
/// Rows x epochs of the default, within [`EPOCHS`].
const MOVES: usize = 3_000_000;
/// Least and most epochs of the default.
const EPOCHS: (usize, usize) = (200, 2000);
/// Below this `min_dist` groups are drawn together, to be clustered: gaps form last, so epochs are at least these.
const DENSE: (f64, usize) = (0.05, 300);

impl Umap {
    /// Embeds `rows` (n x columns) and keeps what is needed to place new rows.
    ///
    /// With fewer different rows than `n_neighbors`, each row's neighbours are all others, with a note. A
    /// single different row lands on the origin.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for a setting out of its range; [`Error::Empty`](crate::Error::Empty);
    /// [`Error::NotFinite`](crate::Error::NotFinite) names the row and column of a NaN or infinity;
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    ///
    /// # Cost
    /// That of the neighbours (see [`Nearest::find`](crate::neighbors::Nearest::find)), plus O(n x n_neighbors x
    /// epochs) for the layout. Memory O(n x (n_neighbors + columns)).
    pub fn fit(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<UmapModel> {
        self.fit_given(rows, &Given::new(), run)
    }

    /// Embeds `rows` by what the caller gives beside them: neighbours found before, a target, a start, a callback for
    /// the layout under way.
    ///
    /// # Errors
    /// Those of [`Umap::fit`]; [`Error::Shape`](crate::Error::Shape) for what does not fit the rows or settings,
    /// [`Error::Setting`](crate::Error::Setting) for neighbours that are none, [`Error::Label`](crate::Error::Label) for
    /// a class below -1.
    pub fn fit_given(&self, rows: &ArrayRef2<f32>, given: &Given<'_>, run: &Run) -> Result<UmapModel> {
        self.check()?;
        let rows = GraphRows::from(Rows::finite(rows)?);
        let given = given.check(rows.any(), self.n_neighbors, self.n_components)?;
        run.install(|| {
            let graph = UmapGraph::of(self, rows, &given, run)?;
            let drawn = graph.draw(self, &given, run)?;
            let UmapGraph { rows, canonical, widths, lists, .. } = graph;
            let positions = Array2::from_shape_fn((canonical.groups(), self.n_components), |(g, d)| {
                drawn.positions[g * self.n_components + d]
            });
            Ok(UmapModel {
                settings: self.clone(),
                key: run.key(),
                embedding: by_row(&drawn.positions, &canonical, self.n_components),
                a: drawn.curve.0,
                b: drawn.curve.1,
                outside: drawn.outside,
                widths,
                radii: drawn.radii,
                group: canonical.group_of_row(),
                graph: drawn.facts,
                start: drawn.start,
                epochs: drawn.epochs,
                points: rows.representatives(&canonical),
                positions,
                nearby: lists,
                ready: Cached::default(),
            })
        })?
    }

    /// Embeds sparse rows (n x columns) into n x components, without making them dense: what [`Umap::graph_sparse`] and its
    /// layout give.
    ///
    /// No model is kept, so new rows cannot be placed: what assigns them is a [`Surrogate`](crate::explain::Surrogate).
    ///
    /// # Errors
    /// Those of [`Umap::graph_sparse`].
    ///
    /// # Cost
    /// That of [`Umap::fit`], with a row's entries for columns. Memory O(entries + n x n_neighbors).
    pub fn embed_sparse(&self, rows: &SparseRows, run: &Run) -> Result<Array2<f32>> {
        self.graph_sparse(rows, run)?.lay_out(self, run)
    }

    /// Epochs of a layout of so many rows.
    fn epochs(&self, rows: usize) -> usize {
        let least = if self.min_dist < DENSE.0 { DENSE.1 } else { EPOCHS.0 };
        self.n_epochs.unwrap_or((MOVES / rows).clamp(least, EPOCHS.1))
    }
}

/// Positions of groups as those of the rows.
fn by_row(positions: &[f32], canonical: &Canonical, components: usize) -> Array2<f32> {
    let group = canonical.group_of_row();
    Array2::from_shape_fn((group.len(), components), |(i, d)| positions[group[i] as usize * components + d])
}

impl Embedder for Umap {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.graph(rows, run)?.lay_out(self, run)
    }

    fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Embedded> {
        self.embed_graph(&self.graph(rows, run)?, run)
    }

    fn prepare<'a>(&'a self, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(prepared::PreparedUmap::new(self, Rows::finite_cow(rows)?, run)?))
    }

    fn prepare_sparse<'a>(&'a self, rows: Cow<'a, SparseRows>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(prepared::PreparedUmap::new(self, rows, run)?))
    }

    fn settings(&self) -> Settings {
        settings_of!(
            Umap {
                n_neighbors,
                n_components,
                min_dist,
                spread,
                metric,
                n_epochs,
                learning_rate,
                repulsion_strength,
                negative_sample_rate,
                set_op_mix_ratio,
                local_connectivity,
                disconnection_distance,
                init,
                search,
                densmap
            } = self
        )
    }
}

impl Umap {
    /// The layout of its own graph, and a map beside it where the embedding is wider.
    fn embed_graph(&self, graph: &UmapGraph<'_>, run: &Run) -> Result<Embedded> {
        let nothing = Given::new().check(graph.rows.any(), self.n_neighbors, self.n_components)?;
        let drawn = run.install(|| graph.draw(self, &nothing, run))??;
        let map = (self.n_components > 2).then(|| graph.lay_out(&self.clone().n_components(2), run)).transpose()?;
        let embedding = by_row(&drawn.positions, &graph.canonical, self.n_components);
        Ok(Embedded { embedding, map, notes: self.notes(&drawn.facts, drawn.start) })
    }

    /// What was approximated, for a reader.
    fn notes(&self, facts: &GraphFacts, start: Start) -> Vec<String> {
        let mut notes = Vec::new();
        if !facts.exact {
            let found = percent(facts.recall);
            notes.push(format!(
                "Neighbours were searched approximately: {found} of the true ones were found, on a sample."
            ));
        }
        if self.init == Init::Spectral && start == Start::Pca {
            notes.push("The layout started from principal components: the spectral start was out of reach.".into());
        }
        if facts.disconnected > 0 {
            notes.push(format!("{} different rows have no neighbours and lie around the map.", facts.disconnected));
        }
        notes
    }
}
