//! Dependence: what each value of a feature adds, row by row.

use super::axes::{BELOW, BESIDE, Field};
use super::beeswarm::{class_of, colour_of, legend, shade};
use super::colour::hex;
use super::raster::{self, Places};
use super::scale::{Scale, range};
use super::svg::{AXIS, LINE, SMALL, SOFT, Svg, at, mismatch};
use super::text;
use crate::explain::Dependence;
use crate::report::statistics::{ends, places};
use crate::report::text::{Text, words};
use crate::{Error, Result};
use maud::{Markup, html};

/// The field's size, the room for missing values to the left of it, and that of the legend.
const WIDE: f64 = 560.0;
const TALL: f64 = 330.0;
const MISSING: f64 = 44.0;
const LEGEND: f64 = 78.0;
/// The tallest bar of the histogram, and how many there are.
const BAR: f64 = 46.0;
const BARS: usize = 40;
/// A dot's diameter; rows above which the dots are pixels of a picture, which has so many pixels a unit.
const DOT: f64 = 4.6;
const MARKS: usize = 2000;
const FINE: f64 = 2.0;
/// Above the field; from its sides to the dots; right of it without a legend. About how many values its axes have.
const TOP: f64 = 8.0;
const WITHIN: f64 = 10.0;
const RIGHT: f64 = 10.0;
const TICKS: (f64, f64) = (8.0, 7.0);
/// Baseline of the word for missing values, which may be so much wider than their room; dots keep so far from the sides of it.
const MISSING_BASELINE: f64 = 16.0;
const MISSING_BEYOND: f64 = 8.0;
const MISSING_WITHIN: f64 = 8.0;
/// From the field to the legend, and from its upper and lower end.
const LEGEND_LEFT: f64 = 20.0;
const LEGEND_INSET: f64 = 30.0;
/// Between two bars of the histogram, and the least height of one; the least radius of a dot in a picture, in its pixels.
const BETWEEN: f64 = 0.6;
const LEAST_BAR: f64 = 0.8;
const LEAST_DOT: f32 = 1.6;
/// Characters of the feature's name.
const NAME: usize = 80;

/// A dependence plot: each row's value of a feature across, and what it adds to the output up; coloured by the feature that
/// changes this most. Grey bars below say how many rows there are; rows without a value stand to the left.
///
/// ```
/// # use ndarray::{Array1, Array3, array};
/// # use recluster::Explanation;
/// use recluster::{explain::dependence, report::charts::DependenceChart};
/// # let rows = array![[1.0f32, 0.0], [2.0, 1.0], [3.0, 0.0], [f32::NAN, 1.0]];
/// # let why = Explanation::new(Array3::from_shape_fn((4, 2, 1), |(i, f, _)| (i + f) as f64), Array1::zeros(1))?;
/// let found = dependence(&rows, &why, 0, 0)?;
/// let svg = DependenceChart::of(&found, "visits").partner("age", rows.column(1)).draw()?;
/// assert!(svg.to_string().contains("visits"));
/// # Ok::<(), recluster::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DependenceChart<'a> {
    found: &'a Dependence,
    name: String,
    partner: Option<(String, Vec<f64>)>,
}

impl<'a> DependenceChart<'a> {
    /// The dependence of a feature of this name.
    pub fn of(found: &'a Dependence, name: impl Into<String>) -> Self {
        DependenceChart { found, name: name.into(), partner: None }
    }

