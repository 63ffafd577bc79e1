//! UMAP (McInnes, Healy, Melville 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction",
//! arXiv:1802.03426v3; section, equation and algorithm numbers are those of that version).
//!
//! The steps of [`Umap::fit`]: different rows and their neighbours, widths ([`fuzzy`], algorithm 3), the fuzzy union
//! (algorithm 2), the target's say ([`target`]), the start ([`start`], algorithm 4), the curve ([`curve`], definition
//! 11), the layout ([`layout`], algorithm 5). Deviations:
//!
//! 1. Equal rows are one point of the graph and share one position (umap-learn's `unique`). Otherwise a row that
//!    occurs more often than `n_neighbors` times is its own cluster, however near its neighbours are.
//! 2. The layout is deterministic and parallel; see [`layout`] for how it differs from sequential descent.
//! 3. The spectral start is bounded; see [`start`].
//! 4. `transform` treats each new row by itself; see [`transform`].
//! 5. Small tables get more epochs (umap-learn: 500 up to 10,000 rows): a part of a table is often harder to unfold
//!    than the whole, and what 500 epochs leave tangled looks like clusters.

mod apart;
mod coarse;
mod curve;
mod density;
mod drive;
mod fuzzy;
mod given;
mod inverse;
mod layout;
mod model;
mod settings;
mod start;
mod target;
#[cfg(test)]
mod tests;
mod transform;

use crate::core::random::Stream;
use crate::core::{Canonical, Rows};
use crate::neighbors::{Groups, walkable};
use crate::{Embedder, Result, Run};
use coarse::Coarse;
pub use density::Densmap;
use fuzzy::{Graph, Nearby};
use given::Brought;
pub use given::Given;
use layout::Plan;
pub use model::{GraphFacts, Start, UmapModel};
use ndarray::{Array2, ArrayRef2};
pub use settings::{Init, Umap};
pub use target::Target;

const PURPOSE: u64 = 0x756d_6170;
/// Rows x epochs of the default, within [`EPOCHS`]: 500 epochs at 10,000 rows, as in umap-learn.
const MOVES: usize = 5_000_000;
/// Least and most epochs of the default.
const EPOCHS: (usize, usize) = (200, 2000);
/// Below this `min_dist` groups are drawn together, to be clustered: gaps settle last, so epochs are at least these.
const DENSE: (f64, usize) = (0.05, 300);

impl Umap {
    /// Embeds `rows` (n x columns) and keeps what is needed to place new rows.
    ///
    /// With fewer different rows than `n_neighbors`, each row's neighbours are all others, and the run is told so. A
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

