//! The inner loops of the layout: sixteen vertices moved in step against fixed positions, for each width of positions.
//!
//! Of the positions that a step reads, five of six belong to random vertices, far apart in memory. The layout draws these
//! once for a piece of vertices and an epoch ([`Pool`]); new rows are all repelled by the same ones, so that none depends on its
//! batch.

use super::forces::{BOTH_ENDS, Forces, LANES, Lanes, ONE_END, attract, repel, targets};
use super::pool::{Pool, next};
use crate::core::simd::multiversion;

/// Repulsions computed side by side: the default of `negative_sample_rate`.
const ABREAST: u32 = 5;

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
    /// Key of the random vertices that repel all lanes.
    pub(crate) key: u32,
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
    let mut draw = bundle.key | 1;
    for s in 0..steps {
        let (other, alphas) = targets(&bundle.targets, s, positions, alpha);
        attract(own, &other, &alphas, forces, ONE_END);
        let mut sums = [[0.0f32; LANES]; D];
        let mut left = forces.negatives;
        while left >= ABREAST {
            push_all::<D, { ABREAST as usize }>(own, positions, n, &mut draw, forces, &mut sums);
            left -= ABREAST;
        }
        for _ in 0..left {
            push_all::<D, 1>(own, positions, n, &mut draw, forces, &mut sums);
        }
        for d in 0..D {
            for l in 0..LANES {
                own[d][l] += alphas[l] * sums[d][l];
            }
        }
    }
}

/// Pushes every lane by the same `K` random vertices of `n`.
#[inline(always)]
fn push_all<const D: usize, const K: usize>(
    own: &Lanes<D>,
    positions: &[[f32; D]],
    n: u64,
    draw: &mut u32,
    forces: Forces,
    sums: &mut Lanes<D>,
) {
    let mut others = [[[0.0; LANES]; D]; K];
    for other in &mut others {
        *draw = next(*draw);
        let position = &positions[((u64::from(*draw) * n) >> 32) as usize];
        for d in 0..D {
            other[d] = [position[d]; LANES];
        }
    }
    repel(own, others, &[[1.0; LANES]; K], forces, sums);
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
