//! A node's step, repeated: under other seeds, on subsamples, with other settings.

use super::step::Procedure;
#[cfg(feature = "serde")]
use crate::Settings;
use crate::cluster::{ABSENT, Consensus};
use crate::core::random::Stream;
use crate::core::{AnyTable, parallel};
use crate::{Clusterer, Clustering, Embedder, Error, Prepared, Result, Run};
use std::sync::Arc;

const PURPOSE: u64 = 0x7265_7065;

/// How often a node's step is repeated, and on what; for [`RecursiveTree::consensus`](super::RecursiveTree::consensus) and
/// [`RecursiveTree::stability`](super::RecursiveTree::stability). A number of runs will do: `plan.consensus(10)`.
///
/// ```
/// use recluster::cluster::{Hdbscan, KMeans};
/// use recluster::embed::Umap;
/// use recluster::recursive::{RecursiveTree, Repeats};
/// // Of 12 runs six with 15 neighbours, three with 30, three with k-means instead, each on 90 % of the rows.
/// let own = || (Umap::new(), Hdbscan::new());
/// let repeats = Repeats::new(12)
///     .share(0.9)
///     .also(Umap::new().n_neighbors(30), Hdbscan::new())
///     .also(own().0, own().1)
///     .also(Umap::new(), KMeans::new(5));
/// let plan = RecursiveTree::new(own().0, own().1).consensus(repeats);
/// # let _ = plan;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Repeats {
    runs: usize,
    share: Option<f64>,
    most_rows: usize,
    others: Vec<(Arc<dyn Embedder>, Arc<dyn Clusterer>)>,
}

impl From<usize> for Repeats {
    fn from(runs: usize) -> Self {
        Repeats::new(runs)
    }
}

impl std::fmt::Debug for Repeats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let others: Vec<String> = self.others.iter().map(|(e, c)| format!("{}, {}", e.name(), c.name())).collect();
        let mut repeats = f.debug_struct("Repeats");
        repeats.field("runs", &self.runs).field("share", &self.share).field("most_rows", &self.most_rows);
        repeats.field("others", &others).finish()
    }
}

impl Repeats {
    /// So many runs of the node's own embedder and clusterer, at least 1.
    pub fn new(runs: usize) -> Self {
        Repeats { runs, share: None, most_rows: usize::MAX, others: Vec::new() }
    }

    /// Sets the share of the node's rows that each run is given, drawn without replacement; above 0 and at most 1. Default:
    /// all of them for a consensus, 0.8 for stability. Settings that count rows are scaled to it: see
    /// [`Clusterer::for_sample`].
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    /// Sets that nodes of more rows than this are not repeated; default: all nodes are.
    pub fn most_rows(mut self, rows: usize) -> Self {
        self.most_rows = rows;
        self
    }

    /// Adds another embedder and clusterer, such as the same with other settings: the node's own and those added take turns.
    pub fn also(mut self, embedder: impl Embedder + 'static, clusterer: impl Clusterer + 'static) -> Self {
        self.others.push((Arc::new(embedder), Arc::new(clusterer)));
        self
    }

    /// What a checkpoint compares.
    #[cfg(feature = "serde")]
    pub(super) fn settings(&self) -> Settings {
        let Repeats { runs, share, most_rows, others } = self;
        let settings = Settings::new("Repeats").with("runs", *runs).with("share", *share).with("most_rows", *most_rows);
        others.iter().enumerate().fold(settings, |settings, (i, (embedder, clusterer))| {
            settings
                .with(format!("embedder {i}"), embedder.settings())
                .with(format!("clusterer {i}"), clusterer.settings())
        })
    }

    /// Whether a node of so many rows is repeated.
    pub(super) fn repeats(&self, rows: usize) -> bool {
        rows <= self.most_rows
    }

    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    pub(super) fn share_or(&self, usual: f64) -> f64 {
        self.share.unwrap_or(usual)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.runs == 0 {
            return Err(Error::setting("runs", 0, "must be at least 1"));
        }
        match self.share {
            Some(share) if !(share > 0.0 && share <= 1.0) => {
                Err(Error::setting("share", share, "must be above 0 and at most 1"))
            }
            _ => Ok(()),
        }
    }

