//! Those who ask for things: posters, and one secretary per guild who changes who sees what.

use std::collections::BTreeMap;

use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::command::{
    ChannelCommand, ChannelUpdate, Draft, Edit, Given, GuildCommand, GuildUpdate, PermissionEdit,
    RoleUpdate,
};
use guildhall_model::message::{Emoji, Nonce};
use guildhall_model::text::{Content, GuildName};
use guildhall_model::{ChannelId, MessageId, Permissions, UserId};

use super::env::{Env, Happening, MS, SECOND, Time, ToNode, Wake};
use super::node::{Ask, Node, Request, Response};
use super::store::Slice;
use super::town::{Town, person, user_id};
use crate::history::{self, Access, Action, Entry, reaction_tag};

/// How long a post's answer may take before it is sent again under the same nonce.
const POST_PATIENCE: Time = 3 * SECOND;
/// How long any other answer may take: longer than a request can still be on its way, so that
/// nothing is executed after something that was asked later.
const PATIENCE: Time = 40 * SECOND;
/// Tries of one request.
const TRIES_MAX: u32 = 40;
/// Messages that a poster remembers as its own.
const OWN_MAX: usize = 12;

/// What an actor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Poster(UserId),
    Secretary(usize),
    /// All of them, one thing after the other.
    Everybody,
}

/// Somebody who asks for one thing after the other.
#[derive(Debug)]
pub(super) struct Actor {
    number: usize,
    role: Role,
    rng: fastrand::Rng,
    posted: u64,
    own: Vec<Own>,
    job: Option<Job>,
    /// Requests that were made and settled.
    pub(super) done: u64,
    call: u64,
    asked_at: Time,
    tries: u32,
}

/// A message that was acknowledged.
#[derive(Clone, Debug)]
struct Own {
    town: usize,
    channel: ChannelId,
    id: MessageId,
    nonce: String,
    author: UserId,
    edits: u32,
}

/// What is asked for at present, again and again until the outcome is known.
#[derive(Clone, Debug)]
struct Job {
    town: usize,
    user: UserId,
    ask: Ask,
    action: Action,
    channel: Option<ChannelId>,
    message: Option<MessageId>,
    nonce: Option<String>,
    tag: Option<String>,
    /// How the guild stands once it is done.
    after: Option<Box<Town>>,
}

impl Actor {
    pub(super) fn new(number: usize, role: Role, seed: u64) -> Self {
        Self {
            number,
            role,
            rng: fastrand::Rng::with_seed(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9)),
            posted: 0,
            own: Vec::new(),
            job: None,
            done: 0,
            call: 0,
            asked_at: 0,
            tries: 0,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.job.is_none()
    }

    /// Begins something, or tries again what has not been answered.
    pub(super) fn wake(&mut self, env: &mut Env, nodes: &[Node], towns: &[Town], goes_on: bool) {
        if self.call != 0 {
            let is_post = self
                .job
                .as_ref()
                .is_some_and(|job| job.action == Action::Post);
            let patience = if is_post { POST_PATIENCE } else { PATIENCE };
            if env.now < self.asked_at + patience {
                return;
            }
            self.settle(env, 0, None);
        }
        if self.job.is_none() {
            let is_done = env.scenario.jobs.is_some_and(|jobs| jobs <= self.done);
            if !goes_on || is_done {
                return;
            }
            self.job = self.choose(env, towns);
            self.tries = 0;
        }
        let Some(job) = &self.job else {
            return env.after(SECOND / 2, Happening::Wake(Wake::Actor(self.number)));
        };
        self.tries += 1;
        self.call = env.tape.call();
        self.asked_at = env.now;
        job.write_down(env, self.call, &towns[job.town]);
        let guild = towns[job.town].guild;
        let request = Request {
            actor: self.number,
            call: self.call,
            user: job.user,
            guild,
            ask: job.ask.clone(),
        };
        let is_post = job.action == Action::Post;
        let owner = env.directory.owner(Slice::Event(env.partition_of(guild)));
        let owner = owner
            .map(|(node, _)| node)
            .filter(|&node| node < nodes.len());
        // Who routes may be wrong; only posts may be told twice.
        let node = match owner {
            Some(owner) if env.faults.blow_ms == 0 || env.rng.u8(0..8) > 0 => owner,
            _ => env.rng.usize(0..nodes.len()),
        };
        if is_post && env.chance(env.faults.lose) {
            env.tally.fault("doubled request");
            env.send(node, nodes[node].life, ToNode::Request(request.clone()));
        }
        env.send(node, nodes[node].life, ToNode::Request(request));
        let patience = if is_post { POST_PATIENCE } else { PATIENCE };
        env.after(patience, Happening::Wake(Wake::Actor(self.number)));
    }

