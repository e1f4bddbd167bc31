//! The engine that the tests use, and a bucket of its own for each of them.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::TryStreamExt;
use guildhall_model::Id;
use guildhall_ports::blobs::{BlobKey, BlobWriter, WriteError};
use guildhall_ports::{Blobs, Failure};
use guildhall_s3::{Config, S3Blobs};

/// Where the engine is: what `deploy/engines/s3 start DIR` prints.
const ENGINE: &str = "GUILDHALL_TEST_S3";
/// Whether tests without an engine fail.
const ENGINES: &str = "GUILDHALL_TEST_ENGINES";

/// An empty bucket, which goes with this.
pub(crate) struct Bucket {
    url: String,
}

impl Bucket {
    /// One in the engine that the environment names.
    pub(crate) async fn fresh() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let engine = engine();
        let (engine, _) = engine.rsplit_once('/').unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("guildhall-{}-{number}", std::process::id());
        let url = format!("{engine}/{name}");
        let (client, name) = client(&url);
        client.create_bucket().bucket(name).send().await.unwrap();
        Self { url }
    }

    /// The address of the bucket.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A node's store.
    pub(crate) async fn node(&self) -> Arc<S3Blobs> {
        open(&self.url).await
    }

    /// Takes the bucket away with all that is in it.
    pub(crate) async fn remove(&self) {
        remove(&self.url).await;
    }
}

impl Drop for Bucket {
    /// Buckets would fill an engine that serves many runs.
    fn drop(&mut self) {
        let url = self.url.clone();
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(remove(&url));
        });
        let _ = removing.join();
    }
}

async fn remove(url: &str) {
    let (client, name) = client(url);
    let _ = client.delete_bucket().bucket(name).send().await;
}

/// The store in the bucket at this address.
pub(crate) async fn open(url: &str) -> Arc<S3Blobs> {
    let config = Config::parse(url).unwrap();
    Arc::new(S3Blobs::open(&config).await.unwrap())
}

/// An operator's own way to the engine, and the name of the bucket.
fn client(url: &str) -> (aws_sdk_s3::Client, String) {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    let rest = url.strip_prefix("http://").unwrap();
    let (keys, rest) = rest.split_once('@').unwrap();
    let (key, secret) = keys.split_once(':').unwrap();
    let (host, bucket) = rest.split_once('/').unwrap();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(format!("http://{host}"))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .force_path_style(true)
        .build();
    (aws_sdk_s3::Client::from_conf(config), bucket.to_owned())
}

/// The address of the engine. Without one the program ends here, well or badly.
pub(crate) fn engine() -> String {
    if let Some(url) = std::env::var_os(ENGINE) {
        return url.into_string().unwrap();
    }
    let how = format!("{ENGINE} names no engine (deploy/engines/s3 start DIR)");
    assert!(
        std::env::var_os(ENGINES).is_none_or(|wanted| wanted != "required"),
        "{how}"
    );
    // Past the harness, which would keep it to itself.
    let _ = writeln!(std::io::stderr().lock(), "NOT RUN: guildhall-s3, {how}");
    std::process::exit(0)
}

/// A file of a message.
pub(crate) fn key(number: u64) -> BlobKey {
    BlobKey::attachment(Id::new(number).unwrap())
}

/// Bytes that are the same for the same seed, and repeat nowhere.
pub(crate) fn content(seed: u64, length: usize) -> Bytes {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes.into()
}

/// A writer that has been given some bytes.
pub(crate) async fn begin(
    blobs: &S3Blobs,
    key: BlobKey,
    bytes: &Bytes,
) -> Result<Box<dyn BlobWriter>, WriteError> {
    let mut writer = blobs.put(key, "image/png", 1 << 30).await?;
    for at in (0..bytes.len()).step_by(70_001) {
        let piece = bytes.slice(at..bytes.len().min(at + 70_001));
        writer.write(piece).await?;
    }
    Ok(writer)
}

/// Writes a blob.
pub(crate) async fn put(blobs: &S3Blobs, key: BlobKey, bytes: &Bytes) -> Result<u64, WriteError> {
    begin(blobs, key, bytes).await?.finish().await
}

/// Reads a blob.
pub(crate) async fn whole(blobs: &S3Blobs, key: BlobKey) -> Result<Option<Bytes>, Failure> {
    let Some(open) = blobs.open(key, 0..u64::MAX).await? else {
        return Ok(None);
    };
    let pieces: Vec<Bytes> = open.bytes.try_collect().await?;
    Ok(Some(pieces.concat().into()))
}
