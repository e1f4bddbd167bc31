//! Laws that hold for every value: proptest's values and shrinking for promises that are async.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

/// How many simpler values are tried after a failure.
const SIMPLER_MAX: u64 = 500;

/// Tries a law on `cases` values and panics with the simplest one found that breaks it. The law
/// is also given a number that differs at each call, to keep the traces of calls apart.
pub(super) async fn for_all<S: Strategy>(
    cases: u64,
    strategy: S,
    law: impl AsyncFn(u64, S::Value) -> Result<(), String>,
) where
    S::Value: Debug,
{
    let mut runner = TestRunner::new(Config::default());
    for call in 1..=cases {
        let mut tree = strategy
            .new_tree(&mut runner)
            .expect("the strategy makes values");
        let Err(mut why) = law(call, tree.current()).await else {
            continue;
        };
        let mut simplest = tree.current();
        let mut broken = true;
        for call in (1..=SIMPLER_MAX).map(|n| cases + n) {
            let moved = if broken {
                tree.simplify()
            } else {
                tree.complicate()
            };
            if !moved {
                break;
            }
            let outcome = law(call, tree.current()).await;
            broken = outcome.is_err();
            if let Err(reason) = outcome {
                simplest = tree.current();
                why = reason;
            }
        }
        panic!("{why}\nwith {simplest:#?}");
    }
}

/// What a law says of two things that must be the same.
pub(super) fn same<T: PartialEq + Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "{what}\n   found: {found:?}\nexpected: {expected:?}"
    ))
}