    /// A request was answered.
    pub(super) fn answered(
        &mut self,
        env: &mut Env,
        call: u64,
        response: &Response,
        towns: &mut [Town],
    ) {
        if call != self.call || call == 0 {
            return;
        }
        self.settle(env, response.status, response.message);
        let is_unknown = response.status >= 500;
        let gives_up = self.tries >= TRIES_MAX && self.role != Role::Everybody;
        if is_unknown && !gives_up {
            let pause = env.rng.u64(20 * MS..400 * MS);
            return env.after(pause, Happening::Wake(Wake::Actor(self.number)));
        }
        if let Some(job) = self.job.take() {
            self.finish(job, response, towns);
        }
        self.done += 1;
        let pause = if self.role == Role::Everybody {
            MS
        } else {
            self.rng.u64(MS..400 * MS)
        };
        env.after(pause, Happening::Wake(Wake::Actor(self.number)));
    }

    /// Writes down how a call ended.
    fn settle(&mut self, env: &mut Env, status: u16, message: Option<MessageId>) {
        let call = std::mem::take(&mut self.call);
        env.tally.acknowledged += u64::from(status == 200);
        let response = history::Response {
            call,
            status,
            message: message.map(|id| id.to_string().into()),
        };
        env.tape.record(env.now, Entry::Response(response));
    }

    fn finish(&mut self, job: Job, response: &Response, towns: &mut [Town]) {
        if let Some(after) = job.after {
            towns[job.town] = *after;
        }
        let is_success = response.status == 200;
        if let (Action::Post, true, Some(id)) = (job.action, is_success, response.message) {
            if self.own.len() == OWN_MAX {
                self.own.remove(0);
            }
            self.own.push(Own {
                town: job.town,
                channel: job.channel.expect("posts have a channel"),
                id,
                nonce: job.nonce.expect("posts have a nonce"),
                author: job.user,
                edits: 0,
            });
        }
    }

    fn choose(&mut self, env: &Env, towns: &[Town]) -> Option<Job> {
        match self.role {
            Role::Poster(user) => Some(self.choose_word(env, towns, user)),
            Role::Secretary(town) => self.choose_change(env, towns, town),
            Role::Everybody => {
                if self.rng.u8(0..4) == 0 {
                    let town = self.rng.usize(0..towns.len());
                    return self.choose_change(env, towns, town);
                }
                let user = user_id(self.rng.usize(0..env.scenario.users));
                Some(self.choose_word(env, towns, user))
            }
        }
    }

    fn choose_word(&mut self, env: &Env, towns: &[Town], user: UserId) -> Job {
        let town = self.rng.usize(0..towns.len());
        let channel = towns[town].channels[self.rng.usize(0..3)];
        match self.rng.u8(0..20) {
            0..=3 if !self.own.is_empty() => self.choose_edit(),
            4 if !self.own.is_empty() => {
                let own = self.own.swap_remove(self.rng.usize(0..self.own.len()));
                own.job(ChannelCommand::Delete(own.id), Action::Delete, None)
            }
            5 if !self.own.is_empty() => {
                let own = self.own[self.rng.usize(0..self.own.len())].clone();
                let emoji = self.rng.choice(["👍", "👀", "🎉"]).expect("three emoji");
                let tag = reaction_tag(&own.author.to_string(), emoji);
                let given = Given {
                    emoji: Emoji::Standard(emoji.to_owned()),
                    is_external: false,
                };
                let command = ChannelCommand::React(own.id, given);
                own.job(command, Action::React, Some(tag))
            }
            6 => Job {
                town,
                user,
                ask: Ask::Read(channel),
                action: Action::Read,
                channel: Some(channel),
                message: None,
                nonce: None,
                tag: None,
                after: None,
            },
            _ => self.choose_post(env, town, channel, user),
        }
    }

    fn choose_edit(&mut self) -> Job {
        let place = self.rng.usize(0..self.own.len());
        let own = &mut self.own[place];
        own.edits += 1;
        let tag = format!("{}+{}", own.nonce, own.edits);
        let content = Content::parse(&tag).expect("a short word");
        let edit = Box::new(Edit::of_content(content));
        let command = ChannelCommand::Edit(own.id, edit);
        own.job(command, Action::Edit, Some(tag))
    }

    fn choose_post(&mut self, _: &Env, town: usize, channel: ChannelId, user: UserId) -> Job {
        self.posted += 1;
        let nonce = format!("a{}-{}", self.number, self.posted);
        let draft = Draft {
            nonce: Some(Nonce::Text(nonce.clone())),
            ..Draft::said(person(user), Content::parse(&nonce).expect("a short word"))
        };
        Job {
            town,
            user,
            ask: Ask::Write(channel, ChannelCommand::Post(Box::new(draft))),
            action: Action::Post,
            channel: Some(channel),
            message: None,
            nonce: Some(nonce),
            tag: None,
            after: None,
        }
    }

