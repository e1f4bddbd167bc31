//! Made-up people and things that the tests store.

use guildhall_model::account::{Account, Application};
use guildhall_model::application_command::{CommandDefinition, Localized};
use guildhall_model::channel::{Channel, ChannelKind};
use guildhall_model::event::{Event, Founding, GuildChange, Record, Source};
use guildhall_model::guild::Guild;
use guildhall_model::intent::Intents;
use guildhall_model::member::Member;
use guildhall_model::role::Role;
use guildhall_model::user::{Status, User};
use guildhall_model::{Id, Permissions, Timestamp};
use guildhall_ports::Accounts;
use guildhall_ports::application_commands::NewCommand;
use guildhall_postgres::PostgresStore;

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn id<K>(number: u64) -> Id<K> {
    Id::new(number).unwrap()
}

pub(crate) fn account(number: u64) -> Account {
    Account {
        user: User {
            id: id(number),
            username: format!("person{number}"),
            display_name: None,
            avatar: None,
            bot: false,
            status: Status::Online,
            updated_at: NOW,
        },
        email: Some(format!("person{number}@mail.example")),
    }
}

pub(crate) async fn register(store: &PostgresStore, number: u64) {
    let registered = store.register(&account(number), "hash").await;
    registered.unwrap().unwrap();
}

/// An application of this number whose owner is user 1.
pub(crate) fn application(number: u64) -> Application {
    Application {
        id: id(number),
        name: "Robot".to_owned(),
        owner_id: id(1),
        bot: User {
            bot: true,
            ..account(number).user
        },
        privileged_intents: Intents::empty(),
    }
}

pub(crate) fn command(number: u64) -> NewCommand {
    NewCommand {
        id: id(number),
        version: id(number),
        definition: CommandDefinition {
            name: Localized::plain(&format!("command{number}")),
            description: Localized::plain("does something"),
            options: Vec::new(),
            default_member_permissions: None,
            contexts: None,
            nsfw: false,
        },
    }
}

/// The membership of a user, without roles.
pub(crate) fn member(number: u64) -> Member {
    Member {
        user: account(number).user,
        nick: None,
        roles: Vec::new(),
        joined_at: NOW,
        timed_out_until: None,
        temporary: false,
    }
}

pub(crate) fn role(number: u64, guild: u64) -> Role {
    Role {
        id: id(number),
        guild_id: id(guild),
        name: "role".to_owned(),
        color: 0,
        hoist: false,
        mentionable: false,
        managed: false,
        permissions: Permissions::DEFAULT,
        position: 1,
    }
}

/// A guild of user 1; its first channel has the number after its own.
pub(crate) fn founding(number: u64) -> Founding {
    Founding {
        guild: guild(number, "Guild"),
        everyone: role(number, number),
        channel: Channel {
            id: id(number + 1),
            guild_id: id(number),
            kind: ChannelKind::Text,
            name: "general".to_owned(),
            topic: None,
            position: 0,
            parent_id: None,
            overwrites: Vec::new(),
        },
        owner: member(1),
    }
}

fn guild(number: u64, name: &str) -> Guild {
    Guild {
        id: id(number),
        name: name.to_owned(),
        owner_id: id(1),
        description: None,
        icon: None,
        is_public: false,
    }
}

pub(crate) fn record(guild: u64, gseq: u64, event: Event) -> Record {
    Record {
        source: Source::Guild(id(guild)),
        gseq,
        at: NOW,
        event,
    }
}

pub(crate) fn founded(guild: u64) -> Record {
    record(guild, 1, Event::GuildCreated(Box::new(founding(guild))))
}

/// A guild gets the name of the event's place.
pub(crate) fn renamed(number: u64, gseq: u64) -> Record {
    let change = GuildChange {
        before: guild(number, "Guild"),
        after: guild(number, &format!("Guild {gseq}")),
        roles: Vec::new(),
        emojis: Vec::new(),
        member_count: 1,
    };
    record(number, gseq, Event::GuildUpdated(Box::new(change)))
}
