//! The settings of boosted trees.

mod check;
mod choices;

pub use choices::{Grow, Metric};

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
    pub(super) metric: Metric,
    pub(super) held_out: f64,
    pub(super) calibrated: bool,
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
            metric: Metric::Loss,
            held_out: 0.2,
            calibrated: false,
        }
    }

    /// Trees for each output; at least 1, default 100.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// What leaf values are multiplied by; above 0, at most 1; default 0.3.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Longest way from root to leaf; 1 to 64, default 6.
    pub fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }

    /// Bins of a column; 2 to 256, default 256. A column with missing values uses one of 256 for these.
    pub fn max_bins(mut self, bins: usize) -> Self {
        self.max_bins = bins;
        self
    }

    /// Quadratic penalty on leaf values; at least 0, default 1.
    pub fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// Absolute penalty on leaf values: G is pulled towards zero by it; at least 0, default 0.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Smallest gain that a split must have; at least 0, default 0.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }

    /// Smallest sum of second derivatives of a child; at least 0, default 1.
    pub fn min_child_weight(mut self, weight: f64) -> Self {
        self.min_child_weight = weight;
        self
    }

    /// Share of the rows that each tree sees, each row drawn on its own; above 0, at most 1; default 1.
    pub fn subsample(mut self, share: f64) -> Self {
        self.subsample = share;
        self
    }

    /// Share of the columns that each tree sees, at least one; above 0, at most 1; default 1.
    pub fn colsample_bytree(mut self, share: f64) -> Self {
        self.colsample_bytree = share;
        self
    }

    /// Share of a tree's columns that each of its levels sees, at least one; above 0, at most 1; default 1.
    pub fn colsample_bylevel(mut self, share: f64) -> Self {
        self.colsample_bylevel = share;
        self
    }

    /// Share of a level's columns that each of its nodes sees, at least one; above 0, at most 1; default 1.
    pub fn colsample_bynode(mut self, share: f64) -> Self {
        self.colsample_bynode = share;
        self
    }

    /// Weight of the rows that bear a label in that label's model; 1e-12 to 1e12, default 1: beyond, one side would have
    /// no say at all. Not for regression, where [`Boost::fit_regression`] refuses any other value.
    pub fn scale_pos_weight(mut self, weight: f64) -> Self {
        self.scale_pos_weight = weight;
        self
    }

    /// Prediction before any tree, the same for each output: a probability between 0 and 1, for regression any number.
    /// By default it is fitted: the weighted mean of the labels, or the mean of the targets.
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

    /// Most leaves of a tree; 0 for no limit but that of `max_depth`, else at least 2. Default 0. Open nodes keep their
    /// histograms, so each output under training takes memory of leaves x bins x 8 bytes.
    pub fn max_leaves(mut self, leaves: usize) -> Self {
        self.max_leaves = leaves;
        self
    }

    /// Which node of a tree is split next; default [`Grow::ByLevel`].
    ///
    /// Only a limit of leaves makes a difference. Without `max_leaves` every split that pays is made down to `max_depth`,
    /// in whatever order, as with XGBoost's `lossguide` at `max_leaves` 0 (LightGBM, which always grows by loss, has a
    /// limit of 31 leaves by default).
    pub fn grow(mut self, grow: Grow) -> Self {
        self.grow = grow;
        self
    }

    /// For each column 1 where predictions may only rise with its value, -1 where they may only fall, 0 where they are
    /// free; columns past the list's end are free. Default none. Missing values are not bound. Not for categories.
    ///
    /// A split whose children's values are in the wrong order is not made, and no value below it may cross their middle.
    pub fn monotone(mut self, directions: &[i8]) -> Self {
        self.monotone = directions.to_vec();
        self
    }

    /// Columns, counted from 0, that hold categories: whole numbers from 0 to 2^24 - 1, at most 256 different ones (255
    /// where some are missing). Default none.
    ///
    /// A split sends some categories right and all others, those that the training never saw among them, left.
    pub fn categorical(mut self, columns: &[usize]) -> Self {
        self.categorical = columns.to_vec();
        self
    }

    /// A column of fewer categories than this is split one category against all others; at least 1, default 4.
    pub fn max_cat_to_onehot(mut self, categories: usize) -> Self {
        self.max_cat_to_onehot = categories;
        self
    }

    /// Most categories that are tried on one side of a split; at least 1, default 64.
    pub fn max_cat_threshold(mut self, categories: usize) -> Self {
        self.max_cat_threshold = categories;
        self
    }

    /// Ends the training of an output when `rounds` trees in a row have not made it better on held-out rows, and keeps
    /// the trees up to its best round. Each label stops on its own, and has at least one tree. At least 1; default none.
    ///
    /// [`Boost::held_out`] says how many rows are held out; no tree sees these. Where no held-out row bears a label, its
    /// output is watched by log-loss all the same, as in XGBoost; where no row can be held out, all rounds are trained.
    /// [`Run::note`](crate::Run::note) tells of both.
    pub fn early_stopping(mut self, rounds: usize) -> Self {
        self.early_stopping = Some(rounds);
        self
    }

    /// What early stopping watches; default [`Metric::Loss`].
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// Share of each label's rows that is held out for early stopping, where it is asked for; above 0, below 1; default
    /// 0.2. Drawn by content and seed: equal rows of one label are held out together, and no label's rows all of them.
    pub fn held_out(mut self, share: f64) -> Self {
        self.held_out = share;
        self
    }

    /// Calibrates the margins of the model by cross-fitting. Not for regression. Default false.
    ///
    /// The rows are parted in three, each label's alike; two parts train a model of as many trees as the whole one has, and
    /// the third gets its margins; a [`Calibration`](super::Calibration) is fitted to these and goes into the leaves and
    /// base margins of the model that all rows trained. Once 200 rows for each label have such margins, no other part is
    /// trained without: large tables take about twice the training, small ones four times. Where too few rows or labels
    /// leave nothing to fit to, the model is as trained, [`Run::note`](crate::Run::note) tells so, and
    /// [`Calibration::rows`](super::Calibration::rows) is 0.
    pub fn calibrated(mut self, calibrated: bool) -> Self {
        self.calibrated = calibrated;
        self
    }
}
