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
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", from = "Written"))]
pub enum Size {
    /// This many rows.
    Count(usize),
    /// This share of the rows, in 0 to 1; rounded down.
    Share(f64),
}

/// A size as files have it: `{"count":500}` or `{"share":0.05}`, as it is saved, or the number alone, as people write it.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Count { count: usize },
    Share { share: f64 },
    Whole(usize),
    Part(f64),
}

#[cfg(feature = "serde")]
impl From<Written> for Size {
    fn from(written: Written) -> Self {
        match written {
            Written::Count { count } | Written::Whole(count) => Size::Count(count),
            Written::Share { share } | Written::Part(share) => Size::Share(share),
        }
    }
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

    /// The same size in a sample of `share` of the rows, in 0 to 1: a count shrinks with it, rounded to the nearest number
    /// but not below 1; a share stays.
    ///
    /// ```
    /// use recluster::Size;
    /// assert_eq!(Size::from(500).in_sample(0.25), Size::Count(125));
    /// assert_eq!(Size::from(0.05).in_sample(0.25), Size::Share(0.05));
    /// ```
    pub fn in_sample(self, share: f64) -> Size {
        match self {
            Size::Count(count) => Size::Count(count_in_sample(count, share)),
            of_any => of_any,
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

/// A count of rows in a sample of `share` of them: rounded to the nearest number, not below 1 unless it was.
pub(crate) fn count_in_sample(count: usize, share: f64) -> usize {
    ((count as f64 * share).round() as usize).max(count.min(1))
}

/// A count as it is, a share as a percentage: "500", "5.0 %", "0.012 %".
impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Size::Count(count) => write!(f, "{count}"),
            Size::Share(share) => f.write_str(&percent(*share)),
        }
    }
}

/// A share of a whole as a percentage: one decimal, and two digits that matter where that would read as nothing or as all.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    // Sums of shares that are all of it are so but for rounding.
    let rest = Some((100.0 - percent).abs()).filter(|&rest| rest > 1e-9);
    let least = rest.map_or(percent.abs(), |rest| percent.abs().min(rest));
    let (mut decimals, mut digits) = (1, least * 10.0);
    if digits > 0.0 && digits < 0.5 {
        while digits < 10.0 && decimals < 20 {
            (decimals, digits) = (decimals + 1, digits * 10.0);
        }
    }
    format!("{percent:.decimals$} %")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_as_percentages() {
        for (share, text) in [
            (0.07, "7.0 %"),
            (0.1234, "12.3 %"),
            (0.0, "0.0 %"),
            (1.0, "100.0 %"),
            (0.0005, "0.1 %"),
            (0.000_431, "0.043 %"),
            (1e-7, "0.000010 %"),
            (0.99971, "99.971 %"),
            (0.9994, "99.9 %"),
            (1.0 - 1e-15, "100.0 %"),
        ] {
            assert_eq!((Size::Share(share).to_string().as_str(), percent(share).as_str()), (text, text));
        }
        assert_eq!(Size::Count(500).to_string(), "500");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_have_numbers_or_what_they_are() {
        let read = |text: &str| serde_json::from_str::<Size>(text);
        for (text, size) in [
            ("500", Size::Count(500)),
            ("0.05", Size::Share(0.05)),
            ("1.0", Size::Share(1.0)),
            ("{\"count\":500}", Size::Count(500)),
            ("{\"share\":1.0}", Size::Share(1.0)),
        ] {
            assert_eq!(read(text).unwrap(), size);
            assert_eq!(read(&serde_json::to_string(&size).unwrap()).unwrap(), size);
        }
        assert!(read("\"5\"").is_err() && read("{\"rows\":5}").is_err());
    }
}
