//! The charts that the report draws of what it holds.

use super::charts::{Icicle, Map, number};
use super::draft::Shown;
use crate::Result;
use crate::recursive::Node;
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
    html! { div class="scroll" { (chart.draw_in(shown.text()).inline()) } }
}

/// The map of a node that was split, `width` pixels wide: its children are named where people have named them.
pub(super) fn drawing(shown: &Shown<'_>, node: &Node, embedding: &ArrayRef2<f32>, width: usize) -> Result<Markup> {
    let named = |child: &Node| match shown.called.get(child).filter(|name| !name.proposed) {
        Some(name) => name.text.clone(),
        None => number(child).to_string(),
    };
    let names = shown.tree.children(node).map(named);
    Ok(Map::new(embedding, node.labels()).names(names).width(width).draw_in(shown.text())?.inline())
}
