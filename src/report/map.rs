//! Maps and images as drawings of their own, for the report and for any other page.

use super::colour;
use super::raster::{self, Picture};
use crate::{Error, Result};
use maud::{Markup, html};
use ndarray::{ArrayRef2, ArrayView2};

/// The map of an embedding (rows x components, of which the first two are drawn) as an SVG: a dot for each row, coloured
/// by its label and numbered in the middle of each label's dots; -1 is light grey.
///
/// # Errors
/// [`Error::Empty`] without rows or columns, [`Error::Shape`] when there is not one label for each row, and
/// [`Error::NotFinite`].
///
/// ```
/// let svg = recluster::report::map_svg(&ndarray::array![[0.0f32, 0.0], [1.0, 2.0]], &[0, 1])?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn map_svg(embedding: &ArrayRef2<f32>, labels: &[i32]) -> Result<String> {
    let (rows, columns) = embedding.dim();
    if rows == 0 || columns == 0 {
        return Err(Error::Empty { what: "the embedding", rows, columns });
    }
    if labels.len() != rows {
        return Err(Error::Shape { what: "labels, one for each row", expected: rows, found: labels.len() });
    }
    if let Some(((row, column), &value)) = embedding.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite { what: "the embedding", row, column, value });
    }
    Ok(drawing(embedding, labels, 860, "Map")?.into_string())
}

/// An image of `width` pixels a line as an SVG, the lowest value white, the highest black.
///
/// # Errors
/// [`Error::Shape`] when the pixels do not fill whole lines, [`Error::Empty`] without pixels.
pub fn image_svg(pixels: &[f64], width: usize) -> Result<String> {
    if pixels.is_empty() || width == 0 {
        return Err(Error::Empty { what: "the image", rows: pixels.len(), columns: width });
    }
    if !pixels.len().is_multiple_of(width) {
        let expected = pixels.len().next_multiple_of(width);
        return Err(Error::Shape { what: "pixels in whole lines", expected, found: pixels.len() });
    }
    let (low, high) = pixels.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let picture = Picture::of(pixels, width, |v| colour::ink(if high > low { (v - low) / (high - low) } else { 0.0 }));
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", picture.width, picture.height)) role="img" {
            image width=(picture.width) height=(picture.height) style="image-rendering:pixelated" href=(picture.address()?) {}
        }
    };
    Ok(drawn.into_string())
}

/// A map `width` pixels wide, with `label` for those who cannot see it.
pub(super) fn drawing(embedding: &ArrayRef2<f32>, labels: &[i32], width: usize, label: &str) -> Result<Markup> {
    let embedding: ArrayView2<'_, f32> = embedding.view();
    let axis = |row: usize, axis: usize| embedding.get((row, axis)).copied().unwrap_or(0.0);
    let points: Vec<(f32, f32)> = (0..embedding.nrows()).map(|row| (axis(row, 0), axis(row, 1))).collect();
    let places = raster::place(&points, width);
    let picture = raster::map(&places, labels);
    let text = 0.03 * width as f32 + 8.0;
    let medians = medians(&places.points, labels);
    Ok(html! {
        svg class="map" xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", places.width, places.height)) role="img" aria-label=(label) {
            image width=(places.width) height=(places.height) href=(picture.address()?) {}
            @for (cluster, (x, y)) in medians {
                text x=(format!("{x:.1}")) y=(format!("{:.1}", y + 0.36 * text)) fill="#14181f" stroke="#fff" paint-order="stroke"
                    text-anchor="middle" style=(format!("font:700 {text:.0}px system-ui,sans-serif;stroke-width:{:.0}px", text / 4.0)) { (cluster) }
            }
        }
    })
}

/// The middle of each cluster's points, by its number: the median of each coordinate.
fn medians(points: &[(f32, f32)], labels: &[i32]) -> Vec<(i32, (f32, f32))> {
    let mut labelled: Vec<(i32, (f32, f32))> =
        labels.iter().copied().zip(points.iter().copied()).filter(|(label, _)| *label >= 0).collect();
    labelled.sort_by_key(|(label, _)| *label);
    let middle = |cluster: &[(i32, (f32, f32))], pick: fn((f32, f32)) -> f32| {
        let mut all: Vec<f32> = cluster.iter().map(|&(_, point)| pick(point)).collect();
        all.sort_by(f32::total_cmp);
        all[all.len() / 2]
    };
    let clusters = labelled.chunk_by(|a, b| a.0 == b.0);
    clusters.map(|cluster| (cluster[0].0, (middle(cluster, |p| p.0), middle(cluster, |p| p.1)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_its_own_for_each_label_is_drawn_as_quickly_as_one_label() {
        // Quadratic in the labels, this would look at 90,000,000,000 pairs.
        let n = 300_000;
        let points: Vec<(f32, f32)> = (0..n).map(|i| (i as f32, (n - i) as f32)).collect();
        let labels: Vec<i32> = (0..n).map(|i| (n - 1 - i) as i32).collect();
        let found = medians(&points, &labels);
        assert!(found.iter().enumerate().all(|(i, &(label, at))| label == i as i32 && at == points[n - 1 - i]));
        assert_eq!(found.len(), n);
        let three = [(0.0, 5.0), (2.0, 1.0), (1.0, 3.0), (9.0, 9.0)];
        assert_eq!(medians(&three, &[4, 4, 4, -1]), [(4, (1.0, 3.0))]);
    }
}
