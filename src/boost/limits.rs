//! Limits of tables and models.

/// Category numbers are below this: whole numbers up to it are exact in f32.
pub(crate) const MOST_CATEGORIES: u32 = 1 << 24;

/// Most features of a model: tables that wide are out of reach, and a file's claim of more must not cost memory.
pub(crate) const MOST_FEATURES: usize = 1 << 24;
