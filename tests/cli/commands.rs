//! The command line as a user meets it: the real program, its files, its JSON, its exit status.

use crate::help::{bad, files, folder, good, npy, recluster, report, write};
use recluster::recursive::ClusterTree;
use recluster::table::{Column, Schema, Table, Values};
use recluster::{Run, Saved, presets};

#[test]
fn embed_places_rows_and_new_rows() {
    let tmp = folder();
    let at = tmp.path();
    let told = good(at, "embed --data digits --rows 300 --out e.npy --epochs 40 --new digits --new-out n.npy --seed 3");
    let (descr, shape, numbers) = npy(at.join("e.npy"));
    assert_eq!((descr.as_str(), &shape[..]), ("<f4", &[300, 2][..]));
    assert!(numbers.iter().all(|v| v.is_finite()));
    assert_eq!(npy(at.join("n.npy")).1, [1797, 2]);
    assert_eq!((told["rows"].as_u64(), told["columns"].as_u64()), (Some(300), Some(64)));
    // The same bits at another number of threads, other bits with another seed.
    good(at, "embed --data digits --rows 300 --out again.npy --epochs 40 --seed 3 --threads 1");
    assert_eq!(std::fs::read(at.join("e.npy")).unwrap(), std::fs::read(at.join("again.npy")).unwrap());
    good(at, "embed --data digits --rows 300 --out other.npy --epochs 40 --seed 4");
    assert_ne!(std::fs::read(at.join("e.npy")).unwrap(), std::fs::read(at.join("other.npy")).unwrap());
    good(at, "embed --data digits --rows 100 --out p.npy --method pca --components 5");
    assert_eq!(npy(at.join("p.npy")).1, [100, 5]);
}

#[test]
fn embed_has_more_than_one_method() {
    let tmp = folder();
    let at = tmp.path();
    let embed = |more: &str| good(at, &format!("embed --data digits --rows 200 --new digits --new-out n.npy {more}"));
    let numbers = |name: &str| npy(at.join(name)).2;
    embed("--out exact.npy --method pca --components 3");
    embed("--out near.npy --method pca --components 3 --power-iterations 9 --seed 5");
    let gap = numbers("exact.npy").iter().zip(numbers("near.npy")).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
    assert!(gap > 0.0 && gap < 1e-2, "{gap}");
    embed("--out white.npy --method pca --components 3 --whiten");
    let squares: f64 = numbers("white.npy").iter().map(|x| x * x).sum();
    assert!((squares / (3.0 * 199.0) - 1.0).abs() < 1e-4);
    embed("--out random.npy --method random-projection --components 7");
    assert_eq!((npy(at.join("random.npy")).1, npy(at.join("n.npy")).1), (vec![200, 7], vec![1797, 7]));
    // The first of the new rows is the first of the old ones.
    assert_eq!(numbers("random.npy")[..7], numbers("n.npy")[..7]);
    embed("--out sparse.npy --method random-projection --components 7 --density 0.2");
    assert_ne!(numbers("random.npy"), numbers("sparse.npy"));
    // 4 ln 3 / (ε²/2 − ε³/3) = 26.4; of 200 rows it would be more than there are columns.
    let few = "embed --data digits --rows 3 --out within.npy --method random-projection --eps 0.99";
    assert_eq!(good(at, few)["components"], 27);
    assert!(bad(at, &few.replace("--rows 3", "--rows 200"), 2).contains("Identity"));
    assert_eq!(embed("--out same.npy --method identity")["components"], 64);
    good(
        at,
        "fit --data digits --rows 200 --out r --embedder random-projection --components 9 --min-cluster-share 0.1",
    );
    good(at, "fit --data digits --rows 200 --out i --embedder identity --clusterer kmeans --clusters 3");
}

#[test]
fn embed_takes_a_start_a_target_and_density() {
    let tmp = folder();
    let at = tmp.path();
    let embed = |more: &str| good(at, &format!("embed --data digits --rows 300 --epochs 40 --out {more}"));
    let bytes = |name: &str| std::fs::read(at.join(name)).unwrap();
    assert_eq!(embed("plain.npy")["start"], "spectral");
    assert_eq!(embed("spectral.npy --init spectral")["start"], "spectral");
    assert_eq!(bytes("plain.npy"), bytes("spectral.npy"));
    assert_eq!(embed("pca.npy --init pca")["start"], "pca");
    assert_eq!(embed("random.npy --init random")["start"], "random");
    // The file that a run wrote is a start for the next.
    assert_eq!(embed("again.npy --init pca.npy")["start"], "given");
    embed("target.npy --target digits");
    embed("half.npy --target digits --target-weight 0.5");
    assert_eq!(bytes("target.npy"), bytes("half.npy"));
    embed("strong.npy --target digits --target-weight 0.9");
    embed("dense.npy --densmap");
    let names = ["plain.npy", "pca.npy", "random.npy", "again.npy", "target.npy", "strong.npy", "dense.npy"];
    for (i, a) in names.iter().enumerate() {
        assert!(npy(at.join(a)).2.iter().all(|x| x.is_finite()));
        assert!(names[..i].iter().all(|b| bytes(a) != bytes(b)), "{a}");
    }
    write(at, "short.csv", "label\n1\n2\n");
    write(at, "odd.csv", ["label"].into_iter().chain(std::iter::repeat_n("-7", 300)).collect::<Vec<_>>().join("\n"));
    write(at, "gap.csv", ["x,y"].into_iter().chain(std::iter::repeat_n("1,", 300)).collect::<Vec<_>>().join("\n"));
    for (more, words) in [
        ("--target short.csv", "expected 300, found 2"),
        ("--target odd.csv", "odd.csv: label -7 at row 0"),
        ("--init gap.csv", "gap.csv: value NaN at row 0, column 1 of the start"),
        ("--init none.npy", "none.npy"),
        ("--init short.csv", "expected 300, found 2"),
    ] {
        let said = bad(at, &format!("embed --data digits --rows 300 --epochs 5 --out o {more}"), 1);
        assert!(said.contains(words), "{more}: {said}");
    }
    for more in [
        "--target-weight 0.5",
        "--target digits --target-weight 2",
        "--method pca --init pca",
        "--method pca --target digits",
        "--method pca --densmap",
    ] {
        bad(at, &format!("embed --data digits --rows 50 --out o {more}"), 2);
    }
}

