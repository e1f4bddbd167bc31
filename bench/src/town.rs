//! The people, guilds and channels of a run, made through REST.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use guildhall_loadtest::client::person::Registration;
use guildhall_loadtest::client::{Api, Person, Target};

/// Calls that are under way at a time.
const PARALLEL: usize = 16;
/// Applications that one person makes; the server allows no more.
const APPLICATIONS_EACH: usize = 50;

/// A guild with everybody's access tokens; the first is its owner.
pub(crate) struct Guild {
    pub(crate) tokens: Vec<String>,
    /// The tokens of its bots.
    pub(crate) bots: Vec<String>,
    /// Ids of channels that all members see and may post in.
    pub(crate) channels: Vec<String>,
}

/// How large a town is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) guilds: usize,
    /// People in each guild.
    pub(crate) members: usize,
    /// Bots in each guild.
    pub(crate) bots: usize,
    pub(crate) channels: usize,
}

/// Builds a town on the server at `address`.
pub(crate) fn build(address: SocketAddr, plan: Plan) -> Result<Vec<Guild>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let api = Api::new(Target::parse(&format!("http://{address}"))?);
        // Guilds of one are built side by side, members of large ones as well.
        let side_by_side = if plan.members == 1 { PARALLEL } else { 1 };
        stream::iter(0..plan.guilds)
            .map(|guild| found(&api, guild, plan))
            .buffered(side_by_side)
            .try_collect()
            .await
    })
}

async fn found(api: &Api, guild: usize, plan: Plan) -> Result<Guild> {
    let owner = register(api, guild, 0).await?;
    let server = owner.create_server("bench").await?.body;
    let mut channels = owner.channels(&server.id).await?.body;
    for extra in 1..plan.channels {
        let name = format!("bench-{extra}");
        let channel = owner.create_channel(&server.id, &name, &[]).await?;
        channels.push(channel.body);
    }
    let server = &server.id;
    let joined: Vec<String> = stream::iter(1..plan.members)
        .map(|member| async move {
            let person = register(api, guild, member).await?;
            person.join_server(server, None).await?;
            anyhow::Ok(person.access_token().await)
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    let bots = bring_bots(api, guild, plan, (&owner, server)).await?;
    let mut tokens = vec![owner.access_token().await];
    tokens.extend(joined);
    Ok(Guild {
        tokens,
        bots,
        channels: channels.into_iter().map(|channel| channel.id).collect(),
    })
}

/// Has a guild's bots made by people outside it, each bot with an application of its own.
async fn bring_bots(
    api: &Api,
    guild: usize,
    plan: Plan,
    (owner, server): (&Person, &str),
) -> Result<Vec<String>> {
    let first: Vec<usize> = (0..plan.bots).step_by(APPLICATIONS_EACH).collect();
    let made: Vec<Vec<String>> = stream::iter(first)
        .map(|first| async move {
            let maker = register(api, guild, plan.members + first).await?;
            let mut tokens = Vec::new();
            for bot in first..plan.bots.min(first + APPLICATIONS_EACH) {
                let name = format!("bench{guild}bot{bot}");
                let application = maker.create_application(&name).await?.body;
                owner.add_bot(server, &application.id).await?;
                tokens.push(application.bot_token.context("a bot without token")?);
            }
            anyhow::Ok(tokens)
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(made.concat())
}

async fn register(api: &Api, guild: usize, member: usize) -> Result<Person> {
    let username = format!("bench{guild}x{member}");
    let registration = Registration {
        email: format!("{username}@example.org"),
        password: "a long walk at night".to_owned(),
        username,
    };
    let registered = Person::register(api, &registration).await;
    Ok(registered.context("registering somebody")?.body)
}
