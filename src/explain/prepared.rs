//! The trees of one output prepared for SHAP, and their evaluation on blocks of rows.

use super::paths::Paths;
use super::shapley::Coefficients;
use super::tables::{self, BLOCK, ROWS, SAMPLE, Scratch, Tables};
use crate::boost::{BoostModel, Ensemble, Tree};
use crate::core::{Rows, parallel};
use crate::{Error, Result, Stage};
use ndarray::{Array2, Array3};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Tolerance of additivity, relative to the margin's scale.
const TOLERANCE: f64 = 1e-9;

/// From this many rows on, tables are built.
const TABLE_ROWS: usize = 64;

/// Most table entries in memory at once, 64 MB.
const TABLE_SIZE: usize = 1 << 23;

/// Outputs that are computed together: eight of them fill a cache line of the result.
const BESIDE: usize = 8;

/// The trees of one output as paths.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// The base value.
    pub(super) base: f64,
    pub(super) trees: Vec<Paths>,
    pub(super) coefficients: Coefficients,
    /// Features that splits use, ascending.
    pub(super) used: Vec<u32>,
    /// For each feature its index among these.
    columns: Vec<u32>,
}

impl Prepared {
    /// Paths weighted by `cover`, a function from a tree to the cover of its nodes.
    pub(super) fn of<'a, C: AsRef<[f64]>>(ensemble: &'a Ensemble, cover: impl Fn(&'a Tree) -> C + Sync + Send) -> Self {
        let trees = ensemble.trees();
        let trees = parallel::map(trees.len(), |t| Paths::of(&trees[t], cover(&trees[t]).as_ref()));
        let mut used: Vec<u32> = trees.iter().flat_map(|tree| tree.splits.iter().map(|split| split.feature)).collect();
        used.sort_unstable();
        used.dedup();
        // Not for all features: a model may have many more than it uses.
        let mut columns = vec![0u32; used.last().map_or(0, |&last| last as usize + 1)];
        for (column, &feature) in used.iter().enumerate() {
            columns[feature as usize] = column as u32;
        }
        let mut prepared = Prepared { base: 0.0, trees, coefficients: Coefficients::default(), used, columns };
        prepared.update_base(ensemble, false);
        prepared
    }

    /// Takes absent features from a background's rows.
    pub(super) fn set_background(&mut self, ensemble: &Ensemble, background: &Rows<'_>) {
        parallel::for_each_chunk(&mut self.trees, 1, |_, trees| {
            trees.iter_mut().for_each(|t| t.set_background(background))
        });
        self.update_base(ensemble, true);
    }

    /// All outputs of a model, by the training rows' cover.
    pub(super) fn all(model: &BoostModel) -> Vec<Self> {
        let prepare = |ensemble| Prepared::of(ensemble, Tree::cover);
        model.outputs().iter().map(prepare).collect()
    }

    /// Sets what follows from the mean values and the lengths of the paths.
    fn update_base(&mut self, ensemble: &Ensemble, background: bool) {
        self.base = self.trees.iter().fold(ensemble.base(), |sum, tree| sum + tree.mean);
        let longest = self.trees.iter().map(|tree| tree.longest).max().unwrap_or(0);
        self.coefficients = Coefficients::new(longest, background);
    }
}

/// Trees of one output that are evaluated together with those of other outputs.
struct Part<'p> {
    output: &'p Prepared,
    /// Index among the outputs.
    place: usize,
    trees: &'p [Paths],
    /// Whether these include its first trees, and its last.
    ends: [bool; 2],
}

/// Parts whose tables fit into memory together, of at most [`BESIDE`] outputs.
fn batches<'p>(outputs: &[&'p Prepared], tabled: bool) -> Vec<Vec<Part<'p>>> {
    let (mut batches, mut size): (Vec<Vec<Part<'_>>>, usize) = (Vec::new(), 0);
    for (place, output) in outputs.iter().enumerate() {
        let mut first = 0;
        while first == 0 || first < output.trees.len() {
            let fits = |own: &mut usize, tree: &Paths| {
                *own += if tabled { Tables::size(tree) } else { 0 };
                Some(*own)
            };
            // As many trees as fit, at least one.
            let sizes: Vec<usize> = output.trees[first..].iter().scan(0, fits).collect();
            let count = sizes.iter().take_while(|&&own| own <= TABLE_SIZE).count().max(1).min(sizes.len());
            let (own, last) = (sizes[..count].last().copied().unwrap_or(0), first + count);
            let ends = [first == 0, last == output.trees.len()];
            let part = Part { output, place, trees: &output.trees[first..last], ends };
            match batches.last_mut() {
                Some(batch) if ends == [true, true] && batch.len() < BESIDE && size + own <= TABLE_SIZE => {
                    batch.push(part);
                    size += own;
                }
                _ => {
                    batches.push(vec![part]);
                    size = own;
                }
            }
            first = last.max(1);
        }
    }
    batches
}

