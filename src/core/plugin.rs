//! Calls of algorithms that somebody else may have written.

use super::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` of an algorithm gives. Its own errors name it, and a panic is an error, so that a long fit ends with the name of
/// the algorithm and the node, and what was finished can be kept.
pub(crate) fn call<T>(room: &'static str, name: impl Fn() -> String, work: impl FnOnce() -> Result<T>) -> Result<T> {
    match caught(work) {
        Ok(Err(error @ Error::Plugin(_))) => Err(error.within(|| format!("{room} \"{}\"", name()))),
        Ok(result) => result,
        Err(message) => {
            Err(Error::Contract { room, name: name(), reason: format!("it panicked: {message}"), row: None })
        }
    }
}

/// The result of `work`, or the message of its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".into())
}
