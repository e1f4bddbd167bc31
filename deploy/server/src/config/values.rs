//! The types of single settings: choices, addresses and secrets.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use guildhall_model::{NodeRoles, Rate};
use subtle::ConstantTimeEq;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::setting::Setting;
use super::units::duration_text;

/// Declares a setting that is one word out of a few.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        $name:ident, $expected:literal { $($(#[$case_doc:meta])* $case:ident = $word:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {$(
            $(#[$case_doc])*
            $case,
        )+}

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$case),)+
                    _ => None,
                }
            }

            fn text(&self) -> String {
                match self {
                    $(Self::$case => $word.to_owned(),)+
                }
            }
        }
    };
}
pub(super) use choice;

choice! {
    /// How a log line looks.
    LogFormat, "json or text" {
        /// One JSON object per line, for machines.
        Json = "json",
        /// One line of words per line, for people.
        Text = "text",
    }
}

choice! {
    /// What an acknowledged write survives.
    Durability, "fsync or os" {
        /// Everything up to a loss of power: the disk has confirmed it.
        Fsync = "fsync",
        /// The end of the process, but no loss of power.
        Os = "os",
    }
}

choice! {
    /// Who may register.
    Registration, "open or closed" {
        /// Everybody.
        Open = "open",
        /// Nobody.
        Closed = "closed",
    }
}

choice! {
    /// Whether something is done at all.
    Switch, "on or off" {
        /// It is done.
        On = "on",
        /// It is left out.
        Off = "off",
    }
}

/// How often something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// As often as anybody likes.
    Off,
    /// This often.
    At(Rate),
}

impl RateLimit {
    /// The rate, if there is one.
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::At(rate) => Some(rate),
        }
    }
}

impl Setting for RateLimit {
    const EXPECTED: &'static str =
        "a count and a time of at most 1d such as 5/5s or 10000/10m, or off";

    fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        let (count, window) = text.split_once('/')?;
        let window = Duration::parse(window.trim_start())?.as_millis();
        let rate = Rate::new(count.trim_end().parse().ok()?, window.try_into().ok()?)?;
        Some(Self::At(rate))
    }

    fn text(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::At(rate) => {
                let window = Duration::from_millis(rate.window_ms().into());
                format!("{}/{}", rate.count(), duration_text(window))
            }
        }
    }
}

/// Where the operator's listener listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorListen {
    /// Nowhere.
    Off,
    /// At this address.
    At(SocketAddr),
}

impl Setting for OperatorListen {
    const EXPECTED: &'static str = "an IP address with a port such as 127.0.0.1:8081, or off";

    fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            Some(Self::Off)
        } else {
            text.parse().ok().map(Self::At)
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::At(addr) => addr.to_string(),
        }
    }
}

/// Which log lines are written, in the syntax of `RUST_LOG`. Valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The directives as they were given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for LogFilter {
    const EXPECTED: &'static str = "a filter such as info or warn,guildhall_edge=debug";

    fn parse(text: &str) -> Option<Self> {
        // A lone word is a target to the filter's parser, so a misspelt level would be silent.
        let has_known_levels = text.split(',').all(|directive| {
            directive.contains(['=', '[', ':']) || directive.trim().parse::<LevelFilter>().is_ok()
        });
        let is_valid =
            !text.is_empty() && has_known_levels && EnvFilter::builder().parse(text).is_ok();
        is_valid.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// The origin under which clients reach this node: `http` or `https`, a host, perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The origin of a listener that clients reach by its own address.
    pub fn of_listener(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// The origin without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same origin for WebSockets: `ws` for `http`, `wss` for `https`.
    pub fn websocket_origin(&self) -> String {
        // "http" becomes "ws" and "https" becomes "wss".
        self.0.replacen("http", "ws", 1)
    }
}

impl Setting for PublicUrl {
    const EXPECTED: &'static str = "an origin such as https://chat.example.org, without a path";

    fn parse(text: &str) -> Option<Self> {
        let uri: axum::http::Uri = text.parse().ok()?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority()?;
        let is_origin = is_http
            && !authority.host().is_empty()
            && !authority.as_str().contains('@')
            && uri.path() == "/"
            && uri.query().is_none();
        is_origin.then(|| Self(text.trim_end_matches('/').to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// A value that is shown to nobody.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Whether `offered` is the secret, in a time that says nothing about where they differ.
    pub fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for Secret {
    const EXPECTED: &'static str = "a secret of at least 16 characters";
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        (text.chars().count() >= 16).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        "***".to_owned()
    }
}

/// Some hosts of an engine, each with its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Each of them as `HOST:PORT`.
    pub fn list(&self) -> &[String] {
        &self.0
    }

    /// All of them, separated by commas.
    pub fn joined(&self) -> String {
        self.0.join(",")
    }
}

impl Setting for Hosts {
    const EXPECTED: &'static str = "hosts with their ports such as a.internal:9092,b.internal:9092";

    fn parse(text: &str) -> Option<Self> {
        let one = |host: &str| {
            let (name, port) = host.rsplit_once(':')?;
            let is_name =
                !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '/');
            let port: u16 = port.parse().ok()?;
            (is_name && port > 0).then(|| host.to_owned())
        };
        let hosts: Option<Vec<String>> = text.split(',').map(|host| one(host.trim())).collect();
        hosts.map(Self)
    }

    fn text(&self) -> String {
        self.joined()
    }
}

impl Setting for NodeRoles {
    const EXPECTED: &'static str = "api, gateway, worker, or several of them, separated by commas";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// A name within an engine: a lower-case letter, then up to 47 of those, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Name {
    const EXPECTED: &'static str =
        "a lower-case letter, then up to 47 of them, digits and underscores";

    fn parse(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        (begins && text.len() <= 48 && text.chars().all(is_plain)).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}
