//! Gateway sessions: opening, resuming, and requests for members.

use guildhall_host::Refused;
use guildhall_host::node::{OpenRequest, ResumeError};
use guildhall_host::session::SessionHandle;
use guildhall_model::account::Credential;
use guildhall_model::dispatch::{Dispatch, MembersChunk, Shard, Viewer};
use guildhall_model::intent::Intents;
use guildhall_model::member::Member;
use guildhall_model::rejection::Noun;
use guildhall_model::user::{Appearance, Status};
use guildhall_model::{GuildId, LoginId, Rejection, UserId, limits};
use sha2::{Digest, Sha256};

use crate::members::has_prefix;
use crate::{App, Context};

/// What a client asks for when it identifies.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// A bot's intents; `None` for people.
    pub intents: Option<Intents>,
    /// Members above which a bot wants a guild without them; people always get as many as anybody
    /// may.
    pub large_threshold: u8,
    /// The share of the guilds.
    pub shard: Option<Shard>,
    /// How the user appears at first; what the profile says where absent.
    pub status: Option<Status>,
    /// The version of the protocol that the client speaks.
    pub version: u8,
}

/// Which members of a guild a session asks for.
#[derive(Clone, Debug)]
pub struct MembersRequest {
    /// The guild.
    pub guild_id: GuildId,
    /// Which of its members.
    pub which: Which,
    /// Tell also how they appear, to sessions that may know it.
    pub presences: bool,
    /// The request's mark.
    pub nonce: Option<String>,
}

/// Which members are asked for.
#[derive(Clone, Debug)]
pub enum Which {
    /// Exactly these.
    Ids(Vec<UserId>),
    /// Those whose name begins so, at most this many; 0 is no bound. Everybody's name begins with
    /// the empty text; of any other beginning at most [`limits::CHUNK_PREFIX_MEMBERS_MAX`] are
    /// told.
    Prefix(String, u64),
}

impl App {
    /// Opens a session for an authenticated caller.
    pub async fn open_session(
        &self,
        ctx: &Context,
        new: NewSession,
    ) -> Result<SessionHandle, Refused> {
        let account = self.own_account(ctx).await?;
        self.require_shard(ctx, new.shard).await?;
        let login = ctx.login_id().ok();
        let handle = self
            .node()
            .open_session(OpenRequest {
                credential: fingerprint(ctx.caller.credential),
                login,
                application: match ctx.caller.credential {
                    Credential::Bot {
                        application_id,
                        privileged_intents,
                        ..
                    } => Some((application_id, privileged_intents)),
                    Credential::Login(_) => None,
                },
                version: new.version,
                viewer: match new.intents {
                    None => Viewer::person(ctx.user_id()),
                    intents => Viewer {
                        user_id: ctx.user_id(),
                        intents,
                        large_threshold: new.large_threshold,
                    },
                },
                shard: new.shard,
                status: new.status.unwrap_or(account.user.status),
                account,
            })
            .await?;
        self.still_valid(login)?;
        Ok(handle)
    }

    /// Discord's clients split their guilds once a shard would have too many.
    async fn require_shard(&self, ctx: &Context, shard: Option<Shard>) -> Result<(), Refused> {
        let shard = shard.unwrap_or(Shard::WHOLE);
        let guilds = self.node().guilds_of(ctx.user_id()).await?;
        fits(shard, &guilds).map_err(Refused::from)
    }

    /// Brings an authenticated caller back to its session.
    pub async fn resume_session(
        &self,
        ctx: &Context,
        session_id: &str,
        seq: u64,
    ) -> Result<SessionHandle, ResumeError> {
        let credential = fingerprint(ctx.caller.credential);
        let handle = self
            .node()
            .resume_session(session_id, credential, seq)
            .await?;
        let valid = self.still_valid(ctx.login_id().ok());
        valid.map_err(|_| guildhall_state::session_partition::Refusal::WrongCredential)?;
        Ok(handle)
    }

    /// A login may have been revoked while its session was being found: from its registration on
    /// the session is ended with its login, so that one more look closes the gap.
    fn still_valid(&self, login: Option<LoginId>) -> Result<(), Rejection> {
        if login.is_some_and(|login| self.is_revoked(login)) {
            return Err(Rejection::Unauthenticated);
        }
        Ok(())
    }

