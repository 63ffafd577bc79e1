//! Numbers that were read as texts.

use super::values::{Values, Words};

/// A text as a number: digits with a sign, a currency or a percent sign, thousands set apart. `decimal_comma` says that a
/// comma stands before the decimals; else commas stand between thousands.
pub(super) fn parse(text: &str, decimal_comma: bool) -> Option<f64> {
    let text = text.trim();
    // Beside decimal commas the dot of 1.234 is between thousands.
    if !(decimal_comma && is_grouped(text))
        && let Ok(number) = text.parse::<f64>()
    {
        return number.is_finite().then_some(number);
    }
    if !decimal_comma && has_comma_before_decimals(text) {
        return None;
    }
    let bare: String = text
        .trim_matches(['$', '€', '£', '%', ' '])
        .chars()
        .filter_map(|c| match c {
            ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}' => None,
            '.' if decimal_comma => None,
            ',' => decimal_comma.then_some('.'),
            c => Some(c),
        })
        .collect();
    let plain = bare.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    bare.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// Whether all dots are between groups of three digits, so that they may stand between thousands; in 0.125 they do not.
fn is_grouped(text: &str) -> bool {
    let mut groups = text.trim_start_matches(['-', '+']).split('.');
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first =
        groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && !group.starts_with('0') && digits(group));
    let mut more = groups.peekable();
    first && more.peek().is_some() && more.all(|group| group.len() == 3 && digits(group))
}

/// Whether other than three digits follow the last comma, or nothing but 0 stands before it, and so no thousands.
fn has_comma_before_decimals(text: &str) -> bool {
    text.rsplit_once(',').is_some_and(|(head, tail)| !has_three_digits(tail) || is_zero(head))
}

fn has_three_digits(tail: &str) -> bool {
    tail.chars().take_while(char::is_ascii_digit).count() == 3
}

fn is_zero(head: &str) -> bool {
    head.trim_start_matches(['-', '+', '$', '€', '£', ' ']) == "0"
}

/// Whether other than three digits follow the last dot, or a comma or nothing but 0 stands before it.
fn has_dot_before_decimals(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(head, tail)| {
        !tail.contains(',') && (head.contains(',') || !has_three_digits(tail) || is_zero(head))
    })
}

/// A column of texts that are numbers but for a few words.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    pub(super) decimal_comma: bool,
    /// Whether its commas, as in 1,234, may as well stand between thousands as before decimals.
    pub(super) unsure: bool,
    /// The words, which can only mean that the number is missing.
    pub(super) words: Vec<String>,
}

/// Different words at most, and their share of the rows at most.
const WORDS: usize = 10;
const SHARE: f64 = 0.1;

/// Whether a column's numbers have decimal commas or a decimal point, where they leave no doubt.
pub(super) fn has_decimal_commas(values: &Values) -> Option<bool> {
    match values {
        Values::Words(words) => {
            let Marks { commas, dots, .. } = Marks::of(words);
            let are_commas = || commas > 0 && read(words, false).is_some_and(|read| read.decimal_comma);
            if dots > commas { Some(false) } else { Some(true).filter(|_| are_commas()) }
        }
        Values::Numbers(numbers) => Some(false).filter(|_| numbers.iter().any(|x| x.is_finite() && x.fract() != 0.0)),
        Values::Flags(_) | Values::Dates(_) => None,
    }
}

/// Rows whose number can only have a decimal comma, or only a decimal point; those with a dot, or with a comma, that may stand
/// between thousands as well.
struct Marks {
    commas: usize,
    dots: usize,
    either_dot: usize,
    either_comma: usize,
}

impl Marks {
    fn of(words: &Words) -> Self {
        let counts = words.counts();
        let numeric = |text: &str| {
            text.trim_matches(['$', '€', '£', '%', ' ']).starts_with(|c: char| c.is_ascii_digit() || c == '-')
        };
        let rows = |says: &dyn Fn(&str) -> bool| -> usize {
            let levels = words.levels().iter().zip(&counts).filter(|(text, _)| numeric(text) && says(text));
            levels.map(|(_, count)| count).sum()
        };
        Marks {
            commas: rows(&|text| has_comma_before_decimals(text) && parse(text, true).is_some()),
            dots: rows(&|text| {
                let thousands = text.matches(',').count() > 1;
                (thousands || has_dot_before_decimals(text)) && parse(text, false).is_some()
            }),
            either_dot: rows(&|text| is_grouped(text) && !has_dot_before_decimals(text)),
            either_comma: rows(&|text| {
                text.matches(',').count() == 1 && !has_comma_before_decimals(text) && parse(text, true).is_some()
            }),
        }
    }
}

