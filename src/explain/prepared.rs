//! The trees of one output prepared for SHAP, and their evaluation on blocks of rows.

use super::paths::Paths;
use super::shapley::Coefficients;
use super::tables::{self, BLOCK, SAMPLE, Scratch, Table, Tables};
use crate::boost::{BoostModel, Ensemble, Tree};
use crate::core::spare::Spare;
use crate::core::{Cached, Rows, parallel};
use crate::{Error, Result, Stage};
use ndarray::{Array2, Array3};
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

/// Tolerance of additivity, relative to the margin's scale.
const TOLERANCE: f64 = 1e-9;

/// From this many rows on, tables are built.
const TABLE_ROWS: usize = 64;

/// Most entries of tables that are kept for later calls, all outputs together: 256 MB.
const KEPT: usize = 1 << 25;

/// Most table entries in memory at once where they are not kept, 64 MB.
const TABLE_SIZE: usize = 1 << 23;

/// Outputs that are computed together, so that the result is written in whole cache lines.
const BESIDE: usize = 32;

/// Tasks that are under way together, at least: one output of one block each.
const TASKS: usize = 48;

/// Rows of a task that writes the result.
const STORED: usize = 32;

/// Rows that are written together: a column's eight sums fill a cache line.
const TILE: usize = 8;

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
    /// Entries of all its tables, at most.
    size: usize,
    tables: Cached<Vec<Tables>>,
}

impl Prepared {
    /// Paths weighted by `cover`, a function from a tree to the cover of its nodes.
    pub(super) fn of<'a, C: AsRef<[f64]>>(ensemble: &'a Ensemble, cover: impl Fn(&'a Tree) -> C + Sync + Send) -> Self {
        let trees = ensemble.trees();
        let trees = parallel::map(trees.len(), |t| Paths::of(&trees[t], cover(&trees[t]).as_ref()));
        let mut used: Vec<u32> = trees.iter().flat_map(|tree| tree.splits.iter().map(|split| split.feature)).collect();
        used.sort_unstable();
        used.dedup();
        let (columns, size) = (places(&used), trees.iter().map(Tables::size).sum());
        let (coefficients, tables) = (Coefficients::default(), Cached::default());
        let mut prepared = Prepared { base: 0.0, trees, coefficients, used, columns, size, tables };
        prepared.update_base(ensemble, false);
        prepared
    }

