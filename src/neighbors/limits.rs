//! Which pairs have to be measured.

use crate::core::simd::multiversion;

/// What bounds pairs of points by their swept values: the swept value up to which each may enter a list, and what its
/// sketch leaves over.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) far: Vec<f32>,
    pub(crate) left: Vec<f32>,
}

/// A pair of rows is not measured when its bound comes so near the limit, and goes beyond it with half of what the sketches
/// may leave out: |x - y|² = bound + 2 r(x) r(y) (1 - c), c being the cosine of the left-over parts, for which this takes
/// 1/2. On 70,000 MNIST digits this spares a sixth of the time and no neighbour is lost (recall .9902 both ways). It cannot
/// cost a tight cluster its members: their bounds are far below the limit. Not for points whose `left` is 0.
const NEAR: f32 = 0.7;
const SURPLUS: f32 = 1.0;

/// Pairs that fit a word.
const WORD: usize = 32;

/// One bit for each pair: whether it may enter a list of either.
#[inline(always)]
fn word(values: &[f32; WORD], far: &[f32; WORD], left: &[f32; WORD], own: f32, own_left: f32) -> u32 {
    let mut bits = 0;
    for i in 0..WORD {
        let farthest = if own > far[i] { own } else { far[i] };
        let doubtful = (values[i] > NEAR * farthest) & (values[i] + SURPLUS * own_left * left[i] > farthest);
        bits |= u32::from(!((values[i] > farthest) | doubtful)) << i;
    }
    bits
}

multiversion! {
    /// Bits for the pairs of a point, with its own limit and left-over length, and others.
    fn promising(values: &[f32], far: &[f32], left: &[f32], own: f32, own_left: f32, words: &mut [u32]) {
        let ((values, last_values), (far, last_far), (left, last_left)) =
            (values.as_chunks::<WORD>(), far.as_chunks::<WORD>(), left.as_chunks::<WORD>());
        for (((out, values), far), left) in words.iter_mut().zip(values).zip(far).zip(left) {
            *out = word(values, far, left, own, own_left);
        }
        if let Some(out) = words.get_mut(far.len()) {
            let padded = |last: &[f32]| {
                let mut whole = [0.0; WORD];
                whole[..last.len()].copy_from_slice(last);
                whole
            };
            let bits = word(&padded(last_values), &padded(last_far), &padded(last_left), own, own_left);
            *out = bits & !(u32::MAX << last_far.len());
        }
    }
}

impl Limits {
    /// Of point i, which pairs with the points from number `from` on may enter a list, by the swept `values`.
    pub(crate) fn promising(&self, i: usize, from: usize, values: &[f32], words: &mut Vec<u32>) {
        let (far, left) = (&self.far[from..], &self.left[from..]);
        words.clear();
        words.resize(far.len().div_ceil(WORD), 0);
        promising(&values[..far.len()], far, left, self.far[i], self.left[i], words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;
    use crate::core::simd::Ones;

    #[test]
    fn promising_pairs_are_those_within_a_limit_of_either() {
        let draws = Stream::new(4, 4);
        let some = |purpose: u64, n: usize| -> Vec<f32> {
            (0..n as u64).map(|at| draws.of(purpose).uniform(at) as f32).collect()
        };
        let mut words = vec![u32::MAX; 9];
        for n in [1, 2, 31, 32, 33, 64, 100] {
            let mut limits = Limits { far: some(1, n), left: some(2, n) };
            limits.far[n / 2] = f32::INFINITY;
            let values: Vec<f32> = some(3, n + 16).iter().map(|x| 2.0 * x).collect();
            for i in [0, n / 2, n - 1] {
                for from in [i, i + 1] {
                    let expected = (from..n).filter(|&j| {
                        let (value, far) = (values[j - from], limits.far[i].max(limits.far[j]));
                        value <= far && (value <= NEAR * far || value + limits.left[i] * limits.left[j] <= far)
                    });
                    let expected: Vec<usize> = expected.collect();
                    limits.promising(i, from, &values, &mut words);
                    assert_eq!(Ones::of(&words).map(|at| from + at).collect::<Vec<_>>(), expected);
                }
            }
        }
    }
}
