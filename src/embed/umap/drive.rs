//! The inner loop of the layout: sixteen vertices moved in step against fixed positions.

use crate::core::simd::multiversion;

/// Repulsions computed side by side: the default of `negative_sample_rate`.
const ABREAST: u32 = 5;
/// Vertices moved in step.
pub(crate) const LANES: usize = 16;
/// No step is longer than this in any coordinate, before the learning rate.
const CLIP: f32 = 4.0;

/// The forces' parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forces {
    pub(crate) a: f32,
    pub(crate) b: f32,
    pub(crate) repulsion: f32,
    pub(crate) negatives: u32,
}

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

/// What sixteen vertices do in one epoch.
pub(crate) struct Bundle<'a> {
    /// Where the vertices are; moved in place. Coordinates beyond the embedding's are zero and stay so.
    pub(crate) own: [[f32; LANES]; MOST],
    /// Vertices that attract each lane, in order.
    pub(crate) targets: [&'a [u32]; LANES],
    /// Key of each lane's random vertices.
    pub(crate) keys: [u32; LANES],
}

impl Bundle<'_> {
    pub(crate) fn empty() -> Self {
        Bundle { own: [[0.0; LANES]; MOST], targets: [&[]; LANES], keys: [0; LANES] }
    }
}

/// Most components.
pub(crate) const MOST: usize = 64;

/// Moves a bundle against fixed positions. Lanes do not touch each other.
#[inline(always)]
fn drive<const D: usize>(bundle: &mut Bundle<'_>, positions: &[[f32; D]], forces: Forces, alpha: f32) {
    let Forces { a, b, negatives, .. } = forces;
    let mut own = [[0.0f32; LANES]; D];
    own.copy_from_slice(&bundle.own[..D]);
    let steps = bundle.targets.iter().map(|targets| targets.len()).max().unwrap_or(0);
    let mut draws = bundle.keys.map(|key| key | 1);
    for s in 0..steps {
        let mut alphas = [0.0f32; LANES];
        let mut other = [[0.0f32; LANES]; D];
        for l in 0..LANES {
            // A lane that has run out stays where it is.
            if let Some(&target) = bundle.targets[l].get(s) {
                alphas[l] = alpha;
                let position = &positions[target as usize];
                for d in 0..D {
                    other[d][l] = position[d];
                }
            }
        }
        let mut square = [0.0f32; LANES];
        for d in 0..D {
            for l in 0..LANES {
                let x = own[d][l] - other[d][l];
                square[l] += x * x;
            }
        }
        let mut factor = [0.0f32; LANES];
        for l in 0..LANES {
            let x = if square[l] > 1e-30 { square[l] } else { 1e-30 };
            let p = power(x, b);
            factor[l] = -2.0 * a * b * p / (x * (1.0 + a * p));
        }
        for d in 0..D {
            for l in 0..LANES {
                let apart = own[d][l] - other[d][l];
                let step = alphas[l] * clip(factor[l] * apart);
                // Not past the neighbour: two vertices that overshoot in turns leap over each other and off the picture.
                own[d][l] += if step.abs() > apart.abs() { -apart } else { step };
            }
        }
        // Repulsions all start from the position after the attraction, and are added up.
        let mut sums = [[0.0f32; LANES]; D];
        for _ in 0..negatives / ABREAST {
            repel::<D, { ABREAST as usize }>(&own, positions, forces, &mut draws, &mut sums);
        }
        for _ in 0..negatives % ABREAST {
            repel::<D, 1>(&own, positions, forces, &mut draws, &mut sums);
        }
        for d in 0..D {
            for l in 0..LANES {
                own[d][l] += alphas[l] * sums[d][l];
            }
        }
    }
    bundle.own[..D].copy_from_slice(&own);
}

/// Adds the pushes of the next `K` random vertices, one after the other. Their factors, each a long chain of operations,
/// are computed side by side.
#[inline(always)]
fn repel<const D: usize, const K: usize>(
    own: &[[f32; LANES]; D],
    positions: &[[f32; D]],
    forces: Forces,
    draws: &mut [u32; LANES],
    sums: &mut [[f32; LANES]; D],
) {
    let Forces { a, b, repulsion, .. } = forces;
    let n = positions.len() as u64;
    let mut diff = [[[0.0f32; LANES]; D]; K];
    let mut factor = [[0.0f32; LANES]; K];
    for diff in &mut diff {
        let mut picked = [0u32; LANES];
        for l in 0..LANES {
            draws[l] = next(draws[l]);
            picked[l] = ((u64::from(draws[l]) * n) >> 32) as u32;
        }
        for l in 0..LANES {
            let position = &positions[picked[l] as usize];
            for d in 0..D {
                diff[d][l] = position[d];
            }
        }
    }
    for k in 0..K {
        for d in 0..D {
            for l in 0..LANES {
                let x = own[d][l] - diff[k][d][l];
                diff[k][d][l] = x;
                factor[k][l] += x * x;
            }
        }
    }
    for k in 0..K {
        for l in 0..LANES {
            let square = factor[k][l];
            let x = if square > 1e-30 { square } else { 1e-30 };
            let p = power(x, b);
            factor[k][l] = 2.0 * repulsion * b / ((0.001 + x) * (1.0 + a * p));
        }
    }
    for k in 0..K {
        for d in 0..D {
            for l in 0..LANES {
                sums[d][l] += clip(factor[k][l] * diff[k][d][l]);
            }
        }
    }
}

macro_rules! drives {
    ($($name:ident $d:literal),*) => {$(
        multiversion! {
            fn $name(bundle: &mut Bundle<'_>, positions: &[[f32; $d]], forces: Forces, alpha: f32) {
                drive::<$d>(bundle, positions, forces, alpha);
            }
        }
        impl Drive for [f32; $d] {
            fn drive(bundle: &mut Bundle<'_>, positions: &[Self], forces: Forces, alpha: f32) {
                $name(bundle, positions, forces, alpha);
            }
        }
    )*};
}

/// Positions of one width, with their compiled loop.
pub(crate) trait Drive: Copy + Send + Sync + Default2 {
    fn drive(bundle: &mut Bundle<'_>, positions: &[Self], forces: Forces, alpha: f32);
}

/// Zeros, and the coordinates as a slice (arrays beyond 32 have no `Default`).
pub(crate) trait Default2 {
    fn zeros() -> Self;
    fn slice(&self) -> &[f32];
    fn slice_mut(&mut self) -> &mut [f32];
}

impl<const D: usize> Default2 for [f32; D] {
    fn zeros() -> Self {
        [0.0; D]
    }
    fn slice(&self) -> &[f32] {
        self
    }
    fn slice_mut(&mut self) -> &mut [f32] {
        self
    }
}

drives!(drive_2 2, drive_3 3, drive_4 4, drive_8 8, drive_16 16, drive_64 64);

/// Calls `$f::<[f32; D]>` with the smallest width that holds `$components`.
macro_rules! by_width {
    ($components:expr, $f:ident($($arg:expr),* $(,)?)) => {
        match $components {
            0..=2 => $f::<[f32; 2]>($($arg),*),
            3 => $f::<[f32; 3]>($($arg),*),
            4 => $f::<[f32; 4]>($($arg),*),
            5..=8 => $f::<[f32; 8]>($($arg),*),
            9..=16 => $f::<[f32; 16]>($($arg),*),
            _ => $f::<[f32; 64]>($($arg),*),
        }
    };
}
pub(crate) use by_width;

#[cfg(test)]
mod tests {
    use super::*;

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
