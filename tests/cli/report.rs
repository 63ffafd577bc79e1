//! `recluster report`: names given afterwards.

use crate::help::{bad, folder, good, recluster, report, write};
use std::path::Path;

const FIT: &str = "fit --data three.csv --out f --clusterer kmeans --clusters 3 --evidence off --depth 1 --embedder identity --consensus 1 --resamples 2";

/// Three blobs of two columns.
fn three(at: &Path) {
    let mut csv = "visits,age\n".to_string();
    for i in 0..90 {
        let near = |step: i32| f64::from(i * step % 13) * 0.1;
        csv += &format!("{},{}\n", f64::from(i % 3) * 50.0 + near(7), f64::from(i % 3 % 2) * 20.0 + near(5));
    }
    write(at, "three.csv", csv);
}

#[test]
fn a_report_is_made_again_with_other_names() {
    let tmp = folder();
    let at = tmp.path();
    three(at);
    good(at, FIT);
    let read = |name: &str| std::fs::read_to_string(at.join("f").join(name)).unwrap();
    const FILES: [&str; 7] =
        ["report.html", "tree.json", "rules.csv", "names.csv", "report.json", "model.json", "assignments.csv"];
    let before: Vec<String> = FILES.map(read).into();
    assert!(before[3].starts_with("path,name,proposed,rows\n0,,,90\n0.0,,"), "{}", before[3]);
    // Without names nothing changes, byte for byte.
    let told = good(at, "report f");
    assert_eq!((told["named"].as_u64(), told["rows"].as_u64(), told["leaves"].as_u64()), (Some(0), Some(90), Some(3)));
    assert!(before.as_slice() == FILES.map(read));
    // A name, as a spreadsheet writes it.
    write(at, "f/names.csv", "\u{feff}Name;Path;note\r\n\"Night \"\"owls\"\" <b>\";0.1;x\r\n夜;0.2;\r\n");
    let told = good(at, "report f --title Owls");
    assert_eq!((told["named"].as_u64(), told["renamed"].as_array().unwrap().len()), (Some(2), 2));
    assert_eq!(told["renamed"][0]["to"], "Night \"owls\" <b>");
    let html = report(&at.join("f"));
    assert!(
        html.contains("Night &quot;owls&quot; &lt;b&gt;")
            && html.contains("夜")
            && html.contains("<title>Owls</title>")
    );
    assert!(read("tree.json").contains("Night \\\"owls\\\" <b>"));
    assert!(
        read("rules.csv").lines().any(|line| line.starts_with("0.1,") && line.ends_with(",\"Night \"\"owls\"\" <b>\""))
    );
    assert!(read("names.csv").contains("\n0.1,\"Night \"\"owls\"\" <b>\","));
    // What scores rows knows the names, and so does what was scored.
    good(at, "predict --model f/model.json --data three.csv --out new.csv");
    for (file, cluster) in [("f/assignments.csv", 2), ("new.csv", 1)] {
        let mut rows = csv::Reader::from_path(at.join(file)).unwrap();
        assert_eq!(rows.headers().unwrap().iter().next_back(), Some("name"));
        let name = |path: &str| match path {
            "0.1" => "Night \"owls\" <b>",
            "0.2" => "夜",
            _ => "",
        };
        let all: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        assert_eq!(all.len(), 90);
        assert!(all.iter().all(|row| row[row.len() - 1] == *name(&row[cluster])), "{file}");
    }
    // An empty name takes it away; lines that are not there change nothing.
    write(at, "only.csv", "path,name\n0.1,\n");
    let told = good(at, "report f --names only.csv --title Owls");
    assert_eq!((told["named"].as_u64(), told["renamed"][0]["from"].as_str()), (Some(1), Some("Night \"owls\" <b>")));
    assert!(!report(&at.join("f")).contains("Night"));
    write(at, "only.csv", "path,name\n0.2,\n");
    good(at, "report f --names only.csv --title Owls");
    let untitled = |html: &str| html.replace("Owls", "Clusters and what sets them apart");
    assert!(untitled(&read("report.html")) == before[0], "names that are taken back leave nothing behind");
    assert!(read("model.json") == before[5] && read("assignments.csv") == before[6]);
    // A file that somebody gave other columns is theirs.
    for text in ["row,assigned\n0,0.1\n", "anything\n"] {
        write(at, "f/assignments.csv", text);
        let output = recluster(at, "report f");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.contains("assignments.csv: has no columns"), "{told}");
        assert_eq!(read("assignments.csv"), text);
    }
    // Without the model and what it scored there is still the report.
    std::fs::remove_file(at.join("f/model.json")).unwrap();
    std::fs::remove_file(at.join("f/assignments.csv")).unwrap();
    good(at, "report f");
    assert!(!at.join("f/model.json").exists() && !at.join("f/assignments.csv").exists());
}

