//! Rows at the border between two clusters, reassigned by their answers.

use crate::boost::{Boost, softmax};
use crate::core::random::{Stream, mix};
use crate::core::shape::check_count;
use crate::core::{Canonical, Rows, gather, parallel};
use crate::recursive::{Judge, Move, Proposal, Verdict};
use crate::table::{FeatureKind, Schema};
use crate::{Result, Run, Settings};
use ndarray::{Array2, ArrayRef2, ArrayView1};

const PURPOSE: u64 = 0x636c_6173_7365_7321;
/// Parts of the rows, each of which is told by the answers of all others.
const FOLDS: usize = 10;
/// Numbers of more values than this are cut into as many bins of equally many rows.
const BINS: usize = 16;
/// Rows on which the two models compete.
const CONTEST: usize = 10_000;
/// A child that would lose more than this share of its rows is another one.
const MOST_LOST: f64 = 0.5;
/// Rows of one task.
const PIECE: usize = 4_096;

/// Reassigns rows at the border between two clusters to the one that fits all of their answers best, if that predicts clusters
/// better than boosted trees do. Wraps another judge; for tables.
///
/// An embedding keeps neighbours, so where two clusters meet, a few of a row's 15 neighbours decide. In a survey all
/// answers together say more: if they are independent of each other within a cluster, as latent class analysis assumes
/// (Lazarsfeld and Henry 1968), the posterior p(c | x) ∝ p(c) Π p(x_q | c) is all there is to know. The classes are the
/// clusters that the other judge kept. Their shares, and those of the answers within each, are counted with one added to
/// each count; numbers are cut into 16 bins of equally many rows, and missing answers are left out. The rows are divided
/// into ten folds at random, and the posterior of each fold is that of the nine others. This is one step of expectation
/// maximisation that starts from the clusters.
///
/// Within many clusters columns depend on each other: pixels do, and the two coordinates of a crescent. Therefore the posterior
/// competes with [boosted trees](Boost), which assume nothing: each predicts the clusters of at most 10,000 rows from
/// other rows. Only if the posterior is wrong about fewer of them is each row given to the child of its largest posterior,
/// which becomes its membership. Nothing is moved if a child would lose more than half of its rows. Noise stays noise.
///
/// # Cost
/// O(rows x columns x children), and four small fits of boosted trees where there is anything to move. Memory: two bytes for each
/// value, and eight for each row and child.
///
/// ```
/// use ndarray::Array2;
/// use recluster::evidence::{HeldOut, LatentClasses};
/// use recluster::recursive::RecursiveTree;
/// use recluster::table::{Column, Schema, Table, Values};
/// use recluster::{Run, cluster::KMeans, embed::Identity};
///
/// // Thirty questions with a yes of 80 % in one class and of 20 % in the other.
/// let draw = |i: usize, q: usize| (i * 7919 + q * 104_729 + i * q * 31 + i * i * 17) % 1_009 < if i % 2 == 0 { 807 } else { 202 };
/// let question = |q: usize| Column::new(format!("q{q}"), Values::flags((0..600).map(|i| Some(draw(i, q)))));
/// let table = Table::new((0..30).map(question).collect())?;
/// let schema = Schema::infer(&table);
/// let rows = schema.encode(&table)?;
/// let judge = LatentClasses::new(HeldOut::new(), &schema);
/// let tree = RecursiveTree::new(Identity, KMeans::new(2)).levels(1).judge(judge).fit(&rows, &Run::new())?;
/// let told = tree.root().labels().iter().enumerate().filter(|(i, label)| (i % 2) as i32 == **label).count();
/// assert!(told.max(600 - told) > 590);
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct LatentClasses<J> {
    judge: J,
    /// For each feature whether its numbers are names of levels.
    levels: Vec<bool>,
    boost: Boost,
}

