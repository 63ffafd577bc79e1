//! Every chart of the library, drawn alone into a folder, from the built-in digits and a small made-up table of customers.
//!
//!     cargo run --release --example charts [FOLDER]
//!
//! The folder (by default `charts` in the system's folder for temporary files) gets an SVG for each chart, PNGs of those that
//! are made of pixels, and `attributions.csv` and `map.csv`, from which `benches/peers/charts.py` draws shap's and datamapplot's
//! pictures of the same values.

use ndarray::{Array2, Axis};
use recluster::boost::Boost;
use recluster::cluster::{Hdbscan, KMeans};
use recluster::data::digits;
use recluster::embed::{Pca, Umap};
use recluster::explain::{Differences, Fidelity, Surrogate, dependence};
use recluster::recursive::RecursiveTree;
use recluster::report::charts::*;
use recluster::{Clusterer, Embedder, Explainer, Explanation, Run, Size};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Files and the library have errors of different types.
type Done = std::result::Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    let folder = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("charts"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let run = Run::new().seed(7);
    of_digits(&folder, &run)?;
    of_customers(&folder, &run)?;
    println!("{}", folder.display());
    Ok(())
}

/// What clustering finds: maps, trees, layers, images.
fn of_digits(folder: &Path, run: &Run) -> Done {
    let digits = digits();
    let images = &digits.images;
    let (pca, umap) = (Pca::new(2).embed(images, run)?, Umap::new().min_dist(0.0).embed(images, run)?);
    let model = Hdbscan::new().min_cluster_size(40).min_samples(10).fit(&umap, run)?;
    let names = most_digits(model.labels(), &digits.labels);
    let map = Map::new(&umap, model.labels()).names(&names);
    map.draw()?.title("Handwritten digits").write(folder.join("map.svg"))?;
    std::fs::write(folder.join("map.png"), map.png()?)?;
    let mut lines = String::new();
    for (place, &label) in umap.rows().into_iter().zip(model.labels()) {
        let name = usize::try_from(label).map_or("", |label| &names[label]);
        let _ = writeln!(lines, "{},{},{name}", place[0], place[1]);
    }
    std::fs::write(folder.join("map.csv"), lines)?;
    let maps = [("PCA", Map::new(&pca, &digits.labels).draw()?), ("UMAP", Map::new(&umap, &digits.labels).draw()?)];
    SideBySide::new(maps).draw().title("The same digits").write(folder.join("side_by_side.svg"))?;
    CondensedTreeChart::of(&model).draw().title("Condensed tree").write(folder.join("condensed.svg"))?;
    LayersChart::new(model.layers()).draw().title("Layers over sizes").write(folder.join("layers.svg"))?;

    let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10);
    let mut tree = RecursiveTree::new(Umap::new().min_dist(0.0), clusters).levels(2).fit(images, run)?;
    tree.set_name("0.0", "mostly zeros")?;
    Icicle::of(&tree).draw().title("Clusters within clusters").write(folder.join("icicle.svg"))?;

    let average = |digit: i32| {
        let rows: Vec<usize> = (0..digits.labels.len()).filter(|&row| digits.labels[row] == digit).collect();
        let mean = images.select(Axis(0), &rows).mapv(f64::from).mean_axis(Axis(0)).unwrap_or_default();
        (format!("{digit}: {} rows", rows.len()), mean.to_vec())
    };
    let strip = ImageStrip::new(8, (0..10).map(average));
    strip.draw()?.title("Average images").write(folder.join("images.svg"))?;
    Ok(std::fs::write(folder.join("images.png"), strip.png(0)?)?)
}

/// Each cluster's name by its commonest digit: "mostly 3".
fn most_digits(labels: &[i32], digits: &[i32]) -> Vec<String> {
    let clusters = labels.iter().max().map_or(0, |&most| most + 1);
    let rows = |cluster: i32, digit: i32| labels.iter().zip(digits).filter(|&pair| pair == (&cluster, &digit)).count();
    let most = |cluster: i32| (0..10).max_by_key(|&digit| rows(cluster, digit)).unwrap_or(0);
    (0..clusters).map(|cluster| format!("mostly {}", most(cluster))).collect()
}

