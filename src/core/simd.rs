//! The one fenced place for `unsafe`: compiling a hot loop twice or thrice and taking the widest one where the processor has it, and
//! asking for memory ahead of its use.
//!
//! Both versions give the same bits: the loop is compiled from the same source, floating-point operations are never
//! reordered or fused by the compiler, and sums are written over a fixed number of lanes ([`LANES`]) that fits every
//! register width. Hot loops must not use `mul_add`, nor functions of the platform's maths library.

/// Lanes that sums of f32 run in, whatever the width of the machine's registers.
pub(crate) const LANES: usize = 16;

/// Whether the processor has AVX2; in tests, unless [`narrowed`] denies it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn has_avx2() -> bool {
    let has = std::arch::is_x86_feature_detected!("avx2");
    #[cfg(test)]
    let has = has && narrowed::level() > 0;
    has
}

/// Whether it has AVX-512 as processors do since 2019 or 2022: with bytes, double words, short vectors and sums of products.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn has_avx512() -> bool {
    use std::arch::is_x86_feature_detected as detected;
    let parts = detected!("avx512f") && detected!("avx512bw") && detected!("avx512dq") && detected!("avx512vl");
    let has = parts && detected!("avx512vnni");
    #[cfg(test)]
    let has = has && narrowed::level() > 1;
    has && has_avx2()
}

/// Lets a test see what a lesser processor would compute.
#[cfg(all(test, target_arch = "x86_64"))]
pub(crate) mod narrowed {
    use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

    static LEVEL: AtomicU8 = AtomicU8::new(2);

    pub(super) fn level() -> u8 {
        LEVEL.load(SeqCst)
    }

    /// What `work` gives with the baseline (0), AVX2 (1) or AVX-512 (2) at most, on any thread. Other tests may run beside
    /// it: their results do not change.
    pub(crate) fn to<R>(most: u8, work: impl FnOnce() -> R) -> R {
        LEVEL.store(most, SeqCst);
        let result = work();
        LEVEL.store(2, SeqCst);
        result
    }

    /// What `work` gives without AVX2.
    pub(crate) fn to_baseline<R>(work: impl FnOnce() -> R) -> R {
        to(0, work)
    }
}

/// Defines a function whose body is compiled for the baseline and, on x86-64, for AVX2 too; with `widest:` before it for
/// AVX-512 as well, which pays for arithmetic on f64 and not where loops wait for memory.
///
/// Works for plain functions without generics. Dispatch costs about a nanosecond: wrap a whole block of work.
macro_rules! multiversion {
    (widest: $(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn widest($($arg: $ty),*) $(-> $ret)? $body
                if $crate::core::simd::has_avx512() {
                    // SAFETY: `widest` is a safe function but for its need of AVX-512, which was just detected.
                    #[allow(unsafe_code)]
                    return unsafe { widest($($arg),*) };
                }
            }
            $crate::core::simd::multiversion! {
                fn narrower($($arg: $ty),*) $(-> $ret)? $body
            }
            narrower($($arg),*)
        }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                fn wide($($arg: $ty),*) $(-> $ret)? {
                    body($($arg),*)
                }
                if $crate::core::simd::has_avx2() {
                    // SAFETY: `wide` is a safe function but for its need of AVX2, which was just detected.
                    #[allow(unsafe_code)]
                    return unsafe { wide($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use multiversion;

/// Asks for an item that is wanted a little later, so that its cache miss is over by then. Changes no result.
#[inline(always)]
pub(crate) fn prefetch<T>(items: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that reads nothing and faults at no address; every x86-64 processor has it.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(items.as_ptr().wrapping_add(index).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, index);
}

/// The places of the bits that are set, rising; 32 to a word. Loops over lanes say by bits which of them go on.
pub(crate) struct Ones<'a> {
    words: std::slice::Iter<'a, u32>,
    /// What is left of the word under way, and the place of its first bit.
    left: u32,
    base: usize,
}

impl<'a> Ones<'a> {
    pub(crate) fn of(words: &'a [u32]) -> Self {
        Ones { words: words.iter(), left: 0, base: 0usize.wrapping_sub(32) }
    }
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.left = *self.words.next()?;
            self.base = self.base.wrapping_add(32);
        }
        let place = self.base + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(place)
    }
}

/// Defines a function by versions that are written out: one for any machine but x86-64, and there for its baseline, for AVX2
/// and for AVX-512 (avx512f, avx512vnni), each marked with the features that it needs. They must give the same bits.
macro_rules! widest {
    (
        $(#[$meta:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?);
        $plain:path, $narrow:path, $wide:path, $widest:path
    ) => {
        $(#[$meta])*
        fn $name($($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the versions are safe functions but for the features they need: these were just detected, and SSE2 is
            // part of x86-64.
            #[allow(unsafe_code)]
            unsafe {
                if $crate::core::simd::has_avx512() {
                    $widest($($arg),*)
                } else if $crate::core::simd::has_avx2() {
                    $wide($($arg),*)
                } else {
                    $narrow($($arg),*)
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            $plain($($arg),*)
        }
    };
}
pub(crate) use widest;

/// Adds up lanes in one fixed order: halves onto halves.
#[inline(always)]
pub(crate) fn fold_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum over i of f(a_i, b_i) in [`LANES`] lanes; for use inside a `multiversion!` body.
#[inline(always)]
pub(crate) fn sum_lanes(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut lanes = [0.0f32; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (x, y) in whole_a.iter().zip(whole_b) {
        for i in 0..LANES {
            lanes[i] += f(x[i], y[i]);
        }
    }
    for (i, (&x, &y)) in rest_a.iter().zip(rest_b).enumerate() {
        lanes[i] += f(x, y);
    }
    fold_lanes(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    multiversion! {
        fn dot(a: &[f32], b: &[f32]) -> f32 {
            sum_lanes(a, b, |x, y| x * y)
        }
    }

    #[test]
    fn bits_that_are_set_are_found_in_order() {
        assert_eq!(Ones::of(&[]).next(), None);
        assert_eq!(Ones::of(&[0, 0]).next(), None);
        assert_eq!(Ones::of(&[1 | 1 << 31, 0, 6]).collect::<Vec<_>>(), [0, 31, 65, 66]);
    }

    #[test]
    fn wide_and_baseline_sums_have_the_same_bits() {
        for n in [0, 1, 15, 16, 17, 784, 1001] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.11).cos()).collect();
            // Called outside `multiversion!`, the same body is compiled for the baseline.
            assert_eq!(dot(&a, &b).to_bits(), sum_lanes(&a, &b, |x, y| x * y).to_bits());
            let exact: f64 = a.iter().zip(&b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            assert!((f64::from(dot(&a, &b)) - exact).abs() < 1e-4);
        }
    }
}
