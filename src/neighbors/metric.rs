use crate::{Error, Result};

/// How far two rows are from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Metric {
    /// √(Σ (xᵢ − yᵢ)²).
    #[default]
    Euclidean,
    /// Σ |xᵢ − yᵢ|.
    Manhattan,
    /// max |xᵢ − yᵢ|.
    Chebyshev,
    /// 1 − x·y / (|x| |y|): the angle alone counts. A row of zeros is at 1 from every row but another of zeros.
    Cosine,
    /// Cosine of the rows with their own means taken off: the profile alone counts. A constant row is at 1 from every
    /// row but another constant one.
    Correlation,
}

impl Metric {
    /// Every metric, in the order of declaration.
    pub const ALL: [Metric; 5] =
        [Metric::Euclidean, Metric::Manhattan, Metric::Chebyshev, Metric::Cosine, Metric::Correlation];

    /// Its name in lower case, as [`str::parse`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Euclidean => "euclidean",
            Metric::Manhattan => "manhattan",
            Metric::Chebyshev => "chebyshev",
            Metric::Cosine => "cosine",
            Metric::Correlation => "correlation",
        }
    }

    pub(crate) fn kernel(self) -> Kernel {
        match self {
            Metric::Manhattan => Kernel::Absolutes,
            Metric::Chebyshev => Kernel::Largest,
            Metric::Euclidean | Metric::Cosine | Metric::Correlation => Kernel::Squares,
        }
    }

    /// The distance, from what the kernel computes on prepared rows; `scale` is what these were multiplied by.
    pub(crate) fn finish(self, value: f32, scale: f32) -> f32 {
        let distance = match self {
            Metric::Euclidean => value.sqrt() / scale,
            Metric::Manhattan | Metric::Chebyshev => value / scale,
            // Unit vectors: |x − y|² = 2 (1 − x·y).
            Metric::Cosine | Metric::Correlation => 0.5 * value,
        };
        distance.min(f32::MAX)
    }
}

impl std::str::FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
            Error::setting("metric", name, "must be euclidean, manhattan, chebyshev, cosine or correlation")
        })
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What is summed over the columns of two prepared rows; monotone in the distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// (x − y)²
    Squares,
    /// |x − y|
    Absolutes,
    /// |x − y|, the largest instead of the sum.
    Largest,
}
