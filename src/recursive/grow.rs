//! From open nodes to a whole tree.

use super::divide::{check_moves, stability};
use super::judge::{Judge, Move, Proposal, Verdict};
use super::limits::Limits;
use super::plan::{AnyAlgorithms, Plan};
use super::repeats::Repeats;
use super::step::Procedure;
use super::weights::Weights;
use super::{Node, NodeInfo, Path, Separation, Stability, StopReason, step};
use crate::core::{AnyRows, AnyTable, parallel, plugin};
use crate::{Clusterer, Clustering, Embedded, Embedder, Error, Result, Run, Size};

/// Receives each node as soon as it is finished, with its children, which are open yet.
pub(super) type Sink<'a> = &'a (dyn Fn(&Node, &[Node]) -> Result<()> + Sync);

/// A fit under way.
pub(super) struct Growth<'a> {
    algorithms: &'a dyn AnyAlgorithms,
    pub(super) plan: &'a Plan,
    pub(super) data: AnyTable<'a>,
    /// For each row its place in canonical order, so that no algorithm sees the order of the input.
    rank: Vec<u32>,
    pub(super) weights: Option<Weights<'a>>,
    sink: Sink<'a>,
    run: &'a Run,
    /// The one node to begin with, which no limit stops.
    only: Option<Path>,
}

/// What was found at a node, in canonical order; as far as it came.
#[derive(Default)]
pub(super) struct Found {
    pub(super) embedded: Option<Embedded>,
    pub(super) clustering: Option<Clustering>,
    /// The clusters of each child, who decided so, and why.
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) judge: Option<String>,
    pub(super) reason: String,
    pub(super) separations: Vec<Separation>,
    /// Rows that the judge put into other groups than their clusters'.
    pub(super) moves: Vec<Move>,
    /// Of each group, where the step was repeated.
    pub(super) stability: Vec<Option<Stability>>,
    /// Runs that the clustering is the consensus of.
    pub(super) runs: Option<usize>,
    pub(super) stop_reason: Option<StopReason>,
    /// What the node's notes say beside the embedder's.
    pub(super) note: Option<String>,
}

impl<'a> Growth<'a> {
    pub(super) fn new(
        (algorithms, plan): (&'a dyn AnyAlgorithms, &'a Plan),
        data: AnyTable<'a>,
        rows: AnyRows<'_>,
        weights: Option<Weights<'a>>,
        sink: Sink<'a>,
        run: &'a Run,
    ) -> Self {
        let mut canonical = rows.canonical();
        if let Some(weights) = &weights {
            canonical.order_equal_rows(weights.all);
        }
        let mut rank = vec![0; rows.len()];
        for (&row, place) in canonical.order.iter().zip(0..) {
            rank[row as usize] = place;
        }
        Growth { algorithms, plan, data, rank, weights, sink, run, only: None }
    }

    /// Begins with this node alone, whatever the limits.
    pub(super) fn only(self, only: Option<Path>) -> Self {
        Growth { only, ..self }
    }

    /// Works on the nodes that are open or that another plan's limits had stopped, and on what comes out of them, level
    /// by level. The nodes of a level are independent and run side by side.
    pub(super) fn finish(&self, nodes: Vec<Node>) -> Result<Vec<Node>> {
        let workable = |node: &Node| match &self.only {
            Some(only) => node.path == *only,
            None => node.is_leaf() && node.stop_reason.as_ref().is_none_or(StopReason::is_limit),
        };
        let (mut level, mut done): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(workable);
        while !level.is_empty() {
            let worked = self.run.install(|| parallel::map(level.len(), |i| self.work(&level[i])))?;
            level = Vec::new();
            for worked in worked {
                let (node, children) = worked?;
                done.push(node);
                level.extend(children);
            }
        }
        Ok(done)
    }

    /// The finished node and its open children.
    fn work(&self, node: &Node) -> Result<(Node, Vec<Node>)> {
        let info = node.info();
        let mut node = node.clone();
        node.stop_reason = self.plan.limits.reached(&info).filter(|_| self.only.as_ref() != Some(&node.path));
        let mut children = Vec::new();
        if node.stop_reason.is_none() {
            let (embedder, clusterer) = (self.algorithms.embedder(&info), self.algorithms.clusterer(&info));
            (node.embedder, node.clusterer) = (Some(embedder.settings()), Some(clusterer.settings()));
            children = self.explore(&mut node, &info, &info.path.to_string(), &*embedder, &*clusterer)?;
            if self.plan.limits.noise_again && !children.is_empty() {
                self.again(&mut node, &mut children, &*embedder, &*clusterer)?;
            }
        }
        if children.is_empty() && self.plan.second_look.is_some() {
            children = self.look_twice(&mut node, &info, &*self.algorithms.embedder(&info))?;
        }
        (self.sink)(&node, &children)?;
        Ok((node, children))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.plan.limits
    }

