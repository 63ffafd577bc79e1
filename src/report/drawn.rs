//! The charts that the report draws of what it holds.

use super::charts::{Icicle, Map};
use super::draft::Shown;
use crate::Result;
use maud::{Markup, html};
use ndarray::ArrayRef2;

/// The tree, with links to maps and cards.
pub(super) fn tree(shown: &Shown<'_>) -> Markup {
    let (tree, shares) = (shown.tree, shown.shares());
    let share = |node| (shares.node(node), shares.noise(node));
    let names =
        tree.nodes().iter().filter_map(|node| Some((node.path().to_string(), shown.called.get(node)?.text.clone())));
    let chart = Icicle::of(tree)
        .shares(tree.nodes().iter().map(|node| (node.path().to_string(), share(node))))
        .names(names)
        .links();
    html! { div class="scroll" { (chart.draw().inline()) } }
}

/// A map `width` pixels wide, with `label` for those who cannot see it.
pub(super) fn drawing(embedding: &ArrayRef2<f32>, labels: &[i32], width: usize, label: &str) -> Result<Markup> {
    Ok(Map::new(embedding, labels).width(width).draw()?.with_label(label).inline())
}
