//! Tables, and how pictures are judged.

use ndarray::{Array2, ArrayRef2};
use serde_json::Value;

pub(crate) fn fixture() -> Value {
    serde_json::from_str(include_str!("../../fixtures/embed.json")).unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

pub(crate) fn iris() -> Array2<f32> {
    let values: Vec<f32> = include_str!("../../fixtures/embed_iris.txt")
        .lines()
        .flat_map(|line| line.split(' ').take(4).map(|x| x.parse().unwrap()).collect::<Vec<f32>>())
        .collect();
    Array2::from_shape_vec((150, 4), values).unwrap()
}

pub(crate) fn digits() -> Array2<f32> {
    let symbol = |c: u8| f32::from(if c >= b'a' { c - b'a' + 10 } else { c - b'0' });
    let text = include_str!("../../fixtures/embed_digits.txt");
    let values: Vec<f32> =
        text.lines().flat_map(|line| line.bytes().take(64).map(symbol).collect::<Vec<_>>()).collect();
    Array2::from_shape_vec((values.len() / 64, 64), values).unwrap()
}

/// Uniform numbers in [0, 1), a function of their place.
pub(crate) fn noise(i: usize) -> f32 {
    let mut x = (i as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 32)) >> 40) as f32 / (1 << 24) as f32
}

/// `n` rows in `columns` columns around `centres` centres.
pub(crate) fn blobs(n: usize, columns: usize, centres: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let centre = 20.0 * noise(1_000_000_007 + (i % centres) * columns + j);
        let spread: f32 = (0..4).map(|t| noise((i * columns + j) * 4 + t) - 0.5).sum();
        centre + spread
    })
}

/// `n` rows in `columns` columns near a curved surface of four dimensions, as wide data usually are.
pub(crate) fn surface(n: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, columns), |(i, j)| {
        let wave = |t: usize| (noise(i * 4 + t) * 6.0 * noise(500_000_003 + j * 4 + t) + (j * (t + 1)) as f32).sin();
        (0..4).map(wave).sum::<f32>() + 0.05 * noise(900_000_011 + i * columns + j)
    })
}

/// Places of the others by rising distance, the row itself first; ties by number.
pub(crate) fn ranked(rows: &ArrayRef2<f32>, i: usize) -> Vec<(f64, usize)> {
    let mut all: Vec<(f64, usize)> = (0..rows.nrows())
        .map(|j| {
            let square = rows.row(i).iter().zip(rows.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            (if i == j { -1.0 } else { square }, j)
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all
}

/// Trustworthiness (Venna, Kaski 2001): 1 less the mean excess rank of rows that are neighbours in the picture only.
pub(crate) fn trustworthiness(rows: &ArrayRef2<f32>, picture: &ArrayRef2<f32>, k: usize) -> f64 {
    let n = rows.nrows();
    let mut excess = 0;
    for i in 0..n {
        let mut rank = vec![0; n];
        for (place, &(_, j)) in ranked(rows, i).iter().enumerate() {
            rank[j] = place;
        }
        excess += ranked(picture, i)[1..=k].iter().map(|&(_, j)| rank[j].saturating_sub(k)).sum::<usize>();
    }
    1.0 - excess as f64 * 2.0 / (n * k * (2 * n - 3 * k - 1)) as f64
}

pub(crate) fn all_finite(picture: &Array2<f32>) -> bool {
    picture.iter().all(|x| x.is_finite())
}

/// The species of each row of iris.
pub(crate) fn iris_species() -> Vec<i32> {
    last_words(include_str!("../../fixtures/embed_iris.txt"))
}

/// The digit that each row of digits shows.
pub(crate) fn digits_shown() -> Vec<i32> {
    last_words(include_str!("../../fixtures/embed_digits.txt"))
}

fn last_words(text: &str) -> Vec<i32> {
    text.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect()
}

/// Row numbers in some other order.
pub(crate) fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| noise(a + 77).total_cmp(&noise(b + 77)).then(a.cmp(&b)));
    order
}

pub(crate) fn umap_fixture() -> Value {
    serde_json::from_str(include_str!("../../fixtures/umap.json")).unwrap()
}

pub(crate) fn table(value: &Value, columns: usize) -> Array2<f32> {
    let values: Vec<f32> = numbers(value).into_iter().map(|x| x as f32).collect();
    Array2::from_shape_vec((values.len() / columns, columns), values).unwrap()
}