    /// A change of who sees what, or of who is a member.
    fn choose_change(&mut self, env: &Env, towns: &[Town], number: usize) -> Option<Job> {
        let town = &towns[number];
        let member = user_id(self.rng.usize(0..env.scenario.users));
        let is_member = town.state.member(member).is_some();
        let is_owner = member == town.owner;
        let (user, command) = match self.rng.u8(0..12) {
            0..=2 if is_member => (town.owner, town.toggle_key(member)),
            3..=5 if is_member => (town.owner, town.toggle_overwrite(member)),
            6 | 7 => (town.owner, town.toggle_role()),
            8 if is_member && !is_owner => (member, GuildCommand::Leave),
            9 if is_member && !is_owner => {
                let kick = GuildCommand::Ban(Box::new(person(member)), None);
                (town.owner, kick)
            }
            10 | 11 => {
                let name = format!("Town {}", self.rng.u16(..));
                let update = GuildUpdate {
                    name: Some(GuildName::parse(&name).expect("a short name")),
                    ..GuildUpdate::default()
                };
                (town.owner, GuildCommand::UpdateGuild(update))
            }
            _ if town.state.ban(member).is_some() => (town.owner, GuildCommand::Unban(member)),
            _ if !is_member => {
                let user = Box::new(person(member));
                (member, GuildCommand::Join { user, code: None })
            }
            _ => return None,
        };
        let after = Box::new(town.after(user, command.clone())?);
        Some(Job {
            town: number,
            user,
            ask: Ask::Command(command),
            action: Action::Other,
            channel: None,
            message: None,
            nonce: None,
            tag: None,
            after: Some(after),
        })
    }
}

impl Own {
    fn job(&self, command: ChannelCommand, action: Action, tag: Option<String>) -> Job {
        Job {
            town: self.town,
            user: self.author,
            ask: Ask::Write(self.channel, command),
            action,
            channel: Some(self.channel),
            message: Some(self.id),
            nonce: None,
            tag,
            after: None,
        }
    }
}

impl Job {
    fn write_down(&self, env: &mut Env, call: u64, before: &Town) {
        let request = history::Request {
            call,
            user: self.user.to_string().into(),
            action: self.action,
            method: "POST".into(),
            path: "/".into(),
            channel: self.channel.map(|id| id.to_string().into()),
            message: self.message.map(|id| id.to_string().into()),
            nonce: self.nonce.clone().map(Into::into),
            tag: self.tag.clone().map(Into::into),
            access: self.changes(env, before),
        };
        env.tape.record(env.now, Entry::Request(request));
    }

    /// What the request changes about who sees what.
    fn changes(&self, env: &Env, before: &Town) -> Vec<Access<'static>> {
        let Some(after) = &self.after else {
            return Vec::new();
        };
        let users = env.scenario.users;
        let before: BTreeMap<(String, String), bool> = before
            .sights(users)
            .into_iter()
            .map(|one| {
                (
                    (
                        one.channel.as_str().to_owned(),
                        one.user.as_str().to_owned(),
                    ),
                    one.view,
                )
            })
            .collect();
        let mut access = after.sights(users);
        access.retain(|one| {
            let key = (
                one.channel.as_str().to_owned(),
                one.user.as_str().to_owned(),
            );
            before.get(&key) != Some(&one.view)
        });
        access
    }
}

impl Town {
    fn toggle_key(&self, member: UserId) -> GuildCommand {
        let has_it = self
            .state
            .member(member)
            .is_some_and(|member| member.roles.contains(&self.key));
        let roles = if has_it { Vec::new() } else { vec![self.key] };
        GuildCommand::SetMemberRoles(member, roles)
    }

    /// Shows the closed channel to a member by an overwrite of its own, or takes that away.
    fn toggle_overwrite(&self, member: UserId) -> GuildCommand {
        let id = self.channels[1];
        let channel = self.state.channel(id);
        let mut overwrites = channel.map_or_else(Vec::new, |channel| channel.overwrites.clone());
        let target = OverwriteTarget::Member(member);
        let before = overwrites.len();
        overwrites.retain(|overwrite| overwrite.target != target);
        if overwrites.len() == before {
            overwrites.push(Overwrite {
                target,
                allow: Permissions::VIEW_CHANNEL,
                deny: Permissions::empty(),
            });
        }
        let update = ChannelUpdate {
            overwrites: Some(overwrites.into_iter().map(Into::into).collect()),
            ..ChannelUpdate::default()
        };
        GuildCommand::UpdateChannel(id, update)
    }

    /// Lets everybody see channels, or nobody but those who hold the key.
    fn toggle_role(&self) -> GuildCommand {
        let everyone = self.guild.everyone_role();
        let mask = Permissions::VIEW_CHANNEL;
        let role = self.state.role(everyone);
        let bits = if role.is_some_and(|role| role.permissions.contains(mask)) {
            Permissions::empty()
        } else {
            mask
        };
        GuildCommand::UpdateRole(
            everyone,
            RoleUpdate {
                permissions: Some(PermissionEdit { mask, bits }),
                ..RoleUpdate::default()
            },
        )
    }
}
