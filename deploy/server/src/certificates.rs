//! The certificates and keys that the configuration names: read and tried before anything starts.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use guildhall_cluster::link::Tls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, RootCertStore};

use crate::config::{ClusterConfig, Mistake, Mistakes};

/// Bytes of a file at most: all authorities that a system knows take a quarter of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What is in the files.
#[cfg_attr(
    not(feature = "cluster"),
    expect(dead_code, reason = "without drivers nobody asks what is for engines")
)]
pub(crate) struct Certificates {
    /// The authorities by which engines are believed, in PEM; without them those that the system knows.
    pub(crate) engines: Option<String>,
    /// What Kafka is shown: a certificate and its key, in PEM.
    pub(crate) kafka: Option<(String, String)>,
    /// What this node shows to others on the link, and whom it believes there.
    pub(crate) link: Option<Tls>,
}

impl Certificates {
    /// Reads all that a node of a cluster is told of, or says everything that is wrong with them.
    pub(crate) fn read(cluster: &ClusterConfig) -> Result<Self, Mistakes> {
        let mut files = Files::default();
        let engines = cluster.engine_authority.as_deref();
        let certificates = Self {
            engines: engines.and_then(|path| {
                let (pem, _) = files.authorities("cluster.engine_authority", path)?;
                Some(pem)
            }),
            kafka: files.kafka(cluster),
            link: files.link(cluster),
        };
        files.finish(certificates)
    }
}

/// What is wrong with the files that were read so far.
#[derive(Default)]
struct Files(Vec<Mistake>);

impl Files {
    fn finish<T>(self, read: T) -> Result<T, Mistakes> {
        if self.0.is_empty() {
            Ok(read)
        } else {
            Err(Mistakes(self.0))
        }
    }

    fn refuse<T>(&mut self, setting: &str, what: impl Into<String>) -> Option<T> {
        self.0.push(Mistake {
            origin: None,
            path: setting.to_owned(),
            what: what.into(),
        });
        None
    }

    fn text(&mut self, setting: &str, path: &Path) -> Option<String> {
        let mut bytes = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
        let path = path.display();
        match read {
            Err(error) => return self.refuse(setting, format!("{path} cannot be read: {error}")),
            Ok(length) if length as u64 > FILE_BYTES_MAX => {
                let what = format!("{path} is longer than {FILE_BYTES_MAX} bytes");
                return self.refuse(setting, what);
            }
            Ok(_) => {}
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(_) => self.refuse(setting, format!("{path} is not in PEM")),
        }
    }

    /// The certificates in a file, of which there is at least one.
    fn certificates(
        &mut self,
        setting: &str,
        path: &Path,
    ) -> Option<(String, Vec<CertificateDer<'static>>)> {
        let pem = self.text(setting, path)?;
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        match read {
            Ok(certificates) if !certificates.is_empty() => Some((pem, certificates)),
            _ => self.refuse(
                setting,
                format!("{} holds no certificates in PEM", path.display()),
            ),
        }
    }

    /// Certificates that others are believed by.
    fn authorities(
        &mut self,
        setting: &str,
        path: &Path,
    ) -> Option<(String, Vec<CertificateDer<'static>>)> {
        let (pem, certificates) = self.certificates(setting, path)?;
        let mut believed = RootCertStore::empty();
        for (n, certificate) in (1..).zip(&certificates) {
            if let Err(error) = believed.add(certificate.clone()) {
                let path = path.display();
                let what = format!("certificate {n} in {path} cannot be used: {error}");
                return self.refuse(setting, what);
            }
        }
        Some((pem, certificates))
    }

    /// The key in a file. Whatever is wrong with it, nothing of it is repeated.
    fn key(&mut self, setting: &str, path: &Path) -> Option<(String, PrivateKeyDer<'static>)> {
        let pem = self.text(setting, path)?;
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(key) => Some((pem, key)),
            Err(_) => self.refuse(setting, format!("{} holds no key in PEM", path.display())),
        }
    }

    fn kafka(&mut self, cluster: &ClusterConfig) -> Option<(String, String)> {
        const OWN: &str = "cluster.kafka_certificate";
        const KEY: &str = "cluster.kafka_key";
        let own = cluster.kafka_certificate.as_deref();
        let own = own.and_then(|path| self.certificates(OWN, path));
        let key = cluster.kafka_key.as_deref();
        let key = key.and_then(|path| self.key(KEY, path));
        let ((own_pem, own), (key_pem, key)) = (own?, key?);
        let provider = rustls::crypto::ring::default_provider();
        if let Err(error) = CertifiedKey::from_der(own, key, &provider) {
            return self.refuse_pair(OWN, KEY, &error);
        }
        Some((own_pem, key_pem))
    }

    fn link(&mut self, cluster: &ClusterConfig) -> Option<Tls> {
        const OWN: &str = "cluster.link_certificate";
        const KEY: &str = "cluster.link_key";
        let own = cluster.link_certificate.as_deref();
        let own = own.and_then(|path| self.certificates(OWN, path));
        let key = cluster.link_key.as_deref();
        let key = key.and_then(|path| self.key(KEY, path));
        let believed = cluster.link_authority.as_deref();
        let believed = believed.and_then(|path| self.authorities("cluster.link_authority", path));
        let ((_, own), (_, key), (_, believed)) = (own?, key?, believed?);
        match Tls::new(believed, own, key) {
            Ok(tls) => Some(tls),
            Err(error) => self.refuse_pair(OWN, KEY, &error),
        }
    }

    fn refuse_pair<T>(&mut self, own: &str, key: &str, error: &Error) -> Option<T> {
        match error {
            Error::InconsistentKeys(_) => self.refuse(key, format!("is not the key of {own}")),
            Error::General(_) => self.refuse(key, "is of a kind that cannot be used"),
            error => self.refuse(own, format!("cannot be used: {error}")),
        }
    }
}

#[cfg(test)]
mod tests;
