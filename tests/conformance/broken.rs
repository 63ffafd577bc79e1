//! For each promise a plug-in that breaks it and no other.

use ndarray::{Array2, Array3, ArrayRef2, Axis, array};
use recluster::testing::{self, Check, Examination, Outcome};
use recluster::{Clusterer, Clustering, Embedder, Error, Explainer, Explanation, Result, Run, check_finite};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// A clusterer that keeps every promise, but for what `fault` does to it.
struct Faulty<F>(F);

impl<F: Fn(&ArrayRef2<f32>, &Run) -> Result<Clustering> + Send + Sync> Clusterer for Faulty<F> {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        (self.0)(rows, run)
    }
}

impl<F: Fn(&ArrayRef2<f32>, &Run) -> Result<Array2<f32>> + Send + Sync> Embedder for Faulty<F> {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        (self.0)(rows, run)
    }
}

impl<F: Fn(&ArrayRef2<f32>, &Run) -> Result<Explanation> + Send + Sync> Explainer for Faulty<F> {
    fn explain(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Explanation> {
        (self.0)(rows, run)
    }
}

fn door(rows: &ArrayRef2<f32>, run: &Run) -> Result<()> {
    check_finite(rows)?;
    run.stage("test", 1).step(1)
}

/// Noise below 0, else split at 5 in the first column.
fn halves(rows: &ArrayRef2<f32>) -> Vec<i32> {
    rows.column(0).iter().map(|&x| if x < 0.0 { -1 } else { i32::from(x > 5.0) }).collect()
}

fn examined(fault: impl Fn(&ArrayRef2<f32>, &Run) -> Result<Clustering> + Send + Sync) -> Examination {
    testing::clusterer(&Faulty(fault)).run()
}

#[track_caller]
fn alone(report: &Examination, check: Check) {
    assert_eq!(report.broken(), [check], "{report}");
    let text = report.to_string();
    for word in ["BROKEN", "done:", "expected:", "came:", "to fix:", check.name(), check.promise()] {
        assert!(text.contains(word), "\"{word}\" is not in\n{text}");
    }
    assert!(std::panic::catch_unwind(|| report.assert()).is_err());
}

#[test]
fn a_sound_plug_in_passes() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        Clustering::compact(halves(rows))
    });
    report.assert();
    assert!(report.outcomes().iter().all(|(_, outcome)| *outcome == Outcome::Kept), "{report}");
    assert!(report.to_string().contains("0 broken"));
    let report = testing::embedder(&Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        Ok(rows.to_owned())
    }))
    .run();
    report.assert();
    assert!(report.kept(Check::Layout) && !report.kept(Check::Labels));
}

#[test]
fn a_panic_is_found() {
    // On one kind of table, on ordinary rows, and on a table that is not stored row by row.
    let report = examined(|rows, run| {
        door(rows, run)?;
        assert!(rows.nrows() > 1, "cannot split one row");
        Clustering::compact(halves(rows))
    });
    alone(&report, Check::Panics);
    assert!(report.to_string().contains("cannot split one row (tests/conformance/broken.rs:"), "{report}");
    alone(&examined(|_, _| panic!()), Check::Panics);
    let report = examined(|rows, run| {
        door(rows, run)?;
        let first = rows.as_slice().expect("row by row")[0];
        Clustering::compact(halves(rows).into_iter().map(|l| l + i32::from(first.is_nan())).collect())
    });
    alone(&report, Check::Panics);
}

#[test]
fn no_answer_is_found() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        Err(Error::TooFewRows { method: "test", needed: 1_000, rows: rows.nrows() })
    });
    alone(&report, Check::Answers);
    // It can have the rows that it needs.
    let picky = Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        match rows.ncols() {
            7 => Clustering::compact(halves(rows)),
            _ => Err(Error::setting("columns", rows.ncols(), "must be 7")),
        }
    });
    alone(&testing::clusterer(&picky).run(), Check::Answers);
    testing::clusterer(&picky).rows(&Array2::from_shape_fn((60, 7), |(i, j)| (i * j % 13) as f32)).run().assert();
}