    /// Answers a request for members with dispatches of the session.
    pub async fn request_members(
        &self,
        handle: &SessionHandle,
        request: MembersRequest,
    ) -> Result<(), Refused> {
        let viewer = handle.viewer();
        let view = self.node().guild(request.guild_id).await?;
        let view = view.ok_or(Rejection::Unknown(Noun::Guild))?;
        let whole = matches!(&request.which, Which::Prefix(query, _) if query.is_empty());
        if whole && !viewer.wants(Intents::GUILD_MEMBERS) {
            return Err(Rejection::Conflict("the GUILD_MEMBERS intent is needed").into());
        }
        let found = view.read(|state| {
            state.member(viewer.user_id)?;
            Some(match &request.which {
                Which::Ids(ids) => {
                    let known = ids.iter().filter_map(|&id| state.member(id));
                    known.map(|member| Member::clone(member)).collect()
                }
                Which::Prefix(query, limit) => {
                    let all = state.members().filter(|member| has_prefix(member, query));
                    let all = all.map(|member| Member::clone(member)).collect();
                    by_id(all, bound(query, *limit))
                }
            })
        });
        let members: Vec<Member> = found.ok_or(Rejection::Unknown(Noun::Guild))?;
        let with_presences = request.presences && viewer.wants(Intents::GUILD_PRESENCES);
        let chunks = self.chunks(&request, &members, with_presences);
        self.node().tell_members(handle.reference(), chunks).await;
        Ok(())
    }

    /// Answers a session's question about a guild that its user is in.
    pub async fn answer(
        &self,
        handle: &SessionHandle,
        guild: GuildId,
        answer: fn(GuildId) -> Dispatch,
    ) -> Result<(), Refused> {
        self.guild_of_member(guild, handle.viewer().user_id).await?;
        let node = self.node();
        node.tell_session(handle.reference(), guild, answer(guild))
            .await;
        Ok(())
    }

    fn chunks(
        &self,
        request: &MembersRequest,
        members: &[Member],
        with_presences: bool,
    ) -> Vec<MembersChunk> {
        let not_found: Vec<UserId> = match &request.which {
            Which::Ids(ids) => {
                let known = |id: &UserId| members.iter().any(|member| member.user.id == *id);
                ids.iter().copied().filter(|id| !known(id)).collect()
            }
            Which::Prefix(..) => Vec::new(),
        };
        let count = members.len().div_ceil(limits::CHUNK_MEMBERS_MAX).max(1);
        let mut parts: Vec<Vec<Member>> = members
            .chunks(limits::CHUNK_MEMBERS_MAX)
            .map(<[Member]>::to_vec)
            .collect();
        parts.resize_with(count, Vec::new);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let chunks = parts
            .into_iter()
            .enumerate()
            .map(|(index, members)| MembersChunk {
                guild_id: request.guild_id,
                presences: with_presences.then(|| self.presences(&members)),
                members,
                index: number(index),
                count: number(count),
                not_found: if index == 0 {
                    not_found.clone()
                } else {
                    Vec::new()
                },
                nonce: request.nonce.clone(),
            });
        chunks.collect()
    }

    fn presences(&self, members: &[Member]) -> Vec<(UserId, Appearance)> {
        let shown = members
            .iter()
            .map(|m| (m.user.id, self.node().appearance(m.user.id)));
        shown
            .filter(|(_, appearance)| *appearance != Appearance::Offline)
            .collect()
    }
}

fn fits(shard: Shard, guilds: &[GuildId]) -> Result<(), Rejection> {
    let mine = guilds.iter().filter(|&&guild| shard.has_guild(guild));
    if mine.count() > limits::SHARD_GUILDS_MAX {
        let limit = limits::SHARD_GUILDS_MAX;
        let what = "guilds per shard";
        return Err(Rejection::LimitReached { what, limit });
    }
    Ok(())
}

/// How many members a request is answered with at most.
fn bound(query: &str, limit: u64) -> usize {
    let asked = match usize::try_from(limit) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(asked) => asked,
    };
    if query.is_empty() {
        asked
    } else {
        asked.min(limits::CHUNK_PREFIX_MEMBERS_MAX)
    }
}

fn by_id(mut members: Vec<Member>, most: usize) -> Vec<Member> {
    members.sort_by_key(|member| member.user.id);
    members.truncate(most);
    members
}

/// What a credential and its successors share: a login survives its access tokens, a bot token
/// does not survive its replacement.
fn fingerprint(credential: Credential) -> [u8; 32] {
    let text = match credential {
        Credential::Login(id) => format!("login:{id}"),
        Credential::Bot {
            application_id,
            generation,
            ..
        } => {
            format!("bot:{application_id}:{generation}")
        }
    };
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_everybody_is_told_without_a_bound() {
        assert_eq!(bound("", 0), usize::MAX);
        assert_eq!(bound("", 2_000), 2_000);
        assert_eq!(bound("a", 0), 100);
        assert_eq!(bound("a", 7), 7);
        assert_eq!(bound("a", u64::MAX), 100);
    }

    #[test]
    fn a_shard_holds_2500_guilds_and_not_one_more() {
        let guilds: Vec<GuildId> = (1..=2_501)
            .map(|n| GuildId::new(n << 22).unwrap())
            .collect();
        assert_eq!(fits(Shard::WHOLE, &guilds[1..]), Ok(()));
        assert!(fits(Shard::WHOLE, &guilds).is_err());
        let half = Shard { index: 0, count: 2 };
        assert_eq!(
            fits(half, &guilds),
            Ok(()),
            "the other half is another shard's"
        );
    }
}
