//! Parallel loops whose results do not depend on the number of threads.
//!
//! Work is cut into pieces of a fixed size, never by the number of threads, and results come back in the order of the
//! pieces. Without the feature `rayon` the same pieces run one after the other.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Calls `work(i)` for i in 0..n; where `alone`, each as a task of its own, else as many together as threads make useful.
///
/// Takes no type parameter, so that the machinery of threads is compiled once and not anew for each loop of the crate,
/// which was a fifth of all code given to the compiler's back end. An indirect call is nothing beside a task.
fn each(n: usize, alone: bool, work: &(dyn Fn(usize) + Sync)) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        let most = if alone { 1 } else { n.max(1) };
        (0..n).into_par_iter().with_max_len(most).for_each(work);
    }
    #[cfg(not(feature = "rayon"))]
    {
        let _ = alone;
        (0..n).for_each(work);
    }
}

/// What the task of one number takes or leaves.
type Slot<T> = Mutex<Option<T>>;

fn taken<T>(slot: &Slot<T>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Calls `work(index of the chunk, chunk)` for chunks of `size` items each (the last may be shorter).
pub(crate) fn for_each_chunk<T: Send>(items: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync + Send) {
    let size = size.max(1);
    // One piece, such as a single row to predict, wakes no other thread.
    if items.len() <= size {
        if !items.is_empty() {
            work(0, items);
        }
        return;
    }
    let chunks: Vec<Slot<&mut [T]>> = items.chunks_mut(size).map(|chunk| Mutex::new(Some(chunk))).collect();
    each(chunks.len(), false, &|i| {
        if let Some(chunk) = taken(&chunks[i]) {
            work(i, chunk);
        }
    });
}

/// The results of `work(range)` over consecutive ranges of `size` numbers that cover 0..n, in order.
pub(crate) fn map_ranges<R: Send>(n: usize, size: usize, work: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
    let size = size.max(1);
    let range = |i: usize| i * size..((i + 1) * size).min(n);
    map(n.div_ceil(size), |i| work(range(i)))
}

/// The results of `work(i)` for i in 0..n, in order. Each call should be worth a task.
pub(crate) fn map<R: Send>(n: usize, work: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    if n <= 1 {
        return (0..n).map(work).collect();
    }
    let results: Vec<Slot<R>> = (0..n).map(|_| Mutex::new(None)).collect();
    each(n, true, &|i| {
        let result = work(i);
        *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    });
    results.iter().filter_map(taken).collect()
}

/// Both results, computed side by side where threads allow.
pub(crate) fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    #[cfg(feature = "rayon")]
    return rayon::join(a, b);
    #[cfg(not(feature = "rayon"))]
    (a(), b())
}

/// Runs `work` on one of the threads that share the work of its parallel loops, so that starting each of very many short
/// ones wakes nobody and waits for nobody.
pub(crate) fn within<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    join(work, || ()).0
}

/// Threads that share the work: for what memory may be spent on, never for how work is cut.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "rayon")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "rayon"))]
    1
}

/// Rounds after one another, round r of `counts[r]` pieces that threads share: `work(state, round, piece)`. When all
/// pieces of a round are done, `commit(state, round, results)` takes them in, in order, before the next round begins.
///
/// For rounds of some ten microseconds: threads are asked to help once, and then wait for each other awake.
pub(crate) fn rounds<S: Send + Sync, R: Send>(
    state: &mut S,
    counts: &[usize],
    work: impl Fn(&S, usize, usize) -> R + Sync,
    mut commit: impl FnMut(&mut S, usize, Vec<R>) + Send,
) {
    #[cfg(feature = "rayon")]
    {
        let most = counts.iter().fold(0, |most, &count| most.max(count));
        let helpers = most.min(rayon::current_num_threads()).saturating_sub(1);
        if helpers > 0 {
            return shared::Rounds::new(state, counts, most, work).lead(helpers, commit);
        }
    }
    for (round, &count) in counts.iter().enumerate() {
        let results = (0..count).map(|piece| work(state, round, piece)).collect();
        commit(state, round, results);
    }
}