impl<J: Judge> LatentClasses<J> {
    /// What `judge` keeps of a table of this schema, rows at the borders reassigned.
    pub fn new(judge: J, schema: &Schema) -> Self {
        let levels = schema.features().iter().map(|feature| feature.kind() == FeatureKind::Category).collect();
        LatentClasses { judge, levels, boost: Boost::new().categorical(&schema.categorical()) }
    }

    /// Rows whose answers fit another child better than that of their cluster.
    fn moves(&self, proposal: &Proposal<'_>, children: &[Vec<usize>], run: &Run) -> Result<Vec<Move>> {
        let rows = proposal.rows;
        check_count("columns, one for each feature", self.levels.len(), rows.ncols())?;
        let mut child_of = vec![0; proposal.clustering.clusters()];
        for (child, clusters) in children.iter().enumerate() {
            clusters.iter().for_each(|&cluster| child_of[cluster] = child);
        }
        let labels = proposal.clustering.labels();
        let used: Vec<u32> = (0..rows.nrows() as u32).filter(|&row| labels[row as usize] >= 0).collect();
        let members = Members {
            child: used.iter().map(|&row| child_of[labels[row as usize] as usize]).collect(),
            weight: used.iter().map(|&row| proposal.weights.map_or(1.0, |weights| weights[row as usize])).collect(),
            fold: folds(rows, &used, Stream::new(run.key(), PURPOSE)),
            children: children.len(),
        };
        let columns = parallel::map(rows.ncols(), |c| {
            let values: Vec<f32> = used.iter().map(|&row| rows[[row as usize, c]]).collect();
            Answers::of(&values, self.levels[c])
        });
        let posterior = members.posterior(&columns);
        let moves = members.moves(&posterior, &used);
        if moves.is_empty() || members.empties(&moves, &used) || !self.wins(&members, &posterior, rows, &used, run)? {
            return Ok(Vec::new());
        }
        Ok(moves)
    }

    /// Whether the posterior is wrong about the children of fewer rows than boosted trees are, both having seen other rows only.
    fn wins(
        &self,
        members: &Members,
        posterior: &Array2<f64>,
        rows: &ArrayRef2<f32>,
        used: &[u32],
        run: &Run,
    ) -> Result<bool> {
        let draws = Stream::new(run.key(), PURPOSE).of(1);
        let mut places: Vec<u32> = (0..used.len() as u32).collect();
        places.sort_unstable_by_key(|&place| (draws.bits(place.into()), place));
        places.truncate(CONTEST);
        places.sort_unstable();
        let sample: Vec<u32> = places.iter().map(|&place| used[place as usize]).collect();
        let labels: Vec<i32> = places.iter().map(|&place| members.child[place as usize] as i32).collect();
        let weights: Vec<f32> = places.iter().map(|&place| members.weight[place as usize] as f32).collect();
        let mut seen: Vec<i32> =
            labels.iter().zip(&weights).filter(|(_, w)| **w > 0.0).map(|(label, _)| *label).collect();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() < 2 {
            return Ok(false);
        }
        let (_, margins) = self.boost.fit_out_of_fold(&gather(rows, &sample)?, &labels, Some(&weights), run)?;
        let (mut ours, mut theirs) = (0.0, 0.0);
        for (i, margins) in margins.rows().into_iter().enumerate().filter(|(_, margins)| !margins[0].is_nan()) {
            let (place, weight) = (places[i] as usize, members.weight[places[i] as usize]);
            ours += if members.likeliest(posterior, place) == members.child[place] { 0.0 } else { weight };
            theirs += if likeliest(margins, 0) == members.child[place] { 0.0 } else { weight };
        }
        Ok(ours < theirs)
    }
}

/// The place of the largest value; of equal ones `first` if it is among them, else the lowest.
fn likeliest(values: ArrayView1<'_, f64>, first: usize) -> usize {
    (0..values.len()).fold(first, |best, k| if values[k] > values[best] { k } else { best })
}

