//! What the tests of boosted trees share.
#![allow(dead_code, missing_docs, unreachable_pub)]

use ndarray::{Array2, ArrayView2, Axis};
use recluster::boost::{BoostModel, Tree};
use recluster::{Event, Observer, Run};
use std::sync::{Arc, Mutex};

pub fn table(rows: &serde_json::Value) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|v| v.as_f64().map_or(f32::NAN, |v| v as f32)).collect())
        .collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

pub fn floats(list: &serde_json::Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

pub fn fixture(name: &str) -> serde_json::Value {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Keeps the notes of a run.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Observer for Notes {
    fn event(&self, event: &Event<'_>) {
        if let Event::Note { text, .. } = event {
            self.0.lock().unwrap().push(text.to_string());
        }
    }
}

/// A result and the notes that were told on the way.
pub fn noted<T>(work: impl FnOnce(&Run) -> T) -> (T, String) {
    let notes = Notes::default();
    let result = work(&Run::new().observer(notes.clone()));
    let text = notes.0.lock().unwrap().join("\n");
    (result, text)
}

/// Random numbers of a test.
pub fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Rows around a noisy truth that no model can learn without fault: three labels.
pub fn noisy(n: usize, seed: u64) -> (Array2<f32>, Vec<i32>) {
    let mut draw = draws(seed);
    let rows = Array2::from_shape_fn((n, 6), |_| (draw() * 4.0 - 2.0) as f32);
    let labels = rows
        .outer_iter()
        .map(|row| {
            let (a, b) = (f64::from(row[0] + row[1]) + 2.0 * draw() - 1.0, f64::from(row[2]) + 2.0 * draw() - 1.0);
            if a > 0.7 { 0 } else { 1 + i32::from(b > 0.0) }
        })
        .collect();
    (rows, labels)
}

/// Mean log-loss of each output.
pub fn losses(model: &BoostModel, rows: &ArrayView2<f32>, labels: &[i32]) -> Vec<f64> {
    let margins = model.margins(rows, &Run::new()).unwrap();
    let loss = |margin: f64, hit: bool| {
        let away = if hit { -margin } else { margin };
        away.max(0.0) + (-away.abs()).exp().ln_1p()
    };
    margins
        .axis_iter(Axis(1))
        .enumerate()
        .map(|(o, column)| {
            column.iter().zip(labels).map(|(&m, &l)| loss(m, l == o as i32)).sum::<f64>() / labels.len() as f64
        })
        .collect()
}

/// Awkward generated data: few distinct values, missing ones, a constant column, an empty one, repeated rows.
pub fn awkward(n: usize, seed: u64) -> (Array2<f32>, Vec<i32>) {
    let mut state = seed;
    let mut draw = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % n
    };
    let mut rows = Array2::from_shape_fn((n, 8), |(_, j)| match (j, draw(10)) {
        (0, _) => 3.0,
        (1, _) | (2, 0..=2) => f32::NAN,
        (3, 0..=7) => 0.0,
        (_, x) => x as f32 - draw(3) as f32 * 0.5,
    });
    for i in (3..n).step_by(7) {
        let copy = rows.row(i - 3).to_owned();
        rows.row_mut(i).assign(&copy);
    }
    let labels = (0..n)
        .map(|i| {
            let x = rows[[i, 4]] + rows[[i, 3]] + draw(4) as f32;
            if draw(11) == 0 { -1 } else { i32::from(x > 4.0) + i32::from(x > 7.0) }
        })
        .collect();
    (rows, labels)
}

/// The leaf that a row ends in.
pub fn leaf(tree: &Tree, row: &[f32]) -> usize {
    let mut at = 0;
    while !tree.is_leaf(at) {
        let left = tree.goes_left(at, row[tree.feature()[at] as usize]);
        at = if left { tree.left()[at] } else { tree.right()[at] } as usize;
    }
    at
}
