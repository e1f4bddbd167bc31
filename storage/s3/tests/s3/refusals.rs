//! Addresses, keys and buckets that are wrong, and bytes that change on the way.

use std::time::Duration;

use guildhall_ports::blobs::{BlobKind, WriteError};
use guildhall_ports::{Blobs, Failure};
use guildhall_s3::{Config, S3Blobs};
use tokio::time::timeout;

use crate::engine::{self, Bucket, content, key, put, whole};
use crate::proxy::Proxy;

/// Longer than any call may take, however busy the machine is.
const BOUND: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_why_in_time_and_without_its_keys() {
    let bucket = Bucket::fresh().await;
    let (keys, rest) = bucket.url().split_once('@').unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    for (url, said) in [
        (
            format!("http://guildhall:sesame@{rest}"),
            "refuses our keys",
        ),
        (format!("http://sesame:sesame@{rest}"), "refuses our keys"),
        (format!("{keys}@{host}/no-such-bucket"), "bucket is missing"),
        (format!("http://sesame:sesame@{nobody}/b-b"), "be reached"),
        (
            "http://a:sesame@nowhere.invalid/b-b".to_owned(),
            "be reached",
        ),
        (format!("https://guildhall:sesame@{rest}"), "be reached"),
    ] {
        let config = Config::parse(&url).unwrap();
        let opened = timeout(BOUND, S3Blobs::open(&config)).await;
        let refused = opened.expect("it is answered in time").map(|_| ());
        let failure = refused.unwrap_err();
        assert!(matches!(failure, Failure::Unavailable { .. }), "{failure}");
        let words = format!("{failure} {failure:?}");
        assert!(words.contains(said), "{words}");
        assert!(!words.contains("sesame"), "{words}");
    }
    let shown = format!("{:?}", bucket.node().await);
    assert!(!shown.contains(keys.rsplit_once(':').unwrap().1), "{shown}");
}

/// What a missing bucket does not have is not absent: it may be in the one that was meant.
#[tokio::test]
async fn in_a_bucket_that_is_gone_nothing_is_absent() {
    let bucket = Bucket::fresh().await;
    let blobs = bucket.node().await;
    put(&blobs, key(1), &content(1, 9)).await.unwrap();
    bucket.remove().await;
    let answers = [
        blobs.info(key(1)).await.map(|_| ()),
        blobs.open(key(1), 0..9).await.map(|_| ()),
        blobs.open(key(1), 0..0).await.map(|_| ()),
        blobs.rename(key(1), key(2)).await.map(|_| ()),
        blobs.delete(key(1)).await,
        blobs.list(BlobKind::Attachment, 1).await.map(|_| ()),
    ];
    for answer in answers {
        let failure = answer.unwrap_err();
        assert!(
            failure.to_string().contains("bucket is missing"),
            "{failure}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_on_the_way_is_refused() {
    let bucket = Bucket::fresh().await;
    let proxy = Proxy::to(bucket.url()).await;
    let blobs = engine::open(&proxy.url(bucket.url())).await;
    let direct = bucket.node().await;
    let marked = |length: usize| {
        let mut bytes = content(1, length).to_vec();
        bytes[length - 1_000..length - 1_000 + Proxy::MARK.len()].copy_from_slice(Proxy::MARK);
        bytes.into()
    };
    // One in a request of its own, and one in a part of several.
    for (number, length) in [(1, 100_000), (2, 11 << 20)] {
        let bytes = marked(length);
        proxy.set_spoiling(true);
        let refused = timeout(BOUND, put(&blobs, key(number), &bytes)).await;
        let refused = refused.expect("it is answered in time");
        assert!(
            matches!(
                refused,
                Err(WriteError::Failure(Failure::Unavailable { .. }))
            ),
            "{refused:?}"
        );
        assert_eq!(whole(&direct, key(number)).await.unwrap(), None);
        proxy.set_spoiling(false);
        put(&blobs, key(number), &bytes).await.unwrap();
        assert!(whole(&direct, key(number)).await.unwrap() == Some(bytes));
    }
}
