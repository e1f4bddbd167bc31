//! The only place that constructs adapters: from a configuration to a node that serves.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use guildhall_app::session_starts::SessionStarts;
use guildhall_app::{App, Parts};
use guildhall_auth::access::AccessConfig;
use guildhall_auth::password::{Cost, HasherConfig};
use guildhall_auth::{AccessTokens, FileLinks, Hasher, InteractionTokens};
use guildhall_edge::{Gateway, GatewayConfig};
use guildhall_embedded::blobs::FileBlobs;
use guildhall_embedded::directory::FileDirectory;
use guildhall_embedded::log::{Durability, Health, LogConfig, SegmentLog, Topic};
use guildhall_embedded::snapshots::FileSnapshots;
use guildhall_embedded::sqlite::{Projection, Relational};
use guildhall_host::{HostConfig, Node, Stores};
use guildhall_model::NodeId;
use guildhall_ports::{Env, Guilds};
use guildhall_wire::{FileUrls, Installation, Spelling};

use crate::config::{self, Config, PublicUrl};
use crate::operator::Readiness;

/// Bits of the constant that makes an installation's native ids its own.
const TAIL_BITS: u32 = 52;
/// Gateway connections that a node accepts.
const CONNECTIONS_MAX: usize = 200_000;

/// A node with everything that it stands on.
pub struct Assembly {
    /// The use cases.
    pub app: App,
    /// The node.
    pub node: Node,
    /// The gateway.
    pub gateway: Gateway,
    /// How ids and addresses are written.
    pub installation: Installation,
    engines: Engines,
}

/// The adapters that are closed at the end, and the lock that keeps others out meanwhile.
struct Engines {
    relational: Arc<Relational>,
    projection: Arc<Projection>,
    events: Arc<SegmentLog>,
    frames: Arc<SegmentLog>,
    _lock: File,
}

/// Opens the data directory, recovers the node and puts the use cases on top of it.
pub async fn assemble(
    config: &Config,
    public_url: &PublicUrl,
    readiness: &Readiness,
) -> anyhow::Result<Assembly> {
    let data = config.server.data.as_path();
    std::fs::create_dir_all(data)
        .with_context(|| format!("the data directory {} cannot be made", data.display()))?;
    let lock = lock(data)?;
    let env = Env::system();
    let relational = Arc::new(Relational::open(&data.join("guildhall.db")).await?);
    let projection = Arc::new(Projection::open(&data.join("messages.db")).await?);
    let (events, frames) = open_logs(config, data, &env).await?;
    watch(readiness, "events_log", &events);
    watch(readiness, "frames_log", &frames);
    partitions_are_as_before(config, &*relational).await?;
    let stores = Stores {
        accounts: relational.clone(),
        guilds: relational.clone(),
        commands: relational.clone(),
        messages: projection.clone(),
        events: events.clone(),
        frames: frames.clone(),
        snapshots: Arc::new(FileSnapshots::open(data.join("snapshots"))?),
        directory: Arc::new(FileDirectory::open(data.join("directory"))?),
    };
    let host_config = host_config(config, public_url);
    let node = Node::start(host_config, env.clone(), stores).await?;
    let partitions = node.clone();
    readiness.watch("partitions", move || partitions.check());
    let spelling = Spelling::new(tail(&*relational, &env).await?);
    let app = start_app(config, &node, &*relational, data).await?;
    let urls = FileUrls::new(public_url.as_str());
    let installation = Installation { spelling, urls };
    let gateway = Gateway::new(app.clone(), installation.clone(), gateway_config(config));
    tokio::spawn(trim(node.clone(), events.clone(), frames.clone()));
    tokio::spawn(sweep(app.clone()));
    let engines = Engines {
        relational,
        projection,
        events,
        frames,
        _lock: lock,
    };
    Ok(Assembly {
        app,
        node,
        gateway,
        installation,
        engines,
    })
}

impl Assembly {
    /// Writes what is left to write and closes the engines.
    pub async fn close(self) -> anyhow::Result<()> {
        self.node.stop().await;
        self.engines.frames.close().await?;
        self.engines.events.close().await?;
        self.engines.projection.close().await;
        self.engines.relational.close().await;
        Ok(())
    }
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
        Health::Full => Err("the disk is full".to_owned()),
        Health::Broken => Err("a sync failed; restart after checking the disk".to_owned()),
    });
}

/// Data lies by partition: another count would look for it in the wrong place.
async fn partitions_are_as_before(config: &Config, guilds: &dyn Guilds) -> anyhow::Result<()> {
    let counts = [
        ("event_partitions", config.delivery.event_partitions),
        ("session_partitions", config.delivery.session_partitions),
    ];
    for (name, count) in counts {
        let stored = guilds.instance_value(name, &count.to_be_bytes()).await?;
        if stored != count.to_be_bytes() {
            let was = stored
                .iter()
                .fold(0_u32, |n, &byte| n << 8 | u32::from(byte));
            bail!(
                "delivery.{name} is {count}, but this data directory was made with {was}; \
                 the number is fixed once there is data"
            );
        }
    }
    Ok(())
}

