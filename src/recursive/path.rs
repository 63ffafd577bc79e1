//! Where a node stands in its tree.

use crate::Error;
use std::fmt::{self, Display, Write};
use std::str::FromStr;

/// The place of a node in its tree: `0` is the root, `0.2` its child number 2, `0.2.1` that one's child number 1.
///
/// Children are numbered from 0, the largest first. Paths order as their nodes do in preorder: a parent before its
/// children, child 0 with all that is below it before child 1. As text, and in saved files, a path is written with dots.
///
/// ```
/// use recluster::recursive::Path;
/// let path: Path = "0.2.1".parse()?;
/// assert_eq!((path.level(), path.number()), (3, Some(1)));
/// assert_eq!(path.parent(), Some(Path::root().child(2)));
/// assert!(path.is_below(&Path::root()));
/// assert_eq!(path.child(0).to_string(), "0.2.1.0");
/// assert!("0.-".parse::<Path>().is_err() && "1".parse::<Path>().is_err());
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "String", try_from = "String"))]
pub struct Path(
    /// The numbers behind the root's 0.
    Vec<u32>,
);

impl Path {
    /// The root's path, `0`.
    pub fn root() -> Self {
        Path::default()
    }

    /// The path of child `number`.
    pub fn child(&self, number: u32) -> Path {
        Path(self.0.iter().copied().chain([number]).collect())
    }

    /// The path of the parent; none for the root.
    pub fn parent(&self) -> Option<Path> {
        let (_, above) = self.0.split_last()?;
        Some(Path(above.to_vec()))
    }

    /// The number among the parent's children; none for the root.
    pub fn number(&self) -> Option<u32> {
        self.0.last().copied()
    }

    /// The level: 1 for the root, 2 for its children.
    pub fn level(&self) -> usize {
        self.0.len() + 1
    }

    /// Whether this is `other`'s child, or a child of one of its children, and so on.
    pub fn is_below(&self, other: &Path) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("0");
        for number in &self.0 {
            write!(text, ".{number}")?;
        }
        // Width and alignment count for the whole.
        f.pad(&text)
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::setting("path", format!("\"{text}\""), "must be numbers with dots between, 0 first");
        // One form for each path: no signs, no zeros in front.
        let number = |part: &str| part.parse().ok().filter(|number: &u32| number.to_string() == part);
        let mut parts = text.split('.').map(number);
        match parts.next() {
            Some(Some(0)) => parts.collect::<Option<Vec<u32>>>().map(Path).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

impl TryFrom<String> for Path {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl PartialEq<str> for Path {
    fn eq(&self, other: &str) -> bool {
        other.parse().is_ok_and(|other: Path| *self == other)
    }
}

impl PartialEq<&str> for Path {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}
