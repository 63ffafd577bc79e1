//! Sums of outer products of rows of small whole numbers: exact, so that neither the order of the rows nor the width of
//! the registers matters.
//!
//! Two rows at a time: a word of 32 bits holds a column's values in both, and one instruction multiplies words and adds up
//! each word's two products. A few columns times a line of 32 stay in registers while the rows of a block go by; pairs of
//! rows in which all of these few are 0 are passed over.

use crate::core::parallel;
use crate::core::simd::{multiversion, widest};

/// Pairs of rows in a block; a pair's number in its block is a u8.
const PAIRS: usize = 256;
/// Pairs that are put into words at a time.
const READY: usize = 8;
/// Words in a line.
const WIDE: usize = 32;
/// Blocks that are made before they are multiplied: what the caches of two cores hold.
const PART: usize = 4;

/// Numbers of at most this size have products of which a block's add up within 31 bits: 2,047² x 512 < 2³¹.
pub(crate) const NARROW: f64 = 2047.0;

/// The values of two rows in some columns, the first row's in the lower halves.
type Line = [i32; WIDE];

/// A task of [`outer_sum`]: `sums` holds the rows of one tile of columns, number `mine`; `blocks` hold [`PAIRS`] lines for
/// each of `tiles` tiles, one tile after the other. So many columns at a time go through the lines, which are cut into so
/// many vectors; `$read` makes a vector of words, `$copy` of one word, `$add` adds products to a vector, `$write` ends it.
macro_rules! kernel {
    (
        $(#[$feature:meta])? $name:ident, $columns:literal, $vectors:literal,
        $read:expr, $copy:expr, $add:expr, $write:expr
    ) => {
        $(#[$feature])?
        pub(super) fn $name(sums: &mut [f64], columns: usize, mine: usize, tiles: usize, blocks: &[Line]) {
            const FEW: usize = $columns;
            const VECTOR: usize = WIDE / $vectors;
            let (read, copy, add, write) = ($read, $copy, $add, $write);
            let mut places = [[0u8; PAIRS]; WIDE / FEW];
            let mut values = [[[0i32; FEW]; PAIRS]; WIDE / FEW];
            for block in blocks.chunks_exact(tiles * PAIRS) {
                let (block, _) = block.as_chunks::<PAIRS>();
                let mut counts = [0usize; WIDE / FEW];
                for (k, line) in block[mine].iter().enumerate() {
                    for (g, few) in line.as_chunks::<FEW>().0.iter().enumerate() {
                        // At most one entry a pair: the count stays below 256 until the last.
                        let at = counts[g] & (PAIRS - 1);
                        places[g][at] = k as u8;
                        values[g][at] = *few;
                        counts[g] += usize::from(few.iter().fold(0, |any, x| any | x) != 0);
                    }
                }
                for (t, tile) in block[..=mine].iter().enumerate() {
                    let width = WIDE.min(columns - t * WIDE);
                    for (g, sums) in sums.chunks_mut(FEW * columns).enumerate() {
                        let mut totals = [[copy(0); $vectors]; FEW];
                        for (&k, x) in places[g][..counts[g]].iter().zip(&values[g]) {
                            let line = tile[k as usize].as_chunks::<VECTOR>().0;
                            for v in 0..$vectors {
                                let y = read(&line[v]);
                                for i in 0..FEW {
                                    totals[i][v] = add(totals[i][v], copy(x[i]), y);
                                }
                            }
                        }
                        for (sums, totals) in sums.chunks_exact_mut(columns).zip(totals) {
                            let mut lanes: Line = [0; WIDE];
                            for (lanes, total) in lanes.as_chunks_mut::<VECTOR>().0.iter_mut().zip(totals) {
                                *lanes = write(total);
                            }
                            for (sum, &lane) in sums[t * WIDE..t * WIDE + width].iter_mut().zip(&lanes) {
                                *sum += f64::from(lane);
                            }
                        }
                    }
                }
            }
        }
    };
}

// Without an instruction for words, a word is a vector.
#[cfg(any(test, not(target_arch = "x86_64")))]
kernel!(
    plain,
    2,
    32,
    |x: &[i32; 1]| x[0],
    |x: i32| x,
    |sum: i32, x: i32, y: i32| sum + i32::from(x as i16) * i32::from(y as i16) + (x >> 16) * (y >> 16),
    |x: i32| [x]
);

/// Arrays to vectors and back are plain moves once they are compiled.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use std::arch::x86_64::*;

    kernel!(
        #[target_feature(enable = "sse2")]
        narrow,
        2,
        8,
        |x: &[i32; 4]| _mm_setr_epi32(x[0], x[1], x[2], x[3]),
        |x: i32| _mm_set1_epi32(x),
        |sum: __m128i, x: __m128i, y: __m128i| _mm_add_epi32(sum, _mm_madd_epi16(x, y)),
        |x: __m128i| four(x)
    );
    kernel!(
        #[target_feature(enable = "avx2")]
        wide,
        2,
        4,
        |x: &[i32; 8]| _mm256_setr_epi32(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]),
        |x: i32| _mm256_set1_epi32(x),
        |sum: __m256i, x: __m256i, y: __m256i| _mm256_add_epi32(sum, _mm256_madd_epi16(x, y)),
        |x: __m256i| {
            let [a, b, c, d] = four(_mm256_castsi256_si128(x));
            let [e, f, g, h] = four(_mm256_extracti128_si256::<1>(x));
            [a, b, c, d, e, f, g, h]
        }
    );
    kernel!(
        #[target_feature(enable = "avx2,avx512f,avx512vnni")]
        widest,
        4,
        2,
        |x: &[i32; 16]| _mm512_setr_epi32(
            x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15]
        ),
        |x: i32| _mm512_set1_epi32(x),
        |sum: __m512i, x: __m512i, y: __m512i| _mm512_dpwssd_epi32(sum, x, y),
        |x: __m512i| {
            let [a, b, c, d] = four(_mm512_extracti32x4_epi32::<0>(x));
            let [e, f, g, h] = four(_mm512_extracti32x4_epi32::<1>(x));
            let [i, j, k, l] = four(_mm512_extracti32x4_epi32::<2>(x));
            let [m, n, o, p] = four(_mm512_extracti32x4_epi32::<3>(x));
            [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
        }
    );

    #[inline]
    #[target_feature(enable = "sse2")]
    fn four(x: __m128i) -> [i32; 4] {
        let (low, high) = (_mm_cvtsi128_si64(x), _mm_cvtsi128_si64(_mm_unpackhi_epi64(x, x)));
        [low as i32, (low >> 32) as i32, high as i32, (high >> 32) as i32]
    }
}

