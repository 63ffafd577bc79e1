//! A full hierarchy of merges, to be cut anywhere.

use crate::cluster::spanning::{Merge, Sets, merges};
#[cfg(feature = "serde")]
use crate::core::checks;
use crate::core::{Canonical, Error, NOISE, Result};

/// What joins what, from single rows to one cluster, in the order in which a method joined them.
///
/// Parts 0..rows are rows; part rows + i is what the i-th merge made, as in SciPy's linkage matrices. Equal rows come
/// together first, so that no cut parts them.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dendrogram {
    /// Merges; distances never fall.
    merges: Vec<Merge>,
    /// How many merges only bring equal rows together.
    equal: usize,
    /// A number for each row that its content gives, equal for equal rows: breaks ties between clusters of one size.
    place: Vec<u32>,
    /// Rows that take no part.
    left_out: Vec<u32>,
}

impl Dendrogram {
    /// From (row, row, distance) in the order of the merges, those of equal rows first.
    ///
    /// A distance that is above a later one is lowered to it: so each part's distance is at most that of its parent.
    pub(super) fn new(joins: &[(u32, u32, f64)], canonical: &Canonical, left_out: Vec<u32>) -> Self {
        let place = canonical.group_of_row();
        let rows = place.len();
        let mut merges = merges(rows, joins.iter().copied());
        let mut least = f64::INFINITY;
        for merge in merges.iter_mut().rev() {
            least = if merge.distance < least { merge.distance } else { least };
            merge.distance = least;
        }
        let equal = rows - canonical.groups();
        Dendrogram { merges, equal, place, left_out }
    }

    /// Merges, in order; one less than the rows that take part.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// Most clusters that a cut can give: different rows that take part.
    pub fn most_clusters(&self) -> usize {
        self.merges.len() + 1 - self.equal
    }

    /// Labels of the cut into so many clusters, by falling size; [`NOISE`] for rows that take no part. O(rows).
    ///
    /// # Errors
    /// [`Error::Setting`] when `clusters` is 0; [`Error::TooFewRows`] when there are fewer different rows.
    pub fn cut(&self, clusters: usize) -> Result<Vec<i32>> {
        if clusters == 0 {
            return Err(Error::setting("clusters", clusters, "must be at least 1"));
        }
        let most = self.most_clusters();
        if clusters > most {
            let method = "a cut into so many clusters (equal rows counted once)";
            return Err(Error::TooFewRows { method, needed: clusters, rows: most });
        }
        Ok(self.labels(self.merges.len() + 1 - clusters))
    }

    /// Labels of the cut that keeps apart what joins at `distance` or farther. O(rows).
    ///
    /// # Errors
    /// [`Error::Setting`] when `distance` is NaN.
    pub fn cut_at(&self, distance: f64) -> Result<Vec<i32>> {
        if distance.is_nan() {
            return Err(Error::setting("distance", distance, "must be a number"));
        }
        let below = self.merges.partition_point(|merge| merge.distance < distance);
        Ok(self.labels(below.max(self.equal)))
    }

    /// For each row whether it takes no part.
    #[cfg(feature = "serde")]
    pub(super) fn is_left_out(&self) -> Vec<bool> {
        let mut out = vec![false; self.place.len()];
        self.left_out.iter().for_each(|&row| out[row as usize] = true);
        out
    }

    /// Whether it is a hierarchy of the rows that take part: a file may be damaged.
    #[cfg(feature = "serde")]
    pub(super) fn validate(&self) -> checks::Check {
        let (rows, out) = (self.place.len(), self.left_out.len());
        checks::each("rows left out", &self.left_out, |&row| (row as usize) < rows)?;
        let mut gone = self.is_left_out();
        checks::count("different rows left out", gone.iter().filter(|&&out| out).count(), out)?;
        checks::that(out < rows, || format!("{rows} rows, {out} of them left out"))?;
        checks::count("merges", self.merges.len(), rows - out - 1)?;
        checks::that(self.equal <= self.merges.len(), || format!("{} merges of equal rows", self.equal))?;
        checks::each("places", &self.place, |&place| (place as usize) < rows - self.equal)?;
        // Rows and place of each part; a part is gone when it has become part of another.
        let mut parts: Vec<(u32, u32)> = self.place.iter().map(|&place| (1, place)).collect();
        let mut least = 0.0;
        for (i, merge) in self.merges.iter().enumerate() {
            let (a, b) = (merge.a as usize, merge.b as usize);
            let fits = a < b && b < parts.len() && !gone[a] && !gone[b];
            checks::that(fits, || format!("merge {i} of parts {a} and {b}"))?;
            let size = parts[a].0 + parts[b].0;
            checks::that(merge.size == size, || format!("merge {i} of {} rows, which are {size}", merge.size))?;
            let rises = merge.distance >= least && merge.distance.is_finite();
            checks::that(rises, || format!("merge {i} at distance {}", merge.distance))?;
            checks::that(i >= self.equal || parts[a].1 == parts[b].1, || format!("merge {i} of unequal rows"))?;
            (gone[a], gone[b], least) = (true, true, merge.distance);
            gone.push(false);
            parts.push((size, parts[a].1));
        }
        Ok(())
    }

    /// Labels after so many merges.
    fn labels(&self, merges: usize) -> Vec<i32> {
        let rows = self.place.len();
        let mut sets = Sets::new(rows);
        // One row of each part.
        let mut row: Vec<u32> = (0..rows as u32).collect();
        for merge in &self.merges[..merges] {
            let (a, b) = (row[merge.a as usize], row[merge.b as usize]);
            sets.join(a, b);
            row.push(a);
        }
        let mut roots: Vec<i64> = (0..rows as u32).map(|row| i64::from(sets.find(row))).collect();
        for &out in &self.left_out {
            roots[out as usize] = -1;
        }
        numbered(&roots, &self.place)
    }
}

/// Labels by falling size for clusters known by any number below that of the rows, -1 being noise. Clusters of one
/// size stand in the order of their lowest place.
pub(crate) fn numbered(roots: &[i64], place: &[u32]) -> Vec<i32> {
    let mut found = vec![(0usize, u32::MAX, 0usize); roots.len()];
    for (row, &root) in roots.iter().enumerate().filter(|(_, root)| **root >= 0) {
        let cluster = &mut found[root as usize];
        *cluster = (cluster.0 + 1, cluster.1.min(place[row]), root as usize);
    }
    let mut clusters: Vec<(usize, u32, usize)> = found.into_iter().filter(|cluster| cluster.0 > 0).collect();
    clusters.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut number = vec![NOISE; roots.len()];
    clusters.iter().enumerate().for_each(|(n, cluster)| number[cluster.2] = n as i32);
    roots.iter().map(|&root| usize::try_from(root).map_or(NOISE, |root| number[root])).collect()
}
