//! Which values of a column push the model towards a cluster, in the table's words.

use super::features::{Column, Reading};
use super::statistics::places;
use super::text::{Text, words};

/// Rows that a level needs before it is named, where other levels have as many.
const FEW: usize = 5;

/// A column's values in the explained rows with their attributions to one leaf.
pub(super) struct Pushes<'a> {
    column: &'a Column,
    /// In canonical order of the rows.
    pairs: Vec<(f64, f64)>,
    /// The mean of each level; None without rows.
    levels: Vec<Option<Mean>>,
    missing: Option<Mean>,
    mean_absolute: f64,
}

#[derive(Clone, Copy)]
struct Mean {
    rows: usize,
    push: f64,
}

/// Values that push for a leaf.
pub(super) enum For {
    /// Levels without an order, and those that push against it.
    Levels { speak: Vec<usize>, against: Vec<usize> },
    /// From one level to another.
    Span(usize, usize),
    /// Numbers from one to another, open where nothing is said.
    Range(Option<f64>, Option<f64>),
    /// No one piece.
    Unclear,
}

impl<'a> Pushes<'a> {
    pub(super) fn of(column: &'a Column, pairs: Vec<(f64, f64)>) -> Self {
        let mut sums = vec![(0usize, 0.0); column.levels.len()];
        let (mut missing, mut absolute) = ((0usize, 0.0), 0.0);
        for &(value, push) in &pairs {
            absolute += push.abs();
            let sum = match column.level(value) {
                Some(level) => sums.get_mut(level),
                None => value.is_nan().then_some(&mut missing),
            };
            if let Some((rows, sum)) = sum {
                (*rows, *sum) = (*rows + 1, *sum + push);
            }
        }
        let mean = |(rows, sum): (usize, f64)| (rows > 0).then(|| Mean { rows, push: sum / rows as f64 });
        Pushes {
            column,
            levels: sums.into_iter().map(mean).collect(),
            missing: mean(missing),
            mean_absolute: absolute / pairs.len().max(1) as f64,
            pairs,
        }
    }

    /// Where each explained row stands between low (0) and high (1), or its level between against and for; NaN where the
    /// value is missing.
    pub(super) fn places(&self) -> Vec<f64> {
        if self.column.reading != Reading::Words {
            return places(&self.pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
        }
        let most = self.levels.iter().flatten().map(|mean| mean.push.abs()).fold(1e-300, f64::max);
        let place = |value: f64| self.column.level(value).and_then(|level| self.levels[level]);
        self.pairs.iter().map(|pair| place(pair.0).map_or(f64::NAN, |mean| 0.5 + 0.5 * mean.push / most)).collect()
    }

    /// The values that push for the leaf.
    pub(super) fn speak(&self) -> For {
        match self.column.reading {
            Reading::Number | Reading::Date => self.range().map_or(For::Unclear, |(low, high)| For::Range(low, high)),
            Reading::Ordered => self.span().map_or_else(|| self.both(), |(first, last)| For::Span(first, last)),
            Reading::Words => self.both(),
        }
    }

    /// Whether missing values push for the leaf.
    pub(super) fn missing_speak(&self) -> bool {
        self.missing.is_some_and(|mean| mean.rows >= FEW && mean.push > 0.25 * self.mean_absolute)
    }

    /// Levels with enough rows, and their mean attributions.
    fn known(&self) -> Vec<(usize, f64)> {
        let least = self.levels.iter().flatten().map(|mean| mean.rows).max().unwrap_or(0).min(FEW);
        let known = self.levels.iter().enumerate().filter_map(|(level, mean)| Some((level, (*mean)?)));
        known.filter(|(_, mean)| mean.rows >= least).map(|(level, mean)| (level, mean.push)).collect()
    }

    /// Up to two levels that push most for the leaf and two against it; the second at least half as much as the first.
    fn both(&self) -> For {
        let side = |sign: f64| -> Vec<usize> {
            let mut levels: Vec<(usize, f64)> = self.known().into_iter().map(|(l, push)| (l, sign * push)).collect();
            levels.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let most = levels.first().map_or(0.0, |level| level.1);
            levels.into_iter().filter(|level| level.1 > 0.0 && level.1 >= 0.5 * most).map(|l| l.0).take(2).collect()
        };
        let (speak, against) = (side(1.0), side(-1.0));
        if speak.is_empty() && against.is_empty() { For::Unclear } else { For::Levels { speak, against } }
    }

    /// The levels in order that push for the leaf, where they are one piece and not all.
    fn span(&self) -> Option<(usize, usize)> {
        let known = self.known();
        let most = known.iter().map(|level| level.1).fold(0.0, f64::max);
        let speaks: Vec<bool> = known.iter().map(|level| level.1 > 0.1 * most).collect();
        let (first, last) = (speaks.iter().position(|&s| s)?, speaks.iter().rposition(|&s| s)?);
        let whole = first == 0 && last + 1 == speaks.len();
        if whole || !speaks[first..=last].iter().all(|&s| s) {
            return None;
        }
        // Towards an end without enough rows the span is open.
        let from = if first == 0 { 0 } else { known[first].0 };
        let to = if last + 1 == known.len() { self.levels.len() - 1 } else { known[last].0 };
        let single = first == last;
        Some(if single { (known[first].0, known[first].0) } else { (from, to) })
    }

    /// The range from the 10th to the 90th percentile of the values that push for the leaf, where four in five of the
    /// values within do, and not those beyond both ends. Where those beyond an end do too, it is open.
    fn range(&self) -> Option<(Option<f64>, Option<f64>)> {
        let pairs: Vec<(f64, f64)> = self.pairs.iter().copied().filter(|pair| pair.0.is_finite()).collect();
        let mut speak: Vec<f64> = pairs.iter().filter(|pair| pair.1 > 0.0).map(|pair| pair.0).collect();
        speak.sort_by(f64::total_cmp);
        if speak.len() < 2 * FEW {
            return None;
        }
        let at = |part: f64| speak[((speak.len() - 1) as f64 * part).round() as usize];
        let (low, high) = (at(0.1), at(0.9));
        let speaks = |within: &dyn Fn(f64) -> bool| {
            let pushes = || pairs.iter().filter(|pair| within(pair.0));
            pushes().filter(|pair| pair.1 > 0.0).count() * 5 >= pushes().count() * 4
        };
        let (open_low, open_high) = (speaks(&|v| v < low), speaks(&|v| v > high));
        if open_low && open_high || !speaks(&|v| low <= v && v <= high) {
            return None;
        }
        Some(((!open_low).then_some(low), (!open_high).then_some(high)))
    }
}

impl For {
    /// Parts of an order or single levels that are named first, whose shares are worth giving.
    pub(super) fn spans(&self) -> Vec<(usize, usize)> {
        match self {
            For::Levels { speak, against } => {
                let named = if speak.is_empty() { against } else { speak };
                named.iter().map(|&level| (level, level)).collect()
            }
            For::Span(first, last) => vec![(*first, *last)],
            For::Range(..) | For::Unclear => Vec::new(),
        }
    }