#[test]
fn cluster_labels_rows_and_shows_its_tree() {
    let tmp = folder();
    let at = tmp.path();
    let mut csv = "x,y\n".to_string();
    for i in 0..60 {
        csv += &format!("{},{}\n", f64::from(i % 3) * 50.0 + f64::from(i * 7 % 11) * 0.1, f64::from(i * 5 % 13) * 0.1);
    }
    write(at, "three.csv", csv);
    let told = good(
        at,
        "cluster --data three.csv --out l.npy --min-cluster-size 10 --min-samples 3 --probabilities-out p.npy \
         --outlier-scores-out o.npy --tree-out t.npy",
    );
    let (descr, shape, labels) = npy(at.join("l.npy"));
    assert_eq!((descr.as_str(), &shape[..]), ("<i4", &[60][..]));
    assert_eq!((told["clusters"].as_u64(), told["noise"].as_u64()), (Some(3), Some(0)));
    assert!((0..60).all(|i| labels[i] == labels[i % 3]));
    let (_, shape, tree) = npy(at.join("t.npy"));
    assert_eq!(shape, [59, 3]);
    assert!(tree.chunks(3).all(|edge| edge[0] < 60.0 && edge[1] < 60.0 && edge[2] >= 0.0));
    for file in ["p.npy", "o.npy"] {
        let (_, shape, numbers) = npy(at.join(file));
        assert!(shape == [60] && numbers.iter().all(|v| (0.0..=1.0).contains(v)), "{file}");
    }
    let told = good(
        at,
        "cluster --data three.csv --out l2.npy --min-cluster-size 10 --min-samples 3 --metric manhattan --validity \
         --layers-out layers.csv --tree-svg t.svg --tree-text t.txt --memberships-out m.npy --model-out model.json \
         --new three.csv --new-out n.npy",
    );
    assert_eq!(npy(at.join("l2.npy")), npy(at.join("n.npy")));
    assert!(told["validity"]["score"].as_f64().unwrap() > 0.5 && told["relative_validity"].as_f64().unwrap() > 0.5);
    assert!(told["layers"].as_array().unwrap().iter().any(|peak| peak[1] == 3), "{told}");
    let layers = std::fs::read_to_string(at.join("layers.csv")).unwrap();
    assert!(layers.starts_with("min_cluster_size,up_to,clusters,persistence,peak\n") && layers.lines().count() > 1);
    assert!(std::fs::read_to_string(at.join("t.svg")).unwrap().trim_end().ends_with("</svg>"));
    assert!(std::fs::read_to_string(at.join("t.txt")).unwrap().contains("= cluster 2"));
    assert_eq!(npy(at.join("m.npy")).1, [60, 3]);
    assert!(std::fs::read_to_string(at.join("model.json")).unwrap().starts_with("{\"format\":\"recluster hdbscan\""));
    write(
        at,
        "weights.csv",
        (0..60).fold("w\n".to_string(), |text, i| text + if i % 3 == 0 { "0.25\n" } else { "2\n" }),
    );
    let told =
        good(at, "cluster --data three.csv --out w.npy --min-cluster-size 10 --min-samples 3 --weights weights.csv");
    // A group that weighs 5 is no cluster of its own.
    assert_eq!(told["clusters"], 2);
    assert!(bad(at, "cluster --data three.csv --out w2.npy --weights three.csv", 1).contains("2 columns"));
    let told = good(at, "cluster --data three.csv --out k.npy --method kmeans --clusters 3");
    assert_eq!(told["sizes"], serde_json::json!([20, 20, 20]));
    for method in [
        "genie --clusters 3",
        "genie --clusters 3 --gini 0.1 --min-samples 2 --metric manhattan",
        "gmm --clusters 3 --covariance spherical --restarts 2 --probabilities-out p1.npy --memberships-out s1.npy",
        "gmm --clusters-up-to 4 --covariance tied",
        "kmeans --clusters 3 --mini-batch 30 --restarts 2",
        "dbscan --epsilon 3 --min-samples 4",
        "agglomerative --clusters 3",
        "agglomerative --distance 8 --linkage average",
    ] {
        let line = format!(
            "cluster --data three.csv --out n.npy --model-out m.json --new three.csv --new-out q.npy --method {method}"
        );
        let told = good(at, &line);
        assert_eq!(told["sizes"], serde_json::json!([20, 20, 20]), "{method}");
        assert_eq!(npy(at.join("n.npy")), npy(at.join("q.npy")), "{method}");
        assert!(std::fs::read_to_string(at.join("m.json")).unwrap().starts_with("{\"format\":\"recluster "));
    }
    assert_eq!(npy(at.join("s1.npy")).1, [60, 3]);
    write(at, "start.csv", "x,y\n0,0\n1,1\n2,2\n");
    for method in ["kmeans", "gmm"] {
        good(at, &format!("cluster --data three.csv --out n.npy --method {method} --clusters 3 --start start.csv"));
        bad(at, &format!("cluster --data three.csv --out n.npy --method {method} --clusters 4 --start start.csv"), 1);
    }
}

