//! A metric that is built in, or one's own.

use super::kernel::Kernel;
use super::metric::Metric;
use crate::{Error, Result};
use std::sync::Arc;

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
    /// What tells it from other metrics: saved models hold the name, and want a metric of that name again.
    fn name(&self) -> &str;

    /// The distance of two rows of equal length.
    fn distance(&self, a: &[f32], b: &[f32]) -> f32;
}

/// A built-in [`Metric`] or a [`Distance`] of one's own. Two of the latter are equal when their names are.
///
/// As data (feature `serde`) it is the name alone. A metric of one's own that was read back has lost its function: using
/// it is an [`Error::Setting`] until [`Measure::restore`] gives it back.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Stored", into = "Stored"))]
pub struct Measure(Kind);

#[derive(Clone)]
enum Kind {
    Built(Metric),
    Own(Arc<dyn Distance>),
    /// Read back by its name alone, which takes the feature `serde`.
    #[cfg_attr(not(feature = "serde"), allow(dead_code))]
    Lost(String),
}

/// By its name.
impl From<Measure> for crate::Setting {
    fn from(measure: Measure) -> Self {
        measure.name().into()
    }
}

impl Measure {
    /// A metric of one's own.
    pub fn own(distance: impl Distance + 'static) -> Self {
        Measure(Kind::Own(Arc::new(distance)))
    }

    /// The metric's name.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Built(metric) => metric.name(),
            Kind::Own(own) => own.name(),
            Kind::Lost(name) => name,
        }
    }

    /// The built-in metric, if it is one.
    pub fn built_in(&self) -> Option<Metric> {
        if let Kind::Built(metric) = self.0 { Some(metric) } else { None }
    }

    /// Gives a metric that was read back its function again.
    ///
    /// # Errors
    /// [`Error::Setting`] when `measure` has another name.
    pub fn restore(&mut self, measure: impl Into<Measure>) -> Result<()> {
        let measure = measure.into();
        if measure != *self {
            return Err(Error::setting("metric", measure.name(), "must have the name of the one that was saved"));
        }
        *self = measure;
        Ok(())
    }

    /// Refuses a metric without its function.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Kind::Lost(name) => {
                Err(Error::setting("metric", name, "is not built in: a loaded model must be given it again"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn kernel(&self) -> Kernel {
        match &self.0 {
            Kind::Built(metric) => metric.kernel(),
            Kind::Own(own) => Kernel::Own(own.clone()),
            Kind::Lost(_) => Kernel::Squares,
        }
    }

    /// The distance, from what the kernel computes on prepared rows; `scale` is what these were multiplied by.
    pub(crate) fn finish(&self, value: f32, scale: f32) -> f32 {
        match &self.0 {
            Kind::Built(metric) => metric.finish(value, scale),
            Kind::Own(_) | Kind::Lost(_) => value.min(f32::MAX),
        }
    }
}

impl Default for Measure {
    fn default() -> Self {
        Metric::default().into()
    }
}

impl From<Metric> for Measure {
    fn from(metric: Metric) -> Self {
        Measure(Kind::Built(metric))
    }
}

impl From<Arc<dyn Distance>> for Measure {
    fn from(distance: Arc<dyn Distance>) -> Self {
        Measure(Kind::Own(distance))
    }
}

impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.built_in() == other.built_in() && self.name() == other.name()
    }
}

impl std::fmt::Debug for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A built-in metric as its name, as before there were others; one's own as an object.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Stored {
    Built(Metric),
    Own { own: String },
}

#[cfg(feature = "serde")]
impl From<Stored> for Measure {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Built(metric) => metric.into(),
            Stored::Own { own } => Measure(Kind::Lost(own)),
        }
    }
}

#[cfg(feature = "serde")]
impl From<Measure> for Stored {
    fn from(measure: Measure) -> Self {
        match measure.built_in() {
            Some(metric) => Stored::Built(metric),
            None => Stored::Own { own: measure.name().to_string() },
        }
    }
}