#[test]
fn a_wrong_shape_is_found() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        Clustering::compact(halves(rows).into_iter().filter(|&l| l >= 0).collect())
    });
    alone(&report, Check::Shape);
    let report = testing::embedder(&Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        Ok(rows.t().to_owned())
    }));
    alone(&report.run(), Check::Shape);
}

#[test]
fn labels_with_gaps_are_found() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        Clustering::new(halves(rows).into_iter().map(|l| 3 * l).collect())
    });
    alone(&report, Check::Labels);
}

#[test]
fn noise_that_belongs_is_found() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        Clustering::compact(halves(rows))?.with_membership(vec![0.5; rows.nrows()])
    });
    alone(&report, Check::Noise);
}

/// Labels with gaps, memberships and persistences out of range: no file gets past the door of `Clustering` either.
#[test]
fn a_file_is_held_to_the_same() {
    let read = |labels: [i32; 3], clusters: usize, membership: f32, persistence: f64| {
        let text = serde_json::json!({"labels": labels, "clusters": clusters, "membership": vec![membership; 3],
            "persistence": [persistence, 0.5]});
        serde_json::from_value::<Clustering>(text)
    };
    assert!(read([0, 1, -1], 2, 1.0, 0.5).is_ok());
    assert!(read([0, 2, -1], 3, 1.0, 0.5).is_err());
    assert!(read([0, 1, -1], 3, 1.0, 0.5).is_err());
    assert!(read([0, 1, -1], 2, 1.5, 0.5).is_err());
    assert!(read([0, 1, -1], 2, 1.0, 1.5).is_err());
}

#[test]
fn positions_that_are_no_numbers_are_found() {
    let report = testing::embedder(&Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        Ok(rows.mapv(|x| x / if x < 1.0 { 0.0 } else { 1.0 }))
    }));
    alone(&report.run(), Check::Finite);
}

#[test]
fn a_random_answer_is_found() {
    let calls = AtomicU32::new(0);
    let report = examined(move |rows, run| {
        door(rows, run)?;
        let bound = calls.fetch_add(1, Ordering::Relaxed) as f32;
        Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > bound)).collect())
    });
    alone(&report, Check::Determinism);
    assert!(report.outcomes().iter().any(|(c, v)| *c == Check::Threads && matches!(v, Outcome::NotJudged { .. })));
}

#[test]
fn state_between_seeds_is_found() {
    // Remembers the first seed it was given, as a generator that is made once would.
    let drawn: Mutex<HashMap<u64, f32>> = Mutex::new(HashMap::new());
    let report = examined(move |rows, run| {
        door(rows, run)?;
        let mut drawn = drawn.lock().unwrap();
        if !drawn.contains_key(&run.seed_value()) {
            drawn.clear();
        }
        // What a seed gives depends on how often seeds have changed, until the first is back.
        let changes = if run.seed_value() == 0 { 0 } else { CHANGES.fetch_add(1, Ordering::Relaxed) };
        let bound = *drawn.entry(run.seed_value()).or_insert(changes as f32 * 2.0);
        Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > bound)).collect())
    });
    alone(&report, Check::Seed);
}
static CHANGES: AtomicU32 = AtomicU32::new(0);

#[test]
fn an_answer_by_threads_is_found() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        let bound = if format!("{run:?}").contains("threads: 4") { 3.0 } else { 5.0 };
        Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > bound)).collect())
    });
    alone(&report, Check::Threads);
}

