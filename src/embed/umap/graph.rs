//! The neighbour graph of a table, laid out as often as one likes.

use super::fuzzy::{self, Graph, Nearby};
use super::given::CheckedGiven;
use super::layout::{self, Plan};
use super::model::{GraphFacts, Start};
use super::rows::GraphRows;
use super::{Given, PURPOSE, Umap, by_row, coarse, curve, density, given, isolated, start};
use crate::core::random::Stream;
use crate::core::{Canonical, Rows};
use crate::neighbors::{Groups, walkable};
use crate::{Error, Result, Run, SparseRows};
use coarse::Coarse;
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;

/// The fuzzy neighbour graph of a table: what is the same for every seed, width, `min_dist` and target.
///
/// Made by [`Umap::graph`]; borrows the rows. Each layout starts from the graph, with no second search, hash or copy of the
/// rows, and is what [`Umap::fit`] with those settings gives.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, embed::Umap};
/// let rows = Array2::from_shape_fn((60, 4), |(i, j)| ((i % 3) * 10) as f32 + ((i * 7 + j * 3) % 11) as f32 * 0.1);
/// let umap = Umap::new().n_epochs(50);
/// let graph = umap.graph(&rows, &Run::new())?;
/// let to_cluster = graph.lay_out(&umap.clone().n_components(5).min_dist(0.0), &Run::new())?;
/// let to_look_at = graph.lay_out(&umap, &Run::new())?;
/// assert_eq!((to_cluster.ncols(), to_look_at.ncols()), (5, 2));
/// assert_eq!(to_look_at, umap.fit(&rows, &Run::new())?.embedding());
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct UmapGraph<'a> {
    settings: Umap,
    pub(super) rows: GraphRows<'a>,
    pub(super) canonical: Canonical,
    pub(super) nearby: Nearby,
    pub(super) widths: Vec<(f64, f64)>,
    /// The union of the rows' memberships, before any target.
    union: Graph,
    /// Lists that a search for new rows walks over; none where that is exact.
    pub(super) lists: Vec<u32>,
    facts: GraphFacts,
}

/// What a layout made, by group of equal rows.
pub(super) struct Drawing {
    pub(super) positions: Vec<f32>,
    pub(super) curve: (f64, f64),
    pub(super) facts: GraphFacts,
    pub(super) start: Start,
    pub(super) epochs: usize,
    pub(super) radii: Vec<f64>,
    pub(super) outside: Vec<u32>,
}

