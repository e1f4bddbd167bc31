//! Nodes on the same stores, each with its use cases, its gateway and a listener.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use guildhall_app::accounts::NewAccount;
use guildhall_app::messages::NewMessage;
use guildhall_app::session_starts::SessionStarts;
use guildhall_app::{App, Context, Parts, Presented, Registration, Secret, Settings};
use guildhall_auth::access::AccessConfig;
use guildhall_auth::password::{Cost, HasherConfig};
use guildhall_auth::{AccessTokens, FileLinks, Hasher, InteractionTokens};
use guildhall_cluster::link;
use guildhall_edge::{Gateway, GatewayConfig, listener};
use guildhall_embedded::sqlite::{Projection, Relational};
use guildhall_host::{HostConfig, Joining, NewGuild, Node, Stores};
use guildhall_model::text::{Content, Email, GuildName, Username};
use guildhall_model::{ChannelId, NodeId, NodeRoles, Timestamp};
use guildhall_ports::fake::{
    FakeBlobs, FakeClock, FakeDirectory, FakeLog, FakeMembership, FakeSnapshots,
};
use guildhall_ports::{Env, Standing};
use guildhall_wire::{FileUrls, Installation, Spelling};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// How many partitions of either kind there are.
const PARTITIONS: u16 = 4;
/// Far beyond what anything takes here: only a hanging test meets it.
pub(crate) const HANGS: Duration = Duration::from_secs(30);
/// Longer than the lease of a coordinator.
const LEASE_MS: i64 = 10_000;
/// What HELLO asks for.
pub(crate) const HEARTBEAT_INTERVAL_MS: u32 = 41_250;

/// Everything that is durable.
pub(crate) struct House {
    /// Databases are served by others than the nodes.
    _storage: Runtime,
    relational: Arc<Relational>,
    messages: Arc<Projection>,
    events: FakeLog,
    frames: FakeLog,
    snapshots: FakeSnapshots,
    directory: FakeDirectory,
    membership: FakeMembership,
    clock: FakeClock,
    _files: TempDir,
}

/// A node that serves.
pub(crate) struct Serving {
    runtime: Runtime,
    pub(crate) node: Node,
    app: App,
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
}

/// Somebody with a guild of their own.
pub(crate) struct Person {
    pub(crate) token: String,
    ctx: Context,
    channel: ChannelId,
}

/// Two nodes of which each owns partitions of either kind, and somebody who is known to both.
pub(crate) fn two() -> (House, Serving, Serving, Person) {
    two_with([usize::MAX; 2])
}

/// The same, with a bound for the connections of each.
pub(crate) fn two_with(connections_max: [usize; 2]) -> (House, Serving, Serving, Person) {
    let house = House::new();
    let first = house.join(1, connections_max[0]);
    let second = house.join(2, connections_max[1]);
    house.until_settled(&[&first, &second]);
    let person = first.run(Person::register(&first.app));
    (house, first, second, person)
}