    /// Embeds `rows` by what the caller brings beside them: neighbours found before, a target, a start, someone who
    /// watches.
    ///
    /// # Errors
    /// Those of [`Umap::fit`]; [`Error::Shape`](crate::Error::Shape) for what does not fit the rows or settings,
    /// [`Error::Setting`](crate::Error::Setting) for neighbours that are none, [`Error::Label`](crate::Error::Label) for
    /// a class below -1.
    pub fn fit_given(&self, rows: &ArrayRef2<f32>, given: &Given<'_>, run: &Run) -> Result<UmapModel> {
        self.check()?;
        let rows = Rows::finite(rows)?;
        let brought = given.check(&rows, self.n_neighbors, self.n_components)?;
        run.install(|| {
            let canonical = Canonical::of(&rows);
            let drawn = self.draw(&rows, &canonical, &brought, run)?;
            let points = rows.representatives(&canonical);
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
                widths: drawn.widths,
                radii: drawn.radii,
                group: canonical.group_of_row(),
                graph: drawn.facts,
                start: drawn.start,
                epochs: drawn.epochs,
                points,
                positions,
                nearby: drawn.lists,
                index: transform::Cached::default(),
            })
        })?
    }

    /// The method's steps, on the different rows.
    fn draw(&self, rows: &Rows<'_>, canonical: &Canonical, brought: &Brought<'_>, run: &Run) -> Result<Drawing> {
        let n = canonical.groups();
        let k = self.n_neighbors.min(n);
        if k < self.n_neighbors {
            run.note(&format!(
                "{n} different rows are fewer than {} neighbours: each has all others",
                self.n_neighbors
            ));
        }
        let least = if self.min_dist < DENSE.0 { DENSE.1 } else { EPOCHS.0 };
        let epochs = self.n_epochs.unwrap_or((MOVES / rows.len()).clamp(least, EPOCHS.1));
        let curve = curve::fit(self.spread, self.min_dist);
        if n == 1 {
            return Ok(Drawing::of_one_row(self.n_components, curve, epochs));
        }
        let draws = Stream::new(run.key(), PURPOSE);
        let (mut nearby, exact, lists) = match brought.neighbors {
            Some(found) => {
                let nearby = given::by_group(found, canonical, k, run);
                // No walk goes over lists of unlike lengths: then new rows search exactly.
                let even = !found.exact && nearby.neighbours.len() == n * (k - 1);
                let lists = if even { walkable(&nearby.neighbours, k - 1) } else { Vec::new() };
                (nearby, found.exact, lists)
            }
            None => {
                let groups = Groups::find(rows, canonical, k, &self.metric, self.search, run)?;
                (nearby(&groups, n), groups.exact, groups.graph().0)
            }
        };
        let cut = self.disconnection_distance.map_or(0, |limit| nearby.cut(limit));
        let widths = fuzzy::smooth(&nearby, k, self.local_connectivity);
        let mut graph = fuzzy::union(&nearby, &widths, self.set_op_mix_ratio as f32);
        if let Some(target) = brought.target {
            graph = target.bend(&graph, canonical, k);
        }
        let radii = density::log_radii(&graph, &nearby);
        let (inside, outside) = apart::split(&graph);
        if !outside.is_empty() {
            graph = graph.part(&inside);
        }
        // An edge that would not be sampled once is dropped.
        let heaviest = graph.weights.iter().fold(0.0f32, |m, &w| m.max(w));
        let graph = graph.pruned(heaviest / epochs as f32);
        let (mut positions, mut start) = (Vec::new(), Start::Random);
        if !inside.is_empty() {
            let begin;
            let plan = Plan {
                components: self.n_components,
                epochs,
                forces: self.forces(curve),
                alpha: self.learning_rate as f32,
                draws: draws.of(2),
                density: None,
            };
            (begin, start) = self.begin(&graph, &inside, rows, canonical, brought, plan, draws.of(1), run)?;
            let wanted: Vec<f64> = inside.iter().map(|&v| radii[v as usize]).collect();
            let density = self.densmap.as_ref().and_then(|densmap| density::Term::new(densmap, &wanted));
            let plan = Plan { density: density.as_ref(), ..plan };
            let mut see = |epoch: usize, positions: &dyn Fn() -> Vec<f32>| {
                if let Some(watch) = brought.watch.filter(|watch| epoch.is_multiple_of(watch.every) || epoch == epochs)
                {
                    let all = apart::place(&inside, positions(), &outside, self.n_components, draws.of(4));
                    (watch.see)(epoch, by_row(&all, canonical, self.n_components));
                }
            };
            positions = layout::lay_out(&graph, &begin, plan, &mut see, run)?;
        }
        if !outside.is_empty() {
            run.note(&format!(
                "{} of {n} different rows have no neighbours left: they are put around the picture",
                outside.len()
            ));
        }
        let positions = apart::place(&inside, positions, &outside, self.n_components, draws.of(4));
        let facts = GraphFacts {
            points: n,
            neighbors: k,
            edges: graph.columns.len() / 2,
            components: fuzzy::components(&graph).1,
            cut,
            disconnected: outside.len(),
            exact,
        };
        Ok(Drawing { positions, curve, facts, start, epochs, widths, radii, outside, lists })
    }

    /// Where the layout of the vertices `inside`, whose graph this is, starts.
    #[allow(clippy::too_many_arguments)]
    fn begin(
        &self,
        graph: &Graph,
        inside: &[u32],
        rows: &Rows<'_>,
        canonical: &Canonical,
        brought: &Brought<'_>,
        plan: Plan<'_>,
        draws: Stream,
        run: &Run,
    ) -> Result<(Vec<f32>, Start)> {
        let components = self.n_components;
        if let Some(all) = brought.start(canonical) {
            let own: Vec<f64> =
                inside.iter().flat_map(|&g| &all[g as usize * components..][..components]).copied().collect();
            return Ok((start::given(&own, components, draws.of(2)), Start::Given));
        }
        let pick: Vec<u32> = inside.iter().map(|&g| canonical.representative(g as usize) as u32).collect();
        self.unfold(graph, rows, &pick, plan, draws, run)
    }

    /// Where a layout starts that nothing was brought for: that of a large graph from the layout of a coarse one.
    fn unfold(
        &self,
        graph: &Graph,
        rows: &Rows<'_>,
        pick: &[u32],
        plan: Plan<'_>,
        draws: Stream,
        run: &Run,
    ) -> Result<(Vec<f32>, Start)> {
        let components = self.n_components;
        let Some(coarse) = Coarse::of(graph, draws.of(3)) else {
            return start::find(graph, self.init, components, rows, pick, draws, run);
        };
        let plan = coarse::plan(plan, draws.of(4));
        let (begin, start) = self.unfold(&coarse.graph, rows, &coarse.firsts(pick), plan, draws.of(5), run)?;
        let sampled = coarse.graph.pruned(1.0 / plan.epochs as f32);
        let places = layout::lay_out(&sampled, &begin, plan, &mut |_, _| (), run)?;
        Ok((coarse.spread(&places, components, draws.of(6)), start))
    }
}

