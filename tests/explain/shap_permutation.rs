//! The explainer of any model, against trees' exact values and the definition.

use crate::trees::{Draw, model_of, random_rows, random_tree};
use ndarray::{Array2, ArrayRef2, Axis, array, s};
use proptest::prelude::*;
use recluster::explain::{PermutationShap, TreeShap};
use recluster::{Error, Explainer, Result, Run};

fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Gone through, the values are those of the trees; sampled, they add up, and all bits depend on row and seed alone.
    #[test]
    fn equals_the_trees_values(seed in any::<u64>(), features in 1usize..9, splits in 0usize..16) {
        let mut draw = Draw(seed);
        let outputs: Vec<_> = (0..2).map(|o| (f64::from(o), vec![random_tree(&mut draw, features, splits)])).collect();
        let model = model_of(features, &outputs);
        let (rows, others) = (random_rows(&mut draw, 12, features), random_rows(&mut draw, 5, features));
        let run = Run::new().seed(seed);
        let ask = |rows: &ArrayRef2<f32>| model.margins(rows, &Run::new());
        let trees = TreeShap::new(&model).with_background(&others, &run).unwrap().explain(&rows, &run).unwrap();
        let exact = PermutationShap::new(ask, &others).explain(&rows, &run).unwrap();
        prop_assert!((exact.values() - trees.values()).iter().all(|gap| gap.abs() < 1e-10));
        prop_assert!((exact.base() - trees.base()).iter().all(|gap| gap.abs() < 1e-10));
        let margins = model.margins(&rows, &run).unwrap();
        let sampler = PermutationShap::new(ask, &others).exact_features(0).permutations(3);
        let sampled = sampler.explain(&rows, &run).unwrap();
        prop_assert!((sampled.outputs() - &margins).iter().all(|gap| gap.abs() < 1e-11));
        prop_assert_eq!(&sampler.explain(&rows, &Run::new().seed(seed).threads(1)).unwrap(), &sampled);
        let order: Vec<usize> = (0..12).map(|i| i * 5 % 12).collect();
        let turned = others.select(Axis(0), &[4, 2, 0, 3, 1]);
        let again = PermutationShap::new(ask, &turned).exact_features(0).permutations(3);
        let moved = again.explain(&rows.select(Axis(0), &order), &run).unwrap();
        for (i, &from) in order.iter().enumerate() {
            let (a, b) = (moved.values().slice(s![i, .., ..]), sampled.values().slice(s![from, .., ..]));
            prop_assert_eq!(bits(a), bits(b));
        }
        let alone = sampler.explain(&rows.slice(s![7..8, ..]), &run).unwrap();
        prop_assert_eq!(bits(alone.values()), bits(sampled.values().slice(s![7, .., ..])));
    }
}

/// Forwards and backwards, one order is exact for a model of pairs.
#[test]
fn one_antithetic_order_is_exact_for_pairs_and_many_come_near_otherwise() {
    let pairs = |rows: &ArrayRef2<f32>| -> Result<Array2<f64>> {
        let of = |i: usize| (0..11).map(|j| f64::from(rows[[i, j]] * rows[[i, j + 1]]) + f64::from(rows[[i, j]])).sum();
        Ok(Array2::from_shape_fn((rows.nrows(), 1), |(i, _)| of(i)))
    };
    let mut draw = Draw(3);
    let rows = Array2::from_shape_fn((4, 12), |_| draw.below(9) as f32 - 4.0);
    let others = Array2::from_shape_fn((6, 12), |_| draw.below(9) as f32 - 4.5);
    let run = Run::new();
    let exact = PermutationShap::new(pairs, &others).exact_features(12).explain(&rows, &run).unwrap();
    let once = PermutationShap::new(pairs, &others).permutations(1).explain(&rows, &run).unwrap();
    assert!((exact.values() - once.values()).iter().all(|gap| gap.abs() < 1e-10));
    let trees: Vec<_> = (0..4).map(|_| random_tree(&mut draw, 12, 30)).collect();
    let model = model_of(12, &[(0.0, trees)]);
    let ask = |rows: &ArrayRef2<f32>| model.margins(rows, &Run::new());
    let exact = TreeShap::new(&model).with_background(&others, &run).unwrap().explain(&rows, &run).unwrap();
    let gap = |permutations: usize| {
        let found = PermutationShap::new(ask, &others).permutations(permutations).explain(&rows, &run).unwrap();
        let gap = (found.values() - exact.values()).mapv(|gap| gap * gap).sum();
        gap / exact.values().mapv(|value| value * value).sum()
    };
    assert!(gap(200) < 2e-3, "{}", gap(200));
}

