//! How we know the brokers, and how they know us: TLS and passwords.

use std::fmt;

use rdkafka::ClientConfig;

/// How we know the brokers, and how they know us. By default neither is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// Whether they are reached by TLS.
    pub tls: Option<Tls>,
    /// Who we are, where they ask for a password.
    pub login: Option<Login>,
}

/// Whom we believe, and what we show. A broker shows a certificate for the name, or the IP address, by
/// which it is reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificates of authorities in PEM; without them those that the system knows.
    pub authorities: Option<String>,
    /// Our own certificate, with those between it and its authority, and its key, both in PEM.
    pub own: Option<(String, String)>,
}

/// Somebody whom the brokers know.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// How the password is proved.
    pub mechanism: Mechanism,
    /// The name.
    pub user: String,
    /// The password; never shown.
    pub password: String,
}

/// How a password is proved to brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// It is told.
    Plain,
    /// By a challenge, with SHA-256.
    ScramSha256,
    /// By a challenge, with SHA-512.
    ScramSha512,
}

impl Mechanism {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Security {
    /// As the library takes it.
    pub(crate) fn apply(&self, client: &mut ClientConfig) {
        client.set(
            "security.protocol",
            match (&self.tls, &self.login) {
                (None, None) => "plaintext",
                (Some(_), None) => "ssl",
                (None, Some(_)) => "sasl_plaintext",
                (Some(_), Some(_)) => "sasl_ssl",
            },
        );
        if let Some(tls) = &self.tls {
            if let Some(authorities) = &tls.authorities {
                client.set("ssl.ca.pem", authorities);
            }
            if let Some((certificate, key)) = &tls.own {
                client
                    .set("ssl.certificate.pem", certificate)
                    .set("ssl.key.pem", key);
            }
        }
        if let Some(login) = &self.login {
            client
                .set("sasl.mechanism", login.mechanism.name())
                .set("sasl.username", &login.user)
                .set("sasl.password", &login.password);
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities.is_some())
            .field("own", &self.own.is_some())
            .finish()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, {}, ***)", self.mechanism.name(), self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClusterConfig;

    #[test]
    fn a_password_and_a_key_are_shown_to_nobody() {
        let security = Security {
            tls: Some(Tls {
                authorities: None,
                own: Some(("certificate".to_owned(), "sesame".to_owned())),
            }),
            login: Some(Login {
                mechanism: Mechanism::ScramSha512,
                user: "guildhall".to_owned(),
                password: "sesame".to_owned(),
            }),
        };
        let mut config = ClusterConfig::new("broker:9092");
        config.security = security;
        let shown = format!("{config:?}");
        assert!(
            shown.contains("Login(SCRAM-SHA-512, guildhall, ***)"),
            "{shown}"
        );
        assert!(!shown.contains("sesame"), "{shown}");
    }
}
