//! What a fitted thing makes of its own data when it is first needed.

use super::Result;
use std::sync::{Arc, OnceLock};

/// Something that follows from the data beside it: made at first use, shared with copies, never saved, no part of what
/// makes two things equal. Whoever changes the data puts a new, empty one in its place.
pub(crate) struct Cached<T>(OnceLock<Arc<T>>);

impl<T> Cached<T> {
    /// What was made, if it was.
    pub(crate) fn made(&self) -> Option<Arc<T>> {
        self.0.get().cloned()
    }

    /// What was made, or what `make` makes now. That happens outside the lock, since a thread that waited for it could be
    /// needed to make it; two that come first at once may both make it.
    pub(crate) fn get(&self, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        if let Some(made) = self.0.get() {
            return Ok(made.clone());
        }
        let made = Arc::new(make()?);
        Ok(self.0.get_or_init(|| made).clone())
    }
}

/// What a cell holds, or what `make` makes now; outside the lock, as [`Cached::get`] does.
pub(crate) fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    match cell.get() {
        Some(made) => made,
        None => {
            let made = make();
            cell.get_or_init(|| made)
        }
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Cached(OnceLock::new())
    }
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Cached(self.0.clone())
    }
}

impl<T> PartialEq for Cached<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> std::fmt::Debug for Cached<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "made" } else { "not yet made" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn what_was_made_is_made_once_and_shared() {
        let cached = Cached::<u32>::default();
        let failed = cached.get(|| Err(Error::setting("x", 0, "must be more")));
        assert!(failed.is_err());
        let made = cached.get(|| Ok(7)).unwrap();
        let copy = cached.clone();
        assert!(Arc::ptr_eq(&made, &copy.get(|| Ok(8)).unwrap()));
        assert_eq!((cached, format!("{copy:?}").as_str()), (Cached::default(), "made"));
    }
}
