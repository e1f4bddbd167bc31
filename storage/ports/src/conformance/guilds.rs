//! What every adapter of [`Guilds`] promises.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

mod script;
pub(super) mod twin;

use std::sync::Arc;

use futures_util::future::join_all;
use guildhall_model::account::Login;
use guildhall_model::channel::DirectChannel;
use guildhall_model::emoji::{EmojiChange, EmojisChange};
use guildhall_model::event::{Event, Record, RoleEnd, Source};
use guildhall_model::guild::GuildRows;
use guildhall_model::user::User;
use guildhall_model::{Epoch, EventPartition, GuildId};

use super::property::{for_all, same};
use super::sample::{self, NOW, account, founding, id, invite, role, user, webhook};
use crate::accounts::Accounts;
use crate::application_commands::ApplicationCommands;
use crate::guilds::{CommitError, FencingToken, Guilds, Home};

/// Makes a test of each promise about guilds. `$fresh` names an async function that answers
/// [`Stores`](crate::conformance::guilds::Stores), and whatever must live as long as they.
#[macro_export]
macro_rules! guilds_promises {
    ($fresh:path) => {
        $crate::promises! { guilds, $fresh:
            unknown_things_are_absent
            a_guild_loads_as_it_was_founded
            rows_are_the_fold_of_their_events
            a_deleted_guild_is_found_by_its_id_only
            what_was_deleted_of_a_guild_is_unknown
            two_users_have_one_channel
            directs_are_listed_from_the_newest
            the_highest_id_never_falls
            an_instance_value_is_stored_once
        }
    };
}

/// The relational store by its ports.
#[derive(Clone)]
pub struct Stores {
    /// Where users come from.
    pub accounts: Arc<dyn Accounts>,
    /// Guilds, direct-message channels and profiles.
    pub guilds: Arc<dyn Guilds>,
    /// The commands of applications.
    pub commands: Arc<dyn ApplicationCommands>,
}

/// Whoever commits in the tests.
pub(super) const OWNER: FencingToken = FencingToken {
    partition: EventPartition(1),
    epoch: Epoch(3),
};
pub(super) const GUILD: u64 = 100;

pub(super) fn guild_record(guild: u64, gseq: u64, event: Event) -> Record {
    Record {
        source: Source::Guild(id(guild)),
        gseq,
        at: NOW,
        event,
    }
}

pub(super) fn profile_record(gseq: u64, user: User, email: Option<&str>) -> Record {
    Record {
        source: Source::User(user.id),
        gseq,
        at: NOW,
        event: Event::UserUpdated {
            user: Box::new(user),
            email: email.map(str::to_owned),
        },
    }
}

pub(super) fn direct_record(channel: DirectChannel) -> Record {
    Record {
        source: Source::Direct(channel.id),
        gseq: 1,
        at: NOW,
        event: Event::DirectOpened {
            channel,
            users: Box::new(channel.users.map(|id| user(id.get()))),
        },
    }
}

pub(super) fn found(guild: u64) -> Record {
    let event = Event::GuildCreated(Box::new(founding(guild, user(1))));
    guild_record(guild, 1, event)
}

pub(super) async fn register(stores: &Stores, users: u64) {
    for number in 1..=users {
        let outcome = stores.accounts.register(&account(number), "hash").await;
        outcome.unwrap().unwrap();
    }
}

/// Three users, and a guild of the first one.
pub(super) async fn with_guild(stores: &Stores) {
    register(stores, 3).await;
    commit(stores, &[found(GUILD)]).await;
}

pub(super) async fn commit(stores: &Stores, records: &[Record]) {
    stores.guilds.commit(OWNER, records).await.unwrap();
}

pub(super) async fn load(stores: &Stores, guild: u64) -> GuildRows {
    twin::in_order(stores.guilds.load(id(guild)).await.unwrap().unwrap())
}

/// Absence is an answer.
pub async fn unknown_things_are_absent(stores: Stores) {
    let guilds = &stores.guilds;
    assert_eq!(guilds.load(id(1)).await.unwrap(), None);
    assert_eq!(guilds.outbox().await.unwrap(), []);
    assert_eq!(guilds.last_gseq(Source::Guild(id(1))).await.unwrap(), 0);
    assert_eq!(guilds.guilds_of(id(1)).await.unwrap(), []);
    assert_eq!(guilds.home_of(id(1)).await.unwrap(), None);
    assert_eq!(guilds.guild_of_role(id(1)).await.unwrap(), None);
    for code in ["code", "", "co\0de"] {
        assert_eq!(guilds.guild_of_invite(code).await.unwrap(), None);
    }
    assert_eq!(guilds.guild_of_webhook(id(1)).await.unwrap(), None);
    assert_eq!(guilds.guild_of_emoji(id(1)).await.unwrap(), None);
    assert_eq!(guilds.direct_of([id(1), id(2)]).await.unwrap(), None);
    assert_eq!(guilds.directs_of(id(1), 10).await.unwrap(), []);
    assert_eq!(guilds.highest_id().await.unwrap(), 0);
    let done = guilds.outbox_done(Source::Guild(id(1)), 9).await;
    done.unwrap();
}

