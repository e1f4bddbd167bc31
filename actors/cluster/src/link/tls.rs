//! TLS below the link: it keeps what nodes say to each other from everybody on the way.
//!
//! Each side shows a certificate of an authority that the other believes, and who is called shows one
//! for the address by which it is called. Who may speak at all the hello decides, as it does without TLS.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};
use tokio_util::either::Either;

use super::answers::Duplex;
use super::error::HelloError;

/// What a node shows to others, and whom it believes. Clones are the same.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

/// A connection, with TLS or without.
pub(super) type Wire<S> = Either<S, Box<TlsStream<S>>>;

impl Tls {
    /// From the certificates of authorities that other nodes are believed by, and this node's own
    /// with those between it and such an authority, and its key. The own one must be for both sides,
    /// and for the host in the address that others have of this node.
    pub fn new(
        authorities: Vec<CertificateDer<'static>>,
        own: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let mut believed = RootCertStore::empty();
        for authority in authorities {
            believed.add(authority)?;
        }
        let believed = Arc::new(believed);
        let callers = WebPkiClientVerifier::builder_with_provider(
            Arc::clone(&believed),
            Arc::clone(&provider),
        )
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
        // Nobody but nodes of this program speaks here, so there is no reason for an older version.
        let accepting = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(callers)
            .with_single_cert(own.clone(), key.clone_key())?;
        let connecting = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(believed)
            .with_client_auth_cert(own, key)?;
        Ok(Self {
            connector: Arc::new(connecting).into(),
            acceptor: Arc::new(accepting).into(),
        })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(***)")
    }
}

/// What is said to the node at `host:port` is from here on said by TLS, if this node has it.
pub(super) async fn call<S: Duplex>(
    tls: Option<&Tls>,
    io: S,
    address: &str,
) -> Result<Wire<S>, HelloError> {
    let Some(tls) = tls else {
        return Ok(Either::Left(io));
    };
    let name = name(address).ok_or(HelloError::Nameless)?;
    let secured = tls.connector.connect(name, io).await?;
    Ok(Either::Right(Box::new(secured.into())))
}

/// What is heard from whoever has connected is from here on heard by TLS, if this node has it.
pub(super) async fn answer<S: Duplex>(tls: Option<&Tls>, io: S) -> Result<Wire<S>, HelloError> {
    let Some(tls) = tls else {
        return Ok(Either::Left(io));
    };
    let secured = tls.acceptor.accept(io).await?;
    Ok(Either::Right(Box::new(secured.into())))
}

/// The host of an address, as a certificate names it.
fn name(address: &str) -> Option<ServerName<'static>> {
    let (host, _) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host).to_owned()).ok()
}

/// Whether bytes begin a record of TLS that a handshake begins or ends with. As a length of ours they
/// are beyond every bound.
pub(super) fn is_record(begin: [u8; 4]) -> bool {
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    matches!(begin, [ALERT | HANDSHAKE, 3, _, _])
}

#[cfg(test)]
mod tests;
