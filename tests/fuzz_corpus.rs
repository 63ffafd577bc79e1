//! The seeds of the fuzz targets, and what they found once, through the same functions: see `fuzz/README.md`.
//!
//! Without libFuzzer, on the stable toolchain. With `RECLUSTER_FUZZ_SECONDS` set, each target is also given blindly changed
//! seeds for so long; `RECLUSTER_FUZZ_TARGET` chooses one.
#![allow(missing_docs, unreachable_pub, unsafe_code)]

#[path = "../fuzz/src/bytes.rs"]
mod bytes;
#[path = "../fuzz/src/heap.rs"]
mod heap;
#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

macro_rules! of_the_program {
    ($($name:ident = $path:literal),* $(,)?) => {$(
        #[allow(dead_code, unused_imports)]
        #[path = $path]
        mod $name;
    )*};
}
of_the_program! {
    args = "../src/bin/recluster/args/mod.rs",
    failure = "../src/bin/recluster/failure.rs",
    input = "../src/bin/recluster/input/mod.rs",
    kinds = "../src/bin/recluster/kinds.rs",
    names = "../src/bin/recluster/names.rs",
    output = "../src/bin/recluster/output.rs",
}

use std::path::Path;
use std::time::{Duration, Instant};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 10] = [
    ("csv", targets::csv),
    ("parquet", targets::parquet),
    ("npy", targets::npy),
    ("idx", targets::idx),
    ("sparse_files", targets::sparse_files),
    ("models", targets::models),
    ("xgboost_json", targets::xgboost_json),
    ("settings", targets::settings),
    ("pipeline", targets::pipeline),
    ("texts", targets::texts),
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// One test, as memory is counted for the whole process.
#[test]
fn every_seed_ends_in_an_answer_or_an_error() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 3, "{name}: {} seeds", seeds.len());
        seeds.iter().for_each(|seed| target(seed));
    }
}

/// Writes the seeds that are made, beside those of mended faults.
#[test]
#[ignore = "writes into the repository"]
fn seeds_are_made() {
    for (target, seeds) in targets::seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("{number:02}")), seed).unwrap();
        }
    }
}

/// Each target on changed seeds, for the seconds that the environment says.
#[test]
fn changed_seeds_too_if_asked() {
    let Some(seconds) = std::env::var("RECLUSTER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()) else { return };
    let only = std::env::var("RECLUSTER_FUZZ_TARGET").ok();
    for (name, target) in TARGETS.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        let (seeds, start, mut runs) = (seeds(name), Instant::now(), 0u64);
        let mut draw = draws(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
        let last = std::env::temp_dir().join(format!("recluster-fuzz-{name}"));
        while start.elapsed().as_secs_f64() < seconds {
            let input = changed(&seeds, &mut draw);
            // After a fault, here is what it came from.
            std::fs::write(&last, &input).unwrap();
            let begun = Instant::now();
            target(&input);
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(10), "{took:?} for {}", last.display());
            runs += 1;
        }
        println!("{name}: {runs} inputs in {:.0?}", start.elapsed());
    }
}

fn draws(mut state: u64) -> impl FnMut(usize) -> usize {
    move |end| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % end.max(1)
    }
}

/// A seed with a few bytes, or stretches of bytes, changed, taken out, repeated or taken from another seed.
fn changed(seeds: &[Vec<u8>], draw: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut input = seeds[draw(seeds.len())].clone();
    for _ in 0..=draw(6) {
        let at = draw(input.len() + 1);
        let length = draw(9).min(input.len() - at);
        match draw(8) {
            0 => drop(input.drain(at..at + length)),
            1 => input.truncate(at.max(1)),
            2 => drop(input.splice(at..at, (0..draw(9)).map(|_| draw(256) as u8).collect::<Vec<_>>())),
            3 => input[at..at + length].iter_mut().for_each(|byte| *byte = draw(256) as u8),
            4 => input[at..at + length].iter_mut().for_each(|byte| *byte ^= 1 << draw(8)),
            5 => {
                let own = input[at..at + length].to_vec();
                let to = draw(input.len() + 1);
                input.splice(to..to, own);
            }
            6 => {
                let other = &seeds[draw(seeds.len())];
                let from = draw(other.len() + 1);
                let part = other[from..(from + draw(200)).min(other.len())].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                const ODD: [&[u8]; 8] =
                    [b"0", b"-1", b"99999999999999999999", b"1e308", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\"", b"\n"];
                input.splice(at..at + length.min(4), ODD[draw(ODD.len())].iter().copied());
            }
        }
    }
    input
}
