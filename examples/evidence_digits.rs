//! Evidence on handwriting: are two digits called separated where their true labels are siblings, and what becomes of one
//! digit alone? On the built-in digits, or on the first rows of MNIST:
//!
//! ```sh
//! cargo run --release --example evidence_digits
//! cargo run --release --example evidence_digits -- MNIST_FOLDER 10000
//! ```

#[path = "help/mnist.rs"]
mod files;

use ndarray::{Array2, ArrayRef2, ArrayView2, Axis, concatenate, s};
use recluster::cluster::Hdbscan;
use recluster::embed::Umap;
use recluster::evidence::{HeldOut, Policy};
use recluster::recursive::{Grade, RecursiveTree};
use recluster::{Clusterer, Clustering, Embedded, Embedder, Prepared, Result, Run, Size};
use std::borrow::Cow;
use std::path::Path;

/// Rows of each digit.
const MOST: usize = 1_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (rows, labels) = match &arguments[..] {
        [folder, most] => files::read_mnist(Path::new(folder), most.parse().unwrap_or(10_000))?,
        _ => {
            let digits = recluster::data::digits();
            (digits.images, digits.labels)
        }
    };
    let of = |digit: i32| -> Vec<usize> { (0..labels.len()).filter(|&i| labels[i] == digit).take(MOST).collect() };

    // The last column holds the label, which stands in for an embedding and a clustering.
    let mut separated = 0;
    for (a, b) in (0..10).flat_map(|a| (a + 1..10).map(move |b| (a, b))) {
        let both: Vec<usize> = of(a).into_iter().chain(of(b)).collect();
        let answer = Array2::from_shape_fn((both.len(), 1), |(i, _)| labels[both[i]] as f32);
        let table = concatenate![Axis(1), rows.select(Axis(0), &both), answer];
        let tree =
            RecursiveTree::new(LastColumn, LastColumn).levels(1).judge(HeldOut::new()).fit(&table, &Run::new())?;
        let found = &tree.root().split().map_or(&[][..], |split| split.separations())[0];
        match found.grade {
            Grade::Separated => separated += 1,
            grade => println!("{a} and {b}: {grade}, p = {:.3}", found.p_value),
        }
    }
    println!("{separated} of 45 pairs of digits are separated\n");

    println!("One digit alone, clusters found by ten seeds:");
    let clusters = || Hdbscan::new().min_cluster_size(Size::Share(0.05)).min_samples(10);
    for digit in 0..10 {
        let own = rows.select(Axis(0), &of(digit));
        let (mut proposed, mut kept, mut continua) = (Vec::new(), Vec::new(), 0);
        for seed in 0..10 {
            let plan = RecursiveTree::new(Umap::new().min_dist(0.0), clusters()).levels(1).consensus(10);
            let run = Run::new().seed(seed);
            let tree = plan.clone().judge(HeldOut::new()).fit(&own, &run)?;
            proposed.push(tree.root().split().map_or(1, |split| split.proposed().max(1)));
            kept.push(tree.leaves().count());
            let marked = plan.judge(HeldOut::new().policy(Policy::Mark)).fit(&own, &run)?;
            let separations = marked.root().split().map_or(&[][..], |split| split.separations());
            continua += separations.iter().filter(|found| found.grade == Grade::Continuum).count();
        }
        println!("{digit}: found {proposed:?}, kept {kept:?}; {continua} pairs called a continuum");
    }
    Ok(())
}

/// Knows the answer, and compares rows by all columns but it.
#[derive(Clone)]
struct LastColumn;

struct Known {
    rows: Array2<f32>,
    answer: Array2<f32>,
}

impl Embedder for LastColumn {
    fn embed(&self, rows: &ArrayRef2<f32>, _: &Run) -> Result<Array2<f32>> {
        Ok(rows.slice(s![.., -1..]).to_owned())
    }

    fn prepare<'a>(&'a self, rows: Cow<'a, ArrayRef2<f32>>, run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(Known { answer: self.embed(&rows, run)?, rows: rows.slice(s![.., ..-1]).to_owned() }))
    }
}

impl Prepared for Known {
    fn embed(&self, part: Option<&[u32]>, _: &Run) -> Result<Embedded> {
        let part: Option<Vec<usize>> = part.map(|part| part.iter().map(|&row| row as usize).collect());
        let embedding = part.map_or_else(|| self.answer.clone(), |part| self.answer.select(Axis(0), &part));
        Ok(Embedded { embedding, map: None, notes: Vec::new() })
    }

    fn rows(&self) -> ArrayView2<'_, f32> {
        self.rows.view()
    }
}

impl Clusterer for LastColumn {
    fn cluster(&self, rows: &ArrayRef2<f32>, _: &Run) -> Result<Clustering> {
        Clustering::compact(rows.column(0).iter().map(|&label| label as i32).collect())
    }
}
