//! Refresh tokens: opaque, each used once. Their families are in `ports::Accounts`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use guildhall_ports::Random;
use guildhall_ports::accounts::TokenHash;

use crate::secret::Secret;
use crate::token_hash;

/// Lets people and scanners of leaked secrets see what a token is.
const PREFIX: &str = "gr_";
/// Random bytes of a token.
const RANDOM_BYTES: usize = 32;

/// A new token.
pub fn mint(random: &dyn Random) -> Secret {
    let mut bytes = [0; RANDOM_BYTES];
    random.fill(&mut bytes);
    let mut token = PREFIX.to_owned();
    BASE64_URL_SAFE_NO_PAD.encode_string(bytes, &mut token);
    Secret::new(token)
}

/// How a token is stored and found again. Anything may be presented; what was never minted is
/// found nowhere.
pub fn hash(token: &str) -> TokenHash {
    token_hash::hash(token)
}

#[cfg(test)]
mod tests {
    use guildhall_ports::Env;

    use super::*;

    #[test]
    fn a_token_tells_its_kind_and_nothing_else() {
        let env = Env::system();
        let token = mint(&*env.random);
        assert!(token.reveal().starts_with("gr_"));
        assert_eq!(token.reveal().len(), 3 + 43);
        assert_ne!(token.reveal(), mint(&*env.random).reveal());
    }

    #[test]
    fn a_hash_is_found_again_and_does_not_hold_the_token() {
        assert_eq!(hash("gr_a"), hash("gr_a"));
        assert_ne!(hash("gr_a"), hash("gr_b"));
        // FIPS 180-2, the example "abc".
        assert_eq!(hash("abc")[..4], [0xBA, 0x78, 0x16, 0xBF]);
    }
}
