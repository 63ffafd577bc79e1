//! What a metric of one's own is.

/// A metric of one's own: how far two rows are from each other.
///
/// It has to be symmetric, at least 0, and 0 for equal rows; a value that is negative counts as 0, one that is infinite or
/// not a number as the largest there is, [`f32::MAX`]: such pairs come after all others. The triangle inequality is not
/// needed: searches only miss more without something like it. The result must depend on the two rows alone, or the promise
/// of the same bits is void.
///
/// ```
/// use ndarray::array;
/// use recluster::{Run, neighbors::{Distance, Measure, Nearest}};
///
/// /// Differences in the first column count ten times.
/// struct FirstFirst;
///
/// impl Distance for FirstFirst {
///     fn name(&self) -> &str {
///         "first first"
///     }
///     fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
///         let weight = |i| if i == 0 { 10.0 } else { 1.0 };
///         a.iter().zip(b).enumerate().map(|(i, (x, y))| weight(i) * (x - y).abs()).sum()
///     }
/// }
///
/// let rows = array![[0.0f32, 0.0], [1.0, 0.0], [0.0, 7.0]];
/// let found = Nearest::new(2).metric(Measure::own(FirstFirst)).find(&rows, &Run::new())?;
/// assert_eq!(found.indices, array![[0, 2], [1, 0], [2, 0]]);
/// assert_eq!(found.distances, array![[0.0, 7.0], [0.0, 10.0], [0.0, 7.0]]);
/// # Ok::<(), recluster::Error>(())
/// ```
pub trait Distance: Send + Sync {
    /// What tells it from other metrics: saved models hold the name, and need a metric of that name again.
    fn name(&self) -> &str;

    /// The distance of two rows of equal length.
    fn distance(&self, a: &[f32], b: &[f32]) -> f32;
}
