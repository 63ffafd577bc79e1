//! Numbers that were read as texts.

use super::values::Words;

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

/// Whether other than three digits follow the last comma, and so no thousands.
fn has_comma_before_decimals(text: &str) -> bool {
    text.rsplit_once(',').is_some_and(|(_, tail)| tail.chars().take_while(char::is_ascii_digit).count() != 3)
}

/// Whether other than three digits follow the last dot, or a comma or nothing but 0 stands before it.
fn has_dot_before_decimals(text: &str) -> bool {
    text.rsplit_once('.').is_some_and(|(head, tail)| {
        let three = tail.chars().take_while(char::is_ascii_digit).count() == 3;
        !tail.contains(',') && (head.contains(',') || !three || head.trim_start_matches(['-', '+']) == "0")
    })
}

/// A column of texts that are numbers but for a few words.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    pub(super) decimal_comma: bool,
    /// The words, which can only mean that the number is missing.
    pub(super) words: Vec<String>,
}

/// Different words at most, and their share of the rows at most.
const WORDS: usize = 10;
const SHARE: f64 = 0.1;

/// Reads a column as numbers, if at least nine of ten texts are, and all others are a few words. Commas stand before decimals if
/// more texts say so than say it of dots.
pub(super) fn read(words: &Words) -> Option<Read> {
    let counts = words.counts();
    let levels = || words.levels().iter().zip(&counts).filter(|(_, count)| **count > 0);
    let numeric = |text: &String| {
        text.trim_matches(['$', '€', '£', '%', ' ']).starts_with(|c: char| c.is_ascii_digit() || c == '-')
    };
    let rows = |says: &dyn Fn(&str) -> bool| {
        levels().filter(|(text, _)| numeric(text) && says(text)).map(|(_, count)| count).sum::<usize>()
    };
    let commas = rows(&|text| has_comma_before_decimals(text) && parse(text, true).is_some());
    let dots = rows(&|text| has_dot_before_decimals(text) && parse(text, false).is_some());
    // 1.234 may be either; a few odd cells are no reason to take a column of them for thousands.
    let either = rows(&|text| is_grouped(text) && !has_dot_before_decimals(text));
    let decimal_comma = commas > dots && commas as f64 >= SHARE * either as f64;
    let mut read = Read { decimal_comma, words: Vec::new() };
    let (mut all, mut left) = (0, 0);
    for (text, count) in levels() {
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
            read(&texts.map(Some).collect())
        };
        assert_eq!(of(&["?", "?"]), Some(Read { decimal_comma: false, words: vec!["?".into()] }));
        assert_eq!(of(&["1,5"]), Some(Read { decimal_comma: true, words: vec![] }));
        assert_eq!(of(&["1,500"]), Some(Read { decimal_comma: false, words: vec![] }));
        // One comma among decimal points is an odd cell, and no reason to read all others otherwise.
        assert_eq!(of(&["9,843.00", "2.5", "1,23"]), Some(Read { decimal_comma: false, words: vec!["1,23".into()] }));
        assert_eq!(of(&["9.843,00", "2,5", "1.23"]), Some(Read { decimal_comma: true, words: vec![] }));
        let thirds = |odd: &str| {
            read(&(0..40).map(|i| format!("{}.{:03}", 1 + i % 4, 7 * i)).chain([odd.into()]).map(Some).collect())
        };
        assert_eq!(thirds("1,5"), Some(Read { decimal_comma: false, words: vec!["1,5".into()] }));
        assert_eq!(of(&["a", "b", "c", "d"]), None);
        assert_eq!(read(&[Some("a")].into_iter().collect()), None);
        assert_eq!(read(&Words::default()), None);
    }
}
