//! Agreement between a clustering and known classes.

use crate::core::shape::check_count;
use crate::{Error, Result};

/// The contingency table of two labellings, as its non-empty cells, and the sizes of rows and columns.
struct Contingency {
    cells: Vec<(usize, usize, u64)>,
    rows: Vec<u64>,
    columns: Vec<u64>,
    n: u64,
}

impl Contingency {
    fn new(a: &[i32], b: &[i32]) -> Result<Self> {
        check_count("labels, as many on both sides", a.len(), b.len())?;
        let (a, rows) = numbered(a);
        let (b, columns) = numbered(b);
        let mut pairs: Vec<(usize, usize)> = a.into_iter().zip(b).collect();
        pairs.sort_unstable();
        let cells = pairs.chunk_by(|x, y| x == y).map(|run| (run[0].0, run[0].1, run.len() as u64)).collect();
        Ok(Contingency { cells, n: rows.iter().sum(), rows, columns })
    }
}

/// Labels renumbered from 0 without gaps, in ascending order, and how often each occurs.
fn numbered(labels: &[i32]) -> (Vec<usize>, Vec<u64>) {
    let mut kinds = labels.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let mut counts = vec![0; kinds.len()];
    let numbers = labels
        .iter()
        .map(|l| {
            let k = kinds.partition_point(|kind| kind < l);
            counts[k] += 1;
            k
        })
        .collect();
    (numbers, counts)
}

/// Adjusted Rand index of two labellings: 1 for the same partition, about 0 for independent ones.
///
/// Each number is a class, noise (-1) included; drop the noise rows first to judge the clustered ones alone. Two
/// labellings that are both one class, or both one class for each row, score 1.
///
/// # Formula
/// ARI = (Σ C(nᵢⱼ, 2) − E) / (½ (A + B) − E), with A = Σ C(aᵢ, 2), B = Σ C(bⱼ, 2), E = A B / C(n, 2).
/// Hubert and Arabie, "Comparing partitions", Journal of Classification 2 (1985), 193-218.
///
/// # Errors
/// [`Error::Shape`] when the lengths differ.
///
/// ```
/// use recluster::validity::adjusted_rand;
/// assert_eq!(adjusted_rand(&[0, 0, 1, 1], &[5, 5, 2, 2])?, 1.0);
/// assert!(adjusted_rand(&[0, 0, 1, 1], &[0, 1, 0, 1])? < 0.0);
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn adjusted_rand(a: &[i32], b: &[i32]) -> Result<f64> {
    let table = Contingency::new(a, b)?;
    // Halves of squares: exact in f64 up to 94 million rows, and close beyond.
    let pairs = |n: u64| n as f64 * (n as f64 - 1.0) / 2.0;
    let both: f64 = table.cells.iter().map(|c| pairs(c.2)).sum();
    let (in_a, in_b) = (table.rows.iter().copied().map(pairs).sum(), table.columns.iter().copied().map(pairs).sum());
    let (in_a, in_b): (f64, f64) = (in_a, in_b);
    let all = pairs(table.n);
    let expected = if all > 0.0 { in_a * in_b / all } else { 0.0 };
    let spread = (in_a + in_b) / 2.0 - expected;
    Ok(if spread == 0.0 { 1.0 } else { (both - expected) / spread })
}

/// Adjusted mutual information of two labellings, normalised by the mean of the entropies.
///
/// Like [`adjusted_rand`], but with more weight on small clusters. Cost: O(classes of a x classes of b x largest class).
///
/// # Formula
/// AMI = (MI − E\[MI\]) / (½ (H(a) + H(b)) − E\[MI\]), the expectation over permutations (hypergeometric model).
/// Vinh, Epps and Bailey, "Information theoretic measures for clusterings comparison", JMLR 11 (2010), eq. 24a.
///
/// # Errors
/// [`Error::Shape`] when the lengths differ.
pub fn adjusted_mutual_information(a: &[i32], b: &[i32]) -> Result<f64> {
    let table = Contingency::new(a, b)?;
    if table.rows.len() == table.columns.len() && table.rows.len() <= 1 {
        return Ok(1.0);
    }
    let n = table.n as f64;
    let entropy = |sizes: &[u64]| -> f64 { sizes.iter().map(|&s| -(s as f64 / n) * libm::log(s as f64 / n)).sum() };
    let mutual: f64 = table
        .cells
        .iter()
        .map(|&(i, j, c)| c as f64 / n * libm::log(n * c as f64 / (table.rows[i] as f64 * table.columns[j] as f64)))
        .sum();
    let expected = expected_mutual_information(&table);
    let spread = (entropy(&table.rows) + entropy(&table.columns)) / 2.0 - expected;
    // Equal labellings score 1 despite rounding.
    Ok(if spread.abs() < 1e-15 { 1.0 } else { (mutual - expected) / spread })
}

