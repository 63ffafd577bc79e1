//! Colours that stay apart for people with any colour vision.

/// Red, green, blue.
pub(in crate::report) type Rgb = [u8; 3];

/// Twelve colours for clusters, the most different ones first.
///
/// Chosen by search so that any two differ by at least 33 units of CIE L*a*b* to normal eyes, and 25 as seen with
/// protanopia and deuteranopia (simulated after Machado, Oliveira, Fernandes 2009). Numbers stand beside the colours
/// wherever they are used.
const CLUSTERS: [Rgb; 12] = [
    [0x00, 0x5a, 0x96],
    [0xd2, 0x69, 0x00],
    [0x00, 0xd4, 0xb8],
    [0x87, 0x0f, 0x3c],
    [0x2d, 0xd2, 0xff],
    [0xff, 0xc3, 0x00],
    [0x2d, 0x2d, 0xb4],
    [0xc3, 0x87, 0x69],
    [0x00, 0x87, 0x87],
    [0xa5, 0x00, 0x00],
    [0x5a, 0x87, 0xff],
    [0xf0, 0xc3, 0x69],
];

/// What belongs to no cluster.
pub(in crate::report) const NOISE: Rgb = [0xcf, 0xd3, 0xd8];

/// The colour of a cluster by its number among its siblings; past twelve the colours come again.
pub(in crate::report) fn cluster(number: i32) -> Rgb {
    match usize::try_from(number) {
        Ok(number) => CLUSTERS[number % CLUSTERS.len()],
        Err(_) => NOISE,
    }
}

/// From low (blue, 0) over grey to high (orange, 1).
pub(in crate::report) fn low_to_high(place: f64) -> Rgb {
    const STOPS: [Rgb; 5] =
        [[0x1b, 0x5f, 0xb4], [0x6f, 0x9f, 0xd8], [0xb9, 0xb6, 0xb6], [0xee, 0x99, 0x4c], [0xc6, 0x4a, 0x00]];
    along(&STOPS, place)
}

/// From against (blue, -1) over white (0) to in favour (orange, 1).
pub(in crate::report) fn against_to_for(value: f64) -> Rgb {
    const STOPS: [Rgb; 5] =
        [[0x1b, 0x5f, 0xb4], [0x92, 0xb8, 0xe4], [0xff, 0xff, 0xff], [0xf5, 0xb4, 0x7c], [0xc6, 0x4a, 0x00]];
    along(&STOPS, 0.5 + 0.5 * value)
}

/// From white (0) to near black (1).
pub(in crate::report) fn ink(value: f64) -> Rgb {
    along(&[[0xff, 0xff, 0xff], [0x16, 0x1b, 0x26]], value)
}

fn along(stops: &[Rgb], place: f64) -> Rgb {
    let place = if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.5 } * (stops.len() - 1) as f64;
    let first = (place as usize).min(stops.len() - 2);
    let part = place - first as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(stops[first][c]), f64::from(stops[first + 1][c]));
        (a + part * (b - a) + 0.5) as u8
    })
}

/// As CSS and SVG write it.
pub(in crate::report) fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Black or white, whichever has more contrast with the colour: at least 4.58 to 1.
pub(in crate::report) fn text_on(colour: Rgb) -> &'static str {
    // Contrast is (L1 + 0.05) / (L2 + 0.05); black and white are equal at √(1.05 · 0.05) − 0.05.
    if luminance(colour) > 0.179 { "#000000" } else { "#ffffff" }
}

/// Relative luminance (WCAG 2).
fn luminance(colour: Rgb) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [r, g, b] = colour.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_on_every_colour() {
        for colour in CLUSTERS.into_iter().chain([NOISE, [0x3c, 0x46, 0x57], [0x75; 3], [0x76; 3]]) {
            let own = luminance(colour) + 0.05;
            let contrast = if text_on(colour) == "#ffffff" { 1.05 / own } else { own / 0.05 };
            assert!(contrast >= 4.5, "{colour:?} {contrast}");
        }
    }

    #[test]
    fn scales_meet_their_ends_and_survive_nan() {
        assert_eq!((ink(0.0), ink(1.0)), ([255; 3], [0x16, 0x1b, 0x26]));
        assert_eq!(against_to_for(0.0), [255; 3]);
        assert_eq!(low_to_high(f64::NAN), low_to_high(0.5));
        assert_eq!(low_to_high(7.0), low_to_high(1.0));
        assert_eq!((cluster(-1), cluster(12)), (NOISE, cluster(0)));
        assert_eq!((text_on([255, 195, 0]), hex([0, 90, 150])), ("#000000", "#005a96".to_string()));
    }
}