/// What explains clusters: attributions, averages, outside variables, how sure we are.
fn of_customers(folder: &Path, run: &Run) -> Done {
    let Customers { rows, kinds, plans } = customers(1200);
    let names = KINDS.map(String::from).to_vec();
    let boost = Boost::new().rounds(60).max_depth(3);
    let (surrogate, confidences) = Surrogate::fit_out_of_fold(&rows, &kinds, names.clone(), None, &boost, run)?;
    let surrogate = surrogate.with_feature_names(COLUMNS.map(String::from).to_vec())?;
    let why = surrogate.explain(&rows, run)?;
    // Builders, and the customer among them whom the model is the least sure of.
    let output = 1;
    let margins = why.outputs();
    let builders = (0..rows.nrows()).filter(|&row| kinds[row] == output as i32 && rows[[row, 4]].is_finite());
    let least = builders.min_by(|&a, &b| margins[[a, output]].abs().total_cmp(&margins[[b, output]].abs()));
    let row = least.unwrap_or(0);
    csv(folder, &rows, &why, output, row)?;

    Beeswarm::of(&rows, &why, output, &COLUMNS, 9)?.draw().title("Builders").write(folder.join("beeswarm.svg"))?;
    let values = rows.row(row).to_vec();
    let waterfall = Waterfall::of(&why, row, output, &values, &COLUMNS)?.log_odds();
    waterfall.draw().title("One customer, and builders").write(folder.join("waterfall.svg"))?;
    for feature in [0, 4] {
        let found = dependence(&rows, &why, output, feature)?;
        let mut chart = DependenceChart::of(&found, COLUMNS[feature]);
        if let Some(partner) = found.partner {
            chart = chart.partner(COLUMNS[partner], rows.column(partner));
        }
        chart.draw()?.title("Builders").write(folder.join(format!("dependence_{feature}.svg")))?;
    }
    let compared = Differences::new(&surrogate, &rows, &kinds)?.between(1, 2, run)?;
    Contrast::of(&compared).draw().title("Builders and hosts").write(folder.join("contrast.svg"))?;
    let profile = Profile::of(&rows, &kinds, 1, &COLUMNS, 6)?;
    profile.name(KINDS[1]).draw().title("Builders").write(folder.join("profile.svg"))?;
    let bars = COLUMNS.iter().enumerate().filter_map(|(c, name)| {
        let own = |kind: Option<i32>| {
            let own = kinds
                .iter()
                .zip(rows.column(c))
                .filter(|(own, v)| kind.is_none_or(|kind| **own == kind) && v.is_finite());
            let own: Vec<f64> = own.map(|(_, &v)| f64::from(v)).collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            (mean, (own.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / own.len() as f64).sqrt())
        };
        let ((here, _), (all, deviation)) = (own(Some(1)), own(None));
        (deviation > 0.0).then(|| Bar::new(*name, (here - all) / deviation).note(format!("{here:.1} ({all:.1})")))
    });
    Bars::new(bars).draw().title("What sets builders apart").write(folder.join("bars.svg"))?;

    let counts = |kind: i32| (0..PLANS.len()).map(move |plan| (kind, plan));
    let count = |(kind, plan)| kinds.iter().zip(&plans).filter(|&(&own, &is)| own == kind && is == plan).count() as u32;
    let table = (0..3)
        .fold(CrossTab::new("plan", PLANS), |table, kind| table.line(KINDS[kind as usize], counts(kind).map(count)));
    table.draw().title("Plans").write(folder.join("crosstab.svg"))?;

    let fidelity = Fidelity::of(&confidences, &kinds, &names, None)?;
    CalibrationChart::of(&fidelity.clusters[1])
        .draw()
        .title("Builders, held out")
        .write(folder.join("calibration.svg"))?;
    let lines = (0..5)
        .map(|cluster| StabilityLine::new(format!("cluster {cluster}"), again(&rows, cluster, run)).number(cluster));
    StabilityChart::new(lines).draw().title("Found again on 80 % of the rows").write(folder.join("stability.svg"))?;
    Ok(())
}

