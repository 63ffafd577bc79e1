//! Sparse files as a user of the program meets them.

use crate::help::{bad, folder, good, npy, report, write};
use std::path::Path;

/// Counts of three kinds of rows, as 1,000 columns in which a value in twenty is not zero.
fn counts() -> Vec<Vec<u32>> {
    let draw = |i: usize| {
        (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
    };
    let value = |i: usize, j: usize| {
        let often = if j % 3 == i % 3 { 12 } else { 1 };
        if draw(i * 1000 + j) % 100 < often { 1 + (draw(i * 1000 + j + 7) % 3) as u32 } else { 0 }
    };
    (0..150).map(|i| (0..1000).map(|j| value(i, j)).collect()).collect()
}

/// The same rows as a Matrix Market file, an svmlight file with the kinds as labels, and a table.
fn files(at: &Path) {
    let rows = counts();
    let entries = rows.iter().flatten().filter(|&&x| x > 0).count();
    let mut market = format!("%%MatrixMarket matrix coordinate integer general\n{} 1000 {entries}\n", rows.len());
    let (mut svm, mut csv) = (String::new(), (0..1000).map(|j| format!("c{j}")).collect::<Vec<_>>().join(",") + "\n");
    // By column, as Matrix Market files often are.
    for j in 0..1000 {
        rows.iter()
            .enumerate()
            .filter(|(_, row)| row[j] > 0)
            .for_each(|(i, row)| market += &format!("{} {} {}\n", i + 1, j + 1, row[j]));
    }
    for (i, row) in rows.iter().enumerate() {
        svm += &(i % 3).to_string();
        row.iter().enumerate().filter(|(_, x)| **x > 0).for_each(|(j, x)| svm += &format!(" {}:{x}", j + 1));
        svm += "\n";
        csv += &(row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + "\n");
    }
    write(at, "rows.mtx", market);
    write(at, "rows.svm", svm);
    write(at, "rows.csv", csv);
    write(at, "kinds.csv", "kind\n".to_string() + &(0..rows.len()).map(|i| format!("{}\n", i % 3)).collect::<String>());
}

#[test]
fn embeddings_and_models_are_those_of_the_dense_file() {
    let tmp = folder();
    let at = tmp.path();
    files(at);
    let bytes = |name: &str| std::fs::read(at.join(name)).unwrap();
    let umap = "embed --metric cosine --epochs 30 --init random";
    for (from, to) in [("rows.csv", "d.npy"), ("rows.mtx", "m.npy"), ("rows.svm", "s.npy")] {
        let told = good(at, &format!("{umap} --data {from} --out {to}"));
        assert_eq!((told["rows"].as_u64(), told["columns"].as_u64()), (Some(150), Some(1000)));
    }
    assert!(bytes("d.npy") == bytes("m.npy") && bytes("d.npy") == bytes("s.npy"));
    let pca = "embed --method pca --data rows.mtx --out p.npy --new rows.svm --new-out n.npy";
    assert_eq!(good(at, pca)["entries"], good(at, &pca.replace("rows.mtx", "rows.svm"))["entries"]);
    assert_eq!(bytes("p.npy"), bytes("n.npy"));
    let project = "embed --method random-projection --components 3 --rows 40 --data";
    good(at, &format!("{project} rows.mtx --out p.npy"));
    assert_eq!(npy(at.join("p.npy")).1, [40, 3]);

    // Labels of their own file, or of the svmlight file.
    let boost = "boost --rounds 4 --calibrated --new rows.mtx";
    good(at, &format!("{boost} --data rows.mtx --labels kinds.csv --out m.json --new-out m.npy"));
    good(at, &format!("{boost} --data rows.svm --labels rows.svm --out s.json --new-out s.npy"));
    assert!(bytes("m.json") == bytes("s.json") && bytes("m.npy") == bytes("s.npy"));
    good(
        at,
        &format!("{boost} --data rows.csv --labels kinds.csv --out d.json --new-out d.npy")
            .replace("--new rows.mtx", "--new rows.csv"),
    );
    assert_eq!(bytes("m.npy"), bytes("d.npy"));
}

#[test]
fn a_fit_of_sparse_rows_assigns_new_ones() {
    let tmp = folder();
    let at = tmp.path();
    files(at);
    let fit =
        "fit --data rows.svm --umap-metric hellinger --neighbors 10 --min-cluster-share 0.2 --depth 1 --rounds 10";
    let told = good(at, &format!("{fit} --out a"));
    assert_eq!(told["leaves"].as_u64(), Some(3));
    assert!(told["ari"].as_f64().unwrap() > 0.9, "{told}");
    // The report is of the columns that the model uses, and of all others as one.
    let html = report(&at.join("a"));
    assert!(html.contains("The rows are sparse: of 1000 columns the ") && html.contains("column "));
    let text = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    // The Matrix Market file has no labels, and else the same; and a fit that may be interrupted gives the same.
    let told = good(at, &format!("{fit} --out b --resume --threads 1").replace("rows.svm", "rows.mtx"));
    assert!(told["ari"].is_null());
    for name in ["tree.json", "model.json", "assignments.csv", "rules.csv", "report.json", "report.html", "report.md"] {
        assert_eq!(text(&format!("a/{name}")), text(&format!("b/{name}")), "{name}");
    }
    write(at, "a/names.csv", "path,name\n0.1,Owls\n");
    good(at, "report a");
    assert!(report(&at.join("a")).contains("Owls"));
    // Dense rows are other input for the same model.
    for from in ["rows.mtx", "rows.svm", "rows.csv"] {
        good(at, &format!("predict --model a/model.json --data {from} --out {from}.out"));
        assert_eq!(text(&format!("{from}.out")), text("rows.mtx.out"));
    }
    let assigned = |text: String, column: usize| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().to_string()).collect()
    };
    assert_eq!(assigned(text("a/assignments.csv"), 2), assigned(text("rows.mtx.out"), 1));
}

