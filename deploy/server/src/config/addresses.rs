//! The addresses of engines, which hold secrets, and passwords that stand by themselves.

use std::fmt;

use super::setting::Setting;

/// Where PostgreSQL is and who we are there. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// The address with its password.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether the engine must show a certificate that is believed.
    pub fn is_verified(&self) -> bool {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        let mut settings = query.split('&');
        settings.any(|it| it.starts_with("sslmode=verify-") || it.starts_with("ssl-mode=verify-"))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for PostgresUrl {
    const EXPECTED: &'static str = "an address such as postgres://USER:PASSWORD@HOST:PORT/DATABASE";
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))?;
        let has_host = rest
            .split(['/', '?'])
            .next()
            .is_some_and(|it| !it.is_empty());
        has_host.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        "***".to_owned()
    }
}

/// Where a bucket of an S3 engine is and who we are there. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Address(String);

impl S3Address {
    /// The address with its keys.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is reached by TLS.
    pub fn is_secured(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Debug for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for S3Address {
    const EXPECTED: &'static str =
        "an address such as https://KEY:SECRET@HOST:PORT/BUCKET?region=REGION";
    const IS_SECRET: bool = true;

    /// That all parts are there. What each of them may be the adapter knows.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (keys, rest) = rest.split_once('@')?;
        let (key, secret) = keys.split_once(':')?;
        let (host, rest) = rest.split_once('/')?;
        let bucket = rest.split('?').next()?;
        let is_whole = [key, secret, host, bucket]
            .iter()
            .all(|part| !part.is_empty());
        (is_whole && matches!(scheme, "http" | "https")).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        "***".to_owned()
    }
}

/// Where Redis is and who we are there. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The address with its password.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is reached by TLS.
    pub fn is_secured(&self) -> bool {
        self.0.starts_with(SECURED_REDIS)
    }
}

/// How the address of a Redis begins that is reached by TLS.
const SECURED_REDIS: &str = "rediss://";

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for RedisUrl {
    const EXPECTED: &'static str =
        "an address such as redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// for TLS";
    const IS_SECRET: bool = true;

    /// That it has a host, and numbers where they must be. What else each part may be the adapter knows.
    fn parse(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix(SECURED_REDIS)
            .or_else(|| text.strip_prefix("redis://"))?;
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (host, "6379"),
        };
        let is_good = !host.is_empty()
            && !text.contains(['?', '#'])
            && port.parse::<u16>().is_ok_and(|port| port > 0)
            && (database.is_empty() || database.parse::<u16>().is_ok());
        is_good.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        "***".to_owned()
    }
}

/// What proves to an engine who we are. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Setting for Password {
    const EXPECTED: &'static str = "a password without control characters";
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        let is_good = !text.is_empty() && !text.contains(char::is_control);
        is_good.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        "***".to_owned()
    }
}
