//! Everything in one data directory: SQLite, segment files, files.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::BoxFuture;
use guildhall_embedded::blobs::FileBlobs;
use guildhall_embedded::directory::FileDirectory;
use guildhall_embedded::log::{Durability, Health, LogConfig, SegmentLog, Topic};
use guildhall_embedded::snapshots::FileSnapshots;
use guildhall_embedded::sqlite::{Projection, Relational};
use guildhall_host::{Node, Stores};
use guildhall_ports::{Env, Standing};

use super::{Engines, Kind, keep_trimmed};
use crate::assemble::millis;
use crate::config::{self, Config};
use crate::operator::{Readiness, Trouble};

/// How often logs are asked to give space back.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// What is closed at the end, and the lock that keeps others out meanwhile.
struct Embedded {
    relational: Arc<Relational>,
    projection: Arc<Projection>,
    events: Arc<SegmentLog>,
    frames: Arc<SegmentLog>,
    _lock: File,
}

impl Kind for Embedded {
    fn keep_up(&self, node: &Node) {
        let logs = [self.events.clone(), self.frames.clone()];
        keep_trimmed(node, TRIM_EVERY, logs, |log, now| async move {
            log.trim(now).await
        });
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move {
            self.frames.close().await?;
            self.events.close().await?;
            self.projection.close().await;
            self.relational.close().await;
            Ok(())
        })
    }
}

/// Opens the data directory, which is made if it does not exist.
pub(super) async fn open(
    config: &Config,
    env: &Env,
    readiness: &Readiness,
) -> anyhow::Result<Engines> {
    let data = config.server.data.as_path();
    std::fs::create_dir_all(data)
        .with_context(|| format!("the data directory {} cannot be made", data.display()))?;
    let lock = lock(data)?;
    let relational = Arc::new(Relational::open(&data.join("guildhall.db")).await?);
    let projection = Arc::new(Projection::open(&data.join("messages.db")).await?);
    let (events, frames) = open_logs(config, data, env).await?;
    watch(readiness, "events_log", &events);
    watch(readiness, "frames_log", &frames);
    let stores = Stores {
        accounts: relational.clone(),
        guilds: relational.clone(),
        commands: relational.clone(),
        messages: projection.clone(),
        events: events.clone(),
        frames: frames.clone(),
        snapshots: Arc::new(FileSnapshots::open(data.join("snapshots"))?),
        directory: Arc::new(FileDirectory::open(data.join("directory"))?),
        relational: Standing::default(),
    };
    let blobs = Arc::new(FileBlobs::open(data.join("files"))?);
    let kind = Box::new(Embedded {
        relational,
        projection,
        events,
        frames,
        _lock: lock,
    });
    Ok(Engines {
        stores,
        blobs,
        membership: None,
        quotas: None,
        needed: Vec::new(),
        kind,
    })
}

/// Keeps a second process off the directory.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "another guildhall process is using {}; stop it first, or start this one with another --data",
            data.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
        }
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

async fn open_logs(
    config: &Config,
    data: &Path,
    env: &Env,
) -> anyhow::Result<(Arc<SegmentLog>, Arc<SegmentLog>)> {
    let delivery = &config.delivery;
    let settings = |retention: Duration| LogConfig {
        durability: match delivery.durability {
            config::Durability::Fsync => Durability::Fsync,
            config::Durability::Os => Durability::Os,
        },
        segment_bytes: delivery.segment_size.0,
        retention_ms: millis(retention),
        ..LogConfig::default()
    };
    let (events, frames) = (
        settings(delivery.events_retention),
        settings(delivery.frames_retention),
    );
    let (data, random) = (data.to_owned(), env.random.clone());
    // Opening reads a whole segment.
    let logs = tokio::task::spawn_blocking(move || {
        let random = || random.clone();
        let events = SegmentLog::open(&data.join("events"), Topic::Events, events, random())?;
        let frames = SegmentLog::open(&data.join("frames"), Topic::Frames, frames, random())?;
        Ok::<_, guildhall_ports::Failure>((Arc::new(events), Arc::new(frames)))
    });
    Ok(logs.await??)
}

fn watch(readiness: &Readiness, name: &'static str, log: &Arc<SegmentLog>) {
    let log = Arc::clone(log);
    readiness.watch(name, move || match log.health() {
        Health::Working => Ok(()),
        Health::Full => Err(Trouble::Failed("the disk is full".to_owned())),
        Health::Broken => Err(Trouble::Failed(
            "a sync failed; restart after checking the disk".to_owned(),
        )),
    });
}
