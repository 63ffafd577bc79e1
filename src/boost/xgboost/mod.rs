//! XGBoost's JSON, read and written.
//!
//! Read: boosters `gbtree` of the objectives `binary:logistic`, `reg:squarederror`, `multi:softprob` and
//! `multi:softmax` with numeric and categorical splits, as XGBoost 1.7 to 3.2 save them; `base_score` may be a number
//! or, from 3.1 on, a bracketed list. Anything else is an error that names it. Written: one output as `binary:logistic`
//! or `reg:squarederror`, or all as the classes of `multi:softprob`, with a scalar `base_score`, which every version reads.
//!
//! XGBoost sums margins in f32, this crate in f64. Leaf values of classifiers trained here are chosen so that sums in f32
//! are exact (`Loss::rounded`), and margins are the same; those of other models agree to f32's rounding.

mod read;
mod write;

use super::loss::logit;
use super::model::Link;
use crate::Error;

const FORMAT: &str = "XGBoost JSON model";

fn bad(reason: impl Into<String>) -> Error {
    Error::Format { format: FORMAT, reason: reason.into() }
}

/// The margin that XGBoost derives from a base score: for probabilities -ln(1 / p - 1), whose argument it rounds to f32,
/// which matters near 1.
fn margin_of(score: f32, link: Link) -> f64 {
    match link {
        Link::Logistic if score > 1e-6 && score < 1.0 - 1e-6 => -libm::log(f64::from(1.0 / score - 1.0)),
        Link::Logistic => logit(f64::from(score)),
        _ => f64::from(score),
    }
}
