//! Finished nodes on disk: a fit that is interrupted goes on from them.

use super::fitting::Fitting;
use super::weights::Weights;
use super::{ClusterTree, Node, NodeInfo, Path, RecursiveTree, Repeats, SecondLook};
use crate::core::checks::{self, Check};
use crate::core::random::{digest, mix};
use crate::core::{AnyRows, AnyTable, Saved, parallel, write_whole};
use crate::{Clusterer, Embedder, Error, Result, Run, Setting, Settings, SparseRows};
use ndarray::ArrayRef2;
use std::io::ErrorKind;
use std::path::{Path as FilePath, PathBuf};

/// A folder that keeps the finished nodes of a fit, for [`RecursiveTree::fit_resumable`].
///
/// The folder holds `manifest.json`, which says what is fitted, and a file for each finished node. Files appear whole or not
/// at all. A node's file that is damaged all the same, or another fit's, counts for nothing: the node is worked on again, with
/// the same result, and the run gets a note.
///
/// The manifest has the version of this crate, the seed, digests of the data (rows in the order given) and of the weights,
/// the limits, and the settings of the embedder, the clusterer and the judge, as [`Embedder::settings`] and its like list
/// them. What a plan cannot see, such as what a closure of [`RecursiveTree::by_node`] has captured, is pinned by
/// [`with`](Checkpoint::with). Each finished node's own settings are compared as well.
#[derive(Clone, Debug)]
#[must_use]
pub struct Checkpoint {
    folder: PathBuf,
    also: Settings,
}

impl Checkpoint {
    /// A checkpoint in this folder, which is created when a fit begins; the folder above it must be there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Checkpoint { folder: folder.into(), also: Settings::new("also") }
    }

    /// Adds something that must not differ between the fits that share the checkpoint.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Setting>) -> Self {
        self.also = self.also.with(name, value);
        self
    }

    /// The folder.
    pub fn folder(&self) -> &FilePath {
        &self.folder
    }

    /// Removes the checkpoint's files, and the folder if nothing else is in it. A folder that is not there is fine.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be removed.
    pub fn remove(&self) -> Result<()> {
        let io = |e| Error::io(&self.folder, e);
        let mut strange = false;
        // The manifest goes last: without it nothing says whose the nodes are.
        for last in [false, true] {
            let entries = match std::fs::read_dir(&self.folder) {
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
                entries => entries.map_err(io)?,
            };
            for entry in entries {
                let entry = entry.map_err(io)?;
                match Kept::of(&entry.file_name().to_string_lossy()) {
                    None => strange = true,
                    Some(kept) if (kept == Kept::Manifest) == last => {
                        std::fs::remove_file(entry.path()).map_err(|e| Error::io(entry.path(), e))?;
                    }
                    Some(_) => {}
                }
            }
        }
        if strange { Ok(()) } else { std::fs::remove_dir(&self.folder).map_err(io) }
    }

    /// Begins a checkpoint of this fit, or goes on with it.
    fn open(&self, mut of: Settings) -> Result<Open<'_>> {
        of = of.with("also", self.also.clone());
        let path = self.folder.join(MANIFEST);
        let manifest = Manifest { of };
        let digest = digest(manifest.to_json()?.as_bytes());
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let there = Manifest::from_json(&text).map_err(|error| Error::Format {
                    format: Manifest::FORMAT,
                    reason: format!("{}: {error}; remove the folder to begin anew", path.display()),
                })?;
                let differs = differences(&there.of, &manifest.of);
                if !differs.is_empty() {
                    return Err(Error::Checkpoint { path: self.folder.display().to_string(), differs });
                }
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                self.create()?;
                manifest.save(&path)?;
            }
            Err(e) => return Err(Error::io(&path, e)),
        }
        Ok(Open { folder: &self.folder, digest })
    }

    /// Makes the folder. One that is there must be empty, except for what an interrupted start has left.
    fn create(&self) -> Result<()> {
        let io = |e| Error::io(&self.folder, e);
        match std::fs::create_dir(&self.folder) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map_err(io),
        }
        for entry in std::fs::read_dir(&self.folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            if Kept::of(&name).is_none() {
                let reason = format!("{} has \"{name}\" and no {MANIFEST}", self.folder.display());
                return Err(Error::Format { format: Manifest::FORMAT, reason });
            }
        }
        Ok(())
    }
}

