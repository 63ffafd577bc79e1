//! A strip of images: average members and typical rows of clusters whose rows are images.

use super::colour;
use super::raster::Picture;
use super::svg::{SIZE, Svg, at, mismatch};
use super::text;
use crate::report::text::{Text, words};
use crate::{Error, Result};
use maud::html;

/// Longer side of an image, the gap between two, and the height of a caption's line.
const SIDE: f64 = 96.0;
const GAP: f64 = 12.0;
const CAPTION: f64 = 20.0;
/// Baseline of a caption below its image, and its least width as a part of the side.
const CAPTION_BASELINE: f64 = 15.0;
const CAPTION_WIDE: f64 = 0.75;
/// Images beside each other.
const ACROSS: usize = 8;

/// Images of one size in a strip, wrapped after eight, each with a caption.
///
/// ```
/// use recluster::report::charts::ImageStrip;
/// let strip = ImageStrip::new(2, [("round", vec![0.0, 1.0, 1.0, 0.0]), ("flat", vec![0.0, 0.0, 1.0, 1.0])]).draw()?;
/// assert!(strip.to_string().contains("round"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ImageStrip {
    across: usize,
    images: Vec<(String, Vec<f64>)>,
    signed: bool,
}

impl ImageStrip {
    /// Images of `width` pixels a line, with captions. All have one scale: the lowest value is white, the highest near black,
    /// and what is not finite is in between.
    pub fn new(width: usize, images: impl IntoIterator<Item = (impl Into<String>, Vec<f64>)>) -> Self {
        let images = images.into_iter().map(|(caption, pixels)| (caption.into(), pixels)).collect();
        ImageStrip { across: width, images, signed: false }
    }

    /// Draws differences: below 0 blue, 0 white, above 0 orange, up to the largest absolute value of all images.
    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }

    /// The chart in English. O(pixels).
    ///
    /// # Errors
    /// [`Error::Empty`] without images or pixels, [`Error::Shape`] when an image's pixels do not fill whole lines or two
    /// images have different sizes.
    pub fn draw(&self) -> Result<Svg> {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    ///
    /// # Errors
    /// Those of [`draw`](ImageStrip::draw).
    pub fn draw_in(&self, text: &Text) -> Result<Svg> {
        let lines = self.lines()?;
        let unit = SIDE / self.across.max(lines) as f64;
        let (wide, tall) = (unit * self.across as f64, unit * lines as f64);
        let captions = self.images.iter().any(|(caption, _)| !caption.is_empty());
        let (step_x, step_y) = (
            wide.max(if captions { CAPTION_WIDE * SIDE } else { 0.0 }) + GAP,
            tall + GAP + if captions { CAPTION } else { 0.0 },
        );
        let columns = self.images.len().min(ACROSS);
        let pictures =
            self.images.iter().map(|(_, pixels)| self.picture(pixels).address()).collect::<Result<Vec<_>>>()?;
        let marks = html! {
            @for (i, (address, (caption, _))) in pictures.iter().zip(&self.images).enumerate() {
                @let (x, y) = ((i % columns) as f64 * step_x, (i / columns) as f64 * step_y);
                image x=(at(x)) y=(at(y)) width=(at(wide)) height=(at(tall)) preserveAspectRatio="none" style="image-rendering:pixelated" href=(address) {}
                text x=(at(x)) y=(at(y + tall + CAPTION_BASELINE)) { (text::fit(caption, SIZE, step_x - GAP)) }
            }
        };
        let size = (columns as f64 * step_x - GAP, self.images.len().div_ceil(columns) as f64 * step_y - GAP);
        let names: Vec<String> = self
            .images
            .iter()
            .map(|(caption, _)| text::cut(caption, text::SAID_SHORT))
            .filter(|name| !name.is_empty())
            .collect();
        let what = match self.signed {
            true => words!(text, "chart.differences", n = self.images.len()),
            false => words!(text, "chart.images", n = self.images.len()),
        };
        let list = names.join(&words!(text, "list.between"));
        let label = words!(text, "chart.label", what = what, list = list);
        Ok(Svg::new("images", size, label.trim_end_matches([':', ' ']), marks))
    }

    /// One image as a PNG, a pixel for each value.
    ///
    /// # Errors
    /// Those of [`draw`](ImageStrip::draw), and [`Error::Setting`] when there is no such image.
    pub fn png(&self, image: usize) -> Result<Vec<u8>> {
        self.lines()?;
        let none = || Error::setting("image", image, "the number of an image");
        self.picture(&self.images.get(image).ok_or_else(none)?.1).png()
    }

    /// Lines of each image.
    fn lines(&self) -> Result<usize> {
        let pixels = self.images.first().map_or(0, |(_, pixels)| pixels.len());
        if pixels == 0 || self.across == 0 {
            return Err(Error::Empty { what: "the image", rows: pixels, columns: self.across });
        }
        if !pixels.is_multiple_of(self.across) {
            return Err(mismatch("pixels in whole lines", pixels.next_multiple_of(self.across), pixels));
        }
        match self.images.iter().find(|(_, own)| own.len() != pixels) {
            Some((_, own)) => Err(mismatch("pixels, as many in each image", pixels, own.len())),
            None => Ok(pixels / self.across),
        }
    }

    fn picture(&self, pixels: &[f64]) -> Picture {
        let (low, high) = super::scale::range(self.images.iter().flat_map(|(_, pixels)| pixels.iter().copied()));
        if self.signed {
            let most = low.abs().max(high.abs()).max(1e-300);
            return Picture::of(pixels, self.across, |v| colour::against_to_for(v / most));
        }
        Picture::of(pixels, self.across, |v| colour::ink(if high > low { (v - low) / (high - low) } else { 0.0 }))
    }
}
