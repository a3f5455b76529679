//! The fuzz targets' harness on its corpus, and on random bytes: what `make fuzz` does, without a sanitizer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../fuzz/src/harness/mod.rs"]
mod harness;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn readings_of_the_corpus_hold() {
    for (path, data) in corpus("readings") {
        eprintln!("{}", path.display());
        harness::readings(&data);
    }
}

#[test]
fn snapshots_of_the_corpus_are_read_or_refused() {
    for (path, data) in corpus("restoring") {
        eprintln!("{}", path.display());
        harness::restoring(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn readings_of_random_bytes_hold(data in prop::collection::vec(any::<u8>(), 0..700)) {
        harness::readings(&data);
    }

    #[test]
    fn random_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..300)) {
        harness::restoring(&data);
    }
}
