//! One column in bins: what its bins are, and which bin each row is in.

/// A column with more than this share of its rows outside its default bin, in fifths, is a dense one.
const MOST_OUTSIDE: usize = 2;

/// What is known of one column.
#[derive(Clone, Debug, Default)]
pub(in crate::boost) struct Column {
    /// Its first slot in a histogram; it uses `bins` slots.
    pub(in crate::boost) first: usize,
    /// Slots to clear and to subtract: those in use, or all that are its own where neighbours then join.
    pub(in crate::boost) width: usize,
    /// Bins in all, the one of missing values included; 0 where the column cannot split anything.
    pub(in crate::boost) bins: usize,
    /// Upper ends of the bins of values, each excluded from its bin: bin b holds cuts\[b - 1\] <= x < cuts\[b\]. Of a
    /// categorical column the categories, one for each bin, ascending.
    pub(in crate::boost) cuts: Vec<f32>,
    /// Whether values are categories.
    pub(in crate::boost) categorical: bool,
    /// Bin that most rows are in.
    pub(in crate::boost) default: u8,
    /// Whether the column is held as a dense one.
    pub(in crate::boost) dense: bool,
}

impl Column {
    /// Whether the last bin is that of missing values.
    pub(in crate::boost) fn has_missing(&self) -> bool {
        self.bins > self.cuts.len()
    }

    /// The bin of a value.
    pub(super) fn code(&self, value: f32) -> u8 {
        let values = self.cuts.len();
        if value.is_nan() {
            return values as u8;
        }
        if self.categorical {
            return self.cuts.partition_point(|&category| category < value) as u8;
        }
        self.cuts[..values.saturating_sub(1)].partition_point(|&cut| cut <= value) as u8
    }

    /// Decides how the column is held whose rows are in the bins `ids`, and closes it if all rows are in one.
    pub(super) fn store(&mut self, ids: Vec<u8>) -> BinIds {
        if self.bins < 2 {
            self.bins = 0;
            return BinIds::Constant;
        }
        let mut counts = [0usize; 256];
        ids.iter().for_each(|&id| counts[usize::from(id)] += 1);
        // The first of the most frequent ones.
        let most = (0..self.bins).fold(0, |best, b| if counts[b] > counts[best] { b } else { best });
        let outside = ids.len() - counts[most];
        self.default = most as u8;
        self.dense = outside * 5 > ids.len() * MOST_OUTSIDE;
        if outside == 0 {
            self.bins = 0;
            BinIds::Constant
        } else if self.dense {
            BinIds::Dense(ids)
        } else {
            BinIds::Sparse(Sparse::of(&ids, self.default, outside))
        }
    }
}

/// Which bin each row of a column is in.
#[derive(Clone, Debug)]
pub(in crate::boost) enum BinIds {
    /// All rows are in the same bin.
    Constant,
    /// A byte for each row.
    Dense(Vec<u8>),
    /// Most rows are in the default bin.
    Sparse(Sparse),
}

impl BinIds {
    /// The bin of a row.
    pub(in crate::boost) fn id(&self, row: usize) -> u8 {
        match self {
            BinIds::Constant => 0,
            BinIds::Dense(ids) => ids[row],
            BinIds::Sparse(sparse) => sparse.id(row),
        }
    }
}

/// The rows outside a column's default bin: a bit for each row, half a bit for the count up to it, and a byte for each
/// that is outside. A lookup reads little memory, so that of a small node stays in the fastest cache.
#[derive(Clone, Debug)]
pub(in crate::boost) struct Sparse {
    default: u8,
    /// For each row whether it is outside the default bin.
    outside: Vec<u64>,
    /// How many rows before each word of `outside` are outside.
    before: Vec<u32>,
    /// Bins of the rows that are outside, and one more byte, so that a count never leads past the end.
    ids: Vec<u8>,
}

impl Sparse {
    fn of(all: &[u8], default: u8, count: usize) -> Self {
        let mut ids = Vec::with_capacity(count + 1);
        let words = all.len().div_ceil(64);
        let (mut outside, mut before) = (Vec::with_capacity(words), Vec::with_capacity(words));
        for rows in all.chunks(64) {
            before.push(ids.len() as u32);
            outside.push(rows.iter().rev().fold(0, |word, &id| word << 1 | u64::from(id != default)));
            ids.extend(rows.iter().filter(|&&id| id != default));
        }
        ids.push(default);
        Sparse { default, outside, before, ids }
    }

    /// The bin of a row.
    #[inline(always)]
    pub(in crate::boost) fn id(&self, row: usize) -> u8 {
        let (word, bit) = (self.outside[row / 64], 1u64 << (row % 64));
        let place = self.before[row / 64] + (word & (bit - 1)).count_ones();
        // Read in either case: nobody can foretell which it is.
        let id = self.ids[place as usize];
        if word & bit != 0 { id } else { self.default }
    }

    /// Calls `visit(row, bin)` for the rows outside the default bin among 64 x `words`, ascending.
    #[inline(always)]
    pub(in crate::boost) fn visit(&self, words: std::ops::Range<usize>, mut visit: impl FnMut(usize, u8)) {
        let first = words.start;
        let Some(&before) = self.before.get(first) else { return };
        let mut ids = &self.ids[before as usize..];
        for (at, &word) in self.outside[words].iter().enumerate() {
            let (own, later) = ids.split_at(word.count_ones() as usize);
            ids = later;
            let mut word = word;
            for &id in own {
                visit((first + at) * 64 + word.trailing_zeros() as usize, id);
                word &= word - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_in_the_bins_that_they_were_put_into() {
        for n in [2, 63, 64, 65, 128, 1000] {
            let ids: Vec<u8> = (0..n).map(|i| if i * 7 % 5 == 3 { (i % 3) as u8 } else { 1 }).collect();
            let mut column = Column { bins: 3, ..Column::default() };
            let stored = column.store(ids.clone());
            match &stored {
                BinIds::Sparse(sparse) => {
                    assert!((0..n).all(|row| sparse.id(row) == ids[row]), "{n}");
                    for first in 0..n.div_ceil(64) {
                        let mut seen = Vec::new();
                        sparse.visit(first..n.div_ceil(64), |row, id| seen.push((row, id)));
                        let outside: Vec<_> = (first * 64..n).map(|i| (i, ids[i])).filter(|&(_, id)| id != 1).collect();
                        assert_eq!(seen, outside);
                    }
                }
                BinIds::Dense(all) => assert_eq!(all, &ids),
                BinIds::Constant => assert!(ids.iter().all(|&id| id == 1)),
            }
            assert_eq!(matches!(stored, BinIds::Sparse(_)), n > 3 && !column.dense);
        }
    }

    #[test]
    fn what_is_held_depends_on_how_many_are_outside() {
        let store = |outside: usize| {
            let mut column = Column { bins: 2, ..Column::default() };
            let stored = column.store((0..10).map(|i| u8::from(i < outside)).collect());
            (stored, column)
        };
        assert!(matches!(store(0), (BinIds::Constant, Column { bins: 0, .. })));
        assert!(matches!(store(4), (BinIds::Sparse(_), Column { default: 0, dense: false, bins: 2, .. })));
        assert!(matches!(store(5), (BinIds::Dense(_), Column { default: 0, dense: true, .. })));
        assert!(matches!(store(6), (BinIds::Sparse(_), Column { default: 1, dense: false, .. })));
    }
}
