//! Who does not speak as this node does is sent away in time, and both sides know why.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_model::NodeId;
use guildhall_ports::Env;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::{AlertDescription, CertificateError, InconsistentKeys};

use super::super::answers::{Answers, ByteStream};
use super::super::bounds::HELLO_WITHIN;
use super::super::caller::connect;
use super::super::hello::Use;
use super::super::listener::Listener;
use super::super::roster::Roster;
use super::super::{Identity, Own, Secret};
use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A node that believes one authority, and has its certificate from another one, for this host.
fn node(believes: &Authority, from: &Authority, host: &str) -> Tls {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new([host.to_owned()]).unwrap();
    let own = own.signed_by(&key, from).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    Tls::new(vec![believes.der().clone()], vec![own.der().clone()], key).unwrap()
}

struct Mute;

#[async_trait]
impl Answers for Mute {
    async fn answer(&self, _: NodeId, _: Bytes) -> Bytes {
        Bytes::new()
    }

    fn heard(&self, _: NodeId, _: Bytes) {}

    async fn stream(&self, _: NodeId, _: Bytes, _: ByteStream) {}
}

fn own(node: u16, tls: Option<Tls>) -> Arc<Own> {
    let identity = Identity {
        node: NodeId(node),
        incarnation: 1,
        secret: Secret::new(&[7; 32]).unwrap(),
        tls,
    };
    Arc::new(Own {
        identity,
        roster: Roster::default(),
        env: Env::system(),
    })
}

/// What node 1 and node 2, which it calls for a stream, make of each other.
async fn meet(caller: Option<Tls>, listener: Option<Tls>) -> [Result<(), HelloError>; 2] {
    let (one, two) = (own(1, caller), own(2, listener));
    let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let answers = async {
        let (io, _) = socket.accept().await.unwrap();
        let io = answer(two.identity.tls.as_ref(), io);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let listener = Listener::new(Arc::clone(&two), Arc::new(Mute));
        listener.attend(io, place).await
    };
    let calls = async {
        let (mut io, _) = connect(&one, NodeId(2), &address, Use::Stream).await?;
        // An empty preface.
        io.write_u32(0).await?;
        Ok(io.shutdown().await?)
    };
    let (called, answered) = timeout(HELLO_WITHIN, async { tokio::join!(calls, answers) })
        .await
        .expect("nobody waits for the other");
    [called, answered]
}

#[tokio::test]
async fn nodes_that_believe_each_other_meet() {
    let all = authority("all");
    let tls = node(&all, &all, "127.0.0.1");
    for outcome in meet(Some(tls.clone()), Some(tls)).await {
        outcome.unwrap();
    }
    for outcome in meet(None, None).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn who_speaks_without_tls_and_who_speaks_it_know_what_is_wrong() {
    let all = authority("all");
    let tls = node(&all, &all, "127.0.0.1");
    let [called, answered] = meet(None, Some(tls.clone())).await;
    assert!(matches!(called, Err(HelloError::Secured)), "{called:?}");
    assert!(matches!(answered, Err(HelloError::Plain)), "{answered:?}");
    let [called, answered] = meet(Some(tls), None).await;
    assert!(matches!(called, Err(HelloError::Plain)), "{called:?}");
    assert!(matches!(answered, Err(HelloError::Secured)), "{answered:?}");
}

#[tokio::test]
async fn a_node_of_another_authority_is_neither_called_nor_answered() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let known = || Some(node(&ours, &ours, "127.0.0.1"));
    let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    let sent_away = Error::AlertReceived(AlertDescription::UnknownCA);
    let is = |outcome: &Result<(), HelloError>, why: &Error| matches!(outcome, Err(HelloError::Tls(said)) if said == why);

    let [called, answered] = meet(known(), Some(node(&ours, &theirs, "127.0.0.1"))).await;
    assert!(is(&called, &unknown), "{called:?}");
    assert!(is(&answered, &sent_away), "{answered:?}");
    let [called, answered] = meet(Some(node(&ours, &theirs, "127.0.0.1")), known()).await;
    assert!(called.is_err());
    assert!(is(&answered, &unknown), "{answered:?}");
}

#[tokio::test]
async fn a_node_at_the_address_of_another_is_not_called() {
    let all = authority("all");
    let (one, other) = (node(&all, &all, "127.0.0.1"), node(&all, &all, "10.0.0.2"));
    let [called, answered] = meet(Some(one.clone()), Some(other.clone())).await;
    let called = called.unwrap_err().to_string();
    assert!(
        called.contains("not valid for name \"127.0.0.1\""),
        "{called}"
    );
    assert!(answered.is_err());
    // It may call from wherever it is.
    let [called, answered] = meet(Some(other), Some(one)).await;
    called.unwrap();
    answered.unwrap();
}

#[test]
fn a_key_that_does_not_fit_is_refused() {
    let all = authority("all");
    let of = |key: &KeyPair| PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let (key, another) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let own = own.signed_by(&key, &all).unwrap();
    let tls = |key| Tls::new(vec![all.der().clone()], vec![own.der().clone()], key);
    assert_eq!(format!("{:?}", tls(of(&key)).unwrap()), "Tls(***)");
    let refused = tls(of(&another)).unwrap_err();
    assert_eq!(
        refused,
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch)
    );
}

#[test]
fn a_certificate_is_for_the_host_of_an_address() {
    for (address, expected) in [
        ("node1.internal:7946", Some("node1.internal")),
        ("10.0.0.1:7946", Some("10.0.0.1")),
        ("[fd00::1]:7946", Some("fd00::1")),
        ("no port", None),
        ("a b:7946", None),
        (":7946", None),
    ] {
        let name = name(address).map(|it| it.to_str().into_owned());
        assert_eq!(name.as_deref(), expected, "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_an_end_is_cut_off() {
    let all = authority("all");
    let own = own(2, Some(node(&all, &all, "127.0.0.1")));
    let (mut near, far) = duplex(1024);
    let hellos = Arc::new(Semaphore::new(1));
    let place = Arc::clone(&hellos).try_acquire_owned().unwrap();
    let listener = Listener::new(Arc::clone(&own), Arc::new(Mute));
    let drips = async {
        // A record of a handshake with 255 bytes, of a hello with 251.
        near.write_all(b"\x16\x03\x01\0\xff\x01\0\0\xfb")
            .await
            .unwrap();
        loop {
            tokio::time::advance(Duration::from_secs(1)).await;
            if near.write_all(b".").await.is_err() {
                return near.read(&mut [0]).await;
            }
        }
    };
    let began = Instant::now();
    let attended = listener.attend(answer(own.identity.tls.as_ref(), far), place);
    let (ended, heard) = tokio::join!(attended, drips);
    assert!(matches!(ended, Err(HelloError::Slow)), "{ended:?}");
    assert!(matches!(heard, Ok(0)));
    assert!(began.elapsed() < HELLO_WITHIN + Duration::from_secs(2));
    assert_eq!(hellos.available_permits(), 1);
}
