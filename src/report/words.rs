//! Numbers and findings in words.

/// A share of a whole as a percentage, with a space that does not break the line.
pub(super) fn percent(share: f64) -> String {
    crate::core::percent(share).replace(' ', "\u{a0}")
}

/// A share of a whole in whole per cent; with decimals next to 0 and to 1.
pub(super) fn whole(share: f64) -> String {
    match share {
        s if s.is_nan() => "unknown".to_string(),
        s if s == 0.0 || s == 1.0 || (0.005..0.995).contains(&s) => format!("{:.0}\u{a0}%", 100.0 * s),
        s => percent(s),
    }
}

/// A whole number with thousands set apart.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A measured value with three digits that matter.
pub(super) fn value(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        "unknown".to_string()
    } else if size == 0.0 {
        "0".to_string()
    } else if !(1e-3..1e6).contains(&size) {
        format!("{number:.2e}")
    } else {
        let decimals = match size {
            s if s >= 99.95 => 0,
            s if s >= 9.995 => 1,
            s if s >= 0.9995 => 2,
            s if s >= 0.09995 => 3,
            _ => 4,
        };
        let text = format!("{number:.decimals$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            false => text,
        }
    }
}

/// One thing or several: "1 row", "1,797 rows".
pub(super) fn things(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// "a", "a and b", "a, b and c".
pub(super) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            (percent(0.1234), percent(0.0001), percent(0.0)),
            ("12.3\u{a0}%".into(), "0.010\u{a0}%".into(), "0.0\u{a0}%".into())
        );
        assert_eq!([0.0, 0.0042, 0.244, 1.0].map(whole), ["0\u{a0}%", "0.4\u{a0}%", "24\u{a0}%", "100\u{a0}%"]);
        assert_eq!((count(7), count(1797), count(1_234_567)), ("7".into(), "1,797".into(), "1,234,567".into()));
        for (number, text) in [
            (0.0, "0"),
            (2.34159, "2.34"),
            (-12.0, "-12"),
            (1234.4, "1234"),
            (0.012345, "0.0123"),
            (99.99, "100"),
            (1e9, "1.00e9"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(value(number), text);
        }
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!((things(1, "row", "rows"), things(2000, "row", "rows")), ("1 row".into(), "2,000 rows".into()));
    }
}
