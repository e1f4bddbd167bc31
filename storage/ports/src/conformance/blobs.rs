//! What every store of blobs promises.

#![expect(missing_docs, reason = "a promise's name is its documentation")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use guildhall_model::Id;
use guildhall_model::picture::PictureHash;

use crate::blobs::{BlobKey, BlobKind, BlobWriter, Blobs, MEDIA_TYPE_BYTES_MAX, WriteError};

/// A store of blobs that outlive it.
#[async_trait]
pub trait Fixture: Send {
    /// The open store.
    fn blobs(&self) -> Arc<dyn Blobs>;
    /// Opens it again, as a new process does.
    async fn restart(&mut self);
}

/// Makes a test of each promise. `$fresh` names an async function that answers a [`Fixture`] with
/// an empty store, and whatever must live as long as it.
#[macro_export]
macro_rules! blobs_promises {
    ($fresh:path) => {
        $crate::promises! { blobs, $fresh:
            a_blob_reads_back_as_it_was_put
            a_part_of_a_blob_is_read_and_nothing_else
            a_blob_is_not_there_before_it_is_finished
            a_blob_that_is_dropped_unfinished_is_not_there_after_a_restart
            a_byte_over_the_bound_ends_the_blob
            a_blob_put_again_replaces_the_former_one_as_a_whole
            keys_of_different_kinds_are_different
            a_key_without_a_blob_is_absent
            a_renamed_blob_is_under_its_new_key_only
            a_deleted_blob_is_gone_and_may_be_deleted_again
            who_reads_a_blob_is_not_disturbed_by_its_deletion
            blobs_are_listed_by_number_up_to_the_limit
            a_media_type_is_kept_up_to_its_bound
            blobs_survive_a_restart
            a_picture_is_found_by_its_owner_and_name
        }
    };
}

fn upload(n: u64) -> BlobKey {
    BlobKey::upload(Id::new(n).unwrap())
}

fn attachment(n: u64) -> BlobKey {
    BlobKey::attachment(Id::new(n).unwrap())
}

async fn writer(blobs: &dyn Blobs, key: BlobKey, bytes_max: u64) -> Box<dyn BlobWriter> {
    blobs.put(key, "text/plain", bytes_max).await.unwrap()
}

async fn put(blobs: &dyn Blobs, key: BlobKey, content: &[u8]) {
    let mut writer = writer(blobs, key, content.len() as u64).await;
    for piece in content.chunks(7_001) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert_eq!(writer.finish().await.unwrap(), content.len() as u64);
}

async fn part(blobs: &dyn Blobs, key: BlobKey, range: Range<u64>) -> Option<Vec<u8>> {
    let open = blobs.open(key, range).await.unwrap()?;
    let pieces: Vec<Bytes> = open.bytes.try_collect().await.unwrap();
    Some(pieces.concat())
}

async fn whole(blobs: &dyn Blobs, key: BlobKey) -> Option<Vec<u8>> {
    let content = part(blobs, key, 0..u64::MAX).await;
    let info = blobs.info(key).await.unwrap();
    assert_eq!(
        info.map(|info| info.length),
        content.as_ref().map(|content| content.len() as u64)
    );
    content
}

fn content(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

pub async fn a_blob_reads_back_as_it_was_put(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    for (n, length) in [
        (1, 0),
        (2, 1),
        (3, 65_536),
        (i64::MAX as u64, (3 << 20) + 5),
    ] {
        let content = content(length);
        put(&*blobs, attachment(n), &content).await;
        assert!(whole(&*blobs, attachment(n)).await == Some(content), "{n}");
    }
}

pub async fn a_part_of_a_blob_is_read_and_nothing_else(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    let content = content(200_000);
    put(&*blobs, attachment(1), &content).await;
    for range in [
        0..0,
        0..1,
        5..17,
        65_535..65_537,
        199_999..200_000,
        0..200_000,
    ] {
        let (start, end) = (
            usize::try_from(range.start).unwrap(),
            usize::try_from(range.end).unwrap(),
        );
        let read = part(&*blobs, attachment(1), range.clone()).await.unwrap();
        assert!(read == content[start..end], "{range:?}");
    }
    for range in [200_000..200_001, 200_000..u64::MAX, u64::MAX..u64::MAX] {
        assert_eq!(part(&*blobs, attachment(1), range).await.unwrap(), [0; 0]);
    }
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a store must not trip over it"
    )]
    let backwards = 9..3;
    assert_eq!(
        part(&*blobs, attachment(1), backwards).await.unwrap(),
        [0; 0]
    );
    let over = part(&*blobs, attachment(1), 199_998..u64::MAX).await;
    assert_eq!(over.unwrap(), content[199_998..]);
    let open = blobs.open(attachment(1), 5..6).await.unwrap().unwrap();
    assert_eq!(open.info.length, 200_000);
}

