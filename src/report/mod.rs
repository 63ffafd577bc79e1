//! The HTML report: one file without scripts that opens from disk, reads without jargon, and prints a card a page.
//!
//! It shows the tree with its shares, a map of every node that was split, and a card for each cluster: how large it
//! is, what sets it apart, its average picture where rows are images, and, with the surrogate's attributions, what a
//! model looks at when it puts a row there. All charts are drawn here, as SVG and PNG inside the page.

mod answers;
mod cards;
pub mod charts;
mod conditions;
mod contents;
mod data;
mod deck;
mod deploy;
mod draft;
mod drawn;
mod features;
mod findings;
#[cfg(test)]
mod insight_tests;
mod interval;
mod markdown;
#[cfg(feature = "serde")]
mod markup;
mod method;
mod names;
mod outside;
mod outside_tables;
#[cfg(test)]
mod outside_tests;
mod page;
mod parts;
mod pushes;
mod reasons;
mod shares;
mod statistics;
mod summary;
mod sure;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
mod text;
mod typical;

use crate::core::{Canonical, write_whole};
use crate::explain::{ClusterRules, Difference, Fidelity, OutsideVariable, Selectivity, Surrogate};
use crate::recursive::ClusterTree;
use crate::table::Schema;
use crate::{Explainer, Explanation, Result, Run};
use charts::{colour, raster};
use contents::Contents;
pub use draft::Draft;
pub use markdown::markdown;
use ndarray::{ArrayRef2, Axis};
use std::borrow::Cow;
use std::path::Path;
pub use text::Text;

/// A report about a fitted tree.
///
/// ```
/// # use ndarray::{Array2, ArrayRef2};
/// # use recluster::{Clusterer, Clustering, Embedder, Result, Run, recursive::RecursiveTree, report::Report};
/// # struct Keep;
/// # impl Embedder for Keep {
/// #     fn embed(&self, rows: &ArrayRef2<f32>, _: &Run) -> Result<Array2<f32>> { Ok(rows.to_owned()) }
/// # }
/// # struct Sign;
/// # impl Clusterer for Sign {
/// #     fn cluster(&self, rows: &ArrayRef2<f32>, _: &Run) -> Result<Clustering> {
/// #         Clustering::compact(rows.column(0).iter().map(|&x| i32::from(x > 50.0)).collect())
/// #     }
/// # }
/// # let data = Array2::from_shape_fn((100, 2), |(i, j)| (i * (j + 1)) as f32);
/// # let tree = RecursiveTree::new(Keep, Sign).levels(1).fit(&data, &Run::new())?;
/// let html = Report::new(&tree, &data)
///     .title("Customers")
///     .feature_names(["visits", "spending"])
///     .render()?;
/// assert!(html.starts_with("<!DOCTYPE html>") && html.contains("spending"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Report<'a> {
    tree: &'a ClusterTree,
    data: &'a ArrayRef2<f32>,
    title: Option<String>,
    text: Text,
    names: Option<Vec<String>>,
    schema: Option<&'a Schema>,
    /// Outside variables and their values.
    outside: Option<(&'a Schema, &'a [OutsideVariable])>,
    /// Width, height.
    image: Option<(usize, usize)>,
    weights: Option<&'a [f64]>,
    row_numbers: Option<&'a [u32]>,
    settings: Vec<(String, String)>,
    notes: Vec<String>,
    /// The rows that were explained, and their attributions for each leaf.
    explained: Option<(Vec<u32>, Cow<'a, Explanation>)>,
    rules: Option<&'a [ClusterRules]>,
    fidelity: Option<&'a Fidelity>,
    selectivity: Option<&'a Selectivity>,
    differences: &'a [Difference],
}

impl<'a> Report<'a> {
    /// A report about `tree`, which was fitted to `data` (rows x columns).
    pub fn new(tree: &'a ClusterTree, data: &'a ArrayRef2<f32>) -> Self {
        Report {
            tree,
            data,
            title: None,
            text: Text::default(),
            names: None,
            schema: None,
            outside: None,
            image: None,
            weights: None,
            row_numbers: None,
            settings: Vec::new(),
            notes: Vec::new(),
            explained: None,
            rules: None,
            fidelity: None,
            selectivity: None,
            differences: &[],
        }
    }

