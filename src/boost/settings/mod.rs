//! The settings of boosted trees.

mod check;
mod choices;

pub use choices::{EvalMetric, Grow};

/// Settings of gradient-boosted trees, under XGBoost's names and defaults.
///
/// ```
/// use ndarray::array;
/// use recluster::{Run, boost::Boost};
///
/// let rows = array![[0.0f32, 1.0], [0.1, 3.0], [0.9, 2.0], [1.0, 1.5]];
/// let model = Boost::new().rounds(20).min_child_weight(0.0).fit(&rows, &[0, 0, 1, 1], &Run::new())?;
/// assert_eq!(model.labels(&rows, &Run::new())?, [0, 0, 1, 1]);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[must_use]
pub struct Boost {
    pub(super) rounds: usize,
    pub(super) learning_rate: f64,
    pub(super) max_depth: usize,
    pub(super) max_bins: usize,
    pub(super) lambda: f64,
    pub(super) alpha: f64,
    pub(super) gamma: f64,
    pub(super) min_child_weight: f64,
    pub(super) subsample: f64,
    pub(super) colsample_bytree: f64,
    pub(super) colsample_bylevel: f64,
    pub(super) colsample_bynode: f64,
    pub(super) scale_pos_weight: f64,
    pub(super) balanced: bool,
    pub(super) base_score: Option<f64>,
    pub(super) max_leaves: usize,
    pub(super) grow: Grow,
    pub(super) monotone: Vec<i8>,
    pub(super) categorical: Vec<usize>,
    pub(super) max_cat_to_onehot: usize,
    pub(super) max_cat_threshold: usize,
    pub(super) early_stopping: Option<usize>,
    pub(super) metric: EvalMetric,
    pub(super) held_out: f64,
    pub(super) calibrated: bool,
    pub(super) refit: usize,
    pub(super) shuffled_rows: f64,
    pub(crate) guard_rows: f64,
}

impl Default for Boost {
    fn default() -> Self {
        Boost::new()
    }
}

impl Boost {
    /// The defaults: 100 rounds of depth 6 at a learning rate of 0.3.
    pub fn new() -> Self {
        Boost {
            rounds: 100,
            learning_rate: 0.3,
            max_depth: 6,
            max_bins: 256,
            lambda: 1.0,
            alpha: 0.0,
            gamma: 0.0,
            min_child_weight: 1.0,
            subsample: 1.0,
            colsample_bytree: 1.0,
            colsample_bylevel: 1.0,
            colsample_bynode: 1.0,
            scale_pos_weight: 1.0,
            balanced: false,
            base_score: None,
            max_leaves: 0,
            grow: Grow::ByLevel,
            monotone: Vec::new(),
            categorical: Vec::new(),
            max_cat_to_onehot: 4,
            max_cat_threshold: 64,
            early_stopping: None,
            metric: EvalMetric::Loss,
            held_out: 0.2,
            calibrated: false,
            refit: 0,
            shuffled_rows: 0.0,
            guard_rows: 0.0,
        }
    }

