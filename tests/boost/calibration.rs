//! What the calibration of boosted trees promises: margins, confidences and written files that agree and hold on new rows.

use crate::help::{awkward, noisy, noted};
use ndarray::{Array2, Axis, array};
use recluster::boost::{Boost, BoostModel};
use recluster::data::digits;
use recluster::explain::{Surrogate, TreeShap};
use recluster::{Error, Explainer, Run};

fn best(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

/// How sure a model is of its label for a row, and whether it is right.
type Sure = (f64, bool);

/// Mean difference between how sure a model is and how often it is right, over ten bins of equal width.
fn calibration_error(answers: &[Sure]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for &(sure, right) in answers {
        let bin = &mut bins[((sure * 10.0) as usize).min(9)];
        *bin = (bin.0 + sure, bin.1 + f64::from(u8::from(right)));
    }
    bins.iter().map(|bin| (bin.0 - bin.1).abs()).sum::<f64>() / answers.len() as f64
}

fn answers(p: &Array2<f64>, labels: &[i32]) -> Vec<Sure> {
    let rows = p.outer_iter().zip(labels);
    rows.map(|(row, &label)| (row[best(&row.to_vec())], best(&row.to_vec()) as i32 == label)).collect()
}

/// Each row of a table divided by its sum.
fn shares(mut p: Array2<f64>) -> Array2<f64> {
    p.rows_mut().into_iter().for_each(|mut row| row /= row.sum());
    p
}

fn log_loss(p: &Array2<f64>, labels: &[i32]) -> f64 {
    p.outer_iter().zip(labels).map(|(p, &l)| -p[l as usize].ln()).sum::<f64>() / labels.len() as f64
}

#[test]
fn calibrated_distributions_are_right_on_new_rows() {
    let run = Run::new();
    let (rows, labels) = noisy(3000, 12);
    let (new, truth) = noisy(4000, 13);
    let plain = Boost::new().fit(&rows, &labels, &run).unwrap();
    let before = shares(plain.probabilities(&new, &run).unwrap());
    let model = Boost::new().calibrated(true).fit(&rows, &labels, &run).unwrap();
    let p = model.distribution(&new, &run).unwrap();
    assert!(p.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12 && row.iter().all(|&p| p >= 0.0)));
    let error = |p: &Array2<f64>| calibration_error(&answers(p, &truth));
    println!("expected calibration error: {:.4} before, {:.4} after", error(&before), error(&p));
    println!(
        "log-loss: {:.4} before, {:.4} after; {:?}",
        log_loss(&before, &truth),
        log_loss(&p, &truth),
        model.calibration()
    );
    assert!(error(&before) > 0.06 && error(&p) < 0.03, "{} {}", error(&before), error(&p));
    assert!(log_loss(&p, &truth) < 0.9 * log_loss(&before, &truth));
    // A third of the rows taught the calibration, 200 for each label; the trees are those of all rows.
    let calibration = model.calibration().unwrap();
    assert!((990..=1010).contains(&calibration.rows()) && calibration.unseen().is_empty());
    for (k, (own, first)) in model.outputs().iter().zip(plain.outputs()).enumerate() {
        let moved = calibration.slope() * first.base() + calibration.offsets()[k];
        assert!((own.base() - moved).abs() <= 0.5f64.powi(20));
        for (tree, from) in own.trees().iter().zip(first.trees()) {
            assert_eq!(
                (tree.feature(), tree.threshold(), tree.cover()),
                (from.feature(), from.threshold(), from.cover())
            );
            let moved = from.value().iter().map(|&value| f64::from(value) * calibration.slope());
            assert!(tree.value().iter().zip(moved).all(|(&a, b)| (f64::from(a) - b).abs() <= 0.5f64.powi(20)));
        }
    }
    // The same from rows of one's own choice, on a model trained on all the others.
    let (own, own_labels) = noisy(1000, 14);
    let later = plain.clone().calibrate(&own, &own_labels, &run).unwrap();
    assert!(error(&later.distribution(&new, &run).unwrap()) < 0.03);
    let turned: Vec<usize> = (0..1000).rev().collect();
    let turned_labels: Vec<i32> = turned.iter().map(|&i| own_labels[i]).collect();
    assert_eq!(plain.clone().calibrate(&own.select(Axis(0), &turned), &turned_labels, &run).unwrap(), later);
    assert!(matches!(plain.distribution(&new, &run), Err(Error::Setting { name: "calibrated", .. })));
    assert!(matches!(plain.clone().calibrate(&own, &[0], &run), Err(Error::Shape { .. })));
    assert!(matches!(plain.calibrate(&own, &[3; 1000], &run), Err(Error::Label { row: 0, label: 3, .. })));
    #[cfg(feature = "serde")]
    {
        use recluster::Saved;
        let text = model.to_json().unwrap();
        assert_eq!(BoostModel::from_json(&text).unwrap(), model);
        let old = text.replace("\"version\":3", "\"version\":2");
        assert!(matches!(BoostModel::from_json(&old), Err(Error::Version { found: 2, supported: 3, .. })));
        for (from, to) in
            [("\"offsets\":[", "\"offsets\":[0.0,"), ("\"slope\":", "\"slope\":-"), ("\"unseen\":[", "\"unseen\":[3")]
        {
            assert!(text.contains(from) && BoostModel::from_json(&text.replace(from, to)).is_err(), "{from}");
        }
    }
}

