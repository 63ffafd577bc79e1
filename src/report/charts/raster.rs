//! Pictures made of pixels, as PNG inside a data address.

use super::colour::{self, Rgb};
use crate::{Error, Result};
use base64::Engine;

/// A picture, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Picture {
    pub(in crate::report) width: usize,
    pub(in crate::report) height: usize,
    /// width x height colours.
    pub(in crate::report) pixels: Vec<Rgb>,
    /// How solid each pixel is, 0 to 255; none where all are.
    pub(in crate::report) solid: Option<Vec<u8>>,
}

impl Picture {
    /// One pixel for each value.
    pub(in crate::report) fn of(values: &[f64], width: usize, colour: impl Fn(f64) -> Rgb) -> Self {
        let width = width.max(1);
        let pixels = values.iter().map(|&v| colour(v)).collect();
        Picture { width, height: values.len() / width, pixels, solid: None }
    }

    /// The picture as the address of an `img`.
    ///
    /// # Errors
    /// [`Error::Format`] when it has no pixels or too many.
    pub(in crate::report) fn address(&self) -> Result<String> {
        Ok(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(self.png()?)))
    }

    /// The picture as a PNG.
    ///
    /// # Errors
    /// [`Error::Format`] when it has no pixels or too many.
    pub(in crate::report) fn png(&self) -> Result<Vec<u8>> {
        let bad = |e: png::EncodingError| Error::Format { format: "picture", reason: e.to_string() };
        let side =
            |n: usize| u32::try_from(n).map_err(|_| Error::Format { format: "picture", reason: "too wide".into() });
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width)?, side(self.height)?);
        encoder.set_color(if self.solid.is_some() { png::ColorType::Rgba } else { png::ColorType::Rgb });
        encoder.set_compression(png::Compression::Balanced);
        let mut writer = encoder.write_header().map_err(bad)?;
        match &self.solid {
            None => writer.write_image_data(self.pixels.as_flattened()).map_err(bad)?,
            Some(solid) => {
                let all = self.pixels.iter().zip(solid).map(|(&[r, g, b], &a)| [r, g, b, a]).collect::<Vec<_>>();
                writer.write_image_data(all.as_flattened()).map_err(bad)?;
            }
        }
        writer.finish().map_err(bad)?;
        Ok(bytes)
    }
}

/// Where the points of a map lie.
#[derive(Clone, Debug)]
pub(in crate::report) struct Places {
    pub(in crate::report) width: usize,
    pub(in crate::report) height: usize,
    /// x, y of each point in pixels, y downwards.
    pub(in crate::report) points: Vec<(f32, f32)>,
    /// Radius of a point in pixels.
    pub(in crate::report) radius: f32,
}

/// Fits points into a picture `width` pixels wide: one scale for both axes, a margin around.
pub(in crate::report) fn place(points: &[(f32, f32)], width: usize) -> Places {
    let span = |pick: fn(&(f32, f32)) -> f32| {
        let (low, high) = points.iter().map(pick).fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
        // Halves first: the whole difference of two large numbers may not be a number.
        if points.is_empty() { (0.0, 0.0) } else { (0.5 * low + 0.5 * high, (0.5 * high - 0.5 * low).max(0.0)) }
    };
    let ((x0, half_x), (y0, half_y)) = (span(|p| p.0), span(|p| p.1));
    let margin = MARGIN;
    let room = width as f32 / 2.0 - margin;
    // A picture of one point, or of points on a line, still has a height.
    let flat = half_y / half_x.max(f32::MIN_POSITIVE);
    let (room_y, scale) = if half_x > 0.0 && flat <= 1.0 {
        (room * flat.max(0.45), room / half_x)
    } else if half_y > 0.0 {
        (room, room / half_y)
    } else {
        (room * 0.45, 0.0)
    };
    let height = (2.0 * (room_y + margin)).ceil() as usize;
    let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
    // Upwards is up, as in every chart.
    let points: Vec<(f32, f32)> = points.iter().map(|&(x, y)| (cx + (x - x0) * scale, cy - (y - y0) * scale)).collect();
    let radius = radius(&points, width as f32, height as f32);
    Places { width, height, points, radius }
}