const MANIFEST: &str = "manifest.json";
const NODE: &str = "node-";

/// The kinds of files in a checkpoint's folder.
#[derive(PartialEq)]
enum Kept {
    Manifest,
    Node,
}

impl Kept {
    /// The kind by a file's name, or by that under which it was being written; none for what is not a checkpoint's.
    fn of(name: &str) -> Option<Self> {
        let staged = |name: &'_ str| {
            let (name, process) = name.strip_suffix(".tmp")?.rsplit_once('.')?;
            process.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-').then(|| name.to_string())
        };
        let name = staged(name).unwrap_or_else(|| name.to_string());
        if name == MANIFEST {
            return Some(Kept::Manifest);
        }
        let node = name.strip_prefix(NODE)?.strip_suffix(".json")?;
        let digest = node.len() == 16 && node.bytes().all(|byte| byte.is_ascii_hexdigit());
        (digest || node.parse::<Path>().is_ok()).then_some(Kept::Node)
    }
}

/// What is fitted.
#[derive(serde::Serialize, serde::Deserialize)]
struct Manifest {
    of: Settings,
}

impl Saved for Manifest {
    const FORMAT: &'static str = "recluster checkpoint";
    const VERSION: u64 = 1;

    fn validate(&self) -> Check {
        checks::that(self.of.method() == METHOD, || format!("\"{}\" is no fit", self.of.method()))
    }
}

const METHOD: &str = "RecursiveTree";

/// Settings that are not the same, and how they differ: `embedder.n_neighbors: 15 there, 10 here`.
fn differences(there: &Settings, here: &Settings) -> Vec<String> {
    fn list(prefix: &str, settings: &Settings, to: &mut Vec<(String, String)>) {
        to.push((format!("{prefix}method"), settings.method().to_string()));
        for (name, value) in settings.iter() {
            match value {
                Setting::Settings(part) => list(&format!("{prefix}{name}."), part, to),
                value => to.push((format!("{prefix}{name}"), value.to_string())),
            }
        }
    }
    let (mut old, mut new) = (Vec::new(), Vec::new());
    list("", there, &mut old);
    list("", here, &mut new);
    let of = |all: &[(String, String)], name: &str| {
        all.iter().find(|(other, _)| other == name).map_or_else(|| "nothing".to_string(), |(_, value)| value.clone())
    };
    let gone = old.iter().filter(|(name, _)| new.iter().all(|(other, _)| other != name));
    let names = new.iter().chain(gone).map(|(name, _)| name);
    names
        .map(|name| (name, of(&old, name), of(&new, name)))
        .filter(|(_, there, here)| there != here)
        .map(|(name, there, here)| format!("{name}: {there} there, {here} here"))
        .collect()
}

/// A checkpoint of the fit under way.
struct Open<'a> {
    folder: &'a FilePath,
    /// The manifest's.
    digest: u64,
}

/// A finished node, with its children as they were before they were worked on.
#[derive(serde::Deserialize)]
struct Record {
    node: Node,
    children: Vec<Node>,
}

#[derive(serde::Serialize)]
struct RecordRef<'a> {
    node: &'a Node,
    children: &'a [Node],
}

