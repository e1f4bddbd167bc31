//! Engines that nodes share: PostgreSQL, Apache Kafka, ScyllaDB or Apache Cassandra, S3 and Redis.

pub(crate) mod migrate;
mod reached;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::BoxFuture;
use guildhall_embedded::blobs::FileBlobs;
use guildhall_host::{Node, Stores};
use guildhall_kafka::{Kafka, KafkaLog, KafkaSnapshots, LogConfig, Topic};
use guildhall_ports::{Blobs, Env, Failure, Guilds, Quotas, Standing};
use guildhall_postgres::PostgresStore;
use guildhall_redis::RedisQuotas;
use guildhall_s3::S3Blobs;
use guildhall_scylla::Projection;
use tokio::time::Instant;
use tracing::{info, warn};

use self::reached::{Reached, reached};
use self::watch::Watch;
use super::{Engines, Kind, keep_trimmed};
use crate::assemble::millis;
use crate::config::Config;
use crate::operator::Readiness;

/// How long a node that starts waits for its engines, which may be starting too.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it waits between two attempts: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));

/// Connections for the list of nodes and the directory alone: a node whose other connections are
/// all busy must not be taken for dead.
const DIRECTORY_CONNECTIONS: u32 = 4;
/// Bytes of the number that makes an installation's keys in Redis its own.
const INSTALLATION_BYTES: usize = 8;
/// How often logs are asked to give space back.
const TRIM_EVERY: Duration = Duration::from_mins(1);

/// What is closed at the end.
struct Cluster {
    postgres: PostgresStore,
    directory: Arc<PostgresStore>,
    events: Arc<KafkaLog>,
    frames: Arc<KafkaLog>,
    watch: Watch,
}

impl Kind for Cluster {
    fn keep_up(&self, node: &Node) {
        let logs = [self.events.clone(), self.frames.clone()];
        keep_trimmed(node, TRIM_EVERY, logs, |log, now| async move {
            log.trim(now).await
        });
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move {
            drop(self.watch);
            self.frames.close().await?;
            self.events.close().await?;
            self.postgres.close().await;
            self.directory.close().await;
            Ok(())
        })
    }
}

/// How the events log and the frames log are kept.
fn logs(config: &Config) -> (LogConfig, LogConfig) {
    let delivery = &config.delivery;
    let log = |partitions, retention| LogConfig {
        partitions,
        retention_ms: millis(retention),
        ..LogConfig::default()
    };
    let events = log(delivery.event_partitions, delivery.events_retention);
    let frames = log(delivery.session_partitions, delivery.frames_retention);
    (events, frames)
}

/// Reaches all engines.
pub(super) async fn open(
    config: &Config,
    env: &Env,
    readiness: &Readiness,
) -> anyhow::Result<Engines> {
    let reached = reached(config)?;
    let (events, frames) = logs(config);
    let kafka = Kafka::connect(reached.kafka.clone())?;
    let deadline = Instant::now() + PATIENCE;
    let mut watch = Watch::new(readiness);
    let directory = guildhall_postgres::Config {
        connections: DIRECTORY_CONNECTIONS,
        ..reached.postgres.clone()
    };
    let (postgres, directory, projection, events, frames, snapshots, blobs) = tokio::try_join!(
        patiently(deadline, "PostgreSQL", || PostgresStore::open(
            &reached.postgres
        )),
        patiently(deadline, "PostgreSQL", || PostgresStore::open(&directory)),
        patiently(deadline, "the CQL engine", || Projection::open(
            &reached.cql
        )),
        patiently(deadline, "Kafka", || KafkaLog::open(
            &kafka,
            Topic::Events,
            events
        )),
        patiently(deadline, "Kafka", || KafkaLog::open(
            &kafka,
            Topic::Frames,
            frames
        )),
        patiently(deadline, "Kafka", || KafkaSnapshots::open(
            &kafka,
            frames.partitions
        )),
        files(deadline, &reached, &config.server.data, &mut watch),
    )?;
    let (relational, directory) = (Arc::new(postgres.clone()), Arc::new(directory));
    let (events, frames, projection) = (Arc::new(events), Arc::new(frames), Arc::new(projection));
    let needed = watch_needed(&mut watch, &relational, &kafka, &projection);
    let quotas = quotas(&reached, env, &postgres, &mut watch).await?;
    let stores = Stores {
        accounts: relational.clone(),
        guilds: relational.clone(),
        commands: relational.clone(),
        messages: projection,
        events: events.clone(),
        frames: frames.clone(),
        snapshots: Arc::new(snapshots),
        directory: directory.clone(),
        relational: postgres.standing(),
    };
    info!("all engines of the cluster are reached");
    Ok(Engines {
        stores,
        blobs,
        membership: Some(directory.clone()),
        quotas,
        needed,
        kind: Box::new(Cluster {
            postgres,
            directory,
            events,
            frames,
            watch,
        }),
    })
}

