//! Random lives of messages in two channels of a guild, and all that a store answers about them.

use std::fmt::Write;
use std::sync::Arc;

use guildhall_model::emoji::CustomEmoji;
use guildhall_model::event::{Event, Reaction, Record, Source};
use guildhall_model::message::{Anchor, Emoji, Message, Nonce, Place};
use guildhall_model::snowflake::Generator;
use guildhall_model::user::{Status, User};
use guildhall_model::{EventPartition, Id, MessageId, Timestamp};
use guildhall_ports::Messages;

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);
pub(crate) const PARTITION: EventPartition = EventPartition(3);
pub(crate) const SOURCE: Source = Source::Guild(id(100));
const CHANNELS: [u64; 2] = [101, 102];
const USERS: u64 = 4;

/// The id with this number.
pub(crate) const fn id<K>(number: u64) -> Id<K> {
    match Id::new(number) {
        Some(id) => id,
        None => panic!("tests use numbers above zero"),
    }
}

/// A message of a channel.
pub(crate) fn message(id: MessageId, channel: u64, content: &str) -> Message {
    Message {
        id,
        channel_id: self::id(channel),
        place: Place::guild(self::id(100)),
        author: User {
            id: self::id(1),
            username: "ada".to_owned(),
            display_name: None,
            avatar: None,
            bot: false,
            status: Status::Online,
            updated_at: NOW,
        },
        content: content.to_owned(),
        edited_at: None,
        nonce: Some(Nonce::Text(format!("{id}"))),
        reply_to: None,
        mentions: Vec::new(),
        mention_roles: Vec::new(),
        mention_everyone: false,
        reactions: Vec::new(),
        pinned_at: None,
        rich: None,
    }
}

pub(crate) fn record(gseq: u64, event: Event) -> Arc<Record> {
    Arc::new(Record {
        source: SOURCE,
        gseq,
        // Clocks of owners differ: time does not follow the order.
        at: NOW.plus_ms((gseq.cast_signed() * 7_919) % 1_000),
        event,
    })
}

pub(crate) fn created(message: &Message) -> Event {
    Event::MessageCreated(Box::new(message.clone()))
}

pub(crate) fn updated(message: &Message) -> Event {
    Event::MessageUpdated(Box::new(message.clone()))
}

pub(crate) fn reaction(message: &Message, emoji: Emoji, user: u64) -> Box<Reaction> {
    Box::new(Reaction {
        message_id: message.id,
        message_author_id: message.author.id,
        channel_id: message.channel_id,
        place: message.place.clone(),
        user_id: id(user),
        member: None,
        emoji,
    })
}

pub(crate) fn emoji(n: u64) -> Emoji {
    match n {
        0 => Emoji::Standard("👍".to_owned()),
        1 => Emoji::Standard("❤️".to_owned()),
        _ => Emoji::Custom(CustomEmoji {
            id: id(77),
            name: "party".to_owned(),
            is_animated: true,
        }),
    }
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `n`.
    pub(crate) fn roll(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// `n` records of one stream. Messages are posted over some 40 days, so that they stand in several
/// buckets.
pub(crate) fn records(seed: u64, n: u64) -> (Vec<Arc<Record>>, Vec<MessageId>) {
    let (mut dice, mut ids) = (Dice::new(seed), Generator::new(1, 0));
    let (mut alive, mut all): (Vec<Message>, Vec<MessageId>) = Default::default();
    let mut records = Vec::new();
    for gseq in 1..=n {
        let pick = usize::try_from(dice.roll(8)).unwrap();
        let (choice, user, emoji) = (dice.roll(20), 1 + dice.roll(USERS), emoji(dice.roll(3)));
        let event = if alive.len() <= pick || choice < 4 {
            let at = NOW.plus_ms((gseq * 40 * 86_400_000 / n).cast_signed());
            let channel = CHANNELS[usize::try_from(dice.roll(2)).unwrap()];
            let posted = message(ids.mint(at), channel, "first");
            alive.push(posted.clone());
            all.push(posted.id);
            created(&posted)
        } else {
            change(&mut alive, pick, (choice, gseq), (user, emoji))
        };
        records.push(record(gseq, event));
    }
    (records, all)
}

fn change(
    alive: &mut Vec<Message>,
    pick: usize,
    (choice, gseq): (u64, u64),
    (user, emoji): (u64, Emoji),
) -> Event {
    let place = alive.len() - 1 - pick;
    let message = &mut alive[place];
    match choice {
        4..6 => {
            message.content = format!("edit {gseq}");
            message.edited_at = Some(NOW.plus_ms(gseq.cast_signed()));
            updated(message)
        }
        6 => {
            message.pinned_at = match message.pinned_at {
                None => Some(NOW.plus_ms(gseq.cast_signed())),
                Some(_) => None,
            };
            updated(message)
        }
        7 => {
            let gone = alive.remove(place);
            Event::MessageDeleted {
                id: gone.id,
                channel_id: gone.channel_id,
                place: gone.place,
                only_for: None,
            }
        }
        8 => Event::ReactionsCleared {
            message_id: message.id,
            channel_id: message.channel_id,
            place: message.place.clone(),
            emoji: (user != 1).then_some(emoji),
        },
        9..13 => Event::ReactionRemoved(reaction(message, emoji, user)),
        _ => Event::ReactionAdded(reaction(message, emoji, user)),
    }
}

/// All that a store answers, as text that can be compared.
pub(crate) async fn answers(store: &Arc<dyn Messages>, ids: &[MessageId]) -> String {
    let mut text = String::new();
    let mut say = |what: &str, answer: &dyn std::fmt::Debug| {
        writeln!(text, "{what}: {answer:?}").unwrap();
    };
    say("applied", &store.applied(PARTITION).await.unwrap());
    say("place", &store.last_gseq(SOURCE).await.unwrap());
    say("highest", &store.highest_id().await.unwrap());
    for channel in CHANNELS {
        let channel = id(channel);
        let pins = store.pins(channel, Timestamp(i64::MAX), 250).await;
        say("pins", &pins.unwrap());
        for anchor in [
            Anchor::Newest,
            Anchor::After(ids[0]),
            Anchor::Around(ids[ids.len() / 2]),
        ] {
            let page = store.page(channel, anchor, 100).await.unwrap();
            say("page", &page);
        }
    }
    for user in 1..=USERS {
        let given = store.reactions_by(id(user), ids).await.unwrap();
        say("given", &given);
    }
    for message in ids {
        say("message", &store.get(*message).await.unwrap());
        for n in 0..3 {
            let reactors = store.reactors(*message, &emoji(n), None, 100).await;
            say("reactors", &reactors.unwrap());
        }
        let nonce = Nonce::Text(format!("{message}"));
        for channel in CHANNELS {
            let used = store.by_nonce(id(channel), id(1), &nonce, *message).await;
            say("nonce", &used.unwrap());
        }
    }
    text
}
