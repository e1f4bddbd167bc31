//! Nodes count together while they have a Redis, and each by itself while it is away.

use guildhall_e2e::{Person, Server, soon};
use guildhall_engines::{Engines, OwnEngine};
use tokio::runtime::Runtime;

use crate::{alone, migrate, nodes};

/// Requests of one person, in a window that no test outlives.
const LIMIT: usize = 20;
const SETTINGS: [(&str, &str); 5] = [
    ("LIMITS__RATE_LIMITS", "on"),
    ("LIMITS__ADDRESSES", "1000/1h"),
    ("LIMITS__SIGN_IN", "1000/1h"),
    ("LIMITS__PEOPLE", "20/1h"),
    ("LIMITS__OTHERS", "1000/1h"),
];

#[test]
fn whoever_calls_two_nodes_is_allowed_what_one_allows_and_without_redis_what_each_allows() {
    let Some(engines) = Engines::of_environment() else {
        return;
    };
    let _alone = alone();
    let dir = tempfile::tempdir().expect("a directory can be made");
    let redis = OwnEngine::start("redis", dir.path());
    let engines = engines.with(&redis);
    migrate(&engines);
    let runtime = Runtime::new().expect("the system has threads");
    runtime.block_on(count(&engines, &redis));
}

async fn count(engines: &Engines, redis: &OwnEngine) {
    let both = nodes::start_with(engines, 1..=2, &SETTINGS).await;
    let crowd = Crowd(&both);
    assert_eq!(
        crowd.allowed("ada", || {}).await,
        LIMIT,
        "all count together"
    );
    // What is emptied is forgotten by all, and each goes on from what it has counted itself.
    let emptied = crowd.allowed("bea", || drop(redis.does("restart"))).await;
    assert!((LIMIT..=2 * LIMIT).contains(&emptied), "{emptied}");
    redis.does("kill");
    assert_eq!(
        crowd.allowed("cleo", || {}).await,
        2 * LIMIT,
        "each for itself"
    );
    redis.does("restart");
    let mut others = 0;
    soon("they count together again", async {
        loop {
            others += 1;
            if crowd.allowed(&format!("dora{others}"), || {}).await == LIMIT {
                return;
            }
        }
    })
    .await;
    for node in both {
        nodes::stop(node).await;
    }
}

/// People who call one node after the other.
struct Crowd<'a>(&'a [Server]);

impl Crowd<'_> {
    /// How many calls of somebody new are allowed in all. Something happens when half of what one node
    /// allows is used.
    async fn allowed(&self, name: &str, happens: impl FnOnce()) -> usize {
        // The engines know the people of other tests, too.
        let name = format!("counted-{name}{}", std::process::id());
        let somebody = Person::register(&self.0[0], &name).await;
        let header = format!("Bearer {}", somebody.access);
        let callers: Vec<_> = self
            .0
            .iter()
            .map(|it| it.rest().authorized(&*header))
            .collect();
        let (mut allowed, mut happens) = (0, Some(happens));
        for call in 0..4 * LIMIT {
            if call == LIMIT / 2
                && let Some(happens) = happens.take()
            {
                happens();
            }
            let answer = callers[call % callers.len()]
                .get("/api/v10/users/@me")
                .await;
            match answer.status.as_u16() {
                200 => allowed += 1,
                429 => {}
                other => panic!("{other}: {answer:?}"),
            }
        }
        allowed
    }
}
