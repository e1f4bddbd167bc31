//! The server that is addressed: where REST calls and sockets go.

use std::fmt;

use hyper::Uri;

/// An origin: host and port of a server that speaks plain HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {address:?} as a server's address: {reason}")]
pub struct TargetError {
    address: String,
    reason: &'static str,
}

impl Target {
    /// Parses `http://HOST:PORT` or `ws://HOST:PORT`; path and query are ignored.
    ///
    /// # Errors
    /// It is no address, or asks for TLS, which this tool does not speak.
    pub fn parse(address: &str) -> Result<Self, TargetError> {
        let error = |reason| TargetError {
            address: address.to_owned(),
            reason,
        };
        let uri: Uri = address
            .trim()
            .parse()
            .map_err(|_| error("it is no address"))?;
        match uri.scheme_str() {
            Some("http" | "ws") => {}
            Some("https" | "wss") => return Err(error("only plain HTTP is spoken here")),
            _ => return Err(error("it must begin with http:// or ws://")),
        }
        let host = uri.host().filter(|host| !host.is_empty());
        Ok(Self {
            host: host.ok_or_else(|| error("it names no host"))?.to_owned(),
            port: uri.port_u16().unwrap_or(80),
        })
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Another address that the server names is only followed to the same host: a load test must
    /// not be sent to strangers.
    pub fn is_same_host(&self, other: &Self) -> bool {
        self.host == other.host
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_name_the_same_server() {
        let target = Target::parse("http://127.0.0.1:8080").unwrap();
        assert_eq!(
            Target::parse("ws://127.0.0.1:8080/gateway?v=10").unwrap(),
            target
        );
        assert_eq!(target.to_string(), "http://127.0.0.1:8080");
        assert_eq!(
            Target::parse("http://[::1]:9").unwrap().authority(),
            "[::1]:9"
        );
        assert_eq!(Target::parse("http://localhost").unwrap().port(), 80);
    }

    #[test]
    fn what_is_no_plain_address_is_refused_with_a_reason() {
        for (address, reason) in [
            ("https://example.org", "plain HTTP"),
            ("127.0.0.1:8080", "http://"),
            ("ftp://x", "http://"),
            ("", "no address"),
            ("http://", "no address"),
            ("http://:80", "no"),
        ] {
            let error = Target::parse(address).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
