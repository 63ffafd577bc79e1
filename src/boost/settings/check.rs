//! Settings outside their ranges are refused.

use super::Boost;
use crate::{Error, Result};

/// Most rows that are made up for each row of a class.
const MOST_MADE_UP: f64 = 100.0;

/// Most passes over the leaf values: more change nothing.
const MOST_PASSES: usize = 100;

impl Boost {
    /// Refuses settings outside their ranges.
    pub(in crate::boost) fn check(&self) -> Result<()> {
        let at_least_zero = |name, value: f64| {
            if value.is_finite() && value >= 0.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "must be a finite number, at least 0"))
            }
        };
        let share = |name, value: f64| {
            if value > 0.0 && value <= 1.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "must be above 0 and at most 1"))
            }
        };
        for (name, share) in [("shuffled_rows", self.shuffled_rows), ("guard_rows", self.guard_rows)] {
            // So many rows are made, and kept while the model learns.
            if !(0.0..=MOST_MADE_UP).contains(&share) {
                return Err(Error::setting(name, share, "must be between 0 and 100"));
            }
        }
        if self.rounds == 0 {
            return Err(Error::setting("rounds", 0, "must be at least 1"));
        }
        if !(1..=64).contains(&self.max_depth) {
            return Err(Error::setting("max_depth", self.max_depth, "must be between 1 and 64"));
        }
        if !(2..=256).contains(&self.max_bins) {
            return Err(Error::setting("max_bins", self.max_bins, "must be between 2 and 256"));
        }
        if !(1e-12..=1e12).contains(&self.scale_pos_weight) {
            return Err(Error::setting("scale_pos_weight", self.scale_pos_weight, "must be between 1e-12 and 1e12"));
        }
        let scaled = self.scale_pos_weight != 1.0;
        if self.balanced && scaled {
            return Err(Error::setting(
                "scale_pos_weight",
                self.scale_pos_weight,
                "must be 1 where labels are balanced",
            ));
        }
        if self.max_leaves == 1 {
            return Err(Error::setting("max_leaves", 1, "must be 0 (no limit) or at least 2"));
        }
        if let Some(direction) = self.monotone.iter().find(|d| !(-1..=1).contains(*d)) {
            return Err(Error::setting("monotone", direction, "must be -1, 0 or 1 for each column"));
        }
        if self.refit > MOST_PASSES {
            return Err(Error::setting("refit", self.refit, "must be at most 100"));
        }
        if self.refit > 0 && self.monotone.iter().any(|&direction| direction != 0) {
            return Err(Error::setting("refit", self.refit, "must be 0 with monotone constraints"));
        }
        let counts = [("max_cat_to_onehot", self.max_cat_to_onehot), ("max_cat_threshold", self.max_cat_threshold)];
        for (name, value) in counts.into_iter().chain(self.early_stopping.map(|rounds| ("early_stopping", rounds))) {
            if value == 0 {
                return Err(Error::setting(name, 0, "must be at least 1"));
            }
        }
        if !(self.held_out > 0.0 && self.held_out < 1.0) {
            return Err(Error::setting("held_out", self.held_out, "must be between 0 and 1, both excluded"));
        }
        share("colsample_bylevel", self.colsample_bylevel)?;
        share("colsample_bynode", self.colsample_bynode)?;
        at_least_zero("lambda", self.lambda)?;
        at_least_zero("alpha", self.alpha)?;
        at_least_zero("gamma", self.gamma)?;
        at_least_zero("min_child_weight", self.min_child_weight)?;
        share("learning_rate", self.learning_rate)?;
        share("subsample", self.subsample)?;
        share("colsample_bytree", self.colsample_bytree)
    }

    /// For each of `features` columns whether it is categorical.
    pub(in crate::boost) fn categories(&self, features: usize) -> Result<Vec<bool>> {
        let mut categorical = vec![false; features];
        for &c in &self.categorical {
            let constrained = self.monotone.get(c).is_some_and(|&direction| direction != 0);
            match categorical.get_mut(c) {
                Some(_) if constrained => {
                    return Err(Error::setting(
                        "monotone",
                        c,
                        "a categorical column cannot have a monotone constraint",
                    ));
                }
                Some(is) => *is = true,
                None => return Err(Error::setting("categorical", c, "must be below the number of columns")),
            }
        }
        if self.monotone.len() > features {
            let given = format!("{} columns", self.monotone.len());
            return Err(Error::setting("monotone", given, "must not have more entries than the data has columns"));
        }
        Ok(categorical)
    }
}
