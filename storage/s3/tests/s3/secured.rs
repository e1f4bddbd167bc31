//! The engine is reached by TLS, which something before it ends, and believed only where it should be.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use guildhall_ports::{Blobs, Failure};
use guildhall_s3::{Config, S3Blobs};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::engine::{Bucket, content, key, put, whole};

/// A file of the certificates that engines of tests have.
fn file(name: &str) -> String {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/engines/certificates"
    );
    let made = Command::new(script).output().unwrap();
    let folder = String::from_utf8(made.stdout).unwrap();
    std::fs::read_to_string(Path::new(folder.trim()).join(name)).unwrap()
}

/// The URL by a way on which there is TLS.
async fn secured(url: &str) -> String {
    let own = CertificateDer::from_pem_slice(file("own.pem").as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(file("own.key").as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let shown = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(shown));
    let (keys, rest) = url.split_once("://").unwrap().1.split_once('@').unwrap();
    let (engine, bucket) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let engine = engine.to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (acceptor, engine) = (acceptor.clone(), engine.clone());
            tokio::spawn(async move {
                let mut near = acceptor.accept(near).await?;
                let mut far = TcpStream::connect(engine).await?;
                copy_bidirectional(&mut near, &mut far).await
            });
        }
    });
    format!("https://{keys}@{address}/{bucket}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_is_reached_by_tls_where_its_authority_is_believed() {
    let bucket = Bucket::fresh().await;
    let config = Config::parse(&secured(bucket.url()).await).unwrap();
    let known = config.clone().with_authorities(file("authority.pem"));
    let blobs = S3Blobs::open(&known.unwrap()).await.unwrap();
    put(&blobs, key(1), &content(1, 9)).await.unwrap();
    assert_eq!(whole(&blobs, key(1)).await.unwrap(), Some(content(1, 9)));
    blobs.delete(key(1)).await.unwrap();
    let unknown = config.clone().with_authorities(file("stranger.pem"));
    for config in [unknown.unwrap(), config] {
        let refused = S3Blobs::open(&config).await.err().unwrap();
        assert!(matches!(refused, Failure::Unavailable { .. }), "{refused}");
        assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    }
}

#[test]
fn certificates_that_are_none_are_refused() {
    let config = Config::parse("https://key:secret@engine/bucket").unwrap();
    for pem in ["", "none", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        assert!(config.clone().with_authorities(pem.to_owned()).is_err());
    }
}
