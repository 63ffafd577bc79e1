//! Sampling of rows and columns for each tree, and the rows held out of all trees.
//!
//! Draws are keyed by the rank of a row by content, label and weight. Rows that differ in none of these are
//! interchangeable, so the order of the table does not matter.

use super::bins::Bins;
use super::settings::Boost;
use crate::core::parallel;
use crate::core::random::Stream;
use std::borrow::Cow;

/// Purposes of random draws.
const ROWS_OF_TREE: u64 = 0x626f_6f73_7401;
const COLUMNS_OF_TREE: u64 = 0x626f_6f73_7402;
const HELD_OUT: u64 = 0x626f_6f73_7403;
const FOLDS: u64 = 0x626f_6f73_7404;

/// Rows in the order of content, then of `kind`, which distinguishes rows of equal content.
pub(super) fn by_content(bins: &Bins, kind: impl Fn(usize) -> (u32, u32) + Sync) -> Vec<u32> {
    let mut order: Vec<u32> = (0..bins.rows as u32).collect();
    parallel::sort_by_key(&mut order, |&i| (bins.content[i as usize], kind(i as usize), i));
    order
}

/// Rows to hold out: about `share` of each class, in the order of `order`. Equal rows of one class are held out together
/// or not at all; a class that would be held out whole is not held out.
pub(super) fn held_out(bins: &Bins, order: &[u32], class: impl Fn(usize) -> u32, share: f64, key: u64) -> Vec<u32> {
    let rows = shuffled(bins, order, class, Stream::new(key, HELD_OUT));
    let mut held = Vec::new();
    for class in rows.chunk_by(|a, b| a.class == b.class) {
        let mut count = (class.len() as f64 * share).round() as usize;
        while count > 0 && count < class.len() && class[count].first == class[count - 1].first {
            count += 1;
        }
        if count < class.len() {
            held.extend(class[..count].iter().map(|row| row.place));
        }
    }
    in_order(held, order)
}

/// Stratified folds: each class is spread over `count` folds as evenly as possible, equal rows of one class in one fold;
/// each fold is in the order of `order`. A class whose rows are all equal is in no fold.
pub(super) fn folds(bins: &Bins, order: &[u32], class: impl Fn(usize) -> u32, count: usize, key: u64) -> Vec<Vec<u32>> {
    let rows = shuffled(bins, order, class, Stream::new(key, FOLDS));
    let mut folds = vec![Vec::new(); count];
    for class in rows.chunk_by(|a, b| a.class == b.class) {
        let (mut before, mut last) = (0, 0);
        for equal in class.chunk_by(|a, b| a.first == b.first) {
            if equal.len() == class.len() {
                break;
            }
            let ends = before + equal.len() == class.len();
            // The last rows of a class are never in the fold of the first, however many of these are equal.
            let fold = if ends && last == 0 { 1 } else { before * count / class.len() };
            folds[fold].extend(equal.iter().map(|row| row.place));
            (before, last) = (before + equal.len(), fold);
        }
    }
    folds.into_iter().map(|fold| in_order(fold, order)).collect()
}

/// A row in an order that is random within its class.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Shuffled {
    class: u32,
    draw: u64,
    /// Place of the first row of its content in the order of content.
    first: u32,
    /// Its own place there.
    place: u32,
}

fn shuffled(bins: &Bins, order: &[u32], class: impl Fn(usize) -> u32, draws: Stream) -> Vec<Shuffled> {
    let mut rows = Vec::with_capacity(order.len());
    let mut first = 0;
    for (place, &row) in order.iter().enumerate() {
        // Equal rows follow each other in the order.
        if place > 0 && bins.content[row as usize] != bins.content[order[place - 1] as usize] {
            first = place;
        }
        let draw = draws.bits(first as u64);
        rows.push(Shuffled { class: class(row as usize), draw, first: first as u32, place: place as u32 });
    }
    rows.sort_unstable();
    rows
}

