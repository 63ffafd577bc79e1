//! Reading the IDX files of MNIST.

use ndarray::Array2;
use recluster::{Error, Result};
use std::io::Read;
use std::path::Path;

/// Pixels of a side of each image.
pub(crate) const WIDTH: usize = 28;

/// The 60,000 training digits followed by the 10,000 test digits, the first `most` of them.
pub(crate) fn read_mnist(folder: &Path, most: usize) -> Result<(Array2<f32>, Vec<i32>)> {
    let (mut pixels, mut digits) = (Vec::new(), Vec::new());
    for part in ["train", "t10k"] {
        pixels.extend(read_idx(folder, &format!("{part}-images-idx3-ubyte"), 16)?);
        digits.extend(read_idx(folder, &format!("{part}-labels-idx1-ubyte"), 8)?);
    }
    let rows = digits.len().min(pixels.len() / (WIDTH * WIDTH)).min(most);
    let image = |(row, column): (usize, usize)| f32::from(pixels[row * WIDTH * WIDTH + column]);
    Ok((Array2::from_shape_fn((rows, WIDTH * WIDTH), image), digits[..rows].iter().map(|&d| i32::from(d)).collect()))
}

/// The bytes of an IDX file behind its header; the file may be packed with gzip.
fn read_idx(folder: &Path, name: &str, header: usize) -> Result<Vec<u8>> {
    let (plain, packed) = (folder.join(name), folder.join(format!("{name}.gz")));
    let mut bytes = Vec::new();
    if plain.exists() {
        bytes = std::fs::read(&plain).map_err(|e| Error::io(&plain, e))?;
    } else {
        let file = std::fs::File::open(&packed).map_err(|e| Error::io(&packed, e))?;
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).map_err(|e| Error::io(&packed, e))?;
    }
    if bytes.len() < header {
        return Err(Error::Format { format: "IDX file", reason: format!("{name} has {} bytes", bytes.len()) });
    }
    Ok(bytes.split_off(header))
}
