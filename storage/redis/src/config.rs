//! Where the engine is, and who we are there.

use std::fmt;
use std::time::Duration;

use guildhall_ports::Failure;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates};

/// What failures call the engine.
pub(crate) const ENGINE: &str = "Redis";
/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 2_048;
/// How an address begins that is reached by TLS, and one that is not.
const SCHEMES: [&str; 2] = ["rediss://", "redis://"];

/// How long a decision waits for the engine, unless somebody says otherwise. In one room it answers
/// within a millisecond.
const DECISION: Duration = Duration::from_millis(50);

/// How a node reaches the engine, and how long it waits for it.
#[derive(Clone)]
pub struct Config {
    reached: ConnectionInfo,
    is_secured: bool,
    authorities: Option<String>,
    pub(crate) decision: Duration,
}

impl Config {
    /// Reads `redis://USER:PASSWORD@HOST:PORT/DATABASE`, of which only the host is needed, or the
    /// same with `rediss://` for TLS. In user and password anything may be percent-encoded. Refused as
    /// `Unavailable`, in words that repeat nothing of it.
    pub fn parse(address: &str) -> Result<Self, Failure> {
        let reached = read(address).ok_or_else(|| {
            let shape =
                "its address is not redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS";
            Failure::unavailable(ENGINE, shape)
        })?;
        Ok(Self {
            is_secured: matches!(reached.addr(), ConnectionAddr::TcpTls { .. }),
            reached,
            authorities: None,
            decision: DECISION,
        })
    }

    /// Believes an engine whose certificate one of these authorities has signed, instead of those that
    /// the system knows. Certificates in PEM; they mean nothing where TLS is not spoken.
    pub fn with_authorities(mut self, pem: String) -> Self {
        self.authorities = Some(pem);
        self
    }

    /// Lets a decision wait for so long, instead of 50 milliseconds: for engines that are far away,
    /// and for machines that are busy.
    pub fn with_patience(mut self, decision: Duration) -> Self {
        self.decision = decision;
        self
    }

    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let client = match &self.authorities {
            Some(pem) if self.is_secured => {
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(pem.clone().into_bytes()),
                };
                Client::build_with_tls(self.reached.clone(), certificates)
            }
            _ => Client::open(self.reached.clone()),
        };
        client.map_err(|_| {
            let why = "its address, or the certificates of its authorities, cannot be used";
            Failure::unavailable(ENGINE, why)
        })
    }
}

fn read(address: &str) -> Option<ConnectionInfo> {
    let is_plain = address.len() <= ADDRESS_BYTES_MAX
        && SCHEMES.iter().any(|it| address.starts_with(it))
        && !address.contains(['?', '#']);
    let reached = is_plain.then(|| address.into_connection_info().ok())??;
    // Servers of before 2023 do not know the question, and would write an error into their log.
    let settings = reached.redis_settings().clone().set_skip_set_lib_name();
    // Questions are small and wait for nothing, least of all for the acknowledgement of former ones.
    let tcp = reached.tcp_settings().clone().set_nodelay(true);
    (settings.db() >= 0).then(|| reached.set_redis_settings(settings).set_tcp_settings(tcp))
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("reached", &"***")
            .field("is_secured", &self.is_secured)
            .field("decision", &self.decision)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_the_engine_is_and_who_asks() {
        for address in [
            "redis://engine",
            "redis://engine:7000/3",
            "redis://:hush@[::1]:7000",
            "redis://someone:hu%40sh@10.0.0.1:7000/0",
            "rediss://:hush@engine:7000",
        ] {
            assert!(Config::parse(address).is_ok(), "{address}");
        }
        let config = Config::parse("redis://someone:hu%40sh@engine/3").unwrap();
        let settings = config.reached.redis_settings();
        assert_eq!(settings.username(), Some("someone"));
        assert_eq!(settings.password(), Some("hu@sh"));
        assert_eq!(settings.db(), 3);
        assert_eq!(config.reached.addr().to_string(), "engine:6379");
    }

    #[test]
    fn what_is_no_address_is_refused_and_never_repeated() {
        let long = format!("redis://sesame@{}", "e".repeat(3_000));
        for address in [
            "",
            "sesame",
            "redis://",
            "redis:///sesame",
            "redis:+s://:sesame@engine",
            "rediss://:sesame@engine#insecure",
            "valkeys://:sesame@engine",
            "http://:sesame@engine",
            "redis+unix:///sesame",
            "redis://:sesame@engine:port",
            "redis://:sesame@engine/base",
            "redis://:sesame@engine/-1",
            "redis://:sesame@engine?protocol=resp3",
            &long,
        ] {
            let refused = Config::parse(address).unwrap_err();
            assert!(matches!(refused, Failure::Unavailable { .. }), "{address}");
            assert!(!format!("{refused} {refused:?}").contains("sesame"));
        }
        let config = Config::parse("redis://:sesame@engine").unwrap();
        assert!(!format!("{config:?}").contains("sesame"));
    }
}
