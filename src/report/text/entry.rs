//! One entry of a catalogue: words, placeholders, and marks for what stands out.

use super::Text;
use super::plural::Form;
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeSet;

/// What stands in a placeholder's place.
pub(in crate::report) enum Value {
    Words(String),
    /// A whole number, shown with thousands set apart; as `n` it chooses the plural.
    Number(usize),
    /// The same in digits alone.
    Digits(usize),
    Markup(Markup),
}

/// A sentence in all its plural forms: at least one, the last of them for every number that has no other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    forms: Vec<(Form, Vec<Piece>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Words(String),
    /// `{name}`
    Place(String),
    /// `*words*`
    Bold(Vec<Piece>),
    /// `[key|words]`: a word that the glossary explains.
    Term(String, Vec<Piece>),
}

impl Entry {
    pub(super) fn new(form: Form, source: &str) -> Result<Self, String> {
        Ok(Entry { forms: vec![(form, parse(source)?)] })
    }

    /// Adds a form of the plural.
    pub(super) fn add(&mut self, form: Form, source: &str) -> Result<(), String> {
        if self.forms.iter().any(|(own, _)| *own == form) {
            return Err("stands there twice".to_string());
        }
        self.forms.push((form, parse(source)?));
        self.forms.sort_by_key(|(own, _)| *own);
        Ok(())
    }

    /// Whether every number has a form.
    pub(super) fn is_whole(&self) -> bool {
        self.forms.last().is_some_and(|(form, _)| *form == Form::Other)
    }

    /// Names of the placeholders, and keys of the terms.
    pub(super) fn places(&self) -> (BTreeSet<&str>, BTreeSet<&str>) {
        fn collect<'a>(pieces: &'a [Piece], found: &mut (BTreeSet<&'a str>, BTreeSet<&'a str>)) {
            for piece in pieces {
                match piece {
                    Piece::Words(_) => {}
                    Piece::Place(name) => drop(found.0.insert(name)),
                    Piece::Bold(inner) => collect(inner, found),
                    Piece::Term(key, inner) => {
                        found.1.insert(key);
                        collect(inner, found);
                    }
                }
            }
        }
        let mut found = Default::default();
        self.forms.iter().for_each(|(_, pieces)| collect(pieces, &mut found));
        found
    }

    /// Whether it has plural forms.
    pub(super) fn is_plural(&self) -> bool {
        self.forms.len() > 1
    }

    /// Its first words, which are all of an entry without placeholders and marks.
    pub(super) fn first(&self) -> &str {
        match self.forms.last().and_then(|(_, pieces)| pieces.first()) {
            Some(Piece::Words(words)) => words,
            _ => "",
        }
    }

    pub(super) fn markup(&self, lang: &str, values: &[(&str, Value)], text: &Text) -> Markup {
        let mut out = String::new();
        markup(self.form(lang, values), values, text, &mut out);
        PreEscaped(out)
    }

    pub(super) fn plain(&self, lang: &str, values: &[(&str, Value)], text: &Text) -> String {
        let mut out = String::new();
        plain(self.form(lang, values), values, text, &mut out);
        out
    }

    fn form(&self, lang: &str, values: &[(&str, Value)]) -> &[Piece] {
        let number = values.iter().find_map(|(name, value)| match value {
            Value::Number(number) | Value::Digits(number) if *name == "n" => Some(*number),
            _ => None,
        });
        let form = number.map_or(Form::Other, |number| Form::of(lang, number));
        let own = self.forms.iter().find(|(own, _)| *own == form).or(self.forms.last());
        own.map_or(&[], |(_, pieces)| pieces)
    }
}

fn markup(pieces: &[Piece], values: &[(&str, Value)], text: &Text, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Words(words) => out.push_str(&html! { (words) }.into_string()),
            Piece::Place(name) => match value(values, name) {
                Some(Value::Words(words)) => out.push_str(&html! { (words) }.into_string()),
                Some(Value::Number(number)) => out.push_str(&html! { (text.count(*number)) }.into_string()),
                Some(Value::Digits(number)) => out.push_str(&number.to_string()),
                Some(Value::Markup(markup)) => out.push_str(&markup.0),
                None => out.push_str(&html! { "{" (name) "}" }.into_string()),
            },
            Piece::Bold(inner) => {
                out.push_str("<b>");
                markup(inner, values, text, out);
                out.push_str("</b>");
            }
            Piece::Term(key, inner) => {
                let mut words = String::new();
                markup(inner, values, text, &mut words);
                out.push_str(&term(key, PreEscaped(words)).into_string());
            }
        }
    }
}

