//! What a node does with what other nodes ask and tell it.

use std::sync::Weak;

use async_trait::async_trait;
use bytes::Bytes;
use guildhall_cluster::link::{Answers, ByteStream};
use guildhall_model::NodeId;
use guildhall_ports::directory::Ownership;
use tracing::warn;

use super::ownership;
use super::requests::{Request, Told};
use crate::calls::carry_out::Owner;
use crate::calls::wire::{Reply, decode, encode};
use crate::calls::{Answer, Call};
use crate::node::{Inner, Node};

/// Attends to the other nodes as long as its node lives.
pub(super) struct Desk(pub(super) Weak<Inner>);

#[async_trait]
impl Answers for Desk {
    async fn answer(&self, _from: NodeId, call: Bytes) -> Bytes {
        let Some(inner) = self.0.upgrade() else {
            return encode(&Reply::Elsewhere);
        };
        let node = Node { inner };
        let reply = match decode(&call) {
            Ok(request) => attend(&node, request).await,
            Err(failure) => {
                warn!(%failure, "another node asks what makes no sense");
                Reply::Failed(failure.into())
            }
        };
        encode(&reply)
    }

    fn heard(&self, from: NodeId, told: Bytes) {
        let Some(inner) = self.0.upgrade() else {
            return;
        };
        match decode(&told) {
            Ok(told) => Node { inner }.hear_told(from, told),
            Err(failure) => warn!(%failure, "another node tells what makes no sense"),
        }
    }

    async fn stream(&self, _from: NodeId, preface: Bytes, stream: ByteStream) {
        let Some(inner) = self.0.upgrade() else {
            return;
        };
        let sockets = inner.company.as_ref().and_then(|it| it.sockets());
        drop(inner);
        if let Some(sockets) = sockets {
            sockets.attend(preface, stream).await;
        }
    }
}

async fn attend(node: &Node, request: Request) -> Reply {
    match request {
        Request::Call(Call { partition, ask }) => {
            let Some(partition) = node.inner.events.get(partition) else {
                return Reply::Elsewhere;
            };
            let owner = Owner {
                node,
                partition: &partition,
            };
            Box::pin(owner.carry_out(ask)).await.into()
        }
        Request::Order(order) if order.executor() == node.inner.config.node => {
            ownership::carry_out(node, order);
            Reply::Answer(Answer::Done)
        }
        Request::Order(_) => Reply::Elsewhere,
        Request::EndLogin(login) => {
            node.inner.registry.end_login(login);
            Reply::Answer(Answer::Done)
        }
        Request::HasSessions(user) => {
            let has = node.inner.registry.has_sessions(user);
            Reply::Answer(Answer::Whether(has))
        }
    }
}

impl Node {
    /// Hears what another node tells. Nothing may wait.
    fn hear_told(&self, from: NodeId, told: Told) {
        match told {
            Told::Owns {
                partition,
                node,
                epoch,
            } => {
                if let Some(company) = &self.inner.company {
                    company.note_owner(partition, Ownership { node, epoch });
                }
            }
            Told::Appear(users) => {
                for (user, appearance) in users {
                    self.note_elsewhere(from, user, appearance);
                }
            }
            Told::Typing {
                guild,
                channel,
                user,
                since,
            } => self.tell_typing_here(guild, channel, user, since),
            Told::TypingDirectly {
                channel,
                user,
                since,
            } => {
                let node = self.clone();
                tokio::spawn(async move {
                    node.tell_typing_directly_here(&channel, user, since).await;
                });
            }
        }
    }
}
