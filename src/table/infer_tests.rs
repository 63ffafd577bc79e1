use super::super::{Schema, Table};
use super::*;

fn words(texts: &[&str], rows: usize) -> Values {
    Values::words((0..rows).map(|i| Some(texts[i % texts.len()]).filter(|text| !text.is_empty())))
}

fn numbers(rows: usize, of: impl Fn(usize) -> f64) -> Values {
    Values::numbers((0..rows).map(of))
}

fn of(name: &str, values: Values) -> Field {
    let rows = values.len();
    field(&Column::new(name, values), rows, false)
}

#[test]
fn kinds_of_words() {
    assert_eq!(of("plan", words(&["b", "a", "c"], 60)).levels, ["a", "b", "c"]);
    let flag = of("paid", words(&["Yes", "No"], 60));
    assert_eq!((flag.kind, &flag.levels[..]), (Kind::Flag, &["No".to_string(), "Yes".into()][..]));
    let checked = of("uses", words(&["x", ""], 60));
    assert_eq!((checked.kind, checked.blank.as_deref()), (Kind::Flag, Some("no")));
    assert_eq!(of("age", words(&["18-24", "Under 18", "25+"], 60)).kind, Kind::Ordinal);
    let answers = of("tools", words(&["ink; pen", "pen", "ink;pen;chalk", "chalk"], 60));
    assert_eq!(
        (answers.kind, &answers.levels[..]),
        (Kind::Answers, &["chalk".to_string(), "ink".into(), "pen".into()][..])
    );
    assert_eq!(of("when", words(&["31/12/2020", "1/6/2021"], 60)).kind, Kind::Date);
    let ids: Vec<String> = (0..60).map(|i| format!("{i:040}x")).collect();
    let id = of("k", Values::words(ids.iter().map(Some)));
    assert_eq!((id.role, id.kind), (Role::Id, Kind::Category));
    let said: Vec<String> = (0..60).map(|i| format!("the {i}th time I called they told me to wait")).collect();
    let free = of("k", Values::words(said.iter().map(Some)));
    assert_eq!((free.role, free.reason.as_deref()), (Role::Dropped, Some("free text, no two alike")));
    let comments: Vec<String> = (0..60).map(|i| format!("text {}", i / 2 * 2 + i % 2 * (i % 3))).collect();
    assert_eq!(of("k", Values::words(comments.iter().map(Some))).role, Role::Dropped);
    let many: Vec<String> = (0..3000).map(|i| format!("c{}", i * 7919 % 3001 % 400)).collect();
    let many = of("maker", Values::words(many.iter().map(Some)));
    assert_eq!((many.kind, many.role, many.levels.len()), (Kind::Category, Role::Feature, 255));
    assert_eq!(many.other.as_deref(), Some("other"));
}

#[test]
fn kinds_of_numbers() {
    assert_eq!(of("score", numbers(100, |i| (i % 5 + 1) as f64)).levels, ["1", "2", "3", "4", "5"]);
    assert_eq!(of("visits", numbers(100, |i| (i * 7 % 40) as f64)).kind, Kind::Count);
    assert_eq!(of("rate", numbers(100, |i| i as f64 / 100.0)).kind, Kind::Share);
    assert_eq!(of("change", numbers(100, |i| i as f64 / 7.0 - 3.0)).kind, Kind::Number);
    assert_eq!(of("won", numbers(100, |i| (i % 2) as f64)).kind, Kind::Flag);
    assert_eq!(of("region", numbers(100, |i| (i % 9) as f64)).kind, Kind::Category);
    assert_eq!(of("OperatingSystems", numbers(100, |i| (i % 8) as f64)).kind, Kind::Category);
    assert_eq!(of("customerID", numbers(100, |i| (7 * i + 3) as f64)).role, Role::Id);
    assert_eq!(of("phone", numbers(100, |i| (700_000_123 + 7 * i) as f64)).role, Role::Id);
    assert_eq!(of("Unnamed: 0", numbers(100, |i| (99 - i) as f64)).role, Role::Dropped);
    assert_eq!(of("n", numbers(100, |i| (i + 1) as f64)).role, Role::Dropped);
    assert_eq!(of("same", numbers(100, |_| 4.5)).reason.as_deref(), Some("\"4.5\" in every row"));
    assert_eq!(of("none", numbers(100, |_| f64::NAN)).role, Role::Dropped);
    assert_eq!(of("sometimes", numbers(100, |i| if i % 2 == 0 { 4.5 } else { f64::NAN })).kind, Kind::Flag);
}

#[test]
fn skewed_numbers_change_their_scale() {
    let n = 1000;
    let grid = |i: usize| (i as f64 + 0.5) / n as f64;
    assert_eq!(of("x", numbers(n, |i| 20.0 + grid(i))).scale, Scale::Linear);
    // Amounts: the square of an exponential's quantile.
    assert_eq!(of("x", numbers(n, |i| (-(1.0 - grid(i)).ln()).exp().powi(2) - 1.0)).scale, Scale::Log);
    // Nearly all are zero, which no logarithm mends.
    assert_eq!(of("x", numbers(n, |i| if i % 50 == 0 { 1000.0 + i as f64 } else { 0.0 })).scale, Scale::Rank);
    assert_eq!(of("x", numbers(n, |i| -(grid(i).powi(-2)))).scale, Scale::Rank);
}