#[test]
fn boost_predicts_and_shap_adds_up() {
    let tmp = folder();
    let at = tmp.path();
    let told = good(
        at,
        "boost --data digits --labels digits --rows 300 --out model.json --rounds 8 --max-depth 3 --new digits \
         --new-out p.npy --xgboost-out x",
    );
    assert_eq!(told["labels"], serde_json::json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    let (_, shape, probabilities) = npy(at.join("p.npy"));
    assert_eq!(shape, [1797, 10]);
    good(at, "shap --model model.json --data digits --rows 50 --out s.npy");
    let (descr, shape, values) = npy(at.join("s.npy"));
    assert_eq!((descr.as_str(), &shape[..]), ("<f8", &[50, 65, 10][..]));
    for row in 0..50 {
        for label in 0..10 {
            let sum: f64 = (0..65).map(|slot| values[(row * 65 + slot) * 10 + label]).sum();
            let p = probabilities[row * 10 + label];
            assert!((1.0 / (1.0 + (-sum).exp()) - p).abs() < 1e-9, "row {row}, label {label}: {sum} against {p}");
        }
    }
    // One booster as XGBoost's JSON says the same of its label.
    good(at, "shap --model x/label_4.json --data digits --rows 50 --out x4.npy");
    let (_, shape, alone) = npy(at.join("x4.npy"));
    assert_eq!(shape, [50, 65, 1]);
    assert!((0..50 * 65).all(|i| (alone[i] - values[i * 10 + 4]).abs() < 1e-4));
}

#[test]
fn boost_takes_its_settings() {
    let tmp = folder();
    let at = tmp.path();
    let told = good(
        at,
        "boost --data digits --labels digits --rows 600 --out m.json --rounds 30 --max-leaves 6 --early-stopping 2 \
         --balanced --calibrated --categorical 3,4 --new digits --new-out p.npy",
    );
    assert!(told["trees"].as_u64().unwrap() < 300, "{told}");
    let (_, shape, shares) = npy(at.join("p.npy"));
    assert_eq!(shape, [1797, 10]);
    assert!(shares.chunks(10).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9));
    write(at, "t.csv", (0..40).fold("a,kind\n".to_string(), |text, i| text + &format!("{},{}\n", i % 7, i % 5)));
    write(at, "l.csv", (0..40).fold("l\n".to_string(), |text, i| text + &format!("{}\n", i % 2)));
    write(at, "w.csv", (0..40).fold("w\n".to_string(), |text, i| text + &format!("{}\n", i % 3)));
    good(at, "boost --data t.csv --labels l.csv --weights w.csv --out w.json --categorical 1");
    write(at, "bad.csv", (0..40).fold("a,kind\n".to_string(), |text, i| text + &format!("{},{}\n", i, i as f32 / 2.0)));
    assert!(
        bad(at, "boost --data bad.csv --labels l.csv --out b.json --categorical 1", 1)
            .contains("row 1, column \"kind\"")
    );
    assert!(bad(at, "boost --data t.csv --labels l.csv --out b.json --categorical 7", 2).contains("categorical"));
}

#[test]
fn shap_takes_a_background_counts_and_interactions() {
    let tmp = folder();
    let at = tmp.path();
    good(at, "boost --data digits --labels digits --rows 300 --out model.json --rounds 3 --max-depth 3");
    let values = |more: &str| {
        good(at, &format!("shap --model model.json --data digits --out s.npy {more}"));
        npy(at.join("s.npy"))
    };
    let (_, _, plain) = values("--rows 20");
    let (_, _, counted) = values("--rows 20 --counts digits");
    let (_, shape, met) = values("--rows 20 --background digits --importance-out i.csv");
    assert_eq!(shape, [20, 65, 10]);
    for other in [&counted, &met] {
        assert!(*other != plain);
        for i in 0..20 {
            for o in 0..10 {
                let sum = |values: &[f64]| (0..65).map(|slot| values[(i * 65 + slot) * 10 + o]).sum::<f64>();
                assert!((sum(other) - sum(&plain)).abs() < 1e-9);
            }
        }
    }
    good(at, "shap --model model.json --data digits --rows 20 --background digits --importance-out alone.csv");
    let table = std::fs::read_to_string(at.join("i.csv")).unwrap();
    assert_eq!(table, std::fs::read_to_string(at.join("alone.csv")).unwrap());
    bad(at, "shap --model model.json --data digits --rows 20", 2);
    assert!(table.starts_with("feature,output,mean_absolute\n") && table.lines().count() > 10);
    let (_, shape, together) = values("--interactions --rows 5");
    assert_eq!(shape, [5, 65, 65, 10]);
    for (i, value) in plain.iter().enumerate().take(5 * 650) {
        let sum: f64 = (0..65).map(|j| together[(i / 10 * 65 + j) * 10 + i % 10]).sum();
        assert!((sum - value).abs() < 1e-9, "{i}");
    }
    bad(at, "shap --model model.json --data digits --out s.npy --background digits --counts digits", 2);
    write(at, "narrow.csv", "a,b\n1,2\n");
    assert!(
        bad(at, "shap --model model.json --data digits --out t.npy --background narrow.csv", 1).contains("expected 64")
    );
    assert!(!at.join("t.npy").exists());
}

#[test]
fn flags_of_a_fit_may_stand_in_a_file() {
    let tmp = folder();
    let at = tmp.path();
    write(at, "c.toml", "data = 'digits'\nrows = 300\ndepth = 3\nclusterer = 'kmeans'\nclusters = 3\nconsensus = 1\n");
    let by_file = good(at, "fit --config c.toml --out a --depth 1");
    let by_line =
        good(at, "fit --data digits --rows 300 --depth 1 --clusterer kmeans --clusters 3 --consensus 1 --out b");
    assert_eq!((&by_file["nodes"], &by_file["config"]), (&by_line["nodes"], &"c.toml".into()));
    let tree = |folder: &str| std::fs::read(at.join(folder).join("tree.json")).unwrap();
    assert!(tree("a") == tree("b"));
    write(at, "wrong.toml", "dept = 3\n");
    assert!(bad(at, "fit --config wrong.toml --data digits --out c", 2).contains("\"dept\" is no flag of fit"));
}

