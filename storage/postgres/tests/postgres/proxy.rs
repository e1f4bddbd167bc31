//! A way to the engine that can fall silent: packets of a node that is gone are not answered.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
                tokio::spawn(pass(number, from_node, to_engine, heard.clone()));
                tokio::spawn(pass(number, from_engine, to_node, heard));
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
) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let passes = |silence: &Silence| !silence.is_whole && silence.first <= number;
        let is_over = silence.wait_for(passes).await.is_err();
        if is_over || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
