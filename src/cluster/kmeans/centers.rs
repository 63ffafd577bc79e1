//! Centres in panels, and how far they move.

use super::kernels::{LANES, squared};

/// A lane without a centre.
pub(super) const NONE: u32 = u32::MAX;

/// Centres as a search needs them.
pub(super) struct Centers {
    pub(super) columns: usize,
    exact: Vec<f64>,
    /// The same in f32.
    pub(super) rounded: Vec<f32>,
    /// For each panel the columns, eight lanes each; unused lanes are infinite.
    pub(super) panels: Vec<[f32; LANES]>,
    /// Centre in each lane of each panel.
    pub(super) slot: Vec<u32>,
    /// Lane of each centre.
    pub(super) place: Vec<u32>,
    /// The largest |c − c'|.
    pub(super) error: f64,
    /// Whether squares of such data are beyond f32: then all is measured in f64.
    pub(super) huge: bool,
}

/// Puts like centres into one panel: each panel holds the first centre that is left and its seven nearest.
pub(super) fn panels_of(centers: &[f64], columns: usize) -> Vec<u32> {
    let mut left: Vec<u32> = (0..(centers.len() / columns) as u32).collect();
    let mut slots = Vec::with_capacity(left.len().next_multiple_of(LANES));
    let center = |c: u32| &centers[c as usize * columns..(c as usize + 1) * columns];
    while !left.is_empty() {
        let first = left[0];
        let squared_gap = |c: u32| center(c).iter().zip(center(first)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let mut by: Vec<(f64, u32)> = left.iter().map(|&c| (squared_gap(c), c)).collect();
        by.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let taken: Vec<u32> = by.iter().take(LANES).map(|x| x.1).collect();
        left.retain(|c| !taken.contains(c));
        slots.extend((0..LANES).map(|lane| taken.get(lane).copied().unwrap_or(NONE)));
    }
    slots
}

impl Centers {
    /// `slot` as [`panels_of`] gives it, for these or earlier centres; `largest` bounds the data's magnitudes.
    pub(super) fn new(exact: Vec<f64>, columns: usize, slot: Vec<u32>, largest: f32) -> Self {
        let mut panels = vec![[f32::INFINITY; LANES]; slot.len() / LANES * columns];
        let mut place = vec![0; exact.len() / columns];
        let mut error = 0.0f64;
        for (at, &c) in slot.iter().enumerate().filter(|(_, c)| **c != NONE) {
            place[c as usize] = at as u32;
            let mut off = 0.0;
            for column in 0..columns {
                let x = exact[c as usize * columns + column];
                let rounded = x as f32;
                panels[at / LANES * columns + column][at % LANES] = rounded;
                off += (x - f64::from(rounded)) * (x - f64::from(rounded));
            }
            error = if off > error { off } else { error };
        }
        let most = exact.iter().fold(f64::from(largest), |a, b| if b.abs() > a { b.abs() } else { a });
        let huge = most * (columns as f64).sqrt() > 1e18;
        let rounded = exact.iter().map(|&x| x as f32).collect();
        Centers { columns, exact, rounded, panels, slot, place, error: error.sqrt() * (1.0 + 1e-12), huge }
    }

    pub(super) fn exact(&self) -> &[f64] {
        &self.exact
    }

    pub(super) fn into_parts(self) -> (Vec<f64>, Vec<u32>) {
        (self.exact, self.slot)
    }

    pub(super) fn count(&self) -> usize {
        self.exact.len() / self.columns
    }

    pub(super) fn panel_count(&self) -> usize {
        self.slot.len() / LANES
    }

    /// The squared distance that decides.
    pub(super) fn squared(&self, row: &[f32], center: u32) -> f64 {
        squared(row, &self.exact[center as usize * self.columns..(center as usize + 1) * self.columns])
    }

    /// A factor above 1 that covers the rounding of a distance in f64.
    pub(super) fn up(&self) -> f64 {
        1.0 + (self.columns as f64 + 64.0) * 1e-15
    }

    /// By what part, and by how much besides, a squared distance in f32 may be off.
    pub(super) fn rounding(&self) -> (f64, f64) {
        let steps = self.columns as f64 + 4.0;
        (steps / (1u64 << 23) as f64, steps * 1e-44)
    }
}

/// How far centres have moved since the bounds were true.
pub(super) struct Drift {
    pub(super) shift: Vec<f64>,
    /// Largest shift in each panel.
    pub(super) most: Vec<f32>,
}

impl Drift {
    pub(super) fn none(centers: &Centers) -> Self {
        Drift { shift: vec![0.0; centers.count()], most: vec![0.0; centers.panel_count()] }
    }

    pub(super) fn between(before: &[f64], after: &Centers) -> Self {
        let columns = after.columns;
        let moved = before.chunks_exact(columns).zip(after.exact.chunks_exact(columns));
        let shift: Vec<f64> = moved
            .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt() * after.up())
            .collect();
        let of = |slots: &[u32]| {
            let shifts = slots.iter().filter(|c| **c != NONE).map(|&c| shift[c as usize]);
            up(shifts.fold(0.0, |a, b| if b > a { b } else { a }))
        };
        let most = after.slot.chunks_exact(LANES).map(of).collect();
        Drift { shift, most }
    }
}

/// At least x, as f32.
pub(super) fn up(x: f64) -> f32 {
    let rounded = (x * (1.0 + 2.5e-7)) as f32;
    if x > 0.0 && rounded < 1e-30 { 1e-30 } else { rounded }
}

/// At most x, as f32, and at least 0.
pub(super) fn down(x: f64) -> f32 {
    if x < 1e-30 { 0.0 } else { (x * (1.0 - 2.5e-7)).min(f64::from(f32::MAX)) as f32 }
}
