//! Panics whose messages go into the kit's report and not to stderr.

use crate::core::plugin;
use std::cell::Cell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Where the last quiet panic began, as "file:line".
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// The result of `work`, or the message and place of its panic, which is not printed. Panics of other threads are, as usual.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                return usual(panic);
            }
            PLACE.set(panic.location().map(|at| format!("{}:{}", at.file(), at.line())));
        }));
    });
    let before = QUIET.replace(true);
    let result = plugin::caught(work);
    QUIET.set(before);
    result.map_err(|message| match PLACE.take() {
        Some(place) => format!("{message} ({place})"),
        None => message,
    })
}