#[test]
fn a_few_columns_of_numbers_are_clustered_as_they_are() {
    let tmp = folder();
    let at = tmp.path();
    let side = |i: usize, c: usize| (i % 2 * 50) as f32 + ((i * (37 + c * 10)) % 101) as f32 / 10.0;
    let rows = |columns: usize| -> String {
        let head = (0..columns).map(|c| format!("amount {c}")).collect::<Vec<_>>().join(",");
        let line = |i| (0..columns).map(|c| side(i, c).to_string()).collect::<Vec<_>>().join(",");
        std::iter::once(head).chain((0..200).map(line)).collect::<Vec<_>>().join("\n")
    };
    write(at, "three.csv", rows(3));
    write(at, "four.csv", rows(4));
    let stage = |line: &str, stage: &str| {
        let told = good(at, &format!("fit {line} --consensus 1 --rounds 2 --depth 1 --out out"));
        told["seconds"].get(stage).is_some()
    };
    for (line, as_they_are) in [
        ("--data three.csv", true),
        ("--data three.csv --embedder umap", false),
        ("--data three.csv --neighbors 10", false),
        ("--data four.csv", false),
        ("--data four.csv --embedder identity", true),
    ] {
        assert_eq!((stage(line, "identity"), stage(line, "layout")), (as_they_are, !as_they_are), "{line}");
    }
    // Two clouds that touch, each denser towards its middle: their clusters reach for the outskirts.
    let mut state = 1u64;
    let mut normal = || {
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        (0..12).map(|_| uniform()).sum::<f32>() - 6.0
    };
    let heaps: Vec<String> = (0..600).map(|i| format!("{},{}", normal() + (i % 2 * 5) as f32, normal())).collect();
    write(at, "heaps.csv", format!("left,up\n{}", heaps.join("\n")));
    let noise = |flags: &str| {
        let told = good(at, &format!("fit --data heaps.csv {flags} --rounds 2 --depth 1 --out out"));
        told["noise"].as_u64().unwrap()
    };
    // Two arcs of few rows, one in the other: no test holds them on half of the rows, and they are there.
    let arc = |i: usize| (i as f32 / 99.0 * 3.0, (i * 37 % 23) as f32 / 100.0);
    let [low, high] = [(0.0, 1.0), (1.5, -1.0)].map(|(at, side): (f32, f32)| {
        (0..100).map(move |i| {
            let (turn, wide) = arc(i);
            format!("{},{}\n", at + (1.0 + wide) * turn.cos(), side * ((1.0 + wide) * turn.sin() - 0.35))
        })
    });
    write(at, "arcs.csv", format!("left,up\n{}", low.chain(high).collect::<String>()));
    let told = good(at, "fit --data arcs.csv --rounds 2 --depth 1 --out out");
    assert_eq!(told["leaves"].as_u64(), Some(2), "{told}");
    assert!(std::fs::read_to_string(at.join("out/tree.json")).unwrap().contains("\"grade\":"), "no verdict");
    assert!(noise("") < noise("--reach 0"), "{} and {}", noise(""), noise("--reach 0"));
    for flag in ["--reach", "--max-noise"] {
        let told = bad(at, &format!("fit --data heaps.csv --clusterer kmeans --clusters 2 {flag} 1 --out out"), 2);
        assert!(told.contains(flag), "{told}");
    }
}

/// What the command line does without a flag, a program has by one call.
#[test]
fn the_presets_are_the_plans_of_fit() {
    let tmp = folder();
    let at = tmp.path();
    let run = Run::new().seed(3);
    let paths = |line: &str| {
        good(at, &format!("fit {line} --seed 3 --rounds 2 --out out"));
        ClusterTree::load(at.join("out/tree.json")).unwrap().paths()
    };
    let digits = recluster::data::digits().images;
    let tree = presets::numbers().fit(&digits.slice_move(ndarray::s![..600, ..]), &run).unwrap();
    assert!(tree.paths() == paths("--data digits --rows 600"), "{tree}");
    // The same rows as numbers, and as a table with words.
    let place = |i: usize| [(i % 3 * 9 + i * 37 % 97 % 5) as f32, (i % 2 * 8) as f32 + (i * 61 % 89) as f32 / 16.0];
    let plan = |i: usize| ["basic", "pro", "plus"][(i % 3 + usize::from(i.is_multiple_of(11))) % 3];
    let lines = |line: &dyn Fn(usize) -> String| (0..400).map(line).collect::<Vec<_>>().join("\n");
    let number = |i: usize| format!("{},{}", place(i)[0], place(i)[1]);
    let rows = ndarray::Array2::from_shape_fn((400, 2), |(i, j)| place(i)[j]);
    let head = "{'descr': '<f4', 'fortran_order': False, 'shape': (400, 2), }";
    let mut array = [b"\x93NUMPY\x01\x00\x76\x00", format!("{head:<117}\n").as_bytes()].concat();
    rows.iter().for_each(|value| array.extend(value.to_le_bytes()));
    write(at, "two.npy", array);
    let tree = presets::few_columns().fit(&rows, &run).unwrap();
    assert!(tree.leaves().count() > 2 && tree.paths() == paths("--data two.npy"), "{tree}");
    write(at, "words.csv", format!("calls,hours,plan\n{}", lines(&|i| format!("{},{}", number(i), plan(i)))));
    let column = |j: usize| Values::numbers((0..400).map(|i| f64::from(place(i)[j])));
    let table = Table::new(vec![
        Column::new("calls", column(0)),
        Column::new("hours", column(1)),
        Column::new("plan", Values::words((0..400).map(|i| Some(plan(i))))),
    ])
    .unwrap();
    let schema = Schema::infer(&table);
    let tree = presets::table(&schema).fit(&schema.encode(&table).unwrap(), &run).unwrap();
    assert!(tree.leaves().count() > 1 && tree.paths() == paths("--data words.csv"), "{tree}");
}

