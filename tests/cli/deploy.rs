//! The saved model in service, at the command line: rows turned away, drift, and bad input.

use crate::help::{bad, files, folder, good, recluster, write};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use recluster::Saved;
use recluster::explain::Surrogate;
use std::path::Path;
use std::sync::Arc;

/// A number of 0 to 1 that looks random.
fn draw(i: usize, salt: usize) -> f64 {
    let x = ((i * 64 + salt) as u64 ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / (1u64 << 24) as f64
}

/// Customers of three kinds, in which `x`, `y` and `z` hang together; strangers, in whom they do not.
fn table(rows: std::ops::Range<usize>, strange: bool) -> String {
    let mut text = "id,x,y,z,plan\n".to_string();
    for i in rows {
        let kind = i % 3;
        let at = |salt: usize| if strange { (draw(i, salt) * 3.0) as usize } else { kind };
        let number = |salt: usize| 40.0 * at(salt) as f64 + 5.0 * draw(i, salt + 20);
        let plan = ["free", "team", "pro"][at(4)];
        text += &format!("c{i:05},{:.3},{:.3},{:.3},{plan}\n", number(1), number(2), number(3));
    }
    text
}

fn fitted(at: &Path) {
    write(at, "a.csv", table(0..600, false));
    good(at, "fit --data a.csv --depth 1 --rounds 20 --shuffled-rows 0.25 --neighbors 10 --id id --out f");
}

fn lines(at: &Path, file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(at.join(file)).unwrap();
    text.lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

#[test]
fn strangers_are_turned_away_and_drift_is_told() {
    let tmp = folder();
    let at = tmp.path();
    fitted(at);
    write(at, "new.csv", table(600..900, false));
    write(at, "strange.csv", table(900..1200, true));
    let known = good(at, "predict --model f/model.json --data new.csv --abstain 0.05 --out new.out --drift-out d.json");
    let found = lines(at, "new.out");
    assert_eq!(found[0].join(","), "row,id,assigned,confidence,runner_up,runner_up_confidence,name");
    assert_eq!((found.len(), found[1].len()), (301, 7));
    assert!(known["drift"]["abstained"].as_f64().unwrap() < 0.15, "{known}");
    assert!(known["drift"]["clusters_psi"].as_f64().unwrap() < 0.1, "{known}");
    let strange = good(at, "predict --model f/model.json --data strange.csv --abstain 0.05 --out s.out");
    let away = strange["drift"]["abstained"].as_f64().unwrap();
    assert!(away > 0.6, "{strange}");
    let dashes = lines(at, "s.out").iter().filter(|line| line[2] == "-").count();
    assert_eq!(dashes as f64 / 300.0, away);
    // Without a threshold nobody is turned away; the confidences are the same.
    good(at, "predict --model f/model.json --data strange.csv --out n.out");
    let (with, without) = (lines(at, "s.out"), lines(at, "n.out"));
    for (with, without) in with.iter().zip(&without).skip(1) {
        assert!(without[2].starts_with("0.") && with[3..] == without[3..]);
        assert!(with[5].parse::<f64>().unwrap() <= with[3].parse().unwrap());
    }
    // All features, and what the fitted rows did not have.
    let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(at.join("d.json")).unwrap()).unwrap();
    assert_eq!(all["features"].as_array().unwrap().len(), 4);
    write(at, "moved.csv", "plan,z,y,x,id\nfree,1,2,3,a\ngold,,2,900,b\ngold,1,2,3,c\nsilver,1,,3,d\n");
    let told = good(at, "predict --model f/model.json --data moved.csv --out m.out");
    assert_eq!(told["drift"]["unseen"][0]["levels"], serde_json::json!(["gold", "silver"]));
    assert_eq!(told["drift"]["unseen"][0]["rows"], 3);
    let feature = |name: &str| {
        let all = told["drift"]["features"].as_array().unwrap();
        all.iter().find(|feature| feature["name"] == name).unwrap().clone()
    };
    assert_eq!((feature("x")["outside"].as_f64(), feature("y")["missing_now"].as_f64()), (Some(0.25), Some(0.25)));
    assert!(feature("x")["psi"].as_f64().unwrap() > 0.1);
    good(at, "predict --model f/model.json --data new.csv --precision 0.9 --out p.out");
    for (line, status) in [("--abstain 1.5", 2), ("--precision -1", 2), ("--abstain 0.1 --precision 0.9", 2)] {
        bad(at, &format!("predict --model f/model.json --data new.csv --out o {line}"), status);
    }
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let tmp = folder();
    let at = tmp.path();
    fitted(at);
    let new = table(0..40, false);
    let predict = |data: &str| format!("predict --model f/model.json --data {data} --out o --drift-out d");
    write(at, "word.csv", new.replacen("c00007,", "c00007,much", 1));
    let said = bad(at, &predict("word.csv"), 1);
    assert!(said.contains("line 9") && said.contains("\"x\"") && said.contains("much"), "{said}");
    write(at, "fewer.csv", new.lines().map(|l| l.rsplit_once(',').unwrap().0.to_string() + "\n").collect::<String>());
    assert!(bad(at, &predict("fewer.csv"), 1).contains("missing \"plan\""));
    write(at, "cut.csv", &new[..new.len() - 12]);
    bad(at, &predict("cut.csv"), 1);
    write(at, "empty.csv", "id,x,y,z\n");
    assert!(bad(at, &predict("empty.csv"), 1).contains("missing \"plan\""));
    // The right columns without rows have an answer without rows.
    write(at, "none.csv", "id,x,y,z,plan\n");
    good(at, "predict --model f/model.json --data none.csv --out none.out");
    let written = std::fs::read_to_string(at.join("none.out")).unwrap();
    assert_eq!(written, "row,id,assigned,confidence,runner_up,runner_up_confidence,name\n");
    // What is wrong stands far behind what was written already.
    let long = table(0..70_000, false).replacen("c69990,", "c69990,much", 1);
    write(at, "long.csv", long);
    let said = bad(at, &predict("long.csv"), 1);
    assert!(said.contains("line 69992") && said.contains("\"x\"") && said.contains("much"), "{said}");
    let model = std::fs::read_to_string(at.join("f/model.json")).unwrap();
    for (text, words) in [
        (model.replacen("\"version\":5", "\"version\":4", 1), "version 4"),
        (model.replacen("\"version\":5", "\"version\":6", 1), "version 6"),
        (model.replacen("recluster surrogate", "recluster tree", 1), "recluster tree"),
        (model.replacen("\"name\":\"plan\"", "\"name\":\"plans\"", 1), "other.json"),
        (model[..model.len() / 2].to_string(), "other.json"),
        (model.replacen("\"thresholds\":[", "\"thresholds\":[2.0,", 1), "other.json"),
    ] {
        write(at, "other.json", text);
        let said = bad(at, "predict --model other.json --data a.csv --out o --drift-out d", 1);
        assert!(said.contains(words), "{said}");
    }
}

/// Files in other forms that end early: an error that names the file, and nothing written.
#[test]
fn cut_files_are_refused_in_every_form() {
    let tmp = folder();
    let at = tmp.path();
    fitted(at);
    let whole = parquet(0..2000);
    for (name, bytes) in [
        ("cut.parquet", whole[..whole.len() / 2].to_vec()),
        // Its end is there, a part before is not.
        (
            "hole.parquet",
            [&whole[..whole.len() / 4], &vec![0xaa; whole.len() / 4][..], &whole[whole.len() / 2..]].concat(),
        ),
        ("empty.parquet", Vec::new()),
        ("cut.npy", b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (9, 4), }".to_vec()),
    ] {
        write(at, name, bytes);
        let said = bad(at, &format!("predict --model f/model.json --data {name} --out o --drift-out d"), 1);
        assert!(said.contains(name), "{said}");
    }
    // The whole file gets the answers of the same rows as text.
    write(at, "whole.parquet", &whole);
    write(at, "whole.csv", table(0..2000, false));
    good(at, "predict --model f/model.json --data whole.parquet --out p.out");
    good(at, "predict --model f/model.json --data whole.csv --out c.out");
    assert_eq!(lines(at, "p.out"), lines(at, "c.out"));
}

/// The rows of [`table`], as Parquet.
fn parquet(rows: std::ops::Range<usize>) -> Vec<u8> {
    let text = table(rows, false);
    let cell = |column: usize| text.lines().skip(1).map(move |line| line.split(',').nth(column).unwrap());
    let words = |column| Arc::new(StringArray::from_iter_values(cell(column))) as ArrayRef;
    let numbers =
        |column| Arc::new(Float64Array::from_iter_values(cell(column).map(|cell| cell.parse().unwrap()))) as ArrayRef;
    let columns = [("id", words(0)), ("x", numbers(1)), ("y", numbers(2)), ("z", numbers(3)), ("plan", words(4))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// A level that was never seen counts as missing, so does an infinite number; a row without any answer gets what training
/// learnt for missing values.
#[test]
fn missing_and_unseen_values_have_an_answer() {
    let tmp = folder();
    let at = tmp.path();
    fitted(at);
    write(at, "new.csv", "id,x,y,z,plan\na,1,2,3,\nb,1,2,3,gold\nc,,,,\nd,,2,3,free\ne,inf,2,3,free\n");
    let output = recluster(at, "predict --model f/model.json --data new.csv --out o --drift-out d");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("infinite"));
    let found = lines(at, "o");
    assert_eq!(found.len(), 6);
    assert_eq!((&found[1][2..], &found[4][2..]), (&found[2][2..], &found[5][2..]));
    assert!(found[1..].iter().all(|line| line[2].starts_with("0.") && line[3].parse::<f64>().unwrap() > 0.0));
    let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(at.join("d")).unwrap()).unwrap();
    assert_eq!(all["unseen"][0]["levels"], serde_json::json!(["gold"]));
    // All rows missing in all columns, one of them without a type.
    write(at, "nothing.csv", "id,x,y,z,plan\na,,,,\nb,,,,\n");
    let told = good(at, "predict --model f/model.json --data nothing.csv --out n");
    assert_eq!(told["rows"].as_u64(), Some(2));
    let nothing = lines(at, "n");
    assert_eq!((&nothing[1][2..], &nothing[2][2..]), (&found[3][2..], &found[3][2..]));
}

#[test]
fn files_for_xgboost_come_with_the_others_or_not_at_all() {
    let tmp = folder();
    let at = tmp.path();
    write(at, "a.csv", table(0..600, false));
    let fit = "fit --data a.csv --depth 1 --rounds 5 --neighbors 10 --id id --out f --xgboost-out";
    good(at, &format!("{fit} f/xgboost"));
    let names: Vec<String> = files(&at.join("f/xgboost"))
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap().to_string())
        .collect();
    assert!(names.len() > 4 && names.contains(&"columns.json".into()) && names.contains(&"cluster_0.0.json".into()));
    let model = Surrogate::load(at.join("f/model.json")).unwrap();
    for (name, text) in model.xgboost_files().unwrap() {
        assert_eq!(std::fs::read_to_string(at.join("f/xgboost").join(&name)).unwrap(), text, "{name}");
    }
    assert!(bad(at, &format!("{fit} a.csv"), 1).contains("a.csv"));
    assert!(bad(at, &format!("{fit} none/such"), 1).contains("none"));
    // Both folders are gone where the fit fails.
    write(at, "word.csv", table(0..40, false).replacen("x,", "x y,", 1) + "c,1\n");
    bad(at, "fit --data word.csv --out g --xgboost-out g/xgboost", 1);
}
