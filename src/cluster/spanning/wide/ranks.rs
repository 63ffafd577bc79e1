//! Pairs of blocks in an order, without a list of them: of millions of points that would be by far the largest thing in
//! memory.
//!
//! Keys at given ranks are found as a radix sort would, sixteen bits a pass and only where a rank asked for lies; as soon
//! as few pairs are left that share a beginning, these are listed and sorted.

use crate::core::{Result, Stage, parallel};

/// Pairs that share the beginning of a key from which on they are listed.
const FEW: u64 = 1 << 18;
/// Bits that a pass determines.
const DIGIT: u32 = 16;
/// Pieces that a pass is cut into: each has its own counts.
const PIECES: usize = 16;

/// A pair's place in the order: what comes first is compared first.
pub(super) fn key(first: u64, i: usize, j: usize) -> u128 {
    u128::from(first) << 64 | (i as u128) << 32 | j as u128
}

/// A rank on its way to its key.
#[derive(Clone, Copy)]
struct Sought {
    /// The bits of the key that are known, and their number, from the highest on.
    beginning: u128,
    known: u32,
    /// Its rank among the keys of that beginning, and the number of these.
    rank: u64,
    left: u64,
}

impl Sought {
    fn is_beginning_of(&self, key: u128) -> bool {
        self.known == 0 || (key ^ self.beginning) >> (128 - self.known) == 0
    }
}

/// The keys at some ranks, counted from 0, among those of all pairs i <= j below `count`. `first` gives the number that
/// a pair's key begins with. Memory does not grow with the pairs.
pub(super) fn at(
    ranks: &[u64],
    count: usize,
    first: impl Fn(usize, usize) -> u64 + Sync,
    stage: &Stage<'_>,
) -> Result<Vec<u128>> {
    let pairs = count as u64 * (count as u64 + 1) / 2;
    let mut sought: Vec<Sought> =
        ranks.iter().map(|&rank| Sought { beginning: 0, known: 0, rank, left: pairs }).collect();
    // Rows of the triangle are of unlike length: each piece takes every so many-th.
    let each = |piece: usize, take: &mut dyn FnMut(u128)| -> Result<()> {
        for i in (piece..count).step_by(PIECES) {
            stage.check()?;
            (i..count).for_each(|j| take(key(first(i, j), i, j)));
        }
        Ok(())
    };
    while sought.iter().any(|s| s.left > FEW) {
        let wide: Vec<usize> = (0..sought.len()).filter(|&s| sought[s].left > FEW).collect();
        let counted = parallel::map(PIECES, |piece| {
            let mut counts = vec![vec![0u64; 1 << DIGIT]; wide.len()];
            each(piece, &mut |key| {
                for (counts, &s) in counts.iter_mut().zip(&wide) {
                    if sought[s].is_beginning_of(key) {
                        counts[(key >> (128 - DIGIT - sought[s].known)) as usize & ((1 << DIGIT) - 1)] += 1;
                    }
                }
            })?;
            Ok(counts)
        });
        let counted = counted.into_iter().collect::<Result<Vec<_>>>()?;
        for (place, &s) in wide.iter().enumerate() {
            let sought = &mut sought[s];
            for digit in 0..1usize << DIGIT {
                let here: u64 = counted.iter().map(|counts| counts[place][digit]).sum();
                if sought.rank < here {
                    sought.known += DIGIT;
                    sought.beginning |= (digit as u128) << (128 - sought.known);
                    sought.left = here;
                    break;
                }
                sought.rank -= here;
            }
        }
    }
    let listed = parallel::map(PIECES, |piece| {
        let mut lists = vec![Vec::new(); sought.len()];
        each(piece, &mut |key| {
            for (list, _) in lists.iter_mut().zip(&sought).filter(|(_, sought)| sought.is_beginning_of(key)) {
                list.push(key);
            }
        })?;
        Ok(lists)
    });
    let listed = listed.into_iter().collect::<Result<Vec<_>>>()?;
    let found = sought.iter().enumerate().map(|(s, sought)| {
        let mut list: Vec<u128> = listed.iter().flat_map(|lists| &lists[s]).copied().collect();
        list.sort_unstable();
        list.get(sought.rank as usize).copied().unwrap_or(u128::MAX)
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Run;
    use crate::core::random::mix;

    #[test]
    fn keys_at_ranks_are_those_of_the_sorted_list() {
        let run = Run::new();
        let stage = run.stage("pairs", 1);
        // More pairs than are listed at once; keys that differ early, late, and in the pair alone.
        type First = fn(usize, usize) -> u64;
        let kinds: [First; 4] = [
            |i, j| mix((i * 1009 + j) as u64),
            |i, j| mix((i * 1009 + j) as u64) >> 40,
            |_, _| 7,
            |i, j| if (i + j) % 3 == 0 { u64::MAX } else { (i as u64) << 50 },
        ];
        for (count, first) in [1, 2, 40, 900].into_iter().flat_map(|count| kinds.map(|first| (count, first))) {
            let mut all: Vec<u128> = (0..count).flat_map(|i| (i..count).map(move |j| key(first(i, j), i, j))).collect();
            all.sort_unstable();
            let last = all.len() as u64 - 1;
            let ranks = [0, last / 16, last / 2, last];
            assert_eq!(at(&ranks, count, first, &stage).unwrap(), ranks.map(|rank| all[rank as usize]), "{count}");
        }
    }
}
