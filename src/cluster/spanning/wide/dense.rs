//! The spanning tree of few wide rows, from all their distances at once.
//!
//! Below some two thousand rows no bound pays: each pair is measured once, exactly, sixteen at a time, and kept. Core
//! distances are then a selection in each row of the table, and the tree is grown vertex by vertex (Prim 1957, "Shortest
//! connection networks and some generalizations"), by (weight, distance, lower end, upper end), which tells any two edges
//! apart: one tree is the lightest.

use crate::cluster::spanning::core_distance::Ask;
use crate::cluster::spanning::kdtree::{CAP, larger};
use crate::cluster::spanning::norm::{Absolutes, Add, Largest, Norm, Squares};
use crate::cluster::spanning::tree::Edges;
use crate::core::{Result, Run, Stage, parallel, simd};

/// Most points that are taken: their table has 17 MB.
pub(crate) const MOST: usize = 2048;

/// Raw values of all pairs: for each panel of [`CAP`] points those against every point up to the panel's last.
struct Table(Vec<Vec<[f64; CAP]>>);

impl Table {
    fn new<'a>(
        points: usize,
        point: impl Fn(usize) -> &'a [f32] + Sync + Send,
        norm: Norm,
        stage: &Stage<'_>,
    ) -> Result<Self> {
        // The last panels are the longest strips: begun first, none is waited for at the end.
        let panels = points.div_ceil(CAP);
        let strips = parallel::map(panels, |i| {
            stage.check()?;
            let first = (panels - 1 - i) * CAP;
            let members: Vec<&[f32]> = (first..(first + CAP).min(points)).map(&point).collect();
            let mut panel = vec![[0.0f32; CAP]; members[0].len()];
            for (lane, member) in members.iter().enumerate() {
                panel.iter_mut().zip(*member).for_each(|(column, &x)| column[lane] = x);
            }
            let mut strip = vec![[0.0; CAP]; first + members.len()];
            for (pair, out) in strip.chunks_mut(2).enumerate() {
                let (a, b) = (2 * pair, (2 * pair + 1).min(first + members.len() - 1));
                measure(norm, &panel, point(a), point(b), out);
            }
            Ok(strip)
        });
        Ok(Table(strips.into_iter().rev().collect::<Result<_>>()?))
    }

    /// Raw value between two points.
    #[inline(always)]
    fn of(&self, a: usize, b: usize) -> f64 {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        self.0[high / CAP][low][high % CAP]
    }

    /// Raw values between a point and all points, itself included.
    fn row(&self, a: usize, points: usize, out: &mut Vec<f64>) {
        out.clear();
        let own = &self.0[a / CAP];
        out.extend(own.iter().map(|lanes| lanes[a % CAP]));
        out.extend(self.0[a / CAP + 1..].iter().flat_map(|strip| strip[a]));
        out.truncate(points);
    }
}

#[inline(always)]
fn sums<N: Add>(panel: &[[f32; CAP]], a: &[f32], b: &[f32]) -> [[f64; CAP]; 2] {
    let (mut to_a, mut to_b) = ([0.0; CAP], [0.0; CAP]);
    for ((column, &x), &y) in panel.iter().zip(a).zip(b) {
        let (x, y) = (f64::from(x), f64::from(y));
        for lane in 0..CAP {
            to_a[lane] = N::add(to_a[lane], f64::from(column[lane]) - x);
        }
        for lane in 0..CAP {
            to_b[lane] = N::add(to_b[lane], f64::from(column[lane]) - y);
        }
    }
    [to_a, to_b]
}

simd::multiversion! {
    widest:
    /// Raw values of a panel's points to two others, or to one where `out` takes no more: sums run over the columns in
    /// order, as everywhere in this room.
    fn measure(norm: Norm, panel: &[[f32; CAP]], a: &[f32], b: &[f32], out: &mut [[f64; CAP]]) {
        let both = match norm {
            Norm::Squares => sums::<Squares>(panel, a, b),
            Norm::Absolutes => sums::<Absolutes>(panel, a, b),
            Norm::Largest => sums::<Largest>(panel, a, b),
        };
        out.iter_mut().zip(both).for_each(|(out, sums)| *out = sums);
    }
}

