//! What a column is, from its values and its name.

use super::date;
use super::field::{Field, Kind, Role, Scale};
use super::number;
use super::orders;
use super::schema::{MOST_LEVELS, counted};
use super::values::{Column, Values, Words, number_text};
use crate::core::parallel;

/// Levels of an ordinal that is whole numbers, at most, and the largest of them.
const STEPS: usize = 11;
const HIGHEST: f64 = 10.0;
/// Whole numbers from here on are no longer exact in f32.
const EXACT: f64 = 16_777_216.0;
/// Levels of a code at most.
const CODES: usize = 60;
/// Different answers of one question at most.
const ANSWERS: usize = 100;
/// Words from which on texts of which no two are alike are no names, but free text.
const FREE_TEXT: f64 = 6.0;
/// Skewness from which on a scale is changed.
const SKEWED: f64 = 2.0;
/// The level of all that are too rare for one of their own.
const OTHER: &str = "other";

/// What each column of a table of `rows` rows is.
pub(super) fn fields(columns: &[Column], rows: usize) -> Vec<Field> {
    let told = parallel::map(columns.len(), |i| number::has_decimal_commas(columns[i].values()));
    let commas = told.contains(&Some(true)) && !told.contains(&Some(false));
    parallel::map(columns.len(), |i| field(&columns[i], rows, commas))
}

/// What a column is; `commas` says that the table's other numbers have decimal commas.
fn field(column: &Column, rows: usize, commas: bool) -> Field {
    let name = column.name();
    let mut field = Field::new(name, Kind::Number);
    let missing = (0..rows).filter(|&row| column.values().is_missing(row)).count();
    if missing == rows {
        return field.with_role(Role::Dropped, "it has no values");
    }
    field = match column.values() {
        Values::Words(words) => of_words(field, words, rows, missing, commas),
        Values::Numbers(numbers) => of_numbers(field, &present(numbers), missing),
        Values::Dates(days) => of_dates(field, &present(days), missing),
        Values::Flags(flags) => of_flags(field, &present(flags), missing),
    };
    field
}

/// The values that are there, from low to high.
fn present(numbers: &[f64]) -> Vec<f64> {
    let mut present: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
    present.sort_by(f64::total_cmp);
    present
}

fn distinct(sorted: &[f64]) -> Vec<f64> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    distinct
}

/// A column with one value: it tells rows apart only if it is missing elsewhere.
fn of_one_value(mut field: Field, value: String, missing: usize) -> Field {
    if missing == 0 {
        return field.with_role(Role::Dropped, format!("\"{value}\" in every row"));
    }
    let no = if value == "no" { "missing" } else { "no" };
    (field.kind, field.levels, field.blank) = (Kind::Flag, vec![no.to_string(), value.clone()], Some(no.to_string()));
    field.reason = Some(format!("\"{value}\" or missing"));
    field
}

fn of_flags(mut field: Field, sorted: &[f64], missing: usize) -> Field {
    let distinct = distinct(sorted);
    if let [one] = distinct[..] {
        return of_one_value(field, if one == 0.0 { "no" } else { "yes" }.into(), missing);
    }
    (field.kind, field.levels) = (Kind::Flag, vec!["no".into(), "yes".into()]);
    field
}

fn of_dates(mut field: Field, sorted: &[f64], missing: usize) -> Field {
    field.kind = Kind::Date;
    match distinct(sorted)[..] {
        [one] => of_one_value(field, date::text(one), missing),
        _ => field,
    }
}

/// What a column of numbers is; `sorted` are those that are there.
fn of_numbers(mut field: Field, sorted: &[f64], missing: usize) -> Field {
    let values = distinct(sorted);
    let (Some(&low), Some(&high)) = (values.first(), values.last()) else {
        return field.with_role(Role::Dropped, "it has no values");
    };
    let whole = sorted.iter().all(|x| x.fract() == 0.0);
    if values.len() == 1 {
        return of_one_value(field, number_text(low), missing);
    }
    field.kind = match () {
        () if whole && low >= 0.0 => Kind::Count,
        () if low >= 0.0 && high <= 1.0 => Kind::Share,
        () => Kind::Number,
    };
    field.scale = scale(sorted);
    let texts = || values.iter().map(|&x| number_text(x)).collect::<Vec<_>>();
    let unique = values.len() == sorted.len() && missing == 0 && sorted.len() > 2;
    if whole && unique {
        if says_id(&field.name) && sorted.len() > 20 {
            return field.with_role(Role::Id, "its name says an id, and no two rows share one");
        }
        let running = sorted.len() > 20 && high - low == (sorted.len() - 1) as f64;
        if running || is_unnamed(&field.name) {
            return field.with_role(Role::Dropped, "it numbers the rows");
        }
        if high >= EXACT && sorted.len() > 20 {
            return field.with_role(Role::Id, "large whole numbers, no two alike");
        }
    }
    if whole && says_id(&field.name) && values.len() > CODES {
        return field.with_role(Role::Dropped, format!("its name says an id of {} values", values.len()));
    }
    if values.len() == 2 {
        (field.kind, field.levels, field.scale) = (Kind::Flag, texts(), Scale::Linear);
    } else if whole && values.len() <= CODES && (says_code(&field.name) || says_id(&field.name)) {
        (field.kind, field.levels, field.scale) = (Kind::Category, texts(), Scale::Linear);
        field.reason = Some("whole numbers; its name says that they are codes".into());
    } else if whole && low >= 0.0 && high <= HIGHEST && values.len() <= STEPS {
        (field.kind, field.levels, field.scale) = (Kind::Ordinal, texts(), Scale::Linear);
    }
    field
}

