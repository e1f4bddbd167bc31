//! The port `Blobs`: objects under `KIND/NUMBER`, the number in sixteen hexadecimal digits, so that
//! the order of the keys is that of the numbers.
//!
//! S3 has no renaming: a blob is copied within the engine and then deleted where it was. An engine
//! that does not find a key may as well have lost its bucket, and says so in many ways; whenever
//! something is absent the bucket is asked for too.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use futures_util::StreamExt;
use futures_util::stream;
use guildhall_ports::blobs::{BlobInfo, BlobKey, BlobKind, BlobWriter, OpenBlob};
use guildhall_ports::{Blobs, Failure, Standing};
use tokio::time::timeout;

use crate::client;
use crate::config::Config;
use crate::error::{ENGINE, Refusal, failure, missing_bucket, refusal};
use crate::metadata;
use crate::reader;
use crate::writer::Writer;

/// Keys of one page of a list, at least and at most. With too few, a bucket that somebody else's
/// objects are in would be read in as many requests.
const PAGE_KEYS: (usize, usize) = (100, 1_000);
/// How long a list may take with all its pages.
const LIST: Duration = Duration::from_mins(1);
/// How often reading begins anew because the blob was replaced in between.
const OPENINGS_MAX: usize = 3;
/// Hexadecimal digits of a number.
const DIGITS: usize = 16;

/// The blobs in one bucket, which all nodes share. A clone is the same store.
#[derive(Clone)]
pub struct S3Blobs {
    store: Arc<Store>,
}

/// The bucket and the way to it.
pub(crate) struct Store {
    pub(crate) client: Client,
    pub(crate) bucket: String,
    pub(crate) standing: Standing,
}

impl S3Blobs {
    /// Reaches the engine once. Refuses a bucket that is missing or that our keys do not open.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        let store = Store {
            client: client::client(config)?,
            bucket: config.bucket.clone(),
            standing: Standing::default(),
        };
        store.expect_bucket().await?;
        Ok(Self {
            store: Arc::new(store),
        })
    }

    /// Whether the engine can be reached, as what this process asks of it tells.
    pub fn standing(&self) -> Standing {
        self.store.standing.clone()
    }

    /// Asks for the bucket, for the sake of [`Self::standing`]. It takes two seconds at most.
    pub async fn look(&self) {
        // The outcome is noted.
        let _ = self.store.watch(self.store.look()).await;
    }
}

impl fmt::Debug for S3Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Blobs").field(&self.store.bucket).finish()
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(
        &self,
        key: BlobKey,
        media_type: &str,
        bytes_max: u64,
    ) -> Result<Box<dyn BlobWriter>, Failure> {
        let headers = metadata::write(media_type)
            .ok_or_else(|| Failure::unavailable(ENGINE, "the media type is too long"))?;
        let store = Arc::clone(&self.store);
        Ok(Box::new(Writer::begin(store, key, headers, bytes_max)))
    }

    async fn info(&self, key: BlobKey) -> Result<Option<BlobInfo>, Failure> {
        self.store.watch(Box::pin(self.store.info(key))).await
    }

    async fn open(&self, key: BlobKey, range: Range<u64>) -> Result<Option<OpenBlob>, Failure> {
        self.store
            .watch(Box::pin(self.store.open(key, range)))
            .await
    }

    async fn rename(&self, from: BlobKey, to: BlobKey) -> Result<bool, Failure> {
        self.store
            .watch(Box::pin(self.store.rename(from, to)))
            .await
    }

    async fn delete(&self, key: BlobKey) -> Result<(), Failure> {
        self.store.watch(Box::pin(self.store.delete(key))).await
    }

    async fn list(&self, kind: BlobKind, limit: usize) -> Result<Vec<BlobKey>, Failure> {
        self.store
            .watch(Box::pin(self.store.list(kind, limit)))
            .await
    }
}

impl Store {
    /// Does something and notes whether the engine was there.
    pub(crate) async fn watch<T>(
        &self,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.standing.watch(question).await
    }

    /// Fails if the bucket is not there.
    async fn expect_bucket(&self) -> Result<(), Failure> {
        there(self.client.head_bucket().bucket(&self.bucket).send().await)
    }

    /// The same, asked once and for a short time.
    async fn look(&self) -> Result<(), Failure> {
        let head = self.client.head_bucket().bucket(&self.bucket).customize();
        there(head.config_override(client::curious()).send().await)
    }

    async fn open(&self, key: BlobKey, range: Range<u64>) -> Result<Option<OpenBlob>, Failure> {
        for _ in 0..OPENINGS_MAX {
            if !reader::is_empty(&range) {
                match self.get(key, &range).await {
                    Ok(open) => return Ok(Some(open)),
                    Err(Refusal::Absent) => return self.expect_bucket().await.map(|()| None),
                    Err(Refusal::OutOfRange) => {}
                    Err(Refusal::Failure(failure)) => return Err(failure),
                }
            }
            let info = self.info(key).await?;
            let is_in = |info: &BlobInfo| !reader::is_empty(&range) && range.start < info.length;
            if !info.as_ref().is_some_and(is_in) {
                let bytes = stream::empty().boxed();
                return Ok(info.map(|info| OpenBlob { info, bytes }));
            }
        }
        let why = format!("{key} is replaced again and again");
        Err(Failure::unavailable(ENGINE, why))
    }

