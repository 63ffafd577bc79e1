//! How often a split is found and kept in tables without clusters and with two: `HeldOut` against no evidence at all.
//!
//!     cargo run --release --example evidence [DRAWS [umap]]
//!
//! By default the root is cut by k-means with three clusters, which always finds them; with `umap` by UMAP and HDBSCAN with
//! the settings of `recluster fit`. `found` counts draws with two clusters or more, `kept` those in which two or more are
//! separated, `clusters` is the mean number that is left.

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recluster::cluster::KMeans;
use recluster::embed::Identity;
use recluster::evidence::HeldOut;
use recluster::recursive::RecursiveTree;
use recluster::{Clusterer, Embedder, Result, Run, presets};
use std::f64::consts::{PI, TAU};

/// Numbers between 0 and 1, and from the standard normal distribution.
struct Draws(ChaCha8Rng);

impl Draws {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    fn poisson(&mut self, mean: f64) -> f64 {
        let (mut count, mut product) = (0.0, self.uniform());
        while product > (-mean).exp() {
            (count, product) = (count + 1.0, product * self.uniform());
        }
        count
    }

    fn t3(&mut self) -> f64 {
        let squares: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
        self.normal() / (squares / 3.0).sqrt()
    }
}

/// One cloud each, then two groups at a distance of so many standard deviations, as 50:50 and 90:10.
const KINDS: [&str; 17] = [
    "Gaussian",
    "correlated",
    "uniform",
    "log-normal",
    "heavy-tailed",
    "binary",
    "answers 1 to 5",
    "counts",
    "zero-inflated",
    "curved sheet",
    "ball",
    "two at 3",
    "two at 4",
    "two at 5",
    "90:10 at 4",
    "90:10 at 5",
    "90:10 at 6",
];

fn row(kind: &str, i: usize, d: usize, draws: &mut Draws) -> Vec<f64> {
    let mut row: Vec<f64> = (0..d).map(|_| draws.normal()).collect();
    match kind {
        "correlated" => row.iter_mut().zip(0..).for_each(|(x, j)| *x *= (-f64::from(j) / 3.0).exp()),
        "uniform" => row.iter_mut().for_each(|x| *x = draws.uniform()),
        "log-normal" => row.iter_mut().for_each(|x| *x = x.exp()),
        "heavy-tailed" => row.iter_mut().for_each(|x| *x = draws.t3()),
        "binary" => row.iter_mut().for_each(|x| *x = f64::from(draws.uniform() < 0.3)),
        "answers 1 to 5" => row.iter_mut().for_each(|x| *x = (3.0 + *x).round().clamp(1.0, 5.0)),
        "counts" => row.iter_mut().for_each(|x| *x = draws.poisson(1.0)),
        "zero-inflated" => row.iter_mut().for_each(|x| *x = if draws.uniform() < 0.6 { 0.0 } else { x.exp() }),
        "curved sheet" => {
            let (t, height) = (1.5 * PI * (1.0 + 2.0 * draws.uniform()), 21.0 * draws.uniform());
            row.iter_mut().for_each(|x| *x *= 0.1);
            row.iter_mut().zip([t * t.cos(), height, t * t.sin()]).for_each(|(x, on)| *x += on);
        }
        "ball" => {
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            let radius = draws.uniform().powf(1.0 / d as f64);
            row.iter_mut().for_each(|x| *x *= radius / length);
        }
        "two at 3" | "two at 4" | "two at 5" => row[0] += f64::from(i.is_multiple_of(2)) * distance(kind),
        "90:10 at 4" | "90:10 at 5" | "90:10 at 6" => row[0] += f64::from(i.is_multiple_of(10)) * distance(kind),
        _ => {}
    }
    row
}

fn distance(kind: &str) -> f64 {
    kind.rsplit(' ').next().and_then(|last| last.parse().ok()).unwrap_or(0.0)
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let draws: u64 = args.next().and_then(|draws| draws.parse().ok()).unwrap_or(20);
    let umap = args.next().is_some_and(|way| way == "umap");
    println!("{:>10}  {:<16}{:>8}{:>8}{:>10}   of {draws} draws", "table", "kind", "found", "kept", "clusters");
    for (n, d) in [(500, 10), (1000, 100), (3000, 30)] {
        for kind in KINDS {
            let (mut found, mut kept, mut left) = (0, 0, 0);
            for draw in 0..draws {
                let mut numbers = Draws(ChaCha8Rng::seed_from_u64(draw));
                let values: Vec<f64> = (0..n).flat_map(|i| row(kind, i, d, &mut numbers)).collect();
                let table = Array2::from_shape_fn((n, d), |(i, j)| values[i * d + j] as f32);
                let (embedder, clusterer): (Box<dyn Embedder>, Box<dyn Clusterer>) = if umap {
                    let [hdbscan, _] = presets::hdbscan();
                    (Box::new(presets::umap()), Box::new(hdbscan))
                } else {
                    (Box::new(Identity), Box::new(KMeans::new(3)))
                };
                let plan = RecursiveTree::new(embedder, clusterer).levels(1).judge(HeldOut::new());
                let tree = plan.fit(&table, &Run::new().seed(draw))?;
                found += u64::from(tree.root().split().is_some_and(|split| split.proposed() > 1));
                kept += u64::from(!tree.root().is_leaf());
                left += tree.leaves().count();
            }
            let clusters = left as f64 / draws as f64;
            println!("{:>10}  {kind:<16}{found:>8}{kept:>8}{clusters:>10.1}", format!("{n} x {d}"));
        }
    }
    Ok(())
}
