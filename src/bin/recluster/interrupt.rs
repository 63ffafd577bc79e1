//! Ctrl-C: the work ends at its next step and its temporary files are removed; the second time the program ends at once.

use crate::failure::INTERRUPTED;
use recluster::Cancel;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What Ctrl-C cancels, and the signal by which services are asked to end.
pub(crate) fn watched() -> Cancel {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal only sets the flag. Where signals cannot be caught, they end the program as before.
        let _ = flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&flag))
            .and_then(|_| flag::register(signal, Arc::clone(&flag)));
    }
    Cancel::from(flag)
}