/// Raw weights of the tree's edges with their ends, and raw core distances, of at least two points.
pub(crate) fn spanning_tree<'a>(
    points: usize,
    point: impl Fn(usize) -> &'a [f32] + Sync + Send,
    norm: Norm,
    ask: &Ask<'_>,
    run: &Run,
) -> Result<(Edges, Vec<f64>)> {
    let stage = run.stage("core distances", points);
    let table = Table::new(points, point, norm, &stage)?;
    let core = parallel::map_ranges(points, 64, |range| {
        let mut row = Vec::new();
        range.map(|a| core_distance(&table, a, points, ask, &mut row)).collect::<Vec<_>>()
    })
    .concat();
    stage.step(points)?;
    drop(stage);
    let stage = run.stage("spanning tree", points - 1);
    let edges = grow(&table, &core);
    stage.step(points - 1)?;
    Ok((edges, core))
}

fn core_distance(table: &Table, a: usize, points: usize, ask: &Ask<'_>, row: &mut Vec<f64>) -> f64 {
    table.row(a, points, row);
    let mut others: Vec<(f64, u32)> = (0..).zip(row.iter()).map(|(b, &raw)| (raw, b)).collect();
    others.swap_remove(a);
    let by = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    let k = ask.k.clamp(1, others.len());
    others.select_nth_unstable_by(k - 1, by);
    let nearest = &mut others[..k];
    nearest.sort_unstable_by(by);
    ask.core(a as u32, nearest, |point| point)
}

/// The lightest edge into the tree of a point outside.
#[derive(Clone, Copy)]
struct Candidate {
    weight: f64,
    raw: f64,
    point: u32,
    from: u32,
}

impl Candidate {
    #[inline(always)]
    fn is_below(&self, other: &Candidate) -> bool {
        let ends = |candidate: &Candidate| (candidate.point.min(candidate.from), candidate.point.max(candidate.from));
        if self.weight != other.weight {
            self.weight < other.weight
        } else if self.raw != other.raw {
            self.raw < other.raw
        } else {
            ends(self) < ends(other)
        }
    }
}

fn grow(table: &Table, core: &[f64]) -> Edges {
    let candidate = |point: u32, from: u32| {
        let raw = table.of(point as usize, from as usize);
        Candidate { weight: larger(raw, larger(core[point as usize], core[from as usize])), raw, point, from }
    };
    let mut outside: Vec<Candidate> = (1..core.len() as u32).map(|point| candidate(point, 0)).collect();
    let mut edges = Vec::with_capacity(outside.len());
    while !outside.is_empty() {
        let next = (1..outside.len()).fold(0, |best, i| if outside[i].is_below(&outside[best]) { i } else { best });
        let Candidate { weight, point: reached, from, .. } = outside.swap_remove(next);
        edges.push((weight, from, reached));
        for known in &mut outside {
            let new = candidate(known.point, reached);
            if new.is_below(known) {
                *known = new;
            }
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    #[test]
    fn strips_hold_every_pair_once_and_sums_run_in_order() {
        let draws = Stream::new(1, 1);
        for points in [2, 15, 16, 17, 50] {
            let rows: Vec<f32> = (0..points as u64 * 21).map(|at| draws.normal(at) as f32).collect();
            let point = |i: usize| &rows[i * 21..(i + 1) * 21];
            for norm in [Norm::Squares, Norm::Absolutes, Norm::Largest] {
                let table = Table::new(points, point, norm, &Run::new().stage("table", 1)).unwrap();
                let mut row = Vec::new();
                for a in 0..points {
                    table.row(a, points, &mut row);
                    let expected: Vec<f64> = (0..points).map(|b| norm.measure(point(a), point(b))).collect();
                    assert_eq!(row, expected);
                    assert!((0..points).filter(|&b| b != a).all(|b| table.of(a, b) == expected[b]));
                }
            }
        }
    }
}