fn host_config(config: &Config, public_url: &PublicUrl) -> HostConfig {
    let delivery = &config.delivery;
    HostConfig {
        node: NodeId(0),
        event_partitions: delivery.event_partitions,
        session_partitions: delivery.session_partitions,
        resume_window_ms: millis(delivery.resume_window),
        snapshot_interval_ms: millis(delivery.snapshot_interval),
        frames_retention_ms: millis(delivery.frames_retention),
        backlog_dispatches_max: delivery.backlog_dispatches,
        backlog_bytes_max: delivery.backlog_bytes.0,
        resume_url: format!("{}/gateway", public_url.websocket_origin()),
        ..HostConfig::default()
    }
}

fn gateway_config(config: &Config) -> GatewayConfig {
    let gateway = &config.gateway;
    GatewayConfig {
        heartbeat_interval_ms: u32::try_from(gateway.heartbeat_interval.as_millis())
            .unwrap_or(u32::MAX),
        identify_timeout: gateway.identify_timeout,
        connections_max: CONNECTIONS_MAX,
    }
}

async fn start_app(
    config: &Config,
    node: &Node,
    guilds: &dyn Guilds,
    data: &Path,
) -> anyhow::Result<App> {
    let auth = &config.auth;
    let env = node.env();
    let seed = secret(guilds, env, "access_token_key").await?;
    let file_key = secret(guilds, env, "file_link_key").await?;
    let interaction_key = secret(guilds, env, "interaction_token_key").await?;
    let lifetime_s = u32::try_from(auth.access_token_lifetime.as_secs()).unwrap_or(u32::MAX);
    let access = AccessConfig {
        issuer: "guildhall".to_owned(),
        audience: "guildhall".to_owned(),
        lifetime_s,
    };
    let hashing = HasherConfig {
        cost: Cost {
            memory_kib: auth.argon2_memory_kib,
            passes: auth.argon2_iterations,
            lanes: 1,
        },
        running_max: NonZeroUsize::new(auth.hash_parallelism.into()).unwrap_or(NonZeroUsize::MIN),
        ..HasherConfig::default()
    };
    let parts = Parts {
        node: node.clone(),
        hasher: Hasher::new(hashing, env.random.clone())?,
        access_tokens: AccessTokens::new(&seed, access),
        file_links: FileLinks::new(&file_key),
        interaction_tokens: InteractionTokens::new(&interaction_key),
        blobs: Arc::new(FileBlobs::open(data.join("files"))?),
        settings: guildhall_app::Settings {
            registration: match auth.registration {
                config::Registration::Open => guildhall_app::Registration::Open,
                config::Registration::Closed => guildhall_app::Registration::Closed,
            },
            login_lifetime_s: u32::try_from(auth.refresh_token_lifetime.as_secs())
                .unwrap_or(u32::MAX),
            session_starts: SessionStarts {
                per_day: config.limits.session_starts,
                max_concurrency: config.limits.session_starts_at_a_time,
                is_enforced: config.limits.rate_limits == config::Switch::On,
            },
        },
    };
    Ok(App::start(parts).await?)
}

/// A secret of the installation. Part of every backup.
async fn secret(guilds: &dyn Guilds, env: &Env, name: &str) -> anyhow::Result<[u8; 32]> {
    let stored = guilds.instance_value(name, &env.bytes::<32>()).await?;
    let secret = stored.try_into().ok();
    secret.with_context(|| format!("the stored {name} has another length"))
}

/// The constant that makes an installation's native ids its own. Part of every backup.
async fn tail(guilds: &dyn Guilds, env: &Env) -> anyhow::Result<u64> {
    let fresh = u64::from_be_bytes(env.bytes::<8>()) >> (u64::BITS - TAIL_BITS);
    let stored = guilds
        .instance_value("id_tail", &fresh.to_be_bytes())
        .await?;
    let bytes: [u8; 8] = stored
        .try_into()
        .ok()
        .context("the stored id tail has another length")?;
    Ok(u64::from_be_bytes(bytes))
}

/// Gives back the space of segments that nobody needs.
async fn trim(node: Node, events: Arc<SegmentLog>, frames: Arc<SegmentLog>) {
    const EVERY: Duration = Duration::from_secs(30);
    loop {
        tokio::time::sleep(EVERY).await;
        for log in [&events, &frames] {
            if let Err(failure) = log.trim(node.env().now()).await {
                tracing::warn!(%failure, "a log was not trimmed");
            }
        }
    }
}

/// Takes files away that nobody posted.
async fn sweep(app: App) {
    const EVERY: Duration = Duration::from_hours(1);
    loop {
        match app.uploads().sweep().await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "files without a message were deleted"),
            Err(failure) => tracing::warn!(%failure, "files without a message were not deleted"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