/// Reads a column as numbers, if at least nine of ten texts are, and all others are a few words. Commas stand before decimals if
/// more texts say so than say it of dots; where none says either, as those of the table's other columns `usually` do.
pub(super) fn read(words: &Words, usually: bool) -> Option<Read> {
    let marks = Marks::of(words);
    let unsure = marks.commas == 0 && marks.dots == 0 && marks.either_comma > 0;
    // 1.234 may be either; a few odd cells are no reason to take a column of them for thousands.
    let commas = marks.commas > marks.dots && marks.commas as f64 >= SHARE * marks.either_dot as f64;
    let decimal_comma = if unsure { usually } else { commas };
    let mut read = Read { decimal_comma, unsure, words: Vec::new() };
    let (mut all, mut left) = (0, 0);
    for (text, count) in words.levels().iter().zip(words.counts()).filter(|(_, count)| *count > 0) {
        all += count;
        if parse(text, decimal_comma).is_none() {
            left += count;
            read.words.push(text.clone());
            if read.words.len() > WORDS {
                return None;
            }
        }
    }
    read.words.sort();
    (all > left && left as f64 <= SHARE * all as f64).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_the_ways_people_write_them() {
        for (text, comma, number) in [
            ("12", false, Some(12.0)),
            ("-1.5e3", false, Some(-1500.0)),
            (" 7 ", false, Some(7.0)),
            ("1,234.5", false, Some(1234.5)),
            ("1.234,5", true, Some(1234.5)),
            ("0,25", true, Some(0.25)),
            ("1.234", true, Some(1234.0)),
            ("-12.345.678", true, Some(-12_345_678.0)),
            ("€ 1.234", true, Some(1234.0)),
            ("1.5", true, Some(1.5)),
            ("0.125", true, Some(0.125)),
            ("1.234", false, Some(1.234)),
            ("1,23", false, None),
            ("1,00,000", false, Some(100_000.0)),
            ("0,033", false, None),
            ("-0,033", true, Some(-0.033)),
            ("1\u{202f}234\u{2009}567,5", true, Some(1_234_567.5)),
            ("1’234.5", false, Some(1234.5)),
            ("$1,000", false, Some(1000.0)),
            ("45 %", false, Some(45.0)),
            ("1 000", false, Some(1000.0)),
            ("inf", false, None),
            ("NaN", false, None),
            ("a1", false, None),
            ("", false, None),
            ("e5", false, None),
        ] {
            assert_eq!(parse(text, comma), number, "{text}");
        }
    }

    #[test]
    fn a_few_words_among_numbers_are_missing_values() {
        let of = |more: &[&str]| {
            let texts = (0..30).map(|i| i.to_string()).chain(more.iter().map(ToString::to_string));
            read(&texts.map(Some).collect(), false)
        };
        assert_eq!(of(&["?", "?"]), Some(Read { decimal_comma: false, unsure: false, words: vec!["?".into()] }));
        assert_eq!(of(&["1,5"]), Some(Read { decimal_comma: true, unsure: false, words: vec![] }));
        assert_eq!(of(&["1,500"]), Some(Read { decimal_comma: false, unsure: true, words: vec![] }));
        assert_eq!(of(&["1,500", "0,500"]), Some(Read { decimal_comma: true, unsure: false, words: vec![] }));
        assert_eq!(of(&["1,500", "1,500,000"]), Some(Read { decimal_comma: false, unsure: false, words: vec![] }));
        // One comma among decimal points is an odd cell, and no reason to read all others otherwise.
        assert_eq!(
            of(&["9,843.00", "2.5", "1,23"]),
            Some(Read { decimal_comma: false, unsure: false, words: vec!["1,23".into()] })
        );
        assert_eq!(of(&["9.843,00", "2,5", "1.23"]), Some(Read { decimal_comma: true, unsure: false, words: vec![] }));
        let thirds = |odd: &str| {
            read(&(0..40).map(|i| format!("{}.{:03}", 1 + i % 4, 7 * i)).chain([odd.into()]).map(Some).collect(), false)
        };
        assert_eq!(thirds("1,5"), Some(Read { decimal_comma: false, unsure: false, words: vec!["1,5".into()] }));
        assert_eq!(of(&["a", "b", "c", "d"]), None);
        assert_eq!(read(&[Some("a")].into_iter().collect(), false), None);
        assert_eq!(read(&Words::default(), false), None);
    }

    #[test]
    fn commas_that_may_be_either_are_read_as_they_usually_are() {
        let of = |texts: &[&str]| texts.iter().map(Some).collect::<Words>();
        let open = of(&["1,886", "2,125"]);
        for (values, expected) in [
            (Values::Words(open.clone()), None),
            (Values::Words(of(&["1,5", "2,25"])), Some(true)),
            (Values::Words(of(&["1,886.50", "2,125.00"])), Some(false)),
            (Values::Words(of(&["a, b", "c, d"])), None),
            (Values::numbers([1.5, 2.0]), Some(false)),
            (Values::numbers([1.0, 2.0]), None),
        ] {
            assert_eq!(has_decimal_commas(&values), expected, "{values:?}");
        }
        for usually in [true, false] {
            assert_eq!(read(&open, usually), Some(Read { decimal_comma: usually, unsure: true, words: vec![] }));
        }
    }
}
