//! Products of tall tables, in f64, whose zeros are passed over: sums of outer products of rows, rows times a small matrix.
//!
//! Every sum walks the rows in the order given, in blocks of a fixed size.

use crate::core::parallel;
use crate::core::simd::multiversion;

/// Rows that are multiplied while they lie in the cache; a row's number in its block is a u8.
const BLOCK: usize = 256;

/// Columns in a tile.
const WIDE: usize = 16;
/// Columns that are multiplied at once with a tile's lines: as many as stay in registers while rows go by.
const FEW: usize = 2;

multiversion! {
    widest:
    /// A task of [`outer_sum`]: `sums` holds the rows of one tile of columns, number `mine`; `blocks` hold 256 rows each,
    /// cut into `tiles` tiles that lie one after the other. Rows in which both columns at hand are 0 are passed over.
    fn outer(sums: &mut [f64], columns: usize, mine: usize, tiles: usize, blocks: &[[f64; WIDE]]) {
        let mut rows = [[0u8; BLOCK]; WIDE / FEW];
        let mut values = [[[0.0; FEW]; BLOCK]; WIDE / FEW];
        for block in blocks.chunks_exact(tiles * BLOCK) {
            let (block, _) = block.as_chunks::<BLOCK>();
            let mut counts = [0usize; WIDE / FEW];
            for (k, row) in block[mine].iter().enumerate() {
                for (g, few) in row.as_chunks::<FEW>().0.iter().enumerate() {
                    // At most one entry a row: the count stays below 256 until the last.
                    let at = counts[g] & (BLOCK - 1);
                    rows[g][at] = k as u8;
                    values[g][at] = *few;
                    counts[g] += usize::from((few[0] != 0.0) | (few[1] != 0.0));
                }
            }
            for (t, tile) in block[..=mine].iter().enumerate() {
                let width = WIDE.min(columns - t * WIDE);
                for (g, sums) in sums.chunks_mut(FEW * columns).enumerate() {
                    let mut lanes = [[0.0; WIDE]; FEW];
                    for (&k, x) in rows[g][..counts[g]].iter().zip(&values[g]) {
                        let row = &tile[k as usize];
                        for i in 0..FEW {
                            for l in 0..WIDE {
                                lanes[i][l] += x[i] * row[l];
                            }
                        }
                    }
                    for (sums, lanes) in sums.chunks_exact_mut(columns).zip(&lanes) {
                        for (sum, lane) in sums[t * WIDE..t * WIDE + width].iter_mut().zip(lanes) {
                            *sum += lane;
                        }
                    }
                }
            }
        }
    }
}

/// The sum over `count` rows of x x', columns x columns, lower triangle (what stands above is not the matrix's
/// transpose). `row(i, out)` writes row i; its zeros cost little. Memory O(columns² + 2,048 columns).
///
/// Blocks of rows are copied into tiles, whose lines lie side by side whatever the number of columns, and then each tile of
/// columns is multiplied with all tiles up to it.
pub(crate) fn outer_sum(count: usize, columns: usize, row: impl Fn(usize, &mut [f64]) + Sync + Send) -> Vec<f64> {
    const PART: usize = 8 * BLOCK;
    let tiles = columns.div_ceil(WIDE);
    let mut sums = vec![0.0; columns * columns];
    let mut part = vec![[0.0; WIDE]; PART.min(count.next_multiple_of(BLOCK)) * tiles];
    for start in (0..count).step_by(PART) {
        let blocks = PART.min(count - start).div_ceil(BLOCK);
        let part = &mut part[..blocks * BLOCK * tiles];
        parallel::for_each_chunk(part, BLOCK * tiles, |b, block| {
            let mut whole = vec![0.0; tiles * WIDE];
            for k in 0..BLOCK {
                match start + b * BLOCK + k {
                    i if i < count => row(i, &mut whole[..columns]),
                    // Rows of zeros fill the last block up.
                    _ => whole.fill(0.0),
                }
                for (t, values) in whole.as_chunks::<WIDE>().0.iter().enumerate() {
                    block[t * BLOCK + k] = *values;
                }
            }
        });
        parallel::for_each_chunk(&mut sums, WIDE * columns, |mine, sums| outer(sums, columns, mine, tiles, part));
    }
    sums
}