#[test]
fn files_that_are_not_what_their_names_or_first_bytes_say() {
    let tmp = folder();
    let at = tmp.path();
    for line in [
        "embed --data digits --out e.csv",
        "cluster --data digits --out labels.csv",
        "cluster --data digits --out l.npy --tree-svg tree.npy",
        "boost --data digits --labels digits --out model.npy",
    ] {
        assert!(bad(at, line, 2).contains("what is written there is ."), "{line}");
    }
    write(at, "table.xlsx", b"PK\x03\x04\x14\x00\x06\x00".as_slice());
    write(at, "table.parquet", b"PAR1\x15\x00".as_slice());
    for line in ["fit --data table.xlsx --out o", "embed --data table.xlsx --out e.npy"] {
        assert!(bad(at, line, 1).contains("save it as CSV"), "{line}");
    }
    assert!(bad(at, "embed --data table.parquet --out e.npy", 1).contains("is Parquet"));
    // A table without a line of names; and one with nothing else.
    let rows: String = (1..200).map(|i| format!("{},{}\n", i % 2 * 50 + i % 7, i % 11)).collect();
    write(at, "twice.csv", format!("3,3\n{rows}"));
    let told = bad(at, "fit --data twice.csv --out fit", 1);
    assert!(told.contains("more than once \"3\"") && told.contains("put a line of names above it"), "{told}");
    write(at, "bare.csv", &rows);
    let output = recluster(at, "fit --data bare.csv --rounds 2 --depth 1 --out fit");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("the first line (51, 1) is taken as the names"), "{told}");
    // The outside variables of an earlier fit go with its clusters; a file of the user's stays.
    for (head, stays) in
        [("variable,figure,cluster,rows,estimate,low,high,index,q_value,differs\n", false), ("mine\n", true)]
    {
        write(at, "fit/outside.csv", head);
        assert!(recluster(at, "fit --data bare.csv --rounds 2 --depth 1 --out fit").status.success());
        assert_eq!(at.join("fit/outside.csv").exists(), stays, "{head}");
    }
    write(at, "none.csv", "51,1\n");
    assert!(recluster(at, "predict --data none.csv --model fit/model.json --out p.csv").status.success());
    let written = std::fs::read_to_string(at.join("p.csv")).unwrap();
    assert_eq!(written, "row,assigned,confidence,runner_up,runner_up_confidence,name\n");
}

#[test]
fn fit_writes_a_folder_and_predict_repeats_it() {
    let tmp = folder();
    let at = tmp.path();
    let told = good(at, "fit --data digits --rows 600 --labels digits --out one --threads 1 --min-node-share 0.12");
    assert!(told["best_node_f"].as_f64().unwrap() > 0.6 && told["ari"].as_f64().unwrap() > 0.2, "{told}");
    let leaves = told["leaves"].as_u64().unwrap();
    assert!(leaves >= 5, "{told}");
    good(at, "fit --data digits --rows 600 --out two --threads 2 --min-node-share 0.12");
    for file in [
        "report.html",
        "report.md",
        "tree.json",
        "assignments.csv",
        "model.json",
        "rules.csv",
        "report.json",
        "names.csv",
    ] {
        let (one, two) = (std::fs::read(at.join("one").join(file)), std::fs::read(at.join("two").join(file)));
        assert_eq!(one.unwrap(), two.unwrap(), "{file} depends on the threads");
    }
    assert_eq!(files(&at.join("one")).len(), 8);
    let rules = std::fs::read_to_string(at.join("one/rules.csv")).unwrap();
    assert!(rules.starts_with("cluster,rule,conditions,precision,recall,lift,held_out_rows,returned,name\n"));
    assert!(rules.contains("column ") && !rules.contains("NaN"), "{rules}");
    let of_leaves = told["rules"].as_array().unwrap();
    assert_eq!(of_leaves.len() as u64, leaves);
    let numbers = of_leaves.iter().map(|leaf| leaf["rules"].as_array().unwrap().len()).sum::<usize>();
    assert_eq!(rules.lines().count(), 1 + numbers);
    let assignments = std::fs::read_to_string(at.join("one/assignments.csv")).unwrap();
    assert_eq!(assignments.lines().next(), Some("row,core,assigned,confidence,name"));
    assert_eq!(assignments.lines().count(), 601);
    let report = report(&at.join("one"));
    assert!(report.starts_with("<!DOCTYPE html>"));
    for outside in ["<script", "src=\"http", "href=\"http", "url(", "@import", "<link"] {
        assert!(!report.contains(outside), "the report must stand alone: {outside}");
    }
    assert_eq!(report.matches("<article").count() as u64, leaves);
    assert!(!report.contains("NaN"));

    good(at, "predict --model one/model.json --data digits --rows 600 --out a.csv");
    let predicted = std::fs::read_to_string(at.join("a.csv")).unwrap();
    let of = |line: &str, column: usize| line.split(',').nth(column).unwrap().to_string();
    for (fitted, predicted) in assignments.lines().zip(predicted.lines()) {
        assert_eq!((of(fitted, 2), of(fitted, 3)), (of(predicted, 1), of(predicted, 2)));
    }
    good(at, "shap --model one/model.json --data digits --rows 3 --out s.npy");
    assert_eq!(npy(at.join("s.npy")).1, [3, 65, leaves as usize]);
    // A second fit into the same folder replaces its files.
    let told = good(
        at,
        "fit --data digits --rows 200 --out one --embedder pca --components 4 --clusterer kmeans --clusters 4 --fidelity",
    );
    let fidelity = &told["fidelity"];
    assert_eq!(fidelity["levels"][0]["clusters"].as_array().unwrap().len(), 4, "{told}");
    assert!(fidelity["levels"][0]["accuracy"].as_f64().unwrap() > 0.7, "{told}");
    assert_eq!(fidelity["siblings"][0]["node"], "0");
    assert_eq!(std::fs::read_to_string(at.join("one/assignments.csv")).unwrap().lines().count(), 201);
}

