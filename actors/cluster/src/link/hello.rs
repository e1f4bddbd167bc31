//! How two nodes get to know each other: before any frame counts, each proves that it knows the
//! cluster's secret, by a code over fresh random numbers of both.
//!
//! ```text
//! caller   -> opening: version; lane, node, incarnation, the node it wants, nonce
//! listener -> challenge: node, incarnation, nonce      or a refusal
//! caller   -> its code
//! listener -> its code                                 or a refusal
//! ```
//!
//! Both codes cover all of that and differ in who made them, so that none is good for another
//! connection, another lane or the other side. The caller goes first: who does not know the
//! secret gets no code to work on. What follows is encrypted only where TLS is below it; without that
//! this keeps strangers out and mistakes apart, within a private network.

use guildhall_model::NodeId;
use hmac::{Hmac, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::bounds::HELLO_BYTES_MAX;
use super::error::{HelloError, Refusal};
use super::tls::is_record;
use super::{Identity, Lane};

/// Rises with every change of what is sent.
pub(super) const VERSION: u16 = 1;
/// Tells our connections from all others.
const MAGIC: [u8; 4] = *b"GHNL";
/// Keeps codes for the link from being good for anything else that the secret may be used for.
const PURPOSE: &[u8] = b"guildhall node link\0";

/// A random number that is used once.
pub(super) type Nonce = [u8; 32];

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Lane(Lane),
    Stream,
}

impl Use {
    fn number(self) -> u8 {
        match self {
            Self::Lane(Lane::Control) => 1,
            Self::Lane(Lane::Bulk) => 2,
            Self::Stream => 3,
        }
    }

    fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Lane(Lane::Control)),
            2 => Some(Self::Lane(Lane::Bulk)),
            3 => Some(Self::Stream),
            _ => None,
        }
    }
}

/// A node in one of its lives, as the hello names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Party {
    pub(super) node: NodeId,
    pub(super) incarnation: u64,
}

