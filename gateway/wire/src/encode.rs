//! What a client asks for in the query of the gateway's address: encoding, compression, version
//! and dialect.
//!
//! Every mistake is answered; nothing is guessed. What is left out takes the default that real
//! libraries count on (serenity sends `?v=10` alone, some send no query at all).

use std::fmt;

use crate::close_code::CloseCode;
use crate::dialect::Dialect;

/// How payloads are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Text frames, the default.
    #[default]
    Json,
    /// Binary frames with named maps.
    Msgpack,
}

/// How the connection's bytes are packed, over all its messages as one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// One zlib stream; each message ends with `00 00 FF FF`.
    Zlib,
    /// One zstd frame that never ends.
    Zstd,
}

/// What one connection has agreed on before its first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Agreement {
    /// How payloads are written.
    pub encoding: Encoding,
    /// How the stream is packed.
    pub compression: Compression,
    /// Whose objects the bodies hold.
    pub dialect: Dialect,
    /// The protocol version, 9 or 10; READY repeats it.
    pub version: u8,
}

/// What of the query cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// `v` names neither 9 nor 10.
    #[error("v must be 9 or 10")]
    Version,
    /// `encoding` is unknown or not served.
    #[error("encoding must be json or msgpack")]
    Encoding,
    /// `compress` is unknown.
    #[error("compress must be zlib-stream, zstd-stream or none")]
    Compression,
    /// `dialect` is unknown.
    #[error("dialect must be discord or native")]
    Dialect,
}

impl AgreementError {
    /// What the connection is closed with where the answer is given on the socket.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Version => CloseCode::InvalidApiVersion,
            Self::Encoding | Self::Compression | Self::Dialect => CloseCode::DecodeError,
        }
    }
}

impl Agreement {
    /// Version of clients that name none.
    pub const VERSION_DEFAULT: u8 = 10;

    /// Reads a query without its question mark. Keys that are not ours are passed over, because
    /// libraries add their own; of a repeated key the last one counts.
    pub fn parse(query: &str) -> Result<Self, AgreementError> {
        let mut agreed = Self::default();
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match key {
                "v" => {
                    agreed.version = match value {
                        "9" => 9,
                        "10" => 10,
                        _ => return Err(AgreementError::Version),
                    }
                }
                "encoding" => {
                    agreed.encoding = match value {
                        "json" => Encoding::Json,
                        "msgpack" => Encoding::Msgpack,
                        _ => return Err(AgreementError::Encoding),
                    }
                }
                "compress" => {
                    agreed.compression = match value {
                        "" | "none" => Compression::None,
                        "zlib-stream" => Compression::Zlib,
                        "zstd-stream" => Compression::Zstd,
                        _ => return Err(AgreementError::Compression),
                    }
                }
                "dialect" => {
                    agreed.dialect = match value {
                        "discord" => Dialect::Discord,
                        "native" => Dialect::Native,
                        _ => return Err(AgreementError::Dialect),
                    }
                }
                _ => {}
            }
        }
        Ok(agreed)
    }
}

/// The query that asks for exactly this.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoding = match self.encoding {
            Encoding::Json => "json",
            Encoding::Msgpack => "msgpack",
        };
        let compression = match self.compression {
            Compression::None => "none",
            Compression::Zlib => "zlib-stream",
            Compression::Zstd => "zstd-stream",
        };
        let dialect = match self.dialect {
            Dialect::Discord => "discord",
            Dialect::Native => "native",
        };
        let version = self.version;
        write!(
            f,
            "v={version}&encoding={encoding}&compress={compression}&dialect={dialect}"
        )
    }
}

impl Default for Agreement {
    fn default() -> Self {
        Self {
            encoding: Encoding::Json,
            compression: Compression::None,
            dialect: Dialect::Discord,
            version: Self::VERSION_DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_client_that_asks_for_nothing_gets_plain_json_version_ten() {
        let agreed = Agreement::parse("").unwrap();
        assert_eq!(agreed, Agreement::default());
        assert_eq!(agreed.version, 10);
        assert_eq!(agreed.encoding, Encoding::Json);
        assert_eq!(agreed.compression, Compression::None);
        assert_eq!(agreed.dialect, Dialect::Discord);
    }

    #[test]
    fn the_queries_of_real_libraries_are_understood() {
        let ask = |query| Agreement::parse(query).unwrap();
        assert_eq!(ask("v=9&encoding=json").version, 9);
        assert_eq!(
            ask("v=10&encoding=json&compress=zlib-stream").compression,
            Compression::Zlib
        );
        assert_eq!(
            ask("v=10&encoding=json&compress=zstd-stream").compression,
            Compression::Zstd
        );
        assert_eq!(
            ask("dialect=native&encoding=msgpack").dialect,
            Dialect::Native
        );
        assert_eq!(ask("encoding=msgpack").encoding, Encoding::Msgpack);
        assert_eq!(ask("v=10&shard=7&").version, 10);
    }

    #[test]
    fn what_is_not_served_is_refused_by_name() {
        let refuse = |query| Agreement::parse(query).unwrap_err();
        assert_eq!(refuse("v=8"), AgreementError::Version);
        assert_eq!(refuse("v=10.0"), AgreementError::Version);
        assert_eq!(refuse("v="), AgreementError::Version);
        assert_eq!(refuse("encoding=etf"), AgreementError::Encoding);
        assert_eq!(refuse("encoding=JSON"), AgreementError::Encoding);
        assert_eq!(refuse("compress=gzip"), AgreementError::Compression);
        assert_eq!(refuse("dialect=irc"), AgreementError::Dialect);
        assert_eq!(u16::from(refuse("v=6").close_code()), 4012);
    }

    #[test]
    fn every_agreement_can_be_asked_for_again() {
        for version in [9, 10] {
            for encoding in [Encoding::Json, Encoding::Msgpack] {
                for compression in [Compression::None, Compression::Zlib, Compression::Zstd] {
                    for dialect in [Dialect::Discord, Dialect::Native] {
                        let agreed = Agreement {
                            encoding,
                            compression,
                            dialect,
                            version,
                        };
                        assert_eq!(Agreement::parse(&agreed.to_string()), Ok(agreed));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_parser(query in "\\PC{0,80}") {
            let _ = Agreement::parse(&query);
        }
    }
}
