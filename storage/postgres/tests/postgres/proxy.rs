//! A way to the engine that can fall silent: packets of a node that is gone are not answered.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What sqlx says when it asks a connection whether it lives: a `Sync` by itself
/// (<https://www.postgresql.org/docs/15/protocol-message-formats.html>).
const QUESTION: &[u8] = b"S\0\0\0\x04";

/// Passes everything on, until it is told to be silent.
pub(crate) struct Proxy {
    address: String,
    silence: watch::Sender<Silence>,
}

/// Which connections pass nothing on.
#[derive(Clone, Copy, Default)]
struct Silence {
    is_whole: bool,
    /// The number of the first connection that is not forgotten.
    first: usize,
    /// How many there have been.
    made: usize,
    /// Before which of the pool's next questions whether a connection lives all are forgotten.
    at_question: Option<u32>,
}

impl Proxy {
    /// A way to the engine of this URL.
    pub(crate) async fn to(url: &str) -> Self {
        let engine = host_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let silence = watch::Sender::new(Silence::default());
        let counting = silence.clone();
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let number = counting.borrow().made;
                counting.send_modify(|silence| silence.made += 1);
                let engine = TcpStream::connect(&engine).await.unwrap();
                let (from_node, to_node) = node.into_split();
                let (from_engine, to_engine) = engine.into_split();
                let heard = counting.subscribe();
                let counting = counting.clone();
                let hear = move |bytes: &[u8]| {
                    if bytes == QUESTION {
                        counting.send_if_modified(hear_question);
                    }
                };
                tokio::spawn(pass(number, from_node, to_engine, heard.clone(), hear));
                tokio::spawn(pass(number, from_engine, to_node, heard, |_| {}));
            }
        });
        Self { address, silence }
    }

    /// The URL by this way.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(host_of(url), &self.address)
    }

    /// Nothing gets through until it is told otherwise, and nothing is closed.
    pub(crate) fn set_silent(&self, silent: bool) {
        self.silence
            .send_modify(|silence| silence.is_whole = silent);
    }

    /// The connections that there are pass nothing on any more; new ones do. So it is behind a
    /// firewall that was restarted.
    pub(crate) fn forget(&self) {
        self.silence
            .send_modify(|silence| silence.first = silence.made);
    }

    /// The same, as soon as the pool has so often asked a connection whether it lives: this
    /// question does not get through.
    pub(crate) fn forget_at_question(&self, number: u32) {
        self.silence
            .send_modify(|silence| silence.at_question = Some(number));
    }
}

/// Counts the questions of the pool.
fn hear_question(silence: &mut Silence) -> bool {
    let Some(left) = silence.at_question else {
        return false;
    };
    silence.at_question = left.checked_sub(1).filter(|left| *left > 0);
    if silence.at_question.is_none() {
        silence.first = silence.made;
    }
    true
}

fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split_once('/').unwrap().0
}

async fn pass(
    number: usize,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut silence: watch::Receiver<Silence>,
    hear: impl Fn(&[u8]),
) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        hear(&bytes[..count]);
        let passes = |silence: &Silence| !silence.is_whole && silence.first <= number;
        let is_over = silence.wait_for(passes).await.is_err();
        if is_over || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
