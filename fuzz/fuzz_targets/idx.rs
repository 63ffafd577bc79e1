#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| recluster_fuzz::targets::idx(data));