/// For each row used the part that it belongs to. Equal rows, which lie side by side in canonical order, are in one part, so that
/// they are judged alike.
fn folds(rows: &ArrayRef2<f32>, used: &[u32], draws: Stream) -> Vec<u8> {
    let group = Canonical::of(&Rows::known(rows)).group_of_row();
    let mut folds: Vec<u8> = Vec::with_capacity(used.len());
    for (place, &row) in used.iter().enumerate() {
        let same = place > 0 && group[row as usize] == group[used[place - 1] as usize];
        folds.push(if same { folds[place - 1] } else { draws.below(place as u64, FOLDS) as u8 });
    }
    folds
}

/// The answers to one question.
struct Answers {
    /// For each row the number of its answer, or [`MISSING`].
    codes: Vec<u16>,
    /// Different answers.
    count: usize,
}

const MISSING: u16 = u16::MAX;

impl Answers {
    /// Each value is an answer of its own where there are few, or where they are names of `levels`; else bins are.
    fn of(values: &[f32], levels: bool) -> Self {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut cuts = sorted.clone();
        cuts.dedup();
        if cuts.len() > if levels { usize::from(MISSING) } else { BINS } {
            cuts = (0..BINS).map(|bin| sorted[bin * sorted.len() / BINS]).collect();
            cuts.dedup();
        }
        let code = |x: &f32| match cuts.partition_point(|cut| cut <= x) {
            _ if x.is_nan() => MISSING,
            above => above.saturating_sub(1) as u16,
        };
        Answers { codes: values.iter().map(code).collect(), count: cuts.len() }
    }
}

/// The clustered rows, with what is known of each.
struct Members {
    child: Vec<usize>,
    weight: Vec<f64>,
    fold: Vec<u8>,
    children: usize,
}

impl Members {
    /// p(child | answers) of each row (rows x children), by the rows of other folds.
    fn posterior(&self, columns: &[Answers]) -> Array2<f64> {
        let (children, rows) = (self.children, self.child.len());
        let all = Answers { codes: vec![0; rows], count: 1 };
        let sizes = self.counts(&all);
        let tables = parallel::map(columns.len(), |c| self.log_shares(&columns[c]));
        let pieces = parallel::map_ranges(rows, PIECE, |range| {
            let mut piece = Vec::with_capacity(range.len() * children);
            for row in range {
                let fold = usize::from(self.fold[row]);
                let own = &sizes[fold * children..(fold + 1) * children];
                let mut sums: Vec<f64> = own.iter().map(|size| libm::log(size + 1.0)).collect();
                for (answers, table) in columns.iter().zip(&tables) {
                    let code = answers.codes[row];
                    if code != MISSING {
                        let first = (fold * answers.count + usize::from(code)) * children;
                        sums.iter_mut().zip(&table[first..first + children]).for_each(|(sum, log)| *sum += log);
                    }
                }
                softmax(&mut sums);
                piece.append(&mut sums);
            }
            piece
        });
        let mut posterior = Array2::zeros((rows, children));
        posterior.iter_mut().zip(pieces.into_iter().flatten()).for_each(|(to, p)| *to = p);
        posterior
    }

    /// Weights of the rows of all folds but one that give an answer, by fold, answer and child.
    fn counts(&self, answers: &Answers) -> Vec<f64> {
        let size = answers.count * self.children;
        let mut own = vec![0.0; FOLDS * size];
        for row in 0..self.child.len() {
            if answers.codes[row] != MISSING {
                let cell = usize::from(answers.codes[row]) * self.children + self.child[row];
                own[usize::from(self.fold[row]) * size + cell] += self.weight[row];
            }
        }
        let all: Vec<f64> = (0..size).map(|cell| own.iter().skip(cell).step_by(size).sum()).collect();
        own.chunks_mut(size.max(1)).for_each(|own| own.iter_mut().zip(&all).for_each(|(own, all)| *own = all - *own));
        own
    }

