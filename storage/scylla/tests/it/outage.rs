//! The engine is lost and comes back: failures within a bound, and then it works again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_model::message::Anchor;
use guildhall_model::snowflake::Generator;
use guildhall_model::{MessageId, Position};
use guildhall_ports::{Failure, Messages};
use guildhall_scylla::{Credentials, Projection, Settings, Tls};

use crate::engine::{Keyspace, authorities, engine};
use crate::lives::{NOW, PARTITION, created, id, message, record};

/// How long a question may take when nobody answers, with some time for a busy machine.
const BOUND: Duration = Duration::from_secs(15);
/// How long after the engine's return it may take until everything works.
const BACK_MAX: Duration = Duration::from_mins(1);

/// An engine of its own, which others' tests do not miss. It is reached by TLS alone, and with a
/// password.
struct Own {
    directory: PathBuf,
    address: String,
}

impl Own {
    fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("guildhall-cql-{}", std::process::id()));
        let said = script("start", &directory);
        let address = said.trim().strip_prefix("GUILDHALL_TEST_CQL=").unwrap();
        Self {
            address: address.to_owned(),
            directory,
        }
    }

    /// A keyspace that is not there yet, as somebody reaches it who knows what there is to know.
    fn bare(&self) -> Keyspace {
        let mut keyspace = Keyspace::bare_in(&self.address);
        keyspace.settings.credentials = Some(user("cassandra"));
        keyspace.settings.tls = Some(Tls::Authorities(authorities("authority.pem")));
        keyspace
    }

    fn tell(&self, command: &str) {
        script(command, &self.directory);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.tell("kill");
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn script(command: &str, directory: &Path) -> String {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/engines/cassandra"
    );
    let output = Command::new(script)
        .env("GUILDHALL_GUARDED", "yes")
        .arg(command)
        .arg(directory)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {talk}");
    String::from_utf8(output.stdout).unwrap()
}

struct Channel {
    store: Arc<dyn Messages>,
    ids: Vec<MessageId>,
    minted: Generator,
}

impl Channel {
    /// Posts the next message.
    async fn post(&mut self) -> Result<(), Failure> {
        let gseq = self.ids.len() as u64 + 1;
        let posted = message(self.minted.mint(NOW), 101, "here");
        let records = [record(gseq, created(&posted))];
        self.store
            .apply(PARTITION, &records, Position(gseq))
            .await?;
        self.ids.push(posted.id);
        Ok(())
    }

    async fn page(&self) -> Result<Vec<MessageId>, Failure> {
        let page = self.store.page(id(101), Anchor::Newest, 100).await?;
        Ok(page.iter().rev().map(|message| message.id).collect())
    }

    /// Nothing works, and everybody is told so in time.
    async fn is_lost(&mut self) {
        let began = Instant::now();
        let posted = self.post().await.unwrap_err();
        assert!(matches!(posted, Failure::Unavailable { .. }), "{posted}");
        let read = self.page().await.unwrap_err();
        assert!(matches!(read, Failure::Unavailable { .. }), "{read}");
        let applied = self.store.applied(PARTITION).await.unwrap_err();
        assert!(matches!(applied, Failure::Unavailable { .. }), "{applied}");
        assert!(began.elapsed() < 3 * BOUND, "{:?}", began.elapsed());
    }

    /// Everything that was acknowledged is there, and more can be added.
    async fn is_back(&mut self) {
        let began = Instant::now();
        while let Err(failure) = self.post().await {
            assert!(began.elapsed() < BACK_MAX, "{failure}");
            tokio::task::yield_now().await;
        }
        let mut page = self.page().await.unwrap();
        // What failed may have been written nevertheless.
        page.retain(|id| self.ids.contains(id));
        assert_eq!(page, self.ids);
    }
}

#[tokio::test]
async fn the_engine_may_be_lost_and_come_back() {
    engine();
    let own = Own::start();
    who_does_not_know_how_is_told_so(&own).await;
    let keyspace = own.bare().migrated().await;
    let watcher = keyspace.projection().await;
    let mut channel = Channel {
        store: keyspace.node().await,
        ids: Vec::new(),
        minted: Generator::new(1, 0),
    };
    channel.post().await.unwrap();

    sees(&watcher, false).await;
    own.tell("pause");
    channel.is_lost().await;
    sees(&watcher, true).await;
    own.tell("resume");
    sees(&watcher, false).await;
    channel.is_back().await;

    own.tell("kill");
    channel.is_lost().await;
    sees(&watcher, true).await;
    own.tell("restart");
    channel.is_back().await;

    let begun = channel.store.begun(PARTITION).await.unwrap();
    assert_eq!(begun, channel.store.applied(PARTITION).await.unwrap());
}

fn user(password: &str) -> Credentials {
    Credentials {
        user: "cassandra".to_owned(),
        password: password.to_owned(),
    }
}

async fn who_does_not_know_how_is_told_so(own: &Own) {
    let known = own.bare().settings.clone();
    for (settings, why) in [
        (
            Settings {
                credentials: Some(user("sesame")),
                ..known.clone()
            },
            "incorrect",
        ),
        (
            Settings {
                credentials: None,
                ..known.clone()
            },
            "Authentication is required",
        ),
        (Settings { tls: None, ..known }, "if it speaks TLS alone"),
    ] {
        let refused = Projection::open(&settings).await.unwrap_err();
        assert!(matches!(refused, Failure::Unavailable { .. }), "{refused}");
        let said = refused.to_string();
        assert!(said.contains(why) && !said.contains("sesame"), "{said}");
    }
}

/// Looks until the engine is seen to be away, or there. One look is enough to see that it is away.
async fn sees(watcher: &Projection, is_away: bool) {
    let began = Instant::now();
    watcher.look().await;
    while watcher.standing().is_away() != is_away {
        assert!(!is_away && began.elapsed() < BACK_MAX);
        watcher.look().await;
    }
}