#[test]
fn it_plugs_in_and_bad_answers_are_named() {
    let others = array![[0.0f32, f32::NAN], [1.0, 2.0]];
    let run = Run::new();
    let good = |rows: &ArrayRef2<f32>| Ok(Array2::from_shape_fn((rows.nrows(), 2), |(i, _)| f64::from(rows[[i, 0]])));
    let explainer: Box<dyn Explainer> = Box::new(PermutationShap::new(good, &others));
    assert_eq!(explainer.name(), "PermutationShap");
    let why = explainer.explain(&array![[3.0f32, 2.0]], &run).unwrap();
    assert_eq!(why.values().as_slice().unwrap(), [2.5, 2.5, 0.0, 0.0]);
    // A row that is its own background.
    let same = array![[f32::NAN, 1.0]];
    let nothing = |rows: &ArrayRef2<f32>| Ok(Array2::ones((rows.nrows(), 1)));
    let why = PermutationShap::new(nothing, &same).explain(&same, &run).unwrap();
    assert_eq!((why.values().as_slice().unwrap(), why.base()[0]), (&[0.0, 0.0][..], 1.0));
    let explain = |x: &Array2<f32>| PermutationShap::new(good, &others).explain(x, &run);
    assert!(matches!(explain(&array![[1.0]]), Err(Error::Shape { expected: 2, found: 1, .. })));
    assert!(matches!(explain(&Array2::zeros((0, 2))), Err(Error::Empty { .. })));
    assert!(matches!(explain(&array![[1.0, f32::INFINITY]]), Err(Error::NotFinite { row: 0, column: 1, .. })));
    let rows = array![[3.0f32, 2.0]];
    let empty = PermutationShap::new(good, &Array2::zeros((0, 2))).explain(&rows, &run);
    assert!(matches!(empty, Err(Error::Empty { .. })));
    assert!(matches!(
        PermutationShap::new(good, &others).permutations(0).explain(&rows, &run),
        Err(Error::Setting { .. })
    ));
    let far = PermutationShap::new(good, &others).exact_features(17).explain(&rows, &run);
    assert!(matches!(far, Err(Error::Setting { .. })));
    let short = |_: &ArrayRef2<f32>| Ok(Array2::zeros((1, 1)));
    assert!(matches!(PermutationShap::new(short, &others).explain(&rows, &run), Err(Error::Shape { .. })));
    let mute = |rows: &ArrayRef2<f32>| Ok(Array2::zeros((rows.nrows(), 0)));
    assert!(matches!(PermutationShap::new(mute, &others).explain(&rows, &run), Err(Error::Shape { .. })));
    let wild = |rows: &ArrayRef2<f32>| Ok(Array2::from_elem((rows.nrows(), 1), f64::NAN));
    assert!(matches!(PermutationShap::new(wild, &others).explain(&rows, &run), Err(Error::Contract { .. })));
    let fails = |_: &ArrayRef2<f32>| Err(Error::Plugin("no".into()));
    assert!(matches!(PermutationShap::new(fails, &others).explain(&rows, &run), Err(Error::Plugin(_))));
    let cancel = recluster::Cancel::default();
    cancel.cancel();
    let stopped = Run::new().cancel(cancel);
    assert!(matches!(PermutationShap::new(good, &others).explain(&rows, &stopped), Err(Error::Cancelled { .. })));
}