    /// log p(answer | child), by fold, answer and child.
    fn log_shares(&self, answers: &Answers) -> Vec<f64> {
        let (children, size) = (self.children, answers.count * self.children);
        let mut table = self.counts(answers);
        for table in table.chunks_mut(size.max(1)) {
            for child in 0..children {
                let all: f64 = table.iter().skip(child).step_by(children).sum::<f64>() + answers.count as f64;
                table.iter_mut().skip(child).step_by(children).for_each(|n| *n = libm::log((*n + 1.0) / all));
            }
        }
        table
    }

    /// Rows with a child of larger posterior than that of their own.
    fn moves(&self, posterior: &Array2<f64>, used: &[u32]) -> Vec<Move> {
        let one = |place: usize| {
            let to = self.likeliest(posterior, place);
            let (row, membership) = (used[place] as usize, posterior[[place, to]].min(1.0) as f32);
            (to != self.child[place]).then_some(Move { row, to, membership })
        };
        (0..self.child.len()).filter_map(one).collect()
    }

    /// The child of the largest posterior; of equal ones the row's own.
    fn likeliest(&self, posterior: &Array2<f64>, place: usize) -> usize {
        likeliest(posterior.row(place), self.child[place])
    }

    /// Whether a child would lose so many rows that it is another one.
    fn empties(&self, moves: &[Move], used: &[u32]) -> bool {
        let (mut rows, mut lost) = (vec![0usize; self.children], vec![0usize; self.children]);
        self.child.iter().for_each(|&child| rows[child] += 1);
        let places = moves.iter().filter_map(|one| used.binary_search(&(one.row as u32)).ok());
        places.for_each(|place| lost[self.child[place]] += 1);
        rows.iter().zip(&lost).any(|(&rows, &lost)| lost as f64 > MOST_LOST * rows as f64)
    }
}

impl<J: Judge> Judge for LatentClasses<J> {
    fn judge(&self, proposal: &Proposal<'_>, run: &Run) -> Result<Verdict> {
        let verdict = self.judge.judge(proposal, run)?;
        let children = verdict.groups(proposal.clustering.clusters(), self)?;
        if children.len() < 2 || verdict.moves_rows() {
            return Ok(verdict);
        }
        let moves = self.moves(proposal, &children, &run.at("answers"))?;
        Ok(match moves.len() {
            0 => verdict,
            1 => verdict.with_moves(moves).and("1 row was reassigned by its answers"),
            many => verdict.with_moves(moves).and(&format!("{many} rows were reassigned by their answers")),
        })
    }

    fn check(&self) -> Result<()> {
        self.judge.check()
    }

    fn name(&self) -> String {
        format!("{} and LatentClasses", self.judge.name())
    }

    fn settings(&self) -> Settings {
        let categories = self.levels.iter().filter(|levels| **levels).count();
        let which = self.levels.iter().fold(0, |digest, &levels| mix(digest ^ u64::from(levels)));
        Settings::new("LatentClasses")
            .with("judge", self.judge.settings())
            .with("features", self.levels.len())
            .with("categories", categories)
            .with("digest of the categories", format!("{which:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn equal_rows_are_judged_by_the_same_others() {
        // Each row three times, some with missing values.
        let rows =
            Array2::from_shape_fn((300, 2), |(i, j)| if i % 9 == 0 { f32::NAN } else { (i / 3 * (j + 1)) as f32 });
        let rows = Array2::from_shape_fn(rows.dim(), |(i, j)| rows[[i / 3 * 3, j]]);
        let used: Vec<u32> = (0..300).filter(|row| row % 7 != 0).collect();
        let found = folds(&rows, &used, Stream::new(3, PURPOSE));
        for (a, b) in used.iter().zip(&found).zip(used.iter().zip(&found).skip(1)).filter(|(a, b)| a.0 / 3 == b.0 / 3) {
            assert_eq!(a.1, b.1, "rows {} and {}", a.0, b.0);
        }
        assert!((0..FOLDS as u8).all(|fold| found.contains(&fold)));
    }
}
