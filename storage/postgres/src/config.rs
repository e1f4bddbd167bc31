//! Where the engine is, and how many connections a node has to it.

use std::fmt;
use std::str::FromStr;

use guildhall_ports::Failure;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::error::ENGINE;

/// Connections of a node that are open at most, unless the configuration says otherwise. More than
/// a few per core of the engine make it slower, not faster.
const CONNECTIONS: u32 = 16;
/// Connections beside those, for signs of life only: a node that is busy must not be taken for
/// dead. Two, so that one which is lost on the way is not waited for.
pub(crate) const SIGN_CONNECTIONS: u32 = 2;
/// The most that can be asked for; engines are made for a few hundred of all nodes together.
const CONNECTIONS_MAX: u32 = 500;
/// What an address has that names an authority itself.
const OTHER_AUTHORITY: &str = "sslrootcert=";
/// Statements that a connection keeps prepared; there are fewer than this in the whole crate.
const STATEMENTS: usize = 256;

/// How a node reaches the engine.
#[derive(Clone)]
pub struct Config {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `?sslmode=verify-full` where the network
    /// is not to be trusted. It must lead to the primary. It holds a password, so it is never shown.
    pub url: String,
    /// The certificates of the authorities by which the engine is believed, in PEM, beside those that the
    /// system knows. An address with `sslrootcert` names others.
    pub authorities: Option<String>,
    /// Connections of this node that are open at most, 1 to 500, beside two for its signs of life
    /// if it gives any.
    pub connections: u32,
}

impl Config {
    /// The usual number of connections to the engine at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            authorities: None,
            connections: CONNECTIONS,
        }
    }

    /// How to make a connection. Statements are not logged: they may hold what people wrote.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, Failure> {
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            let why = format!("1 to {CONNECTIONS_MAX} connections can be had");
            return Err(Failure::unavailable(ENGINE, why));
        }
        // The parser's own words may repeat a part of the address.
        let options = PgConnectOptions::from_str(&self.url).map_err(|_| {
            let shape = "its address is not postgres://USER:PASSWORD@HOST:PORT/DATABASE";
            Failure::unavailable(ENGINE, shape)
        })?;
        let options = match &self.authorities {
            Some(pem) if !self.url.contains(OTHER_AUTHORITY) => {
                options.ssl_root_cert_from_pem(pem.clone().into_bytes())
            }
            _ => options,
        };
        Ok(options
            .application_name("guildhall")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("url", &"***")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_never_shown_whatever_is_wrong_with_it() {
        for url in [
            "postgres://guildhall:sesame@engine:port/database",
            "postgres://guildhall:sesame@engine/database?sslmode=sesame",
            "mysql://guildhall:sesame@engine/database",
            "sesame",
        ] {
            let config = Config::new(url);
            assert!(!format!("{config:?}").contains("sesame"));
            let refused = config.options().map(|_| ());
            let why = refused.err().map(|failure| failure.to_string());
            assert!(!why.unwrap_or_default().contains("sesame"));
        }
    }

    #[test]
    fn a_number_of_connections_that_no_engine_has_is_refused() {
        for (connections, is_good) in [(0, false), (1, true), (500, true), (501, false)] {
            let config = Config {
                connections,
                ..Config::new("postgres://guildhall@engine/guildhall")
            };
            assert_eq!(config.options().is_ok(), is_good);
        }
    }
}