    /// The title; by default "Clusters and what sets them apart".
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The texts of the report in another language, with its format of numbers; by default English. What the caller and other
    /// rooms say stays as it is: names and levels, settings, notes, why columns were set aside and why a node was split.
    ///
    /// ```
    /// # use ndarray::Array2;
    /// # use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
    /// use recluster::report::{Report, Text};
    /// # let data = Array2::from_shape_fn((90, 2), |(i, j)| (i / 30 * 50 + i % 7 + j) as f32);
    /// # let tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).fit(&data, &Run::new())?;
    /// let text = Text::parse("lang = nl\ntree.title = De boom\n")?;
    /// let html = Report::new(&tree, &data).text(text).render()?;
    /// assert!(html.contains("<html lang=\"nl\">") && html.contains("<h2>De boom</h2>"));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn text(mut self, text: Text) -> Self {
        self.text = text;
        self
    }

    /// Names of the columns, one for each; by default "column 1", "column 2" and so on, or the pixel's place.
    pub fn feature_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Takes what the columns are called and mean from a surrogate that knows: its [schema](Surrogate::schema), else its
    /// [names](crate::boost::BoostModel::feature_names). So they are given once, to the surrogate, which also saves them.
    pub fn columns_of(mut self, surrogate: &'a Surrogate) -> Self {
        match (surrogate.schema(), surrogate.model().feature_names()) {
            (Some(schema), _) => self.schema(schema),
            (None, Some(names)) => self.feature_names(names),
            (None, None) => {
                self.names = None;
                self
            }
        }
    }

    /// Says what the columns mean: `schema` is that by which the data was [encoded](Schema::encode). The report then speaks
    /// of levels, dates and missing values instead of averages of their numbers, adds up attributions by question, and lists
    /// the columns that were used and those that were set aside. Names are those of the features.
    pub fn schema(mut self, schema: &'a Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Adds outside variables, which did not make the clusters: `found` is what [`Outside::of`](crate::explain::Outside::of)
    /// makes of them by [`leaf_labels`](ClusterTree::leaf_labels), `schema` that by which they were encoded;
    /// [`Schema::profiles`] makes it of a table's schema. The page gets a table for each, with averages or shares in each
    /// cluster, and each card a line of what differs most. Where all columns of the schema are dropped, nothing was found, and
    /// the page gives the reasons.
    pub fn outside(mut self, schema: &'a Schema, found: &'a [OutsideVariable]) -> Self {
        self.outside = Some((schema, found));
        self
    }

    /// Adds a sentence about the data, such as which rows were set aside and why.
    pub fn note_of_data(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says that each row is an image of `width` x `height` pixels, row by row: clusters then show their average
    /// image. Larger values are drawn darker.
    pub fn image(mut self, width: usize, height: usize) -> Self {
        self.image = Some((width, height));
        self
    }

    /// Says how many rows of the population each row stands for: shares, averages and frequencies are then those of the
    /// population. One weight for each row, finite and above 0. Attributions remain those of the explained rows.
    pub fn weights(mut self, weights: &'a [f64]) -> Self {
        self.weights = Some(weights);
        self
    }

    /// Adds a line to the settings that the report lists.
    pub fn setting(mut self, name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        self.settings.push((name.into(), value.to_string()));
        self
    }

    /// Sets the numbers by which readers know the rows, such as their places in a file of which some rows were left out; by
    /// default their places in the data.
    pub fn row_numbers(mut self, numbers: &'a [u32]) -> Self {
        self.row_numbers = Some(numbers);
        self
    }

    /// Adds attributions: `explanation` has one output for each leaf, in the order of [`ClusterTree::leaves`], and one
    /// row for each of `rows`, which are original row numbers such as those that [`sample`](Report::sample) chooses.
    pub fn explanation(mut self, rows: Vec<u32>, explanation: &'a Explanation) -> Self {
        self.explained = Some((rows, Cow::Borrowed(explanation)));
        self
    }

    /// Adds the attributions of an explainer, such as the tree's [`Surrogate`]: it explains a
    /// [`sample`](Report::sample) of at most 2,000 rows: fewer where rows x columns x leaves would pass 64 MB, but 300 as
    /// long as these stay within 1 GB, and never more than that unless a single row takes it.
    ///
    /// # Errors
    /// Those of the explainer, and those of [`render`](Report::render) for the data.
    pub fn explained_by(mut self, explainer: &dyn Explainer, run: &Run) -> Result<Self> {
        let rows = self.sample(affordable(self.tree.columns(), self.tree.leaves().count()))?;
        let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
        let explanation = explainer.explain(&self.data.select(Axis(0), &places), run)?;
        self.explained = Some((rows, Cow::Owned(explanation)));
        Ok(self)
    }

    /// Adds what it costs and gains to turn away rows that the model is not sure of: a surrogate's
    /// [`selectivity`](crate::explain::Surrogate::selectivity), or that of its guard.
    pub fn selectivity(mut self, selectivity: &'a Selectivity) -> Self {
        self.selectivity = Some(selectivity);
        self
    }

    /// Adds the rules of the leaves, in the order of [`ClusterTree::leaves`]: what [`Rules::find`](crate::explain::Rules::find)
    /// makes of [`leaf_labels`](ClusterTree::leaf_labels). Each card then says first who is in the cluster, with precision and
    /// recall on held-out rows; a leaf without a [name](crate::recursive::Node::name) gets one that its best rule proposes,
    /// of those that at least half of the rows that meet them are in the cluster. Of images none is proposed.
    ///
    /// ```
    /// # use ndarray::Array2;
    /// # use recluster::{Run, cluster::KMeans, embed::Identity, explain::Rules, recursive::RecursiveTree, report::Report};
    /// let data = Array2::from_shape_fn((300, 2), |(i, j)| if j == 0 { (i / 200 * 50 + i % 9) as f32 } else { (i % 7) as f32 });
    /// let tree = RecursiveTree::new(Identity, KMeans::new(2)).levels(1).fit(&data, &Run::new())?;
    /// let paths: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    /// let rules = Rules::new()
    ///     .feature_names(["visits", "age"])
    ///     .find(&data, &tree.leaf_labels(), &paths, None, &Run::new())?;
    /// let html = Report::new(&tree, &data).feature_names(["visits", "age"]).rules(&rules).render()?;
    /// assert!(html.contains("visits below") && html.contains("Of 100 rows that fit this"));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn rules(mut self, rules: &'a [ClusterRules]) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Adds how well a model that has not seen a row says which leaf it is in: a [`Fidelity`] with one cluster for each leaf, in
    /// their order, such as that of the deepest level of
    /// [`surrogate_with_fidelity`](ClusterTree::surrogate_with_fidelity).
    pub fn fidelity(mut self, fidelity: &'a Fidelity) -> Self {
        self.fidelity = Some(fidelity);
        self
    }

    /// Adds for leaves what tells them from another one, such as the [nearest](crate::explain::Differences::nearest): the
    /// card of the leaf whose path is the difference's `here` shows the features of the highest contrast.
    pub fn differences(mut self, differences: &'a [Difference]) -> Self {
        self.differences = differences;
        self
    }

    /// Chooses rows to explain: at most about `most`, one half spread evenly over all rows, the other evenly over the
    /// leaves, so that small clusters are seen too; ascending. The same rows at any order of the data.
    ///
    /// # Errors
    /// Those of [`render`](Report::render) for the data.
    pub fn sample(&self, most: usize) -> Result<Vec<u32>> {
        let rows = self.rows()?;
        let leaves = self.tree.leaves().count();
        Ok(statistics::sample(&Canonical::of(&rows), &self.tree.leaf_labels(), leaves, most))
    }

    /// The report as the text of an HTML file. O(rows x columns), and the charts.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when data, names, schema, image, weights, attributions, rules or fidelity do not
    /// fit the tree; [`Error::Setting`](crate::Error::Setting) for a weight that is not finite or not above 0;
    /// [`Error::Empty`](crate::Error::Empty) and [`Error::NotFinite`](crate::Error::NotFinite) when the data cannot be used
    /// (missing values can).
    pub fn render(&self) -> Result<String> {
        self.draft()?.render(self.tree)
    }

    /// Writes the report whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) when it cannot be written, and those of [`render`](Report::render).
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write_whole(path.as_ref(), self.render()?.as_bytes())
    }
}

/// Rows whose attributions to all leaves are held at once.
fn affordable(columns: usize, leaves: usize) -> usize {
    const USUAL: usize = 64 << 20;
    const MOST: usize = 1 << 30;
    let row = columns.saturating_mul(leaves).saturating_mul(8).max(1);
    (USUAL / row).clamp(300, 2000).min(MOST / row).max(1)
}
