//! Customers of six kinds in a table as companies have them: counts, shares, flags, words, levels in order, several answers
//! in a cell, missing answers, ids, and outside variables.
//!
//!     cargo run --release --example segments [ROWS [SHARE OF MISSING ANSWERS [FOLDER]]]
//!
//! The folder gets `report.html`.
//! Each kind of customer differs from all others in a few questions, which `CAUSES` lists. The clusters should be the kinds,
//! and what explains each cluster should be these questions.

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recluster::boost::Boost;
use recluster::cluster::Hdbscan;
use recluster::embed::{Questions, Umap};
use recluster::evidence::{HeldOut, LatentClasses, Policy};
use recluster::explain::{Differences, Outside, Rules};
use recluster::recursive::RecursiveTree;
use recluster::report::Report;
use recluster::table::{Column, Role, Schema, Table, Values};
use recluster::validity::adjusted_rand;
use recluster::{Error, Explainer, Result, Run, Size};
use std::f64::consts::TAU;
use std::path::PathBuf;

const SHARES: [f64; 6] = [0.30, 0.22, 0.18, 0.14, 0.10, 0.06];

/// What makes each kind of customer.
const CAUSES: [(&str, &[&str]); 6] = [
    ("passers-by", &["sessions", "plan", "phone share"]),
    ("hosts", &["tools", "meetings", "invited"]),
    ("builders", &["api", "night share", "storage"]),
    ("enterprises", &["plan", "single sign-on", "team size"]),
    ("unhappy", &["satisfaction", "tickets", "sessions"]),
    ("archivists", &["storage", "industry", "meetings"]),
];

struct Draws(ChaCha8Rng);

impl Draws {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// A skewed amount around `middle`.
    fn amount(&mut self, middle: f64) -> f64 {
        middle * (0.5 * self.normal()).exp()
    }

    /// A share around `middle`.
    fn share(&mut self, middle: f64) -> f64 {
        let odds = (middle / (1.0 - middle)).ln() + 0.5 * self.normal();
        1.0 / (1.0 + (-odds).exp())
    }

    /// One of several words, by their weights.
    fn one<'a>(&mut self, words: &[(&'a str, f64)]) -> &'a str {
        let mut at = self.uniform() * words.iter().map(|word| word.1).sum::<f64>();
        for (word, weight) in words {
            at -= weight;
            if at < 0.0 {
                return word;
            }
        }
        words[words.len() - 1].0
    }
}

