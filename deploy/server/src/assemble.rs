//! From a configuration to a node that serves.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use guildhall_app::session_starts::SessionStarts;
use guildhall_app::{App, Parts};
use guildhall_auth::access::AccessConfig;
use guildhall_auth::password::{Cost, HasherConfig};
use guildhall_auth::{AccessTokens, FileLinks, Hasher, InteractionTokens};
use guildhall_cluster::link::Secret;
use guildhall_edge::{Gateway, GatewayConfig};
use guildhall_host::{HostConfig, Joining, Node};
use guildhall_model::{NodeId, NodeRole, NodeRoles};
use guildhall_ports::{Env, Guilds, Membership, Quotas};
use guildhall_wire::{FileUrls, Installation, Spelling};
use tokio::net::TcpListener;
use tracing::info;

use crate::certificates::Certificates;
use crate::config::{self, Config, Hosts, PublicUrl};
use crate::engines::{self, Engines};
use crate::operator::{Readiness, Trouble};

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

/// Opens the engines, recovers the node and puts the use cases on top of it.
pub async fn assemble(
    config: &Config,
    public_url: &PublicUrl,
    readiness: &Readiness,
) -> anyhow::Result<Assembly> {
    let env = Env::system();
    let engines = engines::open(config, &env, readiness).await?;
    let relational = engines.stores.guilds.clone();
    partitions_are_as_before(config, &*relational).await?;
    let host_config = host_config(config, public_url);
    let node = match &engines.membership {
        Some(membership) => {
            let joining = joining(config, &env, &*relational, membership).await?;
            Node::join(host_config, env.clone(), engines.stores.clone(), joining).await?
        }
        None => Node::start(host_config, env.clone(), engines.stores.clone()).await?,
    };
    let (partitions, is_excused) = (node.clone(), engines.excuse());
    readiness.watch("partitions", move || {
        partitions.check().map_err(|why| {
            if is_excused() {
                Trouble::Degraded(why)
            } else {
                Trouble::Failed(why)
            }
        })
    });
    watch_roles(readiness, &node, config.cluster.roles);
    let spelling = Spelling::new(tail(&*relational, &env).await?);
    let app = start_app(config, &node, &engines).await?;
    let urls = FileUrls::new(public_url.as_str());
    let installation = Installation { spelling, urls };
    let gateway = Gateway::new(app.clone(), installation.clone(), gateway_config(config));
    gateway.attend_sockets(&node);
    engines.keep_up(&node);
    tokio::spawn(sweep(app.clone()));
    Ok(Assembly {
        app,
        node,
        gateway,
        installation,
        engines,
    })
}

/// What the node needs to be one of several.
async fn joining(
    config: &Config,
    env: &Env,
    guilds: &dyn Guilds,
    membership: &Arc<dyn Membership>,
) -> anyhow::Result<Joining> {
    let cluster = &config.cluster;
    let secret = secret(guilds, env, "cluster_secret").await?;
    let listener = TcpListener::bind(cluster.listen)
        .await
        .with_context(|| format!("cluster.listen: {} cannot be listened on", cluster.listen))?;
    let bound = listener.local_addr()?.to_string();
    let address = cluster.address.as_ref().map_or(bound, Hosts::joined);
    info!(node = cluster.node, %address, "other nodes reach this one at {address}");
    Ok(Joining {
        membership: Arc::clone(membership),
        secret: Secret::new(&secret)?,
        tls: Certificates::read(cluster)?.link,
        incarnation: u64::try_from(env.now().0).unwrap_or_default(),
        listener,
        address,
        weight: cluster.weight.into(),
        roles: cluster.roles,
    })
}

/// A role that no living node has is told by all. Who answers clients can do little without a worker;
/// everybody else does what is left to do.
fn watch_roles(readiness: &Readiness, node: &Node, own: NodeRoles) {
    let answers_clients = own.contains(NodeRole::Api) || own.contains(NodeRole::Gateway);
    for (role, name) in [
        (NodeRole::Api, "role api"),
        (NodeRole::Gateway, "role gateway"),
        (NodeRole::Worker, "role worker"),
    ] {
        let node = node.clone();
        let is_needed = role == NodeRole::Worker && answers_clients;
        readiness.watch(name, move || {
            if !node.missing_roles().contains(&role) {
                return Ok(());
            }
            let said = format!("no living node has the role {role}");
            Err(if is_needed {
                Trouble::Failed(said)
            } else {
                Trouble::Degraded(said)
            })
        });
    }
}

impl Assembly {
    /// What counts for the rate limits of all nodes, where there is something that does.
    pub(crate) fn quotas(&self) -> Option<Arc<dyn Quotas>> {
        self.engines.quotas.clone()
    }

    /// Writes what is left to write and closes the engines.
    pub async fn close(self) -> anyhow::Result<()> {
        self.node.leave().await;
        self.node.stop().await;
        self.engines.close().await
    }
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
        node: NodeId(config.cluster.node),
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

async fn start_app(config: &Config, node: &Node, engines: &Engines) -> anyhow::Result<App> {
    let guilds = &*engines.stores.guilds;
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
        blobs: engines.blobs.clone(),
        quotas: engines.quotas.clone(),
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

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