#[test]
fn numbers_among_texts() {
    let mut texts: Vec<String> = (0..100).map(|i| format!("{},5", i * 3)).collect();
    texts[7] = "unknown".into();
    let found = of("amount", Values::words(texts.iter().map(|text| Some(text).filter(|text| *text != "30,5"))));
    assert_eq!(
        (found.kind, found.decimal_comma, &found.missing[..]),
        (Kind::Number, true, &["unknown".to_string()][..])
    );
    assert!(found.reason.unwrap().starts_with("1 cell is a word among numbers"));
    // Codes with leading zeros are no numbers.
    assert_eq!(of("zip", words(&["01234", "99999", "00001"], 60)).kind, Kind::Category);
}

#[test]
fn a_comma_that_may_be_either_is_read_as_in_the_other_columns() {
    let thousandths: Vec<String> = (0..60).map(|i| format!("{},{:03}", 1 + i % 7, i * 137 % 1000)).collect();
    let column = || Column::new("a", Values::words(thousandths.iter().map(Some)));
    let first = |more: Option<Column>| {
        let table = Table::new([column()].into_iter().chain(more).collect()).unwrap();
        let schema = Schema::infer(&table);
        let encoded = schema.encode(&table).unwrap()[[1, 0]];
        (encoded, schema.field("a").unwrap().reason.clone().unwrap())
    };
    let (alone, why) = first(None);
    assert!(alone == 2137.0 && why.ends_with("between thousands"), "{alone} {why}");
    let (beside, why) = first(Some(Column::new("b", words(&["1,5", "22,75", "3,0", "0,125"], 60))));
    assert!(beside == 2.137 && why.ends_with("as in other columns"), "{beside} {why}");
    let (beside, _) = first(Some(Column::new("b", numbers(60, |i| i as f64 / 4.0))));
    assert_eq!(beside, 2137.0);
}

#[test]
fn what_cannot_be_encoded_says_why() {
    let told = |schema: &Schema, table: &Table| schema.encode(table).unwrap_err().to_string();
    let fitted = Table::new(vec![Column::new("a", numbers(60, |i| i as f64 / 4.0))]).unwrap();
    let comma = Table::new(vec![Column::new("a", words(&["0,033", "1,5"], 4))]).unwrap();
    assert_eq!(
        told(&Schema::infer(&fitted), &comma),
        "column \"a\", row 0: \"0,033\" is a number with a decimal comma, where the schema has a decimal point"
    );
    let ids = || Values::words((0..60).map(|i| Some(format!("k{i}"))));
    let table = Table::new(vec![Column::new("a", ids()), Column::new("b", ids())]).unwrap();
    assert_eq!(
        told(&Schema::infer(&table), &table),
        "column \"a\": it is set aside (texts, no two alike) and so is the other column: nothing is left to find clusters by"
    );
    let none = Table::new(vec![Column::new("a", numbers(0, |_| 0.0))]).unwrap();
    assert_eq!(told(&Schema::infer(&fitted), &none), "the table is empty: 0 rows x 1 columns");
}

#[test]
fn written_numbers_are_levels_too() {
    for (texts, kind, codes) in [
        (&["10 %", "20 %"][..], Kind::Flag, &[0.0, 1.0][..]),
        (&["$1", "$2", "$3"], Kind::Ordinal, &[0.0, 1.0, 2.0]),
        (&["1,0", "2,0", "4,0"], Kind::Ordinal, &[0.0, 1.0, 2.0]),
        (&["0,5", "1,5"], Kind::Flag, &[0.0, 1.0]),
        (&["$1,000", ""], Kind::Flag, &[1.0, 0.0]),
        (&["04/09/2012", ""], Kind::Flag, &[1.0, 0.0]),
    ] {
        let table = Table::new(vec![Column::new("a", words(texts, 60))]).unwrap();
        let schema = Schema::infer(&table);
        assert_eq!(schema.fields()[0].kind, kind, "{texts:?}");
        let found = schema.encode(&table).unwrap();
        assert!((0..60).all(|i| found[[i, 0]] == codes[i % codes.len()]), "{texts:?}: {:?}", found.row(0));
    }
}

#[test]
fn neither_the_order_of_rows_nor_of_columns_matters() {
    let rows = 80;
    let table = |turn: usize| {
        let at = |i: usize| (i * 33 + turn) % rows;
        let mut columns = vec![
            Column::new("b", Values::words((0..rows).map(|i| Some(["x", "y", "w"][at(i) % 3])))),
            Column::new("a", numbers(rows, |i| (at(i) * at(i)) as f64)),
            Column::new("c", Values::words((0..rows).map(|i| Some(format!("{}", at(i) % 7))))),
        ];
        columns.rotate_left(turn % 3);
        Table::new(columns).unwrap()
    };
    assert_eq!(Schema::infer(&table(0)), Schema::infer(&table(11)));
}
