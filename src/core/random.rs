//! Random numbers that depend on what they are for, not on when they are drawn.
//!
//! A counter-based generator is a function of (key, stream, counter): any thread can draw any number at any time and
//! gets the same value, so parallel loops need no shared state and no order. The mixing function is the finaliser of
//! SplitMix64 (Steele, Lea, Flood 2014; constants of Stafford's variant 13), applied twice with the counter spread by
//! the golden ratio in between.

/// Mixes 64 bits so that each input bit flips each output bit with a probability of one half.
#[inline(always)]
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 64 bits that stand for a text: against accidents, not against attacks.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    let word = |chunk: &[u8]| chunk.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
    bytes.chunks(8).fold(mix(bytes.len() as u64), |all, chunk| mix(all ^ word(chunk)))
}

/// A family of independent streams under one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of `key` for one purpose; different purposes never share draws.
    pub(crate) fn new(key: u64, purpose: u64) -> Self {
        Stream { key: mix(mix(key ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(purpose)) }
    }

    /// The sub-stream of one item (a vertex, an epoch, a tree).
    #[inline(always)]
    pub(crate) fn of(self, item: u64) -> Self {
        Stream { key: mix(self.key ^ item.wrapping_mul(0x9e37_79b9_7f4a_7c15)) }
    }

    /// Draw number `counter`, as 64 uniform bits.
    #[inline(always)]
    pub(crate) fn bits(self, counter: u64) -> u64 {
        mix(self.key.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Draw number `counter`, uniform over 0..n (n > 0), by multiplication of the upper 32 bits; n below 2^32.
    #[inline(always)]
    pub(crate) fn below(self, counter: u64, n: usize) -> usize {
        (((self.bits(counter) >> 32) * n as u64) >> 32) as usize
    }

    /// Draw number `counter`, uniform over [0, 1).
    #[inline(always)]
    pub(crate) fn uniform(self, counter: u64) -> f64 {
        (self.bits(counter) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Draw number `counter` from the standard normal distribution (Box and Muller 1958).
    pub(crate) fn normal(self, counter: u64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform(2 * counter)));
        radius * libm::cos(std::f64::consts::TAU * self.uniform(2 * counter + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_uniform_and_streams_independent() {
        let stream = Stream::new(7, 1);
        let n = 200_000;
        let (mut mean, mut cross, mut square) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let (a, b) = (stream.of(3).uniform(i) - 0.5, stream.of(4).uniform(i) - 0.5);
            mean += a;
            cross += a * b;
            square += stream.normal(i) * stream.normal(i);
        }
        let n = n as f64;
        assert!((mean / n).abs() < 0.003 && (cross / n).abs() < 0.001, "{} {}", mean / n, cross / n);
        assert!((square / n - 1.0).abs() < 0.02);
    }
}
