//! A binned column, and the bin ids of its rows.

/// A column is dense if more than this many fifths of its rows are outside its default bin.
const MOST_OUTSIDE: usize = 2;

/// A column and its bins.
#[derive(Clone, Debug, Default)]
pub(in crate::boost) struct Column {
    /// Its first slot in a histogram; it uses `bins` slots.
    pub(in crate::boost) first: usize,
    /// Slots to clear and to subtract: those in use, or all 256 where ranges of neighbouring columns can then be merged.
    pub(in crate::boost) width: usize,
    /// Number of bins, that of missing values included; 0 for a column that cannot be split on.
    pub(in crate::boost) bins: usize,
    /// Upper bounds of the bins, exclusive: bin b contains cuts\[b - 1\] <= x < cuts\[b\]. For a categorical column the
    /// categories, one for each bin, ascending.
    pub(in crate::boost) cuts: Vec<f32>,
    /// Whether the values are categories.
    pub(in crate::boost) categorical: bool,
    /// The most frequent bin.
    pub(in crate::boost) default: u8,
    /// Whether the column is stored as a dense one.
    pub(in crate::boost) dense: bool,
}

impl Column {
    /// Whether the last bin is that of missing values.
    pub(in crate::boost) fn has_missing(&self) -> bool {
        self.bins > self.cuts.len()
    }

    /// A value of a bin other than that of missing ones: its category, or its lowest number.
    pub(in crate::boost) fn value(&self, bin: usize) -> f32 {
        match bin.checked_sub(1) {
            _ if self.categorical => self.cuts[bin],
            None => f32::MIN,
            Some(below) => self.cuts[below],
        }
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

    /// Decides how the bin ids are stored; a column whose rows share one bin gets no bins.
    pub(super) fn store(&mut self, ids: Vec<u8>) -> BinIds {
        if self.bins < 2 {
            self.bins = 0;
            return BinIds::Constant;
        }
        let mut counts = [0usize; 256];
        ids.iter().for_each(|&id| counts[usize::from(id)] += 1);
        // The lowest of the most frequent.
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

/// Bin ids of a column's rows.
#[derive(Clone, Debug)]
pub(in crate::boost) enum BinIds {
    /// All rows are in the same bin.
    Constant,
    /// One byte for each row.
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

/// The rows outside a column's default bin: a bit vector with rank counts (half a bit for each row), and one byte for each
/// row outside. A lookup reads little memory, so lookups of a small node stay in the L1 cache.
#[derive(Clone, Debug)]
pub(in crate::boost) struct Sparse {
    default: u8,
    /// One bit for each row, set where it is outside the default bin.
    outside: Vec<u64>,
    /// Number of set bits before each word of `outside`.
    before: Vec<u32>,
    /// Bin ids of the rows outside, and one byte more, so that any rank is a valid index.
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
        // Read in either case: the branch is unpredictable.
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
