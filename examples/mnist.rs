//! The article's figures on MNIST, with what evidence says of each split beside them.
//!
//! 1 and 2: PCA and UMAP; 3 and 4: k-means (k = 6) and HDBSCAN on both; 5 and 6: the zoom into the cluster of the root that
//! is the least of one digit, and the average image of each cluster found there (the article's map had 3, 5 and 8 in one
//! cluster); 7 and 8: the same of the zeros. Where HDBSCAN leaves a cluster whole, k-means cuts it in four, and the evidence
//! tells what such a cut is. Give the folder of the IDX files
//! (`train-images-idx3-ubyte.gz` and so on, packed or not) and one for the figures:
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
use recluster::evidence::{HeldOut, Policy};
use recluster::recursive::{ClusterTree, Node, RecursiveTree, Separation};
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
    let _ = write!(page, "<h1>{} handwritten digits</h1>", images.nrows());

    one_level(&mut page, &images, &digits, &run)?;

    // Two levels: every cluster of the root is embedded and clustered again, on its own pixels; all splits are kept, and
    // each says what held-out rows make of it.
    let began = Instant::now();
    let marked = HeldOut::new().policy(Policy::Mark);
    let tree = RecursiveTree::new(umap(), hdbscan()).levels(2).judge(marked.clone()).fit(&images, &run)?;
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
    let of = |node: &Node, wanted: i32| node.rows().iter().filter(|&&row| digits[row as usize] == wanted).count();
    let purest =
        |node: &Node| (0..10).map(|digit| of(node, digit)).max().unwrap_or(0) as f64 / node.rows().len() as f64;
    let mixed = tree.children(tree.root()).min_by(|a, b| purest(a).total_cmp(&purest(b))).unwrap_or(tree.root());
    let zeros = tree.children(tree.root()).max_by_key(|node| of(node, 0)).unwrap_or(tree.root());
    let title = format!("The cluster that is the least of one digit ({})", shares(mixed.rows(), &digits));
    for (node, figures, title) in
        [(mixed, ["5", "6"], &*title), (zeros, ["7", "8"], "The cluster that holds the zeros")]
    {
        if !node.is_leaf() {
            zoom(&mut page, &tree, node, figures, title, &images, &digits)?;
            continue;
        }
        let rows: Vec<usize> = node.rows().iter().map(|&row| row as usize).collect();
        let (own, own_digits) =
            (images.select(Axis(0), &rows), rows.iter().map(|&row| digits[row]).collect::<Vec<_>>());
        let cut = RecursiveTree::new(umap(), KMeans::new(4)).levels(1).judge(marked.clone()).fit(&own, &run)?;
        let title = format!("{title}, which HDBSCAN leaves whole, cut in four by k-means");
        zoom(&mut page, &cut, cut.root(), figures, &title, &own, &own_digits)?;
    }

    let folder = PathBuf::from(to);
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let file = folder.join("figures.html");
    std::fs::write(&file, page).map_err(|e| Error::io(&file, e))?;
    println!("figures: {}", file.display());
    Ok(())
}

/// Figures 1 to 4: what each pair of embedder and clusterer makes of all digits.
fn one_level(page: &mut String, images: &Array2<f32>, digits: &[i32], run: &Run) -> Result<()> {
    let began = Instant::now();
    let pca = Pca::new(2).embed(images, run)?;
    println!("PCA      {:6.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let umap = umap().embed(images, run)?;
    println!("UMAP     {:6.1} s", began.elapsed().as_secs_f64());
    let embeddings = [("PCA", pca), ("UMAP", umap)];

    page.push_str("<div class=grid>");
    for (figure, (name, embedding)) in ["1", "2"].into_iter().zip(&embeddings) {
        let map = Map::new(embedding, digits).draw()?;
        let _ = write!(
            page,
            "<figure>{map}<figcaption><b>{figure}</b> {name}, coloured by the digit</figcaption></figure>"
        );
    }
    for (figure, clusterer) in
        [("3", Box::new(KMeans::new(6)) as Box<dyn Clusterer>), ("4", Box::new(hdbscan()) as Box<dyn Clusterer>)]
    {
        for (name, embedding) in &embeddings {
            let found = clusterer.cluster(embedding, run)?;
            let labels = found.labels();
            let noise = labels.iter().filter(|&&label| label == NOISE).count() as f64 / labels.len() as f64;
            let title = format!(
                "{name} + {}: {} clusters, {:.1} % unassigned, ARI to the digits {:.2}",
                clusterer.name(),
                found.clusters(),
                100.0 * noise,
                adjusted_rand(labels, digits)?
            );
            println!("{title}");
            let map = Map::new(embedding, labels).draw()?;
            let _ = write!(page, "<figure>{map}<figcaption><b>{figure}</b> {title}</figcaption></figure>");
        }
    }
    page.push_str("</div>");
    Ok(())
}

fn umap() -> Umap {
    Umap::new().min_dist(0.0)
}

fn hdbscan() -> Hdbscan {
    Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10).single_cluster_weight(0.3)
}