/// Around the points of a map, in pixels.
const MARGIN: f32 = 16.0;

/// The radius at which points about cover the places that have any, so that tight clusters do not run into one blot.
fn radius(points: &[(f32, f32)], width: f32, height: f32) -> f32 {
    const CELLS: usize = 64;
    let mut taken = vec![false; CELLS * CELLS];
    let cell = |part: f32| ((part * CELLS as f32) as usize).min(CELLS - 1);
    points.iter().for_each(|&(x, y)| taken[cell(y / height) * CELLS + cell(x / width)] = true);
    let share = taken.iter().filter(|&&taken| taken).count() as f32 / taken.len() as f32;
    (0.6 * (share * width * height / points.len().max(1) as f32).sqrt()).clamp(1.6, 5.0)
}

/// A map of points coloured by cluster, noise in light grey, on white.
pub(in crate::report) fn map(places: &Places, labels: &[i32]) -> Picture {
    let strength = |label: i32| if label < 0 { 200 } else { 255 };
    let picture = dots(places, |i| labels.get(i).map(|&label| (colour::cluster(label), strength(label))));
    let solid = picture.solid.unwrap_or_default();
    let on_white = |(&colour, &solid): (&Rgb, &u8)| {
        colour.map(|part| 255 - ((u32::from(255 - part) * u32::from(solid) + 127) / 255) as u8)
    };
    Picture { pixels: picture.pixels.iter().zip(&solid).map(on_white).collect(), solid: None, ..picture }
}

