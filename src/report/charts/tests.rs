//! What holds for every chart: well formed, within its frame, whatever the values and names.

use super::*;

/// Names that break drawings that trust them.
const NAMES: [&str; 6] = [
    "</text><script>alert(1)</script>",
    "a \"quoted\" & 'odd' <name>",
    "\u{202e}desrever\u{0}\u{1b}[31m\u{fffe}",
    "نسبة العملاء الذين عادوا خلال الشهر الماضي مرة أخرى",
    "顧客の平均的な利用時間と利用回数の合計値について",
    "",
];
