use super::{Error, Result};

/// A number of rows, given as a count or as a share of the rows at hand.
///
/// A share scales with the node of a recursive tree: 5 % of 70,000 rows at the root, 5 % of 9,000 in a child.
///
/// ```
/// use recluster::Size;
/// assert_eq!(Size::from(500).of(70_000), 500);
/// assert_eq!(Size::from(0.05).of(9_000), 450);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Size {
    /// This many rows.
    Count(usize),
    /// This share of the rows, in 0 to 1; rounded down.
    Share(f64),
}

impl Size {
    /// The number of rows that this means among `rows` rows.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Size::Count(count) => count,
            // The small addend undoes representation error: 0.29 of 100 is 29, not 28.
            Size::Share(share) => (share * rows as f64 + 1e-9) as usize,
        }
    }

    /// Checks the range of a share.
    ///
    /// # Errors
    /// [`Error::Setting`] when a share is not in 0 to 1.
    pub fn check(self, name: &'static str) -> Result<()> {
        match self {
            Size::Share(share) if !(0.0..=1.0).contains(&share) => {
                Err(Error::setting(name, share, "a share must be between 0 and 1"))
            }
            _ => Ok(()),
        }
    }
}

impl From<usize> for Size {
    fn from(count: usize) -> Self {
        Size::Count(count)
    }
}

impl From<f64> for Size {
    fn from(share: f64) -> Self {
        Size::Share(share)
    }
}
