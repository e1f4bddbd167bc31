//! Every target on its corpus and on inputs that are mutated from it, the same in every run.

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use guildhall_fuzz::{TARGETS, Target, find, mutate};

/// Where every run begins. Another one is another walk through the same space.
const SEED: u64 = 0x5EED;

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name)
}

/// The committed inputs, in the order of their names.
fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder(target)).expect("every target has a corpus");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a readable file"))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes every write");
        text
    })
}

fn check(target: &Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let (name, hex) = (target.name, hex(input));
        panic!(
            "{name} broke on {hex}\nTo keep it, from the root of the repository: \
             printf %s {hex} | xxd -r -p > deploy/fuzz/corpus/{name}/NAME.bin"
        );
    }
}

fn run(name: &str) {
    let target = find(name).expect("a target of this name");
    let corpus = corpus(target);
    check(target, &[]);
    for known in &corpus {
        check(target, known);
    }
    let mut random = Rng::with_seed(SEED);
    for _ in 0..target.inputs {
        check(target, &mutate::input(&mut random, &corpus));
    }
}

macro_rules! holds_on_bounded_inputs {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                run(stringify!($target));
            }
        )*

        #[test]
        fn every_target_has_its_test() {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($target)),*]);
        }
    };
}

holds_on_bounded_inputs! {
    gateway_frame
    server_frame
    compression
    connection
    resume_claim
    snapshot
    log_segment
    id_spelling
    permissions
    request_body
    discord_body
    websocket
}
