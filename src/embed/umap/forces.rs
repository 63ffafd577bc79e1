//! Attraction and repulsion of sixteen vertices side by side.

/// Vertices moved in step.
pub(crate) const LANES: usize = 16;
/// Most components.
pub(crate) const MOST: usize = 64;
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
pub(super) struct Pull(f32, f32);

/// The neighbour stands still.
pub(super) const ONE_END: Pull = Pull(1.0, 0.0);
/// The neighbour moves too: each end takes half of what two moves of both leave (see [`super::layout`]).
pub(super) const BOTH_ENDS: Pull = Pull(2.0, -2.0);

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

#[inline(always)]
pub(crate) fn clip(x: f32) -> f32 {
    let x = if x > CLIP { CLIP } else { x };
    if x < -CLIP { -CLIP } else { x }
}

#[inline(always)]
fn squares<const D: usize>(difference: &Lanes<D>) -> [f32; LANES] {
    let mut square = [0.0f32; LANES];
    for d in 0..D {
        for l in 0..LANES {
            square[l] += difference[d][l] * difference[d][l];
        }
    }
    square
}

/// Pulls each lane towards `other` at its own learning rate.
#[inline(always)]
pub(super) fn attract<const D: usize>(
    own: &mut Lanes<D>,
    other: &Lanes<D>,
    alphas: &[f32; LANES],
    forces: Forces,
    pull: Pull,
) {
    let Forces { a, b, .. } = forces;
    let mut difference = [[0.0f32; LANES]; D];
    for d in 0..D {
        for l in 0..LANES {
            difference[d][l] = own[d][l] - other[d][l];
        }
    }
    let square = squares(&difference);
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
            own[d][l] -= share[l] * difference[d][l];
        }
    }
}

/// Adds up the pushes of `K` vertices on each lane; those with weight 0 do not push. Their factors, each a long chain of
/// operations, are computed side by side.
#[inline(always)]
pub(super) fn repel<const D: usize, const K: usize>(
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
pub(super) fn targets<const D: usize>(
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

#[cfg(test)]
mod tests {
    use super::*;

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
