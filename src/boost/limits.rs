//! Limits of tables and models.

/// Category numbers are below this: integers up to it are exact in f32.
pub(crate) const MOST_CATEGORIES: u32 = 1 << 24;

/// Splits on the paths to the leaves of a tree, on average at most: far more than the 64 levels of a tree grown here.
pub(crate) const MOST_STEPS: usize = 512;

/// Most features of a model, so that a damaged file cannot claim a number that exhausts memory.
pub(crate) const MOST_FEATURES: usize = 1 << 24;