    /// Looks into the rows of a node, and gives its children.
    pub(super) fn explore(
        &self,
        node: &mut Node,
        info: &NodeInfo,
        scope: &str,
        embedder: &dyn Embedder,
        clusterer: &dyn Clusterer,
    ) -> Result<Vec<Node>> {
        let mut found = Found::default();
        let work = |numbers: &[u32], run: &Run| {
            found = self.look(info, numbers, embedder, clusterer, run)?;
            Ok(())
        };
        let place = self.in_canonical_order(node, scope, work)?;
        Ok(node.take(found, &place, self.weights.as_ref()))
    }

    /// Works on a node's rows in canonical order, under a run of the scope; gives the place of each row in that order.
    pub(super) fn in_canonical_order(
        &self,
        node: &Node,
        scope: &str,
        work: impl FnOnce(&[u32], &Run) -> Result<()>,
    ) -> Result<Vec<usize>> {
        // Place i in canonical order is that of row `order[i]` of the node.
        let mut order: Vec<usize> = (0..node.rows.len()).collect();
        order.sort_unstable_by_key(|&i| self.rank[node.rows[i] as usize]);
        let numbers: Vec<u32> = order.iter().map(|&i| node.rows[i]).collect();
        work(&numbers, &self.run.at(scope)).map_err(|error| {
            let error = error.of_part(&numbers);
            // At the root it is plain where it happened.
            if scope == "0" { error } else { error.within(|| format!("node {scope}")) }
        })?;
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, &i)| place[i] = at);
        Ok(place)
    }

    /// Embeds, clusters and judges the rows of a node.
    fn look(
        &self,
        node: &NodeInfo,
        numbers: &[u32],
        embedder: &dyn Embedder,
        clusterer: &dyn Clusterer,
        run: &Run,
    ) -> Result<Found> {
        let mut found = Found::default();
        let own = self.data.gather(numbers)?;
        let table = own.lent();
        let weights = self.weights.map(|weights| weights.of(numbers));
        let weights = weights.as_deref();
        if self.plan.is_single(numbers.len()) {
            let embed = step::embed(embedder, numbers.len(), run, || table.embedded(embedder, run));
            // Only a judge and repeats need the rows any longer.
            drop(own);
            self.cluster(node, embed, clusterer, weights, run, &mut found)?;
            found.clustering = found.clustering.take().map(|clustering| found.propose(clustering, self.limits().child));
            return Ok(found);
        }
        let mut ready = None;
        let embed =
            step::embed(embedder, numbers.len(), run, || ready.insert(table.ready(embedder, run)?).embed(None, run));
        self.cluster(node, embed, clusterer, weights, run, &mut found)?;
        let (Some(prepared), Some(clustering)) = (&ready, found.clustering.take()) else { return Ok(found) };
        let Some(embedded) = found.embedded.take() else { return Ok(found) };
        let once = Procedure { embedder, prepared: &**prepared, clusterer, rows: numbers.len(), weights };
        let repeats = self.plan.consensus_of(numbers.len());
        let others = repeats.map(|repeats| repeats.ready(&table, run)).transpose();
        let Some(others) = self.unless_too_few(node, others, &mut found)? else {
            found.embedded = Some(embedded);
            return Ok(found);
        };
        let (clustering, mut runs) = match repeats.zip(others.as_deref()) {
            Some((repeats, others)) => repeats.agreed(once, others, clustering, run)?,
            None => (clustering, Vec::new()),
        };
        let clustering = found.propose(clustering, self.limits().child);
        let mut again = None;
        if found.stop_reason.is_none() && self.plan.min_stability > 0.0 && node.level() > 1 {
            let runs = self.runs_again(once, std::mem::take(&mut runs), &table, run);
            again = self.unless_too_few(node, runs, &mut found)?;
            if let Some((runs, share)) = &again {
                found.require_stable(&clustering, runs, *share, self.plan.min_stability);
            }
        }
        if let (Some(judge), None) = (self.plan.judge.as_deref(), &found.stop_reason) {
            let prepared = once.prepared;
            let dense = prepared.rows();
            let rows = match table {
                AnyTable::Dense(rows) => rows,
                AnyTable::Sparse(_) => &dense,
            };
            let (embedded, clustering) = (&embedded, &clustering);
            let proposal =
                Proposal { node, rows, numbers, weights, embedder, prepared, clusterer, embedded, clustering };
            let verdict = judged(judge, &proposal, &run.at("judge"));
            if let Some(verdict) = self.unless_too_few(node, verdict, &mut found)? {
                found.heed(judge, verdict, clustering)?;
            }
        }
        if found.stop_reason.is_none() {
            if again.is_none() {
                let runs = self.runs_again(once, runs, &table, run);
                again = self.unless_too_few(node, runs, &mut found)?;
            }
            if let Some((runs, share)) = again {
                found.stability = stability(&found.groups, &clustering, &runs, share);
            }
        }
        found.runs = repeats.map(Repeats::runs);
        (found.embedded, found.clustering) = (Some(embedded), Some(clustering));
        Ok(found)
    }

    /// The runs that say how stable clusters are, repeats of their own or else those of the consensus, and the share of the
    /// rows that each was given.
    fn runs_again(
        &self,
        once: Procedure<'_>,
        of_consensus: Vec<Vec<i32>>,
        rows: &AnyTable<'_>,
        run: &Run,
    ) -> Result<(Vec<Vec<i32>>, f64)> {
        let Some(repeats) = self.plan.stability_of(once.rows) else {
            let share = self.plan.consensus_of(once.rows).map_or(1.0, |repeats| repeats.share_or(1.0));
            return Ok((of_consensus, share));
        };
        let all: Vec<u32> = (0..once.rows as u32).collect();
        let (share, run) = (repeats.share_or(0.8), run.at("stability"));
        let ready = repeats.ready(rows, &run)?;
        Ok((repeats.labels(repeats.turns(once, &ready), &all, share, None, &run)?, share))
    }

    /// Clusters what was embedded.
    fn cluster(
        &self,
        node: &NodeInfo,
        embedded: Result<Embedded>,
        clusterer: &dyn Clusterer,
        weights: Option<&[f64]>,
        run: &Run,
        found: &mut Found,
    ) -> Result<()> {
        let Some(embedded) = self.unless_too_few(node, embedded, found)? else { return Ok(()) };
        let clustering = step::cluster(clusterer, &embedded.embedding, weights, run);
        found.embedded = Some(embedded);
        let Some(clustering) = self.unless_too_few(node, clustering, found)? else { return Ok(()) };
        found.clustering = Some(clustering);
        Ok(())
    }

    /// Too few rows for a method stop a node, but at the root they are an error.
    fn unless_too_few<T>(&self, node: &NodeInfo, result: Result<T>, found: &mut Found) -> Result<Option<T>> {
        match result {
            Err(Error::TooFewRows { needed, rows, .. }) if node.level() > 1 => {
                found.stop_reason = Some(StopReason::TooFewRows { rows, needed });
                Ok(None)
            }
            other => other.map(Some),
        }
    }
}