#[test]
fn names_that_cannot_be_are_refused_with_their_line() {
    let tmp = folder();
    let at = tmp.path();
    three(at);
    good(at, FIT);
    for (text, words) in [
        (&b"path,name\n0.1,a\n0.9,b\n"[..], "names.csv: line 3: the tree has no cluster \"0.9\""),
        (b"path,name\n0.1,a\n,b\n", "line 3: the tree has no cluster \"\""),
        (b"path,name\n0.1,a\n0.2,\"b\nb\"\n0.1,c\n", "line 5: 0.1 has a name on line 2 already"),
        (b"path,name\n0.1,a\n0.2,\xff\n", "line 3: is not UTF-8"),
        (b"path,title\n0.1,a\n", "line 1: has no column \"name\""),
        (b"", "line 1: has no column \"path\""),
    ] {
        write(at, "f/names.csv", text);
        let said = bad(at, "report f", 1);
        assert!(said.contains(words), "{said}");
    }
    std::fs::remove_file(at.join("f/names.csv")).unwrap();
    assert!(bad(at, "report f", 1).contains("names.csv"));
    assert!(bad(at, "report nowhere", 1).contains("tree.json"));
    bad(at, "report", 2);
    // A draft of another tree, or none.
    write(at, "none.csv", "path,name\n");
    let whole = std::fs::read_to_string(at.join("f/report.json")).unwrap();
    let cut = &whole[..whole.len() / 2];
    let other = whole.replace("\"path\":\"0.2\"", "\"path\":\"0.3\"");
    let script = whole.replacen("\"deploy\":\"", "\"deploy\":\"<SCRIPT>", 1);
    let newer = whole.replacen("\"version\":2", "\"version\":3", 1);
    for (text, words) in
        [(cut, "report.json"), (&other, "another tree"), (&script, "holds no <SCRIPT"), (&newer, "version")]
    {
        assert_ne!(text, whole);
        write(at, "f/report.json", text);
        let said = bad(at, "report f --names none.csv", 1);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_report_speaks_the_language_of_a_file() {
    let tmp = folder();
    let at = tmp.path();
    three(at);
    let english = String::from_utf8(recluster(at, "text").stdout).unwrap();
    assert!(english.contains("\nlang = en\n") && english.contains("\nrows[other] = {n} rows\n"));
    write(at, "en.txt", &english);
    write(
        at,
        "xx.txt",
        "lang = qaa\nanswers.who = \u{5de}\u{5d9}?\nrows[other] = {n} \u{5e9}\ncondition.below = {name} < {value}\n",
    );
    good(at, FIT);
    let read = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    let plain = read("f/report.html");
    good(at, &FIT.replace("--out f", "--out g --text en.txt"));
    assert!(read("g/report.html") == plain, "the English file gives another report");
    good(at, &FIT.replace("--out f", "--out h --text xx.txt"));
    let other = read("h/report.html");
    for part in ["<html lang=\"qaa\">", "<h4>\u{5de}\u{5d9}?</h4>", "90 \u{5e9}", " &lt; ", "How sure we are"] {
        assert!(other.contains(part), "{part}");
    }
    assert!(!other.contains("Who they are") && !other.contains("90 rows"));
    // The language stays when clusters are named, and can be changed as far as nothing is drawn.
    good(at, "report h");
    assert!(read("h/report.html") == other);
    good(at, "report f --text xx.txt");
    let turned = read("f/report.html");
    assert!(turned.contains("<html lang=\"qaa\">") && turned.contains("90 \u{5e9}") && turned.contains("Who they are"));
    good(at, "report f --text en.txt");
    assert!(read("f/report.html") == plain);
    // What is wrong is told before anything is computed or changed.
    write(at, "wrong.txt", "lang = qaa\n\nno.such = x\n");
    for command in ["report f --text wrong.txt".to_string(), FIT.replace("--out f", "--out i --text wrong.txt")] {
        let told = bad(at, &command, 1);
        assert!(told.contains("wrong.txt: line 3: no.such: no such key"), "{told}");
    }
    assert!(read("f/report.html") == plain && !at.join("i").exists());
}