impl Open<'_> {
    fn file(&self, path: &Path) -> PathBuf {
        let name = path.to_string();
        // A file's name has at most 255 bytes.
        let name = if name.len() > 200 { format!("{:016x}", digest(name.as_bytes())) } else { name };
        self.folder.join(format!("{NODE}{name}.json"))
    }

    /// The line before a record: whose it is, and what it must be.
    fn head(&self, record: &str) -> String {
        format!("recluster node 1 of {:016x} {:016x}\n", self.digest, digest(record.as_bytes()))
    }

    fn keep(&self, node: &Node, children: &[Node]) -> Result<()> {
        let path = self.file(&node.path);
        let record = serde_json::to_string(&RecordRef { node, children })
            .map_err(|e| Error::Format { format: "node", reason: e.to_string() })?;
        write_whole(&path, (self.head(&record) + &record).as_bytes())
    }

    /// The record of a node, if there is a sound one.
    fn read(&self, path: &Path, run: &Run) -> Result<Option<Record>> {
        let file = self.file(path);
        let bytes = match std::fs::read(&file) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|e| Error::io(&file, e))?,
        };
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let record = text.split_once('\n').filter(|(head, record)| self.head(record).trim_end() == *head);
        let record = record.and_then(|(_, record)| serde_json::from_str::<Record>(record).ok());
        let record = record.filter(|record| record.node.path == *path);
        if record.is_none() {
            run.note(&format!("{} is damaged or another fit's: the node is worked on again", file.display()));
        }
        Ok(record)
    }

    /// The tree as far as it is known, unless nothing is.
    fn tree(&self, columns: usize, run: &Run) -> Result<Option<ClusterTree>> {
        let (mut nodes, mut ahead) = (Vec::new(), vec![Path::root()]);
        while let Some(path) = ahead.pop() {
            if let Some(Record { node, children }) = self.read(&path, run)? {
                ahead.extend(children.iter().map(|child| child.path.clone()));
                nodes.push(node);
                nodes.extend(children);
            }
        }
        if nodes.is_empty() { Ok(None) } else { ClusterTree::from_nodes(nodes, columns, run.seed_value()).map(Some) }
    }
}

impl<E: Embedder, C: Clusterer> RecursiveTree<E, C> {
    /// As [`fit`](RecursiveTree::fit), keeping each finished node in a folder, and going on from the nodes that an interrupted
    /// fit has left there: the result is the same to the bit, whenever it was interrupted. The folder stays until
    /// [`Checkpoint::remove`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use recluster::recursive::{Checkpoint, RecursiveTree};
    /// use recluster::{Run, cluster::KMeans, embed::Identity};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let at = folder.path().join("fit.partial");
    /// let rows = Array2::from_shape_fn((300, 2), |(i, j)| ((i * (7 + j)) % 101) as f32);
    /// let plan = RecursiveTree::new(Identity, KMeans::new(3));
    /// let checkpoint = Checkpoint::new(at);
    /// let tree = plan.fit_resumable(&rows, &checkpoint, &Run::new())?;
    /// assert_eq!(plan.fit_resumable(&rows, &checkpoint, &Run::new())?, tree); // from the files
    /// assert!(plan.levels(3).fit_resumable(&rows, &checkpoint, &Run::new()).is_err()); // another fit's
    /// checkpoint.remove()?;
    /// # Ok::<(), recluster::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`fit`](RecursiveTree::fit); [`Error::Checkpoint`] when the folder is another fit's, with what differs;
    /// [`Error::Format`] and [`Error::Version`] when its manifest cannot be read, or its nodes make no tree; [`Error::Io`] when
    /// it cannot be read or written.
    pub fn fit_resumable(&self, data: &ArrayRef2<f32>, checkpoint: &Checkpoint, run: &Run) -> Result<ClusterTree> {
        self.fitting().resumable(AnyTable::Dense(data), None, checkpoint, run)
    }

    /// As [`fit_resumable`](RecursiveTree::fit_resumable), with weights.
    ///
    /// # Errors
    /// Those of [`fit_resumable`](RecursiveTree::fit_resumable) and [`fit_weighted`](RecursiveTree::fit_weighted).
    pub fn fit_resumable_weighted(
        &self,
        data: &ArrayRef2<f32>,
        weights: &[f64],
        checkpoint: &Checkpoint,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().resumable(AnyTable::Dense(data), Some(weights), checkpoint, run)
    }

