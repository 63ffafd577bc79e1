//! Where the layout starts: leading eigenvectors of the normalised Laplacian, principal components, or random points.
//!
//! The spectral start (McInnes, Healy, Melville 2018, algorithm 4) takes the eigenvectors of D^(-1/2) (D − W) D^(-1/2)
//! with the smallest eigenvalues, but for the first, which is D^(1/2) 1. They are those of the largest of
//! S = D^(-1/2) W D^(-1/2), whose spectrum lies in [-1, 1]. The number of products with S is bounded beforehand: the
//! layout needs a smooth start, not an eigenvector to the last digit.

use super::fuzzy::{Graph, components};
use super::{Init, Start};
use crate::core::linalg::{self, sparse};
use crate::core::random::Stream;
use crate::core::{Result, Rows, Run};
use crate::embed::pca;
use std::cmp::Ordering::Equal;

/// Largest coordinate of a start before it is brought to [0, 10].
const REACH: f32 = 10.0;
/// Standard deviation of what is added to a start.
const NOISE: f32 = 1e-4;
/// Rows that principal components are learned from where there are many columns.
const SAMPLE: usize = 512;
/// Vertices up to which a component's eigenproblem is solved densely.
const DENSE: usize = 96;
/// Bounds of the iteration: filters, products in each (the next where a block collapsed), and the residual that is enough.
const ROUNDS: usize = 8;
const DEGREES: [usize; 3] = [40, 12, 4];
const RESIDUAL: f64 = 1e-4;
/// A residual beyond this is no eigenvector at all; beyond a tenth of it, a rough one, with a note.
const HOPELESS: f64 = 0.1;

/// Dense rows, or what stands for sparse ones: made when it is asked for.
pub(crate) trait Dense {
    fn dense(&self) -> &Rows<'_>;
}

impl Dense for Rows<'_> {
    fn dense(&self) -> &Rows<'_> {
        self
    }
}

/// Positions (vertices x dimensions) and the start that was used.
pub(crate) fn find(
    graph: &Graph,
    init: Init,
    dimensions: usize,
    rows: &impl Dense,
    pick: &[u32],
    draws: Stream,
    run: &Run,
) -> Result<(Vec<f32>, Start)> {
    let n = graph.len();
    let (mut positions, start) = match init {
        Init::Random => (uniform(0..n, dimensions, draws.of(1)), Start::Random),
        Init::Pca => (told(rows.dense(), pick, dimensions, draws, run)?, Start::Pca),
        Init::Spectral => match spectral(graph, dimensions, rows, pick, draws, run)? {
            Some(positions) => (positions, Start::Spectral),
            None => {
                run.note("the spectral start could not be computed: the layout starts from principal components");
                (told(rows.dense(), pick, dimensions, draws, run)?, Start::Pca)
            }
        },
    };
    if start != Start::Random {
        rescale(&mut positions, REACH);
        let noise = draws.of(2);
        for (at, x) in positions.iter_mut().enumerate() {
            *x += NOISE * noise.normal(at as u64) as f32;
        }
    }
    to_box(&mut positions, dimensions);
    Ok((positions, start))
}

/// A start that the caller gave, brought to the box; moved a little where vertices would start from one place.
pub(crate) fn given(positions: &[f64], dimensions: usize, draws: Stream) -> Vec<f32> {
    let mut boxed = vec![0.0f32; positions.len()];
    for d in 0..dimensions {
        let axis = || positions.iter().skip(d).step_by(dimensions);
        let (low, high) = axis().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
        for (to, &x) in boxed.iter_mut().skip(d).step_by(dimensions).zip(axis()) {
            *to = if high > low { (f64::from(REACH) * ((x - low) / (high - low))) as f32 } else { 0.0 };
        }
    }
    let mut places: Vec<&[f32]> = boxed.chunks(dimensions).collect();
    places.sort_unstable_by(|a, b| a.iter().zip(*b).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne()).unwrap_or(Equal));
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        boxed.iter_mut().enumerate().for_each(|(at, x)| *x += NOISE * draws.normal(at as u64) as f32);
    }
    boxed
}

/// Uniform in [-10, 10].
fn uniform(vertices: std::ops::Range<usize>, dimensions: usize, draws: Stream) -> Vec<f32> {
    (vertices.start * dimensions..vertices.end * dimensions)
        .map(|at| (2.0 * draws.uniform(at as u64) - 1.0) as f32 * REACH)
        .collect()
}

