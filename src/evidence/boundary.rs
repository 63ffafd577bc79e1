//! How empty the boundary between two groups is, against a boundary through the middle of each.

use crate::core::linalg;
use crate::neighbors::Neighbors;
use ndarray::{ArrayRef2, ArrayView2};

/// The groups of one half, carried over to the rows of the other by their neighbours.
pub(super) struct Boundary<'a> {
    /// The rows of both halves in one space.
    space: ArrayView2<'a, f32>,
    /// Rows that the groups were found on, among those of the space, each with its cluster, or noise.
    own: Vec<(u32, i32)>,
    /// For each row that was held out, its nearest among the own and among the held out.
    held_out: Vec<Lists>,
    /// For each row that was held out the cluster of most of its nearest own rows.
    voted: Vec<i32>,
    /// The places of each cluster's own rows, and of the rows that voted for it, ascending.
    own_of: Vec<Vec<u32>>,
    voted_of: Vec<Vec<u32>>,
    k: usize,
}

struct Lists {
    /// Numbers within `own`, nearest first; noise is not among them.
    own: Vec<u32>,
    /// Numbers within `held_out`, nearest first.
    others: Vec<u32>,
}

/// Edges that cross, as a sum over rows of the share of a row's edges, and the sum of squares of these shares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Crossing {
    sum: f64,
    squares: f64,
}

impl Crossing {
    /// The sum of shares.
    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    fn add(&mut self, share: f64) {
        self.sum += share;
        self.squares += share * share;
    }
}

impl<'a> Boundary<'a> {
    /// `labels` are those of the half that begins at row `own` of the space; the other half begins at row `other`.
    pub(super) fn new(
        space: &'a ArrayRef2<f32>,
        graph: &Neighbors,
        labels: &[i32],
        own: usize,
        other: usize,
        k: usize,
        votes: usize,
    ) -> Self {
        let rows = space.nrows() - labels.len();
        let (mut held_out, mut voted) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for row in other..other + rows {
            let list = graph.indices.row(row);
            let near = list.iter().map(|&near| near as usize).filter(|&near| near != row);
            let mut lists = Lists { own: Vec::with_capacity(votes), others: Vec::with_capacity(k) };
            for near in near {
                match near.checked_sub(own).filter(|&at| at < labels.len()) {
                    Some(at) if labels[at] >= 0 && lists.own.len() < votes => lists.own.push(at as u32),
                    None if lists.others.len() < k => lists.others.push((near - other) as u32),
                    _ => {}
                }
            }
            voted.push(most(lists.own.iter().map(|&at| labels[at as usize])));
            held_out.push(lists);
        }
        spread(&mut voted, &held_out);
        let own = (own as u32..).zip(labels.iter().copied()).collect();
        let (own_of, voted_of) = (by_cluster(labels), by_cluster(&voted));
        Boundary { space: space.view(), own, held_out, voted, own_of, voted_of, k }
    }

    /// Rows of the space that the groups' clusters were found on, and rows that were carried over to them.
    pub(super) fn rows_of(&self, group: &[usize], other: usize) -> (Vec<u32>, Vec<u32>) {
        let own = together(&self.own_of, group).iter().map(|&at| self.own[at as usize].0).collect();
        (own, together(&self.voted_of, group).iter().map(|&at| other as u32 + at).collect())
    }

    /// The cluster of an own row of the space.
    pub(super) fn label(&self, row: u32) -> i32 {
        self.own.first().and_then(|&(first, _)| self.own.get((row - first) as usize)).map_or(crate::NOISE, |own| own.1)
    }

    /// For each two groups the edges from rows of the first to rows of the second, groups x groups.
    pub(super) fn crossings(&self, groups: &[Vec<usize>], clusters: usize) -> Vec<Crossing> {
        let of = group_of(groups, clusters);
        let mut crossings = vec![Crossing::default(); groups.len() * groups.len()];
        let mut counts = vec![0usize; groups.len()];
        for (lists, &voted) in self.held_out.iter().zip(&self.voted) {
            let Some(from) = of(voted) else { continue };
            counts.fill(0);
            for to in lists.others.iter().filter_map(|&other| of(self.voted[other as usize])) {
                counts[to] += 1;
            }
            for (to, &edges) in counts.iter().enumerate().filter(|(to, edges)| *to != from && **edges > 0) {
                crossings[from * groups.len() + to].add(edges as f64 / self.k as f64);
            }
        }
        crossings
    }

    /// The edges across the middle of one group, seen from one side: it is cut at the median along its first principal
    /// component.
    pub(super) fn middle(&self, group: &[usize]) -> Crossing {
        let members = together(&self.own_of, group);
        self.first_component(&members).map_or_else(Crossing::default, |direction| self.cut(group, &members, &direction))
    }

    /// The same where it is cut parallel to its boundary with another group: across the line between their means.
    pub(super) fn parallel_middle(&self, group: &[usize], other: &[usize]) -> Crossing {
        let [members, others] = [group, other].map(|group| together(&self.own_of, group));
        let direction: Vec<f64> = self.mean(&others).iter().zip(self.mean(&members)).map(|(a, b)| a - b).collect();
        self.cut(group, &members, &direction)
    }

