//! The one declaration of every setting: name, type, default, bounds and documentation.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use guildhall_model::NodeRoles;

use super::addresses::{Password, PostgresUrl, RedisUrl, S3Address};
use super::declare::{Entry, Part, Reader, Rule, parts};
use super::security::{CqlTls, KafkaMechanism, KafkaSecurity, UserName};
use super::setting::Setting;
use super::units::ByteSize;
use super::values::{
    Durability, Hosts, LogFilter, LogFormat, Name, OperatorListen, PublicUrl, RateLimit,
    Registration, Secret, Switch,
};

parts! {
    /// Where clients connect and where data is kept.
    server: ServerConfig {
        /// Address and port for REST and gateway. Port 0 takes a free one, which the `ready`
        /// line on stdout names.
        listen: SocketAddr = Rule::default("127.0.0.1:8080");
        /// The directory of all data. It is made if it does not exist; one process at a time may
        /// use it.
        data: PathBuf = Rule::default("./guildhall-data");
        /// The origin under which clients reach this node, where that is not the address above:
        /// behind a reverse proxy, for example. Sessions are told to resume there, and the
        /// addresses of files begin with it.
        public_url: Option<PublicUrl> = Rule::unset("https://chat.example.org");
    }

    /// The operator's listener: metrics and health. It has no business on a public address.
    operator: OperatorConfig {
        /// Address and port for `/metrics`, `/livez`, `/readyz` and `/state`.
        listen: OperatorListen = Rule::default("127.0.0.1:8081");
        /// What a scraper must send as `Authorization: Bearer …` to read `/metrics` and `/state`. Without it
        /// everybody who reaches the listener may.
        metrics_token: Option<Secret> = Rule::unset("change me to something long");
    }

    /// Logs, which go to stderr.
    log: LogConfig {
        /// How lines look: one JSON object each, or text for people.
        format: LogFormat = Rule::default("text");
        /// Which lines are written, by level and by crate, in the syntax of `RUST_LOG`.
        filter: LogFilter = Rule::default("info,scylla=error");
    }

    /// The path of messages: logs, sessions and their replay.
    delivery: DeliveryConfig {
        /// What an acknowledged message survives. With `fsync` the disk has confirmed it; with
        /// `os` it survives a killed process but no loss of power, at a lower cost per message.
        durability: Durability = Rule::default("fsync");
        /// Slices of guilds, direct messages and users, each with one order of events. Fixed
        /// once the data directory exists.
        event_partitions: u16 = Rule::default("8").between("1", "1024");
        /// Slices of gateway sessions, each with one log of frames. Fixed once the data
        /// directory exists.
        session_partitions: u16 = Rule::default("8").between("1", "1024");
        /// How long events are kept in their log at least.
        events_retention: Duration = Rule::default("24h").between("1s", "365d");
        /// How long frames are kept in their log at least, and so how far back a session can be
        /// replayed. At most `events_retention`.
        frames_retention: Duration = Rule::default("15m").between("1s", "30d");
        /// How long a session without a connection can be resumed. At most `frames_retention`.
        resume_window: Duration = Rule::default("3m").between("1s", "24h");
        /// How often each session partition is written down whole. It bounds the restart: what
        /// came after the last snapshot is read again from the log.
        snapshot_interval: Duration = Rule::default("10s").between("100ms", "10m");
        /// When a log begins a new file. Retention drops whole files.
        segment_size: ByteSize = Rule::default("64MiB").between("64KiB", "4GiB");
        /// How many dispatches a connection may be behind. Beyond it is closed with a code that
        /// lets the client resume.
        backlog_dispatches: u64 = Rule::default("10000").between("100", "1000000");
        /// How many bytes of dispatches a connection may be behind.
        backlog_bytes: ByteSize = Rule::default("8MiB").between("64KiB", "1GiB");
    }

    /// The engines of a cluster. Where one of `postgres`, `kafka` and `cql` is set all three are, and
    /// accounts, guilds, messages and logs are kept there instead of in the data directory. The
    /// binary must have been built with `--features cluster`, and `guildhall migrate apply`
    /// prepares the engines.
    cluster: ClusterConfig {
        /// The number of this node, which no other one may have: it is part of every id that the
        /// node makes. A node that finds a later process with its number stops.
        node: u16 = Rule::default("0").between("0", "1023");
        /// Address and port where other nodes of the cluster connect. They prove that they know
        /// the cluster's secret, which is kept in PostgreSQL; what they say then is encrypted only with
        /// `link_certificate`, so without it this belongs into a private network. Port 0 takes a free one.
        listen: SocketAddr = Rule::default("127.0.0.1:7946");
        /// How other nodes reach that, where it is not the address above: behind 0.0.0.0, for
        /// example. One host and port.
        address: Option<Hosts> = Rule::unset("node1.internal:7946");
        /// How much this node takes beside the others with the same role. With 0 it owns no sessions,
        /// guilds or channels: it passes requests on, and cannot open sessions.
        weight: u16 = Rule::default("1").between("0", "100");
        /// What this node does: `api` answers requests over HTTP, `gateway` accepts WebSockets and owns
        /// sessions, `worker` owns guilds and channels. Separated by commas. Several nodes may split the
        /// work between them; `server.public_url` must lead to all of them then. A node without a cluster
        /// does everything. The flag `--roles` of `serve` overrides this.
        roles: NodeRoles = Rule::default("api,gateway,worker");
        /// PostgreSQL, for accounts, guilds and the directory of owners. The address holds a
        /// password, which is safer in the environment than in a file.
        postgres: Option<PostgresUrl> = Rule::unset("postgres://guildhall:secret@db.internal/guildhall");
        /// Brokers of Apache Kafka, for events, frames and snapshots, separated by commas.
        kafka: Option<Hosts> = Rule::unset("kafka1.internal:9092,kafka2.internal:9092");
        /// How many brokers keep each record, where topics are still to be made; an append waits for all
        /// of them but one. Unless it is set: three, or as many as there are. With 1 a lost broker is lost
        /// data, and nothing is written while one is away.
        kafka_replicas: Option<u16> = Rule::unset("3").between("1", "15");
        /// Nodes of ScyllaDB or Apache Cassandra, for messages, separated by commas.
        cql: Option<Hosts> = Rule::unset("scylla1.internal:9042,scylla2.internal:9042");
        /// The keyspace there.
        cql_keyspace: Name = Rule::default("guildhall");
        /// How many nodes there keep each row, where the keyspace is still to be made.
        cql_replicas: u16 = Rule::default("1").between("1", "15");
        /// The bucket of an S3 engine, for files and pictures, with the keys that open it. In both keys
        /// `@` and `%` are percent-encoded. The bucket must be there. Without this a node keeps files in
        /// its own data directory, where other nodes do not find them: several nodes need it.
        s3: Option<S3Address> = Rule::unset("https://KEY:SECRET@s3.internal:9000/guildhall?region=us-east-1");
        /// Redis, where all nodes count together for rate limits and bots' starts of sessions. Nothing
        /// else is kept there and nothing depends on it: without it, and while it is away, each node counts
        /// by itself. With `rediss://` it is reached by TLS. In a password `@`, `/`, `?` and `#` are
        /// percent-encoded.
        redis: Option<RedisUrl> = Rule::unset("rediss://:PASSWORD@redis.internal:6379/0");
        /// The certificates of the authorities by which engines are believed that are reached by TLS, a file
        /// in PEM. It takes the place of those that the system knows. It and the files below are read when
        /// the node starts.
        engine_authority: Option<PathBuf> = Rule::unset("/etc/guildhall/engines.pem");
        /// Whether `cql` is reached by TLS. With `on` each of its nodes must show a certificate for its IP
        /// address. Where theirs are for no address, `authority` is content with one that
        /// `engine_authority` has signed, which should then sign for nobody else.
        cql_tls: CqlTls = Rule::default("off");
        /// Who this node is to `cql`, where that asks.
        cql_user: Option<UserName> = Rule::unset("guildhall");
        /// The password for that. It is safer in the environment than in a file.
        cql_password: Option<Password> = Rule::unset("PASSWORD");
        /// How `kafka` is reached, in Kafka's own words: `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`. Where this is not set
        /// there is neither TLS nor a password. With TLS each broker must show a certificate for the host by
        /// which it is reached, which is the one that it advertises.
        kafka_security: Option<KafkaSecurity> = Rule::unset("SASL_SSL");
        /// How the password is proved to `kafka`, where `kafka_security` begins with SASL.
        kafka_mechanism: KafkaMechanism = Rule::default("SCRAM-SHA-512");
        /// Who this node is to `kafka`, where `kafka_security` begins with SASL.
        kafka_user: Option<UserName> = Rule::unset("guildhall");
        /// The password for that. It is safer in the environment than in a file.
        kafka_password: Option<Password> = Rule::unset("PASSWORD");
        /// The certificate that `kafka` is shown, where it asks for one: a file in PEM, with those between it
        /// and its authority if there are any.
        kafka_certificate: Option<PathBuf> = Rule::unset("/etc/guildhall/kafka/tls.crt");
        /// The key of that certificate, a file in PEM.
        kafka_key: Option<PathBuf> = Rule::unset("/etc/guildhall/kafka/tls.key");
        /// This node's certificate for the link between nodes, a file in PEM, with those between it and its
        /// authority if there are any. It must be for the host in `address`, and for clients as well as for
        /// servers. Where this, `link_key` and `link_authority` are set nodes speak TLS, and with no node that
        /// does not.
        link_certificate: Option<PathBuf> = Rule::unset("/etc/guildhall/link/tls.crt");
        /// The key of that certificate, a file in PEM.
        link_key: Option<PathBuf> = Rule::unset("/etc/guildhall/link/tls.key");
        /// The certificates of the authorities by which other nodes are believed, a file in PEM.
        link_authority: Option<PathBuf> = Rule::unset("/etc/guildhall/link/ca.crt");
    }

    /// The WebSocket side.
    gateway: GatewayConfig {
        /// How often clients are asked to send a heartbeat. A connection that is silent for one
        /// and a half times as long is closed; its session can be resumed.
        heartbeat_interval: Duration = Rule::default("41250ms").between("1s", "5m");
        /// How long a new connection may take to identify or resume.
        identify_timeout: Duration = Rule::default("20s").between("1s", "5m");
        /// How long a stopping node waits for connections to leave before it closes them.
        drain_timeout: Duration = Rule::default("20s").between("0s", "10m");
    }

    /// Accounts, passwords and tokens.
    auth: AuthConfig {
        /// How long an access token is valid.
        access_token_lifetime: Duration = Rule::default("15m").between("1s", "24h");
        /// How long a login lasts that is not refreshed.
        refresh_token_lifetime: Duration = Rule::default("30d").between("1s", "365d");
        /// Memory of one password hash (argon2id), in KiB. OWASP's least for two iterations is
        /// 19456; less is for tests.
        argon2_memory_kib: u32 = Rule::default("19456").between("64", "4194304");
        /// Passes of one password hash over its memory.
        argon2_iterations: u32 = Rule::default("2").between("1", "64");
        /// How many password hashes are computed at a time; others wait their turn. Together
        /// they take this many times `argon2_memory_kib` of memory.
        hash_parallelism: u16 = Rule::default("2").between("1", "64");
        /// Whether people may register.
        registration: Registration = Rule::default("open");
    }

    /// How often callers may call the HTTP interface. Each limit is a count and a time, or `off`.
    /// Who is beyond one is answered 429 and told when to come back.
    limits: LimitsConfig {
        /// Whether there are any limits. Load tests and benchmarks need `off`, or they measure
        /// the limits.
        rate_limits: Switch = Rule::default("on");
        /// All requests of one bot.
        bots: RateLimit = Rule::default("50/1s");
        /// All requests of one person.
        people: RateLimit = Rule::default("50/1s");
        /// All requests without a credential from one address (of IPv6: one /64).
        addresses: RateLimit = Rule::default("50/1s");
        /// Messages of one caller to one channel.
        messages: RateLimit = Rule::default("5/5s");
        /// Reactions that one caller adds or removes, per channel where the path names one.
        reactions: RateLimit = Rule::default("4/1s");
        /// Registrations, logins and refreshes of tokens from one address, for each of the three.
        sign_in: RateLimit = Rule::default("30/1m");
        /// Every other route, for each caller and each server or channel that the path begins
        /// with.
        others: RateLimit = Rule::default("50/10s");
        /// Answers 401, 403 and 429 to one address. Beyond it nothing from there is looked at
        /// until the time is over.
        refusals: RateLimit = Rule::default("10000/10m");
        /// How many sessions a bot may start per day. Beyond it the gateway closes with 4008.
        session_starts: u32 = Rule::default("1000").between("1", "1000000");
        /// How many sessions a bot may start within five seconds, Discord's `max_concurrency`.
        /// Beyond it IDENTIFY is answered with "invalid session", after which libraries wait.
        session_starts_at_a_time: u32 = Rule::default("16").between("1", "10000");
        /// How many reverse proxies stand before this node and add the address that called them
        /// to `X-Forwarded-For`. With 0 the header is not believed, and clients behind a proxy
        /// share its address.
        proxies: u16 = Rule::default("0").between("0", "16");
    }
}
