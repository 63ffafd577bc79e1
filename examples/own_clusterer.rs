//! A clusterer of one's own: twenty lines, the conformance kit, and a recursive tree around it.
//!
//! `Clusterer` has one method to implement; everything else (zooming, paths, the surrogate, explanations, the report)
//! works with it as with the built-in ones. `docs/plug-ins.md` says more.

use ndarray::ArrayRef2;
use recluster::cluster::KMeans;
use recluster::data::digits;
use recluster::embed::Pca;
use recluster::recursive::RecursiveTree;
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Clustering, Result, Run, canonical_order, check_finite, testing};

/// Cuts the first column where neighbouring values are farthest apart, as often as asked.
struct WidestGaps {
    clusters: usize,
}

impl Clusterer for WidestGaps {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        check_finite(rows)?;
        run.stage("gaps", 1).step(1)?; // ends here when the run has been cancelled
        let value = |i: usize| rows[[i, 0]];
        let mut order: Vec<usize> = (0..rows.nrows()).collect();
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let gap = |at: usize| value(order[at]) - value(order[at - 1]);
        // Of gaps that are equally wide the lower ones are cut, so that the order of the rows does not matter.
        let mut cuts: Vec<usize> = (1..order.len()).filter(|&at| gap(at) > 0.0).collect();
        cuts.sort_by(|&a, &b| gap(b).total_cmp(&gap(a)).then(a.cmp(&b)));
        cuts.truncate(self.clusters.saturating_sub(1));
        let mut labels = vec![0; rows.nrows()];
        for (place, &row) in order.iter().enumerate() {
            labels[row] = cuts.iter().filter(|&&cut| cut <= place).count() as i32;
        }
        Clustering::new(labels)
    }
}

/// With three of the mistakes that are easily made: it begins with the row that happens to come first, it takes values that
/// are no numbers, and it cannot be cancelled.
struct Careless;

impl Clusterer for Careless {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        let value = |i: usize| rows.get([i, 0]).copied().unwrap_or(0.0);
        let near = |i: usize| (value(i) - value(0)).abs() < 5.0;
        Clustering::compact((0..rows.nrows()).map(|i| i32::from(!near(i))).collect())
    }
}

fn main() -> Result<()> {
    let report = testing::clusterer(&WidestGaps { clusters: 3 }).run();
    println!("{report}");
    report.assert();
    println!("{}", testing::clusterer(&Careless).run());

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
    // For algorithms that walk the rows: an order that does not depend on how the table was sorted.
    println!("the digits in canonical order begin with row {}", canonical_order(&digits.images)?[0]);
    Ok(())
}
