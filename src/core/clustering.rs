//! What a clusterer gives.

use super::{Error, Result};

/// The label of a row that belongs to no cluster.
pub const NOISE: i32 = -1;

/// Rows of each of `clusters` clusters, by the labels of all rows; those below 0 count nowhere.
pub(crate) fn cluster_sizes(labels: &[i32], clusters: usize) -> Vec<usize> {
    let mut sizes = vec![0; clusters];
    labels.iter().filter_map(|&label| usize::try_from(label).ok()).for_each(|cluster| sizes[cluster] += 1);
    sizes
}

/// What a [`Clusterer`](crate::Clusterer) found.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts"))]
#[must_use]
pub struct Clustering {
    /// One for each row: 0..clusters, or [`NOISE`]. Every cluster has a row.
    labels: Vec<i32>,
    clusters: usize,
    /// One for each row, in 0 to 1; 0 for noise.
    membership: Vec<f32>,
    /// One for each cluster, in 0 to 1, where the method knows it.
    persistence: Option<Vec<f64>>,
}

/// A clustering as it is saved, not yet checked.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Parts {
    labels: Vec<i32>,
    clusters: usize,
    membership: Vec<f32>,
    persistence: Option<Vec<f64>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for Clustering {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self> {
        let found = Clustering::new(parts.labels)?.with_membership(parts.membership)?;
        super::shape::check_count("clusters", found.clusters, parts.clusters)?;
        match parts.persistence {
            Some(persistence) => found.with_persistence(persistence),
            None => Ok(found),
        }
    }
}

impl Clustering {
    /// Takes labels as they are.
    ///
    /// # Errors
    /// [`Error::Label`] when a label is below -1, or when a number between 0 and the largest label is missing.
    pub fn new(labels: Vec<i32>) -> Result<Self> {
        let clusters = labels.iter().copied().max().unwrap_or(NOISE).max(NOISE) as i64 + 1;
        if clusters as usize > labels.len() {
            let row = labels.iter().position(|&l| i64::from(l) + 1 == clusters).unwrap_or(0);
            return Err(Error::Label {
                row,
                label: clusters - 1,
                reason: "labels must be numbered from 0 without gaps",
            });
        }
        let mut seen = vec![false; clusters as usize];
        for (row, &label) in labels.iter().enumerate() {
            match label {
                NOISE => {}
                l if l >= 0 => seen[l as usize] = true,
                l => {
                    return Err(Error::Label {
                        row,
                        label: l.into(),
                        reason: "must be -1 (noise) or a cluster's number",
                    });
                }
            }
        }
        if let Some(gap) = seen.iter().position(|&s| !s) {
            let row = labels.iter().position(|&l| l as i64 > gap as i64).unwrap_or(0);
            let label = labels[row].into();
            return Err(Error::Label { row, label, reason: "labels must be numbered from 0 without gaps" });
        }
        let membership = labels.iter().map(|&l| if l == NOISE { 0.0 } else { 1.0 }).collect();
        Ok(Clustering { labels, clusters: clusters as usize, membership, persistence: None })
    }

    /// Takes labels with gaps and closes these, keeping the order of the numbers.
    ///
    /// # Errors
    /// [`Error::Label`] when a label is below -1.
    pub fn compact(mut labels: Vec<i32>) -> Result<Self> {
        let mut used: Vec<i32> = labels.iter().copied().filter(|&l| l >= 0).collect();
        used.sort_unstable();
        used.dedup();
        for label in labels.iter_mut().filter(|l| **l >= 0) {
            *label = used.binary_search(label).map_or(NOISE, |place| place as i32);
        }
        Self::new(labels)
    }

    /// Adds each row's strength of membership, in 0 to 1.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one for each row; [`Error::Setting`] when one is outside 0 to 1.
    pub fn with_membership(mut self, membership: Vec<f32>) -> Result<Self> {
        let (expected, found) = (self.labels.len(), membership.len());
        if expected != found {
            return Err(Error::Shape { what: "memberships, one for each row", expected, found });
        }
        if let Some(bad) = membership.iter().find(|m| !(0.0..=1.0).contains(*m)) {
            return Err(Error::setting("membership", bad, "must be between 0 and 1"));
        }
        self.membership = membership;
        Ok(self)
    }

