//! Names on a map that keep out of each other's way.

use super::text;

/// A name, in the middle of its box.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) y: f64,
    /// Where it belongs, when it had to move.
    pub(super) from: Option<(f64, f64)>,
}

/// A name to be placed: the number and the middle of what it names, how far nine in ten of its rows lie from there at most, and
/// how many there are.
pub(super) struct Wanted {
    pub(super) text: String,
    pub(super) label: i32,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) reach: (f64, f64),
    pub(super) rows: usize,
}

/// Half the width and half the height of a name in letters of `size`.
fn half(text: &str, size: f64) -> (f64, f64) {
    (0.5 * text::width(text, size) + 0.15 * size, 0.58 * size)
}

/// Places names in letters of `size` over dots of a frame of `width` x `height`, those of the most rows first: in their middle, or
/// above what they would cover, else near it, where the fewest dots of others are covered; those without room within twelve
/// half lines are left out.
///
/// O(names² + names x cells of the frame).
pub(super) fn place(mut wanted: Vec<Wanted>, size: f64, (width, height): (f64, f64), dots: &Dots) -> Vec<Label> {
    wanted.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.text.cmp(&b.text)));
    wanted.truncate(MOST);
    let mut taken: Vec<(f64, f64, f64, f64)> = Vec::new();
    let mut placed = Vec::new();
    for Wanted { text, label, x, y, reach, .. } in wanted {
        let (w, h) = half(&text, size);
        // A name that hides its cluster says nothing of it.
        let hidden = (w.min(reach.0) * h.min(reach.1)) / (reach.0 * reach.1).max(f64::MIN_POSITIVE);
        let above = if hidden > HIDDEN || reach.0 * reach.1 == 0.0 { y - reach.1 - h } else { y };
        if 2.0 * w > width || 2.0 * h > height {
            continue;
        }
        let inside = |x: f64, y: f64| (x.clamp(w, width - w), y.clamp(h, height - h));
        let free = |&(x, y): &(f64, f64)| {
            taken
                .iter()
                .all(|&(left, top, right, bottom)| x + w <= left || x - w >= right || y + h <= top || y - h >= bottom)
        };
        let others = dots.others(label);
        // Far away costs as well: a line of distance as much as a cell of dots.
        let cost = |&(cx, cy): &(f64, f64)| {
            let covered = others.within(cx - w, cy - h, cx + w, cy + h);
            covered as f64 + (cx - x).hypot(cy - above) / size
        };
        let candidates = around(x, above, w, h).map(|(x, y)| inside(x, y)).filter(free);
        if let Some((cx, cy)) = candidates.min_by(|a, b| cost(a).total_cmp(&cost(b))) {
            taken.push((cx - w, cy - h, cx + w, cy + h));
            let moved = (cx - x).abs() > 0.6 * size + w * f64::from(above != y) || (cy - above).abs() > 0.6 * size;
            placed.push(Label { text, x: cx, y: cy, from: moved.then_some((x, y)) });
        }
    }
    placed
}

/// Pixels of a cell's side.
const CELL: f64 = 5.0;

/// How many dots of each cluster lie in each cell of a frame.
pub(super) struct Dots {
    columns: usize,
    rows: usize,
    all: Vec<u32>,
    /// Cluster and cell of each dot, sorted.
    own: Vec<(i32, u32)>,
}

impl Dots {
    pub(super) fn new(points: &[(f32, f32)], labels: &[i32], (width, height): (f64, f64)) -> Self {
        let [columns, rows] = [width, height].map(|side| (side / CELL).ceil().max(1.0) as usize);
        let mut dots = Dots { columns, rows, all: vec![0; columns * rows], own: Vec::with_capacity(points.len()) };
        for (&(x, y), &label) in points.iter().zip(labels) {
            let [column, row] =
                [(x, columns), (y, rows)].map(|(at, most)| ((f64::from(at) / CELL) as usize).min(most - 1));
            let cell = row * columns + column;
            dots.all[cell] += 1;
            // Noise may be covered.
            if label < 0 {
                dots.all[cell] -= 1;
            } else {
                dots.own.push((label, cell as u32));
            }
        }
        dots.own.sort_unstable();
        dots
    }

    /// The cells in which most dots are of other clusters than this one, added up from the upper left corner.
    fn others(&self, label: i32) -> Sums {
        let mut others = self.all.clone();
        let first = self.own.partition_point(|own| own.0 < label);
        for &(_, cell) in self.own[first..].iter().take_while(|own| own.0 == label) {
            others[cell as usize] -= 1;
        }
        let wide = self.columns + 1;
        let mut sums = vec![0u32; wide * (self.rows + 1)];
        for row in 0..self.rows {
            let mut line = 0;
            for column in 0..self.columns {
                let cell = row * self.columns + column;
                line += u32::from(others[cell] > self.all[cell] / 2);
                sums[(row + 1) * wide + column + 1] = sums[row * wide + column + 1] + line;
            }
        }
        Sums { columns: self.columns, rows: self.rows, sums }
    }
}

