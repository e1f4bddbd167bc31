//! A guild with an owner and two members, and what they do.

use guildhall_host::observe::EventPartitionState;
use guildhall_host::{NewGuild, Node, Refused, Written};
use guildhall_model::account::Account;
use guildhall_model::command::{ChannelCommand, Draft, GuildCommand, RoleUpdate};
use guildhall_model::event::{Record, Source};
use guildhall_model::message::{Anchor, Nonce};
use guildhall_model::snowflake::Generator;
use guildhall_model::text::{Content, GuildName};
use guildhall_model::user::{Status, User};
use guildhall_model::{ChannelId, GuildId, MessageId, Timestamp, UserId};
use guildhall_ports::Accounts as _;
use guildhall_ports::guilds::FencingToken;
use guildhall_state::Mint;

use crate::client::Client;
use crate::house::{House, Serving};

/// Who lives there; the first owns the guild.
const PEOPLE: [u64; 3] = [11, 12, 13];
/// Somebody who lives elsewhere.
const STRANGER: u64 = 14;

pub(crate) struct Town {
    pub(crate) people: Vec<Account>,
    pub(crate) guild: GuildId,
    pub(crate) channel: ChannelId,
}

impl Town {
    pub(crate) fn found(house: &House, at: &Serving) -> Self {
        let people: Vec<Account> = PEOPLE.map(account).into();
        for person in &people {
            let registered = house.wait(house.relational.register(person, "$argon2id$none"));
            registered.unwrap().unwrap();
        }
        let owner = people[0].user.clone();
        let view = at
            .run(at.node.create_guild(owner, new_guild("Town")))
            .unwrap();
        let (guild, channel) =
            view.read(|state| (state.guild().id, state.channels().next().unwrap().id));
        for person in &people[1..] {
            let user = Box::new(person.user.clone());
            let join = GuildCommand::Join { user, code: None };
            at.run(at.node.command(guild, person.user.id, join))
                .unwrap();
        }
        Self {
            people,
            guild,
            channel,
        }
    }

    /// Somebody with a guild of its own.
    pub(crate) fn stranger(house: &House, at: &Serving) -> Account {
        let stranger = account(STRANGER);
        let registered = house.wait(house.relational.register(&stranger, "$argon2id$none"));
        registered.unwrap().unwrap();
        let owner = stranger.user.clone();
        at.run(at.node.create_guild(owner, new_guild("Elsewhere")))
            .unwrap();
        stranger
    }

    /// Two sessions of the owner and one of each other person.
    pub(crate) fn clients(&self, at: &Serving) -> Vec<Client> {
        let owner_again = self.people.iter().chain(&self.people[..1]);
        let numbered = (0_u8..).zip(owner_again);
        numbered
            .map(|(n, account)| Client::open(at, account, n))
            .collect()
    }

    pub(crate) fn owner(&self) -> UserId {
        self.people[0].user.id
    }

    /// Posts a message; its text is its nonce.
    pub(crate) async fn post(
        &self,
        node: &Node,
        who: usize,
        text: &str,
    ) -> Result<Written, Refused> {
        post(
            node.clone(),
            self.channel,
            self.people[who].user.clone(),
            text.to_owned(),
        )
        .await
    }

    /// Posts a message and waits until it is acknowledged.
    pub(crate) fn posted(&self, at: &Serving, who: usize, text: &str) -> MessageId {
        match at.run(self.post(&at.node, who, text)).unwrap() {
            Written::Message(message) | Written::Repeated(message) => message.id,
            Written::Done => panic!("a post answers with its message"),
        }
    }

    /// Posts a message as clients do: a failure is answered by the same request again.
    pub(crate) fn insist(&self, at: &Serving, who: usize, text: &str) -> Written {
        at.run(async {
            loop {
                match self.post(&at.node, who, text).await {
                    Ok(written) => return written,
                    Err(Refused::Failure(_)) => tokio::task::yield_now().await,
                    Err(rejected) => panic!("{rejected}"),
                }
            }
        })
    }

    /// New roles as their owner would commit them, from this place of the stream on.
    pub(crate) fn roles(&self, at: &Serving, first: u64, n: u64) -> Vec<Record> {
        let view = at.run(at.node.guild(self.guild)).unwrap().unwrap();
        let now = at.node.env().now();
        let mut ids = Generator::new(9, 0);
        let mut mint = Mint { now, ids: &mut ids };
        let mut decide = || {
            let decided = view.read(|state| state.decide(self.owner(), new_role(), &mut mint));
            decided.unwrap().remove(0)
        };
        let record = |gseq| Record {
            source: Source::Guild(self.guild),
            gseq,
            at: now,
            event: decide(),
        };
        (first..first + n).map(record).collect()
    }

    /// What commits of the guild's owner are accepted with.
    pub(crate) fn token(&self, at: &Serving) -> FencingToken {
        let partitions = at.node.observe().event_partitions;
        let mine = |partition: &&EventPartitionState| {
            let mut guilds = partition.busiest_guilds.iter();
            guilds.any(|guild| guild.id == self.guild)
        };
        let partition = partitions.iter().find(mine).unwrap();
        FencingToken {
            partition: partition.number,
            epoch: partition.epoch,
        }
    }

    /// What the owner reads of the channel, oldest first.
    pub(crate) fn page(&self, at: &Serving) -> Vec<(MessageId, String)> {
        let page = at
            .node
            .page(self.channel, self.owner(), Anchor::Newest, 100);
        let page = at.run(page).unwrap();
        page.iter()
            .rev()
            .map(|message| (message.id, message.content.clone()))
            .collect()
    }
}

/// A node with a town, whose owner is connected and has been told a first message.
pub(crate) fn founded() -> (House, Serving, Town, Client) {
    let mut house = House::new();
    let serving = house.start();
    let town = Town::found(&house, &serving);
    let mut client = Client::open(&serving, &town.people[0], 0);
    // The session's start is complete once something comes after it.
    let first = town.posted(&serving, 1, "first");
    client.until_told(&serving, first);
    (house, serving, town, client)
}

pub(crate) fn new_guild(name: &str) -> NewGuild {
    NewGuild {
        name: GuildName::parse(name).unwrap(),
        description: None,
        icon: None,
        is_public: true,
    }
}

/// A command that makes one more role.
pub(crate) fn new_role() -> GuildCommand {
    GuildCommand::CreateRole(RoleUpdate::default())
}

pub(crate) async fn post(
    node: Node,
    channel: ChannelId,
    author: User,
    text: String,
) -> Result<Written, Refused> {
    let said = Content::parse(&text).unwrap();
    let draft = Draft {
        nonce: Some(Nonce::Text(text)),
        ..Draft::said(author.clone(), said)
    };
    node.write(channel, author.id, ChannelCommand::Post(Box::new(draft)))
        .await
}

fn account(number: u64) -> Account {
    Account {
        user: User {
            id: UserId::new(number).unwrap(),
            username: format!("person{number}"),
            display_name: None,
            avatar: None,
            bot: false,
            status: Status::Online,
            updated_at: Timestamp(0),
        },
        email: Some(format!("person{number}@mail.example")),
    }
}
