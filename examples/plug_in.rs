//! A clusterer of one's own, inside a recursive tree.
//!
//! `Clusterer` has one method to implement; everything else (zooming, paths, the surrogate, explanations, the report)
//! works with it as with the built-in ones.

use ndarray::ArrayRef2;
use recluster::cluster::KMeans;
use recluster::data::digits;
use recluster::embed::Pca;
use recluster::recursive::RecursiveTree;
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Clustering, Result, Run};

/// Cuts the first embedding axis where neighbouring values are farthest apart, as often as asked.
struct WidestGaps {
    clusters: usize,
}

impl Clusterer for WidestGaps {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        let mut order: Vec<usize> = (0..rows.nrows()).collect();
        order.sort_by(|&a, &b| rows[[a, 0]].total_cmp(&rows[[b, 0]]));
        let mut gaps: Vec<(f32, usize)> =
            order.windows(2).enumerate().map(|(i, pair)| (rows[[pair[1], 0]] - rows[[pair[0], 0]], i + 1)).collect();
        gaps.sort_by(|a, b| b.0.total_cmp(&a.0));
        gaps.truncate(self.clusters.saturating_sub(1));
        let mut labels = vec![0; rows.nrows()];
        for (place, &row) in order.iter().enumerate() {
            labels[row] = gaps.iter().filter(|gap| gap.1 <= place).count() as i32;
        }
        Clustering::compact(labels)
    }
}

fn main() -> Result<()> {
    let digits = digits();
    let run = Run::new().seed(7);

    let ours = RecursiveTree::new(Pca::new(2), WidestGaps { clusters: 3 }).fit(&digits.images, &run)?;
    println!("{}: {} leaves\n{ours}", ours.clusterer(), ours.leaves().count());

    // The same plan with a built-in clusterer: only one argument changes.
    let k_means = RecursiveTree::new(Pca::new(2), KMeans::new(3)).fit(&digits.images, &run)?;
    println!("{}: {} leaves\n{k_means}", k_means.clusterer(), k_means.leaves().count());

    for tree in [&ours, &k_means] {
        let agreement = adjusted_rand(&tree.leaf_labels(), &digits.labels)?;
        println!("{:12} agreement of the leaves with the digits (ARI): {agreement:.2}", tree.clusterer());
    }
    Ok(())
}
