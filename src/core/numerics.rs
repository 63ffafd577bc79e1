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
    let clamped = if x > 709.0 {
        709.0
    } else if x < -708.0 {
        -708.0
    } else {
        x
    };
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

/// e^x in f32, to about 2e-7 relative. Below -87 it is 0, above 88 it is capped at e^88.
#[inline(always)]
pub(crate) fn exp_f32(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 x 2^23
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if x > 88.0 {
        88.0
    } else if x < -87.0 {
        -87.0
    } else {
        x
    };
    let shifted = clamped * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let mut sum = 1.0 / 5_040.0;
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = sum * r + 1.0 / factorial;
    }
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { sum * power }
}

/// ln x in f32 for normal x > 0, to about 1e-7 absolute near 1 and relative elsewhere.
///
/// x = 2^e m with m in [sqrt 1/2, sqrt 2); ln m = 2 artanh(s), s = (m - 1) / (m + 1), by its odd series to s^11.
#[inline(always)]
pub(crate) fn ln_f32(x: f32) -> f32 {
    let bits = x.to_bits();
    // Adding the distance from sqrt(1/2) to 1 in bits makes the exponent round at sqrt(2).
    let moved = bits.wrapping_add(0x3f80_0000 - 0x3f35_04f3);
    let e = (moved >> 23) as i32 - 127;
    let m = f32::from_bits((moved & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let series = ((((z / 11.0 + 1.0 / 9.0) * z + 1.0 / 7.0) * z + 1.0 / 5.0) * z + 1.0 / 3.0) * z;
    let e = e as f32;
    e * 0.693_359_4 + (2.0 * s + (2.0 * s * series + e * -2.121_944_4e-4))
}

/// x^y in f32 for normal x > 0, to about 1e-6 relative while |y ln x| stays below 20.
#[inline(always)]
pub(crate) fn pow_f32(x: f32, y: f32) -> f32 {
    exp_f32(y * ln_f32(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_stay_within_their_errors() {
        for i in -70_000..70_000 {
            let x = i as f64 * 0.01;
            assert!((exp(x) / libm::exp(x) - 1.0).abs() < 2e-15, "exp({x})");
            let x = (i as f64 * 0.001) as f32;
            assert!((f64::from(exp_f32(x)) / libm::exp(f64::from(x)) - 1.0).abs() < 4e-7, "exp_f32({x})");
        }
        for i in 1..100_000 {
            let x = i as f32 * i as f32 * 1e-4;
            let ln = libm::log(f64::from(x));
            assert!((f64::from(ln_f32(x)) - ln).abs() < 2e-7 * ln.abs().max(0.7), "ln_f32({x})");
            let pow = libm::pow(f64::from(x), 0.79);
            assert!((f64::from(pow_f32(x, 0.79)) / pow - 1.0).abs() < 2e-6, "pow_f32({x})");
        }
        assert_eq!((exp(0.0), exp_f32(0.0), ln_f32(1.0)), (1.0, 1.0, 0.0));
        assert_eq!((exp(-1e9), exp_f32(-1e9)), (0.0, 0.0));
        assert!(exp(1e9).is_finite() && exp_f32(1e9).is_finite() && sigmoid(-1e9) == 0.0 || sigmoid(-1e9) < 1e-300);
        assert_eq!(sigmoid(1e9), 1.0);
    }
}
