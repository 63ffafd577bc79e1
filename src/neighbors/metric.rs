use super::kernel::Kernel;
use crate::{Error, Result};

/// How far two rows are from each other. Values are those of scipy and umap-learn, 0 / 0 included.
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
    /// Σ (xᵢ − yᵢ)²: neighbours are the Euclidean ones, what is far counts for more.
    SquaredEuclidean,
    /// Σ |xᵢ − yᵢ| / (|xᵢ| + |yᵢ|): small values count like large ones. A column in which both are zero counts nothing.
    Canberra,
    /// Σ |xᵢ − yᵢ| / Σ |xᵢ + yᵢ|, for values that are at least 0, such as counts. Two rows of zeros are at 0; rows of
    /// mixed signs whose sums all vanish are as far as can be (scipy: infinitely far; umap-learn: at 0).
    BrayCurtis,
    /// The share of columns in which the rows differ.
    Hamming,
    /// Rows as sets of their non-zero columns: the share of columns in only one, among those in either. Two empty sets
    /// are at 0.
    Jaccard,
    /// √(1 − Σ √(pᵢ qᵢ)) of the shares p = x / Σ xᵢ and q = y / Σ yᵢ, for values that are at least 0, such as counts: the
    /// profile alone counts, and rare columns count for more than by cosine. In 0 to 1; the Euclidean distance of √p and √q,
    /// divided by √2. A row of zeros is at 1 from every row but another of zeros. Values below 0 are an
    /// [`Error::Negative`].
    Hellinger,
}

/// By its name.
impl From<Metric> for crate::Setting {
    fn from(metric: Metric) -> Self {
        metric.name().into()
    }
}

impl Metric {
    /// Every metric, in the order of declaration.
    pub const ALL: [Metric; 11] = [
        Metric::Euclidean,
        Metric::Manhattan,
        Metric::Chebyshev,
        Metric::Cosine,
        Metric::Correlation,
        Metric::SquaredEuclidean,
        Metric::Canberra,
        Metric::BrayCurtis,
        Metric::Hamming,
        Metric::Jaccard,
        Metric::Hellinger,
    ];

    /// Its name in lower case, as [`str::parse`] reads it; that also reads scipy's `sqeuclidean`, `braycurtis` and
    /// `cityblock`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Euclidean => "euclidean",
            Metric::Manhattan => "manhattan",
            Metric::Chebyshev => "chebyshev",
            Metric::Cosine => "cosine",
            Metric::Correlation => "correlation",
            Metric::SquaredEuclidean => "squared_euclidean",
            Metric::Canberra => "canberra",
            Metric::BrayCurtis => "bray_curtis",
            Metric::Hamming => "hamming",
            Metric::Jaccard => "jaccard",
            Metric::Hellinger => "hellinger",
        }
    }

    pub(crate) fn kernel(self) -> Kernel {
        match self {
            Metric::Manhattan => Kernel::Absolutes,
            Metric::Chebyshev => Kernel::Largest,
            Metric::Euclidean | Metric::SquaredEuclidean | Metric::Cosine | Metric::Correlation | Metric::Hellinger => {
                Kernel::Squares
            }
            Metric::Canberra => Kernel::Ratios,
            Metric::BrayCurtis => Kernel::Parts,
            Metric::Hamming => Kernel::Unlike,
            Metric::Jaccard => Kernel::Sets,
        }
    }

    /// The distance, from what the kernel computes on prepared rows; `scale` is what these were multiplied by.
    pub(crate) fn finish(self, value: f32, scale: f32) -> f32 {
        let distance = match self {
            Metric::Euclidean => value.sqrt() / scale,
            Metric::SquaredEuclidean => value / scale / scale,
            Metric::Manhattan | Metric::Chebyshev => value / scale,
            // Unit vectors: |x − y|² = 2 (1 − x·y).
            Metric::Cosine | Metric::Correlation => 0.5 * value,
            Metric::Hellinger => (0.5 * value).sqrt(),
            Metric::Canberra | Metric::BrayCurtis | Metric::Hamming | Metric::Jaccard => value,
        };
        distance.min(f32::MAX)
    }
}

impl std::str::FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let name = match name {
            "sqeuclidean" => "squared_euclidean",
            "braycurtis" => "bray_curtis",
            "cityblock" => "manhattan",
            name => name,
        };
        Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
            Error::setting(
                "metric",
                name,
                "must be euclidean, manhattan, chebyshev, cosine, correlation, squared_euclidean, canberra, bray_curtis, \
                 hamming, jaccard or hellinger",
            )
        })
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