multiversion! {
    /// out += Σ over c of x_c z_c, z_c being row c of `z` (x.len() x out.len()); values of 0 are passed over.
    pub(crate) fn add_rows(x: &[f64], z: &[f64], out: &mut [f64]) {
        let width = out.len();
        let mut list = [0usize; 64];
        for (start, x) in x.chunks(64).enumerate() {
            let mut count = 0;
            for (eight, values) in x.chunks(8).enumerate() {
                if values.iter().fold(true, |all, &value| all & (value == 0.0)) {
                    continue;
                }
                for (c, &value) in values.iter().enumerate() {
                    list[count] = 8 * eight + c;
                    count += usize::from(value != 0.0);
                }
            }
            let z = &z[64 * start * width..];
            let (fours, rest) = list[..count].as_chunks::<4>();
            for at in fours {
                let v = at.map(|c| x[c]);
                let y = at.map(|c| &z[c * width..(c + 1) * width]);
                let (whole, rest) = out.as_chunks_mut::<4>();
                let done = whole.len() * 4;
                let rows = y.map(|y| &y.as_chunks::<4>().0[..whole.len()]);
                for (j, sum) in whole.iter_mut().enumerate() {
                    let mut lanes = *sum;
                    for q in 0..4 {
                        let values = rows[q][j];
                        for l in 0..4 {
                            lanes[l] += v[q] * values[l];
                        }
                    }
                    *sum = lanes;
                }
                for (j, sum) in rest.iter_mut().enumerate() {
                    for q in 0..4 {
                        *sum += v[q] * y[q][done + j];
                    }
                }
            }
            for &c in rest {
                for (out, value) in out.iter_mut().zip(&z[c * width..(c + 1) * width]) {
                    *out += x[c] * value;
                }
            }
        }
    }
}

multiversion! {
    /// Row c of `sums` (x.len() x y.len()) += x_c y; values of 0 are passed over.
    pub(crate) fn add_product(x: &[f64], y: &[f64], sums: &mut [f64]) {
        for (&x, sums) in x.iter().zip(sums.chunks_exact_mut(y.len())) {
            if x != 0.0 {
                for (sum, y) in sums.iter_mut().zip(y) {
                    *sum += x * y;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    /// A table of which half the values are 0, in whole numbers of up to 255 or not.
    fn table(n: usize, columns: usize, whole: bool) -> Vec<f64> {
        let draws = Stream::new((n * columns) as u64, u64::from(whole));
        let value = |at: u64| if whole { draws.below(at, 511) as f64 - 255.0 } else { draws.normal(at) };
        (0..(n * columns) as u64).map(|at| if draws.of(1).bits(at) & 1 == 0 { 0.0 } else { value(at) }).collect()
    }

    #[test]
    fn products_are_those_of_plain_loops() {
        for (n, columns) in [(1, 1), (3, 5), (255, 16), (256, 17), (257, 33), (2049, 31), (5000, 70)] {
            for whole in [false, true] {
                let x = table(n, columns, whole);
                let sums = outer_sum(n, columns, |i, out| out.copy_from_slice(&x[i * columns..(i + 1) * columns]));
                let mut plain = vec![0.0; columns * columns];
                for row in x.chunks(columns) {
                    for i in 0..columns {
                        (0..columns).for_each(|j| plain[i * columns + j] += row[i] * row[j]);
                    }
                }
                for i in 0..columns {
                    for j in 0..=i {
                        let at = i * columns + j;
                        assert!((sums[at] - plain[at]).abs() <= 1e-13 * n as f64 * plain[i * columns + i].max(1.0));
                        assert!(!whole || sums[at] == plain[at], "{n} x {columns}");
                    }
                }
                let width = 7;
                let z: Vec<f64> = (0..columns * width).map(|at| (at % 13) as f64 - 6.0).collect();
                let mut out = vec![1.0; width];
                add_rows(&x[..columns], &z, &mut out);
                let mut spread = vec![2.0; columns * width];
                add_product(&x[..columns], &out, &mut spread);
                for j in 0..width {
                    let sum: f64 = (0..columns).map(|c| x[c] * z[c * width + j]).sum();
                    assert!((out[j] - 1.0 - sum).abs() < 1e-9 * (1.0 + sum.abs()) * columns as f64);
                    for c in 0..columns {
                        assert_eq!(spread[c * width + j], 2.0 + x[c] * out[j]);
                    }
                }
            }
        }
    }
}
