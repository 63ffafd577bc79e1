//! All that the page is made of, checked and computed once.

use super::features::Features;
use super::outside::Tables;
use super::shares::Shares;
use super::statistics::Statistics;
use super::sure::{self, Confidence};
use super::text::{Text, Value, words};
use super::{Report, cards, names};
use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, check_weights, with_mean_one};
use crate::explain::Difference;
use crate::recursive::{ClusterTree, Node};
use crate::table::{Feature, Schema};
use crate::{Error, Result};
use ndarray::{Array2, Axis};

/// All that the page is made of.
pub(super) struct Contents<'a> {
    pub(super) report: &'a Report<'a>,
    /// The explained rows' places in the explanation, in canonical order of the rows, so that sums and choices do not
    /// depend on the order of the data.
    pub(super) explained: Vec<usize>,
    /// The explained rows themselves, in the order of the explanation.
    pub(super) explained_rows: Array2<f32>,
    pub(super) rows: Rows<'a>,
    /// Each row's place in canonical order.
    pub(super) place: Vec<u32>,
    pub(super) statistics: Statistics,
    pub(super) shares: Shares,
    /// What the columns mean, where a schema says so.
    pub(super) features: Option<Features>,
    /// What the columns say that did not make the clusters.
    pub(super) outside: Option<Tables>,
    /// One for each column, and what it means.
    pub(super) names: Vec<String>,
    pub(super) meanings: Vec<Feature>,
    /// For each leaf how sure the model is of its explained rows.
    pub(super) confidence: Vec<Option<Confidence>>,
    /// For each leaf whether its card has all that a card can have.
    pub(super) full: Vec<bool>,
    /// For each row the number of its leaf, or -1.
    pub(super) leaf_of_row: Vec<i32>,
}

impl<'a> Contents<'a> {
    pub(super) fn of(report: &'a Report<'a>) -> Result<Self> {
        let rows = report.rows()?;
        report.check()?;
        let tree = report.tree;
        let leaves = tree.leaves().count();
        let leaf_of_row = tree.leaf_labels();
        let mut order = Canonical::of(&rows);
        let weights = report.weights.map_or_else(|| vec![1.0; rows.len()], |weights| with_mean_one(weights.to_vec()));
        order.order_equal_rows(&weights);
        let mut place = vec![0u32; order.order.len()];
        order.order.iter().zip(0..).for_each(|(&row, at)| place[row as usize] = at);
        let mut explained: Vec<usize> = (0..report.explained.as_ref().map_or(0, |(rows, _)| rows.len())).collect();
        if let Some((rows, _)) = &report.explained {
            explained.sort_by_key(|&i| place[rows[i] as usize]);
        }
        let explained_rows = match &report.explained {
            Some((rows, _)) => report.data.select(Axis(0), &rows.iter().map(|&row| row as usize).collect::<Vec<_>>()),
            None => Array2::zeros((0, tree.columns())),
        };
        let outside = report.outside.map(|(schema, found)| Tables::of(&report.text, schema, found, leaves));
        let names = report.column_names();
        let confidence = match &report.explained {
            Some((rows, why)) => sure::confidence(why, &explained, rows, &leaf_of_row, leaves),
            None => vec![None; leaves],
        };
        Ok(Contents {
            outside,
            explained,
            explained_rows,
            report,
            features: report.schema.map(|schema| Features::of(schema, &rows, &order, &weights, &leaf_of_row, leaves)),
            statistics: Statistics::of(&rows, &order, &weights, &leaf_of_row, leaves),
            shares: Shares::of(tree, &weights, report.weights.is_some()),
            names,
            meanings: report.schema.map_or_else(|| Feature::numbered(tree.columns()), Schema::features),
            confidence,
            full: full(tree),
            leaf_of_row,
            rows,
            place,
        })
    }