fn plain(pieces: &[Piece], values: &[(&str, Value)], text: &Text, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Words(words) => out.push_str(words),
            Piece::Place(name) => match value(values, name) {
                Some(Value::Words(words)) => out.push_str(words),
                Some(Value::Number(number)) => out.push_str(&text.count(*number)),
                Some(Value::Digits(number)) => out.push_str(&number.to_string()),
                Some(Value::Markup(_)) | None => out.push_str(&format!("{{{name}}}")),
            },
            Piece::Bold(inner) | Piece::Term(_, inner) => plain(inner, values, text, out),
        }
    }
}

fn value<'a>(values: &'a [(&str, Value)], name: &str) -> Option<&'a Value> {
    values.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// A word that the glossary explains: a button that opens its entry, in place.
fn term(key: &str, word: Markup) -> Markup {
    html! { button type="button" class="term" popovertarget=(format!("term-{key}")) { (word) } }
}

/// Reads a value: `{name}`, `*bold*`, `[key|words]`; a backslash before any of these signs makes it a letter, and `\_` is a
/// space that does not break the line.
fn parse(source: &str) -> Result<Vec<Piece>, String> {
    let mut letters = source.chars().peekable();
    let pieces = pieces(&mut letters, None)?;
    Ok(if pieces.is_empty() { vec![Piece::Words(String::new())] } else { pieces })
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Pieces up to `end`, or up to the end of the text.
fn pieces(letters: &mut Letters<'_>, end: Option<char>) -> Result<Vec<Piece>, String> {
    let (mut found, mut words) = (Vec::new(), String::new());
    loop {
        let letter = match letters.next() {
            letter if letter == end => break,
            None => return Err(format!("\"{}\" is missing", end.unwrap_or_default())),
            Some(letter) => letter,
        };
        let piece = match letter {
            '\\' => {
                match letters.next() {
                    Some('_') => words.push('\u{a0}'),
                    Some(sign @ ('\\' | '*' | '[' | ']' | '{' | '}' | '|' | '"')) => words.push(sign),
                    sign => return Err(format!("\"\\{}\" means nothing", sign.map_or(String::new(), String::from))),
                }
                continue;
            }
            '{' => Piece::Place(name(letters, '}')?),
            '*' if end == Some('*') || end == Some(']') => return Err("marks within marks".to_string()),
            '*' => Piece::Bold(pieces(letters, Some('*'))?),
            '[' if end == Some(']') => return Err("marks within marks".to_string()),
            '[' => {
                let key = name(letters, '|')?;
                Piece::Term(key, pieces(letters, Some(']'))?)
            }
            '}' | ']' => return Err(format!("\"{letter}\" closes nothing")),
            letter => {
                words.push(letter);
                continue;
            }
        };
        if !words.is_empty() {
            found.push(Piece::Words(std::mem::take(&mut words)));
        }
        found.push(piece);
    }
    if !words.is_empty() {
        found.push(Piece::Words(words));
    }
    Ok(found)
}

/// A name of small letters up to `end`.
fn name(letters: &mut Letters<'_>, end: char) -> Result<String, String> {
    let name: String = std::iter::from_fn(|| letters.next_if(|c| c.is_ascii_lowercase() || *c == '_')).collect();
    match letters.next() {
        Some(letter) if letter == end && !name.is_empty() => Ok(name),
        _ => Err(format!("a name of small letters and \"{end}\" are missing after \"{name}\"")),
    }
}

impl From<&str> for Value {
    fn from(words: &str) -> Self {
        Value::Words(words.to_string())
    }
}

impl From<&String> for Value {
    fn from(words: &String) -> Self {
        Value::Words(words.clone())
    }
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Value::Words(words)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Value::Number(number)
    }
}

impl From<Markup> for Value {
    fn from(markup: Markup) -> Self {
        Value::Markup(markup)
    }
}