impl House {
    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let storage = runtime();
        let (relational, messages) = storage.block_on(async {
            let relational = Relational::open(&files.path().join("guildhall.db")).await;
            let projection = Projection::open(&files.path().join("messages.db")).await;
            (Arc::new(relational.unwrap()), Arc::new(projection.unwrap()))
        });
        let clock = FakeClock::at(Timestamp(1_700_000_000_000));
        Self {
            _storage: storage,
            relational,
            messages,
            events: FakeLog::new(),
            frames: FakeLog::new(),
            snapshots: FakeSnapshots::new(),
            directory: FakeDirectory::new(),
            membership: FakeMembership::new(clock.clone()),
            clock,
            _files: files,
        }
    }

    /// So much time passes that a coordinator that is gone is none any more.
    pub(crate) fn let_lease_end(&self) {
        self.clock.advance_ms(LEASE_MS);
    }

    /// Starts a node that joins the others.
    fn join(&self, number: u16, connections_max: usize) -> Serving {
        let runtime = runtime();
        let env = self.clock.env(number.into());
        let config = HostConfig {
            node: NodeId(number),
            event_partitions: PARTITIONS,
            session_partitions: PARTITIONS,
            ..HostConfig::default()
        };
        let gateway_config = GatewayConfig {
            heartbeat_interval_ms: HEARTBEAT_INTERVAL_MS,
            identify_timeout: HANGS,
            connections_max,
        };
        let (node, app, gateway, address) = runtime.block_on(async {
            let joining = self.joining(number).await;
            let node = Node::join(config, env.clone(), self.stores(), joining);
            let node = node.await.unwrap();
            let app = App::start(parts(node.clone(), &env)).await.unwrap();
            let installation = Installation {
                spelling: Spelling::new(0x9_8765_4321_0FED),
                urls: FileUrls::new("https://chat.example"),
            };
            let gateway = Gateway::new(app.clone(), installation, gateway_config);
            gateway.attend_sockets(&node);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let routes = tower::service_fn(|_: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            });
            let never = std::future::pending();
            tokio::spawn(listener::serve(
                listener,
                Some(gateway.clone()),
                routes,
                never,
            ));
            (node, app, gateway, address)
        });
        Serving {
            runtime,
            node,
            app,
            gateway,
            address,
        }
    }

    async fn joining(&self, number: u16) -> Joining {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Joining {
            membership: Arc::new(self.membership.clone()),
            secret: link::Secret::new(&[7; 32]).unwrap(),
            tls: None,
            incarnation: number.into(),
            address: listener.local_addr().unwrap().to_string(),
            listener,
            weight: 1,
            roles: NodeRoles::ALL,
        }
    }

    fn stores(&self) -> Stores {
        Stores {
            accounts: Arc::clone(&self.relational) as _,
            guilds: Arc::clone(&self.relational) as _,
            commands: Arc::clone(&self.relational) as _,
            messages: Arc::clone(&self.messages) as _,
            events: Arc::new(self.events.clone()),
            frames: Arc::new(self.frames.clone()),
            snapshots: Arc::new(self.snapshots.clone()),
            directory: Arc::new(self.directory.clone()),
            relational: Standing::default(),
        }
    }

    /// Waits until these nodes own all partitions, each of them some of either kind, and work.
    fn until_settled(&self, nodes: &[&Serving]) {
        let began = Instant::now();
        // Leases end by the clock, which goes as fast as the nodes do.
        let mut passed = 0;
        until("the nodes settle", || {
            let ms = i64::try_from(began.elapsed().as_millis()).unwrap();
            self.clock.advance_ms(ms - passed);
            passed = ms;
            let states: Vec<_> = nodes.iter().map(|it| it.node.observe()).collect();
            let events = states.iter().map(|state| state.event_partitions.len());
            let sessions = states.iter().map(|state| state.session_partitions.len());
            let all = usize::from(PARTITIONS);
            let is_whole = (events.clone().sum(), sessions.clone().sum()) == (all, all);
            let is_shared = events.chain(sessions).all(|owned| owned > 0);
            is_whole && is_shared && nodes.iter().all(|it| it.node.check().is_ok())
        });
    }
}

impl Serving {
    /// Waits for something that is done here.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Posts a message of this person's into their channel.
    pub(crate) fn post(&self, person: &Person, text: &str) {
        let new = NewMessage {
            content: Some(Content::parse(text).unwrap()),
            ..NewMessage::default()
        };
        let messages = self.app.messages();
        let posted = self.run(messages.post(&person.ctx, person.channel, new));
        posted.unwrap();
    }

    /// Waits until there are so many sockets here.
    pub(crate) fn until_sockets(&self, n: usize) {
        until("sockets come and go", || {
            self.gateway.connection_count() == n
        });
    }

    /// The process is gone, in the middle of whatever it was doing.
    pub(crate) fn kill(self) {
        let Self {
            runtime,
            node,
            app,
            gateway,
            ..
        } = self;
        let guard = runtime.enter();
        drop((node, app, gateway));
        drop(guard);
        drop(runtime);
    }
}

impl Person {
    async fn register(app: &App) -> Self {
        let new = NewAccount {
            username: Username::parse("ada").unwrap(),
            email: Email::parse("ada@mail.example").unwrap(),
            password: Secret::new("correct horse battery staple"),
        };
        let signed_in = app.accounts().register(new).await.unwrap();
        let token = signed_in.access_token.reveal().to_owned();
        let ctx = app.authenticate(&Presented::bare(&token)).await.unwrap();
        let guild = NewGuild {
            name: GuildName::parse("Town").unwrap(),
            description: None,
            icon: None,
            is_public: true,
        };
        let guild = app.guilds().create(&ctx, guild).await.unwrap();
        let channels = app.channels().list(&ctx, guild.guild.id).await.unwrap();
        let channel = channels[0].id;
        Self {
            token,
            ctx,
            channel,
        }
    }
}

/// Waits for a condition.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < HANGS, "{what} in time");
        std::thread::yield_now();
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn parts(node: Node, env: &Env) -> Parts {
    // Cheap hashes: what they cost is not what these tests are about.
    let hashing = HasherConfig {
        cost: Cost {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        },
        running_max: NonZeroUsize::MIN,
        waiting_max: 100,
    };
    let access = AccessConfig {
        issuer: "guildhall".to_owned(),
        audience: "guildhall".to_owned(),
        lifetime_s: 900,
    };
    Parts {
        node,
        hasher: Hasher::new(hashing, env.random.clone()).unwrap(),
        access_tokens: AccessTokens::new(&[7; 32], access),
        file_links: FileLinks::new(&[8; 32]),
        interaction_tokens: InteractionTokens::new(&[9; 32]),
        blobs: Arc::new(FakeBlobs::new()),
        quotas: None,
        settings: Settings {
            registration: Registration::Open,
            login_lifetime_s: 3_600,
            session_starts: SessionStarts::DEFAULT,
        },
    }
}