/// Linear, unless the values are skewed; then by logarithm where that mends it, else by rank.
fn scale(sorted: &[f64]) -> Scale {
    if skewness(sorted).abs() <= SKEWED {
        return Scale::Linear;
    }
    let logs: Vec<f64> = sorted.iter().map(|&x| libm::log1p(x)).collect();
    match sorted[0] >= 0.0 && skewness(&logs).abs() <= SKEWED {
        true => Scale::Log,
        false => Scale::Rank,
    }
}

/// Skewness, values beyond the 0.5th and the 99.5th percentile counting as these.
fn skewness(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    let end = n / 200;
    let (low, high) = (sorted[end], sorted[n - 1 - end]);
    let clipped = || sorted.iter().map(|x| x.clamp(low, high));
    let mean = clipped().sum::<f64>() / n as f64;
    let square = clipped().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
    let cube = clipped().map(|x| (x - mean) * (x - mean) * (x - mean)).sum::<f64>() / n as f64;
    if square > 0.0 { cube / (square * square.sqrt()) } else { 0.0 }
}

fn of_words(mut field: Field, words: &Words, rows: usize, missing: usize, commas: bool) -> Field {
    if let Some(read) = number::read(words, commas) {
        let numbers: Vec<f64> = (0..rows)
            .filter_map(|row| words.code(row))
            .filter_map(|code| number::parse(&words.levels()[code as usize], read.decimal_comma))
            .collect();
        let words_among = rows - missing - numbers.len();
        let codes = words.levels().iter().any(|text| leads_with_zero(text));
        // Whole numbers beyond f64 came as texts, and so do codes with leading zeros.
        let exact = numbers.iter().all(|x| x.abs() <= 9e15);
        if exact && !codes {
            let mut reasons = Vec::new();
            if read.unsure {
                let stands = if commas { "before decimals, as in other columns" } else { "between thousands" };
                reasons.push(format!("a comma with three digits after it is read as one {stands}"));
            }
            if !read.words.is_empty() {
                let (are, count) =
                    if words_among == 1 { ("cell is a word", "counts") } else { ("cells are words", "count") };
                let words = few(&read.words);
                reasons.push(format!("{words_among} {are} among numbers, which {count} as missing: {words}"));
            }
            field.reason = Some(reasons.join("; ")).filter(|reason| !reason.is_empty());
            (field.missing, field.decimal_comma) = (read.words, read.decimal_comma);
            return of_numbers(field, &present(&numbers), rows - numbers.len());
        }
    }
    let mut levels = counted(words);
    let present = rows - missing;
    if let Some(day_first) = date::order(levels.iter().map(|level| level.0)) {
        (field.kind, field.day_first) = (Kind::Date, day_first);
        let days: Vec<f64> = levels.iter().filter_map(|level| date::parse(level.0, day_first)).collect();
        return of_dates(field, &self::present(&days), missing);
    }
    levels.sort_by(|a, b| orders::natural(a.0, b.0));
    let texts = || levels.iter().map(|level| level.0.to_string()).collect::<Vec<_>>();
    field.kind = Kind::Category;
    if let [(one, _)] = levels[..] {
        return of_one_value(field, one.to_string(), missing);
    }
    if let Some(no_yes) = orders::no_yes(&texts()) {
        (field.kind, field.levels) = (Kind::Flag, no_yes.to_vec());
        return field;
    }
    if let Some((separator, answers)) = answers(&levels, present) {
        (field.kind, field.separator, field.levels) = (Kind::Answers, separator.to_string(), answers);
        return field;
    }
    if present > 20 && levels.len() == present && missing == 0 {
        let words: usize = levels.iter().map(|level| level.0.split_whitespace().count()).sum();
        if words as f64 > FREE_TEXT * present as f64 {
            return field.with_role(Role::Dropped, "free text, no two alike");
        }
        return field.with_role(Role::Id, "texts, no two alike");
    }
    if present > 20 && levels.len() as f64 > 0.5 * present as f64 {
        return field.with_role(Role::Dropped, "more than half as many different texts as rows");
    }
    if levels.len() <= STEPS * 2
        && let Some(order) = orders::ordered(&texts())
    {
        (field.kind, field.levels) = (Kind::Ordinal, order);
        return field;
    }
    of_levels(field, levels, present)
}

