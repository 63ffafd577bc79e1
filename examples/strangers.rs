//! Rows that belong to no cluster: a surrogate that knows the digits 0 to 7 meets eights, nines and noise.
//!
//! `cargo run --release --example strangers` takes the built-in digits; with the names of two IDX files (images, labels),
//! such as MNIST's, and a number of rows, those. Half of the rows of known digits are fitted, the others are new.

use ndarray::{Array2, Axis};
use recluster::explain::{Abstain, Surrogate};
use recluster::{Run, boost::Boost, data::digits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (images, labels) = match &args[..] {
        [images, labels, rows] => idx(images, labels, rows.parse()?)?,
        _ => (digits().images, digits().labels),
    };
    let run = Run::new();
    let of = |wanted: &dyn Fn(usize) -> bool| (0..labels.len()).filter(|&i| wanted(i)).collect::<Vec<usize>>();
    let known = of(&|i| labels[i] < 8);
    let (fitted, new) = known.split_at(known.len() / 2);
    let new = images.select(Axis(0), new);
    let strangers = images.select(Axis(0), &of(&|i| labels[i] >= 8));
    let most = images.iter().fold(0.0f32, |most, &x| most.max(x));
    let draw = |i: usize| ((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 24) as f32;
    let uniform = Array2::from_shape_fn((500, images.ncols()), |(i, j)| (most * draw(i * images.ncols() + j)).round());
    let mut permuted = new.select(Axis(0), &(0..500.min(new.nrows())).collect::<Vec<_>>());
    for (i, mut row) in permuted.rows_mut().into_iter().enumerate() {
        for j in (1..row.len()).rev() {
            row.swap(j, (draw(i * 7919 + j * 31 + 5) * (j + 1) as f32) as usize);
        }
    }

    let classes = (0..8).map(|digit| digit.to_string()).collect();
    let own: Vec<i32> = fitted.iter().map(|&i| labels[i]).collect();
    let boost = Boost::new().rounds(60).guard_rows(0.25);
    let surrogate = Surrogate::fit(&images.select(Axis(0), fitted), &own, classes, &boost, &run)?;
    let turned_away = |rows: &Array2<f32>| -> recluster::Result<f64> {
        let decided = surrogate.decide(rows, Abstain::Share(0.05), &run)?;
        Ok(share(&decided, |decision| decision.abstained))
    };
    let truth: Vec<i32> = known[fitted.len()..].iter().map(|&i| labels[i]).collect();
    let decided = surrogate.assign(&new, &run)?;
    let right = decided.iter().zip(&truth).filter(|(to, digit)| to.class as i32 == **digit).count();
    println!(
        "{} rows fitted; right on {:.4} of {} new ones",
        fitted.len(),
        right as f64 / truth.len() as f64,
        truth.len()
    );
    println!("turned away, where one in twenty of the known rows may be:");
    for (name, rows) in [
        ("known digits", &new),
        ("eights, nines", &strangers),
        ("uniform noise", &uniform),
        ("permuted pixels", &permuted),
    ] {
        println!("{name:<16} {:.3}", turned_away(rows)?);
    }
    // The same by the highest one-versus-rest probability of a model that no row without a class was shown.
    let plain = Boost::new().rounds(60).fit(&images.select(Axis(0), fitted), &own, &run)?;
    let best = |rows: &Array2<f32>| -> recluster::Result<Vec<f64>> {
        let margins = plain.margins(rows, &run)?;
        Ok(margins.outer_iter().map(|row| row.iter().fold(f64::NEG_INFINITY, |best, &x| best.max(x))).collect())
    };
    let mut of_known = best(&new)?;
    of_known.sort_by(f64::total_cmp);
    let threshold = of_known[of_known.len() / 20];
    println!("by the highest probability of a plain model, at exactly one in twenty:");
    for (name, rows) in [("eights, nines", &strangers), ("uniform noise", &uniform), ("permuted pixels", &permuted)] {
        println!("{name:<16} {:.3}", share(&best(rows)?, |&p| p < threshold));
    }
    Ok(())
}

fn share<T>(all: &[T], which: impl Fn(&T) -> bool) -> f64 {
    all.iter().filter(|one| which(one)).count() as f64 / all.len() as f64
}

type Labelled = (Array2<f32>, Vec<i32>);

/// The first rows of two uncompressed IDX files.
fn idx(images: &str, labels: &str, rows: usize) -> Result<Labelled, Box<dyn std::error::Error>> {
    let (images, labels) = (std::fs::read(images)?, std::fs::read(labels)?);
    let size = |place: usize| usize::from(images[place]) << 8 | usize::from(images[place + 1]);
    let pixels = size(10) * size(14);
    let rows = rows.min(labels.len() - 8);
    let values = images[16..16 + rows * pixels].iter().map(|&pixel| f32::from(pixel)).collect();
    Ok((
        Array2::from_shape_vec((rows, pixels), values)?,
        labels[8..8 + rows].iter().map(|&label| label.into()).collect(),
    ))
}
