//! Nodes count together while they have a Redis, and each by itself while it is away.

use guildhall_e2e::{Bot, Heard, Link, Person, Server, soon};
use guildhall_engines::{Engines, OwnEngine};
use tokio::runtime::Runtime;

use crate::{alone, migrate, nodes};

/// Requests of one person, in a window that no test outlives.
const LIMIT: usize = 20;
/// Sessions that one bot may start on a day.
const STARTS: usize = 4;
const SETTINGS: [(&str, &str); 7] = [
    ("LIMITS__SESSION_STARTS", "4"),
    ("LIMITS__SESSION_STARTS_AT_A_TIME", "1000"),
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
    let engines = engines.with(&redis).with_redis_by_tls(dir.path());
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
    assert_eq!(crowd.started("abel").await, STARTS, "of sessions, too");
    // What is emptied is forgotten by all, and each goes on from what it has counted itself.
    let emptied = crowd.allowed("bea", || drop(redis.does("restart"))).await;
    assert!((LIMIT..=2 * LIMIT).contains(&emptied), "{emptied}");
    redis.does("kill");
    assert_eq!(
        crowd.allowed("cleo", || {}).await,
        2 * LIMIT,
        "each for itself"
    );
    assert_eq!(crowd.started("cain").await, 2 * STARTS, "of sessions, too");
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

    /// How many sessions a new bot can start in all, at one node after the other. Before each start all
    /// nodes tell it what is left, alike where they count together.
    async fn started(&self, name: &str) -> usize {
        let name = format!("starts-{name}{}", std::process::id());
        let bot = Person::register(&self.0[0], &name)
            .await
            .make_bot(&name)
            .await;
        let mut started = 0;
        for attempt in 0..3 * STARTS {
            let mut left = Vec::new();
            for node in self.0 {
                left.push(left_to(node, &bot).await);
            }
            assert!(
                left[0] == left[1] && left[0] + started == STARTS
                    || left.iter().sum::<usize>() + started == 2 * STARTS,
                "{left:?} after {started}"
            );
            let node = &self.0[attempt % self.0.len()];
            let mut link = Link::greeted(node.address(), "v=10&encoding=json").await;
            link.identify(&bot.token, Some(0)).await;
            match link.next().await {
                Heard::Payload(ready) if ready.name() == "READY" => started += 1,
                Heard::Closed(Some(4008)) => {}
                other => panic!("{other:?}"),
            }
        }
        started
    }
}

/// How many sessions a node says that a bot may still start.
async fn left_to(node: &Server, bot: &Bot) -> usize {
    let header = format!("Bot {}", bot.token);
    let told = node
        .rest()
        .authorized(&*header)
        .get("/api/v10/gateway/bot")
        .await;
    let told = told.expect(200);
    let left = told["session_start_limit"]["remaining"].as_u64();
    usize::try_from(left.expect("it is told")).expect("it is small")
}
