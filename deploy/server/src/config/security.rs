//! How engines and nodes are told apart from others: what may be said of it, and what must go together.

use super::addresses::{PostgresUrl, RedisUrl, S3Address};
use super::setting::Setting;
use super::values::choice;
use super::{ClusterConfig, Mistake};

choice! {
    /// Whether the CQL engine is reached by TLS, and whom we take for it.
    CqlTls, "off, on or authority" {
        /// It is reached without TLS.
        Off = "off",
        /// Whoever has a certificate for the address.
        On = "on",
        /// Whoever has a certificate of the authority.
        Authority = "authority",
    }
}

choice! {
    /// How Kafka is reached, where there is TLS or a password.
    KafkaSecurity, "SSL, SASL_PLAINTEXT or SASL_SSL" {
        /// By TLS.
        Ssl = "SSL",
        /// With a password.
        SaslPlaintext = "SASL_PLAINTEXT",
        /// By TLS, with a password.
        SaslSsl = "SASL_SSL",
    }
}

impl KafkaSecurity {
    /// Whether there is TLS.
    pub const fn has_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether there is a password.
    pub const fn has_password(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

choice! {
    /// How a password is proved to Kafka.
    KafkaMechanism, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512" {
        /// It is told.
        Plain = "PLAIN",
        /// By a challenge, with SHA-256.
        ScramSha256 = "SCRAM-SHA-256",
        /// By a challenge, with SHA-512.
        ScramSha512 = "SCRAM-SHA-512",
    }
}

/// A name by which an engine knows us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for UserName {
    const EXPECTED: &'static str = "a name without control characters";

    fn parse(text: &str) -> Option<Self> {
        let is_good = !text.is_empty() && !text.contains(char::is_control);
        is_good.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl ClusterConfig {
    /// What is said in part says nothing, and what nobody looks at protects nobody.
    pub(super) fn check_security(&self, mistakes: &mut Vec<Mistake>) {
        let link = [
            ("cluster.link_certificate", self.link_certificate.is_some()),
            ("cluster.link_key", self.link_key.is_some()),
            ("cluster.link_authority", self.link_authority.is_some()),
        ];
        let cql = [
            ("cluster.cql_user", self.cql_user.is_some()),
            ("cluster.cql_password", self.cql_password.is_some()),
        ];
        together(&link, mistakes);
        together(&cql, mistakes);
        self.check_kafka(mistakes);
        if self.cql_tls == CqlTls::Authority && self.engine_authority.is_none() {
            let what = "is needed where cluster.cql_tls is authority";
            mistakes.push(mistake("cluster.engine_authority", what));
        }
        if self.engine_authority.is_some() && !self.reaches_by_tls() {
            let what = "is of no use: no engine is reached by TLS. PostgreSQL is with \
                        ?sslmode=verify-full, Kafka with cluster.kafka_security, CQL with cluster.cql_tls, \
                        S3 with https://, Redis with rediss://";
            mistakes.push(mistake("cluster.engine_authority", what));
        }
    }

    fn check_kafka(&self, mistakes: &mut Vec<Mistake>) {
        let login = [
            ("cluster.kafka_user", self.kafka_user.is_some()),
            ("cluster.kafka_password", self.kafka_password.is_some()),
        ];
        let own = [
            (
                "cluster.kafka_certificate",
                self.kafka_certificate.is_some(),
            ),
            ("cluster.kafka_key", self.kafka_key.is_some()),
        ];
        together(&login, mistakes);
        together(&own, mistakes);
        let security = self.kafka_security;
        let has_tls = security.is_some_and(KafkaSecurity::has_tls);
        let has_password = security.is_some_and(KafkaSecurity::has_password);
        if self.kafka_user.is_some() != has_password {
            let what = if has_password {
                "is needed where cluster.kafka_security begins with SASL"
            } else {
                "is of no use where cluster.kafka_security does not begin with SASL"
            };
            mistakes.push(mistake("cluster.kafka_user", what));
        }
        if self.kafka_certificate.is_some() && !has_tls {
            let what = "is of no use where cluster.kafka_security is neither SSL nor SASL_SSL";
            mistakes.push(mistake("cluster.kafka_certificate", what));
        }
    }

    /// Whether there is an engine whose certificate is looked at.
    fn reaches_by_tls(&self) -> bool {
        let redis = self.redis.as_ref();
        let postgres = self.postgres.as_ref();
        let s3 = self.s3.as_ref();
        self.cql_tls != CqlTls::Off
            || self.kafka_security.is_some_and(KafkaSecurity::has_tls)
            || redis.is_some_and(RedisUrl::is_secured)
            || s3.is_some_and(S3Address::is_secured)
            || postgres.is_some_and(PostgresUrl::is_verified)
    }
}

/// All of these settings or none.
fn together(settings: &[(&str, bool)], mistakes: &mut Vec<Mistake>) {
    let Some((first, _)) = settings.iter().find(|(_, is_set)| *is_set) else {
        return;
    };
    for (path, _) in settings.iter().filter(|(_, is_set)| !is_set) {
        mistakes.push(mistake(
            path,
            &format!("is needed too where {first} is set"),
        ));
    }
}

fn mistake(path: &str, what: &str) -> Mistake {
    Mistake {
        origin: None,
        path: path.to_owned(),
        what: what.to_owned(),
    }
}

// Without drivers a binary takes no cluster.
#[cfg(all(test, feature = "cluster"))]
mod tests;
