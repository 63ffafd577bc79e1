//! The built-in data set: handwritten digits, for examples, tests and a first try (feature `digits`).

#[cfg(feature = "digits")]
use ndarray::Array2;

/// Handwritten digits and what they show.
#[cfg(feature = "digits")]
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Digits {
    /// 1,797 rows of 64 pixels, 8 x 8 row by row from the upper left; whole numbers from 0 (white) to 16 (black).
    pub images: Array2<f32>,
    /// The digit that each image shows, 0 to 9.
    pub labels: Vec<i32>,
}

/// The 1,797 handwritten digits of the UCI test set, in its order (the same as scikit-learn's `load_digits`).
///
/// Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
/// <https://doi.org/10.24432/C50P49>, CC BY 4.0. The file inside the crate has 40 KB and takes a millisecond to read.
///
/// ```
/// # #[cfg(feature = "digits")] {
/// let digits = recluster::data::digits();
/// assert_eq!(digits.images.dim(), (1797, 64));
/// assert_eq!(digits.labels[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
/// # }
/// ```
#[cfg(feature = "digits")]
#[allow(clippy::expect_used)]
pub fn digits() -> Digits {
    const ROWS: usize = 1797;
    const PIXELS: usize = 64;
    // These bytes are part of the crate, not input: the test below is what would find them damaged.
    let bytes = miniz_oxide::inflate::decompress_to_vec(include_bytes!("digits.bin")).expect("digits.bin is whole");
    let (labels, pixels) = bytes.split_at(ROWS);
    Digits {
        images: Array2::from_shape_fn((ROWS, PIXELS), |(i, j)| f32::from(pixels[j * ROWS + i])),
        labels: labels.iter().map(|&label| i32::from(label)).collect(),
    }
}

#[cfg(all(test, feature = "digits"))]
mod tests {
    #[test]
    fn digits_are_those_of_uci() {
        let super::Digits { images, labels } = super::digits();
        assert_eq!((images.dim(), labels.len()), ((1797, 64), 1797));
        assert!(images.is_standard_layout());
        // Sums weighted by place, printed by make_digits.py.
        let weighted = |rows: bool| -> i64 {
            images.indexed_iter().map(|((i, j), &v)| (if rows { i } else { j } + 1) as i64 * v as i64).sum()
        };
        assert_eq!(images.iter().map(|&v| v as i64).sum::<i64>(), 561_718);
        assert_eq!((weighted(true), weighted(false)), (503_904_265, 18_222_371));
        assert_eq!(labels.iter().zip(1i64..).map(|(&l, i)| i64::from(l) * i).sum::<i64>(), 7_272_861);
        let counts: Vec<usize> = (0..10).map(|d| labels.iter().filter(|&&l| l == d).count()).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }
}
