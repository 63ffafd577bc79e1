//! The recursion: trees, evidence, their life and their limits.

mod evidence;
mod fit;
mod growing;
mod latent_classes;
mod second_look;
mod tree_life;
mod weights;
