//! The gateway's WebSocket framing as an echo, for `deploy/proof/autobahn`. Prints its address.

use std::io::{self, Write};

use tokio::net::TcpListener;

/// Bytes of a message: as many as the suite sends at most. The gateway itself takes 4,096.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut out = io::stdout();
    writeln!(out, "ready ws://{}", listener.local_addr()?)?;
    out.flush()?;
    guildhall_edge::echo::serve(listener, MESSAGE_BYTES_MAX).await
}
