//! How an algorithm is run: seed, threads, progress, cancellation. Never what it computes.

use super::{Cancel, Error, Event, Observer, Result, random};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The circumstances of a run: seed, threads, progress observer, cancellation.
///
/// Cheap to clone. The seed alone changes results; the number of threads never does.
///
/// ```
/// use recluster::Run;
/// let run = Run::new().seed(7).threads(2);
/// assert_ne!(run.key(), Run::new().seed(8).key());
/// ```
#[derive(Clone)]
#[must_use]
pub struct Run {
    seed: u64,
    /// Mixed from the seed and the names of all scopes entered.
    key: u64,
    scope: Arc<str>,
    /// The names of all scopes entered, outermost first.
    entered: Vec<Arc<str>>,
    pool: Arc<Pool>,
    observer: Option<Arc<dyn Observer>>,
    cancel: Cancel,
}

/// Threads of a run at most: more would be at work for minutes before they began.
#[cfg(feature = "rayon")]
const MOST_THREADS: usize = 4096;

/// Threads of a run, started at first use.
struct Pool {
    threads: usize,
    #[cfg(feature = "rayon")]
    started: std::sync::OnceLock<rayon::ThreadPool>,
}

impl Pool {
    fn new(threads: usize) -> Self {
        Pool {
            threads,
            #[cfg(feature = "rayon")]
            started: std::sync::OnceLock::new(),
        }
    }

    /// The threads, if they are the run's own.
    #[cfg(feature = "rayon")]
    fn start(&self) -> Result<Option<&rayon::ThreadPool>> {
        if self.threads > 0 && self.started.get().is_none() {
            if self.threads > MOST_THREADS {
                return Err(self.failed("at most 4096 are started"));
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
            // A lost race only drops the spare pool.
            let _ = self.started.set(pool.map_err(|e| self.failed(&e.to_string()))?);
        }
        Ok(self.started.get())
    }

    #[cfg(feature = "rayon")]
    fn failed(&self, reason: &str) -> Error {
        Error::Threads { threads: self.threads, reason: reason.to_string() }
    }
}

impl Default for Run {
    fn default() -> Self {
        Run::new()
    }
}

impl Run {
    /// Seed 0, all threads, no observer.
    pub fn new() -> Self {
        Run {
            seed: 0,
            key: random::mix(0x7265_636c),
            scope: Arc::from(""),
            entered: Vec::new(),
            pool: Arc::new(Pool::new(0)),
            observer: None,
            cancel: Cancel::default(),
        }
    }

    /// Sets the seed of every random draw; default 0. Inside a scope, draws stay the scope's own.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        let top = random::mix(random::mix(seed).wrapping_add(0x7265_636c));
        self.key = self.entered.iter().fold(top, |key, scope| enter(key, scope));
        self
    }

    /// Sets the number of threads; 0, the default, takes all. Results never depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.pool = Arc::new(Pool::new(threads));
        self
    }

    /// Sets the observer, which receives progress events and notes.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets the handle through which the run can be cancelled from another thread.
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// The seed as it was set.
    pub fn seed_value(&self) -> u64 {
        self.seed
    }

    /// A number that stands for the seed and the scope; what counter-based random draws are keyed with.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// A random generator of this scope's own: one ChaCha stream for each scope under the run's seed.
    pub fn rng(&self) -> rand_chacha::ChaCha8Rng {
        use rand::SeedableRng;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(self.key);
        rng
    }

    /// The same run inside a named scope, such as the node `0.2` of a tree, with random draws of its own.
    pub fn at(&self, scope: &str) -> Run {
        let mut inner = self.clone();
        inner.key = enter(self.key, scope);
        inner.entered.push(Arc::from(scope));
        inner.scope = if self.scope.is_empty() { Arc::from(scope) } else { format!("{} {scope}", self.scope).into() };
        inner
    }

    /// The name of the scope, for progress; empty at the top.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Runs `work` on this run's threads. Parallel loops inside use them; nesting is free.
    ///
    /// # Errors
    /// [`Error::Threads`] when the threads cannot be started.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R> {
        #[cfg(feature = "rayon")]
        if let Some(pool) = self.pool.start()? {
            // The pool sees no type: its machinery is compiled once, not for each use.
            fn inside(pool: &rayon::ThreadPool, work: &mut (dyn FnMut() + Send)) {
                pool.install(work);
            }
            let (mut work, mut result) = (Some(work), None);
            inside(pool, &mut || result = work.take().map(|work| work()));
            return result.ok_or_else(|| self.pool.failed("no thread did the work"));
        }
        Ok(work())
    }

    /// Begins a stage of `total` steps: its progress and duration go to the observer, and each step can be cancelled.
    pub fn stage(&self, name: &'static str, total: usize) -> Stage<'_> {
        self.tell(Event::Started { scope: &self.scope, stage: name, total });
        Stage { run: self, name, total, done: AtomicUsize::new(0), began: Instant::now() }
    }

    /// Sends the observer something that a user should know, such as a fallback that was taken.
    pub fn note(&self, text: &str) {
        self.tell(Event::Note { scope: &self.scope, text });
    }

    fn tell(&self, event: Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.event(&event);
        }
    }
}

