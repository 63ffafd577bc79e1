//! The catalogue: whether the source and the English file agree, and what translations do.

use super::super::tests::{data, fitted, why};
use super::*;
use crate::report::Report;
use std::collections::BTreeSet;

/// A call of `say!` or `words!`.
struct Call {
    place: String,
    key: String,
    names: BTreeSet<String>,
}

/// Calls in the source of the report; those within another one, too.
fn calls() -> Vec<Call> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report")];
    let mut calls = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == "rs")
                && !path.ends_with("text/mod.rs")
                && !path.ends_with("text/tests.rs")
            {
                let source = std::fs::read_to_string(&path).unwrap();
                for start in ["say!(", "words!("].iter().flat_map(|call| source.match_indices(call)) {
                    calls.push(call(&source[start.0 + start.1.len()..], format!("{}", path.display())));
                }
            }
        }
    }
    calls
}

/// The arguments of a call, from behind its bracket.
fn call(source: &str, place: String) -> Call {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut arguments = vec![String::new()];
    for letter in source.chars() {
        if !quoted && depth == 0 && letter == ')' {
            break;
        }
        if !quoted && depth == 0 && letter == ',' {
            arguments.push(String::new());
            continue;
        }
        arguments.last_mut().unwrap().push(letter);
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    let key = arguments[1].trim().trim_matches('"').to_string();
    let named = arguments.iter().skip(2).filter_map(|own| Some(own.split_once('=')?.0.trim().to_string()));
    Call { place, key, names: named.collect() }
}

#[test]
fn the_source_and_the_english_file_agree() {
    let english = file::read(Text::ENGLISH, None).unwrap();
    let calls = calls();
    assert!(calls.len() > 300, "{} calls were found", calls.len());
    for Call { place, key, names } in &calls {
        let entry = english.get(key).unwrap_or_else(|| panic!("{place}: the English file lacks {key}"));
        let places: BTreeSet<String> = entry.places().0.into_iter().map(str::to_string).collect();
        let unknown = names.difference(&places).find(|&name| name != "n");
        assert!(unknown.is_none(), "{place}: {key} has no {{{}}}", unknown.unwrap());
        let missing = places.difference(names).next();
        assert!(missing.is_none(), "{place}: {key} gets no {}", missing.unwrap());
        assert!(!entry.is_plural() || names.contains("n"), "{place}: {key} gets no number to choose its form by");
    }
    let used: BTreeSet<&str> = calls.iter().map(|call| call.key.as_str()).collect();
    let read_as_they_are = ["lang", "dir", "number.decimal", "number.thousands"];
    for key in english.keys() {
        assert!(used.contains(key.as_str()) || read_as_they_are.contains(&key.as_str()), "{key} is not used");
    }
    for line in Text::ENGLISH.lines() {
        assert!(line.chars().count() <= 132 && line.trim_end() == line, "{line}");
    }
    assert_eq!(Text::parse(Text::ENGLISH).unwrap().0.entries, english);
}

#[test]
fn english_numbers_read_well() {
    let text = Text::english();
    assert_eq!(
        (text.percent(0.1234), text.percent(0.0001), text.percent(0.0)),
        ("12.3\u{a0}%".into(), "0.010\u{a0}%".into(), "0.0\u{a0}%".into())
    );
    let whole = [0.0, 0.0042, 0.244, 1.0, f64::NAN].map(|share| text.whole(share));
    assert_eq!(whole, ["0\u{a0}%", "0.4\u{a0}%", "24\u{a0}%", "100\u{a0}%", "unknown"]);
    assert_eq!(
        (text.count(7), text.count(1797), text.count(1_234_567)),
        ("7".into(), "1,797".into(), "1,234,567".into())
    );
    for (number, words) in [
        (0.0, "0"),
        (2.34159, "2.34"),
        (-12.0, "-12"),
        (1234.4, "1234"),
        (0.012345, "0.0123"),
        (99.99, "100"),
        (1e9, "1.00e9"),
        (f64::NAN, "unknown"),
    ] {
        assert_eq!(text.value(number), words);
    }
    assert_eq!(text.list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    assert_eq!(
        (words!(text, "rows", n = 1usize), words!(text, "rows", n = 2000usize)),
        ("1 row".into(), "2,000 rows".into())
    );
}

#[test]
fn other_languages_have_their_numbers_and_plurals() {
    let text = Text::parse(
        "lang = pl\nnumber.decimal = ,\nnumber.thousands = \\_\npercent = {number} %\nlist.last = {first} i {last}\n\
         rows[one] = {n} wiersz\nrows[few] = {n} wiersze\nrows[many] = {n} wierszy\nrows[other] = {n} wiersza\n",
    )
    .unwrap();
    let rows = [1usize, 3, 5, 12, 22, 1112].map(|n| words!(text, "rows", n = n));
    assert_eq!(rows, ["1 wiersz", "3 wiersze", "5 wierszy", "12 wierszy", "22 wiersze", "1\u{a0}112 wierszy"]);
    assert_eq!(
        (text.value(0.25), text.percent(0.125), text.whole(0.5)),
        ("0,25".into(), "12,5 %".into(), "50 %".into())
    );
    assert_eq!(text.list(&["a".into(), "b".into()]), "a i b");
    // What is not translated is English, plurals too.
    assert_eq!(words!(text, "clusters", n = 3usize), "3 clusters");
    assert_eq!(words!(text, "clusters", n = 1usize), "1 cluster");
}

/// Numbers of each form, from the samples that the CLDR's charts of plural rules give.
#[test]
fn plurals_are_those_of_the_cldr() {
    use plural::Form::{Few, Many, One, Other, Two, Zero};
    for (lang, form, numbers) in [
        ("en", One, &[1][..]),
        ("en", Other, &[0, 2, 16, 100, 1000]),
        ("de-AT", One, &[1]),
        ("ja", Other, &[0, 1, 15, 100]),
        ("hi", One, &[0, 1]),
        ("fr", One, &[0, 1]),
        ("fr", Many, &[1_000_000]),
        ("fr", Other, &[2, 17, 100, 100_000]),
        ("pt-PT", Other, &[0, 2]),
        ("es", Many, &[1_000_000]),
        ("ru", One, &[1, 21, 31, 101, 1001]),
        ("ru", Few, &[2, 3, 4, 22, 34, 102]),
        ("ru", Many, &[0, 5, 11, 12, 14, 19, 100, 112]),
        ("hr", Other, &[0, 5, 11, 19, 100]),
        ("pl", One, &[1]),
        ("pl", Few, &[2, 4, 22, 102]),
        ("pl", Many, &[0, 5, 12, 19, 21, 100, 101]),
        ("cs", Few, &[2, 3, 4]),
        ("cs", Other, &[0, 5, 19, 22, 100]),
        ("sl", One, &[1, 101, 201]),
        ("sl", Two, &[2, 102]),
        ("sl", Few, &[3, 4, 103, 104]),
        ("sl", Other, &[0, 5, 19, 100]),
        ("lt", One, &[1, 21, 101]),
        ("lt", Few, &[2, 9, 22, 102]),
        ("lt", Other, &[0, 10, 20, 11, 19]),
        ("lv", Zero, &[0, 10, 20, 11, 19]),
        ("lv", One, &[1, 21, 101]),
        ("lv", Other, &[2, 9, 22, 102]),
        ("ro", Few, &[0, 2, 16, 101, 102]),
        ("ro", Other, &[20, 35, 100]),
        ("ar", Zero, &[0]),
        ("ar", Two, &[2]),
        ("ar", Few, &[3, 10, 103, 110, 1003]),
        ("ar", Many, &[11, 26, 111]),
        ("ar", Other, &[100, 102, 200, 1000]),
        ("he", Two, &[2]),
        ("he", Other, &[0, 3, 17, 100]),
    ] {
        for &number in numbers {
            assert_eq!(plural::Form::of(lang, number), form, "{lang} {number}");
        }
    }
}

#[test]
fn marks_are_parsed_and_values_escaped() {
    let text = Text::parse("lang = xx\nsure.model = a < b *b [model|m\\*] {here}* {mean}\n").unwrap();
    let shown = say!(text, "sure.model", here = "<i>", mean = maud::html! { i { "9" } }).into_string();
    let button = "<button type=\"button\" class=\"term\" popovertarget=\"term-model\">m*</button>";
    assert_eq!(shown, format!("a &lt; b <b>b {button} &lt;i&gt;</b> <i>9</i>"));
    assert_eq!(words!(text, "sure.model", here = "<i>", mean = 1usize), "a < b b m* <i> 1");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (source, line, reason) in [
        ("lang = de\n\n# x\nno.such = x\n", 4, "no such key"),
        ("title = {name}", 1, "no such placeholder: {name}"),
        ("title = [path|x]", 1, "explains no term path"),
        ("title = *x", 1, "\"*\" is missing"),
        ("title = {", 1, "are missing after \"\""),
        ("title = x]", 1, "closes nothing"),
        ("tree.legend = [path|a *b* c]", 1, "marks within marks"),
        ("tree.legend = [path", 1, "are missing after \"path\""),
        ("title = a\ntitle = b", 2, "stands there twice"),
        ("rows[one] = x\nrows[many] = {n}", 2, "lacks rows[other]"),
        ("rows[several] = x", 1, "no form of the plural is called several"),
        ("title = \\x", 1, "means nothing"),
        ("title = \\", 1, "means nothing"),
        ("title", 1, "is not \"key = text\""),
        ("Title = x", 1, "is no key"),
        ("  title = x", 1, "continues no line"),
        ("lang = \"><script>", 1, "must be a language"),
        ("dir = up", 1, "must be ltr or rtl"),
        ("lang = {n}", 1, "no such placeholder"),
    ] {
        match Text::parse(source) {
            Err(Error::Format { reason: found, .. }) => {
                assert!(found.starts_with(&format!("line {line}: ")) && found.contains(reason), "{source}: {found}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.txt");
    std::fs::write(&path, b"title = x\ntitle = \xff\n").unwrap();
    let found = Text::read(&path).unwrap_err().to_string();
    assert!(found.contains("wrong.txt") && found.contains("line 2: not UTF-8"), "{found}");
    assert!(matches!(Text::read(folder.path().join("none.txt")), Err(Error::Io { .. })));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_catalogue_or_an_error(source in "(title|rows|lang|dir|tree.legend)?(\\[(one|other)\\])?[ =]{0,3}[a-z{}\\[\\]*|\\\\\"_ \n]{0,40}") {
        if let Ok(text) = Text::parse(&source) {
            let shown = say!(text, "tree.legend", whole = "<").into_string();
            proptest::prop_assert!(!shown.contains("<<") && !text.lang().is_empty());
        }
    }
}

#[test]
fn kinds_are_named_as_the_schema_names_them() {
    use crate::table::{Field, Kind, Scale, Schema};
    for kind in
        [Kind::Number, Kind::Count, Kind::Share, Kind::Ordinal, Kind::Category, Kind::Flag, Kind::Date, Kind::Answers]
    {
        for scale in [Scale::Linear, Scale::Log, Scale::Rank] {
            let mut field = Field::new("f", kind);
            if kind.has_levels() {
                field = field.with_levels(["a", "b"]);
            }
            field.scale = scale;
            let Ok(schema) = Schema::new(vec![field.clone()]) else { continue };
            let (_, words) = schema.kinds_in_words().next().unwrap();
            assert_eq!(crate::report::data::kind(Text::english(), &field), words);
        }
    }
}

/// A translation of a few entries into a made-up language that is written from right to left.
const TURNED: &str = "\
lang = qaa-Hebr
dir = rtl
number.decimal = ,
number.thousands = .
title = \u{5d0}\u{5d1}\u{5d2} <b>
tree.legend = \u{5d3} {whole} [path|\u{5d4}]
  \u{5d5}
rows[one] = {n} \u{5d6}
rows[other] = {n} \u{5d7}
card.cluster = \u{5d8} {path}
answers.who = \u{5d9}?
apart.title = \u{5db}
chart.lower = \u{5dc}
term.path = \u{5de}
use.title = \u{5e0}
";

#[test]
fn a_report_speaks_another_language() {
    let data = data();
    let tree = fitted(&data);
    let rows = Report::new(&tree, &data).sample(60).unwrap();
    let why = why(&data, &rows, tree.leaves().count());
    let report = || Report::new(&tree, &data).explanation(rows.clone(), &why);
    let text = Text::parse(TURNED).unwrap();
    let html = report().text(text.clone()).render().unwrap();
    for part in [
        "<html lang=\"qaa-Hebr\" dir=\"rtl\">",
        "<title>\u{5d0}\u{5d1}\u{5d2} &lt;b&gt;</title>",
        "<p>\u{5d3} all rows <button type=\"button\" class=\"term\" popovertarget=\"term-path\">\u{5d4}</button> \u{5d5}</p>",
        "180 \u{5d7}",
        "\u{5d8} 0.1",
        "<h4>\u{5d9}?</h4>",
        "<h4>\u{5db}</h4>",
        "\u{5dc}</text>",
        "<dt>\u{5de}</dt>",
        "\u{5e0}</h2>",
        "svg { direction: ltr; }",
        ",3\u{a0}%",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for english in ["Who they are", ">Path<", "lower than usual", "Putting it to use"] {
        assert!(!html.contains(english), "{english}");
    }
    // The catalogue of the English entries is the English report.
    let plain = report().render().unwrap();
    assert!(report().text(Text::parse(Text::ENGLISH).unwrap()).render().unwrap() == plain);
    assert!(report().text(Text::parse("").unwrap()).render().unwrap() == plain);
    // A draft that is given another catalogue has its frame in that language.
    let turned = report().draft().unwrap().with_text(text).render(&tree).unwrap();
    assert!(turned.contains("dir=\"rtl\"") && turned.contains("\u{5d8} 0.1") && turned.contains("Who they are"));
}

#[cfg(feature = "serde")]
#[test]
fn a_saved_draft_keeps_its_language() {
    use crate::Saved;
    use crate::report::Draft;
    let data = data();
    let tree = fitted(&data);
    for text in [Text::default(), Text::parse(TURNED).unwrap()] {
        let draft = Report::new(&tree, &data).text(text).draft().unwrap();
        let json = draft.to_json().unwrap();
        let back = Draft::from_json(&json).unwrap();
        assert!(back.render(&tree).unwrap() == draft.render(&tree).unwrap());
        assert!(Draft::from_json(&json.replacen("\"text\":\"", "\"text\":\"no.such = x\\n", 1)).is_err());
    }
}
