//! Files on their way into a message.

pub(crate) mod form;
mod hostile;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use guildhall_app::{Failure, Refused};
use guildhall_model::attachment::{Attachment, Dimensions};
use guildhall_model::limits::{
    ATTACHMENTS_MAX, UPLOAD_BYTES_MAX, UPLOAD_HEAD_BYTES_MAX, UPLOAD_ORPHAN_AGE_MS,
};
use guildhall_model::{Permissions, Rejection};
use guildhall_ports::blobs::{BlobKey, BlobKind};
use guildhall_wire::native::NativePermissions;
use serde_json::json;

use crate::harness::{Caller, House};
use form::{Form, PNG, refused, upload};

async fn two_files(house: &House, who: &Caller, channel: &str) -> Vec<Attachment> {
    let body = Form::default().file(0, "a.txt", "text/plain", b"one").file(
        1,
        "b.txt",
        "text/plain",
        b"two",
    );
    let received = upload(house, who, channel, body.end()).await.unwrap();
    received.files
}

fn kinds(house: &House) -> Vec<BlobKind> {
    house.blobs.keys().into_iter().map(BlobKey::kind).collect()
}

#[tokio::test]
async fn files_come_with_what_their_sender_says_of_them() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let payload = json!({"content": "look", "attachments": [
        {"id": 0, "description": "A cat", "title": "Mog", "is_spoiler": true},
        {"id": "1", "filename": "../notes.md"},
        {"id": "1500000000000000061"},
    ]});
    // discord.js sends the files first and in any order.
    let body = Form::default()
        .file(1, "x", "text/html; charset=utf-8", b"<script>")
        .file(0, "my cat.jpg", "application/octet-stream", PNG)
        .json(&payload);
    let received = upload(&house, &ada, &channel, body.end()).await.unwrap();
    assert_eq!(received.payload, payload.to_string());
    let others: Vec<u64> = received.others.unwrap().iter().map(|it| it.id).collect();
    assert_eq!(others, [1_500_000_000_000_000_061]);
    let [cat, notes] = &received.files[..] else {
        panic!("{:?}", received.files)
    };
    assert_eq!(cat.filename.as_str(), "SPOILER_my_cat.jpg");
    assert_eq!(cat.title.as_deref(), Some("Mog"));
    assert_eq!(cat.description.as_deref(), Some("A cat"));
    assert_eq!(cat.content_type, "image/png");
    assert_eq!(u64::from(cat.size), PNG.len() as u64);
    let size = Dimensions {
        width: 640,
        height: 480,
    };
    assert_eq!((cat.dimensions, cat.is_spoiler), (Some(size), true));
    assert_eq!(notes.filename.as_str(), "notes.md");
    assert_eq!(notes.content_type, "text/html");
    assert_eq!((notes.dimensions, notes.is_spoiler), (None, false));
    assert_eq!(kinds(&house), [BlobKind::Upload; 2]);
}

#[tokio::test]
async fn a_request_without_files_is_one_too() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let body = Form::default().json(&json!({"content": "hello"}));
    let received = upload(&house, &ada, &channel, body.end()).await.unwrap();
    assert_eq!(received.payload, r#"{"content":"hello"}"#);
    assert!(received.files.is_empty() && received.others.is_none());
    let received = upload(&house, &ada, &channel, Form::default().end()).await;
    assert!(received.unwrap().payload.is_empty());
}

/// The body cannot be read: a reader would panic.
#[tokio::test]
async fn who_may_not_post_files_is_refused_before_a_byte_is_read() {
    let house = House::open().await;
    let [ada, bea, cid] = house.people(["ada", "bea", "cid"]).await;
    let (server, channel) = house.server(&ada).await;
    house.join(&bea, &server).await;
    let unread = || {
        Body::from_stream(futures_util::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Vec<u8>, std::io::Error>>> { panic!("read") },
        ))
    };
    let outcome = upload(&house, &cid, &channel, unread()).await;
    refused(&house, outcome, 404, "unknown_channel");
    for denied in [Permissions::ATTACH_FILES, Permissions::SEND_MESSAGES] {
        let deny = NativePermissions::of(denied).number();
        let overwrite = json!({"id": bea.id, "type": "member", "deny": deny});
        let form = json!({"permissions": {"overwrites": [overwrite]}});
        let path = format!("/channels/{channel}");
        house.put(&ada, &path, form).await.expect(200);
        let outcome = upload(&house, &bea, &channel, unread()).await;
        refused(&house, outcome, 403, "missing_permission");
    }
    let hidden = json!({"id": bea.id, "type": "member", "deny": 1});
    let form = json!({"permissions": {"overwrites": [hidden]}});
    let path = format!("/channels/{channel}");
    house.put(&ada, &path, form).await.expect(200);
    let outcome = upload(&house, &bea, &channel, unread()).await;
    refused(&house, outcome, 404, "unknown_channel");
}

