//! A plan at work on a table: from the whole of it, or from a tree that is there.

use super::grow::{Growth, Sink};
use super::plan::{AnyAlgorithms, Plan};
use super::repeats::Repeats;
use super::weights::{self, Weights};
use super::{ClusterTree, Node, NodeInfo, Path, SecondLook};
use crate::core::{AnyRows, AnyTable};
use crate::{Error, Result, Run};

/// A plan whose algorithms may be of any type.
#[derive(Clone, Copy)]
pub(super) struct Fitting<'a> {
    pub(super) algorithms: &'a dyn AnyAlgorithms,
    pub(super) plan: &'a Plan,
}

impl Fitting<'_> {
    pub(super) fn begin(
        &self,
        data: AnyTable<'_>,
        weights: Option<&[f64]>,
        sink: Sink<'_>,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.check()?;
        let (n, _) = data.dim();
        let info = NodeInfo { path: Path::root(), rows: n, parent_rows: n, total_rows: n };
        let mut root = Node::open(info.clone(), (0..n as u32).collect(), vec![1.0; n], None);
        self.with_rows(data, &info, |rows| {
            let weights = weights.map(|weights| Weights::new(weights, n)).transpose()?;
            root.weight = weights.map(|_| 1.0);
            self.grow(vec![root], None, data, rows, weights, sink, run)
        })
    }

    pub(super) fn resume(
        &self,
        tree: ClusterTree,
        data: AnyTable<'_>,
        weights: Option<&[f64]>,
        sink: Sink<'_>,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.door(&tree, data, run)?;
        self.with_rows(data, &tree.root().info(), |rows| {
            let weights = weights.map(|weights| Weights::new(weights, rows.len())).transpose()?;
            weights::check_same(&tree, weights.as_ref())?;
            self.grow(tree.nodes, None, data, rows, weights, sink, run)
        })
    }

    /// Checks that the rows that a tree goes on with are its own.
    pub(super) fn door(&self, tree: &ClusterTree, data: AnyTable<'_>, run: &Run) -> Result<()> {
        self.check()?;
        let (rows, columns) = data.dim();
        for (what, expected, found) in
            [("rows of the data", tree.rows(), rows), ("columns of the data", tree.columns(), columns)]
        {
            if expected != found {
                return Err(Error::Shape { what, expected, found });
            }
        }
        if tree.seed() != run.seed_value() {
            return Err(Error::setting("seed", run.seed_value(), "must be the seed of the tree"));
        }
        Ok(())
    }

    /// What `work` makes of the rows, which may have missing values if the root's embedder takes them.
    pub(super) fn with_rows<T>(
        &self,
        data: AnyTable<'_>,
        root: &NodeInfo,
        work: impl FnOnce(AnyRows<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.algorithms.embedder(root).takes_missing() {
            true => data.with_missing(work),
            false => data.checked(work),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        self.plan.limits.check()?;
        [&self.plan.consensus, &self.plan.stability].into_iter().flatten().try_for_each(Repeats::check)?;
        let Plan { min_stability, consensus, stability, .. } = self.plan;
        if !(0.0..=1.0).contains(min_stability) {
            return Err(Error::setting("min_stability", *min_stability, "must be in 0 to 1"));
        }
        if *min_stability > 0.0 && consensus.is_none() && stability.is_none() {
            return Err(Error::setting("min_stability", *min_stability, "needs runs of `stability` or `consensus`"));
        }
        self.plan.second_look.as_ref().map_or(Ok(()), SecondLook::check)?;
        self.plan.judge.as_ref().map_or(Ok(()), |judge| judge.check())
    }

    /// Works on the nodes that are to be worked on, or on one alone whatever the limits.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn grow(
        &self,
        nodes: Vec<Node>,
        only: Option<Path>,
        data: AnyTable<'_>,
        rows: AnyRows<'_>,
        weights: Option<Weights<'_>>,
        sink: Sink<'_>,
        run: &Run,
    ) -> Result<ClusterTree> {
        let mut nodes =
            Growth::new((self.algorithms, self.plan), data, rows, weights, sink, run).only(only).finish(nodes)?;
        nodes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(ClusterTree { nodes, columns: rows.columns(), seed: run.seed_value() })
    }
}