/// Counts of cells, added up.
struct Sums {
    columns: usize,
    rows: usize,
    sums: Vec<u32>,
}

impl Sums {
    /// Cells counted that a box touches.
    fn within(&self, left: f64, top: f64, right: f64, bottom: f64) -> u32 {
        let cell = |at: f64, most: usize| (at.max(0.0) as usize).min(most);
        let (left, right) = (cell(left / CELL, self.columns), cell((right / CELL).ceil(), self.columns));
        let (top, bottom) = (cell(top / CELL, self.rows), cell((bottom / CELL).ceil(), self.rows));
        let at = |row: usize, column: usize| self.sums[row * (self.columns + 1) + column];
        at(bottom, right) + at(top, left) - at(top, right) - at(bottom, left)
    }
}

/// Share of a cluster's place that its name may cover.
const HIDDEN: f64 = 0.35;
/// Names that are tried: more cannot be read on one map.
const MOST: usize = 400;

/// The middle, and places around it further and further out.
fn around(x: f64, y: f64, w: f64, h: f64) -> impl Iterator<Item = (f64, f64)> {
    const WAYS: [(f64, f64); 8] =
        [(0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, 1.0)];
    let rings = (1..=12).flat_map(move |ring| {
        let far = f64::from(ring);
        WAYS.into_iter().map(move |(dx, dy)| (x + dx * (w * 0.5 * far).min(w + 3.0 * h * far), y + dy * h * far))
    });
    std::iter::once((x, y)).chain(rings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_do_not_overlap_and_stay_inside(
            at in proptest::collection::vec((0.0..400.0f64, 0.0..300.0f64, 1usize..12), 0..60),
        ) {
            let wanted = at.iter().enumerate().map(|(i, &(x, y, letters))| Wanted { text: "m".repeat(letters), label: i as i32, x, y, reach: (x / 9.0, y / 9.0), rows: i % 7 });
            let points: Vec<(f32, f32)> = at.iter().map(|&(x, y, _)| (x as f32, y as f32)).collect();
            let labels: Vec<i32> = (0..at.len() as i32).collect();
            let dots = Dots::new(&points, &labels, (400.0, 300.0));
            let placed = place(wanted.collect(), 14.0, (400.0, 300.0), &dots);
            prop_assert!(at.is_empty() || !placed.is_empty());
            for (i, a) in placed.iter().enumerate() {
                let (w, h) = half(&a.text, 14.0);
                prop_assert!(a.x - w >= -1e-9 && a.x + w <= 400.0 + 1e-9 && a.y - h >= -1e-9 && a.y + h <= 300.0 + 1e-9);
                for b in &placed[i + 1..] {
                    let (v, k) = half(&b.text, 14.0);
                    prop_assert!((a.x - b.x).abs() >= w + v - 1e-9 || (a.y - b.y).abs() >= h + k - 1e-9);
                }
            }
        }
    }

    fn wanted(text: &str, reach: (f64, f64)) -> Wanted {
        Wanted { text: text.into(), label: 0, x: 50.0, y: 60.0, reach, rows: 1 }
    }

    #[test]
    fn a_name_alone_stands_in_the_middle_or_above_what_it_would_cover() {
        let dots = Dots::new(&[], &[], (100.0, 100.0));
        let placed = |reach| place(vec![wanted("7", reach)], 14.0, (100.0, 100.0), &dots).remove(0);
        assert_eq!(placed((30.0, 20.0)), Label { text: "7".into(), x: 50.0, y: 60.0, from: None });
        assert_eq!(placed((4.0, 3.0)), Label { text: "7".into(), x: 50.0, y: 60.0 - 3.0 - 0.58 * 14.0, from: None });
        assert!(place(vec![wanted(&"m".repeat(50), (9.0, 9.0))], 14.0, (100.0, 100.0), &dots).is_empty());
    }

    #[test]
    fn a_name_keeps_off_the_dots_of_others() {
        // Another cluster where the name would stand, above its own.
        let points: Vec<(f32, f32)> = (0..200).map(|i| (30.0 + (i % 40) as f32, 40.0 + (i / 40 * 3) as f32)).collect();
        let dots = Dots::new(&points, &[1; 200], (200.0, 200.0));
        let found = place(vec![wanted("name", (4.0, 3.0))], 14.0, (200.0, 200.0), &dots).remove(0);
        let (w, h) = half("name", 14.0);
        let covered = |&&(x, y): &&(f32, f32)| (f64::from(x) - found.x).abs() < w && (f64::from(y) - found.y).abs() < h;
        assert_eq!(points.iter().filter(covered).count(), 0, "{found:?}");
        assert_eq!(found.from, Some((50.0, 60.0)));
        // Its own dots, and noise, do not move it.
        for label in [0, -1] {
            let dots = Dots::new(&points, &[label; 200], (200.0, 200.0));
            assert_eq!(place(vec![wanted("name", (4.0, 3.0))], 14.0, (200.0, 200.0), &dots)[0].from, None);
        }
    }
}