/// The rows at some places of an order, in that order.
fn in_order(mut places: Vec<u32>, order: &[u32]) -> Vec<u32> {
    places.sort_unstable();
    places.into_iter().map(|place| order[place as usize]).collect()
}

/// Draws rows and columns for each tree.
pub(super) struct Sampler {
    subsample: f64,
    by_tree: f64,
    by_level: f64,
    by_node: f64,
    max_depth: usize,
    rows: Stream,
    columns: Stream,
    /// Rank of each row by content; empty when all rows are used.
    places: Vec<u32>,
    /// Whether each row is held out of all trees; empty where none is.
    held_out: Vec<bool>,
    /// Columns that can be split on.
    open: Vec<u32>,
}

/// The sample of one tree.
pub(super) struct TreeSample<'a> {
    sampler: &'a Sampler,
    rows: Stream,
    columns: Stream,
}

/// The columns that a tree may use.
#[derive(Default)]
pub(super) struct TreeColumns {
    /// Ascending.
    pub(super) tree: Vec<u32>,
    /// For each level the columns of its nodes; empty where these are all of the tree's.
    levels: Vec<Vec<u32>>,
    by_node: f64,
    features: usize,
    nodes: Option<Stream>,
}

impl Sampler {
    pub(super) fn new(settings: &Boost, bins: &Bins, order: &[u32], held_out: &[u32], key: u64) -> Self {
        let mut places = vec![0; if settings.subsample < 1.0 { bins.rows } else { 0 }];
        if !places.is_empty() {
            order.iter().enumerate().for_each(|(place, &i)| places[i as usize] = place as u32);
        }
        let mut mask = vec![false; if held_out.is_empty() { 0 } else { bins.rows }];
        held_out.iter().for_each(|&i| mask[i as usize] = true);
        Sampler {
            subsample: settings.subsample,
            by_tree: settings.colsample_bytree,
            by_level: settings.colsample_bylevel,
            by_node: settings.colsample_bynode,
            max_depth: settings.max_depth,
            rows: Stream::new(key, ROWS_OF_TREE),
            columns: Stream::new(key, COLUMNS_OF_TREE),
            places,
            held_out: mask,
            open: (0..bins.columns.len() as u32).filter(|&c| bins.columns[c as usize].bins > 1).collect(),
        }
    }

    pub(super) fn of(&self, round: usize, output: usize) -> TreeSample<'_> {
        let of = |stream: Stream| stream.of(round as u64).of(output as u64);
        TreeSample { sampler: self, rows: of(self.rows), columns: of(self.columns) }
    }
}

impl TreeSample<'_> {
    /// Whether the tree uses all rows.
    pub(super) fn all(&self) -> bool {
        self.sampler.held_out.is_empty() && self.sampler.places.is_empty()
    }

    /// Whether the tree uses a row.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> bool {
        if self.sampler.held_out.get(i) == Some(&true) {
            return false;
        }
        match self.sampler.places.get(i) {
            Some(&place) => self.rows.uniform(u64::from(place)) < self.sampler.subsample,
            None => true,
        }
    }

    /// Numbers of all rows, first those that the tree uses; returns how many these are.
    pub(super) fn order(&self, count: usize, rows: &mut Vec<u32>) -> usize {
        rows.clear();
        if self.all() {
            rows.extend(0..count as u32);
            return count;
        }
        rows.resize(count, 0);
        let (mut seen, mut others) = (0, count);
        for row in 0..count {
            if self.row(row) {
                rows[seen] = row as u32;
                seen += 1;
            } else {
                others -= 1;
                rows[others] = row as u32;
            }
        }
        seen
    }

    /// The columns of the tree, and those of each level, drawn from them.
    pub(super) fn columns(&self, features: usize) -> TreeColumns {
        let sampler = self.sampler;
        let tree = draw(&sampler.open, sampler.by_tree, self.columns);
        let levels = if sampler.by_level < 1.0 {
            (0..sampler.max_depth).map(|level| draw(&tree, sampler.by_level, self.columns.of(level as u64))).collect()
        } else {
            Vec::new()
        };
        let nodes = (sampler.by_node < 1.0).then(|| self.columns.of(u64::MAX));
        TreeColumns { tree, levels, by_node: sampler.by_node, features, nodes }
    }
}

