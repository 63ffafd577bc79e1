//! The k nearest of each of sixteen points, gathered as candidates come.

use super::kdtree::{CAP, NONE, larger, screen};

/// The k nearest so far of each of a panel's sixteen points.
///
/// Up to [`KBest::SORTED`] they are kept sorted; beyond, in a buffer of twice k that is halved by selection, so that
/// large k costs no more than a constant for each candidate.
pub(super) struct KBest {
    k: usize,
    room: usize,
    found: Vec<(f64, u32)>,
    len: [usize; CAP],
    /// A candidate matters only if nearer than this.
    pub(super) bound: [f64; CAP],
    /// The same for distances in f32; see [`screen`].
    pub(super) limit: [f32; CAP],
}

impl KBest {
    /// Most that are kept sorted.
    pub(super) const SORTED: usize = 32;

    pub(super) fn new(k: usize) -> Self {
        let room = if k <= Self::SORTED { k } else { 2 * k };
        KBest {
            k,
            room,
            found: vec![(f64::INFINITY, NONE); room * CAP],
            len: [0; CAP],
            bound: [f64::INFINITY; CAP],
            limit: [f32::INFINITY; CAP],
        }
    }

    pub(super) fn clear(&mut self) {
        self.found.fill((f64::INFINITY, NONE));
        self.len = [0; CAP];
        self.bound = [f64::INFINITY; CAP];
        self.limit = [f32::INFINITY; CAP];
    }

    /// Takes the panel's points that are nearer than the bound, the excluded lane apart.
    #[inline(always)]
    pub(super) fn offer(&mut self, query: usize, squared: &[f64; CAP], ids: &[u32; CAP], but: usize) {
        let bound = self.bound[query];
        let mut mask = 0u32;
        for lane in 0..CAP {
            mask |= u32::from(squared[lane] < bound) << lane;
        }
        if but < CAP {
            mask &= !(1 << but);
        }
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.insert(query, squared[lane], ids[lane]);
        }
    }

    /// As [`KBest::offer`], for distances in f32: only what passes the screen is measured, by `exact`.
    #[inline(always)]
    pub(super) fn offer_rough(
        &mut self,
        query: usize,
        rough: &[f32; CAP],
        first: u32,
        but: usize,
        exact: impl Fn(usize) -> f64,
    ) {
        let limit = self.limit[query];
        let mut mask = 0u32;
        for lane in 0..CAP {
            mask |= u32::from(rough[lane] < limit) << lane;
        }
        if but < CAP {
            mask &= !(1 << but);
        }
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.insert(query, exact(lane), first + lane as u32);
        }
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, query: usize, x: f64, id: u32) {
        if x >= self.bound[query] {
            return;
        }
        let found = &mut self.found[query * self.room..(query + 1) * self.room];
        if self.room == self.k {
            let mut at = found.len() - 1;
            while at > 0 && found[at - 1].0 > x {
                found[at] = found[at - 1];
                at -= 1;
            }
            found[at] = (x, id);
            self.bound[query] = found[found.len() - 1].0;
        } else {
            found[self.len[query]] = (x, id);
            self.len[query] += 1;
            if self.len[query] == self.room {
                halve(found, self.k);
                self.len[query] = self.k;
                self.bound[query] = found[..self.k].iter().fold(0.0, |most, f| larger(most, f.0));
            }
        }
        self.limit[query] = screen(self.bound[query]);
    }

    /// The k nearest: the first `sorted` of them in ascending order, the last one the farthest.
    pub(super) fn finish(&mut self, query: usize, sorted: usize) -> &[(f64, u32)] {
        let found = &mut self.found[query * self.room..(query + 1) * self.room];
        if self.room == self.k {
            return found;
        }
        let len = self.len[query];
        let by = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let k = self.k.min(len);
        if k < len {
            found[..len].select_nth_unstable_by(k - 1, by);
        }
        let found = &mut found[..k];
        if sorted >= k {
            found.sort_unstable_by(by);
        } else {
            found.select_nth_unstable_by(sorted, by);
            found[..sorted].sort_unstable_by(by);
            // Selection may have moved the farthest from the end.
            let last = (sorted..k).max_by(|&a, &b| by(&found[a], &found[b])).unwrap_or(k - 1);
            found.swap(last, k - 1);
        }
        found
    }
}

#[inline(never)]
fn halve(found: &mut [(f64, u32)], k: usize) {
    found.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}
