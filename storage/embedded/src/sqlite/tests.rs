//! What is SQLite's own among the adapters' promises: files, faults and query plans.

mod faults;
mod files;
mod logins;
mod statements;

use std::path::PathBuf;
use std::sync::Arc;

use guildhall_model::account::Account;
use guildhall_model::event::{Event, Record, Source};
use guildhall_model::message::{Message, Nonce, Place};
use guildhall_model::user::{Status, User};
use guildhall_model::{EventPartition, Id, Position, Timestamp};
use guildhall_ports::{Failure, Messages};
use sqlx::{ConnectOptions, SqliteConnection};
use tempfile::TempDir;

use super::{Projection, Relational};

const PARTITION: EventPartition = EventPartition(0);

/// A directory with a place for each database.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn guildhall(&self) -> PathBuf {
        self.0.path().join("guildhall.db")
    }

    fn messages(&self) -> PathBuf {
        self.0.path().join("messages.db")
    }

    async fn relational(&self) -> Relational {
        Relational::open(&self.guildhall()).await.unwrap()
    }

    async fn projection(&self) -> Projection {
        Projection::open(&self.messages()).await.unwrap()
    }
}

/// An operator's own connection to a database.
async fn shell(path: PathBuf) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    options.connect().await.unwrap()
}

fn id<K>(number: u64) -> Id<K> {
    Id::new(number).unwrap()
}

fn account(number: u64) -> Account {
    Account {
        user: User {
            id: id(number),
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

fn message(number: u64) -> Message {
    Message {
        id: id(number),
        channel_id: id(7),
        place: Place::guild(id(5)),
        author: account(1).user,
        content: "word ".repeat(400),
        edited_at: None,
        nonce: Some(Nonce::Number(1)),
        reply_to: None,
        mentions: Vec::new(),
        mention_roles: Vec::new(),
        mention_everyone: false,
        reactions: Vec::new(),
        pinned_at: None,
        rich: None,
    }
}

/// Posts so many messages, numbered from behind `after`, in one batch.
async fn post(store: &Projection, after: u64, count: u64) -> Result<(), Failure> {
    let records: Vec<Arc<Record>> = (after + 1..=after + count)
        .map(|number| {
            Arc::new(Record {
                source: Source::Guild(id(5)),
                gseq: number,
                at: Timestamp(0),
                event: Event::MessageCreated(Box::new(message(number))),
            })
        })
        .collect();
    store
        .apply(PARTITION, &records, Position(after + count))
        .await
}