impl TreeColumns {
    /// For each column whether a node may split on it; empty where it may split on all.
    pub(super) fn at(&self, depth: usize, node: u64) -> Vec<bool> {
        let level = self.levels.get(depth);
        if level.is_none() && self.nodes.is_none() {
            return Vec::new();
        }
        let level = level.unwrap_or(&self.tree);
        let columns = match self.nodes {
            Some(stream) => Cow::Owned(draw(level, self.by_node, stream.of(node))),
            None => Cow::Borrowed(level),
        };
        let mut drawn = vec![false; self.features];
        columns.iter().for_each(|&c| drawn[c as usize] = true);
        drawn
    }
}

/// A share of the columns, at least one, ascending.
fn draw(columns: &[u32], share: f64, stream: Stream) -> Vec<u32> {
    if share >= 1.0 {
        return columns.to_vec();
    }
    let count = ((columns.len() as f64 * share) as usize).max(1);
    let mut drawn = columns.to_vec();
    drawn.sort_unstable_by_key(|&c| (stream.bits(u64::from(c)), c));
    drawn.truncate(count);
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Rows;
    use ndarray::Array2;

    #[test]
    fn equal_rows_are_held_out_together_and_no_class_whole() {
        // Contents 0..20, each five times; the last class has one content only.
        let table = Array2::from_shape_fn((105, 1), |(i, _)| if i < 100 { (i % 20) as f32 } else { 50.0 });
        let rows = Rows::finite(&table).unwrap();
        let bins = Bins::of(&rows, &(0..105).collect::<Vec<_>>(), 256, &[false]).unwrap();
        let class = |i: usize| if i >= 100 { 2 } else { (i % 20 >= 10) as u32 };
        let order = by_content(&bins, |i| (class(i), 0));
        let held = held_out(&bins, &order, class, 0.3, 1);
        assert_eq!(held.len(), 30, "three contents of ten for each of two classes");
        for content in 0..20 {
            let count = held.iter().filter(|&&i| i < 100 && i % 20 == content).count();
            assert!(count == 0 || count == 5, "{content}: {count}");
        }
        assert!(held.iter().all(|&i| i < 100));
        assert_ne!(held, held_out(&bins, &order, class, 0.3, 2));
        // Each row is in one fold, except those of the class of one content.
        let parts = folds(&bins, &order, class, 3, 1);
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        for content in 0..20 {
            let count = |part: &Vec<u32>| part.iter().filter(|&&i| i % 20 == content).count();
            assert!(parts.iter().all(|part| [0, 5].contains(&count(part))), "{content}");
        }
        for part in &parts {
            let own = part.iter().filter(|&&i| class(i as usize) == 0).count();
            assert!((15..=20).contains(&own), "{own}");
        }
    }

    #[test]
    fn a_class_of_two_contents_is_in_two_folds() {
        for many in 0..2 {
            let table = Array2::from_shape_fn((30, 1), |(i, _)| f32::from(u8::from((i == 0) == (many == 0))));
            let rows = Rows::finite(&table).unwrap();
            let bins = Bins::of(&rows, &(0..30).collect::<Vec<_>>(), 256, &[false]).unwrap();
            for key in 0..8 {
                let parts = folds(&bins, &by_content(&bins, |_| (0, 0)), |_| 0, 3, key);
                let mut sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
                sizes.sort_unstable();
                assert_eq!(sizes, [0, 1, 29]);
            }
        }
    }
}