impl Party {
    pub(super) fn of(identity: &Identity) -> Self {
        Self {
            node: identity.node,
            incarnation: identity.incarnation,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Opening {
    connection: u8,
    caller: Party,
    wants: NodeId,
    nonce: ByteArray<32>,
}

#[derive(Serialize, Deserialize)]
struct Challenge {
    listener: Party,
    nonce: ByteArray<32>,
}

#[derive(Serialize, Deserialize)]
struct Proof {
    code: ByteArray<32>,
}

/// All that is agreed on, by both sides alike.
struct Terms {
    connection: Use,
    caller: Party,
    listener: Party,
    nonces: [Nonce; 2],
}

#[derive(Clone, Copy)]
enum Side {
    Caller,
    Listener,
}

impl Terms {
    /// Every part has a fixed length, so no two terms are coded alike.
    fn code(&self, own: &Identity, side: Side) -> Hmac<Sha256> {
        let mut code = own.secret.code();
        code.update(PURPOSE);
        code.update(&VERSION.to_be_bytes());
        code.update(&[side as u8, self.connection.number()]);
        for party in [self.caller, self.listener] {
            code.update(&party.node.0.to_be_bytes());
            code.update(&party.incarnation.to_be_bytes());
        }
        for nonce in &self.nonces {
            code.update(nonce);
        }
        code
    }

    fn prove(&self, own: &Identity, side: Side) -> Proof {
        let code = self.code(own, side).finalize().into_bytes();
        Proof {
            code: ByteArray::new(code.into()),
        }
    }

    /// In a time that says nothing about where the code differs.
    fn is_proved(&self, own: &Identity, side: Side, proof: &Proof) -> bool {
        let code = self.code(own, side);
        code.verify_slice(proof.code.as_slice()).is_ok()
    }
}

/// Says hello to `peer`, of which no incarnation before `newest` counts. Which one it is.
pub(super) async fn call<S>(
    io: &mut S,
    own: &Identity,
    connection: Use,
    peer: NodeId,
    newest: u64,
    nonce: Nonce,
) -> Result<u64, HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let caller = Party::of(own);
    let opening = Opening {
        connection: connection.number(),
        caller,
        wants: peer,
        nonce: ByteArray::new(nonce),
    };
    let mut bytes = [MAGIC.as_slice(), &VERSION.to_be_bytes()].concat();
    bytes.extend(encoded(&opening));
    write_part(io, &bytes).await?;
    let challenge: Challenge = read_reply(io).await?;
    let listener = challenge.listener;
    if listener.node != peer {
        return Err(HelloError::OtherNode(listener.node));
    }
    if listener.incarnation < newest {
        return Err(HelloError::Stale {
            said: listener.incarnation,
            newest,
        });
    }
    let terms = Terms {
        connection,
        caller,
        listener,
        nonces: [nonce, challenge.nonce.into_array()],
    };
    write_part(io, &encoded(&terms.prove(own, Side::Caller))).await?;
    let proof: Proof = read_reply(io).await?;
    if !terms.is_proved(own, Side::Listener, &proof) {
        return Err(HelloError::Secret);
    }
    Ok(listener.incarnation)
}

/// Answers the hello of whoever has connected, and lets it in if it knows the secret and `admit`
/// agrees. Who it is, for what it comes, and what `admit` said.
pub(super) async fn answer<S, T>(
    io: &mut S,
    own: &Identity,
    nonce: Nonce,
    admit: impl FnOnce(Party, Use) -> Result<T, Refusal>,
) -> Result<(Party, Use, T), HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let begin = io.read_u32().await?;
    if is_record(begin.to_be_bytes()) {
        return refuse_tls(io, begin).await;
    }
    let opening = read_bytes(io, begin, HELLO_BYTES_MAX).await?;
    let opening = opening.ok_or(HelloError::Garbage)?;
    let Some((&[major, minor], rest)) = opening
        .strip_prefix(&MAGIC)
        .and_then(<[u8]>::split_first_chunk)
    else {
        return Err(HelloError::Garbage);
    };
    let version = u16::from_be_bytes([major, minor]);
    if version != VERSION {
        refuse(io, Refusal::Version).await?;
        return Err(HelloError::Version(version));
    }
    let opening: Opening = decoded(rest)?;
    let connection = Use::of(opening.connection).ok_or(HelloError::Garbage)?;
    let caller = opening.caller;
    let listener = Party::of(own);
    let challenge = Challenge {
        listener,
        nonce: ByteArray::new(nonce),
    };
    write_reply(io, &Ok(challenge)).await?;
    let terms = Terms {
        connection,
        caller,
        listener,
        nonces: [opening.nonce.into_array(), nonce],
    };
    let proof: Proof = decoded(&read_part(io).await?)?;
    let admitted = if !terms.is_proved(own, Side::Caller, &proof) {
        Err(Refusal::Secret)
    } else if opening.wants != own.node || caller.node == own.node {
        Err(Refusal::OtherNode)
    } else {
        admit(caller, connection)
    };
    match admitted {
        Ok(admitted) => {
            write_reply(io, &Ok(terms.prove(own, Side::Listener))).await?;
            Ok((caller, connection, admitted))
        }
        Err(refusal) => {
            refuse(io, refusal).await?;
            Err(HelloError::SentAway(refusal))
        }
    }
}

fn encoded(part: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec(part).expect("a vector takes every byte")
}

fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, HelloError> {
    rmp_serde::from_slice(bytes).map_err(|_| HelloError::Garbage)
}

async fn write_reply<S: AsyncWrite + Unpin>(
    io: &mut S,
    reply: &Result<impl Serialize, Refusal>,
) -> Result<(), HelloError> {
    write_part(io, &encoded(reply)).await
}

async fn refuse<S: AsyncWrite + Unpin>(io: &mut S, refusal: Refusal) -> Result<(), HelloError> {
    write_reply(io, &Err::<(), _>(refusal)).await
}

/// Sends somebody away who begins with a record of TLS. It is read to its end: otherwise the system
/// would cut the connection off, and what we say would be lost.
async fn refuse_tls<S, T>(io: &mut S, begin: u32) -> Result<T, HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let [.., high] = begin.to_be_bytes();
    let length = u16::from_be_bytes([high, io.read_u8().await?]);
    tokio::io::copy(&mut io.take(length.into()), &mut tokio::io::sink()).await?;
    refuse(io, Refusal::Plain).await?;
    Err(HelloError::Secured)
}

async fn read_reply<S, T>(io: &mut S) -> Result<T, HelloError>
where
    S: AsyncRead + Unpin,
    T: DeserializeOwned,
{
    let reply: Result<T, Refusal> = decoded(&read_part(io).await?)?;
    reply.map_err(HelloError::Refused)
}

async fn write_part<S: AsyncWrite + Unpin>(io: &mut S, bytes: &[u8]) -> Result<(), HelloError> {
    let length = u32::try_from(bytes.len()).map_err(|_| HelloError::Garbage)?;
    let part = [&length.to_be_bytes(), bytes].concat();
    io.write_all(&part).await?;
    Ok(io.flush().await?)
}

async fn read_part<S: AsyncRead + Unpin>(io: &mut S) -> Result<Vec<u8>, HelloError> {
    let length = io.read_u32().await?;
    if is_record(length.to_be_bytes()) {
        return Err(HelloError::Secured);
    }
    // Not one byte more than the hello has: what follows belongs to who comes next.
    let part = read_bytes(io, length, HELLO_BYTES_MAX).await?;
    part.ok_or(HelloError::Garbage)
}

/// Reads a length and as many bytes. None if they are more than `bound`.
pub(super) async fn read_bounded<S: AsyncRead + Unpin>(
    io: &mut S,
    bound: usize,
) -> Result<Option<Vec<u8>>, HelloError> {
    let length = io.read_u32().await?;
    read_bytes(io, length, bound).await
}

async fn read_bytes<S: AsyncRead + Unpin>(
    io: &mut S,
    length: u32,
    bound: usize,
) -> Result<Option<Vec<u8>>, HelloError> {
    let length = length as usize;
    if length > bound {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    io.read_exact(&mut bytes).await?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
