//! A catalogue as a file: a key and its sentence on each line.

use super::entry::Entry;
use super::plural::Form;
use std::collections::BTreeMap;

/// The entries of a file; what is wrong is told with its line. `english` has the entries that there can be.
pub(super) fn read(source: &str, english: Option<&BTreeMap<String, Entry>>) -> Result<BTreeMap<String, Entry>, String> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for (line, statement) in statements(source)? {
        let at = |reason: String| format!("line {line}: {reason}");
        let (key, form, value) = split(&statement).map_err(at)?;
        let new = Entry::new(form, value).map_err(|reason| format!("line {line}: {key}: {reason}"))?;
        check(key, &new, english).map_err(|reason| format!("line {line}: {key}: {reason}"))?;
        match entries.get_mut(key) {
            None => drop(entries.insert(key.to_string(), new)),
            Some(entry) => entry.add(form, value).map_err(|reason| format!("line {line}: {key}: {reason}"))?,
        }
        lines.insert(key.to_string(), line);
    }
    match entries.iter().find(|(_, entry)| !entry.is_whole()) {
        Some((key, _)) => Err(format!("line {}: {key}: lacks {key}[other], the form of all other numbers", lines[key])),
        None => Ok(entries),
    }
}

/// Lines with those that continue them, which begin with a space; without comments and empty lines.
fn statements(source: &str) -> Result<Vec<(usize, String)>, String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    // Whether a line may be continued: a comment or an empty line ends it.
    let mut open = false;
    for (line, text) in (1..).zip(source.lines()) {
        let trimmed = text.trim_matches([' ', '\t', '\r']);
        let continues = text.starts_with([' ', '\t']);
        match found.last_mut() {
            _ if trimmed.is_empty() || trimmed.starts_with('#') && !(continues && open) => open = false,
            Some((_, before)) if continues && open => {
                before.push(' ');
                before.push_str(trimmed);
            }
            _ if continues => return Err(format!("line {line}: continues no line; keys begin at the margin")),
            _ => {
                found.push((line, trimmed.to_string()));
                open = true;
            }
        }
    }
    Ok(found)
}

/// Key, form of the plural, value.
fn split(statement: &str) -> Result<(&str, Form, &str), String> {
    let (key, value) = statement.split_once('=').ok_or("is not \"key = text\"")?;
    let (key, value) = (key.trim(), value.trim());
    let (key, form) = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
        Some((key, form)) => (key, Form::named(form).ok_or_else(|| format!("no form of the plural is called {form}"))?),
        None => (key, Form::Other),
    };
    let letter = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
    if key.is_empty() || !key.chars().all(letter) {
        return Err(format!("\"{key}\" is no key"));
    }
    // Quotes keep the spaces at the ends.
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Ok((key, form, quoted.unwrap_or(value)))
}

/// Whether an entry is one that the English catalogue has, with no more placeholders.
fn check(key: &str, entry: &Entry, english: Option<&BTreeMap<String, Entry>>) -> Result<(), String> {
    let (places, terms) = entry.places();
    if let Some(english) = english {
        let known = english.get(key).ok_or("no such key")?;
        let (known_places, known_terms) = known.places();
        if let Some(name) = places.difference(&known_places).find(|&&name| name != "n" || !known.is_plural()) {
            return Err(format!("no such placeholder: {{{name}}}"));
        }
        if let Some(term) = terms.difference(&known_terms).next() {
            return Err(format!("the English text explains no term {term}"));
        }
    }
    let value = entry.first();
    match key {
        "lang" if !is_language(value) => Err("must be a language such as en or pt-BR".to_string()),
        "dir" if !["ltr", "rtl"].contains(&value) => Err("must be ltr or rtl".to_string()),
        _ => Ok(()),
    }
}

/// Whether a language is written as HTML wants it.
fn is_language(value: &str) -> bool {
    let mut parts = value.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
