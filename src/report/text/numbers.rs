//! Numbers and lists as a catalogue writes them.

use super::{Text, words};

impl Text {
    /// A share of a whole as a percentage, with a space that does not break the line.
    pub(in crate::report) fn percent(&self, share: f64) -> String {
        let number = crate::core::percent(share);
        words!(self, "percent", number = self.point(number.trim_end_matches([' ', '%'])))
    }

    /// A share of a whole in whole per cent; with decimals next to 0 and to 1.
    pub(in crate::report) fn whole(&self, share: f64) -> String {
        match share {
            s if s.is_nan() => words!(self, "number.unknown"),
            s if s == 0.0 || s == 1.0 || (0.005..0.995).contains(&s) => {
                words!(self, "percent", number = format!("{:.0}", 100.0 * s))
            }
            s => self.percent(s),
        }
    }

    /// A whole number with thousands set apart.
    pub(in crate::report) fn count(&self, number: usize) -> String {
        let digits = number.to_string();
        let between = self.raw("number.thousands");
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                text.push_str(between);
            }
            text.push(digit);
        }
        text
    }

    /// A measured value with three digits that matter.
    pub(in crate::report) fn value(&self, number: f64) -> String {
        let size = number.abs();
        if !number.is_finite() {
            return words!(self, "number.unknown");
        }
        if size == 0.0 {
            return "0".to_string();
        }
        if !(1e-3..1e6).contains(&size) {
            return self.point(&format!("{number:.2e}"));
        }
        let decimals = match size {
            s if s >= 99.95 => 0,
            s if s >= 9.995 => 1,
            s if s >= 0.9995 => 2,
            s if s >= 0.09995 => 3,
            _ => 4,
        };
        let text = format!("{number:.decimals$}");
        match text.contains('.') {
            true => self.point(text.trim_end_matches('0').trim_end_matches('.')),
            false => text,
        }
    }

    /// A number with so many decimals.
    pub(in crate::report) fn decimals(&self, number: f64, decimals: usize) -> String {
        self.point(&format!("{number:.decimals$}"))
    }

    /// A number in digits with the decimal mark of the language.
    pub(in crate::report) fn point(&self, number: &str) -> String {
        number.replace('.', self.raw("number.decimal"))
    }

    /// "a", "a and b", "a, b and c".
    pub(in crate::report) fn list(&self, parts: &[String]) -> String {
        match parts {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => {
                words!(self, "list.last", first = first.join(&words!(self, "list.between")), last = last)
            }
        }
    }

    /// "a; b; c".
    pub(in crate::report) fn listed(&self, parts: &[String]) -> String {
        parts.join(&words!(self, "list.apart"))
    }
}
