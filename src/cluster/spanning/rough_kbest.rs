//! Many neighbours of sixteen points at once: gathered by distances in f32, measured in f64 only where the
//! result depends on it.
//!
//! A core distance is one order statistic. Let r be the k-th smallest f32 value and δ more than twice the error of any:
//! whatever is below r (1 − δ) is nearer than the k-th neighbour and whatever is above r (1 + δ) is farther, so only the
//! few in between have to be measured in f64 to find it.

use super::core_distance::Ask;
use super::kdtree::CAP;

/// Twice the error of a sum in f32 over at most 16 columns, and some; see [`super::kdtree`].
const BAND: f64 = 1e-5;
/// What products below the normal range of f32 may lose.
const TINY: f64 = 1e-40;

fn above(x: f32) -> f32 {
    (f64::from(x) * (1.0 + BAND) + TINY) as f32
}

fn below(x: f32) -> f32 {
    (f64::from(x) * (1.0 - BAND) - TINY) as f32
}

fn value(key: u64) -> f32 {
    f32::from_bits((key >> 32) as u32)
}

/// What has been gathered for each of the sixteen.
pub(super) struct RoughKBest {
    k: usize,
    /// Value and position in one number, which sorts like the value.
    keys: Vec<Vec<u64>>,
    /// A candidate matters only if its value is below this.
    pub(super) limit: [f32; CAP],
}

impl RoughKBest {
    pub(super) fn new(k: usize) -> Self {
        let room = || Vec::with_capacity(2 * k + CAP);
        RoughKBest { k, keys: (0..CAP).map(|_| room()).collect(), limit: [f32::INFINITY; CAP] }
    }

    pub(super) fn clear(&mut self) {
        self.keys.iter_mut().for_each(Vec::clear);
        self.limit = [f32::INFINITY; CAP];
    }

    /// Takes the lanes whose value is below the limit, the excluded lane apart.
    #[inline(always)]
    pub(super) fn offer(&mut self, query: usize, values: &[f32; CAP], first: u32, but: usize) {
        let limit = self.limit[query];
        let mut mask = 0u32;
        for lane in 0..CAP {
            mask |= u32::from(values[lane] < limit) << lane;
        }
        if but < CAP {
            mask &= !(1 << but);
        }
        let keys = &mut self.keys[query];
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            keys.push(u64::from(values[lane].to_bits()) << 32 | (u64::from(first) + lane as u64));
        }
        if keys.len() > 2 * self.k {
            self.shrink(query);
        }
    }

    /// Keeps the k nearest and what cannot be told from the last of them.
    #[inline(never)]
    fn shrink(&mut self, query: usize) {
        let keys = &mut self.keys[query];
        let (_, &mut kth, _) = keys.select_nth_unstable(self.k - 1);
        let limit = above(value(kth));
        keys.retain(|&key| value(key) <= limit);
        // Strictly above all that is kept, so that a limit of zero keeps zeros too.
        self.limit[query] = f32::from_bits(limit.to_bits() + 1);
    }

    /// The core distance (raw) of a point, and its `ask.width` nearest positions in `list`; there must be k.
    pub(super) fn finish(
        &mut self,
        query: usize,
        id: u32,
        ask: &Ask<'_>,
        exact: impl Fn(u32) -> f64,
        id_of: impl Fn(u32) -> u32,
        list: &mut [u32],
    ) -> f64 {
        let keys = &mut self.keys[query];
        let measured = |keys: &[u64]| {
            let mut all: Vec<(f64, u32)> = keys.iter().map(|&key| (exact(key as u32), key as u32)).collect();
            all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            all
        };
        let nth_value = |keys: &mut [u64], count: usize| {
            let (_, &mut last, _) = keys.select_nth_unstable(count - 1);
            value(last)
        };
        if ask.weights.is_some() || ask.others == 0 {
            let count = self.k.min(keys.len());
            let limit = above(nth_value(keys, count));
            keys.retain(|&key| value(key) <= limit);
            let mut all = measured(keys);
            all.truncate(self.k);
            list.iter_mut().zip(&all).for_each(|(slot, found)| *slot = found.1);
            return ask.core(id, &all, id_of);
        }
        let width = list.len().min(keys.len());
        let limit = above(nth_value(keys, width));
        let nearest: Vec<u64> = keys.iter().copied().filter(|&key| value(key) <= limit).collect();
        list.iter_mut().zip(measured(&nearest)).for_each(|(slot, found)| *slot = found.1);
        let count = ask.others.min(keys.len());
        let kth = nth_value(keys, count);
        let (low, high) = (below(kth), above(kth));
        let before = keys.iter().filter(|&&key| value(key) < low).count();
        let band: Vec<u64> = keys.iter().copied().filter(|&key| (low..=high).contains(&value(key))).collect();
        measured(&band)[count - 1 - before].0
    }
}
