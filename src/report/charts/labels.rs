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

/// A name to be placed: the middle of what it names, how far nine in ten of its rows lie from there at most, and how many there
/// are.
pub(super) struct Wanted {
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) reach: (f64, f64),
    pub(super) rows: usize,
}

/// Half the width and half the height of a name in letters of `size`.
fn half(text: &str, size: f64) -> (f64, f64) {
    (0.5 * text::width(text, size) + 0.15 * size, 0.58 * size)
}

/// Places names in letters of `size` into a frame of `width` x `height`, those of the most rows first: in their middle, or above
/// what they would cover, else beside it, as near as there is room; those without room within six lines are left out. O(names²) boxes.
pub(super) fn place(mut wanted: Vec<Wanted>, size: f64, (width, height): (f64, f64)) -> Vec<Label> {
    wanted.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.text.cmp(&b.text)));
    wanted.truncate(MOST);
    let mut taken: Vec<(f64, f64, f64, f64)> = Vec::new();
    let mut placed = Vec::new();
    for Wanted { text, x, y, reach, .. } in wanted {
        let (w, h) = half(&text, size);
        // A name that hides its cluster says nothing of it.
        let y = if reach.0 < 1.5 * w && reach.1 < 1.5 * h { y - reach.1 - h } else { y };
        if 2.0 * w > width || 2.0 * h > height {
            continue;
        }
        let inside = |x: f64, y: f64| (x.clamp(w, width - w), y.clamp(h, height - h));
        let free = |&(x, y): &(f64, f64)| {
            taken
                .iter()
                .all(|&(left, top, right, bottom)| x + w <= left || x - w >= right || y + h <= top || y - h >= bottom)
        };
        if let Some((cx, cy)) = around(x, y, w, h).map(|(x, y)| inside(x, y)).find(free) {
            taken.push((cx - w, cy - h, cx + w, cy + h));
            let moved = (cx - x).abs() > 0.6 * size || (cy - y).abs() > 0.6 * size;
            placed.push(Label { text, x: cx, y: cy, from: moved.then_some((x, y)) });
        }
    }
    placed
}

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
            let wanted = at.iter().enumerate().map(|(i, &(x, y, letters))| Wanted { text: "m".repeat(letters), x, y, reach: (x / 9.0, y / 9.0), rows: i % 7 });
            let placed = place(wanted.collect(), 14.0, (400.0, 300.0));
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

    #[test]
    fn a_name_alone_stands_in_the_middle_or_above_what_it_would_cover() {
        let wanted = |reach| Wanted { text: "7".into(), x: 50.0, y: 60.0, reach, rows: 1 };
        let placed = |reach| place(vec![wanted(reach)], 14.0, (100.0, 100.0)).remove(0);
        assert_eq!(placed((30.0, 20.0)), Label { text: "7".into(), x: 50.0, y: 60.0, from: None });
        assert_eq!(placed((4.0, 3.0)), Label { text: "7".into(), x: 50.0, y: 60.0 - 3.0 - 0.58 * 14.0, from: None });
        let wide = Wanted { text: "m".repeat(50), x: 50.0, y: 60.0, reach: (9.0, 9.0), rows: 1 };
        assert!(place(vec![wide], 14.0, (100.0, 100.0)).is_empty());
    }
}
