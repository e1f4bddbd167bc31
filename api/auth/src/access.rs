//! Access tokens of people: JWTs that any node can check without asking anybody (RFC 9068).
//!
//! One algorithm, Ed25519, chosen by us and never by the token; issuer, audience and type are
//! checked, so that no other token of the same key is taken for one. A revoked login is noticed by
//! `ports::Accounts`, not here: until then a token is good for its short life.

use std::fmt;

use guildhall_model::{LoginId, Timestamp, UserId};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// How long a token is good unless the operator says otherwise.
pub const LIFETIME_S_DEFAULT: u32 = 15 * 60;
/// Bytes of a token that is looked at; ours have about 400.
const TOKEN_BYTES_MAX: usize = 2_048;
/// What tells access tokens from other JWTs.
const TYPE: &str = "at+jwt";
/// A PKCS#8 document (RFC 8410 §7) up to the seed of its Ed25519 key.
const PKCS8_HEADER: [u8; 16] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Issues and checks access tokens.
#[derive(Clone)]
pub struct AccessTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    header: Header,
    validation: Validation,
    config: AccessConfig,
}

/// For whom tokens are made.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// This installation, `iss`.
    pub issuer: String,
    /// Who may take the tokens, `aud`.
    pub audience: String,
    /// How long a token is good.
    pub lifetime_s: u32,
}

/// What a good token proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who acts.
    pub user_id: UserId,
    /// Through which login.
    pub login_id: LoginId,
    /// From this instant on the token is refused.
    pub expires_at: Timestamp,
}

/// Why a token was refused. Never holds anything of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Not a token of ours, or not unchanged.
    #[error("the access token is invalid")]
    Invalid,
    /// It was good once.
    #[error("the access token has expired")]
    Expired,
}

/// The body of a token. Ids are decimal texts, because JSON numbers are not exact everywhere.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
}

impl AccessTokens {
    /// Uses the Ed25519 key with this seed. Whoever has the seed can act as everybody.
    pub fn new(seed: &[u8; 32], config: AccessConfig) -> Self {
        let signing = EncodingKey::from_ed_der(&[&PKCS8_HEADER[..], seed].concat());
        let verifying = Jwk::from_encoding_key(&signing, Algorithm::EdDSA)
            .and_then(|public| DecodingKey::from_jwk(&public))
            .expect("every 32 bytes are the seed of a key");
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        Self {
            signing,
            verifying,
            header,
            validation: validation(&config),
            config,
        }
    }

    /// A token for this login, good from now on.
    pub fn issue(&self, user_id: UserId, login_id: LoginId, now: Timestamp) -> Secret {
        let iat = now.0.div_euclid(1_000);
        let claims = Claims {
            iss: self.config.issuer.clone(),
            aud: self.config.audience.clone(),
            sub: user_id.to_string(),
            sid: login_id.to_string(),
            iat,
            exp: iat + i64::from(self.config.lifetime_s),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.signing)
            .expect("the key was read at the start and the claims are plain text");
        Secret::new(token)
    }

    /// How long a token is good, `expires_in`.
    pub const fn lifetime_s(&self) -> u32 {
        self.config.lifetime_s
    }

    /// Checks a token.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Access, AccessError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AccessError::Invalid);
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|_| AccessError::Invalid)?;
        // Extensions that must be understood are not (RFC 7515 §4.1.11).
        if read.header.typ.as_deref() != Some(TYPE) || read.header.crit.is_some() {
            return Err(AccessError::Invalid);
        }
        let access = read.claims.access().ok_or(AccessError::Invalid)?;
        if access.expires_at <= now {
            return Err(AccessError::Expired);
        }
        Ok(access)
    }
}

/// The time is checked by [`AccessTokens::verify`], because the library would read a clock.
fn validation(config: &AccessConfig) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&config.issuer]);
    validation.set_audience(&[&config.audience]);
    validation
}

impl Claims {
    fn access(&self) -> Option<Access> {
        Some(Access {
            user_id: UserId::new(self.sub.parse().ok()?)?,
            login_id: LoginId::new(self.sid.parse().ok()?)?,
            expires_at: Timestamp(self.exp.checked_mul(1_000)?),
        })
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