#[test]
fn an_answer_by_row_order_is_found_and_can_be_declared() {
    // All rows near the first.
    let leader = Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        Clustering::compact(rows.column(0).iter().map(|&x| i32::from((x - rows[[0, 0]]).abs() > 3.0)).collect())
    });
    alone(&testing::clusterer(&leader).run(), Check::RowOrder);
    let report = testing::clusterer(&leader).allow(Check::RowOrder).run();
    report.assert();
    assert!(!report.kept(Check::RowOrder) && report.to_string().contains("broken as declared"));
    // Sums in the order of the rows.
    let report = testing::embedder(&Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        let mean = rows.column(0).iter().sum::<f32>() / rows.nrows() as f32;
        Ok(rows.mapv(|x| (x - mean).clamp(f32::MIN, f32::MAX)).mapv(|x| if x.is_nan() { 0.0 } else { x }))
    }));
    alone(&report.run(), Check::RowOrder);
}

#[test]
fn numbers_by_row_order_are_found() {
    // The first row's cluster is always number 0.
    let report = examined(|rows, run| {
        door(rows, run)?;
        let side = |i: usize| rows[[i, 0]] > 5.0;
        Clustering::compact((0..rows.nrows()).map(|i| i32::from(side(i) != side(0))).collect())
    });
    alone(&report, Check::Numbering);
}

#[test]
fn unlike_twins_are_found() {
    // The second of equal rows is noise, wherever a row occurs three times.
    let report = examined(|rows, run| {
        door(rows, run)?;
        let mut seen: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut labels = halves(rows);
        for (label, row) in labels.iter_mut().zip(rows.rows()) {
            let times = seen.entry(row.iter().map(|x| x.to_bits()).collect()).or_insert(0);
            *times += 1;
            if *times == 3 {
                *label = -1;
            }
        }
        Clustering::compact(labels)
    });
    assert!(report.broken().contains(&Check::Duplicates), "{report}");
    // By order too, where such rows are shuffled: the table of many ties has some.
    assert!(report.broken().iter().all(|c| [Check::Duplicates, Check::RowOrder].contains(c)), "{report}");
    // With nothing but three of each, content alone can tell: by the row's place among equals in the whole.
    let report = examined(|rows, run| {
        door(rows, run)?;
        let whole = rows.nrows() == 120 && rows.rows().into_iter().filter(|row| *row == rows.row(0)).count() == 3;
        let mut labels = halves(rows);
        labels[0] = if whole { 7 } else { labels[0] };
        Clustering::compact(labels)
    });
    alone(&report, Check::Duplicates);
}

#[test]
fn an_answer_by_layout_is_found() {
    let report = examined(|rows, run| {
        door(rows, run)?;
        // Reads memory as if it lay row by row.
        let flat = rows.as_slice_memory_order().map_or_else(|| rows.iter().copied().collect(), <[f32]>::to_vec);
        Clustering::compact(flat.chunks(rows.ncols()).map(|row| i32::from(row[0] > 5.0)).collect())
    });
    alone(&report, Check::Layout);
}

#[test]
fn bad_answers_for_odd_tables_are_found() {
    let report = testing::embedder(&Faulty(|rows: &ArrayRef2<f32>, run: &Run| {
        door(rows, run)?;
        // Scaled by the range of the first column: 0 / 0 where it is constant.
        let (low, high) = rows.column(0).iter().fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        Ok(rows.column(0).mapv(|x| (x - low) / (high - low)).insert_axis(Axis(1)))
    }));
    alone(&report.run(), Check::Degenerate);
}

#[test]
fn an_answer_for_nan_is_found() {
    let report = examined(|rows, run| {
        run.stage("test", 1).step(1)?;
        Clustering::compact(halves(rows))
    });
    alone_or_empty(&report);
    let report = examined(|rows, run| {
        run.stage("test", 1).step(1)?;
        if rows.is_empty() {
            return check_finite(rows).and_then(|()| Clustering::new(Vec::new()));
        }
        Clustering::compact(halves(rows))
    });
    alone(&report, Check::NotFinite);
}

/// A table without columns has no first column to look at.
fn alone_or_empty(report: &Examination) {
    assert_eq!(report.broken(), [Check::Panics, Check::NotFinite], "{report}");
}