#[tokio::test]
async fn two_users_send_each_other_files_and_nobody_else_does() {
    let house = House::open().await;
    let [ada, bea, cid] = house.people(["ada", "bea", "cid"]).await;
    let path = format!("/dm/{}/messages", bea.id);
    let message = house.post(&ada, &path, json!({"content": "psst"})).await;
    let channel = crate::harness::text(&message.expect(201)["channel_id"]);
    assert_eq!(two_files(&house, &bea, &channel).await.len(), 2);
    let outcome = upload(&house, &cid, &channel, Form::default().end()).await;
    assert_eq!(outcome.unwrap_err().0, 404);
}

#[tokio::test]
async fn ten_files_are_taken_and_eleven_refused() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let mut body = Form::default();
    for n in 0..=ATTACHMENTS_MAX {
        body = body.file(n, "a", "text/plain", b"x");
    }
    let outcome = upload(&house, &ada, &channel, body.end()).await;
    let error = refused(&house, outcome, 400, "invalid_form");
    assert_eq!(error["errors"][0]["code"], "too_many");
    let twice = Form::default()
        .file(3, "a", "text/plain", b"x")
        .file(3, "b", "text/plain", b"y");
    let outcome = upload(&house, &ada, &channel, twice.end()).await;
    refused(&house, outcome, 400, "invalid_form");
}

/// A body that is always there, and how far the store was behind it at most.
fn endless(house: &House, length: u64) -> (Body, Arc<AtomicU64>) {
    let head = Form::default().file(0, "film.mp4", "video/mp4", b"").open();
    // Without the end of line that ends the part.
    let head = head[..head.len() - 2].to_vec();
    let behind = Arc::new(AtomicU64::new(0));
    let (most, blobs) = (Arc::clone(&behind), house.blobs.clone());
    let mut given = 0;
    let content = std::iter::from_fn(move || {
        most.fetch_max(given - blobs.bytes_taken(), Ordering::Relaxed);
        let piece = (length - given).min(64 * 1024);
        given += piece;
        (piece > 0).then(|| vec![7; usize::try_from(piece).unwrap()])
    });
    let end = std::iter::once(b"\r\n--XbX--\r\n".to_vec());
    let pieces = std::iter::once(head).chain(content).chain(end);
    let pieces = pieces.map(Ok::<_, std::io::Error>);
    (
        Body::from_stream(futures_util::stream::iter(pieces)),
        behind,
    )
}

#[tokio::test]
async fn a_file_of_the_largest_size_is_never_held_whole() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let (body, behind) = endless(&house, UPLOAD_BYTES_MAX);
    let received = upload(&house, &ada, &channel, body).await.unwrap();
    assert_eq!(u64::from(received.files[0].size), UPLOAD_BYTES_MAX);
    assert_eq!(house.blobs.bytes_taken(), UPLOAD_BYTES_MAX);
    let behind = behind.load(Ordering::Relaxed);
    assert!(behind <= UPLOAD_HEAD_BYTES_MAX as u64 + 4 * 64 * 1024);
    assert!(behind >= 64 * 1024, "{behind} is no measure");
}

