//! The values of one variable by cluster, in one order whatever that of the rows.

use crate::core::Rows;

/// A row's value, with its weight.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) value: f64,
    pub(super) weight: f64,
    /// The row's cluster; none for noise.
    pub(super) cluster: Option<u32>,
}

/// The values of one variable.
pub(super) struct Groups {
    /// Rows that have one, in canonical order.
    pub(super) values: Vec<Value>,
    pub(super) clusters: usize,
    /// Rows and weight of those that have none, in all and by cluster.
    pub(super) missing: Size,
    pub(super) missing_in: Vec<Size>,
}

/// How many rows there are: their number, the sum of their weights and that of the squares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) weight: f64,
    squares: f64,
}

impl Size {
    pub(super) fn add(&mut self, weight: f64) {
        self.rows += 1;
        self.weight += weight;
        self.squares += weight * weight;
    }

    pub(super) fn and(self, other: Size) -> Size {
        Size { rows: self.rows + other.rows, weight: self.weight + other.weight, squares: self.squares + other.squares }
    }

    /// As how many rows of equal weight they count (Kish).
    pub(super) fn effective(&self) -> f64 {
        if self.squares > 0.0 { self.weight * self.weight / self.squares } else { 0.0 }
    }
}

impl Groups {
    /// `order` are all rows in canonical order.
    pub(super) fn of(
        rows: &Rows<'_>,
        column: usize,
        order: &[u32],
        labels: &[i32],
        clusters: usize,
        weights: Option<&[f64]>,
    ) -> Self {
        let mut values = Vec::new();
        let (mut missing, mut missing_in) = (Size::default(), vec![Size::default(); clusters]);
        for row in order.iter().map(|&row| row as usize) {
            let (value, weight) = (f64::from(rows.row(row)[column]), weights.map_or(1.0, |weights| weights[row]));
            let cluster = u32::try_from(labels[row]).ok().filter(|&cluster| (cluster as usize) < clusters);
            if !value.is_nan() {
                values.push(Value { value, weight, cluster });
                continue;
            }
            missing.add(weight);
            if let Some(cluster) = cluster {
                missing_in[cluster as usize].add(weight);
            }
        }
        Groups { values, clusters, missing, missing_in }
    }

    /// How many rows have a value, in all and by cluster.
    pub(super) fn sizes(&self) -> (Size, Vec<Size>) {
        let (mut all, mut of) = (Size::default(), vec![Size::default(); self.clusters]);
        for value in &self.values {
            all.add(value.weight);
            if let Some(cluster) = value.cluster {
                of[cluster as usize].add(value.weight);
            }
        }
        (all, of)
    }

    /// Sorts by value, and of equal ones by weight, then by cluster.
    pub(super) fn sort(&mut self) {
        self.values.sort_unstable_by(|a, b| {
            let by_weight = || a.weight.total_cmp(&b.weight);
            a.value.total_cmp(&b.value).then_with(by_weight).then_with(|| a.cluster.cmp(&b.cluster))
        });
    }
}