#[test]
fn what_sparse_files_cannot_do_is_told() {
    let tmp = folder();
    let at = tmp.path();
    files(at);
    let told = |line: &str, status: i32, words: &str| {
        let said = bad(at, line, status);
        assert!(said.contains(words), "{line}: {said}");
    };
    told("cluster --data rows.mtx --out l.npy", 1, "rows.mtx: sparse rows are taken as the data of embed");
    told("embed --data rows.mtx --out e.npy --method identity", 2, "identity");
    told("embed --data rows.mtx --out e.npy --metric correlation", 2, "is not for sparse rows");
    told("embed --data rows.mtx --out e.npy --new rows.svm --new-out n.npy", 2, "--new");
    told("fit --data rows.mtx --out f --scale standard", 2, "--scale means nothing to sparse rows");
    told("fit --data rows.mtx --out f --fidelity", 2, "--fidelity");
    told("fit --data rows.mtx --out f --weight a", 2, "--weight");
    told("fit --data rows.mtx --out f --umap-metric no", 2, "no");
    told("boost --data rows.mtx --labels rows.mtx --out m.json", 1, "rows.mtx");
    write(at, "narrow.mtx", "%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1\n");
    told(
        "embed --data rows.mtx --out e.npy --method pca --new narrow.mtx --new-out n.npy",
        1,
        "narrow.mtx: 3 columns, expected 1000",
    );
    write(at, "claims.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1000000000000000\n1 1 1\n");
    told("embed --data claims.mtx --out e.npy", 1, "claims.mtx: 1000000000000000 entries are announced, 1 are there");
    write(at, "negative.mtx", "%%MatrixMarket matrix coordinate real general\n2 200 2\n1 1 1\n2 7 -1\n");
    told("embed --data negative.mtx --out e.npy --metric hellinger", 1, "value -1 at row 1, column 6");
}
