//! The layout under way: pictures, progress, cancellation.

use super::data::*;
use ndarray::{Array2, Axis, s};
use recluster::embed::{Given, Umap};
use recluster::{Cancel, Error, Event, Observer, Run};
use std::sync::{Arc, Mutex};

type Film = Mutex<Vec<(usize, Array2<f32>)>>;

fn film(umap: &Umap, rows: &Array2<f32>, every: usize, run: &Run) -> (Vec<(usize, Array2<f32>)>, Array2<f32>) {
    let film = Film::default();
    let see = |epoch: usize, picture: Array2<f32>| film.lock().unwrap().push((epoch, picture));
    let model = umap.fit_given(rows, &Given::new().watch(every, &see), run).unwrap();
    (film.into_inner().unwrap(), model.embedding().clone())
}

#[test]
fn the_layout_is_shown_at_every_so_many_epochs_in_the_order_of_the_rows() {
    let mut rows = digits().slice(s![..300, ..]).to_owned();
    let first = rows.row(0).to_owned();
    rows.row_mut(200).assign(&first);
    rows.row_mut(5).fill(1e6);
    let umap = Umap::new().n_epochs(25).disconnection_distance(1e3);
    let (shots, end) = film(&umap, &rows, 10, &Run::new().threads(1));
    assert_eq!(shots.iter().map(|shot| shot.0).collect::<Vec<_>>(), [0, 10, 20, 25]);
    assert_eq!(shots[3].1, end);
    assert_eq!(end, umap.fit(&rows, &Run::new()).unwrap().embedding());
    for (_, picture) in &shots {
        assert!(all_finite(picture) && picture.row(0) == picture.row(200));
    }
    assert_ne!(shots[0].1, shots[1].1);
    let order = shuffled(300);
    let (again, _) = film(&umap, &rows.select(Axis(0), &order), 10, &Run::new().threads(3));
    for (a, b) in shots.iter().zip(&again) {
        assert_eq!(a.1.select(Axis(0), &order), b.1, "epoch {}", a.0);
    }
    let (every, _) = film(&umap, &rows, 1, &Run::new());
    assert_eq!(every.len(), 26);
    assert_eq!(every[10], shots[1]);
    let see = |_: usize, _: Array2<f32>| ();
    let given = Given::new().watch(0, &see);
    assert!(matches!(umap.fit_given(&rows, &given, &Run::new()), Err(Error::Setting { name: "watch", .. })));
}

struct Epochs(Arc<Mutex<Vec<(usize, usize)>>>);

impl Observer for Epochs {
    fn event(&self, event: &Event<'_>) {
        if let Event::Advanced { stage: "layout", done, total, .. } = event {
            self.0.lock().unwrap().push((*done, *total));
        }
    }
}

#[test]
fn every_epoch_is_reported_and_can_be_the_last() {
    let rows = blobs(200, 4, 3);
    let epochs = Arc::new(Mutex::new(Vec::new()));
    let run = Run::new().observer(Epochs(epochs.clone()));
    let umap = Umap::new().n_epochs(12);
    umap.fit(&rows, &run).unwrap();
    assert_eq!(*epochs.lock().unwrap(), (1..=12).map(|done| (done, 12)).collect::<Vec<_>>());
    for last in [0, 1, 7] {
        epochs.lock().unwrap().clear();
        let cancel = Cancel::default();
        let see = |epoch: usize, _: Array2<f32>| {
            if epoch == last {
                cancel.cancel();
            }
        };
        let run = run.clone().cancel(cancel.clone());
        let stopped = umap.fit_given(&rows, &Given::new().watch(1, &see), &run);
        assert!(matches!(stopped, Err(Error::Cancelled { stage: "layout" })));
        // The epoch under way is finished, not reported.
        assert_eq!(epochs.lock().unwrap().len(), last);
    }
}
