//! The article's figures on MNIST.
//!
//! PCA against UMAP, k-means (k = 6) against HDBSCAN on each, then the zoom into the cluster of the root that holds 3, 5
//! and 8 and into the one that holds the zeros, with the average image of every cluster. Give the folder of the IDX
//! files (`train-images-idx3-ubyte.gz` and so on, packed or not) and one for the figures:
//!
//! ```sh
//! cargo run --release --example mnist -- MNIST_FOLDER mnist-figures [ROWS]
//! ```

#[path = "help/mnist.rs"]
mod files;

use files::{WIDTH, read_mnist};
use ndarray::{Array2, Axis};
use recluster::cluster::{Hdbscan, KMeans};
use recluster::embed::{Pca, Umap};
use recluster::recursive::{ClusterTree, Node, RecursiveTree};
use recluster::report::charts::{ImageStrip, Map};
use recluster::validity::adjusted_rand;
use recluster::{Clusterer, Embedder, Error, NOISE, Result, Run, Size};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        println!("usage: mnist MNIST_FOLDER FIGURES_FOLDER [ROWS]");
        return Ok(());
    };
    let most = arguments.next().and_then(|rows| rows.parse().ok()).unwrap_or(70_000);
    let (images, digits) = read_mnist(Path::new(&from), most)?;
    let run = Run::new().seed(7);
    let mut page = String::from(HEAD);

    // One level: what each pair of embedder and clusterer makes of all digits.
    let _ = write!(page, "<h1>{} handwritten digits</h1><div class=grid>", images.nrows());
    for embedder in ["PCA", "UMAP"] {
        let began = Instant::now();
        let embedding = match embedder {
            "PCA" => Pca::new(2).embed(&images, &run)?,
            _ => umap().embed(&images, &run)?,
        };
        println!("{embedder:8} {:6.1} s", began.elapsed().as_secs_f64());
        let _ = write!(
            page,
            "<figure>{}<figcaption>{embedder}, coloured by the digit</figcaption></figure>",
            Map::new(&embedding, &digits).draw()?
        );
        for clusterer in [Box::new(KMeans::new(6)) as Box<dyn Clusterer>, Box::new(hdbscan())] {
            let found = clusterer.cluster(&embedding, &run)?;
            let labels = found.labels();
            let noise = labels.iter().filter(|&&label| label == NOISE).count() as f64 / labels.len() as f64;
            let agreement = adjusted_rand(labels, &digits)?;
            let title = format!(
                "{embedder} + {}: {} clusters, {:.1} % unassigned, ARI to the digits {agreement:.2}",
                clusterer.name(),
                found.clusters(),
                100.0 * noise
            );
            println!("{title}");
            let _ = write!(
                page,
                "<figure>{}<figcaption>{title}</figcaption></figure>",
                Map::new(&embedding, labels).draw()?
            );
        }
    }
    page.push_str("</div>");

    // Two levels: every cluster of the root is embedded and clustered again, on its own pixels.
    let began = Instant::now();
    let tree = RecursiveTree::new(umap(), hdbscan()).levels(2).fit(&images, &run)?;
    println!(
        "two levels {:.1} s\n{}",
        began.elapsed().as_secs_f64(),
        tree.to_text(|node| shares(node.rows(), &digits))
    );
    println!(
        "best-node F: {:.3}, of the first level alone {:.3}",
        tree.best_node_f(&digits, 2)?,
        tree.best_node_f(&digits, 1)?
    );
    zoom(&mut page, &tree, "0", "All digits", &images, &digits)?;
    for (title, wanted) in
        [("The cluster that holds 3, 5 and 8", &[3, 5, 8][..]), ("The cluster that holds the zeros", &[0])]
    {
        zoom(&mut page, &tree, &holding(&tree, wanted, &digits), title, &images, &digits)?;
    }

    let folder = PathBuf::from(to);
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let file = folder.join("figures.html");
    std::fs::write(&file, page).map_err(|e| Error::io(&file, e))?;
    println!("figures: {}", file.display());
    Ok(())
}