/// What [`Umap::draw`] made, by group of equal rows.
struct Drawing {
    positions: Vec<f32>,
    curve: (f64, f64),
    facts: GraphFacts,
    start: Start,
    epochs: usize,
    widths: Vec<(f64, f64)>,
    radii: Vec<f64>,
    outside: Vec<u32>,
    lists: Vec<u32>,
}

impl Drawing {
    /// A table of one different row.
    fn of_one_row(components: usize, curve: (f64, f64), epochs: usize) -> Self {
        Drawing {
            positions: vec![0.0; components],
            curve,
            facts: GraphFacts {
                points: 1,
                neighbors: 1,
                edges: 0,
                components: 1,
                cut: 0,
                disconnected: 0,
                exact: true,
            },
            start: Start::Random,
            epochs,
            widths: vec![(1.0, 0.0)],
            radii: vec![density::NOTHING],
            outside: Vec::new(),
            lists: Vec::new(),
        }
    }
}

/// Positions of groups as those of the rows.
fn by_row(positions: &[f32], canonical: &Canonical, components: usize) -> Array2<f32> {
    let group = canonical.group_of_row();
    Array2::from_shape_fn((group.len(), components), |(i, d)| positions[group[i] as usize * components + d])
}

fn nearby(groups: &Groups, n: usize) -> Nearby {
    let mut nearby = Nearby { starts: vec![0], ..Default::default() };
    for g in 0..n {
        for (neighbour, distance) in groups.of(g) {
            nearby.neighbours.push(neighbour);
            nearby.distances.push(distance);
        }
        nearby.starts.push(nearby.neighbours.len());
    }
    nearby
}

impl Embedder for Umap {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        self.check()?;
        let rows = Rows::finite(rows)?;
        let brought = Given::new().check(&rows, self.n_neighbors, self.n_components)?;
        run.install(|| {
            let canonical = Canonical::of(&rows);
            let drawn = self.draw(&rows, &canonical, &brought, run)?;
            Ok(by_row(&drawn.positions, &canonical, self.n_components))
        })?
    }
}