impl Umap {
    /// The neighbour graph of `rows` (n x columns): different rows, their neighbours, widths and fuzzy union. The seed
    /// counts where neighbours are searched by descent.
    ///
    /// # Errors
    /// Those of [`Umap::fit`].
    ///
    /// # Cost
    /// That of the neighbours (see [`Nearest::find`](crate::neighbors::Nearest::find)). Memory O(n x n_neighbors).
    pub fn graph<'a>(&self, rows: &'a ArrayRef2<f32>, run: &Run) -> Result<UmapGraph<'a>> {
        self.graph_given(rows, &Given::new(), run)
    }

    /// The same by neighbours that the caller gives; what else is given counts at [`UmapGraph::lay_out_given`].
    ///
    /// # Errors
    /// Those of [`Umap::fit_given`].
    pub fn graph_given<'a>(&self, rows: &'a ArrayRef2<f32>, given: &Given<'_>, run: &Run) -> Result<UmapGraph<'a>> {
        self.graph_of(Rows::finite(rows)?, given, run)
    }

    /// The graph of sparse rows, whose neighbours are searched by their entries: no dense table is made. With any built-in
    /// metric but correlation.
    ///
    /// Neighbours and distances are those of the dense rows (see [`Nearest::find_sparse`](crate::neighbors::Nearest)), and so
    /// is the layout, to the bit where the search is exact, the graph is connected and the start is
    /// [`Init::Spectral`](super::Init) or random. Other starts are laid out by the rows' 40 leading principal components in
    /// the metric's own space.
    ///
    /// ```
    /// use recluster::{Run, SparseRows, embed::Umap, neighbors::Metric};
    /// // 90 rows of three kinds, with five columns each of the 300 that are their kind's.
    /// let column = |i: usize, j: usize| i % 3 * 300 + (i * 7 + j * 61) % 300;
    /// let numbers: Vec<(u32, u32)> = (0..450).map(|e| (e as u32 / 5, column(e / 5, e % 5) as u32)).collect();
    /// let (at, columns): (Vec<u32>, Vec<u32>) = numbers.into_iter().unzip();
    /// let rows = SparseRows::from_entries((90, 900), &at, &columns, &[1.0; 450])?;
    /// let umap = Umap::new().metric(Metric::Hellinger).n_epochs(50);
    /// let graph = umap.graph_sparse(&rows, &Run::new())?;
    /// assert_eq!(graph.lay_out(&umap, &Run::new())?.dim(), (90, 2));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Umap::graph`]; [`Error::Setting`] for correlation and for a metric of one's own.
    ///
    /// # Cost
    /// That of [`Nearest::find_sparse`](crate::neighbors::Nearest::find_sparse). Memory O(entries + n x n_neighbors).
    pub fn graph_sparse<'a>(&self, rows: &'a SparseRows, run: &Run) -> Result<UmapGraph<'a>> {
        self.graph_of(Cow::Borrowed(rows), &Given::new(), run)
    }

    /// The graph of rows that have been checked.
    pub(super) fn graph_of<'a>(
        &self,
        rows: impl Into<GraphRows<'a>>,
        given: &Given<'_>,
        run: &Run,
    ) -> Result<UmapGraph<'a>> {
        self.check()?;
        let rows = rows.into();
        let given = given.check(rows.any(), self.n_neighbors, self.n_components)?;
        run.install(|| UmapGraph::of(self, rows, &given, run))?
    }
}

impl<'a> UmapGraph<'a> {
    pub(super) fn of(settings: &Umap, rows: GraphRows<'a>, given: &CheckedGiven<'_>, run: &Run) -> Result<Self> {
        settings.metric.check_rows(rows.any())?;
        let canonical = rows.any().canonical();
        let n = canonical.groups();
        let k = settings.n_neighbors.min(n);
        if k < settings.n_neighbors {
            run.note(&format!(
                "{n} different rows are fewer than {} neighbours: each has all others",
                settings.n_neighbors
            ));
        }
        let mut facts = GraphFacts {
            points: n,
            neighbors: k,
            edges: 0,
            components: 1,
            cut: 0,
            disconnected: 0,
            exact: true,
            recall: 1.0,
        };
        let (mut nearby, mut lists) = (Nearby { starts: vec![0, 0], ..Default::default() }, Vec::new());
        if n > 1 {
            (nearby, facts.exact, facts.recall, lists) = match given.neighbors {
                Some(found) => {
                    let nearby = given::by_group(found, &canonical, k, run);
                    // No walk goes over lists of unlike lengths: then new rows search exactly.
                    let even = !found.exact && nearby.neighbours.len() == n * (k - 1);
                    let lists = if even { walkable(&nearby.neighbours, k - 1) } else { Vec::new() };
                    (nearby, found.exact, found.recall, lists)
                }
                None => {
                    let groups = Groups::find(rows.any(), &canonical, k, &settings.metric, settings.search, run)?;
                    (by_lists(&groups, n), groups.exact, groups.recall, groups.graph().0)
                }
            };
        }
        facts.cut = settings.disconnection_distance.map_or(0, |limit| nearby.cut(limit));
        let (widths, union) = if n > 1 {
            let widths = fuzzy::smooth(&nearby, k, settings.local_connectivity);
            let union = fuzzy::union(&nearby, &widths, settings.set_op_mix_ratio as f32);
            (widths, union)
        } else {
            (vec![(1.0, 0.0)], Graph { starts: vec![0, 0], ..Default::default() })
        };
        facts.edges = union.columns.len() / 2;
        Ok(UmapGraph { settings: settings.clone(), rows, canonical, nearby, widths, union, lists, facts })
    }

