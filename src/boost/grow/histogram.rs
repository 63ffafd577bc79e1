//! Histograms of gradients: building, adding and subtracting.
//!
//! A histogram has one word for each bin of each column (see `gradient`). Default bins of sparse columns stay at zero in
//! it: they are the node's total less the column's other bins, computed when the column is searched.

use crate::boost::bins::{ABREAST, Bins, DENSE_SLOTS, Sparse};
use crate::core::simd::{multiversion, prefetch};

/// Adds the gradients of `rows` to the slots of their entries. `blocks` are the blocks of dense columns to include.
pub(super) fn build(bins: &Bins, packed: &[i64], rows: &[u32], blocks: &[usize], histogram: &mut [i64]) {
    for &block in blocks {
        let slots = ABREAST * DENSE_SLOTS;
        build_dense(
            bins.used(block),
            bins.abreast(block),
            packed,
            rows,
            &mut histogram[block * slots..(block + 1) * slots],
        );
    }
    if bins.has_entries() {
        build_sparse(bins, packed, rows, histogram);
    }
}

/// Prefetch distance, in rows. Rows of a small node are scattered over memory: without prefetching nearly half of the time
/// is memory latency.
const AHEAD: usize = 24;

/// Adds rows to one block of dense columns. Each column has 256 slots indexed by a byte, so no bounds check is needed; only
/// the first `W` columns of the block are used.
#[inline(always)]
fn add_dense<const W: usize>(codes: &[[u8; ABREAST]], packed: &[i64], rows: &[u32], histogram: &mut [i64]) {
    let (columns, _) = histogram.as_chunks_mut::<DENSE_SLOTS>();
    let Some(columns) = columns.first_chunk_mut::<W>() else { return };
    for (i, &row) in rows.iter().enumerate() {
        let ahead = rows.get(i + AHEAD).copied().unwrap_or(row) as usize;
        prefetch(packed, ahead);
        prefetch(codes, ahead);
        let (word, codes) = (packed[row as usize], &codes[row as usize]);
        for place in 0..W {
            let slot = &mut columns[place][usize::from(codes[place])];
            *slot = slot.wrapping_add(word);
        }
    }
}

multiversion! {
    fn build_dense(used: usize, codes: &[[u8; ABREAST]], packed: &[i64], rows: &[u32], histogram: &mut [i64]) {
        match used.next_multiple_of(2) {
            2 => add_dense::<2>(codes, packed, rows, histogram),
            4 => add_dense::<4>(codes, packed, rows, histogram),
            6 => add_dense::<6>(codes, packed, rows, histogram),
            8 => add_dense::<8>(codes, packed, rows, histogram),
            10 => add_dense::<10>(codes, packed, rows, histogram),
            12 => add_dense::<12>(codes, packed, rows, histogram),
            14 => add_dense::<14>(codes, packed, rows, histogram),
            _ => add_dense::<ABREAST>(codes, packed, rows, histogram),
        }
    }
}

multiversion! {
    fn build_sparse(bins: &Bins, packed: &[i64], rows: &[u32], histogram: &mut [i64]) {
        for &row in rows {
            let word = packed[row as usize];
            for (first, slots) in bins.entries(row as usize) {
                for &slot in slots {
                    let slot = &mut histogram[first + usize::from(slot)];
                    *slot = slot.wrapping_add(word);
                }
            }
        }
    }
}

multiversion! {
    /// a - b, slot by slot.
    pub(super) fn subtract(a: &mut [i64], b: &[i64]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a = a.wrapping_sub(*b);
        }
    }
}

multiversion! {
    /// a + b, slot by slot.
    pub(super) fn add(a: &mut [i64], b: &[i64]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a = a.wrapping_add(*b);
        }
    }
}

/// Most models whose roots are summed in one pass.
pub(in crate::boost) const SIDE_BY_SIDE: usize = 12;

/// Words of a row when `outputs` models are interleaved: an even number.
pub(super) fn side_by_side(outputs: usize) -> usize {
    outputs.max(4).next_multiple_of(2).min(SIDE_BY_SIDE)
}

/// Adds each row's `width` words to those of its bin: root histograms of one sparse column for several models at once.
/// `words` are those of the rows from `first` on, a multiple of 64.
pub(super) fn build_sparse_roots(width: usize, sparse: &Sparse, first: usize, words: &[i64], out: &mut [i64]) {
    match width {
        4 => sparse_roots_4(sparse, first, words, out),
        6 => sparse_roots_6(sparse, first, words, out),
        8 => sparse_roots_8(sparse, first, words, out),
        10 => sparse_roots_10(sparse, first, words, out),
        _ => sparse_roots_12(sparse, first, words, out),
    }
}

/// The same for one or two dense columns, whose histograms follow each other in `out`, the first of `bins` bins. Two at a
/// time, so that each row's words are read half as often.
pub(super) fn build_dense_roots(width: usize, codes: [&[u8]; 2], words: &[i64], bins: usize, out: &mut [i64]) {
    match width {
        4 => dense_roots_4(codes, words, bins, out),
        6 => dense_roots_6(codes, words, bins, out),
        8 => dense_roots_8(codes, words, bins, out),
        10 => dense_roots_10(codes, words, bins, out),
        _ => dense_roots_12(codes, words, bins, out),
    }
}

#[inline(always)]
fn add_words<const W: usize>(from: &[i64; W], to: &mut [i64; W]) {
    for i in 0..W {
        to[i] = to[i].wrapping_add(from[i]);
    }
}

#[inline(always)]
fn add_sparse_roots<const W: usize>(sparse: &Sparse, first: usize, words: &[i64], out: &mut [i64]) {
    let ((words, _), (out, _)) = (words.as_chunks::<W>(), out.as_chunks_mut::<W>());
    let range = first / 64..first / 64 + words.len().div_ceil(64);
    sparse.visit(range, |row, id| add_words(&words[row - first], &mut out[usize::from(id)]));
}

#[inline(always)]
fn add_dense_roots<const W: usize>(codes: [&[u8]; 2], words: &[i64], bins: usize, out: &mut [i64]) {
    let ((words, _), (out, _)) = (words.as_chunks::<W>(), out.as_chunks_mut::<W>());
    let (one, other) = out.split_at_mut(bins);
    if other.is_empty() {
        return words.iter().zip(codes[0]).for_each(|(from, &code)| add_words(from, &mut one[usize::from(code)]));
    }
    for (from, (&code, &next)) in words.iter().zip(codes[0].iter().zip(codes[1])) {
        add_words(from, &mut one[usize::from(code)]);
        add_words(from, &mut other[usize::from(next)]);
    }
}

/// Defines both for one number of words.
macro_rules! roots {
    ($($width:literal $sparse:ident $dense:ident)*) => {$(
        multiversion! {
            fn $sparse(sparse: &Sparse, first: usize, words: &[i64], out: &mut [i64]) {
                add_sparse_roots::<$width>(sparse, first, words, out);
            }
        }
        multiversion! {
            fn $dense(codes: [&[u8]; 2], words: &[i64], bins: usize, out: &mut [i64]) {
                add_dense_roots::<$width>(codes, words, bins, out);
            }
        }
    )*};
}

roots! {
    4 sparse_roots_4 dense_roots_4
    6 sparse_roots_6 dense_roots_6
    8 sparse_roots_8 dense_roots_8
    10 sparse_roots_10 dense_roots_10
    12 sparse_roots_12 dense_roots_12
}
