//! The report of large trees, and of tables that are odd: it stays within its size, and works.

use crate::made::{self, Grid, Lead, why};
use ndarray::Array2;
use recluster::Run;
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::report::Report;

const MB: usize = 1_000_000;

/// A tree of `width`^`levels` leaves of 70,000 rows, and its table of `columns`.
fn grown(width: u64, levels: usize, rows: usize, columns: usize) -> (ClusterTree, Array2<f32>) {
    let data = made::table(rows, columns);
    let tree =
        RecursiveTree::new(Lead, Grid { width }).levels(levels).min_size(1usize).fit(&data, &Run::new()).unwrap();
    assert_eq!(tree.leaves().count(), (width as usize).pow(levels as u32));
    (tree, data)
}

/// The page with attributions of a sample, as `recluster fit` has them.
fn page(tree: &ClusterTree, data: &Array2<f32>, side: Option<usize>) -> String {
    let leaves = tree.leaves().count();
    let mut report = Report::new(tree, data);
    if let Some(side) = side {
        report = report.image(side, side);
    }
    let rows = report.sample(2000.min((64 << 20) / (8 * data.ncols() * leaves)).max(300)).unwrap();
    let why = why(data, &rows, leaves);
    report.explanation(rows, &why).render().unwrap()
}

#[test]
fn a_hundred_clusters_are_under_five_megabytes() {
    let (tree, data) = grown(10, 2, 70_000, 64);
    for side in [None, Some(8)] {
        let html = page(&tree, &data, side);
        println!("100 clusters: {} bytes", html.len());
        assert!(html.len() < 5 * MB, "{}", html.len());
        assert_eq!(html.matches("<article").count(), 100);
    }
}

#[test]
fn a_thousand_clusters_are_under_twelve_megabytes() {
    let (tree, data) = grown(10, 3, 70_000, 64);
    for side in [None, Some(8)] {
        let html = page(&tree, &data, side);
        println!("1,000 clusters: {} bytes", html.len());
        assert!(html.len() < 12 * MB, "{}", html.len());
        assert_eq!(html.matches("<article").count(), 1000);
    }
}

#[test]
fn a_thousand_clusters_of_large_images_are_under_twelve_megabytes() {
    let (tree, data) = grown(10, 3, 10_000, 784);
    let html = page(&tree, &data, Some(28));
    println!("1,000 clusters of images: {} bytes", html.len());
    assert!(html.len() < 12 * MB, "{}", html.len());
}