#[test]
fn a_table_with_names_is_reported_by_name() {
    let tmp = folder();
    let at = tmp.path();
    let mut csv = "age,income,\"visits <monthly>\"\n".to_string();
    for i in 0..240 {
        let group = f64::from(i % 3);
        csv += &format!(
            "{},{},{}\n",
            20.0 + 20.0 * group + f64::from(i * 7 % 11),
            30.0 * group + f64::from(i * 5 % 13),
            i % 7
        );
    }
    write(at, "people.csv", csv);
    let told = good(at, "fit --data people.csv --out f --scale standard --title People");
    assert!(told["leaves"].as_u64().unwrap() >= 3, "{told}");
    let report = report(&at.join("f"));
    assert!(report.contains("<title>People</title>") && report.contains("age is lower"));
    assert!(report.contains("visits &lt;monthly&gt;") && !report.contains("visits <monthly>"));
}

/// People in three groups, as CSV with the columns in this order.
fn people(order: &[&str], rows: usize) -> String {
    let cell = |i: usize, name: &str| match name {
        "age" => (20 + 20 * (i % 3) + i * 7 % 11).to_string(),
        "income" => (30 * (i % 3) + i * 5 % 13).to_string(),
        _ => (i % 7).to_string(),
    };
    let line = |i: usize| order.iter().map(|name| cell(i, name)).collect::<Vec<_>>().join(",");
    [order.join(",")].into_iter().chain((0..rows).map(line)).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn columns_are_matched_by_name() {
    let tmp = folder();
    let at = tmp.path();
    write(at, "people.csv", people(&["age", "income", "visits"], 240));
    write(at, "turned.csv", people(&["visits", "age", "income"], 240));
    write(at, "fewer.csv", people(&["visits", "age"], 240));
    write(at, "other.csv", people(&["age", "salary", "visits"], 240));
    write(at, "more.csv", people(&["age", "income", "visits", "score"], 240));
    write(at, "twice.csv", people(&["age", "income", "age"], 240));
    write(at, "labels.csv", (0..240).fold("l\n".to_string(), |text, i| text + &format!("{}\n", i % 3)));
    let bytes = |name: &str| std::fs::read(at.join(name)).unwrap();
    good(
        at,
        "fit --data people.csv --scale none --out f --embedder identity --clusterer kmeans --clusters 3 --rounds 5 --depth 1",
    );
    good(at, "boost --data people.csv --labels labels.csv --out b.json --rounds 5 --max-depth 3 --xgboost-out x");
    // The same rows with their columns in another order get the same answers.
    for (line, out) in [
        ("predict --model f/model.json --out", "a"),
        ("shap --model f/model.json --out", "s"),
        ("shap --model b.json --importance-out i --out", "sb"),
        ("shap --model x/label_1.json --out", "sx"),
    ] {
        good(at, &format!("{line} {out}1 --data people.csv"));
        good(at, &format!("{line} {out}2 --data turned.csv"));
        assert_eq!(bytes(&format!("{out}1")), bytes(&format!("{out}2")), "{line}");
        for (data, words) in [
            ("fewer", "missing \"income\""),
            ("other", "missing \"income\"; unknown \"salary\""),
            ("more", "unknown \"score\""),
            ("twice", "more than once \"age\""),
        ] {
            let said = bad(at, &format!("{line} o --data {data}.csv"), 1);
            assert!(said.contains(words) && said.contains(&format!("{data}.csv")), "{line} {data}: {said}");
        }
    }
    for other in ["background", "counts"] {
        good(at, &format!("shap --model b.json --data people.csv --rows 9 --out s1 --{other} people.csv"));
        good(at, &format!("shap --model b.json --data turned.csv --rows 9 --out s2 --{other} turned.csv"));
        assert_eq!(bytes("s1"), bytes("s2"), "{other}");
        bad(at, &format!("shap --model b.json --data people.csv --out o --{other} other.csv"), 1);
    }
    // Rows that come beside those of a fit, and centres to start from.
    write(at, "start.csv", "income,age,visits\n0,20,3\n30,45,3\n60,65,3\n");
    write(at, "turned_start.csv", "visits,income,age\n3,0,20\n3,30,45\n3,60,65\n");
    for line in [
        "embed --method pca --data people.csv --out o",
        "embed --method identity --data people.csv --out o",
        "cluster --method kmeans --clusters 3 --start START --data people.csv --out o",
        "cluster --min-cluster-size 20 --data people.csv --out o",
        "boost --data people.csv --labels labels.csv --rounds 3 --out o",
    ] {
        good(at, &format!("{} --new people.csv --new-out n1", line.replace("START", "start.csv")));
        good(at, &format!("{} --new turned.csv --new-out n2", line.replace("START", "turned_start.csv")));
        assert_eq!(bytes("n1"), bytes("n2"), "{line}");
        std::fs::remove_file(at.join("o")).unwrap();
        bad(at, &format!("{} --new other.csv --new-out n", line.replace("START", "start.csv")), 1);
        if line.contains("START") {
            bad(at, &format!("{} --new people.csv --new-out n", line.replace("START", "other.csv")), 1);
        }
    }
    // A column with a missing value is named by its place in its own file.
    write(at, "gap.csv", "visits,age,income\n1,,3\n");
    let said = bad(at, "embed --method pca --data people.csv --out o --new gap.csv --new-out n", 1);
    assert!(said.contains("row 0, column \"age\" (column 1"), "{said}");
    // What will be matched by name needs names that differ.
    for line in ["fit --out o", "boost --labels labels.csv --out o"] {
        assert!(bad(at, &format!("{line} --data twice.csv"), 1).contains("more than once \"age\""));
    }
    // Data without names need as many columns.
    good(at, "embed --method identity --data people.csv --out e.npy");
    good(at, "predict --model f/model.json --data e.npy --out a3");
    assert_eq!(bytes("a1"), bytes("a3"));
    good(at, "embed --method pca --components 2 --data people.csv --out e2.npy");
    assert!(bad(at, "predict --model f/model.json --data e2.npy --out o", 1).contains("expected 3, found 2"));
}

#[test]
fn nothing_is_read_as_what_it_is_not() {
    let tmp = folder();
    let at = tmp.path();
    // An empty line of one column is a row.
    write(at, "one.csv", "a\n1\n\n3\n\n");
    assert!(bad(at, "embed --method identity --data one.csv --out o", 1).contains("row 1, column \"a\""));
    write(at, "two.csv", "a\n1\n2\n3\n4\n");
    good(at, "boost --data one.csv --labels two.csv --rounds 1 --out o.json");
    assert!(bad(at, "boost --data two.csv --labels one.csv --out o", 1).contains("line 3, column \"a\""));
    // Labels that are no 32-bit numbers are not noise.
    let head = "{'descr': '<u8', 'fortran_order': False, 'shape': (4,), }";
    let mut file = [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes()].concat();
    file.extend([0u64, 1, u64::MAX, 1].iter().flat_map(|label| label.to_le_bytes()));
    write(at, "labels.npy", file);
    let said = bad(at, "boost --data two.csv --labels labels.npy --out o", 1);
    assert!(said.contains("label 18446744073709551615 at row 2 needs more than 32 bits"), "{said}");
    // Whole numbers that 32 bits do not hold are told of on stderr, in CSV and in .npy.
    write(at, "keys.csv", "x,key\n1,16777216\n2,16777217\n3,16777219\n");
    let head = "{'descr': '<i8', 'fortran_order': True, 'shape': (3, 2), }";
    let mut file = [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes()].concat();
    file.extend([1i64, 2, 3, -16777216, -16777217, 5].iter().flat_map(|label| label.to_le_bytes()));
    write(at, "keys.npy", file);
    for (data, words) in [
        ("keys.csv", "line 3, column \"key\": 16777217 is read as 16777216"),
        ("keys.npy", "row 1, column 1: -16777217 is read as -16777216"),
    ] {
        let output = recluster(at, &format!("embed --method identity --data {data} --out k"));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && stderr.trim_end().lines().count() == 1, "{stderr}");
        assert!(stderr.contains(words) && stderr.starts_with(&format!("recluster: {data}: whole numbers")), "{stderr}");
    }
}

