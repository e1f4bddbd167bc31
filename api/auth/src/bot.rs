//! Bot tokens, in the shape that libraries and scanners of leaked secrets know from Discord:
//! `base64(application id) . base64(time) . random`.
//!
//! Libraries read the application's id from the first part. The second part is there for the shape
//! alone: which of an application's successive tokens one is, its hash decides.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use guildhall_model::{ApplicationId, Timestamp};
use guildhall_ports::Random;
use guildhall_ports::accounts::TokenHash;
use subtle::ConstantTimeEq;

use crate::secret::Secret;
use crate::token_hash;

/// Discord counts the seconds in its tokens from 2011-01-01.
const EPOCH_S: i64 = 1_293_840_000;
/// Random bytes of a token; 38 characters, as many as Discord's.
const RANDOM_BYTES: usize = 28;
/// Characters of the longest token: 19 digits, 4 bytes and the random ones in base64, two dots.
const TOKEN_CHARS_MAX: usize = 26 + 1 + 6 + 1 + 38;

/// A new token of this application.
pub fn mint(application: ApplicationId, now: Timestamp, random: &dyn Random) -> Secret {
    let mut bytes = [0; RANDOM_BYTES];
    random.fill(&mut bytes);
    let seconds = u32::try_from(now.0 / 1_000 - EPOCH_S).unwrap_or(0);
    Secret::new(format!(
        "{}.{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(application.to_string()),
        BASE64_URL_SAFE_NO_PAD.encode(seconds.to_be_bytes()),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
    ))
}

/// The application that a token claims to belong to, or `None` if it is no bot token. Its hash has
/// to prove it.
pub fn application(token: &str) -> Option<ApplicationId> {
    if token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let mut parts = token.split('.');
    let (id, _, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let digits = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let application = ApplicationId::new(digits.parse().ok()?)?;
    // One id has one spelling: no sign, no zeros in front.
    (application.to_string() == digits).then_some(application)
}

/// How a token is stored.
pub fn hash(token: &str) -> TokenHash {
    token_hash::hash(token)
}

/// The token is the one that was stored. Takes as long whether it is or not.
pub fn is_stored(token: &str, stored: &TokenHash) -> bool {
    hash(token).ct_eq(stored).into()
}

#[cfg(test)]
mod tests {
    use guildhall_ports::Env;
    use proptest::prelude::*;

    use super::*;

    fn id(raw: u64) -> ApplicationId {
        ApplicationId::new(raw).unwrap()
    }

    fn minted(raw: u64) -> Secret {
        let env = Env::system();
        mint(id(raw), Timestamp(1_767_323_045_678), &*env.random)
    }

    #[test]
    fn a_token_has_the_shape_that_scanners_know() {
        let token = minted(1_500_000_000_000_000_001);
        let lengths: Vec<usize> = token.reveal().split('.').map(str::len).collect();
        assert_eq!(lengths, [26, 6, 38]);
        assert!(token.reveal().starts_with("MTUwMDAwMDAwMDAwMDAwMDAwMQ."));
        assert!(token.reveal().len() <= TOKEN_CHARS_MAX);
        assert_ne!(token.reveal(), minted(1_500_000_000_000_000_001).reveal());
    }

    #[test]
    fn only_the_stored_token_proves_anything() {
        let token = minted(41_771_983_423_143_937);
        let stored = hash(token.reveal());
        assert!(is_stored(token.reveal(), &stored));
        assert!(!is_stored(minted(41_771_983_423_143_937).reveal(), &stored));
        assert!(!is_stored("", &stored));
    }

    #[test]
    fn what_is_no_bot_token_names_no_application() {
        let spelled = |text: &str| format!("{}.AAAAAA.x", BASE64_URL_SAFE_NO_PAD.encode(text));
        assert_eq!(application(&spelled("1")), Some(id(1)));
        for text in ["", "0", "+1", "-1", "01", "1 ", "x", "9223372036854775808"] {
            assert_eq!(application(&spelled(text)), None, "{text:?}");
        }
        for token in [
            "",
            "..",
            "MQ",
            "MQ.a",
            "MQ.a.b.c",
            "M!.a.b",
            "eyJhIjoxfQ.e30.sig",
        ] {
            assert_eq!(application(token), None, "{token:?}");
        }
        assert_eq!(application(&format!("MQ.a.{}", "x".repeat(1 << 20))), None);
    }

    proptest! {
        #[test]
        fn a_token_names_its_application(raw in 1..=i64::MAX.unsigned_abs()) {
            prop_assert_eq!(application(minted(raw).reveal()), Some(id(raw)));
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,80}") {
            let _ = application(&text);
        }
    }
}