#[test]
fn deafness_to_cancellation_is_found() {
    let report = examined(|rows, _| {
        check_finite(rows)?;
        Clustering::compact(halves(rows))
    });
    alone(&report, Check::Cancellation);
    // Another error than the run's own.
    let report = examined(|rows, run| {
        check_finite(rows)?;
        run.stage("test", 1).step(1).map_err(|_| Error::Plugin("stopped".into()))?;
        Clustering::compact(halves(rows))
    });
    alone(&report, Check::Cancellation);
}

/// 2 a - b + 1, explained against the row of zeros.
fn linear(rows: &ArrayRef2<f32>) -> Result<Array2<f64>> {
    Ok(Array2::from_shape_fn((rows.nrows(), 1), |(i, _)| 1.0 + 2.0 * f64::from(rows[[i, 0]]) - f64::from(rows[[i, 1]])))
}

#[test]
fn explainers_are_examined_too() {
    let sample = Array2::from_shape_fn((20, 2), |(i, j)| ((i * 7 + j * 5) % 11) as f32);
    let explained = |rows: &ArrayRef2<f32>, run: &Run, base: f64, features: usize| {
        door(rows, run)?;
        if rows.ncols() != 2 {
            return Err(Error::Shape { what: "columns", expected: 2, found: rows.ncols() });
        }
        let weights = [2.0, -1.0, 0.0];
        let value = |i: usize, j: usize| if j < 2 { weights[j] * f64::from(rows[[i, j]]) } else { 0.0 };
        let values = Array3::from_shape_fn((rows.nrows(), features, 1), |(i, j, _)| value(i, j));
        Explanation::new(values, array![base])
    };
    let sound = Faulty(move |rows: &ArrayRef2<f32>, run: &Run| explained(rows, run, 1.0, 2));
    testing::explainer(&sound, &sample, linear).run().assert();
    let off = Faulty(move |rows: &ArrayRef2<f32>, run: &Run| explained(rows, run, 1.001, 2));
    alone(&testing::explainer(&off, &sample, linear).run(), Check::Additivity);
    // The base value among the features, as some explainers have it.
    let wide = Faulty(move |rows: &ArrayRef2<f32>, run: &Run| explained(rows, run, 1.0, 3));
    alone(&testing::explainer(&wide, &sample, linear).run(), Check::Shape);
    let missing = Faulty(move |rows: &ArrayRef2<f32>, run: &Run| {
        let known = rows.mapv(|x| if x.is_finite() { x } else { 0.0 });
        let why = explained(&known, run, 1.0, 2)?;
        if known != *rows { Explanation::new(why.values().mapv(|_| f64::NAN), array![1.0]) } else { Ok(why) }
    });
    alone(&testing::explainer(&missing, &sample, linear).run(), Check::NotFinite);
}

/// An embedder whose longer answer is another one, and a clusterer that finds one cluster in any sample.
struct Forgets;

impl Embedder for Forgets {
    fn embed(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Array2<f32>> {
        door(rows, run)?;
        Ok(rows.to_owned())
    }

    fn embed_in_full(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<recluster::Embedded> {
        Ok(recluster::Embedded { embedding: self.embed(rows, run)? * 2.0, map: None, notes: Vec::new() })
    }
}

impl Clusterer for Forgets {
    fn cluster(&self, rows: &ArrayRef2<f32>, run: &Run) -> Result<Clustering> {
        door(rows, run)?;
        Clustering::compact(halves(rows))
    }

    fn for_sample(&self, _share: f64) -> Option<Box<dyn Clusterer>> {
        Some(Box::new(Faulty(|rows: &ArrayRef2<f32>, _run: &Run| Clustering::new(vec![0; rows.nrows()]))))
    }
}

#[test]
fn provided_methods_that_say_otherwise() {
    alone(&testing::embedder(&Forgets).run(), Check::Provided);
    alone(&testing::clusterer(&Forgets).run(), Check::Provided);
}
