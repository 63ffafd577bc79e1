//! The whole method on a small table of arbitrary columns: encode, fit, explain, report.

use super::settings::{a_boost, a_hdbscan, a_umap};
use super::{measured, unbroken};
use crate::bytes::Bytes;
use recluster::boost::Boost;
use recluster::cluster::{Hdbscan, KMeans};
use recluster::embed::{Identity, Questions};
use recluster::explain::Abstain;
use recluster::explain::{Differences, DriftWatch, Outside, Predictor, Rules};
use recluster::recursive::{ClusterTree, RecursiveTree, Repeats};
use recluster::report::Report;
use recluster::table::{Amendment, Column, Cycle, Kind, Role, Scale, Schema, Table, Values};
use recluster::{Explainer, Result, Run, Saved};

/// Most rows, and most columns.
const ROWS: usize = 48;
const COLUMNS: usize = 5;

pub fn pipeline(data: &[u8]) {
    measured(data, || {
        let mut bytes = Bytes::new(data);
        let run = Run::new().threads(1).seed(bytes.byte().into());
        let Ok(table) = table(&mut bytes) else { return };
        let Ok(schema) = schema(&mut bytes, &table) else { return };
        // An error is an answer; what was wrong is not asked.
        let _ = whole(&mut bytes, &table, &schema, &run);
    });
}

fn table(bytes: &mut Bytes) -> Result<Table> {
    let (rows, columns) = (bytes.below(ROWS + 1), bytes.below(COLUMNS + 1));
    Table::new((0..columns).map(|place| column(bytes, rows, place)).collect())
}

fn column(bytes: &mut Bytes, rows: usize, place: usize) -> Column {
    let name = if bytes.byte().is_multiple_of(8) { bytes.word() } else { format!("c{place}") };
    // Columns follow the row's number or a few values that come again, so that there are clusters to find.
    let (period, kind) = (1 + bytes.below(5), bytes.below(7));
    let own: Vec<u8> = (0..period).map(|_| bytes.byte()).collect();
    let missing = bytes.byte().is_multiple_of(4);
    let is_missing = |row: usize| missing && (row * 7).is_multiple_of(5);
    let numbers = |row: usize| f64::from(own[row % period]) + (row * 13 % 11) as f64 * 0.25;
    let values = match kind {
        0 => Values::numbers((0..rows).map(|row| if is_missing(row) { f64::NAN } else { numbers(row) })),
        1 => Values::numbers((0..rows).map(|_| bytes.real())),
        2 => Values::integers((0..rows).map(|row| (!is_missing(row)).then(|| i64::from(own[row % period]) << 40))),
        3 => Values::flags((0..rows).map(|row| (!is_missing(row)).then(|| own[row % period].is_multiple_of(2)))),
        4 => Values::dates((0..rows).map(|row| if missing { bytes.real() * 1e4 } else { numbers(row) * 50.0 })),
        5 => {
            let words: Vec<String> = (0..period).map(|_| bytes.word()).collect();
            Values::words((0..rows).map(|row| (!is_missing(row)).then(|| words[row % period].as_str())))
        }
        _ => Values::words((0..rows).map(|_| Some(bytes.word()))),
    };
    Column::new(name, values)
}

fn schema(bytes: &mut Bytes, table: &Table) -> Result<Schema> {
    const KINDS: [Kind; 8] =
        [Kind::Number, Kind::Count, Kind::Share, Kind::Ordinal, Kind::Category, Kind::Flag, Kind::Date, Kind::Answers];
    const ROLES: [Role; 6] = [Role::Feature, Role::Id, Role::Weight, Role::Profile, Role::Label, Role::Dropped];
    let mut amendments = Vec::new();
    for column in table.columns() {
        let mut own = Amendment::of(column.name());
        let set = bytes.byte();
        if set & 3 == 3 {
            own.kind = Some(bytes.pick(&KINDS));
        }
        if set & 12 == 12 {
            own.role = Some(bytes.pick(&ROLES));
        }
        if set & 48 == 48 {
            own.scale = Some(bytes.pick(&[Scale::Linear, Scale::Log, Scale::Rank]));
            own.weight = Some(bytes.real());
            own.question = Some(bytes.word());
            own.group = Some(bytes.word());
        }
        if set & 192 == 192 {
            own.levels = Some((0..bytes.below(4)).map(|_| bytes.word()).collect());
            own.missing = Some(vec![bytes.word()]);
            own.blank = Some(bytes.word());
            own.separator = Some(bytes.word());
            own.cycles = Some(vec![bytes.pick(&[Cycle::Day, Cycle::Week, Cycle::Year])]);
            (own.decimal_comma, own.day_first) = (Some(bytes.flag()), Some(bytes.flag()));
        }
        amendments.push(own);
    }
    Schema::infer(table).amended(table, &amendments)
}