/// Digits, a third at a time unseen by the surrogate of the others.
#[test]
fn confidence_on_digits_is_how_often_it_is_right() {
    let (digits, run) = (digits(), Run::new());
    let boost = Boost::new().rounds(30).max_depth(4);
    let (mut before, mut after, mut plain_right) = (Vec::new(), Vec::new(), 0);
    for fold in 0..3 {
        let part = |own: bool| (0..1797).filter(|i| (i * 7 / 3 % 3 == fold) == own).collect::<Vec<usize>>();
        let of = |rows: &[usize]| {
            (digits.images.select(Axis(0), rows), rows.iter().map(|&i| digits.labels[i]).collect::<Vec<i32>>())
        };
        let ((rows, labels), (new, truth)) = (of(&part(false)), of(&part(true)));
        let names = (0..10).map(|k| k.to_string()).collect();
        let surrogate = Surrogate::fit(&rows, &labels, names, &boost, &run).unwrap();
        println!("{:?}", surrogate.model().calibration());
        let assigned = surrogate.assign(&new, &run).unwrap();
        after.extend(assigned.iter().zip(&truth).map(|(to, &label)| (to.confidence, to.class as i32 == label)));
        let plain = boost.fit(&rows, &labels, &run).unwrap();
        before.extend(answers(&shares(plain.probabilities(&new, &run).unwrap()), &truth));
        plain_right += plain.labels(&new, &run).unwrap().iter().zip(&truth).filter(|(a, b)| a == b).count();
        // One class, however it is asked for.
        let margins = surrogate.model().margins(&new, &run).unwrap();
        let distribution = surrogate.model().distribution(&new, &run).unwrap();
        let labels = surrogate.model().labels(&new, &run).unwrap();
        #[cfg(feature = "serde")]
        let files: Vec<Vec<f64>> = (0..10)
            .map(|k| BoostModel::from_xgboost_json(&surrogate.model().to_xgboost_json(k).unwrap()).unwrap())
            .map(|model| model.margins(&new, &run).unwrap().column(0).to_vec())
            .collect();
        for (i, to) in assigned.iter().enumerate() {
            assert_eq!((to.class, to.class), (best(&margins.row(i).to_vec()), labels[i] as usize));
            assert_eq!(to.class, best(&distribution.row(i).to_vec()));
            #[cfg(feature = "serde")]
            assert_eq!(to.class, best(&files.iter().map(|file| file[i]).collect::<Vec<_>>()));
            // Its definition: among all classes and none.
            let odds = margins.row(i).mapv(f64::exp);
            assert!((to.confidence - odds[to.class] / (1.0 + odds.sum())).abs() < 1e-12);
        }
        let few = new.select(Axis(0), &[0, 100, 200]);
        let why = TreeShap::new(surrogate.model()).explain(&few, &run).unwrap();
        let gap = why.outputs() - surrogate.model().margins(&few, &run).unwrap();
        assert!(gap.iter().all(|gap| gap.abs() < 1e-9));
    }
    let right = |answers: &[Sure]| answers.iter().filter(|answer| answer.1).count();
    let (error, was) = (calibration_error(&after), calibration_error(&before));
    println!(
        "expected calibration error {was:.4} before, {error:.4} after; right {} and {} of 1797",
        right(&before),
        right(&after)
    );
    assert_eq!(right(&before), plain_right);
    assert!(error < 0.02 && error < was, "{was} {error}");
    assert!(right(&after) + 9 >= right(&before));
}

