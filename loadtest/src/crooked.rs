//! A gateway that lies once: it stands between clients and a server and breaks one delivery, so
//! that the checker can be seen to notice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use fastwebsockets::{
    FragmentCollectorRead, Frame, OpCode, Payload, WebSocket, WebSocketError, WebSocketWrite,
    upgrade,
};
use http_body_util::Empty;
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::checker::Invariant;
use crate::client::Target;
use crate::client::body::{Named, Ready, gist};
use crate::client::gateway::{Dialect, Envelope, op};
use crate::client::socket::{self, Incoming};

/// Dispatches that may be held back for a swap. Beyond it they are let go as they are.
const HELD_MAX: usize = 10_000;
/// Client payloads that wait for the server.
const UPWARD_MAX: usize = 64;

/// How the delivery is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sabotage {
    /// A message is left out, and the numbers closed over it.
    Drop,
    /// A message comes twice, with a number each.
    Double,
    /// Two messages change places.
    Swap,
    /// A message reaches a member who may not see its channel.
    Leak,
}

impl Sabotage {
    /// What the checker must find broken, and nothing else.
    pub const fn breaks(self) -> Invariant {
        match self {
            Self::Drop => Invariant::I1,
            Self::Double | Self::Swap => Invariant::I3,
            Self::Leak => Invariant::I6,
        }
    }
}

/// Who is lied to about what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How.
    pub sabotage: Sabotage,
    /// The user whose session gets it wrong.
    pub victim: String,
    /// A channel that the victim sees.
    pub open: String,
    /// A channel that others see and the victim does not.
    pub closed: String,
    /// Messages that pass before the lie, so that the session is in full swing.
    pub patience: u32,
}

/// A crooked gateway. It stops when dropped.
pub struct Crook {
    target: Target,
    shared: Arc<Shared>,
    _listener: JoinSet<()>,
}

struct Shared {
    server: Target,
    plan: Plan,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_done: bool,
    /// A message that the victim must not see.
    secret: Option<Box<RawValue>>,
}

