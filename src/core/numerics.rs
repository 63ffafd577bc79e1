//! Elementary functions of our own for hot loops: branch-free, so that loops over them vectorise, and made of additions
//! and multiplications in a fixed order, so that every machine gives the same bits. Cold code uses the crate `libm`,
//! which is plain Rust and so just as reproducible; the standard library's `exp`, `ln` and `powf` are not.

/// e^x in f64, to about 1e-15 relative. Below -708 it is 0, above 709 it is capped at e^709.
///
/// Range reduction x = n ln 2 + r with |r| <= ln 2 / 2, then the Taylor series of e^r to degree 13, whose remainder
/// there is below 5e-18.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0; // 1.5 x 2^52: adding it rounds to an integer
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let clamped = x.clamp(-708.0, 709.0);
    let shifted = clamped * std::f64::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let mut sum = 1.0 / 6_227_020_800.0;
    for factorial in
        [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0]
    {
        sum = sum * r + 1.0 / factorial;
    }
    // The low bits of the shifted value hold n as an integer; 2^n is built from its exponent bits.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x < -708.0 { 0.0 } else { sum * power }
}

/// 1 / (1 + e^-x), to about 1e-15; never NaN for finite x.
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_stay_within_their_errors() {
        for i in -70_000..70_000 {
            let x = i as f64 * 0.01;
            assert!((exp(x) / libm::exp(x) - 1.0).abs() < 2e-15, "exp({x})");
        }
        assert_eq!((exp(0.0), exp(-1e9)), (1.0, 0.0));
        assert!(exp(1e9).is_finite() && sigmoid(-1e9) < 1e-300);
        assert_eq!(sigmoid(1e9), 1.0);
    }
}