#[tokio::test]
async fn a_byte_more_is_refused_and_leaves_nothing() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let (body, _) = endless(&house, UPLOAD_BYTES_MAX + 1);
    let outcome = upload(&house, &ada, &channel, body).await;
    refused(&house, outcome, 413, "payload_too_large");
    // Together with another file of the same request.
    let half = vec![7; usize::try_from(UPLOAD_BYTES_MAX).unwrap() / 2 + 1];
    let body = Form::default()
        .file(0, "a", "text/plain", &half)
        .file(1, "b", "text/plain", &half);
    let outcome = upload(&house, &ada, &channel, body.end()).await;
    refused(&house, outcome, 413, "payload_too_large");
    // JSON has the bound that it has without files.
    let body = Form::default().json(&json!({"content": "x".repeat(256 * 1024)}));
    let outcome = upload(&house, &ada, &channel, body.end()).await;
    refused(&house, outcome, 413, "payload_too_large");
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_stored_is_deleted() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    house.blobs.leave_room(Some(300_000));
    let body = Form::default()
        .file(0, "a", "text/plain", &vec![7; 200_000])
        .file(1, "b", "text/plain", &vec![7; 200_000]);
    let outcome = upload(&house, &ada, &channel, body.end()).await;
    refused(&house, outcome, 507, "storage_full");
    house.blobs.leave_room(None);
    assert_eq!(two_files(&house, &ada, &channel).await.len(), 2);
}

#[tokio::test]
async fn files_stay_with_their_message_and_go_without_one() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let uploads = house.app.uploads();

    let files = two_files(&house, &ada, &channel).await;
    let posted = uploads.posting(&files, async { Ok(7) }, |_| true).await;
    assert_eq!(posted.unwrap(), 7);
    assert_eq!(kinds(&house), [BlobKind::Attachment; 2]);
    uploads.discard(&files).await;
    assert_eq!(house.blobs.keys(), []);

    // A nonce that was used before names a message with files of its own.
    let files = two_files(&house, &ada, &channel).await;
    let posted = uploads.posting(&files, async { Ok(7) }, |_| false).await;
    assert_eq!((posted.unwrap(), kinds(&house)), (7, vec![]));

    let files = two_files(&house, &ada, &channel).await;
    let post = async { Err::<(), _>(Rejection::Overloaded.into()) };
    let posted = uploads.posting(&files, post, |()| true).await;
    assert!(matches!(posted, Err(Refused::Rejection(_))));
    assert_eq!(kinds(&house), []);

    // Nobody knows whether there is a message.
    let files = two_files(&house, &ada, &channel).await;
    let post = async { Err::<(), _>(Failure::Closing.into()) };
    let posted = uploads.posting(&files, post, |()| true).await;
    assert!(matches!(posted, Err(Refused::Failure(_))));
    assert_eq!(kinds(&house), [BlobKind::Attachment; 2]);
}

#[tokio::test]
async fn files_that_are_not_there_any_more_make_no_message() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let files = two_files(&house, &ada, &channel).await;
    house.app.uploads().discard(&files[1..]).await;
    let post = async { panic!("a message without its files") };
    let uploads = house.app.uploads();
    let posted = uploads.posting(&files, post, |(): &()| true).await;
    assert!(matches!(
        posted,
        Err(Refused::Rejection(Rejection::Invalid(_)))
    ));
    assert_eq!(house.blobs.keys(), []);
}

#[tokio::test]
async fn a_file_that_waits_for_a_day_is_swept_away() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let (_, channel) = house.server(&ada).await;
    let kept = two_files(&house, &ada, &channel).await;
    let uploads = house.app.uploads();
    uploads
        .posting(&kept, async { Ok(()) }, |()| true)
        .await
        .unwrap();
    let orphans = two_files(&house, &ada, &channel).await;
    house.clock.advance_ms(UPLOAD_ORPHAN_AGE_MS - 60_000);
    let ada = house.login("ada").await;
    let young = two_files(&house, &ada, &channel).await;
    assert_eq!(uploads.sweep().await.unwrap(), 0);
    house.clock.advance_ms(120_000);
    assert_eq!(uploads.sweep().await.unwrap(), orphans.len());
    let mut left: Vec<_> = young.iter().map(|file| BlobKey::upload(file.id)).collect();
    left.extend(kept.iter().map(|file| BlobKey::attachment(file.id)));
    assert_eq!(house.blobs.keys(), left);
}