/// Two figures of a node: its map by cluster and by digit with the evidence, and the average image of each cluster.
fn zoom(
    page: &mut String,
    tree: &ClusterTree,
    node: &Node,
    figures: [&str; 2],
    title: &str,
    images: &Array2<f32>,
    digits: &[i32],
) -> Result<()> {
    let _ = write!(page, "<h2>{title}: {} rows</h2>", node.rows().len());
    println!("{title}");
    let (Some(embedding), Some(split)) = (node.map(), node.split()) else {
        let reason = node.stop_reason().map_or_else(String::new, ToString::to_string);
        let _ = write!(page, "<p>Not split: {reason}.</p>");
        return Ok(());
    };
    let own: Vec<i32> = node.rows().iter().map(|&row| digits[row as usize]).collect();
    let names: Vec<String> = tree.children(node).map(|child| child.path().to_string()).collect();
    let by_cluster = Map::new(embedding, node.labels()).names(names).draw()?;
    let by_digit = Map::new(embedding, &own).draw()?;
    let _ = write!(
        page,
        "<div class=grid><figure>{by_cluster}<figcaption><b>{}</b> by cluster</figcaption></figure>\
         <figure>{by_digit}<figcaption>by digit</figcaption></figure><div><b>Evidence</b><p>{}.</p><ul>",
        figures[0],
        split.reason()
    );
    for found in split.separations() {
        let line = verdict(node, found, |cluster| split.child_of(cluster));
        println!("  {line}");
        let _ = write!(page, "<li>{line}</li>");
    }
    let _ =
        write!(page, "</ul></div></div><p><b>{}</b> the average image of each cluster</p><div class=row>", figures[1]);
    for child in tree.children(node) {
        let places: Vec<usize> = child.rows().iter().map(|&row| row as usize).collect();
        let mean = images.select(Axis(0), &places).mapv(f64::from).mean_axis(Axis(0)).unwrap_or_default();
        let caption = format!("{}<br>{} rows<br>{}", child.path(), places.len(), shares(child.rows(), digits));
        let image = ImageStrip::new(WIDTH, [("", mean.to_vec())]).draw()?;
        let _ = write!(page, "<figure class=small>{image}<figcaption>{caption}</figcaption></figure>");
    }
    page.push_str("</div>");
    Ok(())
}

/// "0.2.0 and 0.2.1: separated, the boundary is crossed 0.08 times as often as the middles".
fn verdict(node: &Node, found: &Separation, child_of: impl Fn(usize) -> Option<usize>) -> String {
    let side = |clusters: &[usize]| {
        let of = |cluster: &usize| {
            child_of(*cluster).map_or("-".into(), |child| node.path().child(child as u32).to_string())
        };
        let mut names: Vec<String> = clusters.iter().map(of).collect();
        names.dedup();
        names.join(" with ")
    };
    let crossed = match found.boundary {
        Some(ratio) => format!(", the boundary is crossed {ratio:.2} times as often as the middles"),
        None => String::new(),
    };
    format!("{} and {}: {}{crossed}", side(&found.of), side(&found.from), found.grade)
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
