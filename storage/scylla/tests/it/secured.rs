//! The engine is reached by TLS, and believed only where it is the one that it should be.

use std::net::SocketAddr;

use guildhall_ports::{Failure, Messages};
use guildhall_scylla::{Projection, Tls};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::engine::{Keyspace, authorities};
use crate::lives::PARTITION;

/// An address of this machine that the engine's certificate does not name, and that leads to it. All
/// nodes of an engine have one port.
async fn elsewhere(engine: &str) -> SocketAddr {
    let (_, port) = engine.rsplit_once(':').unwrap();
    let socket = TcpListener::bind(format!("127.0.0.2:{port}"));
    let socket = socket.await.unwrap();
    let (address, engine) = (socket.local_addr().unwrap(), engine.to_owned());
    tokio::spawn(async move {
        while let Ok((mut near, _)) = socket.accept().await {
            let engine = engine.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(engine).await?;
                copy_bidirectional(&mut near, &mut far).await
            });
        }
    });
    address
}

#[tokio::test]
async fn an_engine_is_reached_by_tls_where_its_authority_is_believed() {
    let keyspace = Keyspace::fresh().await;
    let known = authorities("authority.pem");
    let unknown = authorities("stranger.pem");
    let here = keyspace.settings.nodes[0].clone();
    let there = elsewhere(&here).await.to_string();
    for (node, tls, why) in [
        (&here, Tls::Authorities(known.clone()), None),
        (&here, Tls::AnyAddress(known.clone()), None),
        (&there, Tls::AnyAddress(known.clone()), None),
        (&there, Tls::Authorities(known), Some("IP address mismatch")),
        (
            &here,
            Tls::Authorities(unknown.clone()),
            Some("unable to get local issuer certificate"),
        ),
        (
            &there,
            Tls::AnyAddress(unknown),
            Some("unable to get local issuer certificate"),
        ),
        (
            &here,
            Tls::System,
            Some("unable to get local issuer certificate"),
        ),
        (
            &here,
            Tls::Authorities("none".to_owned()),
            Some("certificates"),
        ),
    ] {
        let mut settings = keyspace.settings.clone();
        settings.nodes = vec![node.clone()];
        settings.tls = Some(tls.clone());
        match (Projection::open(&settings).await, why) {
            (Ok(projection), None) => {
                projection.applied(PARTITION).await.unwrap();
            }
            (Err(Failure::Unavailable { why: said, .. }), Some(why)) => {
                assert!(said.contains(why), "{tls:?}: {said}");
            }
            (opened, _) => panic!("{tls:?} at {node}: {opened:?}"),
        }
    }
}