    /// Takes absent features from a background's rows.
    pub(super) fn set_background(&mut self, ensemble: &Ensemble, background: &Rows<'_>) {
        parallel::for_each_chunk(&mut self.trees, 1, |_, trees| {
            trees.iter_mut().for_each(|t| t.set_background(background))
        });
        self.tables = Cached::default();
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

    /// Tables of some of its trees; what is frequent is learnt from a sample spread over the rows.
    fn tabulate(&self, trees: &[Paths], rows: &Rows<'_>) -> Vec<Tables> {
        let (n, m) = (rows.len(), rows.len().min(SAMPLE));
        let sample = Table::new(&self.used, |i| rows.row(i * n / m), m);
        parallel::map(trees.len(), |i| Tables::of(&trees[i], &self.coefficients, &self.columns, &sample))
    }
}

/// For each feature its place among those given, which ascend.
fn places(features: &[u32]) -> Vec<u32> {
    // Not for all features: a model may have many more than it uses.
    let mut places = vec![0u32; features.last().map_or(0, |&last| last as usize + 1)];
    features.iter().zip(0..).for_each(|(&feature, place)| places[feature as usize] = place);
    places
}

/// Whether tables of all outputs are few enough to be kept.
pub(super) fn keeps(prepared: &[Prepared]) -> bool {
    prepared.iter().map(|output| output.size).sum::<usize>() <= KEPT
}

/// Makes tables for these rows and later ones and keeps them, unless there are, or the rows are too few to be worth it or to
/// tell which patterns are frequent. Whether there are tables changes no bit of a value.
pub(super) fn keep(outputs: &[&Prepared], rows: &Rows<'_>) -> Result<()> {
    for output in outputs {
        let large = output.trees.iter().any(Tables::need_sample);
        if rows.len() >= if large { SAMPLE } else { TABLE_ROWS } {
            output.tables.get(|| Ok(output.tabulate(&output.trees, rows)))?;
        }
    }
    Ok(())
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

/// Parts whose tables fit into memory together, if they have to be made, of at most [`BESIDE`] outputs.
fn batches<'p>(outputs: &[&'p Prepared], made: bool) -> Vec<Vec<Part<'p>>> {
    let (mut batches, mut size): (Vec<Vec<Part<'_>>>, usize) = (Vec::new(), 0);
    for (place, output) in outputs.iter().enumerate() {
        let mut first = 0;
        while first == 0 || first < output.trees.len() {
            let fits = |own: &mut usize, tree: &Paths| {
                *own += if made { Tables::size(tree) } else { 0 };
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

/// Writes the attributions of all outputs to `values` and checks their additivity. Numbers that belong to no feature that the
/// output uses are left as they are.
pub(super) fn write(
    outputs: &[&Prepared],
    rows: &Rows<'_>,
    margins: &Array2<f64>,
    values: &mut Array3<f64>,
    stage: &Stage<'_>,
) -> Result<()> {
    let (n, features, count) = values.dim();
    let Some(values) = values.as_slice_mut() else { return Ok(()) };
    let kept: Option<Vec<Arc<Vec<Tables>>>> = outputs.iter().map(|output| output.tables.made()).collect();
    let make = kept.is_none() && n >= TABLE_ROWS;
    let fault = Mutex::new(None::<(usize, f64)>);
    for batch in batches(outputs, make) {
        let tables = |part: &Part<'_>| match &kept {
            Some(kept) => Cow::Borrowed(&kept[part.place][..]),
            None if make => Cow::Owned(part.output.tabulate(part.trees, rows)),
            None => Cow::Borrowed(&[][..]),
        };
        let tables: Vec<Cow<'_, [Tables]>> = batch.iter().map(tables).collect();
        let block = Together::of(&batch, &tables, features, count);
        block.write(rows, values, stage, |first, part, sums| {
            let worst = sums.fault(part.output.base, |i| margins[[first + i, part.place]]);
            if let (Some((i, gap)), Ok(mut fault)) = (worst, fault.lock()) {
                // The first faulty row, whatever the order of the threads.
                if fault.is_none_or(|(row, _)| first + i < row) {
                    *fault = Some((first + i, gap));
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

/// Parts that are computed together, and where their sums go.
struct Together<'b, 'p> {
    batch: &'b [Part<'p>],
    tables: &'b [Cow<'b, [Tables]>],
    /// Features that any part uses, ascending, and for each feature its place among these.
    used: Vec<u32>,
    columns: Vec<u32>,
    /// In ascending order of the slot.
    targets: Vec<Target>,
    features: usize,
    outputs: usize,
}

/// Where the sums of one column of a part go.
struct Target {
    /// Index within a row of the result.
    slot: usize,
    part: usize,
    column: usize,
}

impl<'b, 'p> Together<'b, 'p> {
    fn of(batch: &'b [Part<'p>], tables: &'b [Cow<'b, [Tables]>], features: usize, outputs: usize) -> Self {
        let mut used: Vec<u32> = batch.iter().flat_map(|part| &part.output.used).copied().collect();
        used.sort_unstable();
        used.dedup();
        let mut targets = Vec::new();
        for (p, part) in batch.iter().enumerate() {
            let slots = part.output.used.iter().map(|&feature| feature as usize * outputs + part.place);
            targets.extend(slots.zip(0..).map(|(slot, column)| Target { slot, part: p, column }));
        }
        targets.sort_unstable_by_key(|target| target.slot);
        Together { batch, tables, columns: places(&used), used, targets, features, outputs }
    }

    /// Computes and stores the attributions of all rows. `check` gets those of a block of rows by one part that is its
    /// output's last, and the number of the first of these rows.
    fn write(
        &self,
        rows: &Rows<'_>,
        values: &mut [f64],
        stage: &Stage<'_>,
        check: impl Fn(usize, &Part<'_>, &Sums) + Sync,
    ) {
        let row = self.features * self.outputs;
        let (spare, scratches) = (Spare::default(), Spare::default());
        let table = |first: usize, n: usize| Table::new(&self.used, |i| rows.row(first + i), n);
        let sums = |first: usize, table: &Table, p: usize, before: &[f64]| {
            let (part, mut scratch) = (&self.batch[p], scratches.take(Scratch::default));
            let mut sums = Sums::new(part.output, table, spare.take(Vec::new));
            if !part.ends[0] {
                sums.load(part, before, self.features, self.outputs);
            }
            sums.add(part, &self.tables[p], &self.columns, table, &mut scratch);
            if part.ends[1] {
                check(first, part, &sums);
            }
            scratches.give(scratch);
            sums
        };
        // One part alone is stored at once, while its sums are in the cache; of several all are needed first.
        if self.batch.len() == 1 {
            return parallel::for_each_chunk(values, BLOCK * row, |b, values| {
                if stage.check().is_ok() {
                    let (first, n) = (b * BLOCK, values.len() / row);
                    let sums = sums(first, &table(first, n), 0, values);
                    self.store(&[&sums], 0, values);
                    spare.give(sums.values);
                }
            });
        }
        let parts = self.batch.len();
        let blocks = TASKS.div_ceil(parts);
        for (w, values) in values.chunks_mut(blocks * BLOCK * row).enumerate() {
            if stage.check().is_err() {
                return;
            }
            let (first, n) = (w * blocks * BLOCK, values.len() / row);
            let tables = parallel::map_ranges(n, BLOCK, |range| table(first + range.start, range.len()));
            let all = parallel::map(tables.len() * parts, |task| {
                // Block after block of one part, while its tables are in the cache.
                let (p, b) = (task / tables.len(), task % tables.len());
                sums(first + b * BLOCK, &tables[b], p, &values[b * BLOCK * row..])
            });
            parallel::for_each_chunk(values, STORED * row, |s, values| {
                let (b, from) = (s * STORED / BLOCK, s * STORED % BLOCK);
                let of_block: Vec<&Sums> = all.iter().skip(b).step_by(tables.len()).collect();
                self.store(&of_block, from, values);
            });
            all.into_iter().for_each(|sums| spare.give(sums.values));
        }
    }

    /// Copies the sums of a block's rows `from` on to their slots.
    fn store(&self, sums: &[&Sums], from: usize, values: &mut [f64]) {
        let row = self.features * self.outputs;
        for (tile, values) in values.chunks_mut(TILE * row).enumerate() {
            let mut rows = values.chunks_mut(row);
            // Empty ones beyond the last row.
            let mut rows: [&mut [f64]; TILE] = std::array::from_fn(|_| rows.next().unwrap_or_default());
            for target in &self.targets {
                let Sums { values, stride, .. } = sums[target.part];
                let Some(eight) = values[target.column * stride + from + tile * TILE..].first_chunk::<TILE>() else {
                    continue;
                };
                for (row, &value) in rows.iter_mut().zip(eight) {
                    if let Some(slot) = row.get_mut(target.slot) {
                        *slot = value;
                    }
                }
            }
        }
    }
}

/// Attributions of a block of rows by one output, stored by column.
struct Sums {
    rows: usize,
    stride: usize,
    values: Vec<f64>,
}

impl Sums {
    /// Zeros for the rows of a table, in a buffer that may have been used.
    fn new(output: &Prepared, table: &Table, mut values: Vec<f64>) -> Self {
        values.clear();
        values.resize(output.used.len() * table.stride, 0.0);
        Sums { rows: table.rows, stride: table.stride, values }
    }

    /// Loads the attributions by earlier trees.
    fn load(&mut self, part: &Part<'_>, values: &[f64], features: usize, outputs: usize) {
        for (c, &feature) in part.output.used.iter().enumerate() {
            for i in 0..self.rows {
                self.values[c * self.stride + i] = values[(i * features + feature as usize) * outputs + part.place];
            }
        }
    }

    /// Adds the trees' attributions; without tables they are computed row by row.
    fn add(&mut self, part: &Part<'_>, tables: &[Tables], from: &[u32], table: &Table, scratch: &mut Scratch) {
        let Prepared { coefficients, columns, .. } = part.output;
        for (t, tree) in part.trees.iter().enumerate() {
            tables::add_tree(tree, tables.get(t), coefficients, from, table, columns, scratch, &mut self.values);
        }
    }

    /// The first row whose attributions and base value do not sum to its margin.
    fn fault(&self, base: f64, margin: impl Fn(usize) -> f64) -> Option<(usize, f64)> {
        let mut totals = vec![(0.0f64, 0.0f64); self.rows];
        for column in self.values.chunks_exact(self.stride) {
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
