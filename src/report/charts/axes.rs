//! The axes of a field with values across and values up.

use super::svg::{LINE, SMALL, SMALL_BASELINE, SOFT, at};
use super::text;
use maud::{Markup, html};

/// The field in which marks lie, y downwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// Room for the words of a horizontal axis and its name, and of a vertical one.
pub(super) const BELOW: f64 = 42.0;
pub(super) const BESIDE: f64 = 66.0;
/// Baselines below the field of the values and of the name; least between two values.
const VALUES: f64 = 16.0;
const NAME: f64 = 35.0;
const APART: f64 = 6.0;
/// Beside the field: from it to the values, what their room leaves for the name, and the name's baseline from the left end.
const GAP: f64 = 8.0;
const FOR_NAME: f64 = 26.0;
const NAME_BESIDE: f64 = 14.0;
/// Least between the lines of two values, beyond the height of letters.
const LINES_APART: f64 = 2.0;

impl Field {
    /// A horizontal axis: lines through the field, values below them where they do not touch each other, and the name.
    pub(super) fn across(&self, ticks: &[(f64, String)], name: &str) -> Markup {
        let mut end = f64::MIN;
        let words = ticks.iter().filter(|(x, words)| {
            let half = text::width(words, SMALL) / 2.0;
            let fits = x - half >= end;
            if fits {
                end = x + half + APART;
            }
            fits
        });
        html! {
            g class="grid" stroke=(LINE) {
                @for (x, _) in ticks { line x1=(at(*x)) x2=(at(*x)) y1=(at(self.top)) y2=(at(self.bottom)) {} }
            }
            @for (x, words) in words {
                text class="soft" fill=(SOFT) x=(at(*x)) y=(at(self.bottom + VALUES)) text-anchor="middle" { (words) }
            }
            text class="soft" fill=(SOFT) x=(at((self.left + self.right) / 2.0)) y=(at(self.bottom + NAME)) text-anchor="middle" {
                (text::fit(name, SMALL, self.right - self.left))
            }
        }
    }

    /// A vertical axis: lines through the field, values to the left of them, and the name beside.
    pub(super) fn up(&self, ticks: &[(f64, String)], name: &str) -> Markup {
        let mut last = f64::INFINITY;
        let apart = ticks.iter().filter(|(y, _)| {
            let fits = (y - last).abs() >= SMALL + LINES_APART;
            if fits {
                last = *y;
            }
            fits
        });
        html! {
            g class="grid" stroke=(LINE) {
                @for (y, _) in ticks { line x1=(at(self.left)) x2=(at(self.right)) y1=(at(*y)) y2=(at(*y)) {} }
            }
            @for (y, words) in apart {
                text class="soft" fill=(SOFT) x=(at(self.left - GAP)) y=(at(y + SMALL_BASELINE)) text-anchor="end" { (text::fit(words, SMALL, BESIDE - FOR_NAME)) }
            }
            text class="soft" fill=(SOFT) transform=(format!("translate({} {}) rotate(-90)", at(self.left - BESIDE + NAME_BESIDE), at((self.top + self.bottom) / 2.0)))
                text-anchor="middle" { (text::fit(name, SMALL, self.bottom - self.top)) }
        }
    }
}
