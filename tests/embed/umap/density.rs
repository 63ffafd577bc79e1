//! densMAP: pictures whose densities follow the rows'.

use super::data::*;
use ndarray::{Array2, ArrayView1, Axis, array, s};
use recluster::embed::{Densmap, Given, Target, Umap, UmapModel};
use recluster::{Error, Run};

fn correlation(x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>) -> f64 {
    let (x, y) = (&x - x.mean().unwrap(), &y - y.mean().unwrap());
    (&x * &y).sum() / ((&x * &x).sum() * (&y * &y).sum()).sqrt()
}

/// How well a picture's log radii follow the rows'.
fn kept(model: &UmapModel) -> f64 {
    let radii = model.log_radii(&Run::new()).unwrap();
    correlation(radii.column(0), radii.column(1))
}

#[test]
fn densities_are_kept_as_well_as_by_umap_learn() {
    let fixture = umap_fixture();
    let spread = table(&fixture["spread_rows"], 10);
    for (name, rows) in [("density_spread", spread), ("density_digits", digits())] {
        let theirs = &fixture[name];
        let fit = |umap: &Umap, seed| umap.fit(&rows, &Run::new().seed(seed)).unwrap();
        let radii = fit(&Umap::new().n_epochs(5), 0).log_radii(&Run::new()).unwrap();
        let expected = numbers(&theirs["rows"]);
        // Neighbours at equal distances may be chosen differently.
        let apart: Vec<f64> =
            radii.column(0).iter().zip(&expected).map(|(ours, theirs)| (ours - theirs).abs()).collect();
        let (mean, most) = (apart.iter().sum::<f64>() / apart.len() as f64, apart.iter().copied().fold(0.0, f64::max));
        assert!(mean < 2e-3 && most < 0.1, "{name}: radii apart by {mean} on average, {most} at most");
        let without = kept(&fit(&Umap::new(), 0));
        let mut ours = Vec::new();
        for seed in 0..3 {
            let dense = fit(&Umap::new().densmap(Densmap::new()), seed);
            let (with, trust) = (kept(&dense), trustworthiness(&rows, dense.embedding(), 15));
            println!("{name}: {with:.3}, trustworthiness {trust:.4}; without the term {without:.3}");
            ours.push((with, trust));
        }
        let mean = |of: fn(&(f64, f64)) -> f64| ours.iter().map(of).sum::<f64>() / 3.0;
        let average = |name: &str| numbers(&theirs[name]).into_iter().sum::<f64>() / 3.0;
        assert!(mean(|o| o.0) >= average("with") && mean(|o| o.0) > without + 0.5, "{name}: {ours:?} {without}");
        assert!(mean(|o| o.1) > average("trust_with") - 0.01, "{name}: {ours:?}");
    }
}

#[test]
fn density_leaves_iris_faithful() {
    let rows = iris();
    let species = iris_species();
    let umap = Umap::new().n_neighbors(10).min_dist(0.01).densmap(Densmap::new());
    let target = Target::classes(&species);
    for given in [Given::new(), Given::new().target(&target)] {
        let model = umap.fit_given(&rows, &given, &Run::new()).unwrap();
        let ours = trustworthiness(&rows, model.embedding(), 10);
        println!("iris by density: {ours:.3}");
        assert!(ours >= 0.97, "{ours}");
    }
}

#[test]
fn densities_do_not_depend_on_order_or_threads() {
    let rows = digits().slice(s![..500, ..]).to_owned();
    let order = shuffled(500);
    let umap = Umap::new().n_epochs(60).densmap(Densmap::new());
    let first = umap.fit(&rows, &Run::new().threads(1)).unwrap();
    let second = umap.fit(&rows.select(Axis(0), &order), &Run::new().threads(4)).unwrap();
    for (place, &row) in order.iter().enumerate() {
        assert_eq!(first.embedding().row(row), second.embedding().row(place));
    }
    let (a, b) = (first.log_radii(&Run::new()).unwrap(), second.log_radii(&Run::new()).unwrap());
    assert_eq!(a.select(Axis(0), &order), b);
    // Without weight or epochs to count in it changes nothing.
    let plain = Umap::new().n_epochs(60).fit(&rows, &Run::new()).unwrap();
    for off in [Densmap::new().lambda(0.0), Densmap::new().frac(0.0)] {
        let model = Umap::new().n_epochs(60).densmap(off).fit(&rows, &Run::new()).unwrap();
        assert_eq!(model.embedding(), plain.embedding());
    }
}

#[test]
fn awkward_densities_are_drawn_without_nan() {
    let run = Run::new();
    let hard = Densmap::new().lambda(1e5).frac(1.0).var_shift(1e-9);
    for densmap in [Densmap::new(), Densmap::new().frac(1.0), hard] {
        let umap = Umap::new().n_epochs(40).densmap(densmap);
        let mut outlier = blobs(200, 5, 3);
        outlier.row_mut(9).fill(1e6);
        let grid = Array2::from_shape_fn((100, 2), |(i, d)| if d == 0 { i % 10 } else { i / 10 } as f32);
        let tables = [
            outlier,
            grid,
            blobs(200, 6, 3).mapv(|x| x * 1e-30),
            blobs(200, 6, 3).mapv(|x| x * 1e17),
            blobs(2, 2, 1),
            blobs(3, 2, 1),
            blobs(16, 2, 1),
            array![[1.0, 2.0]],
            Array2::from_elem((30, 2), 5.0),
        ];
        for rows in tables {
            let model = umap.fit(&rows, &run).unwrap();
            assert!(all_finite(model.embedding()), "{umap:?} {:?}", rows.dim());
            assert!(model.log_radii(&run).unwrap().iter().all(|x| x.is_finite()));
            assert!(all_finite(&umap.clone().n_components(5).fit(&rows, &run).unwrap().embedding().clone()));
        }
    }
    for bad in [
        Densmap::new().lambda(-1.0),
        Densmap::new().lambda(f64::NAN),
        Densmap::new().frac(1.1),
        Densmap::new().var_shift(0.0),
    ] {
        assert!(matches!(Umap::new().densmap(bad).fit(&iris(), &run), Err(Error::Setting { .. })));
    }
}

#[cfg(feature = "serde")]
#[test]
fn models_by_density_are_saved_whole() {
    use recluster::Saved;
    let umap = Umap::new().n_epochs(20).densmap(Densmap::new().lambda(1.0));
    let model = umap.fit(&iris(), &Run::new()).unwrap();
    let read = UmapModel::from_json(&model.to_json().unwrap()).unwrap();
    assert_eq!(read, model);
    assert_eq!(read.settings(), &umap);
    assert_eq!(read.widths().len(), 150);
}
