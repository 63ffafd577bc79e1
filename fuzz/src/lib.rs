//! Hostile input: what each fuzz target does with the bytes that it is given.
//!
//! The program's readers are no part of the library. They are compiled here from their own sources, so that a fuzz target runs
//! the very functions that the program runs.

#![allow(missing_docs)]

pub(crate) mod bytes;
pub(crate) mod heap;
pub mod targets;

macro_rules! of_the_program {
    ($($name:ident = $path:literal),* $(,)?) => {$(
        #[allow(dead_code, unused_imports, unreachable_pub)]
        #[path = $path]
        pub(crate) mod $name;
    )*};
}
of_the_program! {
    args = "../../src/bin/recluster/args/mod.rs",
    failure = "../../src/bin/recluster/failure.rs",
    input = "../../src/bin/recluster/input/mod.rs",
    kinds = "../../src/bin/recluster/kinds.rs",
    names = "../../src/bin/recluster/names.rs",
    output = "../../src/bin/recluster/output.rs",
}
