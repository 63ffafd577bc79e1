//! The whole method on the built-in handwritten digits: 1,797 images of 8 x 8 pixels.
//!
//! Prints the tree, with what sets each cluster apart, and writes a report. Run it with
//! `cargo run --release --example digits`; an argument names another folder for the report.

use ndarray::Axis;
use recluster::boost::Boost;
use recluster::cluster::Hdbscan;
use recluster::data::digits;
use recluster::embed::Umap;
use recluster::explain::{TreeShap, top_features};
use recluster::recursive::RecursiveTree;
use recluster::report::Report;
use recluster::{Error, Result, Run, Size};
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "recluster-report".into()));
    let digits = digits();
    let run = Run::new().seed(7);
    let began = Instant::now();

    // Embed and cluster all digits, then each cluster again on its own pixels. 5 % of the rows at hand make a cluster; a
    // cluster without a clear gap inside stays whole.
    let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10).single_cluster_weight(0.3);
    let tree = RecursiveTree::new(Umap::new().min_dist(0.0), clusters).levels(2).fit(&digits.images, &run)?;

    // Learn the leaves from the pixels, one booster for each leaf against all others.
    let surrogate = tree.surrogate(&digits.images, &Boost::new().rounds(50).max_depth(4), &run)?;

    // Explain each leaf's own rows: which pixels put them there? `*` marks ink, `o` marks its absence.
    let mut leaf = 0;
    let mut remarks = Vec::new();
    for node in tree.nodes() {
        let mut remark = String::new();
        if node.is_leaf() {
            let members: Vec<usize> = node.rows().iter().map(|&row| row as usize).collect();
            let rows = digits.images.select(Axis(0), &members);
            let why = TreeShap::new(surrogate.model()).explain_outputs(&rows, &[leaf], &run)?;
            // Over a cluster's own rows the mean value against all rows says whether ink or its absence counts.
            let pixel = |feature: usize| {
                let (own, all) = (rows.column(feature).mean(), digits.images.column(feature).mean());
                let mark = if own > all { "*" } else { "o" };
                format!("{mark}({}, {})", feature % 8, feature / 8)
            };
            let pixels: Vec<String> = top_features(&rows, &why, 0, 3)?.iter().map(|f| pixel(f.feature)).collect();
            remark = format!("{}  {}", digits_in(&members, &digits.labels), pixels.join(" "));
            leaf += 1;
        }
        remarks.push(remark);
    }
    let mut remark = remarks.into_iter();
    println!("{}", tree.to_text(|_| remark.next().unwrap_or_default()));
    println!("For each leaf: the digits that it holds (known, but not used), and the pixels (column, row) that");
    println!("matter most for it, * where its rows have more ink than others there, o where they have less.");

    let assigned = surrogate.assign(&digits.images, &run)?;
    let paths = tree.paths();
    let kept = paths.iter().zip(&assigned).filter(|(path, assigned)| path.as_str() == assigned.path).count();
    let core = paths.iter().filter(|path| !path.ends_with('-')).count();
    println!("\nThe surrogate, without UMAP or HDBSCAN, repeats the leaf of {kept} of the {core} clustered rows.");

    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let page = folder.join("report.html");
    Report::new(&tree, &digits.images)
        .title("Handwritten digits")
        .image(8, 8)
        .setting("Smallest cluster", "5 % of the rows at hand")
        .setting("Levels", 2)
        .explained_by(&surrogate, &run)?
        .write(&page)?;
    println!("Report: {} ({:.1} s in all)", page.display(), began.elapsed().as_secs_f64());
    Ok(())
}

/// What the rows show, most frequent first: "8 x170 1 x4".
fn digits_in(rows: &[usize], labels: &[i32]) -> String {
    let mut counts: Vec<(usize, i32)> =
        (0..10).map(|digit| (rows.iter().filter(|&&row| labels[row] == digit).count(), digit)).collect();
    counts.sort_by(|a, b| b.cmp(a));
    counts
        .iter()
        .take_while(|(n, _)| n * 20 > rows.len())
        .map(|(n, digit)| format!("{digit} x{n}"))
        .collect::<Vec<_>>()
        .join(" ")
}
