//! What the report shows of a fitted tree, and the plain statistics of its rows.

use crate::core::{Canonical, Rows};
use ndarray::ArrayView2;

/// One node, as the report needs it.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    /// "0", "0.2", ..
    pub(super) path: &'a str,
    /// 0 for the root.
    pub(super) level: usize,
    pub(super) parent: Option<usize>,
    /// Its children's places in [`View::nodes`]; child k has the label k.
    pub(super) children: &'a [usize],
    /// Its rows' original numbers.
    pub(super) rows: &'a [u32],
    /// Row i belongs to `rows[i]`.
    pub(super) embedding: Option<ArrayView2<'a, f32>>,
    /// The child's number of each of its rows, -1 for noise; empty when it was not split.
    pub(super) labels: &'a [i32],
    pub(super) persistence: Option<f64>,
    /// Why it was not split further, in words.
    pub(super) stopped: Option<String>,
}

/// A tree, root first, parents before children.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) nodes: Vec<Node<'a>>,
}

impl View<'_> {
    /// Rows in all.
    pub(super) fn rows(&self) -> usize {
        self.nodes.first().map_or(0, |root| root.rows.len())
    }

    pub(super) fn share(&self, node: usize) -> f64 {
        self.nodes[node].rows.len() as f64 / self.rows().max(1) as f64
    }

    /// The nodes without children, in order of their paths' numbers.
    pub(super) fn leaves(&self) -> Vec<usize> {
        let mut leaves = Vec::new();
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            match self.nodes[node].children {
                [] => leaves.push(node),
                children => open.extend(children.iter().rev()),
            }
        }
        leaves
    }

    /// The nodes that were split, from the top downwards.
    pub(super) fn split(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&node| !self.nodes[node].children.is_empty()).collect()
    }

    /// Rows of a node that none of its children holds.
    pub(super) fn noise(&self, node: usize) -> usize {
        let node = &self.nodes[node];
        match node.children {
            [] => 0,
            children => {
                node.rows.len()
                    - children.iter().map(|&child| self.nodes[child].rows.len()).sum::<usize>().min(node.rows.len())
            }
        }
    }

    /// Rows in no leaf.
    pub(super) fn noise_in_all(&self) -> usize {
        self.rows() - self.leaves().iter().map(|&leaf| self.nodes[leaf].rows.len()).sum::<usize>().min(self.rows())
    }

    /// Its number among its siblings; 0 for the root.
    pub(super) fn number(&self, node: usize) -> i32 {
        let siblings = self.nodes[node].parent.map_or(&[][..], |parent| self.nodes[parent].children);
        siblings.iter().position(|&sibling| sibling == node).unwrap_or(0) as i32
    }

    pub(super) fn depth(&self) -> usize {
        self.nodes.iter().map(|node| node.level).max().unwrap_or(0)
    }

    /// For each row the place of its leaf in [`View::leaves`].
    pub(super) fn leaf_of_row(&self) -> Vec<Option<usize>> {
        let mut of = vec![None; self.rows()];
        for (place, leaf) in self.leaves().into_iter().enumerate() {
            for &row in self.nodes[leaf].rows {
                of[row as usize] = Some(place);
            }
        }
        of
    }
}

/// Means and spreads of the columns, missing values left out.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    /// Of all rows, for each column.
    pub(super) mean: Vec<f64>,
    /// Standard deviation of all rows, for each column.
    pub(super) deviation: Vec<f64>,
    /// (leaf, column): mean of a leaf's rows; NaN where all values are missing.
    pub(super) leaf_mean: Vec<Vec<f64>>,
    /// Smallest and largest value anywhere.
    pub(super) range: (f64, f64),
}

impl Statistics {
    /// Walks the rows in canonical order, so that the rows' order in the file changes no digit.
    pub(super) fn of(rows: &Rows<'_>, order: &Canonical, leaf_of_row: &[Option<usize>], leaves: usize) -> Self {
        let columns = rows.columns();
        let mut all = Sums::new(columns);
        let mut each: Vec<Sums> = (0..leaves).map(|_| Sums::new(columns)).collect();
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &row in &order.order {
            let values = rows.row(row as usize);
            for value in values.iter().map(|&v| f64::from(v)) {
                (low, high) = (low.min(value), high.max(value));
            }
            all.add(values);
            if let Some(leaf) = leaf_of_row[row as usize] {
                each[leaf].add(values);
            }
        }
        let mean = all.means();
        let mut squares = Sums::new(columns);
        for &row in &order.order {
            squares.add_squares(rows.row(row as usize), &mean);
        }
        let deviation = squares.means().into_iter().map(f64::sqrt).collect();
        let range = if low <= high { (low, high) } else { (0.0, 0.0) };
        Statistics { mean, deviation, leaf_mean: each.iter().map(Sums::means).collect(), range }
    }

    /// How far a leaf's mean lies from that of all rows, in standard deviations; 0 where that means nothing.
    pub(super) fn distance(&self, leaf: usize, column: usize) -> f64 {
        let distance = (self.leaf_mean[leaf][column] - self.mean[column]) / self.deviation[column];
        if distance.is_finite() { distance } else { 0.0 }
    }

    /// The columns in which a leaf lies furthest from all rows, furthest first.
    pub(super) fn apart(&self, leaf: usize, most: usize) -> Vec<usize> {
        let mut columns: Vec<usize> = (0..self.mean.len()).filter(|&c| self.distance(leaf, c) != 0.0).collect();
        columns.sort_by(|&a, &b| self.distance(leaf, b).abs().total_cmp(&self.distance(leaf, a).abs()).then(a.cmp(&b)));
        columns.truncate(most);
        columns
    }
}

/// Sums over rows with a count of present values for each column.
struct Sums {
    sum: Vec<f64>,
    present: Vec<u32>,
}

impl Sums {
    fn new(columns: usize) -> Self {
        Sums { sum: vec![0.0; columns], present: vec![0; columns] }
    }

    fn add(&mut self, values: &[f32]) {
        for ((sum, present), &value) in self.sum.iter_mut().zip(&mut self.present).zip(values) {
            if !value.is_nan() {
                *sum += f64::from(value);
                *present += 1;
            }
        }
    }

    fn add_squares(&mut self, values: &[f32], mean: &[f64]) {
        for (((sum, present), &value), &mean) in self.sum.iter_mut().zip(&mut self.present).zip(values).zip(mean) {
            if !value.is_nan() {
                let apart = f64::from(value) - mean;
                *sum += apart * apart;
                *present += 1;
            }
        }
    }

    fn means(&self) -> Vec<f64> {
        self.sum.iter().zip(&self.present).map(|(&sum, &present)| sum / f64::from(present)).collect()
    }
}

/// At most `most` rows, spread evenly over the canonical order: the same rows whatever the order of the file.
pub(super) fn sample(order: &Canonical, most: usize) -> Vec<u32> {
    let all = order.order.len();
    let taken = most.min(all);
    (0..taken).map(|i| order.order[i * all / taken.max(1)]).collect()
}
