//! What each cluster is, in words: rules, how well models tell it, and what tells it from another cluster.
//!
//! The clusters are known classes here, so that only the explanations are judged: the built-in digits.
//! Run it with `cargo run --release --example understanding`.

use recluster::boost::Boost;
use recluster::data::digits;
use recluster::explain::{Differences, Fidelity, Rules, Surrogate};
use recluster::{Result, Run};

fn main() -> Result<()> {
    let digits = digits();
    let labels = &digits.labels;
    let names: Vec<String> = (0..10).map(|digit| format!("digit {digit}")).collect();
    let run = Run::new().seed(7);

    // One to three conditions a rule; precision and recall on a third of the rows that no rule saw.
    let pixel = |pixel: usize| format!("({}, {})", pixel % 8, pixel / 8);
    let rules = Rules::new().feature_names((0..64).map(pixel)).find(&digits.images, labels, &names, None, &run)?;
    for cluster in &rules {
        println!("{cluster}");
    }
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        (figures[(figures.len() - 1) / 2] + figures[figures.len() / 2]) / 2.0
    };
    println!(
        "\nMedian over clusters, held out: precision {:.3}, recall {:.3}",
        median(rules.iter().map(|cluster| cluster.precision).collect()),
        median(rules.iter().map(|cluster| cluster.recall).collect())
    );

    // A model's word on rows that it has not seen. That is no evidence that clusters are real.
    let boost = Boost::new().rounds(50).max_depth(4);
    let (surrogate, confidences) =
        Surrogate::fit_out_of_fold(&digits.images, labels, names.clone(), None, &boost, &run)?;
    let fidelity = Fidelity::of(&confidences, labels, &names, None)?;
    println!("\nFidelity: {:.3} of the rows are put in their own cluster", fidelity.accuracy);
    for cluster in &fidelity.clusters {
        println!("{cluster}");
    }

    // Two clusters, and one row.
    let compared = Differences::new(&surrogate, &digits.images, labels)?;
    if let Some(other) = compared.nearest(3, &run)? {
        let found = compared.between(3, other, &run)?;
        println!("\n{found}\nTypical: {:?}; borderline: {:?}", found.typical_here, found.borderline);
        let row = found.borderline[0] as usize;
        println!("{}", compared.why(&digits.images.slice(ndarray::s![row..=row, ..]), 3, other, &run)?[0]);
    }
    Ok(())
}
