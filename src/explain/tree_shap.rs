//! The explainer of boosted trees.

use super::paths::Paths;
use super::quadrature::Rule;
use super::tables::{self, BLOCK, ROWS, Scratch, Tables};
use crate::boost::{self, BoostModel, Ensemble};
use crate::core::{Rows, parallel};
use crate::{Error, Explainer, Explanation, Result, Run, Stage};
use ndarray::{Array2, Array3, ArrayRef2};
use std::sync::Mutex;

/// Attributions must add up to the margin within this much of its scale.
const TOLERANCE: f64 = 1e-9;

/// From this many rows on, tables of patterns pay.
const TABLE_ROWS: usize = 96;

/// Numbers in tables that are held at once, 64 MB.
const TABLE_SIZE: usize = 1 << 23;

/// Exact path-dependent SHAP values of a [`BoostModel`], in f64, for its margins (log-odds of a classifier).
///
/// Attributions of a row, plus the base value, add up to its margin; each run checks this to 1e-9 of the margin's scale.
/// A row's attributions are the same bits alone or in any batch, at any number of threads. Missing values follow each
/// split's default side. The absent features of a coalition are averaged by the training rows' cover.
///
/// Cost for each row and leaf: O(d) look-ups in batches where d, the number of distinct features on the leaf's path, is at
/// most 8; O(d²) else. Trees may be of any depth.
///
/// ```
/// use ndarray::array;
/// use recluster::{Explainer, Run, boost::Boost, explain::TreeShap};
///
/// let (rows, run) = (array![[0.0f32, 1.0], [0.1, 3.0], [0.9, 2.0], [1.0, 1.5]], Run::new());
/// let model = Boost::new().rounds(20).min_child_weight(0.0).fit(&rows, &[0, 0, 1, 1], &run)?;
/// let why = TreeShap::new(&model).explain(&rows, &run)?;
/// assert_eq!(why.values().dim(), (4, 2, 2)); // rows, features, outputs
/// let margins = model.margins(&rows, &run)?;
/// assert!((&why.outputs() - &margins).iter().all(|difference| difference.abs() < 1e-12));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TreeShap<'a> {
    model: &'a BoostModel,
    /// One for each output.
    prepared: Vec<Prepared>,
}

impl<'a> TreeShap<'a> {
    /// An explainer of all outputs of a model. Lists the paths of its trees, O(nodes x depth) in time and memory; worth
    /// keeping where rows come one by one.
    pub fn new(model: &'a BoostModel) -> Self {
        let prepared = model.outputs().iter().map(|ensemble| Prepared::of(ensemble, model.features())).collect();
        TreeShap { model, prepared }
    }

    /// Explains some outputs only; the explanation's outputs are these, in the order given.
    ///
    /// # Errors
    /// [`Error::Shape`] when an output does not exist, else as [`Explainer::explain`].
    pub fn explain_outputs(&self, rows: &ArrayRef2<f32>, outputs: &[usize], run: &Run) -> Result<Explanation> {
        let table = self.model.door(rows)?;
        if let Some(&found) = outputs.iter().find(|&&output| output >= self.prepared.len()) {
            let (what, expected) = ("output below the number of outputs", self.prepared.len());
            return Err(Error::Shape { what, expected, found });
        }
        self.attribute(&table, outputs, run)
    }

