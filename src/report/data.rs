//! The data in the report: which columns were used and what they are, which were set aside and why.

use super::Contents;
use super::features::Features;
use super::names::column;
use super::text::{Text, Value, say, words};
use crate::table::{Cycle, Field, Kind, Role, Scale, Schema};
use maud::{Markup, html};

/// Levels that are listed of a column, and columns of a table.
const LEVELS: usize = 8;
const COLUMNS: usize = 1000;

/// Whether a schema or a note says anything of the data.
pub(super) fn is_known(contents: &Contents<'_>) -> bool {
    contents.report.schema.is_some() || !contents.report.notes.is_empty()
}

/// The section; nothing where nothing is known.
pub(super) fn data(contents: &Contents<'_>) -> Markup {
    let (report, text) = (contents.report, contents.text());
    let known = report.schema.zip(contents.features.as_ref());
    if !is_known(contents) {
        return html! {};
    }
    html! {
        h2 class="page" { (say!(text, "data.title")) }
        div class="panel flow" {
            @for note in &report.notes { p { (note) } }
            @if let Some((schema, features)) = known {
                (used(text, schema, features))
                (beside(text, schema))
                (set_aside(text, schema))
            }
        }
    }
}

fn used(text: &Text, schema: &Schema, features: &Features) -> Markup {
    let missing = |name: &str| {
        let place = features.columns.iter().position(|column| column.first && column.field == name);
        place.map_or_else(String::new, |place| text.whole(features.all[place].missing()))
    };
    html! {
        h3 class="top" { (say!(text, "data.used")) }
        table class="columns" {
            thead { tr { th { (say!(text, "data.column")) } th { (say!(text, "data.kind")) } th class="figure" { (say!(text, "data.missing")) } } }
            tbody {
                @for field in schema.of_role(Role::Feature).take(COLUMNS) {
                    tr {
                        td { (column(text, &field.name)) }
                        td {
                            (kind(text, field))
                            @if field.kind.has_levels() { span class="soft" { ": " (levels(text, field)) } }
                            @for remark in remarks(text, field) { span class="soft" { "; " (remark) } }
                        }
                        td class="figure" { (missing(&field.name)) }
                    }
                }
            }
        }
        (more(text, schema.of_role(Role::Feature).count()))
    }
}

/// What a field is, as [`Schema::kinds_in_words`] has it in English.
pub(super) fn kind(text: &Text, field: &Field) -> String {
    let n = Value::Digits(field.levels.len());
    let kind = match field.kind {
        Kind::Number => words!(text, "kind.number"),
        Kind::Count => words!(text, "kind.count"),
        Kind::Share => words!(text, "kind.share"),
        Kind::Flag => words!(text, "kind.flag"),
        Kind::Date => words!(text, "kind.date"),
        Kind::Ordinal => words!(text, "kind.ordinal", n = n),
        Kind::Category => words!(text, "kind.category", n = n),
        Kind::Answers => words!(text, "kind.answers", n = n),
    };
    match field.scale {
        Scale::Log if field.kind.is_numeric() => words!(text, "kind.log", kind = kind),
        Scale::Rank if field.kind.is_numeric() => words!(text, "kind.rank", kind = kind),
        _ => kind,
    }
}

/// That a table has more lines than are shown.
fn more(text: &Text, lines: usize) -> Markup {
    html! { @if lines > COLUMNS { p class="small" { (say!(text, "data.first", shown = COLUMNS, n = lines)) } } }
}

/// The first levels of a field.
fn levels(text: &Text, field: &Field) -> String {
    let between = if field.kind == Kind::Ordinal { " < ".to_string() } else { words!(text, "list.between") };
    let mut names =
        field.levels.iter().take(LEVELS).map(|level| column(text, level)).collect::<Vec<_>>().join(&between);
    if field.levels.len() > LEVELS {
        names.push_str(&between);
        names.push('…');
    }
    names
}

/// What else a reader should know of a column that is used.
fn remarks(text: &Text, field: &Field) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(question) = field.question.as_ref().filter(|question| **question != field.name) {
        remarks.push(words!(text, "data.question", question = question));
    }
    if !field.cycles.is_empty() {
        let cycles: Vec<String> = field.cycles.iter().map(|&own| cycle(text, own)).collect();
        remarks.push(words!(text, "data.cycles", list = text.list(&cycles)));
    }
    if field.weight != 1.0 {
        remarks.push(words!(text, "data.weight", weight = text.point(&field.weight.to_string())));
    }
    if let Some(blank) = &field.blank {
        remarks.push(words!(text, "data.blank", blank = blank));
    }
    remarks.extend(field.reason.clone());
    remarks
}

fn cycle(text: &Text, cycle: Cycle) -> String {
    match cycle {
        Cycle::Day => words!(text, "cycle.day"),
        Cycle::Week => words!(text, "cycle.week"),
        Cycle::Year => words!(text, "cycle.year"),
    }
}

/// Columns that stand beside the features.
fn beside(text: &Text, schema: &Schema) -> Markup {
    let roles = [
        (Role::Id, words!(text, "data.id")),
        (Role::Weight, words!(text, "data.weights")),
        (Role::Profile, words!(text, "data.profile")),
        (Role::Label, words!(text, "data.label")),
    ];
    let said = |field: &Field, use_of_it: &String| match &field.reason {
        Some(reason) => words!(text, "data.with_reason", use_of_it = use_of_it, reason = reason),
        None => use_of_it.clone(),
    };
    let named: Vec<(&str, String)> = roles
        .iter()
        .flat_map(|(role, use_of_it)| schema.of_role(*role).map(move |f| (f.name.as_str(), said(f, use_of_it))))
        .collect();
    html! {
        @if !named.is_empty() {
            h3 { (say!(text, "data.beside")) }
            (pairs(text, say!(text, "data.use"), named))
        }
    }
}

fn set_aside(text: &Text, schema: &Schema) -> Markup {
    let named: Vec<(&str, String)> = schema.set_aside().map(|(name, reason)| (name, reason.to_string())).collect();
    html! {
        @if !named.is_empty() {
            h3 { (say!(text, "data.set_aside")) }
            (pairs(text, say!(text, "data.reason"), named))
        }
    }
}

fn pairs(text: &Text, heading: Markup, named: Vec<(&str, String)>) -> Markup {
    html! {
        table class="columns" {
            thead { tr { th { (say!(text, "data.column")) } th { (heading) } } }
            tbody { @for (name, said) in named.iter().take(COLUMNS) { tr { td { (column(text, name)) } td { (said) } } } }
        }
        (more(text, named.len()))
    }
}