#[test]
fn bad_data_ends_with_1_and_one_line_and_leaves_nothing() {
    let tmp = folder();
    let at = tmp.path();
    write(at, "gap.csv", "age,income\n1,2\n3,\n4,5\n");
    write(at, "word.csv", "age,income\n1,2\n3,much\n");
    write(at, "empty.csv", "");
    write(at, "head.csv", "age,income\n");
    write(at, "ragged.csv", "age,income\n1,2\n3\n");
    write(at, "short.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr'");
    write(at, "ok.csv", (0..40).fold("a,b\n".to_string(), |text, i| text + &format!("{},{}\n", i % 7, i % 5)));
    write(at, "full.csv", (0..40).fold("age,income\n".to_string(), |text, i| text + &format!("{},{}\n", i % 7, i % 5)));
    write(at, "labels.csv", "l\n0\n1\n");
    write(at, "other.json", "{\"format\": \"something else\", \"version\": 1}");
    for (line, reason) in [
        ("embed --data gap.csv --out o", "row 1, column \"income\""),
        ("cluster --data gap.csv --out o", "row 1, column \"income\""),
        ("fit --data gap.csv --scale none --out o", "row 1, column \"income\""),
        ("embed --data word.csv --out o", "line 3, column \"income\": \"much\""),
        ("embed --data empty.csv --out o", "empty"),
        ("embed --data head.csv --out o", "empty"),
        ("fit --data head.csv --out o", "empty"),
        ("embed --data ragged.csv --out o", "line 3 has 1 cells"),
        ("embed --data short.npy --out o", "header"),
        ("embed --data none.csv --out o", "none.csv"),
        ("embed --data . --out o", "folder"),
        ("embed --data ok.csv --out no/o.npy", "no folder"),
        ("fit --data ok.csv --out no/where/o", "no folder"),
        ("fit --data ok.csv --out gap.csv", "is a file"),
        ("fit --data ok.csv --out o --image 3x3", "pixels"),
        ("fit --data ok.csv --out o --labels labels.csv", "labels"),
        ("boost --data ok.csv --labels labels.csv --out o", "labels"),
        ("boost --data digits --labels digits --weights ok.csv --out o", "one number a row"),
        ("boost --data ok.csv --labels gap.csv --out o", "whole number"),
        ("predict --model other.json --data ok.csv --out o", "other.json"),
        ("predict --model none.json --data ok.csv --out o", "none.json"),
        ("shap --model ok.csv --data ok.csv --out o", "not a model"),
        ("shap --model other.json --data ok.csv --out o", "something else"),
        ("embed --data full.csv --out o --new gap.csv --new-out n", "row 1, column \"income\""),
        ("embed --data ok.csv --out o --new gap.csv --new-out n", "missing \"a\", \"b\"; unknown \"age\", \"income\""),
    ] {
        let said = bad(at, line, 1);
        assert!(said.contains(reason), "{line}: {said}");
    }
    // A model for other columns.
    good(at, "boost --data digits --labels digits --rows 100 --out m.json --rounds 2");
    assert!(bad(at, "shap --model m.json --data ok.csv --out o", 1).contains("64"));
}

