//! The three kinds of plug-in under one type: calls, and comparison of answers.

use super::quiet;
use crate::{Clusterer, Clustering, Embedder, Error, Explainer, Explanation, NOISE, Result, Run};
use ndarray::{Array2, ArrayRef2};
use std::borrow::Cow;
use std::collections::HashMap;

type Outputs<'a> = Box<dyn Fn(&ArrayRef2<f32>) -> Result<Array2<f64>> + 'a>;

/// The plug-in under examination.
pub(super) enum Subject<'a> {
    Clusterer(&'a dyn Clusterer),
    Embedder(&'a dyn Embedder),
    Explainer(&'a dyn Explainer, Outputs<'a>),
}

pub(super) enum Answer {
    Clusters(Clustering),
    Positions(Array2<f32>),
    Values(Explanation),
}

/// The result of a call.
pub(super) enum Call {
    Answer(Answer),
    Error(Error),
    Panic(String),
}

impl Subject<'_> {
    pub(super) fn room(&self) -> &'static str {
        match self {
            Subject::Clusterer(_) => "clusterer",
            Subject::Embedder(_) => "embedder",
            Subject::Explainer(..) => "explainer",
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Subject::Clusterer(c) => c.name(),
            Subject::Embedder(e) => e.name(),
            Subject::Explainer(x, _) => x.name(),
        }
    }

    pub(super) fn call(&self, rows: &ArrayRef2<f32>, run: &Run) -> Call {
        caught(|| {
            Ok(match self {
                Subject::Clusterer(c) => Answer::Clusters(c.cluster(rows, run)?),
                Subject::Embedder(e) => Answer::Positions(e.embed(rows, run)?),
                Subject::Explainer(x, _) => Answer::Values(x.explain(rows, run)?),
            })
        })
    }

    /// The same by the methods that have a default, each with its name.
    pub(super) fn by_provided(&self, rows: &ArrayRef2<f32>, run: &Run) -> Vec<(&'static str, Call)> {
        match self {
            Subject::Clusterer(c) => {
                let sample = || c.for_sample(1.0).map_or_else(|| c.cluster(rows, run), |all| all.cluster(rows, run));
                let ones = vec![1.0; rows.nrows()];
                let weighted = || match c.cluster_weighted(rows, &ones, run) {
                    // To have no place for weights is no fault.
                    Err(Error::Setting { name: "weights", .. }) => c.cluster(rows, run),
                    answer => answer,
                };
                vec![
                    ("for_sample(1.0)", caught(|| Ok(Answer::Clusters(sample()?)))),
                    ("cluster_weighted with weights of 1", caught(|| Ok(Answer::Clusters(weighted()?)))),
                ]
            }
            Subject::Embedder(e) => {
                let prepared = || e.prepare(Cow::Borrowed(rows), run)?.embed(None, run);
                vec![
                    ("embed_in_full", caught(|| Ok(Answer::Positions(e.embed_in_full(rows, run)?.embedding)))),
                    ("prepare", caught(|| Ok(Answer::Positions(prepared()?.embedding)))),
                ]
            }
            Subject::Explainer(..) => Vec::new(),
        }
    }
}

fn caught(answer: impl FnOnce() -> Result<Answer>) -> Call {
    match quiet::caught(answer) {
        Ok(Ok(answer)) => Call::Answer(answer),
        Ok(Err(error)) => Call::Error(error),
        Err(message) => Call::Panic(message),
    }
}

impl Answer {
    pub(super) fn rows(&self) -> usize {
        match self {
            Answer::Clusters(c) => c.labels().len(),
            Answer::Positions(p) => p.nrows(),
            Answer::Values(v) => v.values().dim().0,
        }
    }

    /// The numbers of a row.
    fn row(&self, i: usize) -> Vec<f64> {
        match self {
            Answer::Clusters(c) => vec![f64::from(c.labels()[i]), f64::from(c.membership()[i])],
            Answer::Positions(p) => p.row(i).iter().map(|&x| f64::from(x)).collect(),
            Answer::Values(v) => v.values().index_axis(ndarray::Axis(0), i).iter().copied().collect(),
        }
    }

    /// The numbers that belong to no row.
    fn rest(&self) -> Vec<f64> {
        match self {
            Answer::Clusters(c) => c.persistence().unwrap_or_default().to_vec(),
            Answer::Positions(_) => Vec::new(),
            Answer::Values(v) => v.base().to_vec(),
        }
    }

