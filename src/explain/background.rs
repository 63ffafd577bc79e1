//! The hits of a background at one leaf.

/// Hits of the background rows at one leaf.
#[derive(Clone, Debug)]
pub(super) struct HitPatterns {
    /// Distinct patterns of hits, ascending, as many words each as the leaf's hits.
    patterns: Vec<u64>,
    /// Number of background rows of each.
    counts: Vec<f64>,
    pub(super) rows: f64,
}

impl HitPatterns {
    /// Counts the patterns of `n` background rows, of `words` words each; `hits_of(row, hits)` writes those of a row.
    pub(super) fn of(words: usize, n: usize, hits_of: impl Fn(usize, &mut Vec<u64>)) -> Self {
        let (mut all, mut hits) = (Vec::with_capacity(n * words), Vec::new());
        for row in 0..n {
            hits_of(row, &mut hits);
            all.extend_from_slice(&hits);
        }
        let pattern = |row: usize| &all[row * words..(row + 1) * words];
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_unstable_by(|&a, &b| pattern(a).cmp(pattern(b)));
        let (mut patterns, mut counts): (Vec<u64>, Vec<f64>) = (Vec::new(), Vec::new());
        for (i, &row) in order.iter().enumerate() {
            match counts.last_mut() {
                Some(count) if pattern(order[i - 1]) == pattern(row) => *count += 1.0,
                _ => {
                    patterns.extend_from_slice(pattern(row));
                    counts.push(1.0);
                }
            }
        }
        HitPatterns { patterns, counts, rows: n as f64 }
    }

    /// Share of the background rows that reach the leaf.
    pub(super) fn share(&self, d: usize) -> f64 {
        let words = d.div_ceil(64);
        let full = |i: usize| self.patterns[i * words..(i + 1) * words].iter().map(|w| w.count_ones()).sum::<u32>();
        let reached = (0..self.counts.len()).filter(|&i| full(i) as usize == d).map(|i| self.counts[i]);
        reached.sum::<f64>() / self.rows
    }

    /// Calls `take(number of background rows, features hit by the row alone, by these alone)` for each pattern that reaches
    /// the leaf together with the row's hits, except that of the row itself.
    #[inline(always)]
    pub(super) fn for_each_reaching(
        &self,
        hits: &[u64],
        d: usize,
        sides: &mut [Vec<u32>; 2],
        mut take: impl FnMut(f64, &[u32], &[u32]),
    ) {
        for (theirs, &count) in self.patterns.chunks_exact(hits.len().max(1)).zip(&self.counts) {
            let reached: u32 = theirs.iter().zip(hits).map(|(&z, &x)| (z | x).count_ones()).sum();
            if reached as usize != d || theirs == hits {
                continue;
            }
            sides.iter_mut().for_each(Vec::clear);
            for (w, (&z, &x)) in theirs.iter().zip(hits).enumerate() {
                for (side, mut word) in sides.iter_mut().zip([x & !z, z & !x]) {
                    while word != 0 {
                        side.push(64 * w as u32 + word.trailing_zeros());
                        word &= word - 1;
                    }
                }
            }
            take(count, &sides[0], &sides[1]);
        }
    }
}
