//! The answer to who comes too often.

use bytes::Bytes;
use serde::Serialize;

use super::{Problem, native};
use crate::dialect::Dialect;

const MESSAGE: &str = "You are being rate limited.";

/// The answer to who comes too often; its status is 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimited {
    /// Milliseconds after which a repetition is let through.
    pub retry_after_ms: u64,
    /// It is not this route that was called too often, but all of them together.
    pub is_global: bool,
}

/// Discord's shape differs from that of its other errors.
#[derive(Serialize)]
struct DiscordBody {
    message: &'static str,
    retry_after: f64,
    global: bool,
    /// No number of its own; Discord's description of its API asks for one.
    code: u32,
}

impl RateLimited {
    /// The JSON body; its type is [`super::JSON_CONTENT_TYPE`].
    pub fn body(self, dialect: Dialect) -> Bytes {
        let body = match dialect {
            Dialect::Discord => serde_json::to_vec(&DiscordBody {
                message: MESSAGE,
                retry_after: self.retry_after_s(),
                global: self.is_global,
                code: 0,
            }),
            Dialect::Native => serde_json::to_vec(&native::ErrorBody::new(&Problem::new(
                429,
                "rate_limited",
                0,
                MESSAGE,
            ))),
        };
        Bytes::from(body.expect("texts and numbers are always JSON"))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of a day are far below 2^53"
    )]
    fn retry_after_s(self) -> f64 {
        self.retry_after_ms as f64 / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_body() {
        let limited = RateLimited {
            retry_after_ms: 1_234,
            is_global: true,
        };
        assert_eq!(
            limited.body(Dialect::Discord),
            r#"{"message":"You are being rate limited.","retry_after":1.234,"global":true,"code":0}"#
        );
        assert_eq!(
            limited.body(Dialect::Native),
            r#"{"code":"rate_limited","message":"You are being rate limited."}"#
        );
    }

    #[test]
    fn whole_seconds_are_a_float_all_the_same() {
        let limited = RateLimited {
            retry_after_ms: 2_000,
            is_global: false,
        };
        let body = limited.body(Dialect::Discord);
        assert!(body.ends_with(br#""retry_after":2.0,"global":false,"code":0}"#));
    }
}