    /// Explains all outputs, `block_rows` rows at a time, so that the attributions of all rows need not fit into memory.
    /// `take` receives the number of a block's first row and its explanation, in order; its error ends the work.
    ///
    /// # Errors
    /// [`Error::Setting`] when `block_rows` is 0; what `take` returns; else as [`Explainer::explain`].
    pub fn explain_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        run: &Run,
        block_rows: usize,
        mut take: impl FnMut(usize, Explanation) -> Result<()>,
    ) -> Result<()> {
        if block_rows == 0 {
            return Err(Error::setting("block_rows", block_rows, "must be at least 1"));
        }
        self.model.door(rows)?;
        let outputs: Vec<usize> = (0..self.prepared.len()).collect();
        let stage = run.stage("explain blocks", rows.nrows());
        let mut first = 0;
        while first < rows.nrows() {
            let end = first.saturating_add(block_rows).min(rows.nrows());
            let block = rows.slice(ndarray::s![first..end, ..]);
            let table = self.model.door(&block)?;
            take(first, self.attribute(&table, &outputs, run)?)?;
            stage.step(end)?;
            first = end;
        }
        Ok(())
    }

    /// How far an explanation of `rows` by all outputs is from adding up: the worst row's difference between its
    /// attributions' sum and its margin, relative to the larger of 1, the margin and the attributions.
    ///
    /// # Errors
    /// [`Error::Shape`] when the explanation is not of these rows and this model; else as [`BoostModel::margins`].
    pub fn additivity(&self, rows: &ArrayRef2<f32>, explanation: &Explanation, run: &Run) -> Result<f64> {
        let margins = self.model.margins(rows, run)?;
        let sums = explanation.outputs();
        for (expected, found) in [(margins.nrows(), sums.nrows()), (margins.ncols(), sums.ncols())] {
            if expected != found {
                return Err(Error::Shape { what: "explanation of these rows and outputs", expected, found });
            }
        }
        let sizes = explanation.values().mapv(f64::abs).sum_axis(ndarray::Axis(1));
        let gaps = margins.iter().zip(&sums).zip(&sizes);
        Ok(gaps.map(|((&margin, &sum), &size)| gap(margin, sum, size)).fold(0.0, f64::max))
    }

    /// Attributions of checked rows for existing outputs.
    fn attribute(&self, rows: &Rows<'_>, outputs: &[usize], run: &Run) -> Result<Explanation> {
        let stage = run.stage("explain", outputs.len());
        let ensembles: Vec<&Ensemble> = outputs.iter().map(|&output| &self.model.outputs()[output]).collect();
        let margins = boost::margins(&ensembles, rows, run)?;
        let mut values = Array3::zeros((rows.len(), self.model.features(), outputs.len()));
        let base = outputs.iter().map(|&output| self.prepared[output].base).collect();
        run.install(|| {
            for (place, &output) in outputs.iter().enumerate() {
                self.prepared[output].write(rows, &margins, &mut values, place, &stage)?;
                stage.step(place + 1)?;
            }
            Ok(())
        })??;
        Explanation::new(values, base)
    }
}

impl Explainer for TreeShap<'_> {
    /// Explains all outputs.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not the model's features; [`Error::Empty`]; [`Error::NotFinite`] for
    /// infinities; [`Error::Cancelled`]; [`Error::Contract`] should attributions not add up to 1e-9, which finite sums
    /// of a model's values never do.
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        let outputs: Vec<usize> = (0..self.prepared.len()).collect();
        self.explain_outputs(rows, &outputs, run)
    }
}

/// The trees of one output as paths.
#[derive(Clone, Debug)]
struct Prepared {
    base: f64,
    trees: Vec<Paths>,
    /// A rule for each length of path.
    rules: Vec<Rule>,
    /// Features that splits look at, ascending.
    used: Vec<u32>,
    /// For each feature its place among these.
    columns: Vec<u32>,
}

impl Prepared {
    fn of(ensemble: &Ensemble, features: usize) -> Self {
        let trees: Vec<Paths> = ensemble.trees().iter().map(Paths::of).collect();
        let base = trees.iter().fold(ensemble.base(), |sum, tree| sum + tree.mean);
        let longest = trees.iter().map(|tree| tree.longest).max().unwrap_or(0);
        let rules = (0..=longest).map(|d| Rule::new(d.div_ceil(2))).collect();
        let mut used: Vec<u32> = trees.iter().flat_map(|tree| tree.splits.iter().map(|split| split.feature)).collect();
        used.sort_unstable();
        used.dedup();
        let mut columns = vec![0u32; features];
        for (column, &feature) in used.iter().enumerate() {
            columns[feature as usize] = column as u32;
        }
        Prepared { base, trees, rules, used, columns }
    }

    /// Writes this output's attributions to their places and checks that they add up.
    fn write(
        &self,
        rows: &Rows<'_>,
        margins: &Array2<f64>,
        values: &mut Array3<f64>,
        place: usize,
        stage: &Stage<'_>,
    ) -> Result<()> {
        let (_, features, outputs) = values.dim();
        let Some(values) = values.as_slice_mut() else { return Ok(()) };
        let tabled = rows.len() >= TABLE_ROWS;
        let fault = Mutex::new(None::<(usize, f64)>);
        let groups = grouped(&self.trees, tabled);
        for (g, group) in groups.iter().enumerate() {
            let tables = match tabled {
                true => parallel::map(group.len(), |i| Tables::of(&group[i], &self.rules)),
                false => vec![Tables::default(); group.len()],
            };
            parallel::for_each_chunk(values, BLOCK * features * outputs, |b, values| {
                if stage.check().is_err() {
                    return;
                }
                let first = b * BLOCK;
                let mut block = Block::new(self, rows, first, values.len() / (features * outputs));
                if g > 0 {
                    block.load(self, values, features, outputs, place);
                }
                block.add(self, group, &tables);
                block.store(self, values, features, outputs, place);
                if g + 1 < groups.len() {
                    return;
                }
                let worst = block.fault(self.base, |i| margins[[first + i, place]]);
                if let (Some((i, gap)), Ok(mut fault)) = (worst, fault.lock()) {
                    // The first of all faulty rows, whichever thread finds its own first.
                    if fault.is_none_or(|(row, _)| first + i < row) {
                        *fault = Some((first + i, gap));
                    }
                }
            });
            stage.check()?;
        }
        match fault.into_inner().ok().flatten() {
            None => Ok(()),
            Some((row, gap)) => Err(Error::Contract {
                room: "explainer",
                name: "TreeShap".into(),
                reason: format!("attributions of row {row} are {gap:e} away from the margin"),
            }),
        }
    }
}