    /// The texts of the page.
    pub(super) fn text(&self) -> &'a Text {
        &self.report.text
    }

    /// A row's number as readers know it.
    pub(super) fn number(&self, row: u32) -> u32 {
        self.report.row_numbers.map_or(row, |numbers| numbers[row as usize])
    }

    /// What tells a leaf from another cluster, where it was given.
    pub(super) fn difference(&self, node: &Node) -> Option<&'a Difference> {
        let path = node.path().to_string();
        self.report.differences.iter().find(|difference| difference.here == path)
    }
}

/// The leaves of which most is shown: the largest, of equal ones the first in the tree.
fn full(tree: &ClusterTree) -> Vec<bool> {
    let mut largest: Vec<(usize, usize)> = tree.leaves().map(|leaf| leaf.rows().len()).enumerate().collect();
    let mut full = vec![false; largest.len()];
    largest.sort_by_key(|&(_, rows)| std::cmp::Reverse(rows));
    largest.iter().take(cards::FULL).for_each(|&(leaf, _)| full[leaf] = true);
    full
}

impl<'a> Report<'a> {
    pub(super) fn rows(&self) -> Result<Rows<'a>> {
        check_count("rows of the data", self.tree.rows(), self.data.nrows())?;
        check_count("columns of the data", self.tree.columns(), self.data.ncols())?;
        Rows::with_missing(self.data)
    }

    fn check(&self) -> Result<()> {
        let columns = self.tree.columns();
        if let Some(schema) = self.schema {
            check_count("features of the schema, one for each column", columns, schema.features().len())?;
        }
        if let Some(names) = &self.names {
            check_count("feature names, one for each column", columns, names.len())?;
        }
        if let Some(numbers) = self.row_numbers {
            check_count("row numbers, one for each row", self.tree.rows(), numbers.len())?;
        }
        for found in self.differences {
            let rows = found.typical_here.iter().chain(&found.typical_there).chain(&found.borderline);
            if let Some(row) = rows.copied().find(|&row| row as usize >= self.tree.rows()) {
                return Err(Error::setting("differences", row, "must name rows of the data"));
            }
        }
        if let Some(weights) = self.weights {
            check_weights(weights, self.tree.rows())?;
        }
        if let Some((width, height)) = self.image {
            check_count("pixels of an image, one for each column", columns, width.saturating_mul(height))?;
        }
        let leaves = self.tree.leaves().count();
        if let Some((schema, found)) = self.outside {
            check_count(
                "outside variables, one for each feature of their schema",
                schema.features().len(),
                found.len(),
            )?;
            for part in found.iter().flat_map(|variable| &variable.parts) {
                check_count("clusters with outside variables, one for each leaf", leaves, part.cells.len())?;
            }
        }
        if let Some(rules) = self.rules {
            check_count("clusters with rules, one for each leaf", leaves, rules.len())?;
        }
        if let Some(fidelity) = self.fidelity {
            check_count("clusters of the fidelity, one for each leaf", leaves, fidelity.clusters.len())?;
        }
        if let Some((rows, explanation)) = &self.explained {
            let (found, features, outputs) = explanation.values().dim();
            check_count("attributions, one for each explained row", rows.len(), found)?;
            check_count("attributions, one for each column", columns, features)?;
            check_count("attributions, one output for each leaf", leaves, outputs)?;
            if let Some(&row) = rows.iter().find(|&&row| row as usize >= self.tree.rows()) {
                return Err(Error::setting("explanation", row, "must be the number of a row of the data"));
            }
        }
        Ok(())
    }

    fn column_names(&self) -> Vec<String> {
        if let Some(schema) = self.schema {
            return schema.feature_names().iter().map(|name| names::column(&self.text, name)).collect();
        }
        if let Some(names) = &self.names {
            return names.iter().map(|name| names::column(&self.text, name)).collect();
        }
        let name = |column: usize| match self.image {
            Some((width, _)) => {
                let (line, place) = (Value::Digits(column / width + 1), Value::Digits(column % width + 1));
                words!(self.text, "column.pixel", line = line, place = place)
            }
            None => words!(self.text, "column.number", n = Value::Digits(column + 1)),
        };
        (0..self.tree.columns()).map(name).collect()
    }
}
