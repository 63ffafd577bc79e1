//! What a report shows of sparse rows: the columns that the model uses most, and all others added up.

use crate::source::Source;
use ndarray::{Array2, Array3, s};
use recluster::boost::{BoostModel, Importance};
use recluster::explain::Surrogate;
use recluster::recursive::ClusterTree;
use recluster::{Explainer, Explanation, Result, Run, SparseRows};

/// Columns that are shown one by one.
const MOST: usize = 100;
/// Rows whose attributions are made at a time, to all columns.
const BLOCK: usize = 16;

/// A dense table of few columns in place of the sparse rows, with a tree that fits it.
pub(crate) struct Shown {
    pub(crate) source: Source,
    pub(crate) tree: ClusterTree,
    /// For each column of the rows the column that it is shown as.
    place: Vec<usize>,
}

impl Shown {
    pub(crate) fn of(rows: &SparseRows, tree: &ClusterTree, surrogate: &Surrogate) -> Result<Self> {
        let columns = rows.columns();
        let chosen = chosen(surrogate.model())?;
        let others = columns - chosen.len();
        let mut place = vec![chosen.len(); columns];
        chosen.iter().enumerate().for_each(|(at, &column)| place[column] = at);
        let mut values = Array2::zeros((rows.rows(), chosen.len() + usize::from(others > 0)));
        for (row, mut shown) in values.outer_iter_mut().enumerate() {
            let (indices, entries) = rows.row(row);
            // Other columns may add up to more than f32 holds.
            indices.iter().zip(entries).for_each(|(&column, &value)| {
                let sum: &mut f32 = &mut shown[place[column as usize]];
                *sum = (*sum + value).clamp(f32::MIN, f32::MAX);
            });
        }
        let mut names: Vec<String> = chosen.iter().map(|column| format!("column {}", column + 1)).collect();
        let note = (others > 0).then(|| {
            names.push(format!("{others} other columns"));
            let few = chosen.len();
            format!(
                "The rows are sparse: of {columns} columns the {few} that the model uses most are shown by themselves, the \
                 others as one, their values and their pushes added up; rules are made of these"
            )
        });
        let tree = ClusterTree::from_nodes(tree.nodes().to_vec(), values.ncols(), tree.seed())?;
        Ok(Shown { source: Source::of_numbers(values, names, note), tree, place })
    }

    /// Attributions of some of the rows, those of other columns added up.
    pub(crate) fn explained(
        &self,
        rows: &SparseRows,
        picked: &[u32],
        surrogate: &Surrogate,
        run: &Run,
    ) -> Result<Explanation> {
        let columns = self.source.values.ncols();
        let mut values = Array3::zeros((picked.len(), columns, surrogate.classes().len()));
        let mut base = None;
        for (block, picked) in picked.chunks(BLOCK).enumerate() {
            let dense = rows.select(picked)?.to_dense(0..picked.len())?;
            let why = surrogate.explain(&dense, run)?.summed(&self.place)?;
            let first = block * BLOCK;
            values.slice_mut(s![first..first + picked.len(), .., ..]).assign(why.values());
            base = Some(why.base().clone());
        }
        Explanation::new(values, base.unwrap_or_default())
    }
}

/// The columns that save the most loss, ascending; all if they are few, the first where none is used.
fn chosen(model: &BoostModel) -> Result<Vec<usize>> {
    let mut gains = vec![0.0; model.features()];
    for output in 0..model.outputs().len() {
        let own = model.importance(output, Importance::TotalGain)?;
        gains.iter_mut().zip(own).for_each(|(sum, gain)| *sum += gain);
    }
    let mut order: Vec<usize> = (0..gains.len()).collect();
    // A stable sort: of equals the first.
    order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]));
    let used = gains.iter().filter(|&&gain| gain > 0.0).count();
    if gains.len() > MOST + 1 {
        order.truncate(if used == 0 { MOST } else { used.min(MOST) });
    }
    order.sort_unstable();
    Ok(order)
}
