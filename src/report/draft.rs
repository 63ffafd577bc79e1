//! A report without the names of its clusters: what is shown of the rows, drawn once, so that names can change afterwards.

use super::contents::Contents;
#[cfg(feature = "serde")]
use super::markup;
use super::names::{Names, proposed};
use super::shares::Shares;
use super::text::Text;
use super::{Report, cards, data, deploy, method, outside_tables, page};
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::shape::check_count;
use crate::recursive::{ClusterTree, Node, Path};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// A report whose clusters can be named: all that it tells of the rows, without the rows.
///
/// [`Report::draft`] makes it, [`render`](Draft::render) writes the page with the names that the tree has then. Plain data about
/// as large as the page without its maps, which are drawn of the tree.
///
/// ```
/// use ndarray::Array2;
/// use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree, report::Report};
/// let data = Array2::from_shape_fn((90, 2), |(i, j)| (i / 30 * 50 + i % 7 + j) as f32);
/// let mut tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).fit(&data, &Run::new())?;
/// let draft = Report::new(&tree, &data).draft()?;
/// tree.set_name("0.1", "Night owls")?;
/// assert!(draft.render(&tree)?.contains("Night owls"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Draft {
    /// None for the usual one.
    pub(super) title: Option<String>,
    pub(super) text: Text,
    pub(super) shares: Shares,
    /// Names made of rules.
    proposed: BTreeMap<Path, String>,
    /// Whether rows are images.
    pub(super) images: bool,
    /// Number of questions, where a schema says what the columns mean.
    pub(super) questions: Option<usize>,
    pub(super) leaves: Vec<Leaf>,
    /// Sections of the page, empty where there is nothing to say.
    pub(super) outside: String,
    pub(super) data: String,
    pub(super) deploy: String,
    pub(super) settings: String,
    pub(super) glossary: Vec<method::Term>,
}

/// What the page shows of one leaf.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Leaf {
    path: Path,
    /// Address of the average image.
    average: Option<String>,
    /// Whether the card has all that a card can have.
    pub(super) full: bool,
    /// What sets it apart, in a few words.
    pub(super) distinctive: String,
    /// The card below its head.
    pub(super) card: String,
}

impl Leaf {
    pub(super) fn average(&self) -> Option<&str> {
        self.average.as_deref()
    }
}

impl Report<'_> {
    /// The report but for the names of clusters, which can be given later. O(rows x columns), and the charts.
    ///
    /// # Errors
    /// Those of [`render`](Report::render).
    pub fn draft(&self) -> Result<Draft> {
        let contents = Contents::of(self)?;
        let leaf = |(number, node): (usize, &Node)| -> Result<Leaf> {
            let average = cards::average(&contents, number)?;
            let card = cards::body(&contents, number, node, average.as_deref())?.into_string();
            let distinctive = page::distinctive(&contents, number);
            Ok(Leaf { path: node.path().clone(), average, full: contents.full[number], distinctive, card })
        };
        Ok(Draft {
            title: self.title.clone(),
            text: self.text.clone(),
            proposed: proposed(self, &contents.names, &contents.meanings),
            images: self.image.is_some(),
            questions: contents.features.as_ref().map(|features| features.questions.len()),
            leaves: self.tree.leaves().enumerate().map(leaf).collect::<Result<_>>()?,
            outside: outside_tables::section(&contents).into_string(),
            data: data::data(&contents).into_string(),
            deploy: deploy::section(&contents).into_string(),
            settings: method::settings(&contents).into_string(),
            glossary: method::glossary(&contents),
            shares: contents.shares,
        })
    }
}

impl Draft {
    /// The same under another title.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same with the texts of another catalogue, as far as they are not drawn yet: the first page, the tree, the tables of
    /// clusters and the maps, the heads of the cards and the glossary. What stands on the cards, of the data and of the model
    /// keeps the language of [`Report::text`].
    pub fn with_text(mut self, text: Text) -> Self {
        self.text = text;
        self
    }

    /// The name that a leaf's best rule proposes for it, if any; what [`render`](Draft::render) shows where the tree has none.
    pub fn proposed_name(&self, path: &Path) -> Option<&str> {
        self.proposed.get(path).map(String::as_str)
    }

    /// The report as the text of an HTML file, with the names that `tree` has: the tree that the report is about.
    /// O(rows) for the maps.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Format`] when the draft is not that of the tree.
    pub fn render(&self, tree: &ClusterTree) -> Result<String> {
        check_count("leaves of the draft, one for each leaf of the tree", tree.leaves().count(), self.leaves.len())?;
        if let Some((own, leaf)) = self.leaves.iter().zip(tree.leaves()).find(|(own, leaf)| own.path != *leaf.path()) {
            let reason = format!("it is of another tree: {} stands where the tree has {}", own.path, leaf.path());
            return Err(Error::Format { format: "recluster report", reason });
        }
        if let Some(node) = tree.nodes().iter().find(|node| !self.shares.knows(node)) {
            let reason = format!("it is of another tree: it has no share of {}", node.path());
            return Err(Error::Format { format: "recluster report", reason });
        }
        let shown = Shown { tree, draft: self, called: Names::of(tree, &self.proposed) };
        Ok(page::page(&shown)?.into_string())
    }
}

#[cfg(feature = "serde")]
impl crate::core::Saved for Draft {
    const FORMAT: &'static str = "recluster report";
    const VERSION: u64 = 2;

    fn validate(&self) -> std::result::Result<(), String> {
        self.shares.check()?;
        let parts = self.leaves.iter().map(|leaf| &leaf.card).chain([&self.outside, &self.data, &self.deploy]);
        for part in parts.chain([&self.settings]) {
            markup::fault(part).map_or(Ok(()), |what| Err(format!("a part of a report holds no {what}")))?;
        }
        let picture = |address: &str| {
            address.strip_prefix("data:image/png;base64,").is_some_and(|rest| {
                rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
            })
        };
        checks::that(self.leaves.iter().all(|leaf| leaf.average().is_none_or(picture)), || {
            "an average image is no PNG".to_string()
        })
    }
}

/// A draft with the tree that it is about, and the names of this hour.
pub(super) struct Shown<'a> {
    pub(super) tree: &'a ClusterTree,
    pub(super) draft: &'a Draft,
    pub(super) called: Names,
}

impl<'a> Shown<'a> {
    pub(super) fn shares(&self) -> &'a Shares {
        &self.draft.shares
    }

    /// The texts of the page.
    pub(super) fn text(&self) -> &'a Text {
        &self.draft.text
    }

    /// Leaf number `leaf`.
    pub(super) fn leaf(&self, leaf: usize) -> &'a Leaf {
        &self.draft.leaves[leaf]
    }
}
