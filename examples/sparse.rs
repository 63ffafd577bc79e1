//! Counts in many columns, nearly all of them zero, such as words of texts or articles in baskets: clustered without ever
//! being made dense.
//!
//!     cargo run --release --example sparse [ROWS [COLUMNS [FILE.mtx]]]
//!
//! Twenty kinds of rows, two in each of ten families, have one value in a hundred (fifty of 5,000 columns): two in five of
//! these in columns of their family, three in ten in columns of their kind, the others anywhere. The clusters should be the
//! kinds. With a file, the rows go there first, for other programs.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recluster::boost::Boost;
use recluster::cluster::Hdbscan;
use recluster::embed::Umap;
use recluster::evidence::HeldOut;
use recluster::neighbors::Metric;
use recluster::recursive::RecursiveTree;
use recluster::validity::adjusted_rand;
use recluster::{Error, Result, Run, Size, SparseRows};
use std::io::Write;
use std::time::Instant;

const FAMILIES: usize = 10;
const KINDS: usize = 2 * FAMILIES;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (n, columns) = (number(5_000), number(1_000).max(100));
    let (rows, kinds) = counts(n, columns)?;
    println!("{n} rows x {columns} columns, {} entries; {}", rows.entries(), memory());
    if let Some(path) = arguments.next() {
        write(&rows, &path).map_err(|e| Error::io(std::path::Path::new(&path), e))?;
    }

    let run = Run::new();
    let umap = Umap::new().metric(Metric::Cosine).min_dist(0.0);
    let start = Instant::now();
    umap.embed_sparse(&rows, &run)?;
    println!("embedded in {:.1} s; {}", start.elapsed().as_secs_f64(), memory());

    let start = Instant::now();
    let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.03)).min_samples(10);
    let tree = RecursiveTree::new(umap, clusters).levels(1).judge(HeldOut::new()).fit_sparse(&rows, &run)?;
    println!("tree of {} leaves in {:.1} s; {}", tree.leaves().count(), start.elapsed().as_secs_f64(), memory());
    println!("adjusted Rand index of the leaves with the kinds: {:.3}", adjusted_rand(&tree.leaf_labels(), &kinds)?);

    let start = Instant::now();
    let surrogate = tree.surrogate_sparse(&rows, None, &Boost::new().rounds(20).max_depth(4), &run)?;
    println!("model in {:.1} s; {}", start.elapsed().as_secs_f64(), memory());
    let start = Instant::now();
    let assigned: Vec<i32> = surrogate.assign_sparse(&rows, &run)?.iter().map(|to| to.class as i32).collect();
    let agreement = adjusted_rand(&assigned, &kinds)?;
    println!("assigned in {:.1} s, adjusted Rand index {agreement:.3}; {}", start.elapsed().as_secs_f64(), memory());
    Ok(())
}

/// Counts, and the kind of each row.
fn counts(n: usize, columns: usize) -> Result<(SparseRows, Vec<i32>)> {
    let mut draws = ChaCha8Rng::seed_from_u64(1);
    let mut below = |n: usize| (draws.next_u64() % n as u64) as usize;
    let (mut starts, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    // Of the columns, two in five are divided among the families and as many among the kinds.
    let (of_family, of_kind) = (2 * columns / 5 / FAMILIES, 2 * columns / 5 / KINDS);
    for i in 0..n {
        let kind = i % KINDS;
        let mut own: Vec<(u32, f32)> = (0..columns / 100)
            .map(|_| {
                let column = match below(10) {
                    0..4 => kind / 2 * of_family + below(of_family),
                    4..7 => FAMILIES * of_family + kind * of_kind + below(of_kind),
                    _ => below(columns),
                };
                (column as u32, 1.0 + (below(8) / 5) as f32)
            })
            .collect();
        own.sort_unstable_by_key(|entry| entry.0);
        own.dedup_by_key(|entry| entry.0);
        indices.extend(own.iter().map(|entry| entry.0));
        values.extend(own.iter().map(|entry| entry.1));
        starts.push(indices.len());
    }
    let kinds = (0..n).map(|i| (i % KINDS) as i32).collect();
    Ok((SparseRows::new((n, columns), starts, indices, values)?, kinds))
}

/// As a Matrix Market file.
fn write(rows: &SparseRows, path: &str) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(out, "%%MatrixMarket matrix coordinate real general")?;
    writeln!(out, "{} {} {}", rows.rows(), rows.columns(), rows.entries())?;
    for row in 0..rows.rows() {
        let (indices, values) = rows.row(row);
        for (column, value) in indices.iter().zip(values) {
            writeln!(out, "{} {} {value}", row + 1, column + 1)?;
        }
    }
    out.flush()
}

/// The most memory that the program has had so far, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.map_or("memory unknown".to_string(), |kb| format!("at most {:.0} MB", kb / 1024.0))
}