/// Up to [`BLOCK`] rows at work, column after column.
struct Block {
    rows: usize,
    /// Room of a column: the rows, rounded up to whole groups.
    stride: usize,
    /// Values of the used features.
    values: Vec<f32>,
    /// Attributions of the used features.
    sums: Vec<f64>,
}

impl Block {
    fn new(prepared: &Prepared, table: &Rows<'_>, first: usize, rows: usize) -> Self {
        let stride = rows.next_multiple_of(ROWS);
        let mut values = vec![0.0f32; prepared.used.len() * stride];
        // Rows are turned into columns sixteen at a time: one cache line of a column.
        for tile in (0..rows).step_by(16) {
            let end = (tile + 16).min(rows);
            for (c, &feature) in prepared.used.iter().enumerate() {
                let column = &mut values[c * stride..(c + 1) * stride];
                for i in tile..end {
                    column[i] = table.row(first + i)[feature as usize];
                }
            }
        }
        Block { rows, stride, values, sums: vec![0.0; prepared.used.len() * stride] }
    }

    /// Takes up attributions where an earlier group of trees left them.
    fn load(&mut self, prepared: &Prepared, values: &[f64], features: usize, outputs: usize, place: usize) {
        for (c, &feature) in prepared.used.iter().enumerate() {
            for i in 0..self.rows {
                self.sums[c * self.stride + i] = values[(i * features + feature as usize) * outputs + place];
            }
        }
    }

    fn store(&self, prepared: &Prepared, values: &mut [f64], features: usize, outputs: usize, place: usize) {
        for tile in (0..self.rows).step_by(8) {
            let end = (tile + 8).min(self.rows);
            for (c, &feature) in prepared.used.iter().enumerate() {
                let column = &self.sums[c * self.stride..(c + 1) * self.stride];
                for i in tile..end {
                    values[(i * features + feature as usize) * outputs + place] = column[i];
                }
            }
        }
    }

    fn add(&mut self, prepared: &Prepared, trees: &[Paths], tables: &[Tables]) {
        let Prepared { rules, columns, .. } = prepared;
        let mut scratch = Scratch::default();
        for (tree, tables) in trees.iter().zip(tables) {
            for at in (0..self.rows).step_by(ROWS) {
                let (values, sums) = (&self.values, &mut self.sums);
                let rows = ROWS.min(self.rows - at);
                tables::add_tree(tree, tables, rules, columns, values, self.stride, at, rows, &mut scratch, sums);
            }
        }
    }

    /// The first row whose attributions and base value do not add up to its margin.
    fn fault(&self, base: f64, margin: impl Fn(usize) -> f64) -> Option<(usize, f64)> {
        let mut totals = vec![(0.0f64, 0.0f64); self.rows];
        for column in self.sums.chunks_exact(self.stride.max(1)) {
            for (total, value) in totals.iter_mut().zip(column) {
                *total = (total.0 + value, total.1 + value.abs());
            }
        }
        let mut gaps = totals.iter().enumerate().map(|(i, &(sum, size))| (i, gap(margin(i), sum + base, size)));
        // NaN is a fault too.
        gaps.find(|&(_, gap)| gap.is_nan() || gap > TOLERANCE)
    }
}

/// Difference between margin and sum, relative to the larger of 1, the margin and the attributions' size.
fn gap(margin: f64, sum: f64, size: f64) -> f64 {
    (margin - sum).abs() / margin.abs().max(size).max(1.0)
}

/// Consecutive trees whose tables fit into memory together.
fn grouped(paths: &[Paths], tabled: bool) -> Vec<&[Paths]> {
    let mut groups = Vec::new();
    let (mut first, mut size) = (0, 0);
    for (i, tree) in paths.iter().enumerate() {
        let more = if tabled { Tables::size(tree) } else { 0 };
        if size + more > TABLE_SIZE && i > first {
            groups.push(&paths[first..i]);
            (first, size) = (i, 0);
        }
        size += more;
    }
    groups.push(&paths[first..]);
    groups
}