/// A row of a kind that no class is like is not confidently anything; before, the least bad class took it all.
#[test]
fn rows_that_every_model_rejects_have_a_low_confidence() {
    let (digits, run) = (digits(), Run::new());
    // All digits but 8 are known.
    let kept: Vec<usize> = (0..1797).filter(|&i| digits.labels[i] != 8).collect();
    let labels: Vec<i32> = kept.iter().map(|&i| digits.labels[i] - i32::from(digits.labels[i] > 8)).collect();
    let names = (0..9).map(|k| k.to_string()).collect();
    let boost = Boost::new().rounds(30).max_depth(4);
    let known = digits.images.select(Axis(0), &kept);
    let surrogate = Surrogate::fit(&known, &labels, names, &boost, &run).unwrap();
    let plain = boost.fit(&known, &labels, &run).unwrap();
    let unknown: Vec<usize> = (0..1797).filter(|&i| digits.labels[i] == 8).collect();
    let unknown = digits.images.select(Axis(0), &unknown);
    let assigned = surrogate.assign(&unknown, &run).unwrap();
    let mean = |sure: Vec<f64>| sure.iter().sum::<f64>() / sure.len() as f64;
    let now = mean(assigned.iter().map(|to| to.confidence).collect());
    let own = surrogate.assign(&known, &run).unwrap();
    let known = mean(own.iter().map(|to| to.confidence).collect());
    let old = shares(plain.probabilities(&unknown, &run).unwrap());
    let old = mean(old.outer_iter().map(|row| row.iter().fold(0.0, |most: f64, &p| most.max(p))).collect());
    let p = surrogate.probabilities(&unknown, &run).unwrap();
    let rejected = |i: &usize| p.row(*i).iter().all(|&p| p < 0.3);
    let low: Vec<usize> = (0..unknown.nrows()).filter(rejected).collect();
    println!("unknown {now:.3} (before {old:.3}), known {known:.3}; {} of {} rejected", low.len(), p.nrows());
    assert!(known > 0.95 && now < 0.5 && now < old - 0.1, "{known} {now} {old}");
    assert!(low.len() > 20 && low.iter().all(|&i| assigned[i].confidence < 0.3), "{low:?}");
}

