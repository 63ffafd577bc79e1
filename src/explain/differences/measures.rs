//! The figures of a difference.

use super::Differences;
use crate::Explanation;
use crate::core::{parallel, percent};
use crate::table::{Feature, FeatureKind};
use std::fmt;
use std::ops::Range;

/// Levels of a column that are listed at most, the most different first.
const LEVELS: usize = 5;
/// Columns that are read together.
const ABREAST: usize = 16;
/// Features that are put into words.
const SAID: usize = 5;

/// What tells one cluster from another.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Difference {
    /// Name of the first cluster.
    pub here: String,
    /// Name of the second.
    pub there: String,
    /// All features, by falling contrast, equal ones by the size of `standardised`, then by number.
    pub features: Vec<FeatureDifference>,
    /// The contrasts added up by question, falling; one for each feature where there is no schema.
    pub questions: Vec<QuestionContrast>,
    /// Up to five rows of the first cluster, by number, whose attributions are most like the average of its rows: the most
    /// usual first.
    pub typical_here: Vec<u32>,
    /// The same of the second.
    pub typical_there: Vec<u32>,
    /// Up to five rows of either whose margins for the two lie closest together, the closest first.
    pub borderline: Vec<u32>,
}

/// How much one question tells the clusters apart.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct QuestionContrast {
    /// Name of the question.
    pub question: String,
    /// Sum of its features' contrasts.
    pub contrast: f64,
}

/// How two clusters differ in one feature. "Here" is the first cluster, "there" the second.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct FeatureDifference {
    /// Number of the feature.
    pub feature: usize,
    /// Its name.
    pub name: String,
    /// Name of its question.
    pub question: String,
    /// SHAP contrast, in log-odds: how much, on average, the feature speaks for a row's own cluster against the other one. It is
    /// half of the mean of φ_here − φ_there over rows here, less half of that over rows there; φ are the attributions to the two
    /// clusters' margins.
    pub contrast: f64,
    /// Averages here and there, missing answers left out; none where there are no answers, and of categories.
    pub mean: [Option<f64>; 2],
    /// Average here less average there, in the column's units.
    pub difference: Option<f64>,
    /// The difference in pooled standard deviations (Cohen's d): √((SS_here + SS_there) / (n_here + n_there − 2)). None where
    /// that is 0 or not defined.
    pub standardised: Option<f64>,
    /// Of flags, ordinals and categories the levels, the most different share first, at most five.
    pub levels: Vec<LevelDifference>,
    /// Shares of missing answers here and there, in 0 to 1.
    pub missing: [f64; 2],
    /// The difference in words.
    pub words: String,
}

/// How frequent a level is in two clusters, among the rows that answer.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LevelDifference {
    /// The level's text.
    pub level: String,
    /// Share here, in 0 to 1.
    pub here: f64,
    /// Share there.
    pub there: f64,
    /// Share here over share there; none where no row there has the level.
    pub lift: Option<f64>,
}

/// Sums of one feature over one cluster's rows, in canonical order.
struct Side {
    rows: f64,
    present: f64,
    mean: f64,
    squares: f64,
    levels: Vec<f64>,
}

impl Side {
    fn of(values: impl Iterator<Item = (f64, f64)> + Clone, levels: usize) -> Self {
        let mut side = Side { rows: 0.0, present: 0.0, mean: 0.0, squares: 0.0, levels: vec![0.0; levels] };
        let mut sum = 0.0;
        for (value, weight) in values.clone() {
            side.rows += weight;
            if !value.is_nan() {
                side.present += weight;
                sum += weight * value;
                if value >= 0.0 && value.fract() == 0.0 && value < levels as f64 {
                    side.levels[value as usize] += weight;
                }
            }
        }
        side.mean = sum / side.present;
        for (value, weight) in values.filter(|(value, _)| !value.is_nan()) {
            side.squares += weight * (value - side.mean) * (value - side.mean);
        }
        side
    }

    fn share(&self, level: usize) -> f64 {
        if self.present > 0.0 { self.levels[level] / self.present } else { 0.0 }
    }
}

/// All but typical and borderline rows; `explained` are the attributions of rows here and there to the two margins.
pub(super) fn measured(of: &Differences<'_>, pair: [usize; 2], explained: &[Explanation; 2]) -> Difference {
    let blocks = parallel::map_ranges(of.features.len(), ABREAST, |columns| {
        let tiles = pair.map(|k| Tile::of(of, k, columns.clone()));
        columns.map(|c| feature(of, &tiles, c, contrast(explained, c))).collect::<Vec<_>>()
    });
    let mut features: Vec<FeatureDifference> = blocks.into_iter().flatten().collect();
    let mut questions: Vec<QuestionContrast> = Vec::new();
    for own in &features {
        match questions.iter_mut().find(|q| q.question == own.question) {
            Some(question) => question.contrast += own.contrast,
            None => questions.push(QuestionContrast { question: own.question.clone(), contrast: own.contrast }),
        }
    }
    questions.sort_by(|a, b| b.contrast.total_cmp(&a.contrast));
    let size = |own: &FeatureDifference| own.standardised.unwrap_or(0.0).abs();
    features.sort_by(|a, b| b.contrast.total_cmp(&a.contrast).then(size(b).total_cmp(&size(a))));
    let [here, there] = pair.map(|k| of.surrogate.classes()[k].clone());
    let (typical_here, typical_there, borderline) = (Vec::new(), Vec::new(), Vec::new());
    Difference { here, there, features, questions, typical_here, typical_there, borderline }
}