    /// As [`fit_resumable`](RecursiveTree::fit_resumable), of sparse rows.
    ///
    /// # Errors
    /// Those of [`fit_resumable`](RecursiveTree::fit_resumable) and [`fit_sparse`](RecursiveTree::fit_sparse).
    pub fn fit_resumable_sparse(
        &self,
        rows: &SparseRows,
        weights: Option<&[f64]>,
        checkpoint: &Checkpoint,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.fitting().resumable(AnyTable::Sparse(rows), weights, checkpoint, run)
    }
}

impl Fitting<'_> {
    fn resumable(
        &self,
        data: AnyTable<'_>,
        weights: Option<&[f64]>,
        checkpoint: &Checkpoint,
        run: &Run,
    ) -> Result<ClusterTree> {
        self.check()?;
        let (n, columns) = data.dim();
        let root = NodeInfo { path: Path::root(), rows: n, parent_rows: n, total_rows: n };
        let fitted = self.with_rows(data, &root, |rows| {
            weights.map(|weights| Weights::new(weights, n)).transpose()?;
            self.fitted(rows, weights, &root, run)
        })?;
        let open = checkpoint.open(fitted)?;
        let sink = |node: &Node, children: &[Node]| open.keep(node, children);
        match open.tree(columns, run)? {
            Some(tree) => {
                self.check_made_here(&tree, checkpoint)?;
                self.resume(tree, data, weights, &sink, run)
            }
            None => self.begin(data, weights, &sink, run),
        }
    }

    /// All that a tree depends on, as far as the plan knows it.
    fn fitted(&self, rows: AnyRows<'_>, weights: Option<&[f64]>, root: &NodeInfo, run: &Run) -> Result<Settings> {
        let hashes = |range: std::ops::Range<usize>| range.map(|i| rows.hash(i)).collect::<Vec<_>>();
        let hashes = run.install(|| parallel::map_ranges(rows.len(), 1024, hashes))?;
        let data = hashes.into_iter().flatten().fold(0, |all, row| mix(all ^ row));
        let weights = weights.map(|weights| weights.iter().fold(0, |all, weight| mix(all ^ weight.to_bits())));
        let hex = |digest: u64| format!("{digest:016x}");
        let settings = Settings::new(METHOD)
            .with("crate version", env!("CARGO_PKG_VERSION"))
            .with("feature linalg", cfg!(feature = "linalg"))
            .with("seed", Setting::Count(run.seed_value()))
            .with("scope", run.scope())
            .with("rows", rows.len())
            .with("sparse", matches!(rows, AnyRows::Sparse(_)))
            .with("columns", rows.columns())
            .with("digest of the data", hex(data))
            .with("digest of the weights", weights.map(hex))
            .with("embedder", self.algorithms.embedder(root).settings())
            .with("clusterer", self.algorithms.clusterer(root).settings())
            .with("judge", self.plan.judge.as_ref().map(|judge| judge.settings()))
            .with("consensus", self.plan.consensus.as_ref().map(Repeats::settings))
            .with("stability", self.plan.stability.as_ref().map(Repeats::settings))
            .with("min stability", self.plan.min_stability)
            .with("second look", self.plan.second_look.as_ref().map(SecondLook::settings));
        Ok(self.plan.limits.list(settings))
    }

    /// That the nodes of a tree were worked on with this plan's algorithms.
    fn check_made_here(&self, tree: &ClusterTree, checkpoint: &Checkpoint) -> Result<()> {
        for node in tree.nodes() {
            let (Some(embedder), Some(clusterer)) = (node.embedder(), node.clusterer()) else { continue };
            let info = node.info();
            let here = [self.algorithms.embedder(&info).settings(), self.algorithms.clusterer(&info).settings()];
            for ((there, here), what) in [embedder, clusterer].into_iter().zip(&here).zip(["embedder", "clusterer"]) {
                let differs = differences(there, here);
                if !differs.is_empty() {
                    let at = |text: String| format!("{what} of node {}, {text}", node.path());
                    let path = checkpoint.folder.display().to_string();
                    return Err(Error::Checkpoint { path, differs: differs.into_iter().map(at).collect() });
                }
            }
        }
        Ok(())
    }
}