    async fn rename(&self, from: BlobKey, to: BlobKey) -> Result<bool, Failure> {
        if from == to {
            return Ok(self.info(from).await?.is_some());
        }
        let is_copied = self.copy(from, to).await?;
        if is_copied {
            self.delete(from).await?;
        }
        Ok(is_copied)
    }

    async fn info(&self, key: BlobKey) -> Result<Option<BlobInfo>, Failure> {
        let head = self.client.head_object().bucket(&self.bucket);
        let head = match head.key(key.to_string()).send().await {
            Ok(head) => head,
            Err(error) => {
                return match refusal(&error) {
                    Refusal::Absent => self.expect_bucket().await.map(|()| None),
                    _ => Err(failure(&error)),
                };
            }
        };
        let length = head.content_length().and_then(|n| u64::try_from(n).ok());
        let length = length.ok_or_else(|| {
            Failure::unavailable(ENGINE, format!("it does not say how long {key} is"))
        })?;
        metadata::read(key, length, head.metadata()).map(Some)
    }

    async fn get(&self, key: BlobKey, range: &Range<u64>) -> Result<OpenBlob, Refusal> {
        let get = self.client.get_object().bucket(&self.bucket);
        let answer = get
            .key(key.to_string())
            .set_range(reader::header(range))
            .send()
            .await
            .map_err(|error| refusal(&error))?;
        let (whole, coming) = reader::lengths(&answer, range).ok_or_else(|| {
            let why = format!("its answer has other bytes of {key} than were asked for");
            Refusal::Failure(Failure::unavailable(ENGINE, why))
        })?;
        let info = metadata::read(key, whole, answer.metadata()).map_err(Refusal::Failure)?;
        let bytes = reader::pieces(answer.body, key, coming);
        Ok(OpenBlob { info, bytes })
    }

    /// False if there is nothing to copy. Neither the bucket's name nor keys have characters that
    /// would have to be encoded.
    async fn copy(&self, from: BlobKey, to: BlobKey) -> Result<bool, Failure> {
        let copy = self.client.copy_object().bucket(&self.bucket);
        let copied = copy
            .key(to.to_string())
            .copy_source(format!("{}/{from}", self.bucket))
            .customize()
            .config_override(client::patient())
            .send()
            .await;
        let Err(error) = copied else {
            return Ok(true);
        };
        match refusal(&error) {
            Refusal::Absent => self.expect_bucket().await.map(|()| false),
            _ => Err(failure(&error)),
        }
    }

    async fn delete(&self, key: BlobKey) -> Result<(), Failure> {
        let delete = self.client.delete_object().bucket(&self.bucket);
        let Err(error) = delete.key(key.to_string()).send().await else {
            return Ok(());
        };
        match refusal(&error) {
            Refusal::Absent => self.expect_bucket().await,
            _ => Err(failure(&error)),
        }
    }

    async fn list(&self, kind: BlobKind, limit: usize) -> Result<Vec<BlobKey>, Failure> {
        let listed = timeout(LIST, self.pages(kind, limit)).await;
        listed.map_err(|_| {
            let why = format!("no whole list within {} s", LIST.as_secs());
            Failure::unavailable(ENGINE, why)
        })?
    }

    async fn pages(&self, kind: BlobKind, limit: usize) -> Result<Vec<BlobKey>, Failure> {
        let prefix = format!("{}/", kind.name());
        let (mut keys, mut place) = (Vec::new(), None);
        while keys.len() < limit {
            let wanted = limit.saturating_sub(keys.len());
            let wanted = wanted.clamp(PAGE_KEYS.0, PAGE_KEYS.1);
            let page = self.client.list_objects_v2().bucket(&self.bucket);
            let page = page
                .prefix(&prefix)
                .max_keys(i32::try_from(wanted).unwrap_or(i32::MAX))
                .set_continuation_token(place.take())
                .send()
                .await
                .map_err(|error| failure(&error))?;
            let names = page.contents().iter().filter_map(|object| object.key());
            let numbers = names.filter_map(|name| number(name.strip_prefix(&prefix)?));
            keys.extend(numbers.map(|number| BlobKey::new(kind, number)));
            place = page.next_continuation_token;
            if place.is_none() {
                break;
            }
        }
        keys.truncate(limit);
        Ok(keys)
    }
}

/// What an answer says of the bucket that was asked for.
fn there<T>(answer: Result<T, SdkError<HeadBucketError, HttpResponse>>) -> Result<(), Failure> {
    match answer.as_ref().map_err(refusal) {
        Ok(_) => Ok(()),
        Err(Refusal::Absent) => Err(missing_bucket()),
        Err(_) => answer.map(|_| ()).map_err(|error| failure(&error)),
    }
}

/// The number that a name stands for. Only the spelling that we write counts: two names must not
/// stand for one number.
fn number(name: &str) -> Option<u64> {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let is_ours = name.len() == DIGITS && name.bytes().all(is_digit);
    is_ours.then(|| u64::from_str_radix(name, 16).ok())?
}
