//! What is wrong with files is said before anything starts, and nothing of a key with it.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::config::Config;

/// A folder with an authority, what it has signed for node1, and another key.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["node1".to_owned()]).unwrap();
        let own = own.signed_by(&key, &authority).unwrap();
        folder.write("authority", authority.pem());
        folder.write("own", own.pem());
        folder.write("key", key.serialize_pem());
        folder.write("other-key", KeyPair::generate().unwrap().serialize_pem());
        // What is encoded there is the word sesame.
        for (name, kind) in [("no-key", "PRIVATE KEY"), ("no-certificate", "CERTIFICATE")] {
            let pem = format!("-----BEGIN {kind}-----\nc2VzYW1l\n-----END {kind}-----\n");
            folder.write(name, pem);
        }
        folder.write("der", own.der());
        folder.write("cut", "-----BEGIN CERTIFICATE-----\nAAAA\n");
        folder.write("empty", "");
        folder.write("long", vec![b'\n'; 2_000_000]);
        folder
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What is said of files by these names, for the link or for Kafka.
    fn link(&self, own: &str, key: &str, authority: &str) -> Vec<String> {
        said(|cluster| {
            cluster.link_certificate = Some(self.path(own));
            cluster.link_key = Some(self.path(key));
            cluster.link_authority = Some(self.path(authority));
        })
    }

    fn kafka(&self, own: &str, key: &str) -> Vec<String> {
        said(|cluster| {
            cluster.kafka_certificate = Some(self.path(own));
            cluster.kafka_key = Some(self.path(key));
        })
    }

    fn engines(&self, authority: &str) -> Vec<String> {
        said(|cluster| cluster.engine_authority = Some(self.path(authority)))
    }
}

fn said(set: impl FnOnce(&mut ClusterConfig)) -> Vec<String> {
    let mut cluster = Config::default().cluster;
    set(&mut cluster);
    match Certificates::read(&cluster) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_fits_is_read() {
    let folder = Folder::new();
    assert!(folder.link("own", "key", "authority").is_empty());
    assert!(folder.kafka("own", "key").is_empty());
    assert!(folder.engines("authority").is_empty());
    assert!(said(|_| {}).is_empty());
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_named_with_its_setting() {
    let folder = Folder::new();
    for (name, why) in [
        ("missing", "cannot be read: No such file"),
        ("der", "is not in PEM"),
        ("cut", "holds no certificates in PEM"),
        ("empty", "holds no certificates in PEM"),
        ("key", "holds no certificates in PEM"),
        ("long", "is longer than 1048576 bytes"),
        ("no-certificate", "cannot be used"),
    ] {
        for (setting, said) in [
            ("cluster.engine_authority", folder.engines(name)),
            ("cluster.link_authority", folder.link("own", "key", name)),
            (
                "cluster.link_certificate",
                folder.link(name, "key", "authority"),
            ),
            ("cluster.kafka_certificate", folder.kafka(name, "key")),
        ] {
            let [said] = &said[..] else {
                panic!("{name}: {said:?}")
            };
            assert!(said.starts_with(setting) && said.contains(why), "{said}");
        }
    }
}

#[test]
fn a_key_that_does_not_fit_is_refused_and_never_repeated() {
    let folder = Folder::new();
    for (name, why) in [
        ("missing", "cannot be read: No such file"),
        ("own", "holds no key in PEM"),
        ("empty", "holds no key in PEM"),
        ("no-key", "is of a kind that cannot be used"),
        ("other-key", "is not the key of cluster."),
    ] {
        for (setting, said) in [
            ("cluster.link_key", folder.link("own", name, "authority")),
            ("cluster.kafka_key", folder.kafka("own", name)),
        ] {
            let [said] = &said[..] else {
                panic!("{name}: {said:?}")
            };
            assert!(said.starts_with(setting) && said.contains(why), "{said}");
            assert!(
                !said.contains("sesame") && !said.contains("c2VzYW1l"),
                "{said}"
            );
        }
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let folder = Folder::new();
    assert_eq!(folder.link("cut", "empty", "missing").len(), 3);
}
