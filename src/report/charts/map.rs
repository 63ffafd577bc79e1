//! The map of an embedding: a dot for each row, in the colour of its cluster.

use super::colour::{self, hex};
use super::labels::{self, Dots, Label, Wanted};
use super::raster::{self, Picture, Places};
use super::svg::{PAPER, Svg, at, mismatch};
use super::text;
use crate::report::text::{Text, words};
use crate::{Error, Result};
use maud::{Markup, html};
use ndarray::ArrayRef2;
use std::collections::BTreeMap;

/// Rows above which the dots are pixels of a picture.
const MARKS: usize = 2000;
/// Paths for the dots of one colour.
const SHEETS: usize = 6;
/// Letters of a name on a map.
const LETTERS: usize = 26;
/// Size of a name's letters: a part of the map's width, and what is added to it; a part of it is the name's baseline from its
/// middle, the width of the seam around it, and that of the line to where it belongs.
const SIZE_OF_WIDTH: f64 = 0.03;
const SIZE_ADDED: f64 = 8.0;
/// Numbers are read from afar; names of more letters than this need room, and are smaller.
const SHORT: usize = 3;
const SIZE_OF_LONG: f64 = 0.62;
const BASELINE: f64 = 0.36;
const SEAM: f64 = 4.0;
const POINTER: f64 = 16.0;
/// Widths in pixels: usual, least and most.
const WIDTH: usize = 860;
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=8192;
/// Clusters that are put into words.
const SPOKEN: usize = 6;

/// The map of an embedding: a dot for each row, coloured by its label and named in the middle of each label's dots; rows
/// without a cluster are grey. Up to 2,000 rows the dots are drawn one by one, more as a picture within the SVG, whose shades
/// show how many rows lie in a place from a hundred rows to tens of millions.
///
/// ```
/// use ndarray::array;
/// use recluster::report::charts::Map;
/// let map = Map::new(&array![[0.0f32, 0.0], [1.0, 2.0], [1.1, 2.0]], &[0, 1, 1]).names(["few", "many"]).draw()?;
/// assert!(map.to_string().contains("many"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Map<'a> {
    embedding: &'a ArrayRef2<f32>,
    labels: &'a [i32],
    names: Vec<String>,
    width: usize,
}

impl<'a> Map<'a> {
    /// The first two columns of an embedding (rows x components), and a label for each row: 0, 1 and so on, -1 for none.
    pub fn new(embedding: &'a ArrayRef2<f32>, labels: &'a [i32]) -> Self {
        Map { embedding, labels, names: Vec::new(), width: WIDTH }
    }

    /// What the labels 0, 1 and so on are called on the map; by default, and for those past the last name, their numbers.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Width in pixels, 40 to 8192; by default 860. The height follows the embedding's shape.
    pub fn width(mut self, pixels: usize) -> Self {
        self.width = pixels;
        self
    }

