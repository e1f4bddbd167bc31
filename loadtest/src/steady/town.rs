//! Builds the guilds of a run: each with a channel for all and one for some of its members.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::RwLock;

use super::Options;
use super::calls::{Citizen, Deed, Stage};
use crate::client::Person;
use crate::client::objects::{Overwrite, OverwriteKind, READ_MESSAGES, SEND_MESSAGES};
use crate::crooked::{Plan, Sabotage};
use crate::history::Action;
use crate::progress::Progress;

/// Guilds that are built at a time, and members of one that join at a time.
const PARALLEL: usize = 4;
/// Members beyond this never see the closed channel: a channel's overwrites are bounded.
const INSIDERS_MAX: usize = 300;

/// All users and guilds of a run.
pub(super) struct Town {
    pub(super) citizens: Vec<Citizen>,
    pub(super) guilds: Vec<Guild>,
    /// Users below it have a session.
    listeners: usize,
}

/// A guild. Its owner is the first member.
pub(super) struct Guild {
    id: String,
    /// The channel that every member sees.
    pub(super) open: String,
    /// The channel that some see.
    pub(super) closed: String,
    pub(super) members: Vec<usize>,
    /// Members who always see the closed channel, besides the owner.
    pub(super) insiders: Vec<usize>,
    /// Members who see it now and then.
    pub(super) movers: Vec<usize>,
    /// The movers who see it at present, as last acknowledged.
    pub(super) inside: RwLock<BTreeSet<usize>>,
}

impl Town {
    pub(super) async fn build(
        stage: &Arc<Stage>,
        citizens: Vec<Citizen>,
        options: &Options,
        progress: &Progress,
    ) -> Result<Self> {
        progress.phase("guilds are built", Some(options.guilds as u64));
        let citizens = &citizens;
        let guilds: Vec<Guild> = stream::iter(0..options.guilds)
            .map(|guild| Guild::build(stage, citizens, members(options, guild)))
            .buffered(PARALLEL)
            .inspect_ok(|_| progress.step())
            .try_collect()
            .await
            .context("building the guilds")?;
        Ok(Self {
            citizens: citizens.clone(),
            guilds,
            listeners: options.sessions,
        })
    }

    /// Who is lied to, and about which channels: an outsider of a guild where others see more.
    pub(super) fn plan(&self, sabotage: Sabotage) -> Result<Plan> {
        let victims = self.guilds.iter().filter_map(|guild| {
            let outsider = guild.outsiders().find(|user| *user < self.listeners)?;
            Some((guild, outsider))
        });
        let (guild, victim) = { victims }
            .next()
            .context("no guild is large enough to have a listening outsider")?;
        Ok(Plan {
            sabotage,
            victim: self.person(victim).id().to_owned(),
            open: guild.open.clone(),
            closed: guild.closed.clone(),
            patience: 3,
        })
    }

    pub(super) fn person(&self, index: usize) -> &Person {
        &self.citizens[index].person
    }
}

/// Users are dealt out to the guilds in turn; every third is in the next guild, too.
fn members(options: &Options, guild: usize) -> Vec<usize> {
    let guilds = options.guilds;
    let previous = (guild + guilds - 1) % guilds;
    let is_member = |user: &usize| {
        let home = user % guilds;
        home == guild || (home == previous && (user / guilds) % 3 == 1)
    };
    let (mut own, guests): (Vec<usize>, Vec<usize>) = (0..options.users)
        .filter(is_member)
        .partition(|user| user % guilds == guild);
    own.extend(guests);
    own
}

impl Guild {
    async fn build(stage: &Arc<Stage>, citizens: &[Citizen], members: Vec<usize>) -> Result<Self> {
        let owner = &citizens[members[0]];
        let deed = Deed::new(Action::Other, "POST", "/servers".to_owned());
        let create = || owner.person.create_server("town");
        let server = stage.insist(owner.caller(), &deed, create, None).await?;
        let path = format!("/servers/{}/channels", server.id);
        let deed = Deed::new(Action::Other, "GET", path.clone());
        let list = || owner.person.channels(&server.id);
        let channels = stage.insist(owner.caller(), &deed, list, None).await?;
        let open = channels
            .first()
            .context("a new server has no channel")?
            .id
            .clone();
        join(stage, citizens, &members, &server.id).await?;
        let mut guild = Self::seat(server.id, open, members);
        let overwrites = guild.overwrites(citizens).await;
        let deed = Deed::new(Action::Other, "POST", path.clone());
        let create = || {
            owner
                .person
                .create_channel(&guild.id, "closed", &overwrites)
        };
        guild.closed = stage.insist(owner.caller(), &deed, create, None).await?.id;
        // From the answer to this call on, everybody's sight is known.
        let mut deed = Deed::new(Action::Other, "GET", path);
        deed.access = guild.sights(citizens).await;
        let list = || owner.person.channels(&guild.id);
        stage.insist(owner.caller(), &deed, list, None).await?;
        Ok(guild)
    }

