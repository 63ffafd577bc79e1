//! Things to use again: buffers that parallel tasks take and give back.

use std::sync::{Mutex, PoisonError};

/// Things of one kind that nobody uses at present.
pub(crate) struct Spare<T> {
    free: Mutex<Vec<T>>,
}

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Spare { free: Mutex::new(Vec::new()) }
    }
}

impl<T> Spare<T> {
    /// A thing that was given back, with what its last user left in it, or a new one.
    pub(crate) fn take(&self, new: impl FnOnce() -> T) -> T {
        // Let go of the lock before a new one is made.
        let spare = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(new)
    }

    pub(crate) fn give(&self, thing: T) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(thing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_taken_again() {
        let spare = Spare::default();
        assert_eq!(spare.take(|| vec![1]), [1]);
        spare.give(vec![2]);
        assert_eq!((spare.take(|| vec![3]), spare.take(|| vec![4])), (vec![2], vec![4]));
    }
}
