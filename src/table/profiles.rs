//! Outside variables: columns that make no clusters, and are shown for each.

use super::Schema;
use super::field::{Field, Role, Scale};

impl Schema {
    /// The outside variables (the columns of [`Role::Profile`]) as the features of a schema of their own, which
    /// [encodes](Schema::encode) them; None where there are none. Those without levels to count are dropped in it, with the
    /// reason.
    ///
    /// ```
    /// use recluster::table::{Column, Role, Schema, Table, Values};
    /// let table = Table::new(vec![
    ///     Column::new("visits", Values::numbers([3.0, 40.0, 7.5])),
    ///     Column::new("country", Values::words(["PT", "NL", "PT"].map(Some))),
    /// ])?;
    /// let schema = Schema::infer(&table).with_role(Role::Profile, &["country"])?;
    /// assert_eq!(schema.feature_names(), ["visits"]);
    /// let outside = schema.profiles().unwrap();
    /// assert_eq!(outside.feature_names(), ["country"]);
    /// assert_eq!(outside.encode(&table)?, ndarray::array![[1.0], [0.0], [1.0]]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn profiles(&self) -> Option<Schema> {
        let outside = |field: &Field| {
            // They are counted, not compared: their scale does not matter.
            let field = Field { role: Role::Feature, scale: Scale::Linear, ..field.clone() };
            match field.lacks_levels() {
                true => Field {
                    role: Role::Dropped,
                    reason: field.reason.clone().or_else(|| Some("it has no levels".into())),
                    ..field
                },
                false => field,
            }
        };
        let fields: Vec<Field> = self.of_role(Role::Profile).map(outside).collect();
        (!fields.is_empty()).then(|| Schema::sorted(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Amendment, Column, Table, Values};

    #[test]
    fn levels_stay_and_what_has_none_is_dropped_with_the_reason() {
        let id: Vec<String> = (0..400).map(|i| format!("c{i}")).collect();
        let table = Table::new(vec![
            Column::new("customer", Values::words(id.iter().map(Some))),
            Column::new("note", Values::words(id.iter().map(Some))),
            Column::new("country", Values::words((0..400).map(|i| Some(["PT", "NL", "BE"][i % 3])))),
            Column::new("same", Values::words((0..400).map(|_| Some("x")))),
            Column::new("visits", Values::numbers((0..400).map(|i| f64::from(i * i) * 0.5))),
        ])
        .unwrap();
        let amended = Amendment { role: Some(Role::Profile), ..Amendment::of("note") };
        let names = ["customer", "country", "same", "visits"];
        let schema = Schema::infer(&table).amended(&table, &[amended]).unwrap();
        assert_eq!(schema.profiles().unwrap().feature_names(), Vec::<String>::new());
        let outside = schema.with_role(Role::Profile, &names).unwrap().profiles().unwrap();
        assert_eq!(outside.feature_names(), ["country", "visits"]);
        assert_eq!(
            (&outside.fields()[0].levels[..], outside.fields()[4].scale),
            (&["BE", "NL", "PT"].map(String::from)[..], Scale::Linear)
        );
        let skipped: Vec<_> = outside.set_aside().collect();
        let unlike = "texts, no two alike";
        assert_eq!(skipped, [("customer", unlike), ("note", unlike), ("same", "\"x\" in every row")]);
        assert_eq!(outside.encode(&table).unwrap().dim(), (400, 2));
        assert_eq!(Schema::infer(&table).profiles(), None);
    }
}
