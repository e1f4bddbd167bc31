//! What is not exactly a token of ours proves nothing.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;

const SEED: [u8; 32] = [7; 32];
const NOW: Timestamp = Timestamp(1_767_323_045_678);
const LIFETIME_MS: i64 = LIFETIME_S_DEFAULT as i64 * 1_000;

fn config() -> AccessConfig {
    AccessConfig {
        issuer: "https://guildhall.example".into(),
        audience: "guildhall".into(),
        lifetime_s: LIFETIME_S_DEFAULT,
    }
}

fn tokens() -> AccessTokens {
    AccessTokens::new(&SEED, config())
}

fn user() -> UserId {
    UserId::new(1_500_000_000_000_000_001).unwrap()
}

fn login() -> LoginId {
    LoginId::new(1_500_000_000_000_000_002).unwrap()
}

fn issued() -> String {
    tokens().issue(user(), login(), NOW).reveal().to_owned()
}

fn refused(token: &str) {
    assert_eq!(tokens().verify(token, NOW), Err(AccessError::Invalid));
}

fn base64(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// A token of our own key with other contents.
fn signed(header: &Header, claims: &serde_json::Value) -> String {
    jsonwebtoken::encode(header, claims, &tokens().signing).unwrap()
}

fn claims() -> serde_json::Value {
    let token = issued();
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

#[test]
fn a_token_proves_user_and_login_until_it_expires() {
    let access = tokens().verify(&issued(), NOW).unwrap();
    assert_eq!((access.user_id, access.login_id), (user(), login()));
    let last = access.expires_at.plus_ms(-1);
    assert!(tokens().verify(&issued(), last).is_ok());
    assert_eq!(
        tokens().verify(&issued(), access.expires_at),
        Err(AccessError::Expired)
    );
    let age_ms = access.expires_at.ms_since(NOW);
    assert!(age_ms <= LIFETIME_MS.unsigned_abs());
}

#[test]
fn a_token_says_what_it_is() {
    let token = issued();
    let header = token.split('.').next().unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, serde_json::json!({"typ": "at+jwt", "alg": "EdDSA"}));
    assert_eq!(claims()["sub"], "1500000000000000001");
    assert_eq!(claims()["sid"], "1500000000000000002");
}

/// RFC 8032 §7.1, test 1: the seed gives the published public key.
#[test]
fn the_key_is_the_seeds() {
    let seed = [
        0x9D, 0x61, 0xB1, 0x9D, 0xEF, 0xFD, 0x5A, 0x60, 0xBA, 0x84, 0x4A, 0xF4, 0x92, 0xEC, 0x2C,
        0xC4, 0x44, 0x49, 0xC5, 0x69, 0x7B, 0x32, 0x69, 0x19, 0x70, 0x3B, 0xAC, 0x03, 0x1C, 0xAE,
        0x7F, 0x60,
    ];
    let tokens = AccessTokens::new(&seed, config());
    let public = tokens.verifying.try_get_as_bytes().unwrap();
    assert_eq!(public[..4], [0xD7, 0x5A, 0x98, 0x01]);
    assert_eq!(public.len(), 32);
}

#[test]
fn an_unsigned_token_is_refused() {
    let body = issued().split('.').nth(1).unwrap().to_owned();
    for algorithm in ["none", "None", "NONE", ""] {
        let header = base64(&format!(r#"{{"typ":"at+jwt","alg":"{algorithm}"}}"#));
        refused(&format!("{header}.{body}."));
        refused(&format!("{header}.{body}.AAAA"));
    }
}

/// The classic confusion: the public key is no secret, so it must not work as one.
#[test]
fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let public = tokens().verifying.try_get_as_bytes().unwrap().to_vec();
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.into());
    let key = EncodingKey::from_secret(&public);
    refused(&jsonwebtoken::encode(&header, &claims(), &key).unwrap());
}

#[test]
fn another_keys_token_is_refused() {
    let other = AccessTokens::new(&[8; 32], config());
    refused(other.issue(user(), login(), NOW).reveal());
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let other = |change: fn(&mut AccessConfig)| {
        let mut config = config();
        change(&mut config);
        let tokens = AccessTokens::new(&SEED, config);
        tokens.issue(user(), login(), NOW).reveal().to_owned()
    };
    refused(&other(|config| config.audience = "elsewhere".into()));
    refused(&other(|config| {
        config.issuer = "https://other.example".into();
    }));
}

#[test]
fn a_token_of_another_type_is_refused() {
    let mut header = tokens().header;
    assert!(tokens().verify(&signed(&header, &claims()), NOW).is_ok());
    for typ in [None, Some("JWT"), Some("refresh+jwt")] {
        header.typ = typ.map(Into::into);
        refused(&signed(&header, &claims()));
    }
}

#[test]
fn a_token_with_demands_that_are_not_understood_is_refused() {
    let mut header = tokens().header;
    header.crit = Some(vec!["b64".into()]);
    refused(&signed(&header, &claims()));
}

#[test]
fn every_claim_is_needed_and_must_make_sense() {
    let header = tokens().header;
    for claim in ["iss", "aud", "sub", "sid", "exp", "iat"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        refused(&signed(&header, &claims));
        claims[claim] = serde_json::json!({});
        refused(&signed(&header, &claims));
    }
    for (claim, value) in [
        ("sub", serde_json::json!("0")),
        ("sub", serde_json::json!("9223372036854775808")),
        ("sid", serde_json::json!("")),
        ("sid", serde_json::json!(7)),
        ("exp", serde_json::json!(i64::MAX)),
        ("exp", serde_json::json!("never")),
    ] {
        let mut claims = claims();
        claims[claim] = value;
        refused(&signed(&header, &claims));
    }
    let mut claims = claims();
    claims["exp"] = serde_json::json!(-1);
    assert!(tokens().verify(&signed(&header, &claims), NOW).is_err());
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["", ".", "..", "a.b.c", "....", "e30.e30.e30"] {
        refused(text);
    }
    refused(&"a".repeat(1 << 20));
    refused(&format!("{}.a", issued()));
}

#[test]
fn the_key_is_not_shown() {
    let shown = format!("{:?}", AccessTokens::new(&[0x41; 32], config()));
    assert!(!shown.contains("65, 65") && !shown.contains("AAAA"));
}

proptest! {
    #[test]
    fn a_token_with_one_changed_character_is_refused(
        at in any::<prop::sample::Index>(),
        character in "[A-Za-z0-9_.-]",
    ) {
        let token = issued();
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &character);
        prop_assume!(changed != token);
        prop_assert!(tokens().verify(&changed, NOW).is_err());
    }

    #[test]
    fn no_text_breaks_the_check(text in "\\PC{0,200}") {
        prop_assert!(tokens().verify(&text, NOW).is_err());
    }
}