    /// Lays the graph out by the settings of `umap` that concern a layout: `n_components`, `min_dist`, `spread`,
    /// `n_epochs`, `learning_rate`, `repulsion_strength`, `negative_sample_rate`, `init`, `densmap`; rows x components.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range, or for one that concerns the graph and is not the graph's own;
    /// [`Error::Cancelled`].
    ///
    /// # Cost
    /// O(n x n_neighbors x epochs); memory O(n x (n_neighbors + components)).
    pub fn lay_out(&self, umap: &Umap, run: &Run) -> Result<Array2<f32>> {
        self.lay_out_given(umap, &Given::new(), run)
    }

    /// The same with a target, a start or a callback for the layout under way.
    ///
    /// # Errors
    /// Those of [`UmapGraph::lay_out`] and of [`Umap::fit_given`]; [`Error::Setting`] for neighbours, which the graph has.
    pub fn lay_out_given(&self, umap: &Umap, given: &Given<'_>, run: &Run) -> Result<Array2<f32>> {
        umap.check()?;
        self.same_graph(umap)?;
        let given = given.check(self.rows.any(), umap.n_neighbors, umap.n_components)?;
        if given.neighbors.is_some() {
            return Err(Error::setting("neighbors", "given", "must be given to the graph, not to its layout"));
        }
        run.install(|| {
            let drawn = self.draw(umap, &given, run)?;
            Ok(by_row(&drawn.positions, &self.canonical, umap.n_components))
        })?
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &Umap {
        &self.settings
    }

    /// Points, neighbours and edges, before a layout leaves out edges too light to be sampled once.
    pub fn facts(&self) -> &GraphFacts {
        &self.facts
    }

    fn same_graph(&self, umap: &Umap) -> Result<()> {
        let own = &self.settings;
        let unlike = |name, value: String| Err(Error::setting(name, value, "must be the graph's"));
        if umap.n_neighbors != own.n_neighbors {
            return unlike("n_neighbors", umap.n_neighbors.to_string());
        }
        if umap.metric != own.metric {
            return unlike("metric", umap.metric.name().to_string());
        }
        if umap.search != own.search {
            return unlike("search", format!("{:?}", umap.search));
        }
        if umap.set_op_mix_ratio != own.set_op_mix_ratio {
            return unlike("set_op_mix_ratio", umap.set_op_mix_ratio.to_string());
        }
        if umap.local_connectivity != own.local_connectivity {
            return unlike("local_connectivity", umap.local_connectivity.to_string());
        }
        if umap.disconnection_distance != own.disconnection_distance {
            return unlike("disconnection_distance", format!("{:?}", umap.disconnection_distance));
        }
        Ok(())
    }

    /// The steps from the union to positions.
    pub(super) fn draw(&self, umap: &Umap, given: &CheckedGiven<'_>, run: &Run) -> Result<Drawing> {
        let components = umap.n_components;
        let epochs = umap.epochs(self.rows.len());
        let curve = curve::fit(umap.spread, umap.min_dist);
        let mut facts = self.facts.clone();
        if facts.points == 1 {
            let (positions, radii) = (vec![0.0; components], vec![density::NOTHING]);
            return Ok(Drawing { positions, curve, facts, start: Start::Random, epochs, radii, outside: Vec::new() });
        }
        let draws = Stream::new(run.key(), PURPOSE);
        let bent = given.target.map(|target| target.bend(&self.union, &self.canonical, facts.neighbors));
        let union = bent.as_ref().unwrap_or(&self.union);
        let radii = density::log_radii(union, &self.nearby);
        let (inside, outside) = isolated::split(union);
        // An edge that would not be sampled once is dropped.
        let heaviest = union.weights.iter().fold(0.0f32, |m, &w| m.max(w));
        let least = heaviest / epochs as f32;
        let graph = if outside.is_empty() { union.pruned(least) } else { union.part(&inside).pruned(least) };
        let (mut positions, mut start) = (Vec::new(), Start::Random);
        if !inside.is_empty() {
            let wanted: Vec<f64> = inside.iter().map(|&v| radii[v as usize]).collect();
            let density = umap.densmap.as_ref().and_then(|densmap| density::Term::new(densmap, &wanted));
            let plan = Plan {
                components,
                epochs,
                forces: umap.forces(curve),
                alpha: umap.learning_rate as f32,
                draws: draws.of(2),
                density: density.as_ref(),
                seen: given.watch.is_some(),
            };
            let begin;
            (begin, start) = self.begin(umap, &graph, &inside, given, plan, draws.of(1), run)?;
            let mut see = |epoch: usize, positions: &dyn Fn() -> Vec<f32>| {
                if let Some(watch) = given.watch.filter(|watch| epoch.is_multiple_of(watch.every) || epoch == epochs) {
                    let all = isolated::place(&inside, positions(), &outside, components, draws.of(4));
                    (watch.see)(epoch, by_row(&all, &self.canonical, components));
                }
            };
            positions = layout::lay_out(&graph, &begin, plan, &mut see, run)?;
        }
        if !outside.is_empty() {
            run.note(&format!(
                "{} of {} different rows have no neighbours left: they are put around the picture",
                outside.len(),
                facts.points
            ));
        }
        let positions = isolated::place(&inside, positions, &outside, components, draws.of(4));
        facts.edges = graph.columns.len() / 2;
        facts.components = fuzzy::components(&graph).1;
        facts.disconnected = outside.len();
        Ok(Drawing { positions, curve, facts, start, epochs, radii, outside })
    }

    /// Where the layout of the vertices `inside`, whose graph this is, starts.
    #[allow(clippy::too_many_arguments)]
    fn begin(
        &self,
        umap: &Umap,
        graph: &Graph,
        inside: &[u32],
        given: &CheckedGiven<'_>,
        plan: Plan<'_>,
        draws: Stream,
        run: &Run,
    ) -> Result<(Vec<f32>, Start)> {
        let components = umap.n_components;
        if let Some(all) = given.start(&self.canonical) {
            let own: Vec<f64> =
                inside.iter().flat_map(|&g| &all[g as usize * components..][..components]).copied().collect();
            return Ok((start::given(&own, components, draws.of(2)), Start::Given));
        }
        let pick: Vec<u32> = inside.iter().map(|&g| self.canonical.representative(g as usize) as u32).collect();
        self.unfold(umap, graph, &pick, plan, draws, run)
    }

    /// Where a layout starts that no start was given for: that of a large graph from the layout of a coarse one, which starts
    /// from that of a coarser one.
    fn unfold(
        &self,
        umap: &Umap,
        graph: &Graph,
        pick: &[u32],
        fine: Plan<'_>,
        draws: Stream,
        run: &Run,
    ) -> Result<(Vec<f32>, Start)> {
        let components = umap.n_components;
        let (mut levels, mut pick, mut draws) = (Vec::<(Coarse, Stream)>::new(), Cow::Borrowed(pick), draws);
        while let Some(coarse) = Coarse::of(levels.last().map_or(graph, |level| &level.0.graph), draws.of(3)) {
            pick = Cow::Owned(coarse.firsts(&pick));
            levels.push((coarse, draws));
            draws = draws.of(5);
        }
        let coarsest = levels.last().map_or(graph, |level| &level.0.graph);
        let (mut places, start) = start::find(coarsest, umap.init, components, self, &pick, draws, run)?;
        let mut epochs = coarse::epochs_of_coarsest(fine.epochs);
        while let Some((coarse, draws)) = levels.pop() {
            let plan = coarse::plan(fine, epochs, draws.of(4));
            let sampled = coarse.graph.pruned(1.0 / epochs as f32);
            places = layout::lay_out(&sampled, &places, plan, &mut |_, _| (), run)?;
            places = coarse.spread(&places, components, draws.of(6));
            // The groups lie where they should now.
            epochs = fine.epochs;
        }
        Ok((places, start))
    }
}

fn by_lists(groups: &Groups, n: usize) -> Nearby {
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