pub async fn a_blob_is_not_there_before_it_is_finished(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    let mut writer = writer(&*blobs, attachment(1), 1 << 20).await;
    writer.write(Bytes::from(content(500_000))).await.unwrap();
    assert_eq!(whole(&*blobs, attachment(1)).await, None);
    assert!(
        blobs
            .list(BlobKind::Attachment, 9)
            .await
            .unwrap()
            .is_empty()
    );
    drop(writer);
    assert_eq!(whole(&*blobs, attachment(1)).await, None);
}

pub async fn a_blob_that_is_dropped_unfinished_is_not_there_after_a_restart(
    mut fixture: impl Fixture,
) {
    let blobs = fixture.blobs();
    put(&*blobs, attachment(1), b"former").await;
    let mut writer = writer(&*blobs, attachment(1), 9).await;
    writer.write(Bytes::from("present")).await.unwrap();
    drop(writer);
    assert_eq!(whole(&*blobs, attachment(1)).await.unwrap(), b"former");
    fixture.restart().await;
    let blobs = fixture.blobs();
    assert_eq!(whole(&*blobs, attachment(1)).await.unwrap(), b"former");
}

pub async fn a_byte_over_the_bound_ends_the_blob(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    let mut fits = writer(&*blobs, attachment(1), 5).await;
    fits.write(Bytes::from("12345")).await.unwrap();
    fits.write(Bytes::new()).await.unwrap();
    assert_eq!(fits.finish().await.unwrap(), 5);
    let mut over = writer(&*blobs, attachment(2), 5).await;
    over.write(Bytes::from("1234")).await.unwrap();
    let too_long = |error| matches!(error, WriteError::TooLong { max: 5 });
    assert!(too_long(over.write(Bytes::from("56")).await.unwrap_err()));
    // Neither may what fits be taken now, nor what was taken be kept.
    assert!(too_long(over.write(Bytes::from("5")).await.unwrap_err()));
    assert!(too_long(over.finish().await.unwrap_err()));
    assert_eq!(whole(&*blobs, attachment(2)).await, None);
}

pub async fn a_blob_put_again_replaces_the_former_one_as_a_whole(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    put(&*blobs, attachment(5), b"a longer former one").await;
    put(&*blobs, attachment(5), b"present").await;
    assert_eq!(whole(&*blobs, attachment(5)).await.unwrap(), b"present");
    let listed = blobs.list(BlobKind::Attachment, 9).await.unwrap();
    assert_eq!(listed, [attachment(5)]);
}

pub async fn keys_of_different_kinds_are_different(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    put(&*blobs, upload(5), b"waits").await;
    assert_eq!(whole(&*blobs, attachment(5)).await, None);
    put(&*blobs, attachment(5), b"is kept").await;
    blobs.delete(upload(5)).await.unwrap();
    assert_eq!(whole(&*blobs, attachment(5)).await.unwrap(), b"is kept");
    assert_eq!(whole(&*blobs, upload(5)).await, None);
}

pub async fn a_key_without_a_blob_is_absent(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    assert_eq!(whole(&*blobs, attachment(4)).await, None);
    assert!(!blobs.rename(upload(4), attachment(4)).await.unwrap());
    assert!(blobs.list(BlobKind::Upload, 9).await.unwrap().is_empty());
}

pub async fn a_renamed_blob_is_under_its_new_key_only(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    put(&*blobs, upload(5), b"content").await;
    put(&*blobs, attachment(5), b"a longer former one").await;
    let before = blobs.info(upload(5)).await.unwrap();
    assert!(blobs.rename(upload(5), attachment(5)).await.unwrap());
    assert_eq!(whole(&*blobs, upload(5)).await, None);
    assert_eq!(whole(&*blobs, attachment(5)).await.unwrap(), b"content");
    assert_eq!(blobs.info(attachment(5)).await.unwrap(), before);
    assert!(!blobs.rename(upload(5), attachment(5)).await.unwrap());
    assert_eq!(whole(&*blobs, attachment(5)).await.unwrap(), b"content");
}