/// Points in their own colours and strengths (255 in full), on nothing; those without a colour are left out.
///
/// Each pixel takes the mean colour of the points over it, and the more solidly the more they are, so that dense and
/// thin places look different and no cluster hides another. Sums of whole numbers: the order of points does not matter.
pub(in crate::report) fn dots(places: &Places, colour_of: impl Fn(usize) -> Option<(Rgb, u64)>) -> Picture {
    let Places { width, height, radius, .. } = *places;
    // Coverage in 1/255, weighted; red, green, blue sums.
    let mut sums = vec![[0u64; 4]; width * height];
    for (i, &(x, y)) in places.points.iter().enumerate() {
        let Some((colour, strength)) = colour_of(i) else { continue };
        let ([r, g, b], strength) = (colour.map(u64::from), strength as f32);
        let reach = radius + 1.0;
        let range = |centre: f32, size: usize| {
            let low = (centre - reach).floor().max(0.0) as usize;
            low..(((centre + reach).ceil().max(0.0) as usize) + 1).min(size)
        };
        for row in range(y, height) {
            for column in range(x, width) {
                let (dx, dy) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                // The disc's edge falls off over one pixel.
                let cover = (radius + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
                let weight = (cover * strength) as u64;
                let sum = &mut sums[row * width + column];
                for (sum, part) in sum.iter_mut().zip([weight, weight * r, weight * g, weight * b]) {
                    *sum += part;
                }
            }
        }
    }
    let full = fullest(&sums);
    let mean = |&[weight, r, g, b]: &[u64; 4]| [r, g, b].map(|sum| (sum as f64 / weight.max(1) as f64 + 0.5) as u8);
    let cover = |sum: &[u64; 4]| {
        if sum[0] == 0 { 0 } else { (255.0 * solid(sum[0] as f64 / 255.0, full) + 0.5) as u8 }
    };
    let (pixels, solid) = (sums.iter().map(mean).collect(), Some(sums.iter().map(cover).collect()));
    Picture { width, height, pixels, solid }
}

/// Points over a pixel where a map is at its fullest: the 99th percentile of the pixels that have any.
fn fullest(sums: &[[u64; 4]]) -> f64 {
    let mut weights: Vec<u64> = sums.iter().map(|sum| sum[0]).filter(|&weight| weight > 0).collect();
    if weights.is_empty() {
        return 1.0;
    }
    let place = (weights.len() - 1) * 99 / 100;
    *weights.select_nth_unstable(place).1 as f64 / 255.0
}

/// How solidly so many points over a pixel are drawn, where the fullest places have `full`: one point by 60 % where few
/// overlap, and by less the more do, in steps of equal ratios, so that a place with ten times the points looks different at
/// any number of rows.
fn solid(over: f64, full: f64) -> f64 {
    const LEAST: f64 = 0.3;
    const MOST: f64 = 0.97;
    // Less than half a point is the soft edge of one.
    let edge = if over < 1.0 { over.max(0.35).sqrt() } else { 1.0 };
    let few = 1.5 * over / (1.0 + 1.5 * over);
    let many = LEAST + (1.0 - LEAST) * libm::log1p(over) / libm::log1p(full.max(1.0));
    // From ten points a pixel on the second scale has it all; below two the first.
    let part = (libm::log2(full.max(1.0)) - 1.0) / 2.3;
    let part = part.clamp(0.0, 1.0);
    (((1.0 - part) * few + part * many) * edge).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fit_and_bad_shapes_do_no_harm() {
        for points in [vec![], vec![(1.0, 1.0)], vec![(0.0, 0.0), (0.0, 5.0)], vec![(-3e38, 0.0), (3e38, 1.0)]] {
            let places = place(&points, 200);
            assert_eq!(places.width, 200);
            assert!((80..=210).contains(&places.height), "{}", places.height);
            assert!(
                places.points.iter().all(|p| (0.0..=200.0).contains(&p.0) && p.1 >= 0.0 && p.1 <= places.height as f32)
            );
        }
        let places = place(&[(0.0, 0.0), (10.0, 10.0)], 100);
        assert!(places.points[0].1 > places.points[1].1, "upwards is up");
    }

    #[test]
    fn a_map_does_not_depend_on_the_order_of_points() {
        let points: Vec<(f32, f32)> = (0..300).map(|i| ((i * 37 % 101) as f32, (i * 53 % 97) as f32)).collect();
        let labels: Vec<i32> = (0..300).map(|i| i % 4 - 1).collect();
        let forward = map(&place(&points, 120), &labels);
        let back = map(
            &place(&points.iter().rev().copied().collect::<Vec<_>>(), 120),
            &labels.iter().rev().copied().collect::<Vec<_>>(),
        );
        assert_eq!(forward, back);
        assert!(forward.pixels.contains(&[255; 3]) && forward.pixels.iter().any(|p| p != &[255; 3]));
    }

    #[test]
    fn ten_times_the_points_look_denser_at_any_number_of_them() {
        for full in [1.0, 3.0, 30.0, 1e3, 1e6] {
            let shades: Vec<f64> = (0..=6).map(|power| solid(full / 10f64.powi(6 - power), full)).collect();
            assert!(shades.windows(2).all(|pair| pair[0] <= pair[1]), "{full}: {shades:?}");
            assert!(solid(full, full) > 0.55 && solid(1.0, full) >= 0.3, "{full}: {shades:?}");
            assert!(full < 30.0 || solid(full, full) - solid(full / 10.0, full) > 0.07, "{full}: {shades:?}");
        }
    }

    #[test]
    fn a_picture_can_be_read_back() {
        let picture = Picture::of(&[0.0, 1.0, 0.5, 0.0, 0.0, 1.0], 3, colour::ink);
        let address = picture.address().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(address.split_once(',').unwrap().1).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!((reader.info().width, reader.info().height), (3, 2));
        assert_eq!(pixels, picture.pixels.as_flattened());
        assert!(Picture { width: 0, height: 0, pixels: vec![], solid: None }.address().is_err());
    }
}