/// With its first role, channel and member, which lookups find.
pub async fn a_guild_loads_as_it_was_founded(stores: Stores) {
    with_guild(&stores).await;
    let rows = load(&stores, GUILD).await;
    assert_eq!(rows, twin::founded(founding(GUILD, user(1))));

    let guilds = &stores.guilds;
    let guild: GuildId = id(GUILD);
    assert_eq!(guilds.guilds_of(id(1)).await.unwrap(), [guild]);
    assert_eq!(guilds.guilds_of(id(2)).await.unwrap(), []);
    let home = guilds.home_of(id(GUILD + 1)).await.unwrap();
    assert_eq!(home, Some(Home::Guild(guild)));
    let of_role = guilds.guild_of_role(guild.everyone_role()).await;
    assert_eq!(of_role.unwrap(), Some(guild));
}

/// Whatever happens to a guild, and however it is cut into commits.
pub async fn rows_are_the_fold_of_their_events(stores: Stores) {
    register(&stores, script::USERS).await;
    let lives = (script::steps(), 1_usize..6);
    for_all(40, lives, async |call, (steps, batch)| {
        let guild = call * 10_000;
        let founding = founding(guild, user(1));
        let mut rows = twin::founded(founding.clone());
        let mut records = vec![guild_record(
            guild,
            1,
            Event::GuildCreated(Box::new(founding)),
        )];
        for step in &steps {
            let gseq = rows.gseq + 1;
            if let Some(event) = script::event(step, &rows, guild + 1 + gseq) {
                twin::fold(&mut rows, gseq, &event);
                records.push(guild_record(guild, gseq, event));
            }
        }
        for records in records.chunks(batch) {
            let outcome = stores.guilds.commit(OWNER, records).await;
            outcome.map_err(|error| error.to_string())?;
        }
        same("rows", &load(&stores, guild).await, &twin::in_order(rows))
    })
    .await;
}

/// It is as if it had never been, but for those who know its id.
pub async fn a_deleted_guild_is_found_by_its_id_only(stores: Stores) {
    with_guild(&stores).await;
    let events = [
        Event::InviteCreated(invite("code", GUILD)),
        Event::WebhookCreated(Box::new(webhook(120, GUILD))),
        Event::GuildDeleted,
    ];
    let records: Vec<Record> = (2..)
        .zip(events)
        .map(|(gseq, event)| guild_record(GUILD, gseq, event))
        .collect();
    commit(&stores, &records[..2]).await;
    let before = load(&stores, GUILD).await;
    commit(&stores, &records[2..]).await;

    let guilds = &stores.guilds;
    let guild: GuildId = id(GUILD);
    assert_eq!(guilds.guilds_of(id(1)).await.unwrap(), []);
    assert_eq!(guilds.home_of(id(GUILD + 1)).await.unwrap(), None);
    let of_role = guilds.guild_of_role(guild.everyone_role()).await;
    assert_eq!(of_role.unwrap(), None);
    assert_eq!(guilds.guild_of_invite("code").await.unwrap(), None);
    assert_eq!(guilds.guild_of_webhook(id(120)).await.unwrap(), None);
    let kept = GuildRows {
        deleted: true,
        gseq: 4,
        ..before
    };
    assert_eq!(load(&stores, GUILD).await, kept);
}

fn emoji_changed(change: EmojiChange) -> Event {
    let emojis = Vec::new();
    Event::EmojisChanged(Box::new(EmojisChange { change, emojis }))
}

/// Found while they are there, and not a moment longer. Codes tell upper from lower case.
pub async fn what_was_deleted_of_a_guild_is_unknown(stores: Stores) {
    with_guild(&stores).await;
    let (channel, role) = (sample::channel(110, GUILD), role(111, GUILD));
    let (invite, webhook) = (invite("Code", GUILD), Box::new(webhook(112, GUILD)));
    let emoji = sample::guild_emoji(113, GUILD);
    let made = [
        Event::ChannelCreated(channel.clone()),
        Event::RoleCreated(role.clone()),
        Event::InviteCreated(invite.clone()),
        Event::WebhookCreated(webhook.clone()),
        emoji_changed(EmojiChange::Created(emoji.clone())),
    ];
    let end = RoleEnd {
        role: role.clone(),
        holders: Vec::new(),
        overwrites: Vec::new(),
    };
    let ended = [
        Event::ChannelDeleted(channel.clone()),
        Event::RoleDeleted(Box::new(end)),
        Event::InviteDeleted(invite),
        Event::WebhookDeleted(webhook.clone()),
        emoji_changed(EmojiChange::Deleted(emoji.clone())),
    ];
    let found = async || {
        (
            stores.guilds.home_of(channel.id).await.unwrap(),
            stores.guilds.guild_of_role(role.id).await.unwrap(),
            stores.guilds.guild_of_invite("Code").await.unwrap(),
            stores.guilds.guild_of_webhook(webhook.id).await.unwrap(),
            stores.guilds.guild_of_emoji(emoji.id).await.unwrap(),
        )
    };
    let record = |(gseq, event)| guild_record(GUILD, gseq, event);
    commit(&stores, &(2..).zip(made).map(record).collect::<Vec<_>>()).await;
    let guild: GuildId = id(GUILD);
    let known = Some(guild);
    let there = (Some(Home::Guild(guild)), known, known, known, known);
    assert_eq!(stores.guilds.highest_id().await.unwrap(), 113);
    assert_eq!(found().await, there);
    assert_eq!(stores.guilds.guild_of_invite("code").await.unwrap(), None);
    commit(&stores, &(7..).zip(ended).map(record).collect::<Vec<_>>()).await;
    assert_eq!(found().await, (None, None, None, None, None));
    // Its id is not given again.
    assert_eq!(stores.guilds.highest_id().await.unwrap(), 113);
}

