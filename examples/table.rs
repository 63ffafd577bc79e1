//! A table from a file, all the way to a report, by the plan of `recluster fit --data FILE`, in a program of one's own.
//!
//!     cargo run --release --example table FILE [FOLDER]
//!
//! The file is CSV, TSV (also gzipped) or Parquet, with names of columns. The folder, `recluster-report` unless another is given, gets
//! `report.html` and `model.json`, which assigns new rows: see `docs/deploying.md`.

use recluster::boost::Boost;
use recluster::explain::Rules;
use recluster::report::Report;
use recluster::table::{Role, Schema, TableFile};
use recluster::{Error, Result, Run, Saved, presets};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let Some(file) = words.next() else {
        eprintln!("a file is needed: cargo run --release --example table FILE [FOLDER]");
        std::process::exit(2);
    };
    let folder = PathBuf::from(words.next().unwrap_or_else(|| "recluster-report".into()));

    let read = TableFile::open(&file)?.read()?;
    for note in &read.notes {
        println!("{note}");
    }
    // Kinds are inferred; where a person knows better, the schema is amended: `.with_role(Role::Id, &["customer"])?`.
    let schema = Schema::infer(&read.table);
    for (name, kind) in schema.kinds_in_words() {
        println!("{name}: {kind}");
    }
    for field in schema.fields().iter().filter(|field| field.role != Role::Feature) {
        println!("{}: {} {}", field.name, field.role, field.reason.as_deref().unwrap_or_default());
    }
    // An error about a cell names the file and the line.
    let data = schema.encode(&read.table).map_err(|error| read.error(error))?;

    let run = Run::new();
    let tree = presets::table(&schema).fit(&data, &run)?;
    print!("\n{tree}");

    // Why each cluster is what it is, and what assigns new rows.
    let boost = Boost::new().categorical(&schema.categorical());
    let model = tree.surrogate(&data, &boost, &run)?.with_schema(schema)?;
    let schema = model.schema().expect("it was given");
    let rules = Rules::new().schema(schema).find(&data, &tree.leaf_labels(), model.classes(), None, &run)?;
    for (leaf, found) in tree.leaves().zip(&rules) {
        found.rules.iter().take(1).for_each(|rule| println!("{}: {rule}", leaf.path()));
    }

    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    model.save(folder.join("model.json"))?;
    let title = Path::new(&file).file_stem().map_or_else(|| file.clone(), |stem| stem.to_string_lossy().into_owned());
    let report = Report::new(&tree, &data).title(title).schema(schema).rules(&rules).explained_by(&model, &run)?;
    report.write(folder.join("report.html"))?;
    println!("\n{}", folder.join("report.html").display());
    Ok(())
}