    /// Whether levels only speak against the leaf.
    pub(super) fn is_against(&self) -> bool {
        matches!(self, For::Levels { speak, .. } if speak.is_empty())
    }

    /// What speaks, to stand behind the column's name; `missing` says that missing values do. `direction` is the
    /// correlation of values and attributions.
    pub(super) fn sentence(
        &self,
        text: &Text,
        column: &Column,
        missing: bool,
        deviation: f64,
        direction: f64,
    ) -> String {
        let also = if missing { words!(text, "speak.also") } else { String::new() };
        match self {
            For::Levels { speak, against } => of_levels(text, column, speak, against, missing),
            For::Span(first, last) => {
                words!(text, "speak.span", span = column.span(text, *first, *last), also = also)
            }
            For::Range(low, high) => {
                let words = |number: f64| column.words(text, number, deviation);
                let date = column.reading == Reading::Date;
                let range = match (low.map(words), high.map(words)) {
                    (Some(low), Some(high)) if low == high => words!(text, "range.equal", value = low),
                    (Some(low), Some(high)) => words!(text, "range.between", low = low, high = high),
                    (Some(low), None) if date => words!(text, "range.from", date = low),
                    (None, Some(high)) if date => words!(text, "range.until", date = high),
                    (Some(low), None) => words!(text, "range.more", value = low),
                    (None, Some(high)) => words!(text, "range.less", value = high),
                    (None, None) => String::new(),
                };
                words!(text, "speak.range", range = range, also = also)
            }
            For::Unclear => {
                let what = match (column.reading, direction) {
                    (Reading::Words, _) => words!(text, "unclear.words"),
                    (Reading::Date, r) if r > 0.5 => words!(text, "unclear.late"),
                    (Reading::Date, r) if r < -0.5 => words!(text, "unclear.early"),
                    (_, r) if r > 0.5 => words!(text, "unclear.high"),
                    (_, r) if r < -0.5 => words!(text, "unclear.low"),
                    _ => words!(text, "unclear.between"),
                };
                words!(text, "speak.unclear", what = what, also = also)
            }
        }
    }
}

fn of_levels(text: &Text, column: &Column, speak: &[usize], against: &[usize], missing: bool) -> String {
    let names =
        |levels: &[usize]| -> Vec<String> { levels.iter().map(|&level| column.levels[level].clone()).collect() };
    let (mut speak, against) = (names(speak), names(against));
    if missing {
        speak.push(words!(text, "speak.missing"));
    }
    match (speak.is_empty(), against.is_empty()) {
        (true, _) => words!(text, "speak.against", levels = text.list(&against), n = against.len()),
        (false, true) => words!(text, "speak.for", levels = text.list(&speak), n = speak.len()),
        (false, false) => {
            let (levels, opposed) = (text.list(&speak), text.list(&against));
            words!(text, "speak.both", levels = levels, against = opposed, n = speak.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::Features;
    use super::*;
    use crate::core::Rows;
    use crate::table::{Field, Kind, Schema};

    /// What is said of a column of this kind whose values push as given.
    fn said(field: Field, direction: f64, pairs: impl IntoIterator<Item = (f64, f64)>) -> String {
        let schema = Schema::new(vec![field]).unwrap();
        let row = ndarray::array![[0.0f32]];
        let rows = Rows::with_missing(&row).unwrap();
        let features = Features::of(&schema, &rows, &crate::core::Canonical::of(&rows), &[1.0], &[0], 1);
        let pushes = Pushes::of(&features.columns[0], pairs.into_iter().collect());
        pushes.speak().sentence(Text::english(), &features.columns[0], pushes.missing_speak(), 9.0, direction)
    }

    #[test]
    fn numbers_speak_in_a_range_where_there_is_one() {
        let of = |push: fn(f64) -> f64| {
            said(Field::new("n", Kind::Number), 0.9, (0..100).map(|i| (f64::from(i), push(f64::from(i)))))
        };
        assert_eq!(of(|v| if (40.0..60.0).contains(&v) { 1.0 } else { -1.0 }), " 42 to 57 speaks for this cluster");
        assert_eq!(of(|v| v - 50.0), " 56 or more speaks for this cluster");
        assert_eq!(of(|v| 50.0 - v), " 44 or less speaks for this cluster");
        assert_eq!(of(|v| if v % 2.0 == 0.0 { 1.0 } else { -1.0 }), ": high values speak for this cluster");
        assert_eq!(of(|_| 1.0), ": high values speak for this cluster");
        let date = said(Field::new("d", Kind::Date), 0.0, (0..100).map(|i| (f64::from(i), f64::from(50 - i))));
        assert_eq!(date, " until 1970-02-14 speaks for this cluster");
    }

    #[test]
    fn levels_speak_by_name_and_missing_values_too() {
        let field = |kind| Field::new("c", kind).with_levels(["a", "b", "c", "d"]);
        let of = |kind, pushes: [f64; 5]| {
            let value = |i: usize| if i % 5 == 4 { f64::NAN } else { (i % 5) as f64 };
            said(field(kind), 0.0, (0..50).map(move |i| (value(i), pushes[i % 5])))
        };
        let speaks = |text: &str| format!("{text} for this cluster");
        assert_eq!(of(Kind::Ordinal, [-1.0, -0.5, 0.4, 1.0, 0.0]), speaks(": at least c speaks"));
        assert_eq!(of(Kind::Ordinal, [-1.0, 0.5, 0.4, -1.0, 0.0]), speaks(": b to c speaks"));
        assert_eq!(of(Kind::Ordinal, [-1.0, 0.5, -0.4, -1.0, 0.0]), speaks(" = b speaks"));
        assert_eq!(of(Kind::Ordinal, [1.0, -1.0, 0.9, -0.4, 0.0]), " = a and c speak for this cluster, b against it");
        assert_eq!(
            of(Kind::Category, [0.1, -1.0, -0.9, 1.0, 1.0]),
            " = d and missing speak for this cluster, b and c against it"
        );
        assert_eq!(of(Kind::Category, [-0.1, -1.0, -0.1, -0.1, 0.0]), " = b speaks against this cluster");
        assert_eq!(of(Kind::Category, [0.0; 5]), ": values speak for this cluster only with values of other columns");
    }

    #[test]
    fn places_of_levels_go_from_against_to_for() {
        let schema = Schema::new(vec![Field::new("c", Kind::Category).with_levels(["a", "b", "c"])]).unwrap();
        let row = ndarray::array![[0.0f32]];
        let rows = Rows::with_missing(&row).unwrap();
        let features = Features::of(&schema, &rows, &crate::core::Canonical::of(&rows), &[1.0], &[0], 1);
        let pairs = vec![(0.0, 1.0), (1.0, -1.0), (2.0, 0.0), (f64::NAN, 0.5), (0.0, 3.0)];
        let places = Pushes::of(&features.columns[0], pairs).places();
        assert_eq!((places[0], places[1], places[2], places[4]), (1.0, 0.25, 0.5, 1.0));
        assert!(places[3].is_nan());
    }
}