/// E\[MI\] = Σᵢⱼ Σ_c (c / n) ln(n c / aᵢ bⱼ) P(c), P hypergeometric; factorials through ln Γ.
fn expected_mutual_information(table: &Contingency) -> f64 {
    let n = table.n;
    let ln_factorial: Vec<f64> = (0..=n)
        .scan(0.0, |sum, i| {
            *sum += if i > 1 { libm::log(i as f64) } else { 0.0 };
            Some(*sum)
        })
        .collect();
    let f = |i: u64| ln_factorial[i as usize];
    let mut expected = 0.0;
    for &a in &table.rows {
        for &b in &table.columns {
            let fixed = f(a) + f(b) + f(n - a) + f(n - b) - f(n);
            for c in 1.max((a + b).saturating_sub(n))..=a.min(b) {
                let information = libm::log(n as f64 * c as f64 / (a as f64 * b as f64));
                let ln_p = fixed - f(c) - f(a - c) - f(b - c) - f(n + c - a - b);
                expected += c as f64 / n as f64 * information * libm::exp(ln_p);
            }
        }
    }
    expected
}

/// The best F1 of any node for each class, averaged over the classes by size.
///
/// `nodes` are sets of row numbers, at any depth of a tree, which may overlap; `classes` holds the known
/// class of each row. The measure of hierarchical document clustering: Larsen and Aone, "Fast and effective text
/// mining using linear-time document clustering", KDD 1999.
///
/// # Errors
/// [`Error::Shape`] when a node holds a row that has no class.
///
/// ```
/// use recluster::validity::best_node_f;
/// let nodes: [&[u32]; 3] = [&[0, 1, 2, 3], &[0, 1], &[2, 3]];
/// assert_eq!(best_node_f(nodes, &[7, 7, 9, 9])?, 1.0);
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn best_node_f<'a>(nodes: impl IntoIterator<Item = &'a [u32]>, classes: &[i32]) -> Result<f64> {
    let (class, sizes) = numbered(classes);
    let mut best = vec![0.0f64; sizes.len()];
    for node in nodes {
        let mut hits = vec![0u64; sizes.len()];
        for &row in node {
            let Some(&c) = class.get(row as usize) else {
                return Err(Error::Shape {
                    what: "classes, one for each row",
                    expected: row as usize + 1,
                    found: classes.len(),
                });
            };
            hits[c] += 1;
        }
        for ((best, &hits), &size) in best.iter_mut().zip(&hits).zip(&sizes) {
            *best = best.max(2.0 * hits as f64 / (node.len() as f64 + size as f64));
        }
    }
    let n = classes.len().max(1) as f64;
    Ok(best.iter().zip(&sizes).map(|(f, &size)| f * size as f64 / n).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn agreement_matches_scikit_learn() {
        // scikit-learn 1.9.1: adjusted_rand_score and adjusted_mutual_info_score of these labels.
        let a: Vec<i32> = (0..60).map(|i| i / 20).collect();
        let b: Vec<i32> = (0..60).map(|i| (i * i / 7) % 5 - 1).collect();
        let c: Vec<i32> = (0..60).map(|i| if i % 9 == 0 { -1 } else { i / 15 }).collect();
        for (x, y, ari, ami) in [
            (&a, &b, EXPECTED[0].0, EXPECTED[0].1),
            (&a, &c, EXPECTED[1].0, EXPECTED[1].1),
            (&b, &c, EXPECTED[2].0, EXPECTED[2].1),
        ] {
            assert_abs_diff_eq!(adjusted_rand(x, y).unwrap(), ari, epsilon = 1e-12);
            assert_abs_diff_eq!(adjusted_mutual_information(x, y).unwrap(), ami, epsilon = 1e-10);
        }
    }
    const EXPECTED: [(f64, f64); 3] = [
        (-0.02494944326681773, -0.03622588371842562),
        (0.39695813771517996, 0.4839048043082502),
        (-0.02853707221079728, -0.035476474714764505),
    ];

    #[test]
    fn degenerate_labellings_have_an_answer() {
        assert_eq!(adjusted_rand(&[], &[]).unwrap(), 1.0);
        assert_eq!(adjusted_rand(&[3], &[4]).unwrap(), 1.0);
        assert_eq!(adjusted_rand(&[1, 1, 1], &[2, 2, 2]).unwrap(), 1.0);
        assert_eq!(adjusted_rand(&[1, 1, 1], &[0, 1, 2]).unwrap(), 0.0);
        assert_eq!(adjusted_mutual_information(&[1, 1], &[0, 0]).unwrap(), 1.0);
        assert_eq!(adjusted_mutual_information(&[], &[]).unwrap(), 1.0);
        assert!(adjusted_rand(&[1], &[]).is_err());
        assert_eq!(best_node_f([], &[1, 2]).unwrap(), 0.0);
        assert!(best_node_f([[5u32].as_slice()], &[1, 2]).is_err());
    }
}