    fn row(&self, at: u32) -> impl Iterator<Item = f64> {
        self.space.row(self.own[at as usize].0 as usize).into_iter().map(|&x| f64::from(x))
    }

    fn mean(&self, members: &[u32]) -> Vec<f64> {
        let mut mean = vec![0.0; self.space.ncols()];
        for &at in members {
            mean.iter_mut().zip(self.row(at)).for_each(|(sum, x)| *sum += x);
        }
        let n = members.len().max(1) as f64;
        mean.iter_mut().for_each(|sum| *sum /= n);
        mean
    }

    fn first_component(&self, members: &[u32]) -> Option<Vec<f64>> {
        let (d, mean) = (self.space.ncols(), self.mean(members));
        let mut covariance = vec![0.0; d * d];
        for &at in members {
            let centred: Vec<f64> = self.row(at).zip(&mean).map(|(x, m)| x - m).collect();
            for i in 0..d {
                for j in 0..=i {
                    covariance[i * d + j] += centred[i] * centred[j];
                }
            }
        }
        Some(linalg::largest(&covariance, d, 1)?.vectors)
    }

    /// The edges across a cut at the median along a direction. Rows that were held out take the side of most of their
    /// nearest own rows.
    fn cut(&self, group: &[usize], members: &[u32], direction: &[f64]) -> Crossing {
        let along = |at: u32| self.row(at).zip(direction).map(|(x, w)| x * w).sum::<f64>();
        let mut scores: Vec<(f64, u32)> = members.iter().map(|&at| (along(at), at)).collect();
        scores.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut sides = vec![None; self.own.len()];
        for (place, &(_, at)) in scores.iter().enumerate() {
            sides[at as usize] = Some(i32::from(2 * place >= scores.len()));
        }
        let voted = together(&self.voted_of, group);
        let mut side = vec![None; self.held_out.len()];
        for &row in &voted {
            let most = most(self.held_out[row as usize].own.iter().filter_map(|&at| sides[at as usize]));
            side[row as usize] = (most >= 0).then_some(most);
        }
        let mut crossing = Crossing::default();
        for row in voted {
            let Some(own) = side[row as usize] else { continue };
            let crossed = self.held_out[row as usize]
                .others
                .iter()
                .filter(|&&other| side[other as usize] == Some(1 - own))
                .count();
            if crossed > 0 {
                crossing.add(crossed as f64 / self.k as f64);
            }
        }
        // Both sides were counted.
        Crossing { sum: crossing.sum / 2.0, squares: crossing.squares / 4.0 }
    }
}

/// The places of each cluster, ascending.
fn by_cluster(labels: &[i32]) -> Vec<Vec<u32>> {
    let clusters = labels.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
    let mut places = vec![Vec::new(); clusters];
    for (place, &label) in labels.iter().enumerate().filter(|(_, label)| **label >= 0) {
        places[label as usize].push(place as u32);
    }
    places
}

/// The places of all clusters of a group, ascending.
fn together(places: &[Vec<u32>], group: &[usize]) -> Vec<u32> {
    let mut all: Vec<u32> = group.iter().filter_map(|&cluster| places.get(cluster)).flatten().copied().collect();
    if group.len() > 1 {
        all.sort_unstable();
    }
    all
}

/// The label that occurs most often, of equally many the lower; noise where there is none.
fn most(labels: impl Iterator<Item = i32>) -> i32 {
    let mut labels: Vec<i32> = labels.collect();
    labels.sort_unstable();
    let runs = labels.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| (run.len(), std::cmp::Reverse(run[0]))).map_or(crate::NOISE, |run| run[0])
}

/// Rows near to nothing but noise take the label of most of their neighbours that have one, those next to them thereafter.
fn spread(voted: &mut Vec<i32>, held_out: &[Lists]) {
    loop {
        let label = |(lists, &label): (&Lists, &i32)| {
            if label >= 0 {
                return label;
            }
            most(lists.others.iter().map(|&other| voted[other as usize]).filter(|&label| label >= 0))
        };
        let next: Vec<i32> = held_out.iter().zip(voted.iter()).map(label).collect();
        if next == *voted {
            return;
        }
        *voted = next;
    }
}

/// The group of a cluster.
fn group_of(groups: &[Vec<usize>], clusters: usize) -> impl Fn(i32) -> Option<usize> {
    let mut of = vec![None; clusters];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|&cluster| of[cluster] = Some(number));
    }
    move |label| usize::try_from(label).ok().and_then(|label| of[label])
}

/// How much emptier the boundary is than the middle of a group, in standard errors, each row counting as one observation.
/// Half an edge is added to the variance, so that a few rows prove nothing.
pub(super) fn score(crossing: Crossing, middle: Crossing) -> f64 {
    (middle.sum - crossing.sum) / (middle.squares + crossing.squares + 0.5).sqrt()
}

/// The probability of a standard normal value above `z`.
pub(super) fn upper_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Edges across the boundary for each edge across the middle.
pub(super) fn ratio(crossing: Crossing, middle: Crossing) -> f64 {
    crossing.sum / middle.sum.max(0.5)
}
