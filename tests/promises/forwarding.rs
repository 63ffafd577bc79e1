//! Boxes, references, `Arc` and `Scaled` hand every method of the traits on: one that is forgotten falls back to the
//! trait's own, which says something else than the plug-in here.

use ndarray::{Array2, ArrayRef2, array};
use recluster::embed::{Scaled, Scaling};
use recluster::{
    Clusterer, Clustering, Embedded, Embedder, Error, Explainer, Explanation, Prepared, Result, Run, Settings,
    SparseRows,
};
use std::borrow::Cow;
use std::sync::Arc;

/// Each method leaves a number of its own.
struct Marked;

fn embedded(mark: f32) -> Embedded {
    Embedded { embedding: array![[mark]], map: None, notes: Vec::new() }
}

struct MarkedRows;
impl Prepared for MarkedRows {
    fn embed(&self, part: Option<&[u32]>, _run: &Run) -> Result<Embedded> {
        Ok(embedded(if part.is_some() { 4.0 } else { 3.0 }))
    }

    fn rows(&self) -> ndarray::ArrayView2<'_, f32> {
        ndarray::aview2(&[[7.0]])
    }
}

impl Embedder for Marked {
    fn embed(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Array2<f32>> {
        Ok(embedded(1.0).embedding)
    }

    fn embed_in_full(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Embedded> {
        Ok(embedded(2.0))
    }

    fn prepare<'a>(&'a self, _rows: Cow<'a, ArrayRef2<f32>>, _run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(MarkedRows))
    }

    fn prepare_sparse<'a>(&'a self, _rows: Cow<'a, SparseRows>, _run: &Run) -> Result<Box<dyn Prepared + 'a>> {
        Ok(Box::new(MarkedRows))
    }

    fn takes_missing(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        "marked".into()
    }

    fn settings(&self) -> Settings {
        Settings::new("set").with("a", 1usize)
    }
}

impl Clusterer for Marked {
    fn cluster(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        Clustering::new(vec![0, -1])
    }

    fn cluster_weighted(&self, _rows: &ArrayRef2<f32>, weights: &[f64], _run: &Run) -> Result<Clustering> {
        Clustering::new(vec![-1; weights.len()])
    }

    fn for_sample(&self, _share: f64) -> Option<Box<dyn Clusterer>> {
        Some(Box::new(Half))
    }

    fn name(&self) -> String {
        "marked".into()
    }

    fn settings(&self) -> Settings {
        Settings::new("set").with("b", 2usize)
    }
}

struct Half;
impl Clusterer for Half {
    fn cluster(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Clustering> {
        Clustering::new(vec![0])
    }
}

impl Explainer for Marked {
    fn explain(&self, _rows: &ArrayRef2<f32>, _run: &Run) -> Result<Explanation> {
        Explanation::new(ndarray::Array3::ones((1, 1, 1)), ndarray::Array1::ones(1))
    }

    fn name(&self) -> String {
        "marked".into()
    }

    fn explain_in_blocks(
        &self,
        rows: &ArrayRef2<f32>,
        block_rows: usize,
        run: &Run,
        take: &mut dyn FnMut(usize, &Explanation) -> Result<()>,
    ) -> Result<()> {
        take(block_rows, &self.explain(rows, run)?)
    }
}

/// Through `E`, not through what it points to.
fn embeds(embedder: impl Embedder, settings: &Settings, missing: bool) {
    let (rows, run) = (array![[0.0f32], [1.0]], Run::new());
    assert_eq!(embedder.embed(&rows, &run).unwrap()[[0, 0]], 1.0);
    assert_eq!(embedder.embed_in_full(&rows, &run).unwrap(), embedded(2.0));
    let prepared = embedder.prepare(Cow::Borrowed(&rows), &run).unwrap();
    assert_eq!(prepared.embed(None, &run).unwrap(), embedded(3.0));
    assert_eq!(prepared.embed(Some(&[0]), &run).unwrap(), embedded(4.0));
    let sparse = SparseRows::from_dense(&rows).unwrap();
    // Neither is a scale that of sparse rows.
    match embedder.prepare_sparse(Cow::Borrowed(&sparse), &run) {
        Ok(prepared) => assert!(missing && prepared.embed(None, &run).unwrap() == embedded(3.0)),
        Err(error) => assert!(!missing && matches!(error, Error::Setting { name: "scaling", .. })),
    }
    assert_eq!(embedder.takes_missing(), missing);
    assert_eq!(embedder.name(), "marked");
    assert_eq!(&embedder.settings(), settings);
}

fn clusters(clusterer: impl Clusterer) {
    let (rows, run) = (array![[0.0f32], [1.0]], Run::new());
    assert_eq!(clusterer.cluster(&rows, &run).unwrap().labels(), [0, -1]);
    assert_eq!(clusterer.cluster_weighted(&rows, &[1.0; 3], &run).unwrap().labels(), [-1; 3]);
    assert_eq!(clusterer.for_sample(0.5).unwrap().name(), "Half");
    assert_eq!(clusterer.name(), "marked");
    assert_eq!(clusterer.settings(), Clusterer::settings(&Marked));
}

fn explains(explainer: impl Explainer) {
    assert_eq!(explainer.explain(&array![[0.0f32]], &Run::new()).unwrap().base()[0], 1.0);
    assert_eq!(explainer.name(), "marked");
    let mut marked = 0;
    let mut take = |block_rows, _: &Explanation| {
        marked = block_rows;
        Ok(())
    };
    explainer.explain_in_blocks(&array![[0.0f32]], 77, &Run::new(), &mut take).unwrap();
    assert_eq!(marked, 77);
}

#[test]
fn pointers_forward_every_method() {
    let own = Embedder::settings(&Marked);
    embeds(Marked, &own, true);
    embeds(&Marked, &own, true);
    embeds(Box::new(Marked), &own, true);
    embeds(Box::new(Marked) as Box<dyn Embedder>, &own, true);
    embeds(Arc::new(Marked), &own, true);
    embeds(Arc::new(Box::new(&Marked)), &own, true);
    clusters(Marked);
    clusters(&Marked);
    clusters(Box::new(Marked));
    clusters(Box::new(Marked) as Box<dyn Clusterer>);
    clusters(Arc::new(Marked));
    explains(Marked);
    explains(&Marked);
    explains(Box::new(Marked) as Box<dyn Explainer>);
    explains(Arc::new(Marked));
}

#[test]
fn scaled_forwards_every_method() {
    for (scaling, name) in [(Scaling::None, "None"), (Scaling::Standard, "Standard"), (Scaling::Robust, "Robust")] {
        let settings = Embedder::settings(&Marked).with("scaling", name);
        // No scale is that of missing values.
        embeds(Scaled::new(Marked, scaling), &settings, scaling == Scaling::None);
    }
}