/// What cannot be calibrated says so, in the run's notes and in the model.
#[test]
fn what_cannot_be_calibrated_says_so() {
    let calibrated = Boost::new().rounds(5).calibrated(true);
    let plain = Boost::new().rounds(5);
    // One label; one row of each; equal rows: nothing can be left out.
    let one = (array![[1.0f32], [2.0], [3.0], [4.0]], vec![0, 0, 0, 0]);
    let single = (array![[1.0f32], [2.0]], vec![0, 1]);
    let equal = (array![[1.0f32], [1.0], [2.0], [2.0]], vec![0, 0, 1, 1]);
    // Only one of the labels has rows to spare.
    let lonely = (array![[1.0f32], [2.0], [3.0], [9.0]], vec![0, 0, 0, 1]);
    for (rows, labels) in [one, single, equal, lonely] {
        let (model, told) = noted(|run| calibrated.fit(&rows, &labels, run).unwrap());
        assert!(told.contains("calibration: not possible"), "{told}");
        let calibration = model.calibration().unwrap();
        assert_eq!((calibration.rows(), calibration.slope()), (0, 1.0));
        assert!(calibration.offsets().iter().all(|&offset| offset == 0.0));
        assert_eq!(model.outputs(), plain.fit(&rows, &labels, &Run::new()).unwrap().outputs());
        let p = model.distribution(&rows, &Run::new()).unwrap();
        assert!(p.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
        // Rows of one's own that are of one label teach as little.
        let (own, told) =
            noted(|run| plain.fit(&rows, &labels, run).unwrap().calibrate(&rows, &vec![0; labels.len()], run));
        assert!(told.contains("calibration: not possible") && own.unwrap().calibration().unwrap().rows() == 0);
    }
    // A single label among others that can be calibrated is named.
    let (mut rows, mut labels) = noisy(200, 5);
    labels[7] = 3;
    rows.row_mut(7).fill(1.5);
    let (model, told) = noted(|run| calibrated.fit(&rows, &labels, run).unwrap());
    assert!(told.contains("the rows of label 3 are too few"), "{told}");
    let calibration = model.calibration().unwrap();
    assert_eq!((calibration.rows(), calibration.unseen()), (199, &[3][..]));
    // Where all is well nothing is said.
    let (_, told) =
        noted(|run| calibrated.fit(&rows.select(Axis(0), &(8..200).collect::<Vec<_>>()), &labels[8..], run));
    assert!(told.is_empty(), "{told}");
    // The surrogate says so too, and has an answer.
    let names = |count: usize| (0..count).map(|k| k.to_string()).collect::<Vec<_>>();
    let (rows, run) = (array![[1.0f32], [2.0], [3.0]], Run::new());
    let (surrogate, told) = noted(|run| Surrogate::fit(&rows, &[0, 0, 0], names(1), &plain, run).unwrap());
    assert!(told.contains("calibration: not possible"), "{told}");
    assert!(surrogate.assign(&rows, &run).unwrap().iter().all(|to| to.class == 0 && to.confidence > 0.99));
    assert_eq!(surrogate.model().calibration().unwrap().rows(), 0);
}

/// Weights count by their ratios in the calibration too, and its folds do not depend on the order of rows.
#[test]
fn calibrations_do_not_depend_on_order_threads_or_the_size_of_weights() {
    let (rows, labels) = awkward(500, 41);
    let weights: Vec<f32> = (0..500).map(|i| 0.25 * (1 + i * i % 3) as f32).collect();
    let boost = Boost::new().rounds(5).lambda(0.0).min_child_weight(0.0).calibrated(true);
    for boost in [boost.clone(), boost.clone().early_stopping(2), boost.balanced(true).subsample(0.8)] {
        let fit = |rows: &Array2<f32>, labels: &[i32], weights: &[f32], threads: usize| {
            boost.fit_weighted(rows, labels, weights, &Run::new().seed(4).threads(threads)).unwrap()
        };
        let one = fit(&rows, &labels, &weights, 1);
        assert!(one.calibration().unwrap().rows() > 400 && one.calibration().unwrap().slope() != 1.0);
        let order: Vec<usize> = (0..500).map(|i| (i * 77 + 13) % 500).collect();
        let turned = |i: &usize| (labels[*i], weights[*i]);
        let (turned_labels, turned_weights): (Vec<i32>, Vec<f32>) = order.iter().map(turned).unzip();
        assert_eq!(fit(&rows.select(Axis(0), &order), &turned_labels, &turned_weights, 3), one);
        let light: Vec<f32> = weights.iter().map(|weight| weight * 2f32.powi(-60)).collect();
        let light = fit(&rows, &labels, &light, 2);
        assert_eq!(light.calibration(), one.calibration());
        assert_eq!(light.margins(&rows, &Run::new()).unwrap(), one.margins(&rows, &Run::new()).unwrap());
    }
}