/// Writes the attributions of all outputs to `values` and checks their additivity.
pub(super) fn write(
    outputs: &[&Prepared],
    rows: &Rows<'_>,
    margins: &Array2<f64>,
    values: &mut Array3<f64>,
    stage: &Stage<'_>,
) -> Result<()> {
    let (n, features, count) = values.dim();
    let Some(values) = values.as_slice_mut() else { return Ok(()) };
    let tabled = n >= TABLE_ROWS;
    let fault = Mutex::new(None::<(usize, f64)>);
    for batch in batches(outputs, tabled) {
        let tables = |part: &Part<'_>| {
            if !tabled {
                return Vec::new();
            }
            // A sample spread over the table.
            let m = n.min(SAMPLE);
            let Block { values, stride, .. } = Block::new(part.output, |i| rows.row(i * n / m), m);
            let Prepared { coefficients, columns, .. } = part.output;
            parallel::map(part.trees.len(), |i| Tables::of(&part.trees[i], coefficients, columns, &values, stride, m))
        };
        let tables: Vec<Vec<Tables>> = batch.iter().map(tables).collect();
        let users = users(&batch);
        parallel::for_each_chunk(values, BLOCK * features * count, |b, values| {
            if stage.check().is_err() {
                return;
            }
            let (first, n) = (b * BLOCK, values.len() / (features * count));
            let work = |(part, tables): (&Part<'_>, &Vec<Tables>)| {
                let mut block = Block::new(part.output, |i| rows.row(first + i), n);
                if !part.ends[0] {
                    block.load(part.output, values, features, count, part.place);
                }
                block.add(part.output, part.trees, tables);
                block
            };
            let blocks: Vec<Block> = batch.iter().zip(&tables).map(work).collect();
            store(&batch, &users, &blocks, values, features, count);
            for (part, block) in batch.iter().zip(&blocks).filter(|(part, _)| part.ends[1]) {
                let worst = block.fault(part.output.base, |i| margins[[first + i, part.place]]);
                if let (Some((i, gap)), Ok(mut fault)) = (worst, fault.lock()) {
                    // The first faulty row, whatever the order of the threads.
                    if fault.is_none_or(|(row, _)| first + i < row) {
                        *fault = Some((first + i, gap));
                    }
                }
            }
        });
        stage.step(batch.last().map_or(0, |part| part.place + 1))?;
    }
    match fault.into_inner().ok().flatten() {
        None => Ok(()),
        Some((row, gap)) => Err(Error::Contract {
            room: "explainer",
            name: "TreeShap".into(),
            reason: format!("attributions are {gap:e} away from the margin"),
            row: Some(row),
        }),
    }
}

/// For each feature that any part uses, the parts that use it and its column there.
fn users(batch: &[Part<'_>]) -> Vec<(usize, Vec<(usize, usize)>)> {
    let mut users = BTreeMap::<usize, Vec<(usize, usize)>>::new();
    for (p, part) in batch.iter().enumerate() {
        for (c, &feature) in part.output.used.iter().enumerate() {
            users.entry(feature as usize).or_default().push((p, c));
        }
    }
    users.into_iter().collect()
}

/// Copies the sums of several outputs to `values`: feature by feature for eight rows at a time, so that writes are
/// contiguous and a column's eight sums are read from one cache line.
fn store(
    batch: &[Part<'_>],
    users: &[(usize, Vec<(usize, usize)>)],
    blocks: &[Block],
    values: &mut [f64],
    features: usize,
    outputs: usize,
) {
    for tile in (0..blocks.first().map_or(0, |block| block.rows)).step_by(8) {
        let end = blocks.first().map_or(0, |block| block.rows).min(tile + 8);
        for (feature, users) in users {
            for i in tile..end {
                let slots = &mut values[(i * features + feature) * outputs..][..outputs];
                for &(p, c) in users {
                    slots[batch[p].place] = blocks[p].sums[c * blocks[p].stride + i];
                }
            }
        }
    }
}

/// Up to [`BLOCK`] rows, stored by column; for a sample only `values` is used.
struct Block {
    rows: usize,
    /// Length of a column: the rows, rounded up to whole groups, and a cache line, so that columns do not collide in one
    /// cache set.
    stride: usize,
    /// Values of the used features.
    values: Vec<f32>,
    /// Attributions of the used features.
    sums: Vec<f64>,
}

impl Block {
    fn new<'r>(prepared: &Prepared, row: impl Fn(usize) -> &'r [f32], rows: usize) -> Self {
        let stride = rows.next_multiple_of(ROWS) + 16;
        let mut values = vec![0.0f32; prepared.used.len() * stride];
        // Transposed sixteen rows at a time: one cache line of a column.
        for tile in (0..rows).step_by(16) {
            let end = (tile + 16).min(rows);
            for (c, &feature) in prepared.used.iter().enumerate() {
                let column = &mut values[c * stride..(c + 1) * stride];
                for i in tile..end {
                    column[i] = row(i)[feature as usize];
                }
            }
        }
        Block { rows, stride, values, sums: vec![0.0; prepared.used.len() * stride] }
    }

    /// Loads the attributions by earlier trees.
    fn load(&mut self, prepared: &Prepared, values: &[f64], features: usize, outputs: usize, place: usize) {
        for (c, &feature) in prepared.used.iter().enumerate() {
            for i in 0..self.rows {
                self.sums[c * self.stride + i] = values[(i * features + feature as usize) * outputs + place];
            }
        }
    }

    /// Adds the trees' attributions; without tables they are computed row by row.
    fn add(&mut self, prepared: &Prepared, trees: &[Paths], tables: &[Tables]) {
        let Prepared { coefficients, columns, .. } = prepared;
        let mut scratch = Scratch::default();
        for (t, tree) in trees.iter().enumerate() {
            let (values, sums) = (&self.values, &mut self.sums);
            tables::add_tree(
                tree,
                tables.get(t),
                coefficients,
                columns,
                values,
                self.stride,
                self.rows,
                &mut scratch,
                sums,
            );
        }
    }

    /// The first row whose attributions and base value do not sum to its margin.
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
