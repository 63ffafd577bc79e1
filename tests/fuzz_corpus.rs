//! The seeds of the fuzz targets, and what they found once, through the same functions: see `fuzz/README.md`.
//!
//! Without libFuzzer, on the stable toolchain. With `RECLUSTER_FUZZ_SECONDS` set, each target is also given blindly changed
//! seeds for so long; `RECLUSTER_FUZZ_TARGET` chooses one.
#![allow(missing_docs, unreachable_pub, unsafe_code)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

// Where the sources of the targets and of the program look for each other.
use fuzz::{args, bytes, failure, heap, input, kinds, names, output, targets};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target)
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Those in the files, which have those of mended faults, and those that are made, which go to the files where
/// `RECLUSTER_FUZZ_SEEDS` is set. One test, as memory is counted for the whole process.
#[test]
fn every_seed_ends_in_an_answer_or_an_error() {
    let made: BTreeMap<&str, Vec<Vec<u8>>> = targets::seeds().into_iter().collect();
    for (name, target) in TARGETS {
        if std::env::var_os("RECLUSTER_FUZZ_SEEDS").is_some() {
            for (number, seed) in made[name].iter().enumerate() {
                std::fs::write(folder(name).join(format!("{number:02}")), seed).unwrap();
            }
        }
        let seeds = seeds(name);
        assert!(seeds.len() >= made[name].len() && made[name].len() >= 3, "{name}: {} seeds", seeds.len());
        seeds.iter().chain(&made[name]).for_each(|seed| target(seed));
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
