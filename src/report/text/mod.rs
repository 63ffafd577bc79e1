//! The texts of the report: one catalogue that the markup asks for its sentences, in English or in another language.

mod entry;
mod file;
mod numbers;
mod plural;
#[cfg(test)]
mod tests;

use crate::{Error, Result};
use entry::Entry;
pub(super) use entry::Value;
use maud::Markup;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// The texts of the report in one language: sentences by name, with placeholders, plural forms and the format of numbers.
///
/// A catalogue is a text file like [`ENGLISH`](Text::ENGLISH), which says how it is written. It may hold a part of the entries:
/// those that it lacks are English. What is shown is escaped, so a catalogue cannot bring markup or a script into the page.
///
/// ```
/// use recluster::report::Text;
/// let text = Text::parse("lang = de\nnumber.decimal = ,\nrows[one] = {n} Zeile\nrows[other] = {n} Zeilen\n")?;
/// assert_eq!(text.lang(), "de");
/// let wrong = Text::parse("lang = de\nrows[other] = {number} Zeilen\n").unwrap_err();
/// assert!(wrong.to_string().contains("line 2"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Text(Arc<Catalogue>);

/// A file, read.
struct Catalogue {
    source: String,
    entries: BTreeMap<String, Entry>,
}

static ENGLISH: LazyLock<Text> = LazyLock::new(|| {
    let source = Text::ENGLISH.to_string();
    // A fault of the file that is built in is found by the tests; without them keys stand where sentences should.
    let entries = file::read(&source, None).unwrap_or_default();
    Text(Arc::new(Catalogue { source, entries }))
});

impl Text {
    /// The English catalogue as a file, to be translated: its first lines explain the notation.
    pub const ENGLISH: &'static str = include_str!("en.txt");

    /// A catalogue from the text of a file. O(length).
    ///
    /// # Errors
    /// [`Error::Format`] with the line: a key that the English file lacks, a placeholder that the English entry lacks, a key
    /// given twice, marks that are not closed, a language, direction or form of the plural that does not exist.
    pub fn parse(source: &str) -> Result<Self> {
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let entries = file::read(source, Some(&ENGLISH.0.entries))
            .map_err(|reason| Error::Format { format: "catalogue of texts", reason })?;
        Ok(Text(Arc::new(Catalogue { source: source.to_string(), entries })))
    }

    /// A catalogue from a file, in UTF-8.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, and those of [`parse`](Text::parse) with the file's name.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let named = |reason: String| Error::Format {
            format: "catalogue of texts",
            reason: format!("{}: {reason}", path.display()),
        };
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        let source = String::from_utf8(bytes).map_err(|e| {
            let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            named(format!("line {}: not UTF-8", 1 + before.iter().filter(|&&byte| byte == b'\n').count()))
        })?;
        Text::parse(&source).map_err(|e| match e {
            Error::Format { reason, .. } => named(reason),
            other => other,
        })
    }

    /// The language, such as "en": the entry `lang`.
    pub fn lang(&self) -> &str {
        self.raw("lang")
    }

    /// The English texts.
    pub(super) fn english() -> &'static Text {
        &ENGLISH
    }

    /// The direction of writing, where it is not from left to right.
    pub(super) fn direction(&self) -> Option<&str> {
        Some(self.raw("dir")).filter(|&dir| dir == "rtl")
    }

    /// An entry and the language that it is in.
    fn find<'a>(&'a self, key: &str) -> Option<(&'a Entry, &'a str)> {
        let own = |text: &'a Text| text.0.entries.get(key).map(|entry| (entry, text));
        let (entry, text) = own(self).or_else(|| own(&ENGLISH))?;
        Some((entry, text.0.entries.get("lang").or_else(|| ENGLISH.0.entries.get("lang")).map_or("", Entry::first)))
    }

    /// An entry without placeholders and marks.
    fn raw(&self, key: &str) -> &str {
        self.find(key).map_or("", |(entry, _)| entry.first())
    }

    /// An entry as a part of the page; [`say!`](super::say) checks key and placeholders.
    pub(super) fn markup(&self, key: &str, values: &[(&str, Value)]) -> Markup {
        let show = |(entry, lang): (&Entry, &str)| entry.markup(lang, values, self);
        self.find(key).map_or_else(|| maud::html! { (key) }, show)
    }

    /// An entry as text alone, without marks; [`words!`](super::words) checks key and placeholders.
    pub(super) fn plain(&self, key: &str, values: &[(&str, Value)]) -> String {
        let show = |(entry, lang): (&Entry, &str)| entry.plain(lang, values, self);
        self.find(key).map_or_else(|| key.to_string(), show)
    }
}

/// The English texts.
impl Default for Text {
    fn default() -> Self {
        ENGLISH.clone()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("lang", &self.lang()).field("entries", &self.0.entries.len()).finish()
    }
}

impl TryFrom<String> for Text {
    type Error = Error;

    /// As [`parse`](Text::parse); an empty text is the English catalogue.
    fn try_from(source: String) -> Result<Self> {
        if source.is_empty() { Ok(Text::default()) } else { Text::parse(&source) }
    }
}

/// The text of the file; empty for the English catalogue.
impl From<Text> for String {
    fn from(text: Text) -> String {
        if text == *Text::english() { String::new() } else { text.0.source.clone() }
    }
}

/// An entry of the catalogue as a part of the page: `say!(text, "key", name = value)`. A test reads the source for these calls
/// and compares key and names with the English file.
macro_rules! say {
    ($text:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $text.markup($key, &[$((stringify!($name), $crate::report::text::Value::from($value))),*])
    };
}

/// An entry of the catalogue as text alone, where no markup can stand: `words!(text, "key", name = value)`.
macro_rules! words {
    ($text:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $text.plain($key, &[$((stringify!($name), $crate::report::text::Value::from($value))),*])
    };
}

pub(super) use {say, words};
