//! `recluster fit --weight` as a user meets it.

use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

fn recluster(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recluster"));
    command.current_dir(folder).args(line.split_whitespace()).output().unwrap()
}

/// Expects one JSON object.
fn good(folder: &Path, line: &str) -> Value {
    let output = recluster(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Expects one line on stderr and no output.
fn bad(folder: &Path, line: &str, status: i32) -> String {
    let output = recluster(folder, line);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{line}: {stderr}");
    assert!(stderr.lines().count() == 1 && output.stdout.is_empty() && !folder.join("f").exists(), "{line}: {stderr}");
    stderr
}

/// Two groups of 90 rows; those of the second weigh 2.5, row 7 has the weight that is given.
fn table(seventh: &str) -> String {
    let mut text = "height,length,design\n".to_string();
    for i in 0..180 {
        let second = i % 2;
        let weight = match i {
            7 => seventh,
            _ if second == 1 => "2.5",
            _ => "0.5",
        };
        let at = |step: usize| second as f64 * 50.0 + ((i * step) % 89) as f64 / 10.0;
        writeln!(text, "{},{},{weight}", at(37), at(53)).unwrap();
    }
    text
}

const FIT: &str = "fit --out f --embedder identity --evidence off --rounds 5 --depth 1";

#[test]
fn a_column_of_weights_makes_shares_of_the_population() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("people.csv"), table("2.5")).unwrap();
    let told = good(at, &format!("{FIT} --data people.csv --weight design"));
    assert_eq!(told["columns"], 2, "the weights make no clusters");
    let nodes = told["nodes"].as_array().unwrap();
    let shares: Vec<f64> = nodes.iter().map(|node| node["population_share"].as_f64().unwrap()).collect();
    assert_eq!((nodes.len(), shares[0]), (3, 1.0), "{told}");
    let mut leaves = shares[1..].to_vec();
    leaves.sort_by(f64::total_cmp);
    assert!((leaves[0] - 1.0 / 6.0).abs() < 0.02 && (leaves[1] - 5.0 / 6.0).abs() < 0.02, "{leaves:?}");
    assert!(std::fs::read_to_string(at.join("f/tree.json")).unwrap().contains("\"weight\":1.0"));
    // Without the flag the column is a question like others, and there is nothing to say of the population.
    let told = good(at, &format!("{FIT} --data people.csv").replace("--out f", "--out g"));
    assert!(told["nodes"][0].get("population_share").is_none());
    // The same from a file of kinds.
    std::fs::write(at.join("kinds.toml"), "[[column]]\nname = \"design\"\nrole = \"weight\"\n").unwrap();
    let told = good(at, &format!("{FIT} --data people.csv --kinds kinds.toml").replace("--out f", "--out h"));
    assert_eq!(told["nodes"][0]["population_share"], 1.0);
}

#[test]
fn what_is_no_weight_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for wrong in ["0", "-1", ""] {
        std::fs::write(at.join("people.csv"), table(wrong)).unwrap();
        let told = bad(at, &format!("{FIT} --data people.csv --weight design"), 1);
        let place =
            format!("people.csv: line 9, column \"design\": \"{wrong}\" is no weight, which is a number above 0");
        assert!(told.contains(&place), "{told}");
    }
    std::fs::write(at.join("people.csv"), table("1")).unwrap();
    let told = bad(at, &format!("{FIT} --data people.csv --weight design --clusterer kmeans --clusters 2"), 2);
    assert!(told.contains("kmeans has no place for weights"), "{told}");
    let told = bad(at, &format!("{FIT} --data people.csv --weight nothing"), 1);
    assert!(told.contains("\"nothing\""), "{told}");
    let told = bad(at, &format!("{FIT} --data people.csv --weight design --scale standard"), 2);
    assert!(told.contains("--weight means nothing"), "{told}");
}
