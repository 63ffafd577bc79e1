//! A fit that is killed goes on from its checkpoint, and ends with the same files.

use crate::help::{bad, files, folder, good, recluster, write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FIT: &str = "fit --data digits --rows 700 --depth 3 --min-node-share 0.02 --rounds 3 --threads 2 --seed 5";
const FILES: [&str; 4] = ["tree.json", "model.json", "assignments.csv", "report.html"];

/// The files of finished nodes.
fn kept(partial: &Path) -> usize {
    let names = std::fs::read_dir(partial).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().is_some_and(|n| n.starts_with("node-") && n.ends_with(".json"))).count()
}

/// Starts a fit and kills it once so many nodes are finished; false if it was done before.
fn killed(at: &Path, line: &str, nodes: usize) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_recluster"))
        .current_dir(at)
        .args(line.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(120) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if at.join("out.partial").is_dir() && kept(&at.join("out.partial")) >= nodes {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // SIGKILL: nothing of the program runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[test]
fn a_killed_fit_ends_as_if_it_had_not_been() {
    let tmp = folder();
    let at = tmp.path();
    let whole = good(at, &format!("{FIT} --out whole"));
    let nodes = whole["nodes"].as_array().unwrap().len();
    assert!(nodes >= 12, "{nodes} nodes leave little to interrupt");
    let line = format!("{FIT} --out out --resume");
    let mut interrupted = 0;
    // Killed again and again, each time a little later; the last time while the model is trained or written, or not at all.
    for after in [0, 1, 3, nodes / 2, nodes] {
        if killed(at, &line, after) {
            interrupted += 1;
            assert!(!at.join("out").exists(), "nothing half-written");
        } else {
            break;
        }
    }
    assert!(interrupted >= 3, "{interrupted}");
    let done = good(at, &line);
    for file in FILES {
        assert_eq!(
            std::fs::read(at.join("whole").join(file)).unwrap(),
            std::fs::read(at.join("out").join(file)).unwrap(),
            "{file}"
        );
    }
    assert_eq!(done["nodes"], whole["nodes"]);
    assert!(!at.join("out.partial").exists(), "{:?}", files(at));
}

#[test]
fn a_checkpoint_of_another_fit_is_refused_by_what_differs() {
    let tmp = folder();
    let at = tmp.path();
    let line = "fit --data digits --rows 300 --rounds 3 --embedder pca --min-cluster-share 0.05 --out out --resume";
    assert!(killed(at, line, 1) || panic!("done before it could be killed"));
    for (other, words) in [
        (line.replace("--rows 300", "--rows 301"), vec!["rows: 300 there, 301 here", "digest of the data"]),
        (line.replace("share 0.05", "share 0.0501"), vec!["clusterer.min_cluster_size: 5.0 % there, 5.01 % here"]),
        (format!("{line} --seed 1"), vec!["seed: 0 there, 1 here"]),
        (format!("{line} --depth 3"), vec!["levels: 2 there, 3 here"]),
        (format!("{line} --scale robust"), vec!["embedder.scaling: None there, Robust here"]),
        (format!("{line} --evidence require"), vec!["judge.policy: Mark there, Require here"]),
    ] {
        let said = bad(at, &other, 1);
        assert!(words.iter().all(|word| said.contains(word)), "{other}: {said}");
    }
    // What does not shape the tree may differ.
    let more = good(at, &line.replace("--rounds 3", "--rounds 4 --threads 1 --title Digits"));
    good(at, &line.replace("--out out --resume", "--rounds 4 --out plain").replacen("--rounds 3 ", "", 1));
    assert_eq!(std::fs::read(at.join("out/tree.json")).unwrap(), std::fs::read(at.join("plain/tree.json")).unwrap());
    assert_eq!(more["notes"].as_array().unwrap().iter().filter(|n| n.as_str().unwrap().contains("damaged")).count(), 0);
    assert!(!at.join("out.partial").exists());
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let tmp = folder();
    let at = tmp.path();
    std::fs::create_dir(at.join("out.partial")).unwrap();
    write(at, "out.partial/letters.txt", "dear");
    let line = "fit --data digits --rows 120 --rounds 2 --embedder pca --out out --resume";
    assert!(bad(at, line, 1).contains("letters.txt"));
    std::fs::remove_file(at.join("out.partial/letters.txt")).unwrap();
    write(at, "out.partial/manifest.json", "{\"format\":\"recluster check");
    assert!(bad(at, line, 1).contains("manifest.json"));
    std::fs::remove_dir_all(at.join("out.partial")).unwrap();
    write(at, "out.partial", "a file");
    let output = recluster(at, line);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(at.join("out.partial")).unwrap(), "a file");
    // A folder without a name of its own.
    good(at, &line.replace("--out out", "--out ."));
    assert!(at.join("tree.json").exists() && !at.join("fit.partial").exists() && !at.join("..partial").exists());
}

#[test]
fn two_fits_are_compared() {
    let tmp = folder();
    let at = tmp.path();
    let fit = "fit --data digits --rounds 3 --embedder pca --clusterer kmeans --clusters 3";
    let told = good(at, &format!("{fit} --rows 400 --depth 1 --out a"));
    assert_eq!(told["coverage"][1]["share"], 1.0);
    good(at, &format!("{fit} --rows 400 --depth 2 --out b"));
    let compare = |line: &str| {
        let output = recluster(at, line);
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        (serde_json::from_str::<serde_json::Value>(&stdout).unwrap(), stderr)
    };
    let (told, text) = compare("compare a/tree.json b/tree.json --out flows.csv");
    assert_eq!((told["command"].as_str(), told["rows"].as_u64()), (Some("compare"), Some(400)));
    assert_eq!(told["before"][0]["fate"], "split");
    assert_eq!(told["nodes"][0][0]["jaccard"], 1.0);
    assert!(
        text.contains("split into 0.0.0, 0.0.1, 0.0.2") && text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let flows = std::fs::read_to_string(at.join("flows.csv")).unwrap();
    assert_eq!(flows.lines().next(), Some("from,to,rows,share"));
    assert_eq!(flows.lines().count(), 1 + told["flows"].as_array().unwrap().len());
    // Fits of different rows, by the assignments of one table.
    good(at, &format!("{fit} --rows 500 --depth 1 --out c"));
    good(at, "predict --model a/model.json --data digits --rows 600 --out a.csv");
    good(at, "predict --model c/model.json --data digits --rows 600 --out c.csv");
    let (told, _) = compare("compare a.csv c.csv");
    assert_eq!((told["rows"].as_u64(), told["nodes"][0].as_array().map(Vec::len)), (Some(600), Some(0)));
    // A fit's own assignments of the same rows are a tree's, as the model sees it.
    compare("compare a/tree.json a/assignments.csv");
    assert!(bad(at, "compare a/tree.json c/tree.json", 1).contains("expected 400, found 500"));
    assert!(bad(at, "compare a/tree.json c.csv", 1).contains("expected 400, found 600"));
    assert!(bad(at, "compare a/tree.json a/model.json", 1).contains("a/model.json: not a valid recluster tree"));
    assert!(bad(at, "compare a/tree.json none.json", 1).contains("none.json"));
    assert!(bad(at, "compare flows.csv flows.csv", 1).contains("no column \"assigned\""));
    bad(at, "compare a/tree.json", 2);
    // Files with the same ids are matched by them, in whatever order and with whatever rows.
    write(at, "old.csv", "row,customer,core,assigned,confidence\n0,ann,0.0,0.0,1\n1,bob,0.1,0.1,1\n2,cid,0.1,0.1,1\n");
    write(at, "new.csv", "row,customer,assigned,confidence\n0,cid,0.1,1\n1,dan,0.1,1\n2,ann,0.0,1\n3,eve,0.1,1\n");
    let (told, _) = compare("compare old.csv new.csv");
    assert_eq!((told["rows"].as_u64(), told["moved"].as_u64()), (Some(2), Some(0)));
    assert_eq!((told["rows_only_before"].as_u64(), told["rows_only_after"].as_u64()), (Some(1), Some(2)));
    // The same rows need no ids that are unique.
    write(at, "same.csv", "row,customer,assigned,confidence\n0,cid,0.1,1\n1,cid,0.2,1\n");
    assert_eq!(compare("compare same.csv same.csv").0["rows"].as_u64(), Some(2));
    write(at, "twice.csv", "row,customer,assigned,confidence\n0,cid,0.1,1\n1,cid,0.1,1\n");
    assert!(bad(at, "compare old.csv twice.csv", 1).contains("twice.csv: customer cid is there twice"));
    write(at, "others.csv", "row,customer,assigned,confidence\n0,zoe,0.1,1\n");
    assert!(bad(at, "compare old.csv others.csv", 1).contains("has no customer of old.csv"));
    write(at, "empty.csv", "row,assigned,confidence\n");
    assert!(bad(at, "compare empty.csv empty.csv", 1).contains("is empty"));
}

#[test]
fn splits_that_are_not_stable_are_refused_on_request() {
    let tmp = folder();
    let at = tmp.path();
    let fit = "fit --data digits --consensus 1 --min-node-share 0.02 --second-look 1 --rounds 2";
    let (plain, firm) =
        (good(at, &format!("{fit} --out plain")), good(at, &format!("{fit} --min-stability 1 --out firm")));
    let leaves = |told: &serde_json::Value| told["leaves"].as_u64().unwrap();
    assert!(leaves(&plain) > leaves(&firm) && leaves(&firm) > 1);
    let below = |node: &&serde_json::Value| node["path"].as_str().unwrap().matches('.').count() == 2;
    let kept = firm["nodes"].as_array().unwrap().iter().filter(below).all(|node| node["stability"]["jaccard"] == 1.0);
    assert!(kept, "{}", firm["nodes"]);
    let stability = &firm["nodes"][1]["stability"];
    assert_eq!((stability["runs"].as_u64(), stability["share"].as_f64()), (Some(10), Some(0.8)));
    let report = crate::help::report(&at.join("firm"));
    assert!(report.contains("Least stability of a split") && report.contains("change from run to run"));
    assert!(bad(at, &format!("{fit} --min-stability 2 --out wrong"), 2).contains("min_stability"));
}

#[test]
fn noise_is_looked_at_again() {
    let tmp = folder();
    let at = tmp.path();
    // Two dense groups, and around them thinner ones, of the same 5 %.
    let mut csv = "x,y\n".to_string();
    for i in 0..600 {
        let jitter = |k: usize| f64::from((i * k % 97) as u32) / 97.0;
        let (x, y, wide) = match i % 10 {
            0..=3 => (0.0, 0.0, 1.0),
            4..=7 => (10.0, 0.0, 1.0),
            8 => (0.0, 60.0, 30.0),
            _ => (70.0, 60.0, 30.0),
        };
        csv += &format!("{},{}\n", x + wide * jitter(37), y + wide * jitter(53));
    }
    write(at, "groups.csv", csv);
    let fit = "fit --data groups.csv --scale none --embedder identity --depth 1 --min-cluster-share 0.3 --max-noise 1 --rounds 3";
    let (plain, again) =
        (good(at, &format!("{fit} --out plain")), good(at, &format!("{fit} --noise-again --out again")));
    assert_eq!((plain["leaves"].as_u64(), again["leaves"].as_u64()), (Some(2), Some(4)), "{plain} {again}");
    let share = |told: &serde_json::Value| told["coverage"][1]["share"].as_f64().unwrap();
    assert!(share(&plain) < 0.85 && share(&again) > 0.9);
    assert_eq!(again["nodes"][3]["found_in_noise"], true);
    assert!(plain["nodes"][1].get("found_in_noise").is_none());
    assert!(crate::help::report(&at.join("again")).contains("clustered once more"));
    let assigned = std::fs::read_to_string(at.join("again/assignments.csv")).unwrap();
    assert!(assigned.contains(",0.3,"));
}
