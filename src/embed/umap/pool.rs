//! Random vertices that repel, drawn for many at once.

use super::forces::{LANES, Lanes};

/// The next number of a random sequence (Marsaglia 2003, "Xorshift RNGs"); 0 stays 0.
#[inline(always)]
pub(super) fn next(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^ (x << 5)
}

/// Vertices that may push, drawn for a whole piece at once: what sixteen lanes then take from it again and again lies in
/// the nearest cache, side by side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    vertices: Vec<u32>,
    /// Their coordinates, all first ones before all second ones.
    coordinates: Vec<f32>,
}

impl Pool {
    const SIZE: usize = 512;

    #[inline(always)]
    pub(super) fn fill<const D: usize>(&mut self, positions: &[[f32; D]], key: u32) {
        let n = positions.len() as u64;
        let mut draw = key | 1;
        self.vertices.resize(Self::SIZE, 0);
        self.coordinates.resize(D * Self::SIZE, 0.0);
        for vertex in &mut self.vertices {
            draw = next(draw);
            *vertex = ((u64::from(draw) * n) >> 32) as u32;
        }
        for (at, &vertex) in self.vertices.iter().enumerate() {
            for d in 0..D {
                self.coordinates[d * Self::SIZE + at] = positions[vertex as usize][d];
            }
        }
    }

    /// Sixteen of them in a row, and what each counts: a vertex does not push itself.
    #[inline(always)]
    pub(super) fn some<const D: usize>(&self, draw: u32, own: &[u32; LANES]) -> (Lanes<D>, [f32; LANES]) {
        let from = ((u64::from(draw) * (Self::SIZE - LANES + 1) as u64) >> 32) as usize;
        let (mut some, mut weights) = ([[0.0; LANES]; D], [0.0; LANES]);
        for d in 0..D {
            some[d].copy_from_slice(&self.coordinates[d * Self::SIZE + from..][..LANES]);
        }
        let vertices = &self.vertices[from..][..LANES];
        for l in 0..LANES {
            weights[l] = if vertices[l] == own[l] { 0.0 } else { 1.0 };
        }
        (some, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vertex_never_repels_itself() {
        // Of two vertices, each is half of the pool.
        let positions = [[0.0f32, 0.0], [1.0, 2.0]];
        let mut pool = Pool::default();
        pool.fill(&positions, 77);
        for own in [0, 1] {
            let mut pushed = 0.0;
            for draw in (0..1000u32).map(|i| i.wrapping_mul(0x9e37_79b9)) {
                let (some, weights) = pool.some::<2>(draw, &[own; LANES]);
                for l in 0..LANES {
                    let is_own = some[0][l] == positions[own as usize][0];
                    assert_eq!(weights[l], if is_own { 0.0 } else { 1.0 });
                    pushed += weights[l];
                }
            }
            assert!((0.3..0.7).contains(&(pushed / 16_000.0)));
        }
    }
}
