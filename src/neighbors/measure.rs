//! A metric that is built in, or one's own.

use super::distance::Distance;
use super::kernel::Kernel;
use super::metric::Metric;
use crate::core::{AnyRows, parallel};
use crate::{Error, Result};
use std::sync::Arc;

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

    /// Refuses rows that the metric has no distances for.
    pub(crate) fn check_rows<'a>(&self, rows: impl Into<AnyRows<'a>>) -> Result<()> {
        let rows = rows.into();
        if let (AnyRows::Sparse(_), None | Some(Metric::Correlation)) = (rows, self.built_in()) {
            let allowed =
                "is not for sparse rows, which it would make dense: take another metric, or SparseRows::to_dense";
            return Err(Error::setting("metric", self.name(), allowed));
        }
        if self.built_in() != Some(Metric::Hellinger) {
            return Ok(());
        }
        let below = parallel::map_ranges(rows.values().len(), 1 << 18, |range| {
            let start = range.start;
            rows.values()[range].iter().position(|&value| value < 0.0).map(|at| start + at)
        });
        let Some(at) = below.into_iter().flatten().next() else { return Ok(()) };
        let (row, column) = rows.place(at);
        Err(Error::Negative { what: "hellinger distance", row, column, value: rows.values()[at] })
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
