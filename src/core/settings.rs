//! The settings of an algorithm as plain data: to show, to save and to compare.

use super::Size;
use super::random::mix;
use ndarray::Array2;

/// The name of an algorithm, and its settings by name, in their own order.
///
/// Plain data, of no use for building the algorithm again: a report lists it, and a fit that goes on compares it.
///
/// ```
/// use recluster::{Clusterer, Setting, cluster::Hdbscan};
/// let settings = Hdbscan::new().min_samples(7).settings();
/// assert_eq!(settings.method(), "Hdbscan");
/// assert_eq!(settings.get("min_samples"), Some(&Setting::Count(7)));
/// assert_eq!(settings.get("epsilon"), Some(&Setting::Number(0.0)));
/// assert_ne!(settings, Hdbscan::new().settings());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Settings {
    method: String,
    values: Vec<(String, Setting)>,
}

/// The value of one setting.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(untagged))]
pub enum Setting {
    /// On or off.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// A finite number.
    Number(f64),
    /// One of several names, or what has no better form.
    Text(String),
    /// Settings of a part.
    Settings(Settings),
    /// Left to the algorithm.
    Unset,
}

impl Settings {
    /// An algorithm's name, without settings so far.
    pub fn new(method: impl Into<String>) -> Self {
        Settings { method: method.into(), values: Vec::new() }
    }

    /// Adds a setting behind the others.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Setting>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// The algorithm's name.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The setting of this name.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.iter().find(|setting| setting.0 == name).map(|setting| setting.1)
    }

    /// All settings with their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<N: Into<String>, V: Into<Setting>> Extend<(N, V)> for Settings {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, settings: I) {
        self.values.extend(settings.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
}

/// `Hdbscan (min_cluster_size = 5, min_samples = unset)`.
impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.method)?;
        for (i, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name} = {value}", if i == 0 { " (" } else { ", " })?;
        }
        f.write_str(if self.values.is_empty() { "" } else { ")" })
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Setting::Flag(flag) => write!(f, "{flag}"),
            Setting::Count(count) => write!(f, "{count}"),
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Text(text) => f.write_str(text),
            Setting::Settings(settings) => write!(f, "{settings}"),
            Setting::Unset => f.write_str("unset"),
        }
    }
}

impl From<bool> for Setting {
    fn from(flag: bool) -> Self {
        Setting::Flag(flag)
    }
}

impl From<usize> for Setting {
    fn from(count: usize) -> Self {
        Setting::Count(count as u64)
    }
}

/// A number that is not finite has no form in a saved file, and is kept as text.
impl From<f64> for Setting {
    fn from(number: f64) -> Self {
        if number.is_finite() { Setting::Number(number) } else { Setting::Text(number.to_string()) }
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Setting::Text(text.into())
    }
}

impl From<String> for Setting {
    fn from(text: String) -> Self {
        Setting::Text(text)
    }
}

/// A share as a percentage, with as many decimals as tell it from all others; as it is where none do.
impl From<Size> for Setting {
    fn from(size: Size) -> Self {
        match size {
            Size::Count(count) => count.into(),
            Size::Share(share) => {
                let mut texts = (1..18).map(|decimals| format!("{:.decimals$}", 100.0 * share));
                let exact = texts.find(|text| text.parse::<f64>().is_ok_and(|percent| percent / 100.0 == share));
                exact.map_or_else(|| share.to_string(), |percent| format!("{percent} %")).into()
            }
        }
    }
}

/// A table by its shape and a fingerprint of its numbers.
impl From<Array2<f64>> for Setting {
    fn from(table: Array2<f64>) -> Self {
        let (rows, columns) = table.dim();
        let print = table.iter().fold(0, |print, value| mix(print ^ value.to_bits()));
        Setting::Text(format!("{rows} x {columns} numbers ({print:016x})"))
    }
}

impl From<Settings> for Setting {
    fn from(settings: Settings) -> Self {
        Setting::Settings(settings)
    }
}

impl<T: Into<Setting>> From<Option<T>> for Setting {
    fn from(value: Option<T>) -> Self {
        value.map_or(Setting::Unset, Into::into)
    }
}

/// The settings of a builder by its fields' names; does not compile when a field is forgotten.
macro_rules! settings_of {
    ($type:ident { $($field:ident),* } = $of:expr) => {{
        let $type { $($field),* } = $of;
        $crate::Settings::new(stringify!($type))$(.with(stringify!($field), $field.to_owned()))*
    }};
}
pub(crate) use settings_of;

/// An enum without data, or with plain data, as a setting: as Rust writes it.
macro_rules! setting_by_debug {
    ($($type:ty),*) => {$(
        impl From<$type> for $crate::Setting {
            fn from(value: $type) -> Self {
                $crate::Setting::Text(format!("{value:?}"))
            }
        }
    )*};
}
pub(crate) use setting_by_debug;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_as_a_list() {
        let part = Settings::new("Part").with("on", true);
        let all = Settings::new("Whole")
            .with("rows", 5usize)
            .with("share", Size::Share(0.05))
            .with("limit", f64::INFINITY)
            .with("epochs", None::<usize>)
            .with("part", part);
        assert_eq!(
            all.to_string(),
            "Whole (rows = 5, share = 5.0 %, limit = inf, epochs = unset, part = Part (on = true))"
        );
        assert_eq!(Settings::new("Bare").to_string(), "Bare");
        for (share, text) in
            [(0.05, "5.0 %"), (0.07, "7.0 %"), (0.0501, "5.01 %"), (1e-7, "0.0000001"), (f64::NAN, "NaN")]
        {
            assert_eq!(Setting::from(Size::Share(share)), Setting::Text(text.into()));
        }
        assert_ne!(Setting::from(Size::Share(0.1 + 0.2)), Setting::from(Size::Share(0.3)));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn settings_are_read_back_as_they_were_written() {
        let part = Settings::new("Part").with("on", true);
        let all = Settings::new("Whole")
            .with("rows", 5usize)
            .with("one", 1.0)
            .with("limit", f64::NEG_INFINITY)
            .with("epochs", None::<usize>)
            .with("part", part);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), all, "{text}");
    }
}
