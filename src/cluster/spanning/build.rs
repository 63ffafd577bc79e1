//! The way to a spanning tree that suits the rows.

use super::boruvka;
use super::core_distance::Ask;
use super::groups::{Asked, Groups};
use super::kdtree::{CAP, MOST_COLUMNS, NONE, Tree};
use super::kernels::{Kernels, MOST_COLUMNS_OF_OTHERS};
use super::metric::distance;
use super::norm::Norm;
use super::tree::{Edges, SpanningTree};
use super::wide::search::{Side, core_distances};
use super::wide::{Blocks, Exact, VectorSpace, all_pairs, dense};
use crate::core::{Canonical, Result, Rows, Run, parallel};

/// Core distances and the spanning tree.
pub(crate) fn spanning_tree(asked: &Asked<'_>, run: &Run) -> Result<(SpanningTree, Vec<f64>)> {
    let rows = asked.rows;
    let norm = Norm::of(asked.metric);
    let groups_of = {
        let _stage = run.stage("row order", 1);
        Groups::new(asked)
    };
    let (canonical, ask) = (&groups_of.canonical, groups_of.ask());
    let groups = canonical.groups();
    let most = if norm == Norm::Squares { MOST_COLUMNS } else { MOST_COLUMNS_OF_OTHERS };
    let (mut edges, core) = if groups == 1 {
        (Vec::new(), vec![0.0])
    } else {
        macro_rules! by_columns {
            ($($columns:literal)*) => {
                match rows.columns() {
                    columns if columns > most => in_blocks(rows, norm, canonical, &ask, run)?,
                    $(..=$columns => in_tree::<$columns>(rows, norm, canonical, &ask, run)?,)*
                    _ => in_blocks(rows, norm, canonical, &ask, run)?,
                }
            };
        }
        const { assert!(MOST_COLUMNS == 16) };
        if norm == Norm::Squares { by_columns!(2 3 4 6 8 10 12 16) } else { by_columns!(2 4 8) }
    };
    // Equal rows hang on the first of them; no edge that leaves them is lighter than their core distance.
    for g in 0..groups {
        for _ in 1..canonical.weight(g) {
            edges.push((core[g], g as u32, g as u32));
        }
    }
    let mut edges: Vec<(f64, f64, u32, u32)> = parallel::map_ranges(edges.len(), 4096, |range| {
        let keyed = edges[range].iter().map(|&(raw, a, b)| {
            let (x, y) =
                (rows.row(canonical.representative(a as usize)), rows.row(canonical.representative(b as usize)));
            (distance(asked.metric, raw), norm.measure(x, y), a.min(b), a.max(b))
        });
        keyed.collect::<Vec<_>>()
    })
    .concat();
    // Equal weights in the order of the distances themselves.
    parallel::sort_by_key(&mut edges, |edge| (edge.0.to_bits(), edge.1.to_bits(), edge.2, edge.3));
    let mut hung = vec![0usize; groups];
    let mut tree = SpanningTree {
        a: Vec::with_capacity(edges.len()),
        b: Vec::with_capacity(edges.len()),
        weight: edges.iter().map(|edge| edge.0).collect(),
    };
    for &(_, _, a, b) in &edges {
        let (a, b) = (a as usize, b as usize);
        tree.a.push(canonical.representative(a) as u32);
        if a == b {
            hung[a] += 1;
            tree.b.push(canonical.group(a)[hung[a]]);
        } else {
            tree.b.push(canonical.representative(b) as u32);
        }
    }
    let group = canonical.group_of_row();
    Ok((tree, group.iter().map(|&g| distance(asked.metric, core[g as usize])).collect()))
}

/// For few columns, up to D: raw weights between groups, and raw core distances of groups. The tree's width is a constant
/// of the compiler, and each width takes seconds to compile: there are a few, and rows are padded with zeros, which change
/// no sum.
fn in_tree<const D: usize>(
    rows: &Rows<'_>,
    norm: Norm,
    canonical: &Canonical,
    ask: &Ask<'_>,
    run: &Run,
) -> Result<(Edges, Vec<f64>)>
where
    Tree<D>: Kernels,
{
    let groups = canonical.groups();
    let stage = run.stage("tree", 1);
    let point = |g: usize| {
        let row = rows.row(canonical.representative(g));
        std::array::from_fn(|c| row.get(c).copied().unwrap_or(0.0))
    };
    let tree = Tree::<D>::new((0..groups).map(point), rows.columns(), norm);
    drop(stage);
    let stage = run.stage("core distances", groups);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let parts = parallel::map_ranges(tree.leaves(), 64, |leaves| {
        let count = leaves.len() * CAP;
        let part = tree.nearest(leaves, ask);
        stage.step(done.fetch_add(count, std::sync::atomic::Ordering::Relaxed) + count)?;
        Ok(part)
    });
    let mut core = Vec::with_capacity(tree.leaves());
    let mut lists = Vec::with_capacity(tree.leaves() * CAP * ask.width);
    for part in parts {
        let part = part?;
        core.extend(part.core);
        lists.extend(part.lists);
    }
    drop(stage);
    let stage = run.stage("spanning tree", groups - 1);
    let mut edges = boruvka::spanning_tree(&tree, &core, lists, ask.width, groups, &stage)?;
    let id = |position: u32| tree.ids[position as usize / CAP][position as usize % CAP];
    for edge in &mut edges {
        (edge.1, edge.2) = (id(edge.1), id(edge.2));
    }
    let mut core_of = vec![0.0; groups];
    for (ids, core) in tree.ids.iter().zip(&core) {
        for (&id, &core) in ids.iter().zip(core).filter(|(id, _)| **id != NONE) {
            core_of[id as usize] = core;
        }
    }
    Ok((edges, core_of))
}

/// For more columns: all pairs, at once where they are few, else in blocks.
fn in_blocks(
    rows: &Rows<'_>,
    norm: Norm,
    canonical: &Canonical,
    ask: &Ask<'_>,
    run: &Run,
) -> Result<(Edges, Vec<f64>)> {
    let groups = canonical.groups();
    if groups <= dense::MOST {
        return dense::spanning_tree(groups, |g| rows.row(canonical.representative(g)), norm, ask, run);
    }
    let pick: Vec<u32> = (0..groups).map(|g| canonical.representative(g) as u32).collect();
    let stage = run.stage("tree", 1);
    let space = VectorSpace::learn(rows, &pick, norm);
    let vectors = space.vectors(rows, &pick);
    let exact = Exact::new(rows, &pick, &space);
    let blocks = Blocks::new(&vectors, norm, Blocks::compact(&vectors, norm));
    drop(stage);
    let stage = run.stage("core distances", groups);
    let found = core_distances(&space, Side { blocks: &blocks, exact }, ask, &stage)?;
    drop((blocks, stage));
    let stage = run.stage("spanning tree", groups - 1);
    let edges = all_pairs::spanning_tree(&space, &vectors, exact, &found, ask, &stage)?;
    Ok((edges.iter().map(|edge| (edge.weight, edge.a, edge.b)).collect(), found.core))
}
