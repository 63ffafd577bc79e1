//! The data sets: two columns each, scaled to unit variance, the same on every machine but for the last bits of its
//! sines.

use ndarray::Array2;
use std::f64::consts::{PI, TAU};

pub(crate) struct DataSet {
    pub(crate) name: &'static str,
    pub(crate) rows: Array2<f32>,
    pub(crate) truth: Vec<i32>,
    pub(crate) clusters: usize,
    /// DBSCAN's distance.
    pub(crate) eps: f64,
    /// Whether one cluster of all rows would be right.
    pub(crate) one_is_an_answer: bool,
}

/// Draw number `i`, in 0 to 1.
pub(crate) fn uniform(i: u64) -> f64 {
    let mut x = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// About a standard normal number: twelve uniform ones.
fn normal(i: u64) -> f64 {
    (0..12).map(|k| uniform(i * 12 + k)).sum::<f64>() - 6.0
}

pub(crate) fn all(n: usize) -> Vec<DataSet> {
    let halves = |i: usize| (i % 2) as i32;
    let thirds = |i: usize| (i % 3) as i32;
    let jitter = |seed: u64, i: usize, by: f64| {
        let at = seed * 1_000_000_007 + 2 * i as u64;
        [by * normal(at), by * normal(at + 1)]
    };
    let circles = |i: usize| {
        let (radius, angle) = (if i.is_multiple_of(2) { 1.0 } else { 0.5 }, TAU * (i / 2) as f64 / (n / 2) as f64);
        let [dx, dy] = jitter(1, i, 0.05);
        [radius * angle.cos() + dx, radius * angle.sin() + dy]
    };
    let moons = |i: usize| {
        let angle = PI * (i / 2) as f64 / (n / 2) as f64;
        let [dx, dy] = jitter(2, i, 0.06);
        match i % 2 {
            0 => [angle.cos() + dx, angle.sin() + dy],
            _ => [1.0 - angle.cos() + dx, 0.5 - angle.sin() + dy],
        }
    };
    let around = |centers: [[f64; 2]; 3], spread: [f64; 3], seed: u64| {
        move |i: usize| {
            let [dx, dy] = jitter(seed, i, spread[i % 3]);
            [centers[i % 3][0] + dx, centers[i % 3][1] + dy]
        }
    };
    let places = [[-7.0, -8.0], [2.0, 2.0], [8.5, -6.0]];
    // Three stripes side by side: what no ball fits.
    let stretched = |i: usize| {
        let ([x, y], side) = (jitter(4, i, 1.0), i as f64 % 3.0 - 1.0);
        [1.15 * side + 0.6 * x - 0.4 * y, 1.9 * side - 0.6 * x + 0.8 * y]
    };
    let noise = |i: usize| [uniform(9_000_000_000 + 2 * i as u64), uniform(9_000_000_001 + 2 * i as u64)];
    vec![
        set("circles", n, 2, 0.3, false, circles, halves),
        set("moons", n, 2, 0.3, false, moons, halves),
        set("varied blobs", n, 3, 0.18, false, around(places, [1.0, 2.6, 0.5], 3), thirds),
        set("anisotropic", n, 3, 0.2, false, stretched, thirds),
        set("blobs", n, 3, 0.3, false, around(places, [1.2; 3], 5), thirds),
        set("noise", n, 3, 0.3, true, noise, |_| 0),
    ]
}

fn set(
    name: &'static str,
    n: usize,
    clusters: usize,
    eps: f64,
    one_is_an_answer: bool,
    point: impl Fn(usize) -> [f64; 2],
    truth: impl Fn(usize) -> i32,
) -> DataSet {
    let points: Vec<[f64; 2]> = (0..n).map(point).collect();
    let mean = [0, 1].map(|c| points.iter().map(|p| p[c]).sum::<f64>() / n as f64);
    let spread = [0, 1].map(|c| (points.iter().map(|p| (p[c] - mean[c]).powi(2)).sum::<f64>() / n as f64).sqrt());
    let rows = Array2::from_shape_fn((n, 2), |(i, c)| ((points[i][c] - mean[c]) / spread[c]) as f32);
    DataSet { name, rows, truth: (0..n).map(truth).collect(), clusters, eps, one_is_an_answer }
}
