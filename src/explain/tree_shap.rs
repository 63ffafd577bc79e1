//! The explainer of boosted trees.

use super::paths::Paths;
use super::quadrature::Rule;
use super::tables::{self, BLOCK, ROWS, Scratch, Tables};
use crate::boost::{self, BoostModel, Ensemble};
use crate::core::{Rows, parallel};
use crate::{Error, Explainer, Explanation, Result, Run, Stage};
use ndarray::{Array1, Array2, Array3, ArrayRef2};

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
}

impl<'a> TreeShap<'a> {
    /// An explainer of all outputs of a model.
    pub fn new(model: &'a BoostModel) -> Self {
        TreeShap { model }
    }

    /// Explains some outputs only; the explanation's outputs are these, in the order given.
    ///
    /// # Errors
    /// [`Error::Shape`] when an output does not exist, else as [`Explainer::explain`].
    pub fn explain_outputs(&self, rows: &ArrayRef2<f32>, outputs: &[usize], run: &Run) -> Result<Explanation> {
        let table = self.model.door(rows)?;
        let chosen = self.choose(outputs)?;
        let stage = run.stage("explain", chosen.len());
        explain(&chosen, &table, self.model.features(), run, &stage)
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
        let chosen: Vec<&Ensemble> = self.model.outputs().iter().collect();
        let stage = run.stage("explain", rows.nrows());
        let mut first = 0;
        while first < rows.nrows() {
            let end = first.saturating_add(block_rows).min(rows.nrows());
            let block = rows.slice(ndarray::s![first..end, ..]);
            let table = self.model.door(&block)?;
            take(first, explain(&chosen, &table, self.model.features(), run, &stage)?)?;
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

    fn choose(&self, outputs: &[usize]) -> Result<Vec<&'a Ensemble>> {
        let all = self.model.outputs();
        let find = |&output: &usize| {
            let (what, expected) = ("output below the number of outputs", all.len());
            all.get(output).ok_or(Error::Shape { what, expected, found: output })
        };
        outputs.iter().map(find).collect()
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
        let outputs: Vec<usize> = (0..self.model.outputs().len()).collect();
        self.explain_outputs(rows, &outputs, run)
    }
}

/// Explains some ensembles.
fn explain(
    ensembles: &[&Ensemble],
    rows: &Rows<'_>,
    features: usize,
    run: &Run,
    stage: &Stage<'_>,
) -> Result<Explanation> {
    let margins = boost::margins(ensembles, rows, run)?;
    let mut values = Array3::zeros((rows.len(), features, ensembles.len()));
    let mut base = Array1::zeros(ensembles.len());
    run.install(|| {
        for (o, ensemble) in ensembles.iter().enumerate() {
            stage.check()?;
            let sums = Sums::of(ensemble, rows, features, stage)?;
            base[o] = sums.base;
            sums.check(&margins, o)?;
            sums.write(&mut values, o);
        }
        Ok(())
    })??;
    Explanation::new(values, base)
}

/// Attributions for one output, by block of rows.
struct Sums {
    base: f64,
    /// Features that the output uses, ascending.
    used: Vec<u32>,
    /// For each block of rows, used feature after used feature, [`BLOCK`] numbers each.
    blocks: Vec<Vec<f64>>,
}

impl Sums {
    fn of(ensemble: &Ensemble, rows: &Rows<'_>, features: usize, stage: &Stage<'_>) -> Result<Self> {
        let trees = ensemble.trees();
        let paths =
            parallel::map_ranges(trees.len(), 8, |range| trees[range].iter().map(Paths::of).collect::<Vec<_>>());
        let paths: Vec<Paths> = paths.into_iter().flatten().collect();
        let base = paths.iter().fold(ensemble.base(), |sum, tree| sum + tree.mean);
        let longest = paths.iter().map(|tree| tree.longest).max().unwrap_or(0);
        // A rule for each length of path.
        let rules: Vec<Rule> = (0..=longest).map(|d| Rule::new(d.div_ceil(2))).collect();
        let mut used: Vec<u32> = paths.iter().flat_map(|tree| tree.splits.iter().map(|split| split.feature)).collect();
        used.sort_unstable();
        used.dedup();
        let mut columns = vec![0u32; features];
        for (column, &feature) in used.iter().enumerate() {
            columns[feature as usize] = column as u32;
        }
        let mut blocks = vec![vec![0.0f64; used.len() * BLOCK]; rows.len().div_ceil(BLOCK)];
        let tabled = rows.len() >= TABLE_ROWS;
        for group in grouped(&paths, tabled) {
            let tables = match tabled {
                true => parallel::map(group.len(), |i| Tables::of(&group[i], &rules)),
                false => vec![Tables::default(); group.len()],
            };
            parallel::for_each_chunk(&mut blocks, 1, |b, sums| {
                let (first, end) = (b * BLOCK, ((b + 1) * BLOCK).min(rows.len()));
                if stage.check().is_err() {
                    return;
                }
                let mut turned = vec![0.0f32; used.len() * BLOCK];
                for row in first..end {
                    let values = rows.row(row);
                    for (c, &feature) in used.iter().enumerate() {
                        turned[c * BLOCK + row - first] = values[feature as usize];
                    }
                }
                let mut scratch = Scratch::default();
                for sums in sums {
                    for (tree, tables) in group.iter().zip(&tables) {
                        for at in (0..end - first).step_by(ROWS) {
                            let count = ROWS.min(end - first - at);
                            tables::add_tree(tree, tables, &rules, &columns, &turned, at, count, &mut scratch, sums);
                        }
                    }
                }
            });
            stage.check()?;
        }
        Ok(Sums { base, used, blocks })
    }

    /// Checks that each row's attributions and the base value add up to its margin.
    fn check(&self, margins: &Array2<f64>, output: usize) -> Result<()> {
        let faults = parallel::map(self.blocks.len(), |b| {
            let mut totals = [(0.0f64, 0.0f64); BLOCK];
            for column in self.blocks[b].chunks_exact(BLOCK) {
                for (total, value) in totals.iter_mut().zip(column) {
                    *total = (total.0 + value, total.1 + value.abs());
                }
            }
            let rows = (b * BLOCK..margins.nrows()).zip(totals);
            let mut gaps = rows.map(|(row, (sum, size))| (row, gap(margins[[row, output]], sum + self.base, size)));
            // NaN is a fault too.
            let fault = |&(_, gap): &(usize, f64)| gap.is_nan() || gap > TOLERANCE;
            gaps.find(fault)
        });
        match faults.into_iter().flatten().next() {
            None => Ok(()),
            Some((row, gap)) => Err(Error::Contract {
                room: "explainer",
                name: "TreeShap".into(),
                reason: format!("attributions of row {row}, output {output}, are {gap:e} away from the margin"),
            }),
        }
    }

    /// Writes the attributions to their places.
    fn write(&self, values: &mut Array3<f64>, output: usize) {
        let (_, features, outputs) = values.dim();
        let Some(values) = values.as_slice_mut() else { return };
        parallel::for_each_chunk(values, BLOCK * features * outputs, |b, values| {
            let sums = &self.blocks[b];
            for (i, row) in values.chunks_exact_mut(features * outputs).enumerate() {
                for (c, &feature) in self.used.iter().enumerate() {
                    row[feature as usize * outputs + output] = sums[c * BLOCK + i];
                }
            }
        });
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
