//! Forms of the plural: which one a language uses for a whole number, by the rules of the Unicode CLDR for cardinals.

/// A form, as CLDR names it; `Other` is the last, which every entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

impl Form {
    /// The form of that name.
    pub(super) fn named(name: &str) -> Option<Form> {
        Some(match name {
            "zero" => Form::Zero,
            "one" => Form::One,
            "two" => Form::Two,
            "few" => Form::Few,
            "many" => Form::Many,
            "other" => Form::Other,
            _ => return None,
        })
    }

    /// The form of a number. Of a language that is not listed: one for 1, other for all else.
    pub(super) fn of(lang: &str, number: usize) -> Form {
        let (units, hundred) = (number % 10, number % 100);
        let teens = (11..=14).contains(&hundred);
        let millions = number > 0 && number.is_multiple_of(1_000_000);
        let language = lang.split('-').next().unwrap_or_default().to_ascii_lowercase();
        match language.as_str() {
            "id" | "ja" | "ko" | "lo" | "ms" | "my" | "th" | "vi" | "yue" | "zh" => Form::Other,
            "am" | "as" | "bn" | "fa" | "gu" | "hi" | "hy" | "kn" | "zu" if number <= 1 => Form::One,
            "fr" | "pt" if number <= 1 && !lang.eq_ignore_ascii_case("pt-PT") => Form::One,
            "ca" | "es" | "fr" | "it" | "pt" if millions => Form::Many,
            "be" | "ru" | "uk" => match units {
                1 if hundred != 11 => Form::One,
                2..=4 if !teens => Form::Few,
                _ => Form::Many,
            },
            "bs" | "hr" | "sh" | "sr" => match units {
                1 if hundred != 11 => Form::One,
                2..=4 if !teens => Form::Few,
                _ => Form::Other,
            },
            "pl" => match units {
                _ if number == 1 => Form::One,
                2..=4 if !teens => Form::Few,
                _ => Form::Many,
            },
            "cs" | "sk" if (2..=4).contains(&number) => Form::Few,
            "sl" => [Form::Other, Form::One, Form::Two, Form::Few, Form::Few][if hundred < 5 { hundred } else { 0 }],
            "lt" => match units {
                _ if (11..=19).contains(&hundred) => Form::Other,
                1 => Form::One,
                2..=9 => Form::Few,
                _ => Form::Other,
            },
            "lv" => match units {
                0 => Form::Zero,
                _ if (11..=19).contains(&hundred) => Form::Zero,
                1 => Form::One,
                _ => Form::Other,
            },
            "ro" if number == 0 || number != 1 && (1..=19).contains(&hundred) => Form::Few,
            "ar" => match (number, hundred) {
                (0, _) => Form::Zero,
                (1, _) => Form::One,
                (2, _) => Form::Two,
                (_, 3..=10) => Form::Few,
                (_, 11..=99) => Form::Many,
                _ => Form::Other,
            },
            "he" | "iw" if number == 2 => Form::Two,
            _ if number == 1 => Form::One,
            _ => Form::Other,
        }
    }
}
