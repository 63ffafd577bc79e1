//! Columns by name.

use super::{Error, Result};
use std::collections::HashMap;

/// For each of the columns that are `expected`, such as a model's, its place among those `found` in a table: `found` has the
/// same names, in any order.
///
/// ```
/// use ndarray::{Axis, array};
/// use recluster::{Error, match_columns};
/// let table = array![[170.0f32, 31.0], [181.0, 44.0]];
/// let places = match_columns(&["age", "height"], &["height", "age"])?;
/// assert_eq!(table.select(Axis(1), &places), array![[31.0, 170.0], [44.0, 181.0]]);
/// let other = match_columns(&["age", "height"], &["age", "weight"]);
/// assert!(matches!(other, Err(Error::Columns { missing, unknown, .. }) if missing == ["height"] && unknown == ["weight"]));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::Columns`] with the names that are missing among `found`, that are not `expected`, and that either side has more
/// than once. O(columns).
pub fn match_columns(expected: &[impl AsRef<str>], found: &[impl AsRef<str>]) -> Result<Vec<usize>> {
    let mut repeated = Vec::new();
    let known = places(expected, &mut repeated);
    let given = places(found, &mut repeated);
    let not_in = |names: &mut dyn Iterator<Item = &str>, from: &HashMap<&str, usize>| -> Vec<String> {
        names.filter(|name| !from.contains_key(name)).map(str::to_string).collect()
    };
    let missing = not_in(&mut expected.iter().map(AsRef::as_ref), &given);
    let unknown = not_in(&mut found.iter().map(AsRef::as_ref), &known);
    if missing.is_empty() && unknown.is_empty() && repeated.is_empty() {
        return Ok(expected.iter().filter_map(|name| given.get(name.as_ref()).copied()).collect());
    }
    repeated.sort_unstable();
    repeated.dedup();
    Err(Error::Columns { missing, unknown, repeated })
}

/// Where each name stands first; those that stand elsewhere too are put down.
fn places<'a>(names: &'a [impl AsRef<str>], repeated: &mut Vec<String>) -> HashMap<&'a str, usize> {
    let mut places = HashMap::with_capacity(names.len());
    for (place, name) in names.iter().map(AsRef::as_ref).enumerate() {
        if *places.entry(name).or_insert(place) != place {
            repeated.push(name.to_string());
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named() {
        assert_eq!(match_columns(&["a", "b", "c"], &["c", "a", "b"]).unwrap(), [1, 2, 0]);
        let none: [&str; 0] = [];
        assert!(match_columns(&none, &none).unwrap().is_empty());
        let why = |expected: &[&str], found: &[&str]| match_columns(expected, found).unwrap_err().to_string();
        assert_eq!(why(&["a", "b"], &["a"]), "columns do not match: missing \"b\"");
        assert_eq!(why(&["a"], &["b", "a"]), "columns do not match: unknown \"b\"");
        assert_eq!(why(&["a", "b"], &["b", "a", "b", "b"]), "columns do not match: more than once \"b\"");
        assert_eq!(why(&["a", "a"], &["a", "a"]), "columns do not match: more than once \"a\"");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(
            why(&many, &["x"]),
            "columns do not match: missing \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more; unknown \"x\""
        );
    }
}