    /// Says who is what: of three members one is an insider, one a mover, one an outsider.
    fn seat(id: String, open: String, members: Vec<usize>) -> Self {
        let pick = |rest| {
            let seats = members.iter().enumerate().skip(1).take(INSIDERS_MAX);
            let chosen = seats.filter(move |(seat, _)| seat % 3 == rest);
            chosen.map(|(_, member)| *member).collect::<Vec<usize>>()
        };
        let (insiders, movers) = (pick(1), pick(2));
        let inside = movers.iter().copied().step_by(2).collect();
        Self {
            id,
            open,
            closed: String::new(),
            members,
            insiders,
            movers,
            inside: RwLock::new(inside),
        }
    }

    pub(super) fn owner(&self) -> usize {
        self.members[0]
    }

    /// Members who neither see the closed channel nor ever will.
    pub(super) fn outsiders(&self) -> impl Iterator<Item = usize> + '_ {
        let known = |member: &usize| self.insiders.contains(member) || self.movers.contains(member);
        let members = self.members.iter().skip(1).copied();
        members.filter(move |member| !known(member))
    }

    /// Members who see the closed channel at present.
    pub(super) async fn viewers(&self) -> Vec<usize> {
        let inside = self.inside.read().await;
        let mut viewers = vec![self.owner()];
        viewers.extend(&self.insiders);
        viewers.extend(inside.iter());
        viewers
    }

    /// The closed channel's overwrites, as the guild stands.
    pub(super) async fn overwrites(&self, citizens: &[Citizen]) -> Vec<Overwrite> {
        // The role of everybody has its guild's id.
        let everyone = Overwrite {
            id: self.id.clone(),
            r#type: OverwriteKind::Role,
            allow: 0,
            deny: READ_MESSAGES,
        };
        let inside = self.inside.read().await;
        let members = self.insiders.iter().chain(inside.iter());
        let members = members.map(|member| Overwrite {
            id: citizens[*member].person.id().to_owned(),
            r#type: OverwriteKind::Member,
            allow: READ_MESSAGES | SEND_MESSAGES,
            deny: 0,
        });
        std::iter::once(everyone).chain(members).collect()
    }

    async fn sights(&self, citizens: &[Citizen]) -> Vec<(String, String, bool)> {
        let viewers = self.viewers().await;
        let id = |member: &usize| citizens[*member].person.id().to_owned();
        let members = self.members.iter();
        members
            .flat_map(|member| {
                let sees_closed = viewers.contains(member);
                [
                    (self.open.clone(), id(member), true),
                    (self.closed.clone(), id(member), sees_closed),
                ]
            })
            .collect()
    }
}

async fn join(
    stage: &Arc<Stage>,
    citizens: &[Citizen],
    members: &[usize],
    server: &str,
) -> Result<()> {
    stream::iter(&members[1..])
        .map(|member| async move {
            let citizen = &citizens[*member];
            let path = format!("/servers/{server}/join");
            let deed = Deed::new(Action::Other, "POST", path);
            let join = || citizen.person.join_server(server, None);
            stage.insist(citizen.caller(), &deed, join, None).await
        })
        .buffer_unordered(PARALLEL)
        .try_collect::<()>()
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(users: usize, guilds: usize) -> Options {
        Options {
            url: None,
            users,
            guilds,
            sessions: users,
            slow_readers: 0,
            rate: 1.0,
            duration: std::time::Duration::ZERO,
            kill_every: None,
            rounds: None,
            server_cmd: None,
            fault_cmd: None,
            sabotage: None,
            history: None,
            seed: 0,
        }
    }

    #[test]
    fn every_user_is_in_a_guild_and_every_guild_has_an_owner_of_its_own() {
        for (users, guilds) in [(2, 1), (3, 3), (200, 7), (50, 50)] {
            let options = options(users, guilds);
            let towns: Vec<Vec<usize>> = (0..guilds).map(|one| members(&options, one)).collect();
            let owners: BTreeSet<usize> = towns.iter().map(|members| members[0]).collect();
            assert_eq!(owners.len(), guilds);
            let all: BTreeSet<usize> = towns.iter().flatten().copied().collect();
            assert_eq!(all.len(), users);
            for members in &towns {
                let distinct: BTreeSet<&usize> = members.iter().collect();
                assert_eq!(distinct.len(), members.len());
            }
        }
    }

    #[tokio::test]
    async fn some_members_never_see_the_closed_channel() {
        let guild = Guild::seat("g".to_owned(), "o".to_owned(), (0..1_000).collect());
        assert_eq!(guild.insiders.len() + guild.movers.len(), 200);
        assert_eq!(guild.outsiders().count(), 799);
        let viewers = guild.viewers().await;
        assert!(guild.outsiders().all(|member| !viewers.contains(&member)));
        assert_eq!(viewers.len(), 1 + 100 + 50);
    }
}
