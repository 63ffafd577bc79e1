//! Progress of a run: a clock for the JSON object, a bar for a person at a terminal, and what cancels it.

use indicatif::{ProgressBar, ProgressStyle};
use recluster::{Cancel, Event, Observer, Run};
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Sums the seconds of each stage, keeps the notes, and shows a bar when stderr is a terminal.
#[derive(Clone)]
pub(crate) struct Progress {
    state: Arc<Mutex<State>>,
    cancel: Cancel,
}

#[derive(Default)]
struct State {
    /// Seconds of each stage, in the order in which the stages first ended.
    seconds: Vec<(String, f64)>,
    /// Notes in the order in which they first came, each with the places that it was said of.
    notes: Vec<(String, Vec<String>)>,
    total: f64,
    bar: Option<ProgressBar>,
    summary: Option<String>,
}

impl State {
    /// Adds to the seconds of a stage.
    fn add(&mut self, stage: &str, seconds: f64) {
        match self.seconds.iter_mut().find(|s| s.0 == stage) {
            Some(sum) => sum.1 += seconds,
            None => self.seconds.push((stage.to_string(), seconds)),
        }
    }

    /// Several stages may run at once: the bar is that of the last one that was heard of.
    fn show(&self, scope: &str, stage: &str, done: usize, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(format!("{scope} {stage}").trim_start().to_string());
        }
    }
}

impl Progress {
    pub(crate) fn new(cancel: Cancel) -> Self {
        let progress = Progress { state: Arc::default(), cancel };
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{msg:<32} {bar:32} {pos}/{len} {elapsed}");
            let bar = ProgressBar::new(0);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            progress.state().bar = Some(bar);
        }
        progress
    }

    /// A run that this watches.
    pub(crate) fn run(&self) -> Run {
        Run::new().cancel(self.cancel.clone()).observer(self.clone())
    }

    /// Does a piece of work and adds its seconds to the total; reading and writing files stay outside.
    pub(crate) fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        self.state().total += began.elapsed().as_secs_f64();
        result
    }

    /// Does a piece of work that comes after the main one: a stage of its own, not part of the total.
    pub(crate) fn beside<T>(&self, stage: &str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        self.state().seconds.push((stage.to_string(), began.elapsed().as_secs_f64()));
        result
    }

    /// The stages that took longest so far, at most so many, and the total, in words.
    pub(crate) fn longest(&self, stages: usize) -> String {
        let state = self.state();
        let mut all: Vec<&(String, f64)> = state.seconds.iter().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let all = all.into_iter().take(stages).map(|(stage, seconds)| format!("{stage} {seconds:.1} s"));
        all.chain([format!("in all {:.1} s", state.total)]).collect::<Vec<_>>().join(", ")
    }

    /// Reads or writes a file amid a stage that [`work`](Progress::work) does: no part of its seconds, nor of the total's.
    pub(crate) fn outside<T>(&self, stage: &str, io: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = io();
        let seconds = began.elapsed().as_secs_f64();
        let mut state = self.state();
        state.total -= seconds;
        state.add(stage, -seconds);
        result
    }

    /// `{"stage": seconds, .., "total": seconds}`.
    pub(crate) fn seconds(&self) -> serde_json::Value {
        let state = self.state();
        let stages = state.seconds.iter().map(|(stage, seconds)| (stage.clone(), *seconds));
        let all = stages.chain([("total".to_string(), state.total)]);
        // A microsecond is finer than any clock of interest.
        serde_json::Value::Object(all.map(|(stage, seconds)| (stage, ((seconds * 1e6).round() / 1e6).into())).collect())
    }

    /// What the library wanted a user to know.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.state().notes.iter().map(|(text, places)| note(text, places)).collect()
    }

    /// Keeps what came of the command in words, for whoever watches a terminal.
    pub(crate) fn sum_up(&self, words: String) {
        self.state().summary = Some(words);
    }

    /// These words, where stderr is a terminal. Programs read stdout.
    pub(crate) fn summary(&self) -> Option<String> {
        self.state().summary.take().filter(|_| std::io::stderr().is_terminal())
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        let mut state = self.state();
        match *event {
            Event::Started { scope, stage, total } => state.show(scope, stage, 0, total),
            Event::Advanced { scope, stage, done, total } => state.show(scope, stage, done, total),
            Event::Finished { stage, seconds, .. } => state.add(stage, seconds),
            Event::Note { scope, text } => {
                if let Some(known) = state.notes.iter_mut().find(|known| known.0 == text) {
                    known.1.push(scope.to_string());
                    return;
                }
                if let Some(bar) = &state.bar {
                    bar.println(format!("recluster: {}", note(text, &[scope.to_string()])));
                }
                state.notes.push((text.to_string(), vec![scope.to_string()]));
            }
            _ => {}
        }
    }
}

/// Whether it is the path of a node, such as 0.2.1.
fn is_path(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A note after the places that it was said of, a few by name.
fn note(text: &str, places: &[String]) -> String {
    const NAMED: usize = 3;
    // Of the run of a node or the half of its judge, the node.
    let node = |place: &str| place.find(' ').filter(|&at| is_path(&place[..at])).unwrap_or(place.len());
    // Said of the whole, it is said of each place.
    let whole = places.iter().any(String::is_empty);
    let mut places: Vec<&str> = places.iter().filter(|_| !whole).map(|place| &place[..node(place)]).collect();
    // 0.2 before 0.10.
    places.sort_by_cached_key(|place| {
        let numbers = place.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u64>().ok());
        (numbers.collect::<Vec<_>>(), place.to_string())
    });
    places.dedup();
    let named = places.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match places.len() {
        0 => text.to_string(),
        1..=NAMED => format!("{named}: {text}"),
        all => format!("{named} and {} more: {text}", all - NAMED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_notes_are_one() {
        let progress = Progress::new(Cancel::default());
        let run = progress.run();
        run.note("a table of few rows");
        for place in ["0.1", "0.10", "0.2 run 3", "0.1 judge first half", "0.2", "0.1", "0.3"] {
            run.at(place).note("no rest");
        }
        assert_eq!(progress.notes(), ["a table of few rows", "0.1, 0.2, 0.3 and 1 more: no rest"]);
    }
}