    /// The chart in English. O(rows log rows) for the names' places.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows or columns, [`Error::Shape`] when there is not one label for each row,
    /// [`Error::NotFinite`], and [`Error::Setting`] for a width out of range.
    pub fn draw(&self) -> Result<Svg> {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    ///
    /// # Errors
    /// Those of [`draw`](Map::draw).
    pub fn draw_in(&self, text: &Text) -> Result<Svg> {
        let places = self.places()?;
        let frame = (places.width as f64, places.height as f64);
        let (wanted, dots) = (self.wanted(&places), self.dots(&places)?);
        let label = self.words(text, &wanted);
        let long = wanted.iter().any(|one| one.text.chars().count() > SHORT);
        let size = ((SIZE_OF_WIDTH * self.width as f64 + SIZE_ADDED) * if long { SIZE_OF_LONG } else { 1.0 }).round();
        let names = labels::place(wanted, size, frame, &Dots::new(&places.points, self.labels, frame));
        let marks = html! {
            rect class="plate" width=(places.width) height=(places.height) rx="6" fill=(PAPER) {}
            (dots)
            (written(&names, size))
        };
        Ok(Svg::new("map", frame, label, marks))
    }

    /// The dots alone as a PNG of the map's size, without names.
    ///
    /// # Errors
    /// Those of [`draw`](Map::draw).
    pub fn png(&self) -> Result<Vec<u8>> {
        raster::map(&self.places()?, self.labels).png()
    }

    fn places(&self) -> Result<Places> {
        let (rows, columns) = self.embedding.dim();
        if rows == 0 || columns == 0 {
            return Err(Error::Empty { what: "the embedding", rows, columns });
        }
        if self.labels.len() != rows {
            return Err(mismatch("labels, one for each row", rows, self.labels.len()));
        }
        if !WIDTHS.contains(&self.width) {
            return Err(Error::setting("width", self.width, "40 to 8192 pixels"));
        }
        if let Some(((row, column), &value)) = self.embedding.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { what: "the embedding", row, column, value });
        }
        let second = |row: usize| if columns > 1 { self.embedding[[row, 1]] } else { 0.0 };
        let points: Vec<(f32, f32)> = (0..rows).map(|row| (self.embedding[[row, 0]], second(row))).collect();
        Ok(raster::place(&points, self.width))
    }

    fn dots(&self, places: &Places) -> Result<Markup> {
        if self.labels.len() > MARKS {
            let picture: Picture = raster::map(places, self.labels);
            return Ok(html! { image width=(places.width) height=(places.height) href=(picture.address()?) {} });
        }
        // A few paths for each colour, grey below all; by place, so that the order of the rows does not matter. Dots of one
        // path do not darken each other where they overlap, so neighbours are in different ones.
        let mut of_colour: BTreeMap<(bool, colour::Rgb), Vec<(f32, f32)>> = BTreeMap::new();
        for (&label, &point) in self.labels.iter().zip(&places.points) {
            of_colour.entry((label >= 0, colour::cluster(label))).or_default().push(point);
        }
        of_colour.values_mut().for_each(|points| points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))));
        let path = |points: &[(f32, f32)], sheet: usize| {
            let own = points.iter().skip(sheet).step_by(SHEETS);
            own.map(|&(x, y)| format!("M{} {}h.01", at(x.into()), at(y.into()))).collect::<String>()
        };
        Ok(html! {
            g fill="none" stroke-linecap="round" stroke-width=(at(2.0 * f64::from(places.radius))) stroke-opacity="0.5" {
                @for ((_, colour), points) in of_colour {
                    @for sheet in 0..SHEETS.min(points.len()) { path stroke=(hex(colour)) d=(path(&points, sheet)) {} }
                }
            }
        })
    }

    fn wanted(&self, places: &Places) -> Vec<Wanted> {
        let name = |label: i32| match self.names.get(label as usize) {
            Some(name) => text::cut(name, LETTERS),
            None => label.to_string(),
        };
        let middles = middles(&places.points, self.labels).into_iter();
        let wanted = |Middle { label, at: (x, y), reach, rows }: Middle| Wanted {
            text: name(label),
            label,
            x: x.into(),
            y: y.into(),
            reach: (reach.0.into(), reach.1.into()),
            rows,
        };
        middles.map(wanted).collect()
    }

    fn words(&self, text: &Text, names: &[Wanted]) -> String {
        let mut largest: Vec<&Wanted> = names.iter().collect();
        largest.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.text.cmp(&b.text)));
        let said =
            largest.iter().take(SPOKEN).map(|one| format!("{} ({})", one.text, words!(text, "rows", n = one.rows)));
        let list = said.collect::<Vec<_>>().join(&words!(text, "list.between"));
        let (rows, clusters) = (words!(text, "rows", n = self.labels.len()), words!(text, "clusters", n = names.len()));
        words!(text, "chart.map", rows = rows, clusters = clusters, list = list)
    }
}

/// Names with a line to where they belong if they had to move.
fn written(labels: &[Label], size: f64) -> Markup {
    html! {
        @for Label { text, x, y, from } in labels {
            @if let Some((fx, fy)) = from {
                line x1=(at(*fx)) y1=(at(*fy)) x2=(at(*x)) y2=(at(*y)) stroke="#14181f" stroke-width=(at(size / POINTER)) {}
            }
            text class="label" x=(at(*x)) y=(at(y + BASELINE * size)) fill="#14181f" stroke="#fff" paint-order="stroke" stroke-linejoin="round"
                text-anchor="middle" style=(format!("font-weight:700;font-size:{size:.0}px;stroke-width:{:.0}px", size / SEAM)) { (text) }
        }
    }
}

/// Where a cluster lies.
#[derive(Debug, PartialEq)]
struct Middle {
    label: i32,
    /// The median of each coordinate.
    at: (f32, f32),
    /// How far nine in ten of the points lie from there at most, in each coordinate.
    reach: (f32, f32),
    rows: usize,
}

/// The middle of each cluster's points, by the cluster's number.
fn middles(points: &[(f32, f32)], labels: &[i32]) -> Vec<Middle> {
    let mut labelled: Vec<(i32, (f32, f32))> =
        labels.iter().copied().zip(points.iter().copied()).filter(|(label, _)| *label >= 0).collect();
    labelled.sort_by_key(|(label, _)| *label);
    let middle = |cluster: &[(i32, (f32, f32))], pick: fn((f32, f32)) -> f32| {
        let mut all: Vec<f32> = cluster.iter().map(|&(_, point)| pick(point)).collect();
        all.sort_by(f32::total_cmp);
        let middle = all[all.len() / 2];
        all.iter_mut().for_each(|x| *x = (*x - middle).abs());
        all.sort_by(f32::total_cmp);
        (middle, all[(all.len() - 1) * 9 / 10])
    };
    let of = |own: &[(i32, (f32, f32))]| {
        let ((x, across), (y, along)) = (middle(own, |p| p.0), middle(own, |p| p.1));
        Middle { label: own[0].0, at: (x, y), reach: (across, along), rows: own.len() }
    };
    labelled.chunk_by(|a, b| a.0 == b.0).map(of).collect()
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
        let found = middles(&points, &labels);
        assert!(found.iter().enumerate().all(|(i, own)| own.label == i as i32 && own.at == points[n - 1 - i]));
        assert_eq!(found.len(), n);
        let three = [(0.0, 5.0), (2.0, 1.0), (1.0, 3.0), (9.0, 9.0)];
        assert_eq!(middles(&three, &[4, 4, 4, -1]), [Middle { label: 4, at: (1.0, 3.0), reach: (1.0, 2.0), rows: 3 }]);
    }
}