/// A category; of more levels than it can have, the most frequent ones and one for all others.
fn of_levels(mut field: Field, mut levels: Vec<(&str, usize)>, present: usize) -> Field {
    if levels.len() > MOST_LEVELS {
        let all = levels.len();
        levels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        levels.retain(|level| level.0 != OTHER);
        levels.truncate(MOST_LEVELS - 1);
        let covered: usize = levels.iter().map(|level| level.1).sum();
        if covered * 2 < present {
            return field.with_role(Role::Dropped, format!("{all} different texts, most of them rare"));
        }
        field.reason = Some(format!("the {} most frequent of {all} levels; all others are \"{OTHER}\"", levels.len()));
        field.other = Some(OTHER.into());
        levels.sort_by(|a, b| orders::natural(a.0, b.0));
        levels.push((OTHER, 0));
    }
    field.levels = levels.into_iter().map(|level| level.0.to_string()).collect();
    field
}

/// The separator and the different answers, if cells hold several answers: at least a tenth of the rows do, and there are
/// fewer answers than cells' texts.
fn answers(levels: &[(&str, usize)], present: usize) -> Option<(&'static str, Vec<String>)> {
    for separator in [";", "|"] {
        let several: usize = levels.iter().filter(|level| level.0.contains(separator)).map(|level| level.1).sum();
        if several * 10 < present {
            continue;
        }
        let mut found: Vec<&str> = levels.iter().flat_map(|level| split(level.0, separator)).collect();
        found.sort_by(|a, b| orders::natural(a, b));
        found.dedup();
        if found.len() <= ANSWERS && (2..levels.len()).contains(&found.len()) {
            return Some((separator, found.into_iter().map(String::from).collect()));
        }
    }
    None
}

/// The answers in a cell.
pub(super) fn split<'t>(cell: &'t str, separator: &str) -> impl Iterator<Item = &'t str> {
    cell.split(separator).map(str::trim).filter(|answer| !answer.is_empty())
}

fn leads_with_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

fn few(words: &[String]) -> String {
    let few: Vec<String> = words.iter().take(3).map(|word| format!("\"{word}\"")).collect();
    format!("{}{}", few.join(", "), if words.len() > 3 { ", .." } else { "" })
}

/// The words of a name: `customerID`, `customer_id` and `Customer Id` have the same.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn says_id(name: &str) -> bool {
    words_of(name).iter().any(|word| ["id", "ids", "uuid", "guid", "identifier", "key"].contains(&word.as_str()))
}

fn says_code(name: &str) -> bool {
    const CODES: [&str; 25] = [
        "type",
        "types",
        "code",
        "region",
        "zone",
        "channel",
        "browser",
        "system",
        "systems",
        "category",
        "class",
        "group",
        "plan",
        "department",
        "dept",
        "country",
        "state",
        "city",
        "segment",
        "cluster",
        "gender",
        "sex",
        "race",
        "brand",
        "sector",
    ];
    words_of(name).last().is_some_and(|word| CODES.contains(&word.as_str()))
}

fn is_unnamed(name: &str) -> bool {
    let words = words_of(name);
    words.is_empty()
        || words[0] == "unnamed"
        || ["index", "row", "rowid", "rownames", "nr"].contains(&words.concat().as_str())
}

/// The levels that a column has as one of another kind, and for answers the separator is the field's.
pub(super) fn relevel(field: &mut Field, values: &Values) {
    let rows = values.len();
    let words: Words = (0..rows)
        .map(|row| values.text(row).filter(|text| !field.missing.iter().any(|missing| missing == text)))
        .collect();
    let mut levels = counted(&words);
    levels.sort_by(|a, b| orders::natural(a.0, b.0));
    let texts = || levels.iter().map(|level| level.0.to_string()).collect::<Vec<_>>();
    match field.kind {
        Kind::Ordinal => field.levels = orders::ordered(&texts()).unwrap_or_else(texts),
        Kind::Flag => field.levels = orders::no_yes(&texts()).map_or_else(texts, |no_yes| no_yes.to_vec()),
        Kind::Answers => {
            let mut found: Vec<&str> = levels.iter().flat_map(|level| split(level.0, &field.separator)).collect();
            found.sort_by(|a, b| orders::natural(a, b));
            found.dedup();
            field.levels = found.into_iter().map(String::from).collect();
        }
        Kind::Category => {
            let levelled = of_levels(Field::new("", Kind::Category), levels, 0);
            (field.levels, field.other) = (levelled.levels, levelled.other);
        }
        _ => field.levels.clear(),
    }
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;
