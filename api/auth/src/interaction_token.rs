//! What an application answers an interaction with: the interaction's own circumstances, with a
//! message authentication code that only this installation can make. So every node takes an
//! answer, and nothing need be remembered until it comes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guildhall_model::interaction::{InteractionClaim, InteractionToken};
use guildhall_model::{Timestamp, limits};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the secret of an installation.
pub const KEY_BYTES: usize = 32;
/// Characters of a token that are looked at; longer ones were never issued.
pub const TOKEN_CHARS_MAX: usize = 512;
/// 128 bits cannot be guessed, and keep tokens short (RFC 2104 §5).
const CODE_BYTES: usize = 16;
/// Keeps codes for tokens from being good for something else.
const PURPOSE: &[u8] = b"guildhall interaction 1\0";

/// Makes and reads tokens of interactions with the installation's secret.
#[derive(Clone)]
pub struct InteractionTokens {
    keyed: Hmac<Sha256>,
}

impl InteractionTokens {
    /// With this secret. Tokens that were made with another one are nobody's.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("a key may have any length"),
        }
    }

    /// The token of an interaction.
    pub fn mint(&self, claim: &InteractionClaim) -> InteractionToken {
        let body = rmp_serde::to_vec(claim).expect("plain data has a MessagePack form");
        let code = self.code(&body).finalize().into_bytes();
        InteractionToken(URL_SAFE_NO_PAD.encode([&code[..CODE_BYTES], &body].concat()))
    }

    /// What a token proves, until [`limits::INTERACTION_AGE_MS`] after the interaction.
    pub fn read(&self, token: &str, now: Timestamp) -> Option<InteractionClaim> {
        if TOKEN_CHARS_MAX < token.len() {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (code, body) = bytes.split_at_checked(CODE_BYTES)?;
        self.code(body).verify_truncated_left(code).ok()?;
        let claim: InteractionClaim = rmp_serde::from_slice(body).ok()?;
        let age = i64::try_from(limits::INTERACTION_AGE_MS).unwrap_or(i64::MAX);
        (now.0 <= claim.id.created_at().plus_ms(age).0).then_some(claim)
    }

    fn code(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut code = self.keyed.clone();
        code.update(PURPOSE);
        code.update(body);
        code
    }
}

impl fmt::Debug for InteractionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InteractionTokens(***)")
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::interaction::Occasion;
    use guildhall_model::snowflake::Generator;
    use guildhall_model::{Id, limits};

    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn claim() -> InteractionClaim {
        InteractionClaim {
            id: Generator::new(1, 0).mint(NOW),
            application_id: Id::new(i64::MAX as u64).unwrap(),
            channel_id: Id::new(i64::MAX as u64).unwrap(),
            user_id: Id::new(i64::MAX as u64).unwrap(),
            occasion: Occasion::Command("天".repeat(limits::COMMAND_NAME_CHARS.1)),
        }
    }

    #[test]
    fn a_token_proves_what_it_was_made_for_as_long_as_answers_are_taken() {
        let tokens = InteractionTokens::new(&[7; KEY_BYTES]);
        let token = tokens.mint(&claim());
        assert!(token.0.len() <= TOKEN_CHARS_MAX, "{}", token.0.len());
        assert_eq!(tokens.read(&token.0, NOW), Some(claim()));
        let age = i64::try_from(limits::INTERACTION_AGE_MS).unwrap();
        assert!(tokens.read(&token.0, NOW.plus_ms(age)).is_some());
        assert_eq!(tokens.read(&token.0, NOW.plus_ms(age + 1)), None);
        let others = InteractionTokens::new(&[8; KEY_BYTES]);
        assert_eq!(others.read(&token.0, NOW), None);
    }

    #[test]
    fn a_token_with_any_other_letter_is_nobodys() {
        let tokens = InteractionTokens::new(&[7; KEY_BYTES]);
        let token = tokens.mint(&claim()).0;
        for place in 0..token.len() {
            let letter = if token.as_bytes()[place] == b'A' {
                "B"
            } else {
                "A"
            };
            let mut forged = token.clone();
            forged.replace_range(place..=place, letter);
            // The last letter holds bits that say nothing.
            if place + 1 < token.len() {
                assert_eq!(tokens.read(&forged, NOW), None, "{place}");
            }
            assert_eq!(tokens.read(&token[..place], NOW), None);
        }
        assert_eq!(tokens.read(&"A".repeat(100_000), NOW), None);
    }
}