impl Crook {
    /// Listens on a free port of the loopback and passes everything on to `server`.
    pub async fn open(server: Target, plan: Plan) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let target = Target::parse(&format!("http://{}", listener.local_addr()?))?;
        let shared = Arc::new(Shared {
            server,
            plan,
            state: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            target,
            shared,
            _listener: tasks,
        })
    }

    /// Where clients connect.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The lie has been told.
    pub fn is_done(&self) -> bool {
        self.shared.state().is_done
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let (sender, mut upgraded) = mpsc::channel(1);
    let service = service_fn(move |mut request: Request<Body>| {
        let sender = sender.clone();
        async move {
            let (answer, socket) = upgrade::upgrade(&mut request)?;
            // The connection asks once; a second request finds nobody to take it.
            let _ = sender.try_send(socket);
            Ok::<Response<Empty<Bytes>>, WebSocketError>(answer)
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    let connection = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let pump = async {
        let socket = upgraded.recv().await?.await.ok()?;
        pump(socket, &shared).await.ok()
    };
    let _ = tokio::join!(connection, pump);
}

type ClientSide = TokioIo<Upgraded>;

/// Passes payloads both ways until either side is gone.
async fn pump(client: WebSocket<ClientSide>, shared: &Shared) -> Result<()> {
    let (mut reader, mut writer) = socket::connect(&shared.server, Dialect::Native).await?;
    let (from_client, to_client) = client.split(tokio::io::split);
    let (upward, mut due) = mpsc::channel(UPWARD_MAX);
    let up = async {
        loop {
            tokio::select! {
                Some(text) = due.recv() => writer.send(text).await?,
                Some(reply) = writer.next_reply() => writer.send_reply(reply).await?,
                else => return Ok::<(), anyhow::Error>(()),
            }
        }
    };
    tokio::select! {
        ended = up => ended,
        ended = listen(FragmentCollectorRead::new(from_client), upward) => ended,
        ended = tell(&mut reader, to_client, shared) => ended,
    }
}

async fn listen(
    mut client: FragmentCollectorRead<ReadHalf<ClientSide>>,
    upward: mpsc::Sender<String>,
) -> Result<()> {
    loop {
        // Pings are not answered: the clients of this tool send none.
        let mut reply = |_: Frame<'_>| async { Ok::<(), WebSocketError>(()) };
        let frame = client.read_frame(&mut reply).await?;
        match frame.opcode {
            OpCode::Text => {
                let text = String::from_utf8(frame.payload.to_vec())?;
                upward.send(text).await?;
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

async fn tell(
    server: &mut socket::Reader,
    mut client: WebSocketWrite<WriteHalf<ClientSide>>,
    shared: &Shared,
) -> Result<()> {
    let mut liar = Liar::new(shared);
    loop {
        match server.next().await? {
            Incoming::Text(text) => {
                for payload in liar.pass(&text)? {
                    let payload = Payload::Owned(payload.into_bytes());
                    client.write_frame(Frame::text(payload)).await?;
                }
            }
            Incoming::Close(code) => {
                client
                    .write_frame(Frame::close(code.unwrap_or(1000), b""))
                    .await?;
                return Ok(());
            }
        }
    }
}

/// What one connection's payloads are turned into.
struct Liar<'a> {
    shared: &'a Shared,
    is_victim: bool,
    /// What is added to every number from here on.
    shift: i64,
    passed: u32,
    /// From the first of two messages that change places on.
    held: VecDeque<Dispatch>,
}

#[derive(Clone, Serialize)]
struct Dispatch {
    t: String,
    s: u64,
    op: u8,
    d: Box<RawValue>,
}

impl<'a> Liar<'a> {
    const fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            is_victim: false,
            shift: 0,
            passed: 0,
            held: VecDeque::new(),
        }
    }

    fn pass(&mut self, text: &[u8]) -> Result<Vec<String>> {
        let envelope: Envelope<'_> = serde_json::from_slice(text)?;
        let (op::DISPATCH, Some(t), Some(s), Some(d)) =
            (envelope.op, envelope.t, envelope.s, envelope.d)
        else {
            return Ok(vec![String::from_utf8(text.to_vec())?]);
        };
        if t == "READY" {
            let ready: Ready<'_> = serde_json::from_str(d.get())?;
            let Named { id } = ready.user;
            self.is_victim = *id == *self.shared.plan.victim;
        }
        let dispatch = Dispatch {
            t,
            s: s.saturating_add_signed(self.shift),
            op: op::DISPATCH,
            d: d.to_owned(),
        };
        let told = self.twist(dispatch)?;
        told.iter()
            .map(|one| Ok(serde_json::to_string(one)?))
            .collect()
    }

    fn twist(&mut self, dispatch: Dispatch) -> Result<Vec<Dispatch>> {
        let plan = &self.shared.plan;
        let channel = match dispatch.t.as_str() {
            "MESSAGE_CREATE" => gist(&dispatch.t, dispatch.d.get())?.channel,
            _ => None,
        };
        let is_open = channel.as_deref() == Some(&plan.open);
        let mut state = self.shared.state();
        if channel.as_deref() == Some(&plan.closed) && !self.is_victim {
            state.secret.get_or_insert_with(|| dispatch.d.clone());
        }
        if !self.is_victim || (state.is_done && self.held.is_empty()) {
            return Ok(vec![dispatch]);
        }
        self.passed += u32::from(is_open);
        if self.passed <= plan.patience {
            return Ok(vec![dispatch]);
        }
        let next = |s: u64, d: Box<RawValue>| Dispatch {
            t: "MESSAGE_CREATE".to_owned(),
            s: s + 1,
            op: op::DISPATCH,
            d,
        };
        match (plan.sabotage, is_open) {
            (Sabotage::Drop, true) => {
                (state.is_done, self.shift) = (true, -1);
                Ok(vec![])
            }
            (Sabotage::Double, true) => {
                (state.is_done, self.shift) = (true, 1);
                let again = next(dispatch.s, dispatch.d.clone());
                Ok(vec![dispatch, again])
            }
            (Sabotage::Leak, true) if let Some(secret) = state.secret.take() => {
                (state.is_done, self.shift) = (true, 1);
                let leaked = next(dispatch.s, secret);
                Ok(vec![dispatch, leaked])
            }
            (Sabotage::Swap, _) => {
                state.is_done = true;
                drop(state);
                Ok(self.hold(dispatch, is_open))
            }
            _ => Ok(vec![dispatch]),
        }
    }

    /// Holds everything back from one message to the next of the channel, and lets it go with the
    /// two exchanged.
    fn hold(&mut self, mut dispatch: Dispatch, is_open: bool) -> Vec<Dispatch> {
        if is_open && let Some(first) = self.held.front_mut() {
            std::mem::swap(&mut first.d, &mut dispatch.d);
            self.held.push_back(dispatch);
            return self.held.drain(..).collect();
        }
        self.held.push_back(dispatch);
        if HELD_MAX < self.held.len() {
            return self.held.drain(..).collect();
        }
        vec![]
    }
}

#[cfg(test)]
mod tests;
