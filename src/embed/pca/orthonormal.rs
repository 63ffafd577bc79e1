//! Vectors made orthonormal to others.

use crate::core::linalg::dense;

/// The block's columns made orthonormal, one after the other and twice; those that depend on others become any direction.
pub(super) fn orthonormal(z: Vec<f64>, m: usize, block: usize) -> Vec<f64> {
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(block);
    for j in 0..block {
        let mut column: Vec<f64> = (0..m).map(|c| z[c * block + j]).collect();
        complete(&mut column, &columns);
        columns.push(column);
    }
    let mut z = z;
    for (j, column) in columns.iter().enumerate() {
        column.iter().enumerate().for_each(|(c, &x)| z[c * block + j] = x);
    }
    z
}

/// Makes a vector orthonormal to the others; from a unit vector where nothing of it is left.
pub(super) fn complete(direction: &mut [f64], others: &[Vec<f64>]) {
    let mut axis = 0;
    loop {
        // Brought to a length near one first, so that squares neither overflow nor vanish.
        let most = direction.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        if most > 0.0 {
            direction.iter_mut().for_each(|x| *x /= most);
        }
        let before = libm::sqrt(dense::dot(direction, direction));
        for _ in 0..2 {
            for other in others {
                let along = dense::dot(direction, other);
                direction.iter_mut().zip(other).for_each(|(d, o)| *d -= along * o);
            }
        }
        let norm = libm::sqrt(dense::dot(direction, direction));
        // What came in may lean far towards the others; of some axis a good part is always left.
        let least = if axis == 0 { 1e-10 } else { 1e-3 };
        if norm > least * before {
            direction.iter_mut().for_each(|x| *x /= norm);
            return;
        }
        if axis == direction.len() {
            return;
        }
        direction.fill(0.0);
        direction[axis] = 1.0;
        axis += 1;
    }
}