    /// Trees for each output; at least 1, default 100.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// Factor on leaf values; above 0, at most 1; default 0.3.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Maximal depth of a tree; 1 to 64, default 6.
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }

    /// Bins of a column; 2 to 256, default 256. A column with missing values uses one of the 256 for these.
    pub fn max_bins(mut self, bins: usize) -> Self {
        self.max_bins = bins;
        self
    }

    /// L2 penalty on leaf values; at least 0, default 1.
    pub fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// L1 penalty on leaf values; at least 0, default 0.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Minimal gain of a split; at least 0, default 0.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }

    /// Minimal sum of second derivatives in a child; at least 0, default 1.
    pub fn min_child_weight(mut self, weight: f64) -> Self {
        self.min_child_weight = weight;
        self
    }

    /// Share of the rows that each tree uses, each row drawn independently; above 0, at most 1; default 1.
    pub fn subsample(mut self, share: f64) -> Self {
        self.subsample = share;
        self
    }

    /// Share of the columns that each tree uses, at least one; above 0, at most 1; default 1.
    pub fn colsample_bytree(mut self, share: f64) -> Self {
        self.colsample_bytree = share;
        self
    }

    /// Share of a tree's columns that each of its levels uses, at least one; above 0, at most 1; default 1.
    pub fn colsample_bylevel(mut self, share: f64) -> Self {
        self.colsample_bylevel = share;
        self
    }

    /// Share of a level's columns that each of its nodes uses, at least one; above 0, at most 1; default 1.
    pub fn colsample_bynode(mut self, share: f64) -> Self {
        self.colsample_bynode = share;
        self
    }

    /// Factor on the weights of a label's rows in that label's model; 1e-12 to 1e12, default 1: beyond this range one side
    /// would have no effect. Not for regression, where [`Boost::fit_regression`] refuses any other value.
    pub fn scale_pos_weight(mut self, weight: f64) -> Self {
        self.scale_pos_weight = weight;
        self
    }

    /// Prediction before any tree, the same for each output: a probability between 0 and 1, or for regression any number in the
    /// range of 32 bits.
    /// By default the weighted mean of the labels or targets.
    pub fn base_score(mut self, score: f64) -> Self {
        self.base_score = Some(score);
        self
    }

    /// Gives each label's own rows as much weight in its model as all others together: `scale_pos_weight` is then the
    /// others' weight over the label's, label by label, and must be left at 1. Not for regression. Default false.
    pub fn balanced(mut self, balanced: bool) -> Self {
        self.balanced = balanced;
        self
    }

    /// Maximal number of leaves of a tree; 0 for no limit but `max_depth`, else at least 2. Default 0. Queued nodes keep
    /// their histograms, so each output in training takes leaves x bins x 8 bytes of memory.
    pub fn max_leaves(mut self, leaves: usize) -> Self {
        self.max_leaves = leaves;
        self
    }

    /// Which node of a tree is split next; default [`Grow::ByLevel`].
    ///
    /// It matters only with `max_leaves`. Without it every accepted split is made down to `max_depth`, whatever the
    /// order, as with XGBoost's `lossguide` at `max_leaves` 0 (LightGBM, which always grows by loss, has a default
    /// limit of 31 leaves).
    pub fn grow(mut self, grow: Grow) -> Self {
        self.grow = grow;
        self
    }

    /// Monotone constraints: for each column 1 where predictions may only increase with its value, -1 where they may only
    /// decrease, 0 for no constraint, also for columns past the list's end. Default none. Missing values are not
    /// constrained. Not for categorical columns.
    ///
    /// A split whose children's values are in the wrong order is not made, and values below it stay on their side of the
    /// mean of the two.
    pub fn monotone(mut self, directions: &[i8]) -> Self {
        self.monotone = directions.to_vec();
        self
    }

    /// Categorical columns, counted from 0: their values are whole numbers from 0 to 2^24 - 1, at most 256 different
    /// ones (255 where some are missing). Default none.
    ///
    /// A split sends some categories right and all others, unseen ones included, left.
    pub fn categorical(mut self, columns: &[usize]) -> Self {
        self.categorical = columns.to_vec();
        self
    }

    /// A column of fewer categories than this is split one category against the rest; at least 1, default 4.
    pub fn max_cat_to_onehot(mut self, categories: usize) -> Self {
        self.max_cat_to_onehot = categories;
        self
    }

    /// Maximal number of categories on one side of a split; at least 1, default 64.
    pub fn max_cat_threshold(mut self, categories: usize) -> Self {
        self.max_cat_threshold = categories;
        self
    }

    /// Ends the training of an output when `rounds` consecutive trees have not improved it on held-out rows, and keeps the
    /// trees up to its best round. Each label stops on its own, with at least one tree. At least 1; default none.
    ///
    /// [`Boost::held_out`] sets how many rows are held out; no tree is trained on these. An output whose label no held-out
    /// row has is judged by log-loss, as in XGBoost; where no row can be held out, all rounds are trained. Both are reported
    /// by [`Run::note`](crate::Run::note).
    pub fn early_stopping(mut self, rounds: usize) -> Self {
        self.early_stopping = Some(rounds);
        self
    }

    /// The metric of early stopping; default [`EvalMetric::Loss`].
    pub fn metric(mut self, metric: EvalMetric) -> Self {
        self.metric = metric;
        self
    }

    /// Share of each label's rows that early stopping holds out; above 0, below 1; default 0.2. Drawn by content and seed:
    /// equal rows of one label are held out together, and never all rows of a label.
    pub fn held_out(mut self, share: f64) -> Self {
        self.held_out = share;
        self
    }

    /// Calibrates the margins of the model by cross-fitting. Not for regression. Default false.
    ///
    /// In three stratified folds, a model of as many trees as the final one is trained on two folds and gives the margins of
    /// the third; a [`Calibration`](super::Calibration) is fitted to these out-of-fold margins and applied to the leaves and
    /// base margins of the model of all rows. Folds end once there are 200 such rows a label on average: large tables take about
    /// twice the training time, small ones four times. With too few rows or labels the model is left as trained, which
    /// [`Run::note`](crate::Run::note) reports, and [`Calibration::rows`](super::Calibration::rows) is 0.
    pub fn calibrated(mut self, calibrated: bool) -> Self {
        self.calibrated = calibrated;
        self
    }

    /// Fits the leaf values of all trees again once they stand, in so many passes over the trees; 0 to 100, default 0 for values
    /// as in XGBoost.
    ///
    /// Boosting fits each tree given those before it. A pass goes over the trees in their order and moves each leaf value by
    /// the learning rate towards its optimum given all other trees (the fully corrective step of Johnson and Zhang, "Learning
    /// Nonlinear Functions Using Regularized Greedy Forest", 2014). The model keeps its size and comes closer to the
    /// training rows, as more rounds would bring it. With [`calibrated`](Boost::calibrated) this is the most passes: so many
    /// are made as gave the lowest log-loss out of fold, none where none lowers it. Not with monotone constraints.
    ///
    /// A pass takes O(rows x depth) for each tree, however many columns there are. The choice among numbers of passes keeps the
    /// margins of the held-out rows for each of them.
    pub fn refit(mut self, passes: usize) -> Self {
        self.refit = passes;
        self
    }

    /// Sets how many shuffled rows the surrogate of a clustering is trained against, as a share of the rows of each class;
    /// 0 to 100, default 0. Elsewhere it must be 0.
    ///
    /// A shuffled row has each column's value from a random row, so that nothing holds its columns together; it is a negative of
    /// every class (the synthetic class of unsupervised random forests, Breiman and Cutler). With a share of 0.25 a
    /// surrogate is less sure of rows unlike all of its classes, and [turns more of them
    /// away](crate::explain::Surrogate::decide). But it then also says how the columns of a class hang together, and not only
    /// what sets the class apart from others, so that its attributions explain the clusters less plainly.
    pub fn shuffled_rows(mut self, share: f64) -> Self {
        self.shuffled_rows = share;
        self
    }

    /// Gives the surrogate of a clustering a [`Guard`](crate::explain::Guard): a second model that only says which rows to turn
    /// away, trained against so many shuffled rows, as a share of the rows of each class, and as many mixed ones; 0 to 100,
    /// default 0 for no guard. Elsewhere it must be 0. With a share of 0.25 far more strangers are turned away, and the model
    /// that assigns and explains stays as it is.
    pub fn guard_rows(mut self, share: f64) -> Self {
        self.guard_rows = share;
        self
    }
}
