//! Text in a drawing: how wide it is, cut to fit, and cleaned of what turns or breaks a line.

/// Characters of a whole name, in a tooltip, and of a name, and of a shorter part, in the text for
/// those who cannot see a chart.
pub(super) const TIP: usize = 400;
pub(super) const SAID: usize = 60;
pub(super) const SAID_SHORT: usize = 40;

/// Text cut to so many characters.
pub(in crate::report) fn short(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_string(),
    }
}

/// Text in one line that reads in one direction, cut to so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    short(clean(text).trim(), most)
}

/// Text in one line, cut to a width of `room` units in letters of `size` units.
pub(super) fn fit(text: &str, size: f64, room: f64) -> String {
    // No text that fits a chart is longer: names of millions of letters are not measured.
    let text = cut(text, TIP);
    if width(&text, size) <= room {
        return text;
    }
    let mut used = width("…", size);
    let mut kept = String::new();
    for c in text.chars() {
        used += size * advance(c);
        if used > room {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// About how wide a text is in letters of `size` units, rather too wide than too narrow.
pub(super) fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(advance).sum::<f64>()
}

/// The width of the widest of some names, cut to between `least` and `most` units.
pub(super) fn column<'a>(names: impl Iterator<Item = &'a str>, size: f64, least: f64, most: f64) -> f64 {
    names.map(|name| width(&fit(name, size, most), size)).fold(least, f64::max).min(most)
}

/// Without control characters, and marks that turn the direction of writing or pile up without end.
fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let unfit = |c: char| turns(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
    let mut piled = 0;
    let kept = text.chars().filter(|&c| {
        piled = if is_mark(c) { piled + 1 } else { 0 };
        !unfit(c) && piled <= 2
    });
    kept.map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// Marks that stand above or below the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The width of a letter in parts of its size, in the usual sans-serif faces.
fn advance(c: char) -> f64 {
    match c {
        _ if is_mark(c) => 0.0,
        '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        'i' | 'j' | 'l' | 'I' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' => 0.30,
        ' ' | '\u{a0}' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '"' => 0.37,
        'm' | 'M' | 'w' => 0.86,
        'W' | '@' | '%' | '…' | '—' | '→' | '←' => 0.98,
        'a'..='z' | '0'..='9' => 0.58,
        '+' | '=' | '<' | '>' | '~' | '−' => 0.62,
        'A'..='Z' | '&' | '#' => 0.72,
        '\u{20}'..='\u{7e}' => 0.58,
        '\u{a1}'..='\u{24f}' | '\u{370}'..='\u{3ff}' => 0.66,
        '\u{400}'..='\u{52f}' | '\u{590}'..='\u{6ff}' => 0.72,
        _ => 1.06,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_its_room() {
        for text in
            ["abc", "a much longer name than any", "漢字かな交じり文", "العربية", "WWWWWWWWWW", "", "\u{202e}x\ny"]
        {
            for room in [0.0, 12.0, 40.0, 90.0, 1000.0] {
                let cut = fit(text, 13.0, room);
                assert!(width(&cut, 13.0) <= room.max(width("…", 13.0)), "{cut} in {room}");
                assert!(!cut.contains(['\u{202e}', '\n']));
            }
        }
        assert_eq!((fit("abc", 13.0, 99.0), short("abcdef", 4)), ("abc".into(), "abc…".into()));
        assert_eq!(fit("visits", 10.0, 25.0), "vis…");
        assert!(fit(&"x".repeat(5_000_000), 13.0, 1e12).chars().count() <= 400);
    }

    #[test]
    fn marks_do_not_pile_up() {
        let zalgo: String = std::iter::once('e').chain(std::iter::repeat_n('\u{301}', 50)).collect();
        assert_eq!(cut(&zalgo, 100).chars().count(), 3);
        assert_eq!(cut(" a\u{0}b ", 9), "a b");
    }
}