    /// The embedders added, made ready for a node's rows.
    pub(super) fn ready<'a>(&'a self, rows: &'a AnyTable<'a>, run: &Run) -> Result<Vec<Box<dyn Prepared + 'a>>> {
        self.others.iter().map(|(embedder, _)| rows.ready(&**embedder, run)).collect()
    }

    /// What the runs agree on, with the labels that each gives to the node's rows; the first has been `found`.
    pub(super) fn agreed<'a>(
        &'a self,
        own: Procedure<'a>,
        ready: &'a [Box<dyn Prepared + 'a>],
        found: Clustering,
        run: &Run,
    ) -> Result<(Clustering, Vec<Vec<i32>>)> {
        let all: Vec<u32> = (0..own.rows as u32).collect();
        let runs = self.labels(self.turns(own, ready), &all, self.share_or(1.0), Some(&found), run)?;
        Ok((Consensus::new().of(&runs)?, runs))
    }

    /// The node's procedure and those added, which take turns.
    pub(super) fn turns<'a>(
        &'a self,
        own: Procedure<'a>,
        ready: &'a [Box<dyn Prepared + 'a>],
    ) -> impl Fn(usize) -> Procedure<'a> {
        move |turn| match turn % (1 + self.others.len()) {
            0 => own,
            other => {
                let (embedder, clusterer) = &self.others[other - 1];
                Procedure { embedder, prepared: &*ready[other - 1], clusterer, ..own }
            }
        }
    }

    /// The labels that each run gives to the rows of `part`: -2 for a row that it was not given. A run that had too few
    /// rows found nothing but noise; one that finds a single cluster leaves them whole.
    ///
    /// With `first`, the clusters of the node's own step, as the first run.
    pub(super) fn labels<'a>(
        &self,
        turn: impl Fn(usize) -> Procedure<'a> + Sync + Send,
        part: &[u32],
        share: f64,
        first: Option<&Clustering>,
        run: &Run,
    ) -> Result<Vec<Vec<i32>>> {
        let stage = run.stage("repeats", self.runs);
        let draws = Stream::new(run.key(), PURPOSE);
        let from = usize::from(first.is_some());
        let labels = parallel::map(self.runs - from, |i| {
            let number = i + from;
            let drawn = drawn(part.len(), share, draws.of(number as u64));
            let rows: Vec<u32> = drawn.iter().map(|&place| part[place as usize]).collect();
            let mut labels = vec![ABSENT; part.len()];
            match turn(number).once(&rows, &run.at(&format!("run {number}"))) {
                Ok(step) => {
                    drawn.iter().zip(split_or_whole(&step.clustering)).for_each(|(&place, label)| {
                        labels[place as usize] = label;
                    });
                }
                Err(Error::TooFewRows { .. }) => {
                    drawn.iter().for_each(|&place| labels[place as usize] = crate::NOISE);
                }
                Err(error) => return Err(error),
            }
            stage.advance()?;
            Ok(labels)
        });
        first.map(|first| Ok(split_or_whole(first))).into_iter().chain(labels).collect()
    }
}

/// A run's labels. One that finds a single cluster leaves the rows whole, as a node without a consensus would be: which of them
/// it calls noise says nothing.
fn split_or_whole(found: &Clustering) -> Vec<i32> {
    if found.clusters() == 1 { vec![0; found.labels().len()] } else { found.labels().to_vec() }
}

/// A share of `rows` places, ascending, at least one of them.
fn drawn(rows: usize, share: f64, draws: Stream) -> Vec<u32> {
    let mut places: Vec<u32> = (0..rows as u32).collect();
    let wanted = ((share * rows as f64).round() as usize).max(1);
    if wanted < rows {
        places.sort_unstable_by_key(|&place| (draws.bits(place.into()), place));
        places.truncate(wanted);
        places.sort_unstable();
    }
    places
}
