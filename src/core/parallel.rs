//! Parallel loops whose results do not depend on the number of threads.
//!
//! Work is cut into pieces of a fixed size, never by the number of threads, and results come back in the order of the
//! pieces. Without the feature `rayon` the same pieces run one after the other.

use std::ops::Range;

/// Calls `work(index of the chunk, chunk)` for chunks of `size` items each (the last may be shorter).
pub(crate) fn for_each_chunk<T: Send>(items: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync + Send) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        items.par_chunks_mut(size.max(1)).enumerate().for_each(|(i, chunk)| work(i, chunk));
    }
    #[cfg(not(feature = "rayon"))]
    items.chunks_mut(size.max(1)).enumerate().for_each(|(i, chunk)| work(i, chunk));
}

/// The results of `work(range)` over consecutive ranges of `size` numbers that cover 0..n, in order.
pub(crate) fn map_ranges<R: Send>(n: usize, size: usize, work: impl Fn(Range<usize>) -> R + Sync + Send) -> Vec<R> {
    let size = size.max(1);
    let range = |i: usize| i * size..((i + 1) * size).min(n);
    map(n.div_ceil(size), |i| work(range(i)))
}

/// The results of `work(i)` for i in 0..n, in order. Each call should be worth a task.
pub(crate) fn map<R: Send>(n: usize, work: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        (0..n).into_par_iter().with_max_len(1).map(work).collect()
    }
    #[cfg(not(feature = "rayon"))]
    (0..n).map(work).collect()
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

/// Sorts by a key that tells every two items apart or leaves their order irrelevant.
pub(crate) fn sort_by_key<T: Send, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K + Sync) {
    #[cfg(feature = "rayon")]
    {
        use rayon::prelude::*;
        items.par_sort_unstable_by_key(key);
    }
    #[cfg(not(feature = "rayon"))]
    items.sort_unstable_by_key(key);
}
