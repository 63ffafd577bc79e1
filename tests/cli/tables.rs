//! Tables of words, dates, ids and missing answers at the command line.

use crate::help::{bad, folder, good, report, write};
use std::path::Path;
use std::sync::Arc;

/// Customers of two kinds: (name, cells), with missing answers, ids of 40 characters, a date, words and a constant column.
fn customers(rows: usize) -> Vec<(&'static str, Vec<String>)> {
    let of = |cell: &dyn Fn(usize, bool) -> String| (0..rows).map(|i| cell(i, i % 3 == 0)).collect::<Vec<String>>();
    let spread = |i: usize, salt: usize| {
        let x = ((i * 64 + salt) as u64 ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as usize % 1009
    };
    vec![
        ("id", of(&|i, _| format!("{:040x}", (i as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced))),
        ("plan", of(&|i, a| if a != (spread(i, 1) < 80) { "pro, yearly" } else { "free" }.into())),
        ("visits", of(&|i, a| (if a { 60 } else { 5 } + spread(i, 2) % 20).to_string())),
        ("mood", of(&|i, a| ["bad", "fair", "good", "excellent"][if a { 2 } else { 0 } + spread(i, 3) % 2].into())),
        (
            "joined",
            of(&|i, a| format!("20{:02}-{:02}-17", if a { 12 } else { 21 } + spread(i, 4) % 3, 1 + spread(i, 5) % 12)),
        ),
        (
            "spent",
            of(&|i, a| match spread(i, 6) {
                ..100 => " ".into(),
                x => format!("{:.2}", if a { 900.0 } else { 20.0 } + x as f64 / 10.0),
            }),
        ),
        ("kind", of(&|_, a| if a { "A" } else { "B" }.into())),
        ("city", of(&|i, _| ["Oslo", "Lima", "NA"][spread(i, 7) % 3].into())),
        ("same", of(&|_, _| "x".into())),
    ]
}

fn csv(columns: &[(&str, Vec<String>)], separator: char) -> String {
    let quoted = |cell: &str| if cell.contains(separator) { format!("\"{cell}\"") } else { cell.to_string() };
    let line = |cells: Vec<&str>| cells.into_iter().map(quoted).collect::<Vec<_>>().join(&separator.to_string()) + "\n";
    let mut text = line(columns.iter().map(|column| column.0).collect());
    for row in 0..columns[0].1.len() {
        text += &line(columns.iter().map(|column| column.1[row].as_str()).collect());
    }
    text
}

/// The same rows with the types that a database gives them.
fn parquet(path: &Path, columns: &[(&str, Vec<String>)]) {
    use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
    let days = |text: &String| {
        let part = |at: std::ops::Range<usize>| text[at].parse::<i64>().unwrap();
        let (year, month) = (part(0..4), part(5..7));
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
        let leap = i64::from(month > 2 && year % 4 == 0);
        (365 * (year - 1970) + (year - 1969) / 4 + before + leap + 16) as i32
    };
    let array = |(name, cells): &(&str, Vec<String>)| -> (String, ArrayRef) {
        let array: ArrayRef = match *name {
            "visits" => Arc::new(cells.iter().map(|cell| cell.parse().ok()).collect::<Int64Array>()),
            "spent" => Arc::new(cells.iter().map(|cell| cell.trim().parse().ok()).collect::<Float64Array>()),
            "joined" => Arc::new(cells.iter().map(|cell| Some(days(cell))).collect::<Date32Array>()),
            _ => Arc::new(cells.iter().map(|cell| Some(cell.as_str()).filter(|c| *c != "NA")).collect::<StringArray>()),
        };
        (name.to_string(), array)
    };
    let batch = RecordBatch::try_from_iter(columns.iter().map(array)).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    // In pieces, as they come from a stream.
    for first in (0..batch.num_rows()).step_by(100) {
        writer.write(&batch.slice(first, 100.min(batch.num_rows() - first))).unwrap();
    }
    writer.close().unwrap();
}

const FIT: &str = "fit --depth 1 --rounds 8 --label kind --profile city --neighbors 10";

#[test]
fn the_same_rows_are_the_same_clusters_in_whatever_file_they_come() {
    let tmp = folder();
    let at = tmp.path();
    let columns = customers(420);
    let mut turned = columns.clone();
    turned.reverse();
    turned.rotate_left(2);
    write(at, "a.csv", csv(&columns, ','));
    write(at, "turned.csv", csv(&turned, ','));
    write(at, "a.tsv", "\u{feff}".to_string() + &csv(&columns, '\t').replace('\n', "\r\n"));
    parquet(&at.join("a.parquet"), &columns);
    let text = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    for data in ["a.csv", "turned.csv", "a.tsv", "a.parquet"] {
        let told = good(at, &format!("{FIT} --data {data} --out {data}.out"));
        assert!(told["ari"].is_number() && told["best_node_f"].as_f64().unwrap() > 0.7, "{told}");
        assert_eq!(told["set_aside"].as_object().unwrap().keys().collect::<Vec<_>>(), ["same"], "{told}");
        for file in ["assignments.csv", "model.json"] {
            assert_eq!(text(&format!("{data}.out/{file}")), text(&format!("a.csv.out/{file}")), "{data} {file}");
        }
    }
    let assignments = text("a.csv.out/assignments.csv");
    assert!(assignments.starts_with("row,id,core,assigned,confidence,name\n0,"), "{}", &assignments[..80]);
    // New rows, in any order of columns, more of them, or fewer where they are not the model's.
    let mut more = turned.clone();
    more.retain(|column| !["kind", "city", "same"].contains(&column.0));
    more.push(("extra", vec!["?".into(); 420]));
    write(at, "more.csv", csv(&more, ';'));
    for data in ["a.csv", "more.csv", "a.parquet"] {
        good(at, &format!("predict --model a.csv.out/model.json --data {data} --out p.csv"));
        let cells = |text: &str, places: &[usize]| -> Vec<String> {
            text.lines()
                .map(|l| places.iter().map(|&p| l.split(',').nth(p).unwrap()).collect::<Vec<_>>().join(","))
                .collect()
        };
        assert_eq!(cells(&text("p.csv"), &[0, 1, 2, 3]), cells(&assignments, &[0, 1, 3, 4]), "{data}");
    }
    let fewer: Vec<_> = columns.iter().filter(|column| column.0 != "mood").cloned().collect();
    write(at, "fewer.csv", csv(&fewer, ','));
    assert!(bad(at, "predict --model a.csv.out/model.json --data fewer.csv --out p", 1).contains("missing \"mood\""));
    good(at, "shap --model a.csv.out/model.json --data turned.csv --rows 9 --out s.npy");
    let page = report(&at.join("a.csv.out"));
    for words in ["pro, yearly", "&quot;x&quot; in every row", "spent"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn kinds_are_printed_edited_and_kept() {
    let tmp = folder();
    let at = tmp.path();
    write(at, "a.csv", csv(&customers(200), ','));
    let run = |line: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_recluster"));
        let done = command.current_dir(at).args(line.split_whitespace()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let printed = run("kinds --data a.csv");
    assert!(printed.contains("name = \"mood\"\nkind = \"ordinal\""), "{printed}");
    write(at, "k.toml", &printed);
    good(at, "fit --data a.csv --depth 1 --rounds 4 --neighbors 10 --out one");
    good(at, "fit --data a.csv --depth 1 --rounds 4 --neighbors 10 --out two --kinds k.toml");
    let text = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    assert_eq!(text("one/assignments.csv"), text("two/assignments.csv"));
    write(at, "k.toml", "[[column]]\nname = \"visits\"\nrole = \"dropped\"\n");
    let told = good(at, "fit --data a.csv --depth 1 --rounds 4 --neighbors 10 --out three --kinds k.toml");
    assert!(told["set_aside"]["visits"].is_string(), "{told}");
    // Levels that are written otherwise than in the table, and names that were given to the clusters before.
    write(at, "k.toml", "[[column]]\nname = \"plan\"\nkind = \"category\"\nlevels = [\"FREE\"]\n");
    let named = text("three/names.csv").replacen("\n0,,", "\n0,Everyone,", 1);
    write(at, "three/names.csv", &named);
    run("fit --data a.csv --depth 1 --rounds 4 --neighbors 10 --out three --kinds k.toml");
    assert!(report(&at.join("three")).contains("have a level that is not listed"));
    assert_eq!(text("three/names.before.csv"), named);
    for (kinds, words) in [
        ("[[column]]\nname = \"visit\"\n", "missing \"visit\""),
        ("[[column]]\nname = \"visits\"\nkind = \"numeric\"\n", "k.toml"),
        ("[[column]]\nname = \"plan\"\nlevels = [\"free\", \"free\"]\n", "listed twice"),
        ("[[column]]\nname = \"plan\"\nkind = \"number\"\n", "line 2, column \"plan\""),
    ] {
        write(at, "k.toml", kinds);
        let said = bad(at, "fit --data a.csv --out o --kinds k.toml", 1);
        assert!(said.contains(words), "{kinds}: {said}");
    }
    assert!(bad(at, "fit --data a.csv --out o --id name", 1).contains("--id: the table has no column \"name\""));
    assert!(bad(at, "fit --data digits --out o --drop a", 2).contains("--drop"));
}

#[test]
fn rows_that_answer_almost_nothing_are_set_aside() {
    let tmp = folder();
    let at = tmp.path();
    let mut columns = customers(200);
    for (name, cells) in &mut columns {
        if *name != "id" {
            cells[7] = String::new();
        }
    }
    write(at, "a.csv", csv(&columns, ','));
    let told = good(at, "fit --data a.csv --depth 1 --rounds 4 --neighbors 10 --drop kind,city --out one");
    assert_eq!((told["rows"].as_u64(), told["rows_set_aside"].as_u64()), (Some(199), Some(1)), "{told}");
    let assignments = std::fs::read_to_string(at.join("one/assignments.csv")).unwrap();
    assert!(assignments.lines().nth(8).unwrap().ends_with(",-,-,,"), "{assignments}");
    assert_eq!(assignments.lines().count(), 201);
    assert!(report(&at.join("one")).contains("1 row answers fewer than a tenth of the questions"));
}

#[test]
fn answers_that_have_nothing_in_common_make_no_clusters() {
    let tmp = folder();
    let at = tmp.path();
    // Two coins and a die.
    let bits = |i: usize| {
        let x = (i as u64 ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ x >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
    };
    let line = |i: usize| {
        format!("{},{},{}\n", bits(i) % 2, ["left", "right"][bits(i + 1000) as usize % 2], bits(i + 2000) % 6 + 1)
    };
    write(at, "a.csv", "coin,side,die\n".to_string() + &(0..400).map(line).collect::<String>());
    for evidence in ["", "--evidence off"] {
        let told = good(at, &format!("fit --data a.csv --rounds 4 --out o {evidence}"));
        assert_eq!(told["leaves"].as_u64(), Some(1), "{told}");
    }
    assert!(report(&at.join("o")).contains("No clusters were found"));
    write(
        at,
        "one.csv",
        "word\n".to_string() + &(0..90).map(|i| ["red\n", "blue\n", "green\n"][i % 3]).collect::<String>(),
    );
    good(at, "fit --data one.csv --rounds 4 --out o");
}

#[test]
fn outside_variables_come_from_files_of_their_own() {
    let tmp = folder();
    let at = tmp.path();
    let all = customers(300);
    let cells = |name: &str| all.iter().find(|column| column.0 == name).unwrap().1.clone();
    write(at, "all.csv", csv(&all, ','));
    let alone: Vec<_> = all.iter().filter(|column| column.0 != "city").cloned().collect();
    write(at, "alone.csv", csv(&alone, ','));
    let text = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    let fit = "fit --depth 1 --rounds 4 --neighbors 10 --consensus 1 --label kind --id id";
    good(at, &format!("{fit} --data all.csv --profile city --out o"));

    // Joined by the id, in another order.
    let turn = |cells: Vec<String>| -> Vec<String> { (0..300).map(|i| cells[(i * 7 + 5) % 300].clone()).collect() };
    let [ids, cities] = ["id", "city"].map(|name| turn(cells(name)));
    let file = [("id", ids.clone()), ("city", cities.clone())];
    write(at, "city.csv", csv(&file, ';'));
    good(at, &format!("{fit} --data alone.csv --profile city.csv --out joined"));
    // Row by row.
    write(at, "rows.csv", csv(&[("city", cells("city"))], ','));
    let by_row = fit.replace(" --id id", "");
    good(at, &format!("{by_row} --data alone.csv --profile rows.csv --out by_row"));
    assert!(text("o/outside.csv").lines().count() > 5);
    for folder in ["joined", "by_row"] {
        assert_eq!(text(&format!("{folder}/outside.csv")), text("o/outside.csv"), "{folder}");
    }
    // Beside a column of the data; rows without a line have no value.
    let part = [("id", ids[..200].to_vec()), ("area", cities[..200].to_vec())];
    write(at, "part.csv", csv(&part, ','));
    good(at, &format!("{fit} --data all.csv --profile city,part.csv --out both"));
    assert!(text("both/outside.csv").contains("\narea,") && text("both/outside.csv").contains("\ncity,"));
    assert!(report(&at.join("both")).contains("100 of 300 rows are not in part.csv"));

    let mut twice = file.clone();
    twice[0].1[3] = twice[0].1[0].clone();
    write(at, "twice.csv", csv(&twice, ','));
    write(at, "short.csv", csv(&[("city", cells("city")[..9].to_vec())], ','));
    for (flags, words) in [
        ("--data alone.csv --profile twice.csv", "twice.csv: line 5, column \"id\""),
        ("--data alone.csv --profile rows.csv", "no column \"id\""),
        ("--data all.csv --profile city,city.csv", "city.csv: "),
    ] {
        let told = bad(at, &format!("{fit} {flags} --out no"), 1);
        assert!(told.contains(words), "{told}");
    }
    let told = bad(at, &format!("{by_row} --data alone.csv --profile short.csv --out no"), 1);
    assert!(told.contains("short.csv: 9 rows, the data has 300"), "{told}");
    assert!(!at.join("no").exists());
    // Every column of the files is documented.
    let files = include_str!("../../docs/files.md");
    for file in ["assignments.csv", "names.csv", "rules.csv", "outside.csv"] {
        let section = files.split(&format!("## {file}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        let text = text(&format!("both/{file}"));
        for column in text.lines().next().unwrap().split(',').filter(|&column| column != "id") {
            assert!(section.contains(&format!("`{column}`")), "{file}: {column}");
        }
    }
    assert!(
        text("both/report.md").starts_with("# ")
            && text("both/report.md").contains("100 of 300 rows are not in part.csv")
    );
    // Numbers without names have no columns to name, but may have a file beside them.
    good(at, "embed --data digits --rows 120 --method pca --out e.npy");
    write(at, "e.csv", csv(&[("city", cells("city")[..120].to_vec())], ','));
    good(at, "fit --data e.npy --depth 1 --rounds 2 --consensus 1 --profile e.csv --out numbers");
    assert!(text("numbers/outside.csv").contains("\ncity,"));
}
