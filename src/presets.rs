//! The plans of `recluster fit`, for programs that want what the command line does without a flag.
//!
//! Each is a plan like any other: what its methods set counts. How the settings were chosen is in `docs/clusters.md` of the
//! repository.
//!
//! ```
//! use recluster::{Run, presets};
//! let rows = ndarray::Array2::from_shape_fn((300, 2), |(i, j)| {
//!     (i % 3 * [9, 4][j] % 17) as f32 + ((i * 37 + j * 101) % 97) as f32 / 97.0
//! });
//! let tree = presets::few_columns().levels(1).fit(&rows, &Run::new())?;
//! assert_eq!(tree.leaves().count(), 3);
//! # Ok::<(), recluster::Error>(())
//! ```

use crate::Size;
use crate::cluster::{Hdbscan, StableParts};
use crate::embed::{Identity, Questions, Umap};
use crate::evidence::{HeldOut, LatentClasses, Policy};
use crate::recursive::{RecursiveTree, Repeats, SecondLook};
use crate::table::Schema;

/// For arrays of numbers (such as `.npy` files): UMAP in two columns and HDBSCAN, two levels, a [`consensus`] of ten runs at each
/// node, a [second look](RecursiveTree::second_look) at large leaves. For up to three columns see [`few_columns`].
///
/// Held-out rows say of each split whether its clusters are separate ([`marked`]); it is kept in either case.
/// [`Scaled`](crate::embed::Scaled) brings columns of unlike units to one scale.
///
/// ```no_run
/// use recluster::{Run, presets};
/// # let rows = ndarray::Array2::<f32>::zeros((1000, 50));
/// let tree = presets::numbers().fit(&rows, &Run::new().seed(1))?;
/// println!("{tree}");
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn numbers() -> RecursiveTree<Umap, Hdbscan> {
    RecursiveTree::by_node(|_| umap(), by_level(hdbscan()))
        .judge(marked())
        .consensus(consensus())
        .second_look(second_look())
}

/// For arrays of one to three columns: HDBSCAN in them as they are, whose clusters [reach](Hdbscan::reach) for noise. What is
/// separate is [`marked`].
pub fn few_columns() -> RecursiveTree<Identity, Hdbscan> {
    RecursiveTree::by_node(|_| Identity, by_level(hdbscan().map(|clusterer| clusterer.reach(REACH))))
        .judge(marked())
        .consensus(consensus())
}

/// For a table of a schema, as [`Schema::encode`] encodes it: UMAP in the space of its questions, splits that
/// [hold on held-out rows](HeldOut), rows at the borders [reassigned by all of their answers](LatentClasses). For tables of up to
/// three columns, all numbers, `recluster fit` differs: no UMAP, clusters that reach for noise, and splits that do not hold are marked
/// and not refused.
///
/// ```no_run
/// use recluster::{Run, presets, table::{Column, Schema, Table, Values}};
/// let table = Table::new(vec![
///     Column::new("plan", Values::words(["basic", "pro", "pro", "plus"].map(Some))),
///     Column::new("calls", Values::numbers(vec![3.0, 80.0, 75.0, 12.0])),
/// ])?;
/// let schema = Schema::infer(&table);
/// let tree = presets::table(&schema).fit(&schema.encode(&table)?, &Run::new())?;
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn table(schema: &Schema) -> RecursiveTree<Questions<Umap>, Hdbscan> {
    let questions = Questions::new(umap(), schema);
    RecursiveTree::by_node(move |_| questions.clone(), by_level(hdbscan()))
        .judge(LatentClasses::new(HeldOut::new(), schema))
        .consensus(consensus())
}

/// UMAP for clustering: two columns, in which rows may come as close as they will.
pub fn umap() -> Umap {
    Umap::new().min_dist(0.0)
}

/// HDBSCAN at the root, and below: clusters of a twentieth of the rows at hand, or smaller ones where more than a tenth of them
/// (below the root a fifth) [would be noise](Hdbscan::max_noise); density by ten neighbours. Below the root a node without a clear
/// gap stays whole.
pub fn hdbscan() -> [Hdbscan; 2] {
    let root = Hdbscan::new().min_cluster_size(Size::Share(0.05)).max_noise(MAX_NOISE[0]).min_samples(10);
    let below = root.clone().max_noise(MAX_NOISE[1]).single_cluster_weight(0.3);
    [root, below]
}

/// The shares of noise above which HDBSCAN takes smaller clusters, at the root and below.
pub const MAX_NOISE: [f64; 2] = [0.1, 0.2];

/// How far clusters reach for noise where there is no UMAP, whose embeddings leave little of it.
pub const REACH: f64 = 2.0;

/// Says on held-out rows which clusters are separate, and keeps all of them.
pub fn marked() -> HeldOut {
    HeldOut::new().policy(Policy::Mark)
}

/// Ten runs at each node of at most 30,000 rows; larger ones are stable enough by their size, and would take long.
pub fn consensus() -> Repeats {
    Repeats::new(10).most_rows(30_000)
}

/// Parts that an embedding hides, in leaves of an eighth of the rows and more.
pub fn second_look() -> SecondLook {
    SecondLook::new(StableParts::new())
}

fn by_level([root, below]: [Hdbscan; 2]) -> impl Fn(&crate::recursive::NodeInfo) -> Hdbscan + Send + Sync {
    move |node| if node.level() == 1 { root.clone() } else { below.clone() }
}