fn contrast(explained: &[Explanation; 2], column: usize) -> f64 {
    let mean = |why: &Explanation| {
        let values = why.values();
        let rows = values.dim().0;
        (0..rows).map(|i| values[[i, column, 0]] - values[[i, column, 1]]).sum::<f64>() / rows as f64
    };
    (mean(&explained[0]) - mean(&explained[1])) / 2.0
}

/// Some columns of one cluster's rows, in canonical order: rows are read once for all of these columns.
struct Tile<'a> {
    columns: Range<usize>,
    values: Vec<f32>,
    rows: &'a [u32],
    weights: &'a [f64],
}

impl<'a> Tile<'a> {
    fn of(of: &'a Differences<'_>, cluster: usize, columns: Range<usize>) -> Self {
        let rows = &of.members[cluster][..];
        let values = rows.iter().flat_map(|&row| of.rows.row(row as usize)[columns.clone()].iter().copied()).collect();
        Tile { columns, values, rows, weights: &of.weights }
    }

    fn side(&self, column: usize, levels: usize) -> Side {
        let own = self.values[column - self.columns.start..].iter().step_by(self.columns.len());
        let weighted = own.zip(self.rows).map(|(&value, &row)| (f64::from(value), self.weights[row as usize]));
        Side::of(weighted, levels)
    }
}

fn feature(of: &Differences<'_>, tiles: &[Tile<'_>; 2], column: usize, contrast: f64) -> FeatureDifference {
    let feature = &of.features[column];
    let sides = [0, 1].map(|k| tiles[k].side(column, feature.levels().len()));
    let ordered = feature.kind() != FeatureKind::Category;
    let mean = [0, 1].map(|k| (ordered && sides[k].present > 0.0).then_some(sides[k].mean));
    let difference = mean[0].zip(mean[1]).map(|(here, there)| here - there);
    let freedom = sides[0].present + sides[1].present - 2.0;
    let pooled = if freedom > 0.0 { ((sides[0].squares + sides[1].squares) / freedom).sqrt() } else { 0.0 };
    let mut levels: Vec<LevelDifference> = (0..feature.levels().len())
        .map(|level| {
            let [here, there] = [0, 1].map(|k| sides[k].share(level));
            let lift = (there > 0.0).then(|| here / there);
            LevelDifference { level: feature.levels()[level].clone(), here, there, lift }
        })
        .filter(|level| level.here > 0.0 || level.there > 0.0)
        .collect();
    levels.sort_by(|a, b| (b.here - b.there).abs().total_cmp(&(a.here - a.there).abs()));
    levels.truncate(LEVELS);
    let mut found = FeatureDifference {
        feature: column,
        name: feature.name().to_string(),
        question: feature.question().to_string(),
        contrast,
        mean,
        difference,
        standardised: difference.filter(|_| pooled > 0.0).map(|difference| difference / pooled),
        levels,
        missing: [0, 1].map(|k| if sides[k].rows > 0.0 { 1.0 - sides[k].present / sides[k].rows } else { 0.0 }),
        words: String::new(),
    };
    found.words = words(feature, &found);
    found
}

fn words(feature: &Feature, found: &FeatureDifference) -> String {
    let name = feature.name();
    if let Some(level) = found.levels.first() {
        let mut text = format!("{name}: {} {} here, {} there", level.level, percent(level.here), percent(level.there));
        if let Some(lift) = level.lift.filter(|&lift| lift > 0.0) {
            let times = if lift >= 1.0 { lift } else { 1.0 / lift };
            text += &format!(" ({times:.1} times as many {})", if lift >= 1.0 { "here" } else { "there" });
        }
        return text;
    }
    let (Some(here), Some(there)) = (found.mean[0], found.mean[1]) else {
        return format!("{name}: missing {} here, {} there", percent(found.missing[0]), percent(found.missing[1]));
    };
    let [here, there] = feature.averages([here, there]);
    let text = format!("{name}: {here} here, {there} there on average");
    match found.standardised {
        Some(d) if d != 0.0 => {
            let way = if d > 0.0 { "higher" } else { "lower" };
            format!("{text} ({:.1} standard deviations {way})", d.abs())
        }
        _ => text,
    }
}

impl FeatureDifference {
    /// Whether its words are those of this feature.
    #[cfg(feature = "report")]
    pub(crate) fn says(&self, feature: &Feature) -> bool {
        // The name may be another one.
        let own = words(feature, self);
        self.words.strip_prefix(&self.name) == own.strip_prefix(feature.name())
    }
}

impl fmt::Display for Difference {
    /// A line for the pair, then one for each of the first five features.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and not {}:", self.here, self.there)?;
        let told = self.features.iter().filter(|feature| feature.contrast > 0.0).take(SAID);
        told.into_iter().try_for_each(|feature| write!(f, "\n  {}", feature.words))
    }
}
