//! Where the bucket is, and who we are to its engine.

use std::fmt;

use guildhall_ports::Failure;
use http::uri::Authority;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::ENGINE;

/// What engines that know no regions take for one, and where the first one of Amazon's is.
const REGION: &str = "us-east-1";
/// Characters of a bucket's name, at least and at most.
const BUCKET_CHARS: (usize, usize) = (3, 63);
/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// How a node reaches its bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `https://HOST:PORT`, or `http://` where the network is to be trusted.
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// In PEM, and tried.
    pub(crate) authorities: Option<String>,
}

impl Config {
    /// Reads `https://ACCESS_KEY:SECRET_KEY@HOST:PORT/BUCKET?region=REGION`. In both keys
    /// anything may be percent-encoded, and `@` and `%` must be. The bucket is asked for by its
    /// path, so that the engine needs one name only. Without a region it is `us-east-1`. Refused as
    /// `Unavailable`, in words that repeat nothing of it.
    pub fn parse(address: &str) -> Result<Self, Failure> {
        read(address).ok_or_else(|| {
            let shape = "its address is not \
                         https://ACCESS_KEY:SECRET_KEY@HOST:PORT/BUCKET?region=REGION";
            Failure::unavailable(ENGINE, shape)
        })
    }
}

impl Config {
    /// Believes an engine whose certificate one of these authorities has signed, instead of those that
    /// the system knows. Certificates in PEM. Refused as `Unavailable` where they are none.
    pub fn with_authorities(mut self, pem: String) -> Result<Self, Failure> {
        let mut read = CertificateDer::pem_slice_iter(pem.as_bytes()).peekable();
        if read.peek().is_none() || !read.all(|certificate| certificate.is_ok()) {
            let why = "the certificates of its authorities cannot be used";
            return Err(Failure::unavailable(ENGINE, why));
        }
        self.authorities = Some(pem);
        Ok(self)
    }
}

fn read(address: &str) -> Option<Config> {
    if address.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let (scheme, rest) = address.split_once("://")?;
    let (keys, rest) = rest.split_once('@')?;
    let (access_key, secret_key) = keys.split_once(':')?;
    let (host, rest) = rest.split_once('/')?;
    let (bucket, region) = match rest.split_once('?') {
        None => (rest, REGION),
        Some((bucket, query)) => (bucket, query.strip_prefix("region=")?),
    };
    let is_good = matches!(scheme, "http" | "https")
        && !host.contains('@')
        && host.parse::<Authority>().is_ok()
        && is_bucket(bucket)
        && is_region(region);
    is_good.then_some(())?;
    Some(Config {
        endpoint: format!("{scheme}://{host}"),
        region: region.to_owned(),
        bucket: bucket.to_owned(),
        access_key: key(access_key)?,
        secret_key: key(secret_key)?,
        authorities: None,
    })
}

/// A key that can stand in a header.
fn key(encoded: &str) -> Option<String> {
    let key = percent_decode_str(encoded).decode_utf8().ok()?;
    let is_good = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
    is_good.then(|| key.into_owned())
}

/// A name that means the same in a path as by itself.
fn is_bucket(name: &str) -> bool {
    (BUCKET_CHARS.0..=BUCKET_CHARS.1).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !name.contains("..")
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
}

fn is_region(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("access_key", &"***")
            .field("secret_key", &"***")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_the_bucket_is_and_who_asks() {
        let config = Config::parse("http://key:se%2Fs/+a:me%25@engine:9000/files").unwrap();
        assert_eq!(config.endpoint, "http://engine:9000");
        assert_eq!(config.bucket, "files");
        assert_eq!(config.access_key, "key");
        assert_eq!(config.secret_key, "se/s/+a:me%");
        assert_eq!(config.region, REGION);
        let config = Config::parse("https://k:s@[::1]:9/a-bucket.of-ours?region=eu-west-3");
        let config = config.unwrap();
        assert_eq!(config.endpoint, "https://[::1]:9");
        assert_eq!(config.bucket, "a-bucket.of-ours");
        assert_eq!(config.region, "eu-west-3");
    }

    #[test]
    fn what_is_no_address_is_refused_and_never_repeated() {
        let long = format!("http://key:sesame@engine/{}", "b".repeat(3_000));
        for address in [
            "sesame",
            "ftp://key:sesame@engine/bucket",
            "http://sesame@engine/bucket",
            "http://:sesame@engine/bucket",
            "http://key:@engine/sesame",
            "http://key:sesame%0A@engine/bucket",
            "http://key:sesame%FF@engine/bucket",
            "http://key:sesame@engine",
            "http://key:sesame@/bucket",
            "http://key:ses@me@engine/bucket",
            "http://key:sesame@engine/Bucket",
            "http://key:sesame@engine/b",
            "http://key:sesame@engine/bu..et",
            "http://key:sesame@engine/../bucket",
            "http://key:sesame@engine/bucket/inner",
            "http://key:sesame@engine/bucket?zone=a",
            "http://key:sesame@engine/bucket?region=",
            "http://key:sesame@engine/bucket?region=a&b",
            &long,
        ] {
            let refused = Config::parse(address).unwrap_err();
            assert!(matches!(refused, Failure::Unavailable { .. }), "{address}");
            let said = format!("{refused} {refused:?}");
            assert!(!said.contains("ses"), "{said}");
        }
    }

    #[test]
    fn keys_are_never_shown() {
        let config = Config::parse("http://sesame:sesame@engine/bucket").unwrap();
        assert!(!format!("{config:?}").contains("sesame"));
    }
}
