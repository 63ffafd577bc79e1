//! The inner loops of the layout: sixteen vertices moved in step against fixed positions.
//!
//! Of the positions that a step reads, five of six belong to random vertices, far apart in memory. The layout draws these
//! once for a piece of vertices and an epoch ([`Pool`]); new rows draw their own, so that none depends on its batch.

use crate::core::simd::multiversion;

/// Vertices moved in step.
pub(crate) const LANES: usize = 16;
/// Most components.
pub(crate) const MOST: usize = 64;
/// Repulsions computed side by side: the default of `negative_sample_rate`.
const ABREAST: u32 = 5;
/// No repulsion is longer than this in any coordinate, before the learning rate.
const CLIP: f32 = 4.0;

/// The forces' parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forces {
    pub(crate) a: f32,
    pub(crate) b: f32,
    pub(crate) repulsion: f32,
    pub(crate) negatives: u32,
}

/// How far an attraction of strength f in [0, 1] moves a vertex, as a share of the distance: (c0 + c1 f) f.
#[derive(Clone, Copy, Debug)]
struct Pull(f32, f32);

/// The neighbour stands still.
const ONE_END: Pull = Pull(1.0, 0.0);
/// The neighbour moves too: each end takes half of what two moves of both leave (see [`super::layout`]).
const BOTH_ENDS: Pull = Pull(2.0, -2.0);

/// Coordinates of sixteen vertices.
pub(crate) type Lanes<const D: usize> = [[f32; LANES]; D];

