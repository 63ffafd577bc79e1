//! What sets a cluster apart, in the table's words: averages, shares of levels and of missing values on one scale.

use super::Contents;
use super::cards::lines;
use super::charts::{Bar, Bars};
use super::features::{Features, Reading, fit};
use super::text::{Text, say, words};
use maud::{Markup, html};

/// Bars of one question at most.
const OF_ONE_QUESTION: usize = 3;
/// Letters of a column's name with a level, in a chart and in a table.
const NAME: usize = 44;

/// One thing in which a cluster differs from all rows.
pub(super) struct Finding {
    /// Name of the column.
    name: String,
    /// What stands behind it: " = two year", ": at least 4", " missing"; nothing for an average.
    rest: String,
    /// The difference in standard deviations of all rows.
    distance: f64,
    /// Its average or its share here and in all rows, in words.
    here: String,
    all: String,
    direction: Option<Direction>,
}

/// Where an average lies, and whether it is one of dates.
#[derive(Clone, Copy)]
struct Direction {
    above: bool,
    date: bool,
}

impl Finding {
    /// As a chart or a table writes it: "Contract = two year: 81 % (24 %)".
    pub(super) fn brief(&self, text: &Text) -> String {
        words!(text, "apart.brief", name = fit(&self.name, &self.rest, NAME), here = &self.here, all = &self.all)
    }

    fn sentence(&self, text: &Text) -> String {
        let Finding { name, rest, here, all, .. } = self;
        match self.direction {
            None => words!(text, "apart.share", here = here, name = name, rest = rest, all = all),
            Some(Direction { above: true, date: true }) => {
                words!(text, "apart.later", name = name, here = here, all = all)
            }
            Some(Direction { above: false, date: true }) => {
                words!(text, "apart.earlier", name = name, here = here, all = all)
            }
            Some(Direction { above: true, date: false }) => {
                words!(text, "apart.higher", name = name, here = here, all = all)
            }
            Some(Direction { above: false, date: false }) => {
                words!(text, "apart.lower", name = name, here = here, all = all)
            }
        }
    }
}

/// What sets a leaf apart most clearly, to be put into words: up to three, beyond the first only what lies a fifth of a
/// standard deviation away.
pub(super) fn clearest(found: &[Finding]) -> impl Iterator<Item = &Finding> {
    found.iter().take(3).enumerate().filter(|(i, finding)| *i == 0 || finding.distance.abs() >= 0.2).map(|(_, f)| f)
}

/// What sets a leaf apart by a tenth of a standard deviation or more, furthest first; equals in the order of columns.
pub(super) fn findings(contents: &Contents<'_>, features: &Features, leaf: usize) -> Vec<Finding> {
    let mut found: Vec<(usize, Finding)> = (0..features.columns.len())
        .flat_map(|c| {
            of_values(contents, features, leaf, c)
                .into_iter()
                .chain(of_missing(contents.text(), features, leaf, c))
                .map(move |f| (c, f))
        })
        .filter(|(_, finding)| finding.distance.abs() >= 0.1)
        .collect();
    found.sort_by(|a, b| b.1.distance.abs().total_cmp(&a.1.distance.abs()));
    let mut taken = vec![0; features.questions.len()];
    found.retain(|(column, _)| {
        let taken = &mut taken[features.columns[*column].question];
        *taken += 1;
        *taken <= OF_ONE_QUESTION
    });
    found.truncate(lines(contents));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// The difference of two shares in standard deviations of a row's membership.
fn shift(here: f64, all: f64) -> f64 {
    let distance = (here - all) / (all * (1.0 - all)).sqrt();
    if distance.is_finite() { distance } else { 0.0 }
}

fn of_values(contents: &Contents<'_>, features: &Features, leaf: usize, c: usize) -> Option<Finding> {
    let (column, text) = (&features.columns[c], contents.text());
    let (here, all) = (&features.leaves[leaf][c], &features.all[c]);
    let spans: Vec<(usize, usize)> = match column.reading {
        Reading::Number | Reading::Date => return Some(of_average(contents, features, leaf, c)),
        // No of a flag says what yes says.
        Reading::Words if column.flag => vec![(1, 1)],
        Reading::Words => (0..column.levels.len()).map(|level| (level, level)).collect(),
        Reading::Ordered => {
            let last = column.levels.len().saturating_sub(1);
            (0..last).flat_map(|level| [(level + 1, last), (0, level)]).collect()
        }
    };
    // Of a level and its opposite, which differ alike, the one that is more frequent here.
    let (mut best, mut span) = (0.0, None);
    for (first, last) in spans {
        let difference = here.share(first, last) - all.share(first, last);
        let size = difference.abs() + if difference > 0.0 { 1e-9 } else { 0.0 };
        if size > best + 1e-12 {
            (best, span) = (size, Some((first, last)));
        }
    }
    let (first, last) = span?;
    let (here, all) = (here.share(first, last), all.share(first, last));
    let (name, answer) = column.halves();
    Some(Finding {
        name: name.to_string(),
        rest: if column.answer { answer.to_string() } else { column.span(text, first, last) },
        distance: shift(here, all),
        here: text.whole(here),
        all: text.whole(all),
        direction: None,
    })
}

fn of_average(contents: &Contents<'_>, features: &Features, leaf: usize, c: usize) -> Finding {
    let (column, found) = (&features.columns[c], &contents.statistics);
    let distance = found.distance(leaf, c);
    let words = |mean: f64| column.words(contents.text(), mean, found.deviation[c]);
    Finding {
        name: column.name().to_string(),
        rest: String::new(),
        distance,
        here: words(found.leaf_mean[leaf][c]),
        all: words(found.mean[c]),
        direction: Some(Direction { above: distance > 0.0, date: column.reading == Reading::Date }),
    }
}

/// Missing values of the table's column, where their share differs by a fifth of a standard deviation and by 5 points.
fn of_missing(text: &Text, features: &Features, leaf: usize, c: usize) -> Option<Finding> {
    let name = Some(&features.columns[c]).filter(|column| column.first)?.field.clone();
    let (here, all) = (features.leaves[leaf][c].missing(), features.all[c].missing());
    let distance = shift(here, all);
    (distance.abs() >= 0.2 && (here - all).abs() >= 0.05).then(|| Finding {
        name,
        rest: words!(text, "apart.missing"),
        distance,
        here: text.whole(here),
        all: text.whole(all),
        direction: None,
    })
}

/// What sets a leaf apart: a sentence and a chart.
pub(super) fn profile(contents: &Contents<'_>, features: &Features, leaf: usize) -> Markup {
    let text = contents.text();
    let found = findings(contents, features, leaf);
    if found.is_empty() {
        return html! { p { (say!(text, "apart.nothing_of_table")) } };
    }
    let bars = found.iter().map(|finding| {
        Bar::new(format!("{}{}", finding.name, finding.rest), finding.distance)
            .shown(fit(&finding.name, &finding.rest, NAME))
            .note(words!(text, "apart.note", here = &finding.here, all = &finding.all))
    });
    let sentences: Vec<String> = clearest(&found).map(|own| own.sentence(text)).collect();
    let longest = found.iter().map(|finding| finding.distance.abs()).fold(0.0, f64::max);
    html! {
        h4 { (say!(text, "apart.title")) }
        p { (say!(text, "apart.list", list = text.list(&sentences))) }
        div class="scroll" { (Bars::new(bars).draw_in(text).inline()) }
        p class="small" { (say!(text, "apart.bars_of_table", longest = text.value(longest))) }
    }
}
