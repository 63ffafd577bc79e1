//! Progress of a run, and its cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An event that an [`Observer`] receives.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A stage begins.
    Started {
        /// The scope, such as the path of a node; empty outside a tree.
        scope: &'a str,
        /// What, such as "layout".
        stage: &'static str,
        /// Its number of steps.
        total: usize,
    },
    /// A stage advanced.
    Advanced {
        /// The scope.
        scope: &'a str,
        /// The stage.
        stage: &'static str,
        /// Steps done.
        done: usize,
        /// Steps in all.
        total: usize,
    },
    /// A stage ended.
    Finished {
        /// The scope.
        scope: &'a str,
        /// The stage.
        stage: &'static str,
        /// How long it took.
        seconds: f64,
    },
    /// Something a user should know, such as a fallback that was taken.
    Note {
        /// The scope.
        scope: &'a str,
        /// What, in words.
        text: &'a str,
    },
}

/// Receives progress events: a progress bar, a log, a clock. Called from any thread.
///
/// ```
/// use recluster::{Event, Observer, Run};
/// struct Log;
/// impl Observer for Log {
///     fn event(&self, event: &Event<'_>) {
///         if let Event::Finished { scope, stage, seconds } = event {
///             eprintln!("{scope} {stage}: {seconds:.2} s");
///         }
///     }
/// }
/// let run = Run::new().observer(Log);
/// # let _ = run;
/// ```
pub trait Observer: Send + Sync {
    /// Receives one event; should return quickly.
    fn event(&self, event: &Event<'_>);
}

/// A handle that cancels the run it was given to, from any thread.
///
/// ```
/// use recluster::{Cancel, Run};
/// let cancel = Cancel::default();
/// let run = Run::new().cancel(cancel.clone());
/// cancel.cancel(); // every long computation under `run` now ends with `Error::Cancelled`
/// # let _ = run;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

/// A flag that something else sets, such as a signal handler: the run is cancelled once it is true.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Cancel(flag)
    }
}

impl Cancel {
    /// Cancels the run.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
