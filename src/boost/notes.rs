//! Words for a run's notes.

/// A list of numbers in words, of long lists the beginning.
pub(super) fn listed(numbers: &[usize]) -> String {
    const MOST: usize = 12;
    let text = numbers.iter().take(MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match numbers.len().saturating_sub(MOST) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