/// Whoever comes second is told of the first one's channel.
pub async fn two_users_have_one_channel(stores: Stores) {
    register(&stores, 2).await;
    let channel = |number| DirectChannel {
        id: id(number),
        users: [id(1), id(2)],
    };
    let opened = (201..=204).map(|number| {
        let stores = stores.clone();
        let record = direct_record(channel(number));
        async move { stores.guilds.commit(OWNER, &[record]).await }
    });
    let outcomes = join_all(opened).await;
    let existing = stores.guilds.direct_of([id(1), id(2)]).await.unwrap();
    let existing = existing.expect("one of them was opened");
    let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(served, 1);
    for outcome in outcomes {
        assert!(match outcome {
            Ok(()) => true,
            Err(CommitError::PairExists(told)) => told == existing,
            Err(_) => false,
        });
    }
    let home = stores.guilds.home_of(existing.id).await.unwrap();
    assert_eq!(home, Some(Home::Direct(existing)));
    assert_eq!(stores.guilds.outbox().await.unwrap().len(), 1);
}

/// Whether the user has the smaller or the greater id of the two.
pub async fn directs_are_listed_from_the_newest(stores: Stores) {
    register(&stores, 5).await;
    let channels: Vec<DirectChannel> = [(201, [1, 3]), (202, [3, 4]), (203, [1, 2]), (204, [2, 3])]
        .map(|(number, users)| DirectChannel {
            id: id(number),
            users: users.map(id),
        })
        .to_vec();
    for place in [2, 0, 3, 1] {
        commit(&stores, &[direct_record(channels[place])]).await;
    }
    let listed = async |user, limit| stores.guilds.directs_of(id(user), limit).await.unwrap();
    let third = [channels[3], channels[1], channels[0]];
    assert_eq!(listed(3, 10).await, third);
    assert_eq!(listed(3, 2).await, third[..2]);
    assert_eq!(listed(5, 10).await, []);
}

/// Not even when what has it is gone: an id is never given twice.
pub async fn the_highest_id_never_falls(stores: Stores) {
    register(&stores, 3).await;
    let highest = async || stores.guilds.highest_id().await.unwrap();
    assert_eq!(highest().await, 3);
    commit(&stores, &[found(GUILD)]).await;
    assert_eq!(highest().await, GUILD + 1);
    let login = Login {
        id: id(300),
        user_id: id(1),
        expires_at: NOW,
        revoked: false,
    };
    stores.accounts.open_login(&login, [1; 32]).await.unwrap();
    assert_eq!(highest().await, 300);
    let direct = DirectChannel {
        id: id(400),
        users: [id(1), id(2)],
    };
    commit(&stores, &[direct_record(direct)]).await;
    assert_eq!(highest().await, 400);

    let (channel, role) = (sample::channel(500, GUILD), role(600, GUILD));
    let webhook = Box::new(webhook(700, GUILD));
    let end = RoleEnd {
        role: role.clone(),
        holders: Vec::new(),
        overwrites: Vec::new(),
    };
    for (gseq, (event, expected)) in (2..).zip([
        (Event::ChannelCreated(channel.clone()), 500),
        (Event::ChannelDeleted(channel), 500),
        (Event::RoleCreated(role), 600),
        (Event::RoleDeleted(Box::new(end)), 600),
        (Event::WebhookCreated(webhook.clone()), 700),
        (Event::WebhookDeleted(webhook), 700),
    ]) {
        commit(&stores, &[guild_record(GUILD, gseq, event)]).await;
        assert_eq!(highest().await, expected);
    }
}

/// Also when many ask at the same time: all get the one that was first.
pub async fn an_instance_value_is_stored_once(stores: Stores) {
    let asked = (0..8_u8).map(|number| {
        let stores = stores.clone();
        async move { stores.guilds.instance_value("secret", &[number; 40]).await }
    });
    let values: Vec<Vec<u8>> = join_all(asked)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!((0..8).any(|number| values[0] == [number; 40]));
    assert!(values.iter().all(|value| *value == values[0]));
    let again = stores.guilds.instance_value("secret", b"other").await;
    assert_eq!(again.unwrap(), values[0]);
    let other = stores.guilds.instance_value("other", b"").await;
    assert_eq!(other.unwrap(), b"");
}