/// The table, and the kind of each customer.
fn customers(rows: usize, missing: f64) -> Result<(Table, Vec<i32>)> {
    let mut draws = Draws(ChaCha8Rng::seed_from_u64(1));
    let mut truth = Vec::new();
    let (mut numbers, mut flags, mut words) = (vec![Vec::new(); 9], vec![Vec::new(); 3], vec![Vec::new(); 6]);
    for _ in 0..rows {
        let at = draws.uniform();
        let kind = (0..SHARES.len() - 1).filter(|&kind| at >= SHARES[..=kind].iter().sum()).count();
        truth.push(kind as i32);
        let d = &mut draws;
        let pick = |of: usize, here: f64, else_: f64| if kind == of { here } else { else_ };
        let sessions = if kind == 0 { 3.0 } else { pick(4, 9.0, 40.0) };
        let storage = if kind == 2 { 30.0 } else { pick(5, 400.0, 4.0) };
        let meetings = if kind == 1 { 40.0 } else { pick(5, 0.6, 6.0) };
        let of_kind = [
            d.amount(sessions).round(),
            d.share(pick(0, 0.9, 0.25)),
            d.share(pick(2, 0.6, 0.1)),
            d.amount(storage),
            d.amount(meetings).round(),
            d.amount(pick(1, 30.0, 3.0)).round(),
            d.amount(pick(3, 300.0, 12.0)).round(),
            d.amount(pick(4, 9.0, 0.8)).round(),
            d.amount(20.0),
        ];
        numbers.iter_mut().zip(of_kind).for_each(|(column, number)| column.push(number));
        let of_kind = [d.chance(pick(2, 0.95, 0.08)), d.chance(pick(3, 0.97, 0.05)), d.chance(0.5)];
        flags.iter_mut().zip(of_kind).for_each(|(column, flag)| column.push(Some(flag)));
        let plan = match kind {
            0 => d.one(&[("free", 95.0), ("team", 5.0)]),
            3 => d.one(&[("enterprise", 92.0), ("business", 8.0)]),
            _ => d.one(&[("free", 15.0), ("team", 50.0), ("business", 32.0), ("enterprise", 3.0)]),
        };
        let industry = match kind {
            5 => d.one(&[("law", 90.0), ("health", 10.0)]),
            _ => d.one(&[
                ("media", 3.0),
                ("retail", 3.0),
                ("health", 2.0),
                ("law", 0.4),
                ("school", 2.0),
                ("software", 3.0),
            ]),
        };
        let satisfaction = match kind {
            4 => d.one(&[("very dissatisfied", 6.0), ("dissatisfied", 3.0), ("neutral", 0.5)]),
            _ => d.one(&[
                ("very dissatisfied", 0.2),
                ("dissatisfied", 0.8),
                ("neutral", 3.0),
                ("satisfied", 4.0),
                ("very satisfied", 2.0),
            ]),
        };
        let mut tools = Vec::new();
        for (tool, usual) in [("chat", 0.5), ("video", 0.15), ("docs", 0.6), ("boards", 0.3), ("forms", 0.2)] {
            let share = match (kind, tool) {
                (1, "video") => 0.97,
                (1, "docs") => 0.1,
                _ => usual,
            };
            if d.chance(share) {
                tools.push(tool);
            }
        }
        let browser = d.one(&[("chrome", 6.0), ("firefox", 2.0), ("safari", 3.0)]);
        let country = d.one(&[("NL", 2.0), ("PT", 1.0), ("US", 4.0)]);
        let of_kind = [plan, industry, satisfaction, &tools.join(";"), browser, country].map(String::from);
        words.iter_mut().zip(of_kind).for_each(|(column, word)| column.push(Some(word)));
    }
    let mut columns = Vec::new();
    let mut lost = Draws(ChaCha8Rng::seed_from_u64(2));
    let names = [
        "sessions",
        "phone share",
        "night share",
        "storage",
        "meetings",
        "invited",
        "team size",
        "tickets",
        "discount",
    ];
    for (name, mut numbers) in names.into_iter().zip(numbers) {
        numbers.iter_mut().filter(|_| lost.chance(missing)).for_each(|number| *number = f64::NAN);
        columns.push(Column::new(name, Values::numbers(numbers)));
    }
    for (name, mut flags) in ["api", "single sign-on", "newsletter"].into_iter().zip(flags) {
        flags.iter_mut().filter(|_| lost.chance(missing)).for_each(|flag| *flag = None);
        columns.push(Column::new(name, Values::flags(flags)));
    }
    for (name, mut words) in ["plan", "industry", "satisfaction", "tools", "browser", "country"].into_iter().zip(words)
    {
        words.iter_mut().filter(|_| lost.chance(missing)).for_each(|word| *word = None);
        columns.push(Column::new(name, Values::words(words)));
    }
    columns.push(Column::new(
        "customer",
        Values::words((0..rows).map(|row| Some(format!("c-{:06}", row * 7919 % 999_983)))),
    ));
    Ok((Table::new(columns)?, truth))
}

/// Columns that make no clusters: in the first two some kinds of customers differ from the others, in twenty none.
fn outside_variables(truth: &[i32], seed: u64) -> Result<Table> {
    let mut d = Draws(ChaCha8Rng::seed_from_u64(100 + seed));
    let (mut regions, mut ages) = (Vec::new(), Vec::new());
    for &kind in truth {
        let north = if kind == 1 { 1.5 } else { 1.0 };
        regions.push(Some(d.one(&[("north", north), ("south", 1.0), ("west", 2.0)])));
        ages.push((d.amount(if kind == 4 { 44.0 } else { 40.0 })).round());
    }
    let mut columns = vec![Column::new("region", Values::words(regions)), Column::new("age", Values::numbers(ages))];
    for k in 0..20 {
        let rows = 0..truth.len();
        let values = match k % 4 {
            0 => Values::numbers(rows.map(|_| d.amount(300.0)).collect::<Vec<_>>()),
            1 => Values::flags(rows.map(|_| Some(d.chance(0.05))).collect::<Vec<_>>()),
            2 => Values::words(
                rows.map(|_| Some(d.one(&[("low", 1.0), ("middle", 3.0), ("high", 0.5)]))).collect::<Vec<_>>(),
            ),
            _ => Values::words(
                rows.map(|_| Some(["a", "b", "c", "d", "e", "f", "g"][(d.uniform().powi(2) * 7.0) as usize]))
                    .collect::<Vec<_>>(),
            ),
        };
        columns.push(Column::new(format!("without {k:02}"), values));
    }
    Table::new(columns)
}

/// The schema of a table of outside variables and its columns as numbers.
fn outside_columns(truth: &[i32], seed: u64) -> Result<(Schema, Array2<f32>)> {
    let table = outside_variables(truth, seed)?;
    let names: Vec<&str> = table.columns().iter().map(Column::name).collect();
    let all = Schema::infer(&table).with_role(Role::Profile, &names)?;
    let schema = all.profiles().unwrap_or(all);
    let values = schema.encode(&table)?;
    Ok((schema, values))
}