pub(super) fn judged(judge: &dyn Judge, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
    let _stage = run.stage("judge", 1);
    plugin::call("judge", || judge.name(), || judge.judge(proposal, run))
}

impl Found {
    /// Each cluster that is large enough is to be a child, unless there is one alone. Gives the clustering of these.
    pub(super) fn propose(&mut self, clustering: Clustering, least: Size) -> Clustering {
        let (found, least) = (clustering.clusters(), least.of(clustering.labels().len()));
        let clustering = clustering.without_small(least);
        let clusters = clustering.clusters();
        let small = found - clusters;
        let what = if small == 1 { "1 cluster" } else { &format!("{small} clusters") };
        self.note = (small > 0).then(|| format!("{what} of fewer than {least} rows became noise"));
        self.groups = (0..clusters).map(|cluster| vec![cluster]).collect();
        self.stop_reason = (clusters < 2).then_some(StopReason::OneCluster { clusters });
        clustering
    }

    /// Refuses the split where the mean stability of its clusters, weighted by their rows, is below `least`, unless there are no
    /// runs to tell. Before a judge joins any of them.
    pub(super) fn require_stable(&mut self, clustering: &Clustering, runs: &[Vec<i32>], share: f64, least: f64) {
        let stability = stability(&self.groups, clustering, runs, share);
        let sizes = clustering.sizes();
        let known = || stability.iter().zip(&sizes).filter_map(|(known, &size)| Some((known.as_ref()?, size as f64)));
        let rows: f64 = known().map(|(_, size)| size).sum();
        let mean = known().map(|(stability, size)| stability.jaccard * size).sum::<f64>() / rows;
        if rows > 0.0 && mean < least {
            self.reason = format!(
                "its {} clusters change from run to run (mean Jaccard index {mean:.2} over {} runs, {least} required)",
                sizes.len(),
                runs.len()
            );
            self.stop_reason = Some(StopReason::Refused { why: self.reason.clone() });
            self.groups.clear();
        }
    }

    /// Does as the judge says.
    pub(super) fn heed(&mut self, judge: &dyn Judge, verdict: Verdict, clustering: &Clustering) -> Result<()> {
        self.groups = verdict.groups(self.groups.len(), judge)?;
        check_moves(&verdict.moves, clustering, &self.groups).map_err(|reason| Error::Contract {
            room: "judge",
            name: judge.name(),
            reason,
            row: None,
        })?;
        self.moves = verdict.moves;
        if self.groups.len() < 2 {
            self.stop_reason = Some(StopReason::Refused { why: verdict.reason.clone() });
        }
        (self.judge, self.reason) = (Some(judge.name()), verdict.reason);
        self.separations = verdict.separations;
        Ok(())
    }
}
