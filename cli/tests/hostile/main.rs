//! Files are hostile. Every parser meets at least 100,000 damaged files, made of a small corpus, and none of them makes it panic, hold
//! more memory than it may, or read what is not there. `fuzz/` goes on where this ends, with the same oracles and corpus.

mod mutations;
mod oracles;
mod seeds;

use std::fs;
use std::path::PathBuf;

use mutations::{Random, systematic};
use oracles::{TARGETS, check};

/// Inputs of a parser at least.
const INPUTS: usize = 100_000;
/// Of them by chance at least.
const CHANCE: usize = 20_000;
/// What is set to write the corpus.
const WRITE: &str = "GANNET_WRITE_CORPUS";

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

/// The files of a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder(target)).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file of the corpus")).collect()
}

/// Tells which input it was that broke a parser.
struct Told<'a>(&'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input, of {} bytes: b\"{}\"", self.0.len(), self.0.escape_ascii());
        }
    }
}

fn run(target: &str) {
    let seeds = corpus(target);
    assert!(seeds.iter().any(|seed| check(target, seed)), "no file of the corpus is whole");
    let (mut inputs, mut accepted) = (0, 0);
    let mut meet = |input: &[u8]| {
        let told = Told(input);
        accepted += usize::from(check(target, input));
        inputs += 1;
        drop(told);
        inputs
    };
    for seed in &seeds {
        systematic(seed, &mut |input| {
            meet(input);
        });
    }
    let mut random = Random::new(&seeds);
    // However many the corpus gives, chance has its share.
    for _ in 0..CHANCE {
        meet(&random.next());
    }
    while meet(&random.next()) < INPUTS {}
    println!("{target}: {inputs} inputs, of which {accepted} were accepted");
    // Were all or none refused, there would be something wrong with the test.
    assert!(accepted > 0 && accepted < inputs);
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_has_a_test() {
            let tests = [$(stringify!($name)),*];
            assert!(TARGETS.iter().map(|target| target.name).eq(tests));
        }
    };
}

tests!(idx gzip npy csv model weights checkpoint config history events table codec);

/// Files that are large in the way that takes the most memory for each of their bytes, or the deepest stack.
#[test]
fn large_files_stay_within_the_caps() {
    for (target, input) in seeds::large() {
        println!("{target}: {} bytes", input.len());
        check(target, &input);
    }
}

/// The corpus holds each seed; with the variable set, they are written.
#[test]
fn the_corpus_is_there() {
    for (name, bytes) in seeds::seeds() {
        let (target, file) = name.split_once('/').expect("a folder and a name");
        let path = folder(target).join(file);
        if std::env::var_os(WRITE).is_some() {
            fs::create_dir_all(folder(target)).expect("a folder");
            fs::write(&path, &bytes).expect("a file");
        }
        assert!(path.is_file(), "{} is missing: set {WRITE}=1 and run this test", path.display());
        assert!(bytes.len() < 6 * 1024, "{name} has {} bytes", bytes.len());
    }
}
