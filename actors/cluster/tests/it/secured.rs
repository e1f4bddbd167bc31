//! Nodes that speak TLS.

use std::sync::Arc;

use bytes::Bytes;
use guildhall_cluster::link::{Lane, Tls};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::desk::{Node, soon};

/// What all nodes of a cluster are given by its authority, for their address in tests.
fn tls() -> Tls {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let own = own.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Tls::new(vec![authority.der().clone()], vec![own.der().clone()], key).unwrap()
}

async fn pair() -> (Node, Node) {
    let tls = tls();
    (
        Node::start_secured(1, tls.clone()).await,
        Node::start_secured(2, tls).await,
    )
}

#[tokio::test]
async fn what_nodes_say_by_tls_nobody_on_the_way_reads() {
    const SAID: &str = "a sentence that nobody else may read";
    let (one, two) = pair().await;
    let wire = Tapped::to(&two).await;
    one.links.set_peers(vec![two.peer_at(wire.address)]);
    one.is_up(&two).await;
    for lane in [Lane::Control, Lane::Bulk] {
        assert_eq!(one.call_on(lane, &two, SAID).await.unwrap(), SAID);
    }
    one.links
        .tell(two.id, Lane::Bulk, Bytes::from(SAID))
        .unwrap();
    two.has_seen(|seen| !seen.told.is_empty()).await;
    let stream = one.links.open_stream(two.id, Bytes::from("echo")).await;
    let mut stream = stream.unwrap();
    stream.write_all(SAID.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut echo = vec![0; SAID.len()];
    soon(stream.read_exact(&mut echo)).await.unwrap();
    assert_eq!(echo, SAID.as_bytes());
    let heard = wire.heard.lock();
    assert!(heard.len() > 8 * SAID.len(), "all of that went over it");
    let said = |word: &[u8]| heard.windows(word.len()).any(|it| it == word);
    assert!(!said(b"sentence") && !said(b"GHNL"));
}

#[tokio::test]
async fn much_is_said_by_tls_and_a_stream_ends_in_good_order() {
    let (one, two) = pair().await;
    one.links.set_peers(vec![two.peer()]);
    one.is_up(&two).await;
    let long = "l".repeat(4_000_000);
    assert!(one.call_on(Lane::Bulk, &two, &long).await.unwrap() == long);
    let stream = one.links.open_stream(two.id, Bytes::from("hold")).await;
    let mut stream = stream.unwrap();
    two.desk.gate.add_permits(1);
    soon(stream.write_all(long.as_bytes())).await.unwrap();
    soon(stream.shutdown()).await.unwrap();
    let seen = two.has_seen(|seen| !seen.streams.is_empty()).await;
    assert!(seen.streams[0].2 == long.as_bytes());
}

/// The way to a node, on which somebody listens.
struct Tapped {
    address: std::net::SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tapped {
    async fn to(node: &Node) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, target) = (socket.local_addr().unwrap(), node.address);
        let heard = Arc::default();
        let all = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((near, _)) = socket.accept().await {
                let far = TcpStream::connect(target).await.unwrap();
                let (near_reader, near_writer) = near.into_split();
                let (far_reader, far_writer) = far.into_split();
                tokio::spawn(pass(near_reader, far_writer, Arc::clone(&all)));
                tokio::spawn(pass(far_reader, near_writer, Arc::clone(&all)));
            }
        });
        Self { address, heard }
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    heard: Arc<Mutex<Vec<u8>>>,
) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        heard.lock().extend_from_slice(&bytes[..length]);
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
