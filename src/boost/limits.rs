//! Limits of tables and models.

/// Category numbers are below this: integers up to it are exact in f32.
pub(crate) const MOST_CATEGORIES: u32 = 1 << 24;

/// Most features of a model, so that a damaged file cannot claim a number that exhausts memory.
pub(crate) const MOST_FEATURES: usize = 1 << 24;