/// x^b for normal x > 0.
#[inline(always)]
pub(crate) fn power(x: f32, b: f32) -> f32 {
    // x = 2^e (1 + t) with 1 + t in [sqrt 1/2, sqrt 2).
    let moved = x.to_bits().wrapping_sub(0x3f35_04f3) as i32;
    let e = moved >> 23;
    let t = f32::from_bits((x.to_bits() as i32).wrapping_sub(e << 23) as u32) - 1.0;
    let log = (((0.252_662_56 * t - 0.394_576_3) * t + 0.486_685_78) * t - 0.720_241_7) * t + 1.442_578;
    let y = b * (e as f32 + log * t);
    let y = if y < -120.0 { -120.0 } else { y };
    let y = if y > 120.0 { 120.0 } else { y };
    const SHIFT: f32 = 12_582_912.0; // 1.5 x 2^23: adding it rounds to an integer
    let shifted = y + SHIFT;
    let r = y - (shifted - SHIFT);
    let part = (((0.009_567_738 * r + 0.055_917_498) * r + 0.240_248_1) * r + 0.693_121_94) * r + 0.999_999_2;
    part * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// The next number of a random sequence (Marsaglia 2003, "Xorshift RNGs"); 0 stays 0.
#[inline(always)]
fn next(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^ (x << 5)
}

#[inline(always)]
pub(crate) fn clip(x: f32) -> f32 {
    let x = if x > CLIP { CLIP } else { x };
    if x < -CLIP { -CLIP } else { x }
}

#[inline(always)]
fn squares<const D: usize>(apart: &Lanes<D>) -> [f32; LANES] {
    let mut square = [0.0f32; LANES];
    for d in 0..D {
        for l in 0..LANES {
            square[l] += apart[d][l] * apart[d][l];
        }
    }
    square
}

/// Pulls each lane towards `other` at its own learning rate.
#[inline(always)]
fn attract<const D: usize>(own: &mut Lanes<D>, other: &Lanes<D>, alphas: &[f32; LANES], forces: Forces, pull: Pull) {
    let Forces { a, b, .. } = forces;
    let mut apart = [[0.0f32; LANES]; D];
    for d in 0..D {
        for l in 0..LANES {
            apart[d][l] = own[d][l] - other[d][l];
        }
    }
    let square = squares(&apart);
    let mut share = [0.0f32; LANES];
    for l in 0..LANES {
        let x = if square[l] > 1e-30 { square[l] } else { 1e-30 };
        let p = power(x, b);
        let f = alphas[l] * (2.0 * a * b * p / (x * (1.0 + a * p)));
        let f = if f < 1.0 { f } else { 1.0 };
        share[l] = (pull.0 + pull.1 * f) * f;
    }
    for d in 0..D {
        for l in 0..LANES {
            own[d][l] -= share[l] * apart[d][l];
        }
    }
}

/// Adds up the pushes of `K` vertices on each lane; those with weight 0 do not push. Their factors, each a long chain of
/// operations, are computed side by side.
#[inline(always)]
fn repel<const D: usize, const K: usize>(
    own: &Lanes<D>,
    mut others: [Lanes<D>; K],
    weights: &[[f32; LANES]; K],
    forces: Forces,
    sums: &mut Lanes<D>,
) {
    let Forces { a, b, repulsion, .. } = forces;
    let mut factor = [[0.0f32; LANES]; K];
    for k in 0..K {
        for d in 0..D {
            for l in 0..LANES {
                others[k][d][l] = own[d][l] - others[k][d][l];
            }
        }
        factor[k] = squares(&others[k]);
    }
    for k in 0..K {
        for l in 0..LANES {
            let square = factor[k][l];
            let x = if square > 1e-30 { square } else { 1e-30 };
            let p = power(x, b);
            factor[k][l] = weights[k][l] * (2.0 * repulsion * b / ((0.001 + x) * (1.0 + a * p)));
        }
    }
    for k in 0..K {
        for d in 0..D {
            for l in 0..LANES {
                sums[d][l] += clip(factor[k][l] * others[k][d][l]);
            }
        }
    }
}

/// Where lanes are pulled to in turn: the `s`-th target of each that has so many, and their learning rates.
#[inline(always)]
fn targets<const D: usize>(
    targets: &[&[u32]; LANES],
    s: usize,
    positions: &[[f32; D]],
    alpha: f32,
) -> (Lanes<D>, [f32; LANES]) {
    let (mut other, mut alphas) = ([[0.0f32; LANES]; D], [0.0f32; LANES]);
    for l in 0..LANES {
        // A lane that has run out stays where it is.
        if let Some(&target) = targets[l].get(s) {
            alphas[l] = alpha;
            let position = &positions[target as usize];
            for d in 0..D {
                other[d][l] = position[d];
            }
        }
    }
    (other, alphas)
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
    fn fill<const D: usize>(&mut self, positions: &[[f32; D]], key: u32) {
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
    fn some<const D: usize>(&self, draw: u32, own: &[u32; LANES]) -> (Lanes<D>, [f32; LANES]) {
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

/// What consecutive vertices do in one epoch.
pub(crate) struct Piece<'a> {
    pub(crate) first: usize,
    /// Their numbers from `first` on, those of like many targets together.
    pub(crate) alike: &'a [usize],
    /// Where the targets of each begin in `targets`, and where the last end.
    pub(crate) starts: &'a [usize],
    pub(crate) targets: &'a [u32],
    pub(crate) key: u32,
}

/// Moves `moved`, the positions of a piece's vertices.
#[inline(always)]
fn move_piece<const D: usize>(
    piece: &Piece<'_>,
    positions: &[[f32; D]],
    moved: &mut [[f32; D]],
    pool: &mut Pool,
    forces: Forces,
    alpha: f32,
) {
    pool.fill(positions, piece.key);
    let mut draw = piece.key.wrapping_mul(0x9e37_79b9) | 1;
    for lanes in piece.alike.chunks(LANES) {
        let mut own = [[0.0f32; LANES]; D];
        let (mut vertices, mut ends) = ([u32::MAX; LANES], [&[][..]; LANES]);
        for (l, &v) in lanes.iter().enumerate() {
            vertices[l] = (piece.first + v) as u32;
            ends[l] = &piece.targets[piece.starts[v]..piece.starts[v + 1]];
            for d in 0..D {
                own[d][l] = moved[v][d];
            }
        }
        let steps = ends.iter().map(|targets| targets.len()).max().unwrap_or(0);
        for s in 0..steps {
            let (other, alphas) = targets(&ends, s, positions, alpha);
            attract(&mut own, &other, &alphas, forces, BOTH_ENDS);
            let mut sums = [[0.0f32; LANES]; D];
            let mut left = forces.negatives;
            while left >= ABREAST {
                push::<D, { ABREAST as usize }>(&own, &vertices, pool, &mut draw, forces, &mut sums);
                left -= ABREAST;
            }
            for _ in 0..left {
                push::<D, 1>(&own, &vertices, pool, &mut draw, forces, &mut sums);
            }
            for d in 0..D {
                for l in 0..LANES {
                    own[d][l] += alphas[l] * sums[d][l];
                }
            }
        }
        for (l, &v) in lanes.iter().enumerate() {
            for d in 0..D {
                moved[v][d] = own[d][l];
            }
        }
    }
}

/// Pushes by the next `K` draws from the pool.
#[inline(always)]
fn push<const D: usize, const K: usize>(
    own: &Lanes<D>,
    vertices: &[u32; LANES],
    pool: &Pool,
    draw: &mut u32,
    forces: Forces,
    sums: &mut Lanes<D>,
) {
    let (mut others, mut weights) = ([[[0.0; LANES]; D]; K], [[0.0; LANES]; K]);
    for k in 0..K {
        // The golden ratio's multiples spread over the pool more evenly than random draws.
        *draw = draw.wrapping_add(0x9e37_79b9);
        (others[k], weights[k]) = pool.some(*draw, vertices);
    }
    repel(own, others, &weights, forces, sums);
}

/// Sixteen vertices among others that stand still, for one epoch.
pub(crate) struct Bundle<'a> {
    /// Vertices that attract each lane, in order.
    pub(crate) targets: [&'a [u32]; LANES],
    /// Key of each lane's random vertices.
    pub(crate) keys: [u32; LANES],
}

#[inline(always)]
fn move_bundle<const D: usize>(
    bundle: &Bundle<'_>,
    own: &mut Lanes<D>,
    positions: &[[f32; D]],
    forces: Forces,
    alpha: f32,
) {
    let n = positions.len() as u64;
    let steps = bundle.targets.iter().map(|targets| targets.len()).max().unwrap_or(0);
    let mut draws = bundle.keys.map(|key| key | 1);
    for s in 0..steps {
        let (other, alphas) = targets(&bundle.targets, s, positions, alpha);
        attract(own, &other, &alphas, forces, ONE_END);
        let mut sums = [[0.0f32; LANES]; D];
        let mut draw = || {
            let mut some = [[0.0f32; LANES]; D];
            for l in 0..LANES {
                draws[l] = next(draws[l]);
                let position = &positions[((u64::from(draws[l]) * n) >> 32) as usize];
                for d in 0..D {
                    some[d][l] = position[d];
                }
            }
            some
        };
        for _ in 0..forces.negatives / ABREAST {
            let others: [Lanes<D>; ABREAST as usize] = std::array::from_fn(|_| draw());
            repel(own, others, &[[1.0; LANES]; ABREAST as usize], forces, &mut sums);
        }
        for _ in 0..forces.negatives % ABREAST {
            repel(own, [draw()], &[[1.0; LANES]], forces, &mut sums);
        }
        for d in 0..D {
            for l in 0..LANES {
                own[d][l] += alphas[l] * sums[d][l];
            }
        }
    }
}

/// Positions of one width, with their compiled loops.
pub(crate) trait Place: Copy + Send + Sync {
    /// As many coordinates, sixteen of each.
    type Lanes: AsMut<[[f32; LANES]]> + AsRef<[[f32; LANES]]> + Copy;
    const ZEROS: Self;
    const LANES: Self::Lanes;
    fn slice(&self) -> &[f32];
    /// The places that lie in `flat` one after the other.
    fn all(flat: &[f32]) -> &[Self];
    fn slice_mut(&mut self) -> &mut [f32];
    fn move_piece(piece: &Piece<'_>, all: &[Self], moved: &mut [Self], pool: &mut Pool, forces: Forces, alpha: f32);
    fn move_bundle(bundle: &Bundle<'_>, own: &mut Self::Lanes, all: &[Self], forces: Forces, alpha: f32);
}

macro_rules! places {
    ($($piece:ident $bundle:ident $d:literal),*) => {$(
        multiversion! {
            fn $piece(piece: &Piece<'_>, all: &[[f32; $d]], moved: &mut [[f32; $d]], pool: &mut Pool, forces: Forces, alpha: f32) {
                move_piece::<$d>(piece, all, moved, pool, forces, alpha);
            }
        }
        multiversion! {
            fn $bundle(bundle: &Bundle<'_>, own: &mut Lanes<$d>, all: &[[f32; $d]], forces: Forces, alpha: f32) {
                move_bundle::<$d>(bundle, own, all, forces, alpha);
            }
        }
        impl Place for [f32; $d] {
            type Lanes = Lanes<$d>;
            const ZEROS: Self = [0.0; $d];
            const LANES: Lanes<$d> = [[0.0; LANES]; $d];
            fn slice(&self) -> &[f32] {
                self
            }
            fn all(flat: &[f32]) -> &[Self] {
                flat.as_chunks().0
            }
            fn slice_mut(&mut self) -> &mut [f32] {
                self
            }
            fn move_piece(piece: &Piece<'_>, all: &[Self], moved: &mut [Self], pool: &mut Pool, forces: Forces, alpha: f32) {
                $piece(piece, all, moved, pool, forces, alpha);
            }
            fn move_bundle(bundle: &Bundle<'_>, own: &mut Lanes<$d>, all: &[Self], forces: Forces, alpha: f32) {
                $bundle(bundle, own, all, forces, alpha);
            }
        }
    )*};
}

places!(piece_2 bundle_2 2, piece_3 bundle_3 3, piece_5 bundle_5 5, piece_10 bundle_10 10, piece_20 bundle_20 20, piece_64 bundle_64 64);

/// Calls `$f::<[f32; D]>` with the smallest width that holds `$components`.
macro_rules! by_width {
    ($components:expr, $f:ident($($arg:expr),* $(,)?)) => {
        match $components {
            0..=2 => $f::<[f32; 2]>($($arg),*),
            3 => $f::<[f32; 3]>($($arg),*),
            4..=5 => $f::<[f32; 5]>($($arg),*),
            6..=10 => $f::<[f32; 10]>($($arg),*),
            11..=20 => $f::<[f32; 20]>($($arg),*),
            _ => $f::<[f32; 64]>($($arg),*),
        }
    };
}
pub(crate) use by_width;

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

    #[test]
    fn two_ends_go_half_of_what_two_moves_of_both_leave() {
        let forces = Forces { a: 1.929, b: 0.792, repulsion: 1.0, negatives: 0 };
        for distance in [0.01f32, 0.3, 1.0, 2.0, 5.0] {
            let (mut own, mut other) = ([[distance; LANES]], [[0.0f32; LANES]]);
            attract(&mut own, &[[0.0; LANES]], &[0.7; LANES], forces, BOTH_ENDS);
            attract(&mut other, &[[distance; LANES]], &[0.7; LANES], forces, BOTH_ENDS);
            let x = f64::from(distance) * f64::from(distance);
            let p = libm::pow(x, 0.792);
            let f = (0.7 * 2.0 * 1.929 * 0.792 * p / (x * (1.0 + 1.929 * p))).min(1.0);
            let left = f64::from(distance) * (1.0 - 2.0 * f) * (1.0 - 2.0 * f);
            assert!((f64::from(own[0][0] - other[0][0]) - left).abs() < 1e-3 * f64::from(distance));
        }
    }

    #[test]
    fn powers_are_near_enough() {
        for i in 1..200_000 {
            let x = i as f32 * i as f32 * 1e-6;
            for b in [0.3f32, 0.79, 0.895, 1.9] {
                let exact = libm::pow(f64::from(x), f64::from(b));
                assert!((f64::from(power(x, b)) / exact - 1.0).abs() < 1e-4, "{x}^{b}");
            }
        }
        assert!(power(1e-30, 5.0) >= 0.0 && power(1e30, 5.0).is_finite());
    }
}
