//! The k best of each vertex, as sorted lists of packed keys.
//!
//! A key is the distance's bits, the neighbour's number, and one flag: positive floats sort like their bits, ties are
//! broken by number, and the best k of a set are the same in whatever order its members arrive. That is what makes
//! parallel insertion reproducible.

/// A place not yet filled.
pub(crate) const NONE: u64 = u64::MAX;

/// k sorted keys for each vertex.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    pub(crate) k: usize,
    pub(crate) keys: Vec<u64>,
}

/// Packs a distance and a neighbour, flagged as new. Neighbours are below 2^31.
#[inline(always)]
pub(crate) fn pack_key(distance: f32, neighbour: u32) -> u64 {
    (u64::from(distance.to_bits()) << 32) | (u64::from(neighbour) << 1) | 1
}

#[inline(always)]
pub(crate) fn neighbour(key: u64) -> u32 {
    (key as u32) >> 1
}

#[inline(always)]
pub(crate) fn distance(key: u64) -> f32 {
    f32::from_bits((key >> 32) as u32)
}

/// The key with `names[v]` in place of its neighbour v.
pub(crate) fn renamed(key: u64, names: &[u32]) -> u64 {
    if key == NONE { NONE } else { key & !0xffff_fffe | u64::from(names[neighbour(key) as usize]) << 1 }
}

#[inline(always)]
pub(crate) fn is_new(key: u64) -> bool {
    key & 1 == 1
}

/// The distance above which nothing enters the list: infinite until it is full.
#[inline(always)]
pub(crate) fn worst(list: &[u64]) -> f32 {
    match list.last() {
        Some(&NONE) | None => f32::INFINITY,
        Some(&key) => distance(key),
    }
}

/// The distance of a neighbour that is in the list already.
#[inline(always)]
pub(crate) fn known(list: &[u64], vertex: u32) -> Option<f32> {
    list.iter().find(|&&key| neighbour(key) == vertex && key != NONE).map(|&key| distance(key))
}

/// Inserts unless it is there already or too far; true when it was inserted.
#[inline(always)]
pub(crate) fn insert(list: &mut [u64], key: u64) -> bool {
    let k = list.len();
    if k == 0 || key >= list[k - 1] {
        return false;
    }
    // The same neighbour always comes with the same distance, so a copy can only stand right where it would go.
    let at = list.partition_point(|&other| (other >> 1) < (key >> 1));
    if list[at] >> 1 == key >> 1 {
        return false;
    }
    list.copy_within(at..k - 1, at + 1);
    list[at] = key;
    true
}

/// Puts a neighbour that is known to be equal before all others, at distance 0. It takes the place of its own entry, which
/// is anywhere where a metric of one's own has no 0 for equal rows, else that of the last.
pub(crate) fn insert_equal(list: &mut [u64], vertex: u32) {
    let own = list.iter().position(|&key| key != NONE && neighbour(key) == vertex);
    let end = own.map_or(list.len(), |at| at + 1);
    list[..end].rotate_right(usize::from(end > 0));
    if let Some(first) = list.first_mut() {
        *first = pack_key(0.0, vertex);
    }
}

impl Lists {
    pub(crate) fn new(n: usize, k: usize) -> Self {
        Lists { k, keys: vec![NONE; n * k] }
    }

    pub(crate) fn of(&self, vertex: usize) -> &[u64] {
        &self.keys[vertex * self.k..(vertex + 1) * self.k]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_the_best_in_any_order() {
        let keys: Vec<u64> = (0..40u32).map(|i| pack_key(((i * 7) % 13) as f32, i)).collect();
        let mut expected = keys.clone();
        expected.sort_unstable();
        for turn in 0..40 {
            let mut list = vec![NONE; 10];
            for i in 0..40 {
                insert(&mut list, keys[(i * 11 + turn) % 40]);
                assert!(!insert(&mut list, keys[(i * 11 + turn) % 40] & !1), "a copy was let in");
            }
            assert_eq!(list, expected[..10]);
        }
        assert_eq!(worst(&[pack_key(2.0, 1), NONE]), f32::INFINITY);
        assert!(!insert(&mut [], pack_key(0.0, 0)));
        // An equal one is listed once, whether or not it was there.
        let list = [pack_key(1.0, 4), pack_key(2.0, 3), pack_key(f32::MAX, 9)];
        for (vertex, rest) in [(9, [4, 3]), (3, [4, 9]), (7, [4, 3])] {
            let mut list = list;
            insert_equal(&mut list, vertex);
            assert_eq!(list.map(neighbour), [vertex, rest[0], rest[1]]);
            assert_eq!(distance(list[0]), 0.0);
        }
        insert_equal(&mut [], 1);
    }
}