widest! {
    /// The version for this processor.
    fn kernel(sums: &mut [f64], columns: usize, mine: usize, tiles: usize, blocks: &[Line]);
    plain, x86::narrow, x86::wide, x86::widest
}

multiversion! {
    /// Puts [`READY`] pairs of rows into words, from line `k` of each tile on.
    fn interleave(ready: &[i16], tiles: usize, k: usize, block: &mut [Line]) {
        for t in 0..tiles {
            let lines = &mut block[t * PAIRS + k..][..READY];
            for (line, pair) in lines.iter_mut().zip(ready.chunks_exact(2 * tiles * WIDE)) {
                let (one, two) = pair.split_at(tiles * WIDE);
                let (one, two) = (&one[t * WIDE..][..WIDE], &two[t * WIDE..][..WIDE]);
                for l in 0..WIDE {
                    line[l] = i32::from(one[l] as u16) | i32::from(two[l]) << 16;
                }
            }
        }
    }
}

/// The sum over `count` rows of x x', columns x columns, lower triangle (what stands above is not the matrix's
/// transpose), x of whole numbers of at most [`NARROW`] in size. `row(i, out)` writes row i. Sums beyond 2⁵³, which takes
/// two thousand million rows, are rounded. Memory O(columns² + 4,096 columns).
pub(crate) fn outer_sum(count: usize, columns: usize, row: impl Fn(usize, &mut [i16]) + Sync + Send) -> Vec<f64> {
    let tiles = columns.div_ceil(WIDE);
    let rows = 2 * PAIRS;
    let mut sums = vec![0.0; columns * columns];
    let mut part = vec![[0; WIDE]; PART.min(count.div_ceil(rows)) * PAIRS * tiles];
    for start in (0..count).step_by(PART * rows) {
        let blocks = PART.min((count - start).div_ceil(rows));
        let part = &mut part[..blocks * PAIRS * tiles];
        parallel::for_each_chunk(part, PAIRS * tiles, |b, block| {
            // A few pairs at a time, so that the lines of a tile are written side by side.
            let mut ready = vec![0i16; 2 * READY * tiles * WIDE];
            for k in (0..PAIRS).step_by(READY) {
                for (r, out) in ready.chunks_exact_mut(tiles * WIDE).enumerate() {
                    let i = start + b * rows + 2 * k + r;
                    // Rows of zeros fill the last block up.
                    if i < count { row(i, &mut out[..columns]) } else { out.fill(0) }
                }
                interleave(&ready, tiles, k, block);
            }
        });
        parallel::for_each_chunk(&mut sums, WIDE * columns, |mine, sums| kernel(sums, columns, mine, tiles, part));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::random::Stream;

    /// Sparse whole numbers of up to the largest size, and one column of nothing else.
    fn table(n: usize, columns: usize) -> Vec<i16> {
        let draws = Stream::new((n * columns) as u64, 3);
        let value = |at: u64| match draws.of(1).bits(at) & 3 {
            _ if at.is_multiple_of(columns as u64) => 2047,
            0 => (draws.below(at, 4095) as i32 - 2047) as i16,
            _ => 0,
        };
        (0..(n * columns) as u64).map(value).collect()
    }

    #[test]
    fn sums_are_exact_in_any_order() {
        for (n, columns) in [(1, 1), (2, 3), (3, 5), (511, 32), (512, 33), (513, 31), (2049, 65), (5000, 70)] {
            let x = table(n, columns);
            let sums = outer_sum(n, columns, |i, out| out.copy_from_slice(&x[i * columns..(i + 1) * columns]));
            let turned = outer_sum(n, columns, |i, out| {
                let i = n - 1 - i;
                out.copy_from_slice(&x[i * columns..(i + 1) * columns]);
            });
            for i in 0..columns {
                for j in 0..=i {
                    let plain: i64 = x.chunks(columns).map(|row| i64::from(row[i]) * i64::from(row[j])).sum();
                    assert_eq!(sums[i * columns + j], plain as f64, "{n} x {columns}, {i}, {j}");
                    assert_eq!(turned[i * columns + j], plain as f64);
                }
            }
        }
    }

    /// Each version gives what the one without vectors gives.
    #[test]
    fn versions_agree() {
        let (columns, tiles, blocks) = (90, 3, 2);
        let draws = Stream::new(5, 6);
        let words = (0..blocks * tiles * PAIRS).map(|l| {
            std::array::from_fn(|c| {
                let pick = |h: u64| {
                    let at = (2 * (l * WIDE + c)) as u64 + h;
                    if draws.of(1).bits(at) & 1 == 0 { 0 } else { draws.below(at, 4095) as i32 - 2047 }
                };
                i32::from(pick(0) as u16) | pick(1) << 16
            })
        });
        let lines: Vec<Line> = words.collect();
        for mine in 0..tiles {
            let rows = WIDE.min(columns - mine * WIDE);
            let of = |run: fn(&mut [f64], usize, usize, usize, &[Line])| {
                let mut sums = vec![0.0; rows * columns];
                run(&mut sums, columns, mine, tiles, &lines);
                sums
            };
            let expected = of(plain);
            assert_eq!(of(kernel), expected);
            #[cfg(target_arch = "x86_64")]
            for level in 0..3 {
                assert_eq!(crate::core::simd::narrowed::to(level, || of(kernel)), expected, "level {level}");
            }
        }
    }
}