/// Scales all coordinates by one factor so that the largest magnitude is `reach`.
fn rescale(positions: &mut [f32], reach: f32) {
    let largest = positions.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    if largest > 0.0 && largest.is_finite() {
        positions.iter_mut().for_each(|x| *x = *x / largest * reach);
    }
}

/// Brings each axis to [0, 10].
fn to_box(positions: &mut [f32], dimensions: usize) {
    for d in 0..dimensions {
        let axis = || positions.iter().skip(d).step_by(dimensions);
        let (low, high) = axis().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
        let span = high - low;
        positions.iter_mut().skip(d).step_by(dimensions).for_each(|x| {
            *x = if span > 0.0 { REACH * (*x - low) / span } else { 0.0 };
        });
    }
}

/// Principal components for a start; with a note where they are learnt from a sample.
fn told(rows: &Rows<'_>, pick: &[u32], dimensions: usize, draws: Stream, run: &Run) -> Result<Vec<f32>> {
    if rows.columns() > SAMPLE && pick.len() > SAMPLE {
        run.note(&format!(
            "the start's principal components are learnt from {SAMPLE} of {} different rows",
            pick.len()
        ));
    }
    principal(rows, pick, dimensions, draws)
}

/// Principal components; axes beyond the data's own are filled with random coordinates.
fn principal(rows: &Rows<'_>, pick: &[u32], dimensions: usize, draws: Stream) -> Result<Vec<f32>> {
    let sample = if rows.columns() > SAMPLE { &pick[..pick.len().min(SAMPLE)] } else { pick };
    let Ok(model) = pca::principal(rows, sample, dimensions) else {
        return Ok(uniform(0..pick.len(), dimensions, draws.of(3)));
    };
    let kept = model.components().nrows();
    let scores = model.scores(rows, pick);
    let largest = scores.iter().fold(0.0f64, |m, x| m.max(x.abs())).max(f64::MIN_POSITIVE);
    let spare = draws.of(3);
    Ok((0..pick.len() * dimensions)
        .map(|at| match at % dimensions {
            d if d < kept => (scores[at / dimensions * kept + d] / largest) as f32,
            _ => 0.01 * (spare.uniform(at as u64) - 0.5) as f32,
        })
        .collect())
}

/// Eigenvectors, component by component; `None` when they cannot be had.
fn spectral(
    graph: &Graph,
    dimensions: usize,
    rows: &impl Dense,
    pick: &[u32],
    draws: Stream,
    run: &Run,
) -> Result<Option<Vec<f32>>> {
    if dimensions > sparse::BLOCK {
        return Ok(None);
    }
    let stage = run.stage("start", ROUNDS);
    let (component, count) = components(graph);
    if count == 1 {
        return eigenvectors(graph, dimensions, draws.of(4), run, |round| stage.step(round));
    }
    run.note(&format!("the neighbour graph has {count} components: each is laid out around its own centre"));
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (v, &c) in component.iter().enumerate() {
        members[c as usize].push(v as u32);
    }
    let Some((centres, reaches)) = centres(&members, dimensions, rows.dense(), pick)? else { return Ok(None) };
    let mut positions = vec![0.0f32; graph.len() * dimensions];
    for (c, members) in members.iter().enumerate() {
        stage.check()?;
        let mut inner = None;
        if members.len() > 2 * dimensions {
            let part = graph.part(members);
            inner = eigenvectors(&part, dimensions, draws.of(5).of(c as u64), run, |_| stage.check())?;
        }
        // Too few vertices for eigenvectors, or none found: random points around the centre.
        let mut inner = inner.unwrap_or_else(|| {
            let first = members.first().map_or(0, |&v| v as usize);
            uniform(first..first + members.len(), dimensions, draws.of(6))
        });
        rescale(&mut inner, reaches[c]);
        for (i, &v) in members.iter().enumerate() {
            for d in 0..dimensions {
                positions[v as usize * dimensions + d] = centres[c * dimensions + d] + inner[i * dimensions + d];
            }
        }
    }
    Ok(Some(positions))
}

