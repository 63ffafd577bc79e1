//! Every clusterer on the same data sets: a table, and a picture like the one on scikit-learn's comparison page.
//!
//! `cargo run --release --example compare_clusterers [picture.svg] [rows]`
//!
//! Stability is the mean ARI between a clustering and those of five random 80 % of the rows, over the rows in both.

mod data;
mod picture;

use data::DataSet;
use ndarray::{Array2, Axis};
use recluster::cluster::{Agglomerative, Dbscan, GaussianMixture, Genie, Hdbscan, KMeans, Linkage};
use recluster::validity::{adjusted_mutual_information, adjusted_rand};
use recluster::{Clusterer, Result, Run};
use std::time::Instant;

/// What one clusterer made of one data set.
struct Cell {
    labels: Vec<i32>,
    seconds: f64,
    ari: f64,
    ami: f64,
    /// Share of the rows.
    noise: f64,
    stability: f64,
}

/// The clusterers with settings that suit a data set, as a person who knows it would choose them.
fn clusterers(set: &DataSet) -> Vec<(&'static str, Box<dyn Clusterer>)> {
    let k = set.clusters;
    vec![
        ("k-means", Box::new(KMeans::new(k))),
        ("Gaussian mixture", Box::new(GaussianMixture::new(k).restarts(3))),
        ("Ward", Box::new(Agglomerative::new(k))),
        ("Average linkage", Box::new(Agglomerative::new(k).linkage(Linkage::Average))),
        ("Single linkage", Box::new(Agglomerative::new(k).linkage(Linkage::Single))),
        ("Genie", Box::new(Genie::new(k))),
        ("DBSCAN", Box::new(Dbscan::new(set.eps).min_samples(7))),
        (
            "HDBSCAN",
            Box::new(Hdbscan::new().min_cluster_size(15).min_samples(3).allow_single_cluster(set.one_is_an_answer)),
        ),
    ]
}

fn cell(method: &dyn Clusterer, set: &DataSet, run: &Run) -> Result<Cell> {
    // The best of three: the first pays for cold caches.
    let mut seconds = f64::INFINITY;
    let mut found = method.cluster(&set.rows, run)?;
    for _ in 0..3 {
        let began = Instant::now();
        found = method.cluster(&set.rows, run)?;
        seconds = seconds.min(began.elapsed().as_secs_f64());
    }
    let labels = found.labels().to_vec();
    let mut stability = 0.0;
    for draw in 0..5u64 {
        let kept: Vec<usize> =
            (0..labels.len()).filter(|&row| data::uniform(draw * 1_000_003 + row as u64) < 0.8).collect();
        let part: Array2<f32> = set.rows.select(Axis(0), &kept);
        let again = method.cluster(&part, &run.clone().seed(draw))?;
        let before: Vec<i32> = kept.iter().map(|&row| labels[row]).collect();
        stability += adjusted_rand(again.labels(), &before)? / 5.0;
    }
    let noise = labels.iter().filter(|&&label| label < 0).count() as f64 / labels.len() as f64;
    let (ari, ami) = (adjusted_rand(&labels, &set.truth)?, adjusted_mutual_information(&labels, &set.truth)?);
    Ok(Cell { labels, seconds, ari, ami, noise, stability })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "compare_clusterers.svg".to_string());
    let rows = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(600);
    let run = Run::new();
    let sets = data::all(rows);
    let mut grid = Vec::new();
    println!(
        "{:<16}{:<18}{:>9}{:>7}{:>7}{:>8}{:>11}{:>10}",
        "data", "clusterer", "ms", "ARI", "AMI", "noise", "stability", "clusters"
    );
    for set in &sets {
        let mut line = Vec::new();
        for (name, method) in clusterers(set) {
            let cell = cell(&*method, set, &run)?;
            let clusters = cell.labels.iter().max().map_or(0, |most| most + 1);
            println!(
                "{:<16}{name:<18}{:>9.2}{:>7.2}{:>7.2}{:>7.0} %{:>11.2}{clusters:>10}",
                set.name,
                1e3 * cell.seconds,
                cell.ari,
                cell.ami,
                100.0 * cell.noise,
                cell.stability,
            );
            line.push((name, cell));
        }
        grid.push(line);
    }
    std::fs::write(&path, picture::svg(&sets, &grid)).map_err(|e| recluster::Error::io(&path, e))?;
    println!("\nThe picture is in {path}.");
    Ok(())
}