/// The key inside a named scope.
fn enter(key: u64, scope: &str) -> u64 {
    scope.bytes().fold(random::mix(key), |key, byte| random::mix(key ^ u64::from(byte)))
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("seed", &self.seed)
            .field("threads", &self.pool.threads)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A stage under way. Dropping it ends the stage.
#[derive(Debug)]
pub struct Stage<'a> {
    run: &'a Run,
    name: &'static str,
    total: usize,
    /// Steps that were counted one by one.
    done: AtomicUsize,
    began: Instant,
}

impl Stage<'_> {
    /// Reports that `done` of the stage's steps are done. May be called from any thread.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the run has been cancelled.
    pub fn step(&self, done: usize) -> Result<()> {
        self.check()?;
        self.run.tell(Event::Advanced { scope: &self.run.scope, stage: self.name, done, total: self.total });
        Ok(())
    }

    /// Reports that one more step is done, where they end in no order. May be called from any thread.
    pub(crate) fn advance(&self) -> Result<()> {
        self.step(1 + self.done.fetch_add(1, Ordering::Relaxed))
    }

    /// Only checks for cancellation; cheap enough for inner loops over blocks.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the run has been cancelled.
    pub fn check(&self) -> Result<()> {
        if self.run.cancel.is_cancelled() { Err(Error::Cancelled { stage: self.name }) } else { Ok(()) }
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.run.tell(Event::Finished { scope: &self.run.scope, stage: self.name, seconds });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_keys_and_streams_of_their_own() {
        use rand::Rng;
        let run = Run::new().seed(1);
        assert_ne!(run.at("0.1").key(), run.at("0.2").key());
        assert_eq!(run.at("0.1").key(), Run::new().seed(1).threads(3).at("0.1").key());
        assert_ne!(run.at("0.1").rng().next_u64(), run.at("0.2").rng().next_u64());
        assert_eq!(run.at("0").at("core").scope(), "0 core");
    }

    #[test]
    fn a_seed_set_inside_a_scope_leaves_the_scope_its_own_draws() {
        use rand::Rng;
        let run = Run::new();
        let (first, second) = (run.at("0.1").seed(7), run.at("0.2").seed(7));
        assert_ne!(first.key(), second.key());
        assert_ne!(first.rng().next_u64(), second.rng().next_u64());
        // Seed and scopes count, not the order in which they were set.
        assert_eq!(first.key(), Run::new().seed(7).at("0.1").key());
        assert_eq!(run.at("0").seed(7).at("core").key(), Run::new().seed(7).at("0").at("core").key());
    }

    #[test]
    fn a_cancelled_run_says_so_at_the_next_step() {
        let cancel = Cancel::default();
        let run = Run::new().cancel(cancel.clone());
        let stage = run.stage("layout", 10);
        assert!(stage.step(1).is_ok() && stage.advance().is_ok() && stage.advance().is_ok());
        assert_eq!(stage.done.load(Ordering::Relaxed), 2);
        cancel.cancel();
        assert!(matches!(stage.step(2), Err(Error::Cancelled { stage: "layout" })));
    }
}