/// Where the components' centres go (principal components of their mean rows) and how far each may reach: half way to
/// the nearest other centre, but not less than an even share of the picture.
#[allow(clippy::type_complexity)]
fn centres(
    members: &[Vec<u32>],
    dimensions: usize,
    rows: &Rows<'_>,
    pick: &[u32],
) -> Result<Option<(Vec<f32>, Vec<f32>)>> {
    let (count, columns) = (members.len(), rows.columns());
    let mut means = vec![0.0f32; count * columns];
    for (mean, members) in means.chunks_mut(columns).zip(members) {
        let mut sums = vec![0.0f64; columns];
        for &v in members {
            let row = rows.row(pick[v as usize] as usize);
            sums.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
        }
        mean.iter_mut().zip(&sums).for_each(|(m, s)| *m = (s / members.len() as f64) as f32);
    }
    let Ok(table) = ndarray::Array2::from_shape_vec((count, columns), means) else { return Ok(None) };
    let table = Rows::finite(&table)?;
    let all: Vec<u32> = (0..count as u32).collect();
    // Component numbers follow the canonical order of vertices, so this draw does too.
    let mut centres = principal(&table, &all, dimensions, Stream::new(0, 0))?;
    rescale(&mut centres, REACH);
    let share = REACH / 2.0 / libm::pow(count as f64, 1.0 / dimensions as f64) as f32;
    let Ok(view) = ndarray::Array2::from_shape_vec((count, dimensions), centres.clone()) else { return Ok(None) };
    let found = crate::neighbors::Nearest::new(2).find(&view, &Run::new())?;
    let reaches = found.distances.column(1).iter().map(|d| (d / 2.0).max(share / 2.0)).collect();
    Ok(Some((centres, reaches)))
}

/// The first eigenvectors after the trivial one, vertices x dimensions.
fn eigenvectors(
    graph: &Graph,
    dimensions: usize,
    draws: Stream,
    run: &Run,
    mut step: impl FnMut(usize) -> Result<()>,
) -> Result<Option<Vec<f32>>> {
    let n = graph.len();
    if n <= dimensions + 1 {
        return Ok(None);
    }
    let root: Vec<f64> =
        (0..n).map(|i| libm::sqrt(graph.weights[graph.range(i)].iter().map(|&w| f64::from(w)).sum())).collect();
    if root.iter().any(|&r| r <= 0.0) {
        return Ok(None);
    }
    let values: Vec<f32> = (0..n)
        .flat_map(|i| graph.range(i).map(move |at| (i, at)))
        .map(|(i, at)| (f64::from(graph.weights[at]) / (root[i] * root[graph.columns[at] as usize])) as f32)
        .collect();
    let column = |vectors: &dyn Fn(usize, usize) -> f64| -> Vec<f32> {
        (0..n * dimensions).map(|at| vectors(at / dimensions, at % dimensions) as f32).collect()
    };
    if n <= DENSE {
        let mut full = vec![0.0; n * n];
        for i in 0..n {
            for at in graph.range(i) {
                full[i * n + graph.columns[at] as usize] = f64::from(values[at]);
            }
        }
        return Ok(linalg::symmetric(&full, n).map(|eigen| column(&|i, d| eigen.vectors[(d + 1) * n + i])));
    }
    let length = sparse::norm(&root);
    let known: Vec<f64> = root.iter().map(|r| r / length).collect();
    let operator = sparse::Sparse { starts: &graph.starts, columns: &graph.columns, values: &values };
    // Where few eigenvalues stand far out, as in a small graph, a filter of high degree leaves nothing but the first
    // eigenvector in the whole block: a lower one then does.
    let mut pairs = None;
    for degree in DEGREES {
        pairs = sparse::largest(&operator, &known, dimensions, RESIDUAL, ROUNDS, degree, draws, &mut step)?;
        if pairs.is_some() {
            break;
        }
    }
    let Some(pairs) = pairs else { return Ok(None) };
    if !pairs.residuals[..dimensions].iter().all(|&r| r < HOPELESS) {
        return Ok(None);
    }
    if let Some(residual) =
        pairs.residuals[..dimensions].iter().copied().reduce(f64::max).filter(|&r| r > HOPELESS / 10.0)
    {
        run.note(&format!(
            "the spectral start is rough: an eigenvector of {n} vertices has a residual of {residual:.3}"
        ));
    }
    // Signs are fixed so that the picture does not depend on the random block.
    let signs: Vec<f64> = (0..dimensions)
        .map(|d| linalg::sign_of_largest(&pairs.vectors.iter().map(|v| v[d]).collect::<Vec<_>>()))
        .collect();
    Ok(Some(column(&|i, d| signs[d] * pairs.vectors[i][d])))
}
