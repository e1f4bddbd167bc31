//! Byte streams between nodes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use guildhall_cluster::link::LinkError;
use guildhall_cluster::link::bounds::PREFACE_BYTES_MAX;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::desk::{Node, soon};

#[tokio::test]
async fn a_stream_carries_bytes_both_ways() {
    let (one, two) = Node::pair().await;
    let preface = Bytes::from("echo");
    let stream = one.links.open_stream(two.id, preface.clone()).await;
    let (mut reader, mut writer) = tokio::io::split(stream.unwrap());
    let sent: Vec<u8> = (0..3_000_000_u32).map(|it| it.to_le_bytes()[1]).collect();
    let write = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut read = Vec::new();
    let (done, ()) = soon(async { tokio::join!(reader.read_to_end(&mut read), write) }).await;
    assert_eq!(done.unwrap(), sent.len());
    assert!(read == sent);
    let seen = two.has_seen(|seen| !seen.streams.is_empty()).await;
    assert_eq!(seen.streams, [(one.id, preface, Vec::new())]);
}

#[tokio::test]
async fn who_does_not_read_a_stream_holds_its_writer_back() {
    static CHUNK: [u8; 64 * 1024] = [7; 64 * 1024];
    const LONG: usize = 256 * 1024 * 1024;
    let (one, two) = Node::pair().await;
    let stream = one.links.open_stream(two.id, Bytes::from("hold")).await;
    let mut stream = stream.unwrap();
    let mut written = 0;
    // Without a pause in which the system could take more.
    poll_fn(|cx| {
        while written < LONG {
            match Pin::new(&mut stream).poll_write(cx, &CHUNK) {
                Poll::Ready(bytes) => written += bytes.unwrap(),
                Poll::Pending => break,
            }
        }
        Poll::Ready(())
    })
    .await;
    assert!(0 < written && written < LONG, "{written}");
    assert_eq!(one.call(&two, "meanwhile").await.unwrap(), "meanwhile");
    two.desk.gate.add_permits(1);
    soon(stream.write_all(&CHUNK)).await.unwrap();
    soon(stream.shutdown()).await.unwrap();
    let seen = two.has_seen(|seen| !seen.streams.is_empty()).await;
    let (_, _, read) = seen.streams.first().unwrap();
    assert_eq!(read.len(), written + CHUNK.len());
}

#[tokio::test]
async fn the_largest_preface_is_carried_and_a_larger_one_refused() {
    let (one, two) = Node::pair().await;
    let open = |bytes| {
        let preface = Bytes::from(vec![b'.'; bytes]);
        one.links.open_stream(two.id, preface)
    };
    drop(soon(open(PREFACE_BYTES_MAX)).await.unwrap());
    two.desk.gate.add_permits(1);
    let seen = two.has_seen(|seen| !seen.streams.is_empty()).await;
    let (_, preface, _) = seen.streams.first().unwrap();
    assert_eq!(preface.len(), PREFACE_BYTES_MAX);
    let larger = open(PREFACE_BYTES_MAX + 1).await;
    assert_eq!(larger.err(), Some(LinkError::TooLarge));
}

#[tokio::test]
async fn a_stream_ends_with_its_node() {
    let (one, two) = Node::pair().await;
    let stream = one.links.open_stream(two.id, Bytes::from("echo")).await;
    let mut stream = stream.unwrap();
    stream.write_all(b"echo").await.unwrap();
    let mut heard = [0; 4];
    soon(stream.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"echo");
    two.links.stop();
    let read = soon(stream.read(&mut heard)).await;
    assert!(matches!(read, Ok(0) | Err(_)));
}
