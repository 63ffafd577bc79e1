//! The report as a whole.

use super::*;
use crate::Error;
use crate::recursive::RecursiveTree;
use crate::{Clusterer, Clustering, Embedder, Run};
use ndarray::{Array1, Array2, Array3, s};

/// Keeps the first two columns.
pub(super) struct Keep;
impl Embedder for Keep {
    fn embed(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        Ok(rows.slice(s![.., ..2]).to_owned())
    }
}

/// Cuts the first column into thirds of 30; the border between the second and the third is noise.
pub(super) struct Thirds;
impl Clusterer for Thirds {
    fn cluster(&self, rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        Clustering::compact(rows.column(0).iter().map(|&x| if x as i32 == 60 { -1 } else { x as i32 / 30 }).collect())
    }
}

pub(super) fn data() -> Array2<f32> {
    Array2::from_shape_fn((180, 6), |(i, j)| ((i * (7 + 2 * j) + j * j) % 90) as f32)
}

pub(super) fn fitted(data: &Array2<f32>) -> ClusterTree {
    RecursiveTree::new(Keep, Thirds).levels(1).fit(data, &Run::new()).unwrap()
}

/// Attributions that are a function of the row's values alone.
pub(super) fn why(data: &Array2<f32>, rows: &[u32], leaves: usize) -> Explanation {
    let values = Array3::from_shape_fn((rows.len(), data.ncols(), leaves), |(i, j, k)| {
        f64::from(data[[rows[i] as usize, j]] - 45.0) * 0.01 * (k as f64 + 0.3) / (j as f64 + 1.0)
    });
    Explanation::new(values, Array1::zeros(leaves)).unwrap()
}

#[test]
fn the_report_does_not_depend_on_the_order_of_rows() {
    let data = data();
    let turned = data.slice(s![..;-1, ..]).to_owned();
    let render = |data: &Array2<f32>| {
        let tree = fitted(data);
        let report = Report::new(&tree, data);
        let rows = report.sample(60).unwrap();
        let why = why(data, &rows, tree.leaves().count());
        report.explanation(rows, &why).render().unwrap()
    };
    let (one, other) = (render(&data), render(&turned));
    assert!(one == other, "the order of rows changed the report");
    for part in ["0.0", "0.1", "0.2", "in no cluster", "column 1", "speak for this cluster"] {
        assert!(one.contains(part), "{part}");
    }
    assert!(!one.contains("-0.0 %"));
}

#[test]
fn attributions_stay_within_memory() {
    for (columns, leaves, rows) in [(64, 20, 2000), (784, 40, 300), (10_000, 1000, 13), (1 << 40, 1 << 40, 1)] {
        assert_eq!(affordable(columns, leaves), rows);
    }
}

#[test]
fn names_are_escaped_and_images_shown() {
    let data = data();
    let tree = fitted(&data);
    let names = ["<q>", "a & b", "c", "d", "e", "f"];
    let html = Report::new(&tree, &data).title("<i>").feature_names(names).setting("<k>", "<v>").render().unwrap();
    assert!(html.contains("&lt;q&gt;") && html.contains("a &amp; b") && html.contains("&lt;v&gt;"));
    assert!(["<q>", "<i>", "<k>", "<v>", "<script"].iter().all(|raw| !html.contains(raw)));
    let html = Report::new(&tree, &data).image(3, 2).render().unwrap();
    assert!(html.contains("class=\"pixels\""));
}

#[test]
fn missing_values_and_a_tree_of_one_leaf_are_reported() {
    let mut data = data();
    let tree = fitted(&data);
    data.column_mut(4).fill(f32::NAN);
    data[[3, 1]] = f32::NAN;
    let html = Report::new(&tree, &data).render().unwrap();
    assert!(!html.split("base64,").map(|part| part.split_once('"').map_or(part, |p| p.1)).any(|p| p.contains("NaN")));
    let single = data.select(Axis(0), &[0]).mapv(|v| if v.is_nan() { 0.0 } else { v });
    let html = Report::new(&fitted(&single), &single).render().unwrap();
    assert!(html.contains("No clusters were found"));
}

#[test]
fn what_does_not_fit_the_tree_is_an_error() {
    let data = data();
    let tree = fitted(&data);
    let shape = |report: Report<'_>| matches!(report.render(), Err(Error::Shape { .. }));
    assert!(shape(Report::new(&tree, &data.slice(s![1.., ..]).to_owned())));
    assert!(shape(Report::new(&tree, &data.slice(s![.., 1..]).to_owned())));
    assert!(shape(Report::new(&tree, &data).feature_names(["one"])));
    assert!(shape(Report::new(&tree, &data).image(4, 4)));
    assert!(shape(Report::new(&tree, &data).image(usize::MAX, 2)));
    let leaves = tree.leaves().count();
    let three = why(&data, &[0, 1, 2], leaves);
    assert!(shape(Report::new(&tree, &data).explanation(vec![0, 1], &three)));
    assert!(shape(Report::new(&tree, &data).explanation(vec![0, 1, 2], &why(&data, &[0, 1, 2], leaves + 1))));
    let outside = Report::new(&tree, &data).explanation(vec![0, 1, 999], &three).render();
    assert!(matches!(outside, Err(Error::Setting { .. })));
    let folder = tempfile::tempdir().unwrap();
    Report::new(&tree, &data).write(folder.path().join("r.html")).unwrap();
    assert!(matches!(Report::new(&tree, &data).write(folder.path().join("no/r.html")), Err(Error::Io { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn weights_make_shares_and_averages_of_the_population() {
    let data = data();
    let tree = fitted(&data);
    let plain = Report::new(&tree, &data).render().unwrap();
    assert!(plain.contains("Share of all rows") && !plain.contains("population"));
    // Rows of the first third, which are a third, stand for nearly all.
    let weights: Vec<f64> = data.column(0).iter().map(|&x| if x < 30.0 { 98.0 } else { 1.0 }).collect();
    let weighted = Report::new(&tree, &data).weights(&weights).render().unwrap();
    let share = |tree: &ClusterTree, weights: &[f64]| {
        let heavy = tree.leaves().find(|leaf| data[[leaf.rows()[0] as usize, 0]] < 30.0).unwrap();
        let shares = shares::Shares::of(tree, weights, true);
        (shares.node(heavy), shares.of_parent(heavy), shares.node(tree.root()), shares.all_noise())
    };
    let (heavy, of_parent, root, noise) = share(&tree, &weights);
    assert!(heavy > 0.97 && heavy == of_parent && root == 1.0 && noise < 0.01, "{heavy} {noise}");
    assert!(weighted.contains("Share of the population") && weighted.contains(&Text::english().percent(heavy)));
    // In another order of the rows, and of weights in another unit, the same report.
    let turned = data.slice(s![..;-1, ..]).to_owned();
    let reversed: Vec<f64> = weights.iter().rev().map(|weight| weight * 4.0).collect();
    assert!(weighted == Report::new(&fitted(&turned), &turned).weights(&reversed).render().unwrap());
    assert!(plain.len() < weighted.len());
    for wrong in [vec![1.0; 3], vec![0.0; 180]] {
        assert!(Report::new(&tree, &data).weights(&wrong).render().is_err());
    }
}