/// Watches the engines without which there is no node, and names those that partitions work with.
fn watch_needed(
    watch: &mut Watch,
    postgres: &Arc<PostgresStore>,
    kafka: &Arc<Kafka>,
    projection: &Arc<Projection>,
) -> Vec<Standing> {
    let needed = vec![postgres.standing(), kafka.standing()];
    let (store, brokers, cql) = (postgres.clone(), kafka.clone(), projection.clone());
    watch.engine("postgresql", store.standing(), move || {
        let store = store.clone();
        async move { store.look().await }
    });
    watch.engine("kafka", brokers.standing(), move || {
        let brokers = brokers.clone();
        async move { brokers.look().await }
    });
    watch.engine("cql", cql.standing(), move || {
        let cql = cql.clone();
        async move { cql.look().await }
    });
    needed
}

/// Where files are: in the bucket that all nodes share, or in this node's directory.
async fn files(
    deadline: Instant,
    reached: &Reached,
    data: &Path,
    watch: &mut Watch,
) -> anyhow::Result<Arc<dyn Blobs>> {
    if let Some(bucket) = &reached.s3 {
        let blobs = patiently(deadline, "S3", || S3Blobs::open(bucket)).await?;
        let watched = blobs.clone();
        watch.engine("s3", blobs.standing(), move || {
            let blobs = watched.clone();
            async move { blobs.look().await }
        });
        return Ok(Arc::new(blobs));
    }
    warn!("files are kept in this node's data directory only: several nodes need cluster.s3");
    let folder = data.join("files");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(Arc::new(FileBlobs::open(folder)?))
}

/// What counts for the rate limits of all nodes, if it is there at all. It need not be reached: until it
/// is each node counts by itself.
async fn quotas(
    reached: &Reached,
    env: &Env,
    guilds: &dyn Guilds,
    watch: &mut Watch,
) -> anyhow::Result<Option<Arc<dyn Quotas>>> {
    let Some(redis) = &reached.redis else {
        return Ok(None);
    };
    // Another installation on the same engine must not count with us.
    let drawn = env.bytes::<INSTALLATION_BYTES>();
    let ours = guilds.instance_value("redis_keys", &drawn).await?;
    let ours: [u8; INSTALLATION_BYTES] = ours
        .try_into()
        .ok()
        .context("the stored number of the keys in Redis has another length")?;
    let prefix = format!("guildhall:{:016x}:", u64::from_be_bytes(ours));
    let quotas = Arc::new(RedisQuotas::open(redis, &prefix).await?);
    let watched = quotas.clone();
    watch.engine("redis", quotas.standing(), move || {
        let quotas = watched.clone();
        async move { quotas.look().await }
    });
    Ok(Some(quotas))
}

/// Tries until it works. What is wrong and not merely away, such as tables of another version, is
/// an error at once.
async fn patiently<T, F>(
    deadline: Instant,
    what: &'static str,
    attempt: impl Fn() -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    let (mut pause, longest) = PAUSES;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(failure @ Failure::Unavailable { .. }) if Instant::now() + pause < deadline => {
                warn!(error = %failure, "waiting for {what}: {failure}");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            Err(failure) => return Err(failure).with_context(|| format!("{what} cannot be used")),
        }
    }
}