    /// The first place at which a number is not finite.
    pub(super) fn not_finite(&self) -> Option<String> {
        for i in 0..self.rows() {
            if let Some(bad) = self.row(i).into_iter().find(|x| !x.is_finite()) {
                return Some(format!("{bad} for row {i}"));
            }
        }
        self.rest().into_iter().find(|x| !x.is_finite()).map(|bad| format!("{bad} among the base values"))
    }

    /// The first two equal rows of the table whose answers differ.
    pub(super) fn unequal_duplicates(&self, table: &ArrayRef2<f32>) -> Option<String> {
        let mut first: HashMap<Vec<u32>, usize> = HashMap::new();
        for (i, row) in table.rows().into_iter().enumerate() {
            let j = *first.entry(row.iter().map(|x| x.to_bits()).collect()).or_insert(i);
            if !equal(&self.row(i), &self.row(j)) {
                return Some(format!(
                    "rows {j} and {i} are equal, but got {} and {}",
                    self.describe(j),
                    self.describe(i)
                ));
            }
        }
        None
    }

    /// How `other`, whose row k is row `order[k]` here, differs; with `numbers`, clusters must keep their numbers.
    pub(super) fn differs(&self, other: &Answer, order: &[usize], numbers: bool) -> Option<String> {
        if self.rows() != other.rows() {
            return Some(format!("{} rows before, {} now", self.rows(), other.rows()));
        }
        let renamed = match (self, other) {
            (Answer::Clusters(a), Answer::Clusters(b)) if !numbers => match renaming(a, b, order) {
                Ok(renamed) => Some(renamed),
                Err(difference) => return Some(difference),
            },
            _ => None,
        };
        let mut differing = 0;
        let mut first = None;
        for (k, &i) in order.iter().enumerate() {
            let (a, mut b) = (self.row(i), other.row(k));
            if let Some(renamed) = &renamed {
                b[0] = renamed.get(&(b[0] as i32)).map_or(b[0], |&label| f64::from(label));
            }
            if !equal(&a, &b) {
                differing += 1;
                first = first.or(Some((i, k)));
            }
        }
        if let Some((i, k)) = first {
            return Some(format!(
                "row {i} got {} before and {} now; {differing} of {} rows differ",
                self.describe(i),
                other.describe(k),
                self.rows()
            ));
        }
        let (a, mut b) = (self.rest(), other.rest());
        if let (Some(renamed), true) = (&renamed, a.len() == b.len()) {
            let was = b.clone();
            for (&from, &to) in renamed.iter().filter(|(from, _)| (**from as usize) < was.len()) {
                b[to as usize] = was[from as usize];
            }
        }
        (!equal(&a, &b)).then(|| format!("{a:?} before and {b:?} now"))
    }

    fn describe(&self, i: usize) -> String {
        let numbers = self.row(i);
        match self {
            Answer::Clusters(_) => format!("label {} (membership {})", numbers[0], numbers[1]),
            Answer::Positions(_) => format!("{:?}", &numbers[..numbers.len().min(4)]),
            Answer::Values(_) => format!("attributions {:?}", &numbers[..numbers.len().min(4)]),
        }
    }
}

/// The renaming of b's labels to a's, if both have the same grouping.
fn renaming(a: &Clustering, b: &Clustering, order: &[usize]) -> std::result::Result<HashMap<i32, i32>, String> {
    let (mut to, mut back) = (HashMap::from([(NOISE, NOISE)]), HashMap::from([(NOISE, NOISE)]));
    for (k, &i) in order.iter().enumerate() {
        let (was, now) = (a.labels()[i], b.labels()[k]);
        if *to.entry(now).or_insert(was) != was || *back.entry(was).or_insert(now) != now {
            return Err(format!(
                "rows are grouped otherwise, not only numbered otherwise: row {i}, in cluster {was} before, is now \
                 with other rows in cluster {now} ({} clusters before, {} now)",
                a.clusters(),
                b.clusters()
            ));
        }
    }
    to.remove(&NOISE);
    Ok(to)
}

/// The same bits, with 0 equal to -0.
fn equal(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x + 0.0).to_bits() == (y + 0.0).to_bits())
}