    /// Colours the rows by another feature's values, NaN where they are missing, such as that of [`Dependence::partner`].
    pub fn partner<'v>(mut self, name: impl Into<String>, values: impl IntoIterator<Item = &'v f32>) -> Self {
        self.partner = Some((name.into(), values.into_iter().map(|&value| f64::from(value)).collect()));
        self
    }

    /// The chart in English. O(rows log rows).
    ///
    /// # Errors
    /// [`Error::Empty`] without rows; [`Error::Shape`] when there is not one attribution, and one value of the partner, for
    /// each row.
    pub fn draw(&self) -> Result<Svg> {
        self.draw_in(Text::english())
    }

    /// The chart with the words of a catalogue.
    ///
    /// # Errors
    /// Those of [`draw`](DependenceChart::draw).
    pub fn draw_in(&self, text: &Text) -> Result<Svg> {
        let rows = self.found.values.len();
        let colours = self.checked()?;
        let values = || self.found.values.iter().map(|&value| f64::from(value));
        let missing = values().any(f64::is_nan);
        let left = BESIDE + if missing { MISSING } else { 0.0 };
        let field = Field { left, top: TOP, right: left + WIDE, bottom: TOP + TALL };
        let x = Scale::of(values(), left + WITHIN, field.right - WITHIN);
        let (low, high) = range(self.found.attributions.iter().copied().chain([0.0]));
        let y = Scale::new(low, high, field.bottom - WITHIN, field.top + WITHIN);
        let dots: Vec<(f64, f64, usize)> = values()
            .zip(&self.found.attributions)
            .enumerate()
            .filter(|(_, (value, push))| push.is_finite() && !value.is_infinite())
            .map(|(i, (value, push))| {
                (if value.is_nan() { gap(i, left) } else { x.at(value) }, y.at(*push), colours[i])
            })
            .collect();
        let ticks = |scale: &Scale, most| {
            scale.ticks(text, most).into_iter().map(|(_, at, words)| (at, words)).collect::<Vec<_>>()
        };
        let whole = Field { left: if missing { left - MISSING } else { left }, ..field };
        let marks = html! {
            (field.across(&ticks(&x, TICKS.0), &self.name))
            (whole.up(&ticks(&y, TICKS.1), &words!(text, "chart.push")))
            (histogram(values(), &x, field.bottom))
            line class="axis" stroke=(AXIS) x1=(at(whole.left)) x2=(at(field.right)) y1=(at(y.at(0.0))) y2=(at(y.at(0.0))) {}
            @if missing {
                text class="soft" fill=(SOFT) text-anchor="middle" x=(at(left - MISSING / 2.0)) y=(at(field.bottom + MISSING_BASELINE)) { (text::fit(&words!(text, "chart.missing"), SMALL, MISSING + MISSING_BEYOND)) }
            }
            (drawn(dots, &field, whole.left)?)
            @if let Some((name, values)) = &self.partner {
                @let (low, high) = ends(values);
                (legend(field.right + LEGEND_LEFT, field.top + LEGEND_INSET, TALL - 2.0 * LEGEND_INSET, name, [&text.value(high), &text.value(low)]))
            }
        };
        let coloured =
            |(name, _): &(String, Vec<f64>)| words!(text, "chart.coloured_by", name = text::cut(name, text::SAID));
        let partner = self.partner.as_ref().map_or(String::new(), coloured);
        let (name, rows) = (text::cut(&self.name, NAME), words!(text, "rows", n = rows));
        let label = words!(text, "chart.dependence", name = name, rows = rows, partner = partner);
        let legend = if self.partner.is_some() { LEGEND } else { RIGHT };
        Ok(Svg::new("dependence", (field.right + legend, field.bottom + BELOW), label, marks))
    }

    /// Each row's shade; the middle one without a partner.
    fn checked(&self) -> Result<Vec<usize>> {
        let Dependence { values, attributions, .. } = self.found;
        if values.is_empty() {
            return Err(Error::Empty { what: "the dependence", rows: 0, columns: 1 });
        }
        if attributions.len() != values.len() {
            return Err(mismatch("attributions, one for each value", values.len(), attributions.len()));
        }
        match &self.partner {
            Some((_, partner)) if partner.len() != values.len() => {
                Err(mismatch("values of the partner, one for each row", values.len(), partner.len()))
            }
            Some((_, partner)) => Ok(places(partner).into_iter().map(shade).collect()),
            None => Ok(vec![shade(0.0); values.len()]),
        }
    }
}

/// Where row `i` stands among those without a value: beside each other, so that they do not hide each other.
fn gap(i: usize, left: f64) -> f64 {
    let part = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    left - MISSING + MISSING_WITHIN + (MISSING - 2.0 * MISSING_WITHIN) * part as f64 / (1u64 << 24) as f64
}

/// How many rows have which values.
fn histogram(values: impl Iterator<Item = f64>, x: &Scale, bottom: f64) -> Markup {
    let mut bars = [0usize; BARS];
    let (from, wide) = (x.ends().0, (x.ends().1 - x.ends().0) / BARS as f64);
    for value in values.filter(|value| value.is_finite()) {
        bars[(((x.at(value) - from) / wide) as usize).min(BARS - 1)] += 1;
    }
    let most = bars.iter().copied().max().unwrap_or(0).max(1) as f64;
    let path: String = (0..BARS)
        .filter(|&i| bars[i] > 0)
        .map(|i| {
            let tall = (BAR * bars[i] as f64 / most).max(LEAST_BAR);
            format!(
                "M{} {}h{}v{}h-{}Z",
                at(from + wide * i as f64),
                at(bottom),
                at(wide - BETWEEN),
                at(-tall),
                at(wide - BETWEEN)
            )
        })
        .collect();
    html! { path class="band" fill=(LINE) d=(path) {} }
}

/// Dots by shade, drawn by place so that the order of rows does not matter; many as a picture.
fn drawn(mut dots: Vec<(f64, f64, usize)>, field: &Field, left: f64) -> Result<Markup> {
    dots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    if dots.len() > MARKS {
        let (wide, tall) = (field.right - left, field.bottom - field.top);
        let points =
            dots.iter().map(|dot| ((FINE * (dot.0 - left)) as f32, (FINE * (dot.1 - field.top)) as f32)).collect();
        let radius = (FINE * DOT / 2.0 * (MARKS as f64 / dots.len() as f64).powf(0.25)) as f32;
        let places = Places {
            width: (FINE * wide) as usize,
            height: (FINE * tall) as usize,
            points,
            radius: radius.max(LEAST_DOT),
        };
        let picture = raster::dots(&places, |i| dots.get(i).map(|dot| (colour_of(dot.2), 255)));
        return Ok(
            html! { image x=(at(left)) y=(at(field.top)) width=(at(wide)) height=(at(tall)) href=(picture.address()?) {} },
        );
    }
    let mut shades: Vec<usize> = dots.iter().map(|dot| dot.2).collect();
    shades.sort_unstable();
    shades.dedup();
    let path = |shade: usize| {
        let own = dots.iter().filter(|dot| dot.2 == shade);
        own.map(|dot| format!("M{} {}h.01", at(dot.0), at(dot.1))).collect::<String>()
    };
    Ok(html! {
        g fill="none" stroke-linecap="round" stroke-width=(DOT) stroke-opacity="0.8" {
            @for shade in shades { path class=(class_of(shade)) stroke=(hex(colour_of(shade))) d=(path(shade)) {} }
        }
    })
}
