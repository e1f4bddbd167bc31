//! Load with a judge: a town of users who post while their sessions listen, whatever befalls the
//! server meanwhile, and a verdict over everything that each of them has seen.

use std::time::Duration;

use guildhall_loadtest::progress::Progress;
use guildhall_loadtest::steady::{self, Options, Report};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::server::Server;
use crate::{eventually, soon};

/// Users of the town, each with a session.
const USERS: usize = 12;
/// Guilds of the town.
const GUILDS: usize = 2;
/// Posts per second.
const RATE: f64 = 40.0;
/// Events of the setting up: what comes after them is load.
const EVENTS_BEFORE: u64 = 60;

/// Load that is under way.
#[derive(Debug)]
pub struct Load(oneshot::Receiver<Report>);

impl Load {
    /// Sets the town up, and is back when it posts; it does for this long.
    pub async fn start(server: &Server, duration: Duration) -> Self {
        Self::start_with(server, duration, USERS, RATE).await
    }

    /// As [`Self::start`], with so many users who post so often per second.
    pub async fn start_with(server: &Server, duration: Duration, users: usize, rate: f64) -> Self {
        let options = Options {
            url: Some(server.url()),
            users,
            guilds: GUILDS,
            sessions: users,
            slow_readers: 0,
            rate,
            duration,
            kill_every: None,
            rounds: None,
            server_cmd: None,
            fault_cmd: None,
            sabotage: None,
            history: None,
            seed: 0,
        };
        let before = server.metric("guildhall_events_committed_total").await;
        let (reply, report) = oneshot::channel();
        // A thread of its own, as clients are not held up by what a test does meanwhile.
        std::thread::spawn(move || {
            let runtime = Runtime::new().expect("the system has threads");
            let ran = runtime.block_on(steady::run(&options, &Progress::quiet()));
            let report = ran.unwrap_or_else(|error| panic!("no load could be made: {error:#}"));
            drop(reply.send(report));
        });
        let users = users as u64;
        eventually("the load begins", || async {
            let events = server.metric("guildhall_events_committed_total").await;
            before + EVENTS_BEFORE + 2 * users < events
        })
        .await;
        Self(report)
    }

    /// Waits for the end and the judge: every promise was kept, and there was something to keep.
    /// Answers the report.
    pub async fn must_hold(self, log: impl FnOnce() -> String) -> Value {
        let report = self.0.await.expect("a load could be made");
        assert!(report.holds(), "{report}\nthe server said:\n{}", log());
        serde_json::to_value(&report).expect("a report is plain data")
    }
}

impl Server {
    /// One of the operator's measurements, summed over its labels; 0 where nothing was measured.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.operator("/metrics").await.expect_text(200);
        let lines = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        values.sum()
    }

    /// Waits for `/readyz` to say yes, or no, and answers what it said.
    pub async fn until_ready(&self, is_ready: bool) -> Value {
        let asked = async {
            loop {
                let answer = self.operator("/readyz").await;
                if answer.status.is_success() == is_ready {
                    return answer.json();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        soon("/readyz to change its mind", asked).await
    }
}