    /// Adds each cluster's persistence, in 0 to 1: for how much of the density range it exists.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one for each cluster, [`Error::Setting`] when one is not in 0 to 1.
    pub fn with_persistence(mut self, persistence: Vec<f64>) -> Result<Self> {
        let (expected, found) = (self.clusters, persistence.len());
        if expected != found {
            return Err(Error::Shape { what: "persistences, one for each cluster", expected, found });
        }
        if let Some(bad) = persistence.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(Error::setting("persistence", bad, "must be between 0 and 1"));
        }
        self.persistence = Some(persistence);
        Ok(self)
    }

    /// The same without clusters of fewer than `least` rows, whose rows are noise; the others keep their order.
    ///
    /// ```
    /// let clustering = recluster::Clustering::new(vec![0, 1, 1, 2, 2])?.without_small(2);
    /// assert_eq!(clustering.labels(), [-1, 0, 0, 1, 1]);
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn without_small(mut self, least: usize) -> Clustering {
        let (sizes, mut kept) = (self.sizes(), 0);
        let number = |&size: &usize| {
            kept += i32::from(size >= least);
            if size >= least { kept - 1 } else { NOISE }
        };
        let numbers: Vec<i32> = sizes.iter().map(number).collect();
        for (label, membership) in self.labels.iter_mut().zip(&mut self.membership) {
            *label = usize::try_from(*label).map_or(NOISE, |cluster| numbers[cluster]);
            *membership = if *label == NOISE { 0.0 } else { *membership };
        }
        if let Some(persistence) = &mut self.persistence {
            let mut numbers = numbers.iter();
            persistence.retain(|_| numbers.next().is_some_and(|&number| number != NOISE));
        }
        self.clusters = kept as usize;
        self
    }

    /// The same for rows in another order: row i is what row `places[i]` was.
    pub(crate) fn select(&self, places: &[usize]) -> Clustering {
        Clustering {
            labels: places.iter().map(|&place| self.labels[place]).collect(),
            clusters: self.clusters,
            membership: places.iter().map(|&place| self.membership[place]).collect(),
            persistence: self.persistence.clone(),
        }
    }

    /// The label of each row: a cluster's number, or [`NOISE`].
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Rows of each cluster.
    pub fn sizes(&self) -> Vec<usize> {
        cluster_sizes(&self.labels, self.clusters)
    }

    /// The number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// Each row's strength of membership in its cluster, in 0 to 1; 0 for noise.
    pub fn membership(&self) -> &[f32] {
        &self.membership
    }

    /// Each cluster's persistence, where the method knows it.
    pub fn persistence(&self) -> Option<&[f64]> {
        self.persistence.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_checked_and_compacted() {
        assert_eq!(Clustering::new(vec![0, -1, 1, 0]).unwrap().clusters(), 2);
        assert!(matches!(Clustering::new(vec![0, -2]), Err(Error::Label { row: 1, label: -2, .. })));
        assert!(Clustering::new(vec![0, 2, 2]).is_err());
        assert!(Clustering::new(vec![i32::MAX]).is_err());
        assert_eq!(Clustering::new(vec![]).unwrap().clusters(), 0);
        assert_eq!(Clustering::compact(vec![7, -1, 3, 7]).unwrap().labels(), [1, -1, 0, 1]);
        assert_eq!(Clustering::new(vec![-1, 0]).unwrap().membership(), [0.0, 1.0]);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_is_read_is_checked() {
        let good = Clustering::new(vec![0, -1, 1, 0]).unwrap().with_persistence(vec![0.5, 0.25]).unwrap();
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Clustering>(&text).unwrap(), good);
        for (from, to) in [
            ("[0,-1,1,0]", "[0,-1,5,0]"),
            ("[0,-1,1,0]", "[0,-1,1]"),
            ("\"clusters\":2", "\"clusters\":3"),
            ("[0.5,0.25]", "[0.5]"),
        ] {
            let edited = text.replacen(from, to, 1);
            assert!(edited != text && serde_json::from_str::<Clustering>(&edited).is_err(), "{edited}");
        }
        let why = crate::Explanation::new(ndarray::Array3::zeros((2, 3, 1)), ndarray::array![0.5]).unwrap();
        let text = serde_json::to_string(&why).unwrap();
        assert_eq!(serde_json::from_str::<crate::Explanation>(&text).unwrap(), why);
        assert!(
            serde_json::from_str::<crate::Explanation>(&text.replacen("[0.5]", "[]", 1).replacen(
                "\"dim\":[1]",
                "\"dim\":[0]",
                1
            ))
            .is_err()
        );
    }
}