/// How well one of five clusters of k-means, which are too many, is found again in runs on other rows with other seeds.
fn again(rows: &Array2<f32>, cluster: usize, run: &Run) -> Vec<f64> {
    let known = rows.mapv(|v| if v.is_nan() { 0.0 } else { v });
    let labels = |part: &[usize], seed: u64| {
        let found = KMeans::new(5).cluster(&known.select(Axis(0), part), &run.clone().seed(seed));
        found.map(|found| found.labels().to_vec()).unwrap_or_default()
    };
    let all: Vec<usize> = (0..rows.nrows()).collect();
    let whole = labels(&all, 0);
    let index = |seed: u64| {
        let part: Vec<usize> = all.iter().copied().filter(|&row| uniform(row as u64, 100 + seed) < 0.8).collect();
        let other = labels(&part, seed);
        let jaccard = |other_cluster: i32| {
            let pairs =
                || part.iter().zip(&other).map(|(&row, &own)| (whole[row] == cluster as i32, own == other_cluster));
            pairs().filter(|pair| pair.0 && pair.1).count() as f64
                / pairs().filter(|pair| pair.0 || pair.1).count().max(1) as f64
        };
        (0..5).map(jaccard).fold(0.0, f64::max)
    };
    (1..=20).map(index).collect()
}

const KINDS: [&str; 3] = ["browsers", "builders", "hosts"];
const COLUMNS: [&str; 6] = ["visits a month", "files", "API calls a day", "guests", "tickets", "months since start"];
const PLANS: [&str; 4] = ["free", "basic", "plus", "enterprise"];

struct Customers {
    rows: Array2<f32>,
    kinds: Vec<i32>,
    /// An outside variable.
    plans: Vec<usize>,
}

/// Three kinds that run into each other at their edges; one in twelve has no number of tickets.
fn customers(n: usize) -> Customers {
    let kinds: Vec<i32> = (0..n).map(|row| (row * 3 / n) as i32).collect();
    let rows = Array2::from_shape_fn((n, COLUMNS.len()), |(row, column)| {
        let draw = |stream: u64| uniform(row as u64, 10 * column as u64 + stream);
        let bell = draw(1) + draw(2) + draw(3) - 1.5;
        let kind = kinds[row] as usize;
        let value = match column {
            0 => [6.0, 18.0, 14.0][kind] + 9.0 * bell,
            1 => [20.0, 55.0, 60.0][kind] + 40.0 * bell,
            2 => [1.0, 30.0, 8.0][kind] * (1.0 + 1.3 * bell),
            3 => [1.0, 3.0, 11.0][kind] + 5.0 * bell,
            4 if draw(4) < 1.0 / 12.0 => f64::NAN,
            4 => [1.0, 4.0, 2.5][kind] + 3.0 * bell,
            _ => 60.0 * draw(1),
        };
        (value.max(0.0) * 10.0).round() as f32 / 10.0
    });
    let plan = |row: usize| {
        let shares = [[0.55, 0.9, 0.98], [0.1, 0.4, 0.8], [0.3, 0.6, 0.9]][kinds[row] as usize];
        shares.iter().filter(|&&share| uniform(row as u64, 99) > share).count()
    };
    Customers { plans: (0..n).map(plan).collect(), rows, kinds }
}

/// A number in 0 to 1 that is a function of row and stream alone.
fn uniform(row: u64, stream: u64) -> f64 {
    let mut x = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.wrapping_add(1).wrapping_mul(0xd1b5_4a32_d192_ed03);
    for _ in 0..3 {
        x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// Values and attributions, with the base value and the row of the waterfall in the first line.
fn csv(folder: &Path, rows: &Array2<f32>, why: &Explanation, output: usize, row: usize) -> Done {
    let mut text = format!("{},{row}\n{}\n", why.base()[output], COLUMNS.join(","));
    for i in 0..rows.nrows() {
        let values = rows.row(i).iter().map(|value| value.to_string()).collect::<Vec<_>>();
        let pushes = (0..COLUMNS.len()).map(|f| why.values()[[i, f, output]].to_string()).collect::<Vec<_>>();
        let _ = writeln!(text, "{},{}", values.join(","), pushes.join(","));
    }
    Ok(std::fs::write(folder.join("attributions.csv"), text)?)
}
