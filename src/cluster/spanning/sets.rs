//! Disjoint sets (union-find).

/// Disjoint sets, joined by size.
#[derive(Default)]
pub(crate) struct Sets {
    /// Each element's parent; a root is its own.
    pub(crate) parent: Vec<u32>,
    size: Vec<u32>,
}

impl Sets {
    pub(crate) fn new(n: usize) -> Self {
        Sets { parent: (0..n as u32).collect(), size: vec![1; n] }
    }

    /// The set's root; halves the path on the way.
    pub(crate) fn find(&mut self, mut x: u32) -> u32 {
        while self.parent[x as usize] != x {
            let up = self.parent[self.parent[x as usize] as usize];
            self.parent[x as usize] = up;
            x = up;
        }
        x
    }

    /// Members of the set of a root.
    pub(crate) fn size(&self, root: u32) -> u32 {
        self.size[root as usize]
    }

    /// Joins two sets; (the root that stays, the root that goes), or none if they were one.
    pub(crate) fn join(&mut self, a: u32, b: u32) -> Option<(u32, u32)> {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return None;
        }
        let (keep, goes) = if self.size[a as usize] >= self.size[b as usize] { (a, b) } else { (b, a) };
        self.parent[goes as usize] = keep;
        self.size[keep as usize] += self.size[goes as usize];
        Some((keep, goes))
    }
}
