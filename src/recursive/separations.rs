//! Which children of a split a judge compared, and how well they are separated.

use super::{ClusterTree, Grade, Node, Path, Separation, Split};

impl ClusterTree {
    /// The sibling that a node is least separated from, and how well: of the comparisons that a [`Judge`](super::Judge) has
    /// recorded, that with the highest p-value. That with a sibling that was [not found again](super::Grade::NotFoundAgain)
    /// counts only where there is no other. None where nothing was compared.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::evidence::HeldOut;
    /// use recluster::recursive::{Grade, RecursiveTree};
    /// use recluster::{Run, cluster::KMeans, embed::Identity};
    /// let rows = Array2::from_shape_fn((300, 2), |(i, j)| ((i % 3) * 50) as f32 + ((i * 37 + j * 101) % 97) as f32 / 10.0);
    /// let tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).judge(HeldOut::new()).fit(&rows, &Run::new())?;
    /// let (sibling, found) = tree.least_separated(tree.node("0.0").unwrap()).unwrap();
    /// assert_eq!((sibling.level(), found.grade), (2, Grade::Separated));
    /// # Ok::<(), recluster::Error>(())
    /// ```
    pub fn least_separated(&self, node: &Node) -> Option<(Path, &Separation)> {
        let parent = self.parent(node)?;
        let split = parent.split()?;
        let pairs = match split.noise().filter(|_| node.found_in_noise()) {
            Some(noise) => pairs(noise.separations(), |c| noise.child_of(c)),
            None => split.compared(),
        };
        let number = node.path().number()? as usize;
        // A pair that is the least separated one of both stands there once.
        let own = pairs.into_iter().filter(|(of, from, _)| [of, from].contains(&&number));
        let counts = |&(of, _, pair): &(usize, usize, &Separation)| {
            (of == number || pair.grade != Grade::NotFoundAgain, pair.p_value)
        };
        // Of equal ones the first counts.
        let (of, from, worst) = own.reduce(|worst, pair| if counts(&pair) > counts(&worst) { pair } else { worst })?;
        let other = if of == number { from } else { of };
        Some((parent.path().child(other as u32), worst))
    }
}

impl Split {
    /// The pairs of different children that were compared, by number.
    pub fn compared(&self) -> Vec<(usize, usize, &Separation)> {
        pairs(self.separations(), |cluster| self.child_of(cluster))
    }
}

fn pairs(separations: &[Separation], child_of: impl Fn(usize) -> Option<usize>) -> Vec<(usize, usize, &Separation)> {
    let child = |clusters: &[usize]| child_of(*clusters.first()?);
    let pairs = separations.iter().filter_map(|s| Some((child(&s.of)?, child(&s.from)?, s)));
    pairs.filter(|(of, from, _)| of != from).collect()
}