#[test]
fn bad_arguments_end_with_2() {
    let tmp = folder();
    let at = tmp.path();
    for line in [
        "",
        "dance",
        "embed --data digits",
        "embed --data digits --out o --method tsne",
        "embed --data digits --out o --neighbors many",
        "embed --data digits --out o --neighbors 0",
        "embed --data digits --out o --components 0",
        "embed --data digits --out o --metric taxi",
        "embed --data digits --out o --new digits",
        "embed --data digits --out o --method pca --neighbors 5",
        "embed --data digits --out o --method pca --eps 0.5",
        "embed --data digits --out o --method pca --density 0.5",
        "embed --data digits --out o --whiten",
        "embed --data digits --out o --power-iterations 3",
        "embed --data digits --rows 50 --out o --method pca --power-iterations 101",
        "embed --data digits --out o --method identity --components 3",
        "embed --data digits --rows 50 --out o --method random-projection --density 0",
        "embed --data digits --rows 50 --out o --method random-projection --eps 1",
        "embed --data digits --rows 50 --out o --method random-projection --eps 0.5 --components 3",
        "fit --data digits --out o --embedder identity --components 3",
        "fit --data digits --out o --embedder random-projection --neighbors 3",
        "embed --data digits --out o --rows 0",
        "embed --data digits --out o --threads 0",
        "embed --data digits --out o --new digits --new-out o",
        "cluster --data digits --out o --method kmeans",
        "cluster --data digits --out o --clusters 4",
        "cluster --data digits --out o --method kmeans --clusters 4 --min-samples 3",
        "cluster --data digits --out o --method kmeans --clusters 0",
        "cluster --data digits --out o --method kmeans --clusters 3 --tree-svg t.svg",
        "cluster --data digits --out o --method kmeans --clusters 3 --metric cosine",
        "cluster --data digits --out o --method genie",
        "cluster --data digits --out o --method genie --clusters 3 --gini 2",
        "cluster --data digits --out o --method gmm",
        "cluster --data digits --out o --method gmm --clusters 3 --clusters-up-to 4",
        "cluster --data digits --out o --method gmm --clusters 3 --linkage ward",
        "cluster --data digits --out o --method dbscan",
        "cluster --data digits --out o --method dbscan --epsilon -1",
        "cluster --data digits --out o --method agglomerative",
        "cluster --data digits --out o --method agglomerative --clusters 3 --distance 4",
        "cluster --data digits --out o --method agglomerative --clusters 3 --metric cosine",
        "cluster --data digits --out o --method agglomerative --clusters 3 --memberships-out m",
        "cluster --data digits --out o --gini 0.3",
        "fit --data digits --out o --clusterer genie",
        "fit --data digits --out o --clusterer genie --clusters 3 --min-cluster-share 0.1",
        "cluster --data digits --out o --metric taxi",
        "cluster --data digits --out o --new digits",
        "cluster --data digits --rows 50 --out o --min-persistence -1",
        "cluster --data digits --rows 50 --out o --min-cluster-size 0",
        "boost --data digits --labels digits --rows 50 --out o --learning-rate -1",
        "fit --data digits --out o --depth 0",
        "fit --data digits --out o --min-cluster-share 2",
        "fit --data digits --out o --embedder pca --min-dist 0.2",
        "fit --data digits --out o --image 8",
    ] {
        bad(at, line, 2);
    }
    let weighed = "cluster --data digits --rows 50 --out o --selection leaf --single-cluster-weight 0.3";
    assert!(bad(at, weighed, 2).contains("--single-cluster-weight means nothing to --selection leaf"));
    // Settings that the library calls otherwise.
    assert!(bad(at, "fit --data digits --rows 50 --out o --depth 0", 2).contains("--depth: levels = 0"));
    assert!(bad(at, "embed --data digits --rows 50 --out o --neighbors 0", 2).contains("--neighbors: n_neighbors = 0"));
    assert!(recluster(at, "--help").status.success() && recluster(at, "fit --help").status.success());
}

#[test]
fn odd_data_gets_an_answer_or_a_reason() {
    let tmp = folder();
    let at = tmp.path();
    let table = |rows: usize, cell: fn(usize, usize) -> f64, columns: usize| {
        let head: Vec<String> = (0..columns).map(|c| format!("c{c}")).collect();
        let row = |i: usize| (0..columns).map(|j| cell(i, j).to_string()).collect::<Vec<_>>().join(",");
        [head.join(",")].into_iter().chain((0..rows).map(row)).collect::<Vec<_>>().join("\n")
    };
    write(at, "one_row.csv", table(1, |_, j| j as f64, 3));
    write(at, "two_rows.csv", table(2, |i, j| (i + j) as f64, 3));
    write(at, "one_column.csv", table(80, |i, _| (i * 7 % 31) as f64, 1));
    write(at, "all_equal.csv", table(80, |_, _| 4.0, 3));
    write(at, "few.csv", table(6, |i, j| (i * i + j) as f64, 3));
    write(at, "constant_column.csv", table(80, |i, j| if j == 0 { 1.0 } else { (i * 13 % 37) as f64 }, 2));
    write(at, "huge.csv", table(80, |i, j| (i * 7 % 31 + j) as f64 * 1e36, 3));
    for name in ["one_row", "two_rows", "one_column", "all_equal", "few", "constant_column", "huge"] {
        for command in [
            "embed --epochs 20",
            "embed --method pca",
            "cluster",
            "cluster --method kmeans --clusters 3",
            "cluster --method genie --clusters 3 --fringe-noise",
            "cluster --method gmm --clusters 2",
            "cluster --method dbscan --epsilon 2",
            "cluster --method agglomerative --clusters 3 --linkage complete",
            "fit --clusterer gmm --clusters 2 --embedder pca",
            "fit",
            "fit --embedder pca --scale robust",
        ] {
            let line = format!("{command} --data {name}.csv --out result");
            let output = recluster(at, &line);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let out = at.join("result");
            match output.status.code() {
                Some(0) if command.starts_with("fit") => {
                    assert_eq!(files(&out).len(), 8, "{line}");
                    assert!(!report(&out).contains("NaN"), "{line}");
                    std::fs::remove_dir_all(out).unwrap();
                }
                Some(0) => {
                    assert!(npy(out.clone()).2.iter().all(|v| v.is_finite()), "{line}");
                    std::fs::remove_file(out).unwrap();
                }
                Some(1 | 2) => {
                    assert!(
                        stderr.starts_with("recluster: ") && stderr.trim_end().lines().count() == 1,
                        "{line}: {stderr}"
                    );
                    assert!(!out.exists(), "{line}");
                }
                other => panic!("{line}: {other:?} {stderr}"),
            }
        }
    }
    assert_eq!(files(at).len(), 7, "something was left behind");
}