/// How columns that made no clusters differ between these, over ten draws of the columns.
fn report_outside(clusters: &[i32], truth: &[i32], run: &Run) -> Result<()> {
    let (mut planted, mut others) = (0, 0);
    for seed in 0..10 {
        let (schema, values) = outside_columns(truth, seed)?;
        let found = Outside::new().of(&schema, &values, clusters, None, run)?;
        for variable in found.iter().filter(|variable| variable.differs) {
            *(if variable.name.starts_with("without") { &mut others } else { &mut planted }) += 1;
            if seed == 0 {
                println!("{} differs: adjusted p {:.1e}", variable.name, variable.q_value.unwrap_or(1.0));
            }
        }
    }
    println!("in ten draws: {planted} of 20 planted differences, {others} of 200 others");
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<f64> = words.iter().take(2).filter_map(|text| text.parse().ok()).collect();
    let rows = arguments.first().map_or(20_000, |&rows| rows as usize);
    let missing = arguments.get(1).copied().unwrap_or(0.03);
    let (table, truth) = customers(rows, missing)?;

    // Kinds are inferred; where a person knows better, the schema is amended.
    let schema = Schema::infer(&table).with_role(Role::Profile, &["country"])?;
    for (name, kind) in schema.kinds_in_words() {
        println!("{name}: {kind}");
    }
    for field in schema.fields().iter().filter(|field| field.role != Role::Feature) {
        println!("{}: {} {}", field.name, field.role, field.reason.as_deref().unwrap_or_default());
    }
    let data = schema.encode(&table)?;

    let run = Run::new().seed(7);
    let clusters = Hdbscan::new().min_cluster_size(Size::Share(0.04)).min_samples(10);
    let embedder = Questions::new(Umap::new().min_dist(0.0), &schema);
    let judge = LatentClasses::new(HeldOut::new().policy(Policy::Mark), &schema);
    let tree = RecursiveTree::new(embedder, clusters).levels(1).judge(judge).stability(10).fit(&data, &run)?;
    let boost = Boost::new().rounds(30).max_depth(4).categorical(&schema.categorical());
    let surrogate = tree.surrogate(&data, &boost, &run)?.with_schema(schema)?;

    // New rows are assigned as they come: columns in any order, without UMAP or HDBSCAN.
    let assigned: Vec<i32> = surrogate.assign_table(&table, &run)?.iter().map(|to| to.class as i32).collect();
    println!(
        "\nARI with the kinds of customers: clusters {:.3}, model {:.3}",
        adjusted_rand(&tree.leaf_labels(), &truth)?,
        adjusted_rand(&assigned, &truth)?
    );

    // What explains each cluster: attributions of a sample, added up for each question.
    let sample = data.slice(ndarray::s![..rows.min(1000), ..]);
    let schema = surrogate.schema().expect("it was given");
    let why = surrogate.explain(&sample, &run)?.summed(&schema.question_of_features())?;
    let questions = schema.questions();

    // What each cluster is, in one to three conditions; figures are of rows that no rule saw.
    let rules = Rules::new().schema(schema).find(&data, &tree.leaf_labels(), surrogate.classes(), None, &run)?;
    for (class, leaf) in tree.leaves().enumerate() {
        let mut counts = [0; SHARES.len()];
        leaf.rows().iter().for_each(|&row| counts[truth[row as usize] as usize] += 1);
        let kind = (0..counts.len()).max_by_key(|&kind| counts[kind]).unwrap_or(0);
        let mut effects: Vec<(f64, &str)> = (0..questions.len())
            .map(|q| {
                (why.values().slice(ndarray::s![.., q, class]).iter().map(|x| x.abs()).sum(), questions[q].as_str())
            })
            .collect();
        effects.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (name, causes) = CAUSES[kind];
        let top: Vec<&str> = effects.iter().take(causes.len()).map(|effect| effect.1).collect();
        let met = top.iter().filter(|question| causes.contains(question)).count();
        println!(
            "{} {:4.1} %  {name}: {} ({met} of {} planted)",
            leaf.path(),
            100.0 * leaf.share(),
            top.join(", "),
            causes.len()
        );
        for rule in &rules[class].rules {
            println!("    {rule}");
        }
    }

    println!("\nOutside variables:");
    report_outside(&tree.leaf_labels(), &truth, &run)?;

    let Some(folder) = words.get(2).map(PathBuf::from) else { return Ok(()) };
    let (outside_schema, values) = outside_columns(&truth, 0)?;
    let outside = Outside::new().of(&outside_schema, &values, &tree.leaf_labels(), None, &run)?;
    let labels = tree.leaf_labels();
    let compared = Differences::new(&surrogate, &data, &labels)?;
    let mut differences = Vec::new();
    for leaf in 0..tree.leaves().count() {
        if let Some(other) = compared.nearest(leaf, &run)? {
            differences.push(compared.between(leaf, other, &run)?);
        }
    }
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    Report::new(&tree, &data)
        .title("Customers")
        .schema(schema)
        .rules(&rules)
        .differences(&differences)
        .outside(&outside_schema, &outside)
        .selectivity(surrogate.selectivity())
        .explained_by(&surrogate, &run)?
        .write(folder.join("report.html"))
}