pub async fn a_deleted_blob_is_gone_and_may_be_deleted_again(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    put(&*blobs, attachment(5), b"content").await;
    blobs.delete(attachment(5)).await.unwrap();
    assert_eq!(whole(&*blobs, attachment(5)).await, None);
    blobs.delete(attachment(5)).await.unwrap();
    put(&*blobs, attachment(5), b"again").await;
    assert_eq!(whole(&*blobs, attachment(5)).await.unwrap(), b"again");
}

pub async fn who_reads_a_blob_is_not_disturbed_by_its_deletion(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    let content = content(1 << 20);
    put(&*blobs, attachment(5), &content).await;
    let open = blobs.open(attachment(5), 0..u64::MAX).await;
    let mut bytes = open.unwrap().unwrap().bytes;
    let first = bytes.try_next().await.unwrap().unwrap();
    blobs.delete(attachment(5)).await.unwrap();
    let rest: Vec<Bytes> = bytes.try_collect().await.unwrap();
    assert!([first.to_vec(), rest.concat()].concat() == content);
}

pub async fn blobs_are_listed_by_number_up_to_the_limit(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    // Numbers as they are minted, and such as fall into different folders.
    let numbers = [
        7,
        1 << 22,
        (1 << 46) + 1,
        1 << 46,
        1_500_000_000_000_000_000,
        i64::MAX as u64,
        300,
    ];
    for n in numbers {
        put(&*blobs, upload(n), b"x").await;
    }
    put(&*blobs, attachment(1), b"x").await;
    let mut sorted = numbers.map(upload);
    sorted.sort_unstable();
    for limit in [0, 1, 3, 7, 100] {
        let listed = blobs.list(BlobKind::Upload, limit).await.unwrap();
        assert_eq!(listed, sorted[..limit.min(7)]);
    }
    blobs.delete(sorted[0]).await.unwrap();
    let listed = blobs.list(BlobKind::Upload, 2).await.unwrap();
    assert_eq!(listed, sorted[1..3]);
}

pub async fn a_media_type_is_kept_up_to_its_bound(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    let longest = "x".repeat(MEDIA_TYPE_BYTES_MAX);
    for (n, media_type) in [(1, ""), (2, "image/png"), (3, &*longest)] {
        let writer = blobs.put(attachment(n), media_type, 0).await.unwrap();
        writer.finish().await.unwrap();
        let info = blobs.info(attachment(n)).await.unwrap().unwrap();
        assert_eq!(info.media_type, media_type);
    }
    let longer = blobs.put(attachment(4), &(longest + "x"), 0).await;
    assert!(longer.is_err());
}

pub async fn blobs_survive_a_restart(mut fixture: impl Fixture) {
    let blobs = fixture.blobs();
    let content = content(100_000);
    for n in [3, 5, 7] {
        put(&*blobs, attachment(n), &content).await;
    }
    put(&*blobs, upload(9), b"moves").await;
    blobs.delete(attachment(5)).await.unwrap();
    blobs.rename(upload(9), attachment(9)).await.unwrap();
    fixture.restart().await;
    let blobs = fixture.blobs();
    let listed = blobs.list(BlobKind::Attachment, 9).await.unwrap();
    assert_eq!(listed, [attachment(3), attachment(7), attachment(9)]);
    assert!(whole(&*blobs, attachment(3)).await == Some(content));
    assert_eq!(whole(&*blobs, attachment(9)).await.unwrap(), b"moves");
    let info = blobs.info(attachment(3)).await.unwrap().unwrap();
    assert_eq!(info.media_type, "text/plain");
    assert!(blobs.list(BlobKind::Upload, 9).await.unwrap().is_empty());
}

pub async fn a_picture_is_found_by_its_owner_and_name(fixture: impl Fixture) {
    let blobs = fixture.blobs();
    // One number of each quarter of all that there are: no adapter may count on ids.
    let hash = |first: u8| PictureHash {
        code: [first; 16],
        is_animated: false,
    };
    for first in [0x00, 0x55, 0xAA, 0xFF] {
        put(&*blobs, BlobKey::picture(7, hash(first)), &[first]).await;
    }
    let stored = whole(&*blobs, BlobKey::picture(7, hash(0xFF))).await;
    assert_eq!(stored.unwrap(), [0xFF]);
    let others = blobs.info(BlobKey::picture(8, hash(0xFF))).await.unwrap();
    assert!(others.is_none());
    let listed = blobs.list(BlobKind::Picture, 9).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.is_sorted());
    assert!(blobs.list(BlobKind::Emoji, 9).await.unwrap().is_empty());
}
