//! The trees of one output, ready to explain: paths, rules, tables; and blocks of rows at work.

use super::game::Kit;
use super::paths::Paths;
use super::tables::{self, BLOCK, ROWS, Scratch, Tables};
use crate::boost::{Ensemble, Tree};
use crate::core::{Rows, parallel};
use crate::{Error, Result, Stage};
use ndarray::{Array2, Array3};
use std::sync::Mutex;

/// Attributions must add up to the margin within this much of its scale.
const TOLERANCE: f64 = 1e-9;

/// From this many rows on, tables of patterns pay.
const TABLE_ROWS: usize = 64;

/// Numbers in tables that are held at once, 64 MB.
const TABLE_SIZE: usize = 1 << 23;

/// The trees of one output as paths.
#[derive(Clone, Debug)]
pub(super) struct Prepared<'a> {
    /// What the output is without any knowledge of a row.
    pub(super) base: f64,
    pub(super) trees: Vec<Paths<'a>>,
    pub(super) kit: Kit,
    /// Features that splits look at, ascending.
    pub(super) used: Vec<u32>,
    /// For each feature its place among these.
    columns: Vec<u32>,
}

impl<'a> Prepared<'a> {
    /// Paths weighted by what `cover` says of a tree's nodes.
    pub(super) fn of<C: AsRef<[f64]>>(
        ensemble: &'a Ensemble,
        features: usize,
        cover: impl Fn(&'a Tree) -> C + Sync + Send,
    ) -> Self {
        let trees = ensemble.trees();
        let trees = parallel::map(trees.len(), |t| Paths::of(&trees[t], cover(&trees[t]).as_ref()));
        let mut used: Vec<u32> = trees.iter().flat_map(|tree| tree.splits.iter().map(|split| split.feature)).collect();
        used.sort_unstable();
        used.dedup();
        let mut columns = vec![0u32; features];
        for (column, &feature) in used.iter().enumerate() {
            columns[feature as usize] = column as u32;
        }
        let mut prepared = Prepared { base: 0.0, trees, kit: Kit::default(), used, columns };
        prepared.settle(ensemble, false);
        prepared
    }

    /// Takes absent features from a background's rows.
    pub(super) fn meet(&mut self, ensemble: &Ensemble, background: &Rows<'_>) {
        parallel::for_each_chunk(&mut self.trees, 1, |_, trees| trees.iter_mut().for_each(|t| t.meet(background)));
        self.settle(ensemble, true);
    }

    fn settle(&mut self, ensemble: &Ensemble, background: bool) {
        self.base = self.trees.iter().fold(ensemble.base(), |sum, tree| sum + tree.mean);
        let longest = self.trees.iter().map(|tree| tree.longest).max().unwrap_or(0);
        self.kit = Kit::new(longest, background);
    }

    /// Writes this output's attributions to their places and checks that they add up.
    pub(super) fn write(
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
                true => parallel::map(group.len(), |i| Tables::of(&group[i], &self.kit)),
                false => Vec::new(),
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
    /// Room of a column: the rows, rounded up to whole groups, and a cache line, so that equal places of several columns
    /// do not contend for one place of the cache.
    stride: usize,
    /// Values of the used features.
    values: Vec<f32>,
    /// Attributions of the used features.
    sums: Vec<f64>,
}

impl Block {
    fn new(prepared: &Prepared<'_>, table: &Rows<'_>, first: usize, rows: usize) -> Self {
        let stride = rows.next_multiple_of(ROWS) + 16;
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
    fn load(&mut self, prepared: &Prepared<'_>, values: &[f64], features: usize, outputs: usize, place: usize) {
        for (c, &feature) in prepared.used.iter().enumerate() {
            for i in 0..self.rows {
                self.sums[c * self.stride + i] = values[(i * features + feature as usize) * outputs + place];
            }
        }
    }

    fn store(&self, prepared: &Prepared<'_>, values: &mut [f64], features: usize, outputs: usize, place: usize) {
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

    /// Adds the trees' attributions; without tables they are worked out row by row.
    fn add(&mut self, prepared: &Prepared<'_>, trees: &[Paths<'_>], tables: &[Tables]) {
        let Prepared { kit, columns, .. } = prepared;
        let mut scratch = Scratch::default();
        for (t, tree) in trees.iter().enumerate() {
            let (values, sums) = (&self.values, &mut self.sums);
            tables::add_tree(tree, tables.get(t), kit, columns, values, self.stride, self.rows, &mut scratch, sums);
        }
    }

    /// The first row whose attributions and base value do not add up to its margin.
    fn fault(&self, base: f64, margin: impl Fn(usize) -> f64) -> Option<(usize, f64)> {
        let mut totals = vec![(0.0f64, 0.0f64); self.rows];
        for column in self.sums.chunks_exact(self.stride) {
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
pub(super) fn gap(margin: f64, sum: f64, size: f64) -> f64 {
    (margin - sum).abs() / margin.abs().max(size).max(1.0)
}

/// Consecutive trees whose tables fit into memory together.
fn grouped<'p, 'a>(paths: &'p [Paths<'a>], tabled: bool) -> Vec<&'p [Paths<'a>]> {
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
