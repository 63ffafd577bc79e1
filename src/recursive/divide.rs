//! The rows of a node among its children.

use super::grow::Found;
use super::judge::Move;
use super::weights::Weights;
use super::{Node, NodeInfo, Split, Stability};
use crate::{Clustering, Embedded, NOISE};
use ndarray::Axis;
use std::cmp::Reverse;

/// For each cluster the number of its group.
fn group_of(groups: &[Vec<usize>], clusters: usize) -> Vec<Option<usize>> {
    let mut group_of = vec![None; clusters];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|&cluster| group_of[cluster] = Some(number));
    }
    group_of
}

/// For each row the number of its cluster's group.
fn groups_of_rows(groups: &[Vec<usize>], clustering: &Clustering) -> Vec<Option<usize>> {
    let group_of = group_of(groups, clustering.clusters());
    let group = |&label: &i32| usize::try_from(label).ok().and_then(|label| group_of[label]);
    clustering.labels().iter().map(group).collect()
}

/// How stable each group of clusters is.
pub(super) fn stability(
    groups: &[Vec<usize>],
    clustering: &Clustering,
    runs: &[Vec<i32>],
    share: f64,
) -> Vec<Option<Stability>> {
    let labels: Vec<i32> =
        groups_of_rows(groups, clustering).iter().map(|group| group.map_or(NOISE, |g| g as i32)).collect();
    let joined: Vec<bool> = groups.iter().map(|group| group.len() > 1).collect();
    Stability::of(&labels, &joined, runs, share)
}

/// Checks that moves are of rows that are there, each once, to groups that are there, and leave no group without rows.
pub(super) fn check_moves(
    moves: &[Move],
    clustering: &Clustering,
    groups: &[Vec<usize>],
) -> std::result::Result<(), String> {
    if moves.is_empty() {
        return Ok(());
    }
    let mut group = groups_of_rows(groups, clustering);
    let rows = group.len();
    let mut seen = vec![false; rows];
    for one in moves {
        let sound = one.row < rows && one.to < groups.len() && (0.0..=1.0).contains(&one.membership);
        if !sound || std::mem::replace(&mut seen[one.row], true) {
            return Err(format!("of {rows} rows among {} children, {one:?}", groups.len()));
        }
        group[one.row] = Some(one.to);
    }
    match (0..groups.len()).find(|number| !group.contains(&Some(*number))) {
        Some(empty) => Err(format!("it moved all rows out of child {empty}")),
        None => Ok(()),
    }
}

impl Node {
    /// Records what was found, and gives the children. `place[i]` is the place of row i in canonical order.
    pub(super) fn take(&mut self, found: Found, place: &[usize], weights: Option<&Weights<'_>>) -> Vec<Node> {
        if let Some(Embedded { embedding, map, notes }) = found.embedded {
            self.embedding = Some(embedding.select(Axis(0), place));
            self.map = map.map(|map| map.select(Axis(0), place));
            self.notes = notes;
        }
        self.notes.extend(found.note);
        self.stop_reason = found.stop_reason;
        let Some(proposed) = found.clustering else { return Vec::new() };
        let clusters = proposed.clusters();
        let (groups, moves) = if self.stop_reason.is_none() { (found.groups, found.moves) } else { Default::default() };
        let mut group = groups_of_rows(&groups, &proposed);
        let mut membership = proposed.membership().to_vec();
        for one in &moves {
            (group[one.row], membership[one.row]) = (Some(one.to), one.membership);
        }
        let members = Members { group, membership, place };
        let (children, child_of) = self.divide(&proposed, &groups, &members, &found.stability, weights);
        // With a child for each cluster, and every row in its own, labels and children say it all.
        let said = groups.len() == clusters && clusters > 1 && moves.is_empty();
        self.split = Some(Split {
            children: child_of,
            runs: found.runs,
            judge: found.judge,
            reason: found.reason,
            separations: found.separations,
            moved: moves.len(),
            clustering: (!said).then(|| proposed.select(place)),
            noise: None,
            second_look: None,
        });
        children
    }

    /// The children, a group of clusters each, and for each cluster the child's number.
    fn divide(
        &mut self,
        proposed: &Clustering,
        groups: &[Vec<usize>],
        rows: &Members<'_>,
        stability: &[Option<Stability>],
        weights: Option<&Weights<'_>>,
    ) -> (Vec<Node>, Vec<Option<u32>>) {
        if groups.is_empty() {
            return (Vec::new(), vec![None; proposed.clusters()]);
        }
        let mut members = vec![Vec::new(); groups.len()];
        for i in 0..self.rows.len() {
            if let Some(group) = rows.group[rows.place[i]] {
                members[group].push(i);
            }
        }
        // Children are numbered from the largest; ties go to the one with the first row in canonical order.
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&g| (Reverse(members[g].len()), members[g].iter().map(|&i| rows.place[i]).min()));
        self.labels = vec![NOISE; self.rows.len()];
        self.children = order.len() as u32;
        let mut child_of = vec![None; proposed.clusters()];
        let child = |(number, &group): (u32, &usize)| {
            members[group].iter().for_each(|&i| self.labels[i] = number as i32);
            groups[group].iter().for_each(|&cluster| child_of[cluster] = Some(number));
            let own: Vec<u32> = members[group].iter().map(|&i| self.rows[i]).collect();
            let membership = members[group].iter().map(|&i| rows.membership[rows.place[i]]).collect();
            let persistence = match groups[group][..] {
                [cluster] => proposed.persistence().map(|all| all[cluster]),
                _ => None,
            };
            let (path, total_rows) = (self.path.child(number), self.total_rows);
            let info = NodeInfo { path, rows: own.len(), parent_rows: self.rows.len(), total_rows };
            let weight = weights.map(|weights| weights.share(&own));
            let stability = stability.get(group).copied().flatten();
            Node { weight, stability, ..Node::open(info, own, membership, persistence) }
        };
        let children = (0..).zip(&order).map(child).collect();
        (children, child_of)
    }
}

/// Where the rows of a node go, in canonical order.
struct Members<'a> {
    /// For each row the group of clusters whose child it goes to.
    group: Vec<Option<usize>>,
    membership: Vec<f32>,
    /// For each row of the node its place in canonical order.
    place: &'a [usize],
}
