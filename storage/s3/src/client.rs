//! The client of the engine, and how long it waits for anything.
//!
//! Requests whose answer is lost are sent again: all of ours may be. Bodies are signed with their
//! digest, which the engine checks, so that what changes on the way is refused.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use guildhall_ports::Failure;

use crate::config::Config;
use crate::error::ENGINE;

/// How long it may take to reach the engine.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one attempt may take until its answer begins. A part of a file goes out within it.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How often a request is sent at most.
const ATTEMPTS: u32 = 3;
/// How long a request may take with all attempts, until its answer begins.
const OPERATION: Duration = Duration::from_secs(25);
/// The same for one attempt, and for all, at what makes the engine write a whole object anew.
const LONG_ATTEMPT: Duration = Duration::from_secs(30);
const LONG_OPERATION: Duration = Duration::from_secs(45);
/// How long the engine may take to show that it is there.
const LOOK: Duration = Duration::from_secs(2);

/// A client with connections of its own, which are made when they are needed.
pub(crate) fn client(config: &Config) -> Result<Client, Failure> {
    let believed = match &config.authorities {
        Some(pem) => TrustStore::empty().with_pem_certificate(pem.as_bytes()),
        None => TrustStore::default(),
    };
    let believed = TlsContext::builder().with_trust_store(believed).build();
    let believed = believed.map_err(|error| Failure::unavailable(ENGINE, error))?;
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(believed)
        .build_https();
    let keys = Credentials::new(
        &config.access_key,
        &config.secret_key,
        None,
        None,
        "configuration",
    );
    let settings = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .endpoint_url(&config.endpoint)
        .region(Region::new(config.region.clone()))
        .credentials_provider(keys)
        .force_path_style(true)
        // Only Amazon has it, for buckets of a kind that keeps no order of keys.
        .disable_s3_express_session_auth(true)
        // Newer than most engines, and the signature has a digest anyway.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts(ATTEMPT, OPERATION))
        // It would hold a slow reader against the engine; the reader of blobs has its own watch.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Ok(Client::from_conf(settings))
}

/// What is different for a request that makes the engine write a whole object anew.
pub(crate) fn patient() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder().timeout_config(timeouts(LONG_ATTEMPT, LONG_OPERATION))
}

/// What is different where it is only to be seen whether the engine is there.
pub(crate) fn curious() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .timeout_config(timeouts(LOOK, LOOK))
        .retry_config(RetryConfig::disabled())
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