#[cfg(feature = "rayon")]
mod shared {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Mutex, PoisonError, RwLock};

    /// What the threads that work on [`super::rounds`] share.
    pub(super) struct Rounds<'a, S, R, W> {
        state: RwLock<&'a mut S>,
        counts: &'a [usize],
        work: W,
        /// The round that is under way in the upper half, its next free piece in the lower.
        next: AtomicU64,
        /// Pieces of the round that are done.
        done: AtomicUsize,
        results: Vec<Mutex<Option<R>>>,
    }

    /// Counts a piece as done when it goes, be it by a panic: nobody waits for ever.
    struct Done<'a>(&'a AtomicUsize);

    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    impl<'a, S: Send + Sync, R: Send, W: Fn(&S, usize, usize) -> R + Sync> Rounds<'a, S, R, W> {
        pub(super) fn new(state: &'a mut S, counts: &'a [usize], most: usize, work: W) -> Self {
            let results = (0..most).map(|_| Mutex::new(None)).collect();
            let (next, done) = (AtomicU64::new(0), AtomicUsize::new(0));
            Rounds { state: RwLock::new(state), counts, work, next, done, results }
        }

        /// Does all rounds. Helpers that are late find less to do; nothing depends on their coming.
        pub(super) fn lead(self, helpers: usize, mut commit: impl FnMut(&mut S, usize, Vec<R>) + Send) {
            let all = &self;
            rayon::scope(|scope| {
                (0..helpers).for_each(|_| scope.spawn(|_| all.help()));
                let _end = End(all);
                for (round, &count) in all.counts.iter().enumerate() {
                    while all.piece() {}
                    let mut patience = Patience::default();
                    while all.done.load(SeqCst) < count {
                        patience.wait();
                    }
                    let taken = all.results[..count].iter();
                    let results =
                        taken.filter_map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take()).collect();
                    commit(&mut all.state.write().unwrap_or_else(PoisonError::into_inner), round, results);
                    all.done.store(0, SeqCst);
                    all.next.store((round as u64 + 1) << 32, SeqCst);
                }
            });
        }

        fn help(&self) {
            let mut patience = Patience::default();
            while (self.next.load(SeqCst) >> 32) < self.counts.len() as u64 {
                match self.piece() {
                    true => patience = Patience::default(),
                    false => patience.wait(),
                }
            }
        }

        /// Does a piece of the round under way; false where none is free.
        fn piece(&self) -> bool {
            let place = |next: u64| ((next >> 32) as usize, next as u32 as usize);
            let free = |next: u64| place(next).1 < self.counts.get(place(next).0).copied().unwrap_or(0);
            if !free(self.next.load(SeqCst)) {
                return false;
            }
            // Another thread may have taken the last piece meanwhile; then the number just runs on.
            let next = self.next.fetch_add(1, SeqCst);
            if free(next) {
                let (round, piece) = place(next);
                let _done = Done(&self.done);
                let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
                let result = (self.work)(&state, round, piece);
                *self.results[piece].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            }
            true
        }
    }

    /// Sends helpers home, be it by a panic.
    struct End<'b, 'a, S, R, W>(&'b Rounds<'a, S, R, W>);

    impl<S, R, W> Drop for End<'_, '_, S, R, W> {
        fn drop(&mut self) {
            self.0.next.store(u64::MAX << 32, SeqCst);
        }
    }

    /// Waiting that leaves the processor to others when it takes long.
    #[derive(Default)]
    struct Patience(u32);

    impl Patience {
        fn wait(&mut self) {
            self.0 += 1;
            if self.0 < 200 { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

/// Sorts by a key that is different for every two items whose order matters.
pub(crate) fn sort_by_key<T: Send, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K + Sync) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        items.par_sort_unstable_by_key(key);
    }
    #[cfg(not(feature = "rayon"))]
    items.sort_unstable_by_key(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each round adds to every number what the round before left in the others.
    fn mixed(counts: &[usize]) -> Vec<u64> {
        let mut state: Vec<u64> = (0..40).collect();
        rounds(
            &mut state,
            counts,
            |state, round, piece| state.iter().fold(piece as u64, |a, x| (a ^ x).wrapping_mul(31 + round as u64)),
            |state, round, results| {
                assert_eq!(results.len(), counts[round]);
                results.iter().zip(state).for_each(|(result, x)| *x = x.wrapping_add(*result));
            },
        );
        state
    }

    #[test]
    fn rounds_see_all_of_the_rounds_before() {
        let counts: Vec<usize> = (0..2000).map(|round| round * 7 % 40).collect();
        let mut plain: Vec<u64> = (0..40).collect();
        for (round, &count) in counts.iter().enumerate() {
            let results: Vec<u64> = (0..count)
                .map(|piece| plain.iter().fold(piece as u64, |a, x| (a ^ x).wrapping_mul(31 + round as u64)))
                .collect();
            results.iter().zip(&mut plain).for_each(|(result, x)| *x = x.wrapping_add(*result));
        }
        assert_eq!(mixed(&counts), plain);
        assert_eq!(mixed(&[]), (0..40).collect::<Vec<u64>>());
        #[cfg(feature = "rayon")]
        for threads in [1, 2, 5, 16] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| mixed(&counts)), plain);
            // Side by side in one pool: nobody waits for helpers that never come.
            let many = pool.install(|| map(12, |_| mixed(&counts[..200])));
            assert!(many.iter().all(|state| *state == mixed(&counts[..200])));
        }
    }

    #[cfg(feature = "rayon")]
    #[test]
    fn a_panic_in_a_piece_ends_the_rounds() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let work = |_: &usize, round: usize, piece: usize| assert!(round < 20 || piece != 3);
        let all = || pool.install(|| rounds(&mut 0, &[8; 50], work, |done, _, _| *done += 1));
        let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(all));
        assert!(end.is_err());
    }
}