fn tree(bytes: &mut Bytes, schema: &Schema, rows: &ndarray::Array2<f32>, run: &Run) -> Result<ClusterTree> {
    let levels = 1 + bytes.below(3);
    match bytes.below(4) {
        0 => RecursiveTree::new(Identity, KMeans::new(3).restarts(1)).levels(levels).min_rows(4).fit(rows, run),
        1 => {
            let umap = Questions::new(a_umap(bytes).n_epochs(3), schema);
            RecursiveTree::new(umap, a_hdbscan(bytes)).levels(levels).fit(rows, run)
        }
        2 => {
            let umap = Questions::new(a_umap(bytes).n_epochs(3).n_neighbors(5), schema);
            let hdbscan = Hdbscan::new().min_cluster_size(4).min_samples(2);
            let tree = RecursiveTree::new(umap, hdbscan).levels(levels).min_rows(8).stability(Repeats::new(2));
            tree.fit(rows, run)
        }
        _ => {
            let hdbscan = Hdbscan::new().min_cluster_size(3).min_samples(1);
            RecursiveTree::new(Identity, hdbscan).levels(levels).min_rows(6).noise_again(true).fit(rows, run)
        }
    }
}

fn whole(bytes: &mut Bytes, table: &Table, schema: &Schema, run: &Run) -> Result<()> {
    let rows = schema.encode(table)?;
    let _ = schema.answered(&rows);
    let filled = rows.mapv(|x| if x.is_nan() { 0.0 } else { x });
    let fitted = if bytes.flag() { &filled } else { &rows };
    let tree = unbroken(tree(bytes, schema, fitted, run))?;
    let boost = if bytes.flag() { a_boost(bytes) } else { Boost::new().rounds(3) };
    let boost = boost.categorical(&schema.categorical());
    let (surrogate, levels) = tree.surrogate_with_fidelity(&rows, None, &boost, run)?;
    let siblings = tree.sibling_fidelity(&rows, None, &boost, run)?;
    drop(siblings);
    let surrogate = surrogate.with_schema(schema.clone())?;
    let why = surrogate.explain(&rows, run)?;
    assert_eq!(why.values().dim().0, table.rows());
    let labels = tree.leaf_labels();
    let names: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    let rules = Rules::new().resamples(2).schema(schema).find(&rows, &labels, &names, None, run)?;
    let compared = Differences::new(&surrogate, &rows, &labels)?;
    let mut differences = Vec::new();
    for leaf in 0..names.len() {
        if let Some(other) = compared.nearest(leaf, run)? {
            differences.push(compared.between(leaf, other, run)?);
        }
    }
    let profiles = schema.profiles();
    let outside = match &profiles {
        Some(profiles) => Outside::new().of(profiles, &profiles.encode(table)?, &labels, None, run)?,
        None => Vec::new(),
    };
    let mut report = Report::new(&tree, &rows)
        .title(bytes.word())
        .schema(schema)
        .explained_by(&surrogate, run)?
        .selectivity(surrogate.selectivity())
        .rules(&rules)
        .differences(&differences);
    if let Some(profiles) = &profiles {
        report = report.outside(profiles, &outside);
    }
    if let Some(deepest) = levels.last() {
        report = report.fidelity(&deepest.fidelity);
    }
    let html = report.render()?;
    assert!(html.starts_with("<!DOCTYPE html>") && !html.contains("NaN"), "a report with a number that is none");
    let _ = recluster::report::markdown(&html);
    recluster::report::Draft::from_json(&report.draft()?.to_json()?)?.render(&tree)?;
    for abstain in [Abstain::Never, Abstain::Precision(0.9)] {
        if let Ok(decided) = surrogate.decide(&rows, abstain, run) {
            let mut watch = DriftWatch::new(&surrogate);
            watch.add(&rows, &decided)?;
            let _ = watch.drift();
        }
    }
    let _ = Predictor::new(surrogate.clone(), Abstain::Never).map(drop);
    let text = surrogate.to_json()?;
    let again = recluster::explain::Surrogate::from_json(&text).expect("what was saved can be loaded");
    assert_eq!(again.assign_table(table, run)?.len(), table.rows());
    let text = tree.to_json()?;
    ClusterTree::from_json(&text).expect("what was saved can be loaded");
    Ok(())
}