fn umap() -> Umap {
    Umap::new().min_dist(0.0)
}

fn hdbscan() -> Hdbscan {
    Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10).single_cluster_weight(0.3)
}

/// The child of the root that holds the most rows of the wanted digits.
fn holding(tree: &ClusterTree, wanted: &[i32], digits: &[i32]) -> String {
    let hits = |child: &&Node| child.rows().iter().filter(|&&row| wanted.contains(&digits[row as usize])).count();
    let child = tree.children(tree.root()).max_by_key(hits);
    child.map_or_else(|| "0".into(), |child| child.path().to_string())
}

/// A node's map by cluster and by digit, and the average image of each of its clusters.
fn zoom(
    page: &mut String,
    tree: &ClusterTree,
    path: &str,
    title: &str,
    images: &Array2<f32>,
    digits: &[i32],
) -> Result<()> {
    let Some(node) = tree.node(path) else { return Ok(()) };
    let _ = write!(page, "<h2>{title}: {path}, {} rows</h2><div class=grid>", node.rows().len());
    if let (Some(embedding), false) = (node.embedding(), node.is_leaf()) {
        let own: Vec<i32> = node.rows().iter().map(|&row| digits[row as usize]).collect();
        let (by_cluster, by_digit) = (Map::new(embedding, node.labels()).draw()?, Map::new(embedding, &own).draw()?);
        let _ = write!(page, "<figure>{by_cluster}<figcaption>by cluster</figcaption></figure>");
        let _ = write!(page, "<figure>{by_digit}<figcaption>by digit</figcaption></figure>");
    } else if let Some(reason) = node.stop_reason() {
        let _ = write!(page, "<p>Not split: {reason}.</p>");
    }
    page.push_str("</div><div class=row>");
    let shown: Vec<&Node> = if node.is_leaf() { vec![node] } else { tree.children(node).collect() };
    for child in shown {
        let places: Vec<usize> = child.rows().iter().map(|&row| row as usize).collect();
        let mean: Vec<f64> = images
            .select(Axis(0), &places)
            .axis_iter(Axis(1))
            .map(|pixel| pixel.iter().map(|&v| f64::from(v)).sum::<f64>() / places.len() as f64)
            .collect();
        let caption = format!("{}<br>{} rows<br>{}", child.path(), places.len(), shares(child.rows(), digits));
        let _ = write!(
            page,
            "<figure class=small>{}<figcaption>{caption}</figcaption></figure>",
            ImageStrip::new(WIDTH, [("", mean)]).draw()?
        );
    }
    page.push_str("</div>");
    Ok(())
}

/// The digits that make up at least a twentieth of the rows: "8 97 %".
fn shares(rows: &[u32], digits: &[i32]) -> String {
    let mut counts: Vec<(usize, i32)> =
        (0..10).map(|digit| (rows.iter().filter(|&&row| digits[row as usize] == digit).count(), digit)).collect();
    counts.sort_by(|a, b| b.cmp(a));
    let share = |n: usize| 100.0 * n as f64 / rows.len().max(1) as f64;
    let large = counts.iter().filter(|(n, _)| share(*n) >= 5.0);
    large.map(|&(n, digit)| format!("{digit} {:.0} %", share(n))).collect::<Vec<_>>().join(", ")
}

const HEAD: &str = "<!DOCTYPE html><meta charset=utf-8><title>MNIST</title><style>\
    body{font:15px/1.5 system-ui,sans-serif;max-width:1160px;margin:2rem auto;padding:0 1rem;color:#222}\
    figure{margin:0}figcaption{color:#555;font-size:13px}svg{width:100%;height:auto}\
    .grid{display:grid;grid-template-columns:repeat(3,1fr);gap:1.2rem}\
    .row{display:flex;flex-wrap:wrap;gap:1.2rem;margin-top:1rem}.small{width:130px}</style>";
