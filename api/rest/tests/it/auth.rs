//! `/auth`

use guildhall_app::Registration;
use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{
    ACCESS_LIFETIME_S, Caller, House, LOGIN_LIFETIME_S, PASSWORD, registration, text,
};

async fn refresh(house: &House, token: &str) -> crate::harness::Answer {
    house
        .post(None, "/auth/refresh", json!({"refresh_token": token}))
        .await
}

#[tokio::test]
async fn registering_answers_with_the_profile_and_the_first_tokens() {
    let house = House::open().await;
    let made = house
        .post(None, "/auth/register", registration("ada"))
        .await;
    assert_snapshot!(house.show(&made), @r#"
    201
    {
      "access_token": "<secret>",
      "expires_in": 900,
      "refresh_token": "<secret>",
      "token_type": "Bearer",
      "user": {
        "avatar_url": null,
        "bot": false,
        "created_at": "<time>",
        "display_name": null,
        "email": "ada@example.org",
        "id": "<id 1>",
        "status": "online",
        "updated_at": "<time>",
        "username": "ada"
      }
    }
    "#);
    assert_eq!(made.headers["cache-control"], "no-store");
    let token = format!("Bearer {}", text(&made.body["access_token"]));
    let ada = Caller {
        id: String::new(),
        authorization: token,
        refresh_token: String::new(),
    };
    assert_eq!(
        house.get(&ada, "/users/me").await.expect(200),
        made.body["user"]
    );
}

#[tokio::test]
async fn a_name_or_an_address_is_taken_in_any_case_and_which_one_is_not_said() {
    let house = House::open().await;
    house.person("ada").await;
    let same_name = json!({"username": "ADA", "email": "new@example.org", "password": PASSWORD});
    let same_address =
        json!({"username": "other", "email": "Ada@Example.org", "password": PASSWORD});
    let by_name = house.post(None, "/auth/register", same_name).await;
    let by_address = house.post(None, "/auth/register", same_address).await;
    by_name.refused(409, "taken");
    assert_eq!(by_name.body, by_address.body);
}

#[tokio::test]
async fn a_closed_installation_registers_nobody() {
    let house = House::with(Registration::Closed, Vec::new()).await;
    let refused = house
        .post(None, "/auth/register", registration("ada"))
        .await;
    refused.refused(409, "conflict");
}

#[tokio::test]
async fn either_name_signs_in_and_nothing_tells_which_names_exist() {
    let house = House::open().await;
    house.person("ada").await;
    for name in [
        json!({"email": "ADA@example.org"}),
        json!({"username": "Ada"}),
    ] {
        let mut form = name;
        form["password"] = json!(PASSWORD);
        let signed_in = house.post(None, "/auth/login", form).await.expect(200);
        assert_eq!(signed_in["token_type"], "Bearer");
        assert_eq!(signed_in["expires_in"], ACCESS_LIFETIME_S);
    }
    let wrong = json!({"email": "ada@example.org", "password": "not the password"});
    let nobody = json!({"email": "eve@example.org", "password": "not the password"});
    let wrong = house.post(None, "/auth/login", wrong).await;
    let nobody = house.post(None, "/auth/login", nobody).await;
    wrong.refused(401, "wrong_credentials");
    assert_eq!(wrong.body, nobody.body);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_successor_goes_on() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let second = refresh(&house, &ada.refresh_token).await.expect(200);
    assert_ne!(text(&second["refresh_token"]), ada.refresh_token);
    let third = refresh(&house, &text(&second["refresh_token"])).await;
    assert_eq!(third.status, 200);
    refresh(&house, "gr_unknown")
        .await
        .refused(401, "unauthenticated");
    refresh(&house, "").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_replayed_refresh_token_revokes_the_family() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let elsewhere = house.login("ada").await;
    let successor = refresh(&house, &ada.refresh_token).await.expect(200);
    let session = house.session(&ada).await;
    let unharmed = house.session(&elsewhere).await;

    refresh(&house, &ada.refresh_token)
        .await
        .refused(401, "unauthenticated");
    house
        .get(&ada, "/users/me")
        .await
        .refused(401, "unauthenticated");
    refresh(&house, &text(&successor["refresh_token"]))
        .await
        .refused(401, "unauthenticated");
    assert!(session.ended().is_some(), "its sockets close at once");

    assert_eq!(house.get(&elsewhere, "/users/me").await.status, 200);
    assert!(unharmed.ended().is_none(), "another device goes on");
}

#[tokio::test]
async fn of_many_who_present_one_refresh_token_at_most_one_is_served() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let tries = (0..20).map(|_| refresh(&house, &ada.refresh_token));
    let answers = futures_util::future::join_all(tries).await;
    let served: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(served.len(), 1);
    let successor = text(&served[0].body["refresh_token"]);
    refresh(&house, &successor)
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn logging_out_ends_tokens_and_sockets_of_this_login_only() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let elsewhere = house.login("ada").await;
    let session = house.session(&ada).await;
    assert_eq!(
        house.post(&ada, "/auth/logout", json!({})).await.status,
        204
    );
    assert!(session.ended().is_some());
    house
        .get(&ada, "/users/me")
        .await
        .refused(401, "unauthenticated");
    house
        .post(&ada, "/auth/logout", json!({}))
        .await
        .refused(401, "unauthenticated");
    refresh(&house, &ada.refresh_token)
        .await
        .refused(401, "unauthenticated");
    assert_eq!(house.get(&elsewhere, "/users/me").await.status, 200);
}

#[tokio::test]
async fn a_revoked_login_stays_revoked_over_a_restart() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    house.post(&ada, "/auth/logout", json!({})).await;
    let again = house.app_again().await;
    let presented = guildhall_app::Presented::parse(&ada.authorization).unwrap();
    assert!(again.authenticate(&presented).await.is_err());
}

#[tokio::test]
async fn tokens_end_with_their_time() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    house
        .clock
        .advance_ms(i64::from(ACCESS_LIFETIME_S) * 1_000 - 1_000);
    assert_eq!(house.get(&ada, "/users/me").await.status, 200);
    house.clock.advance_ms(1_000);
    house
        .get(&ada, "/users/me")
        .await
        .refused(401, "unauthenticated");
    assert_eq!(refresh(&house, &ada.refresh_token).await.status, 200);

    let bea = house.person("bea").await;
    house.clock.advance_ms(i64::from(LOGIN_LIFETIME_S) * 1_000);
    refresh(&house, &bea.refresh_token)
        .await
        .refused(401, "unauthenticated");
}

#[tokio::test]
async fn credentials_that_are_none_are_all_answered_alike() {
    let house = House::open().await;
    let ada = house.person("ada").await;
    let bot = house.bot(&ada, "Echo").await;
    let token = ada.authorization.trim_start_matches("Bearer ").to_owned();
    let bot_token = bot.authorization.trim_start_matches("Bot ").to_owned();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = [
        String::new(),
        token.clone(),
        format!("Basic {token}"),
        format!("Bot {token}"),
        format!("Bearer {bot_token}"),
        format!("Bearer {}", ada.refresh_token),
        format!(
            "Bearer {head}.{}",
            signature.chars().rev().collect::<String>()
        ),
        format!("Bearer {head}."),
        format!("Bot {}x", &bot_token[..bot_token.len() - 1]),
        format!("Bearer {}", "a".repeat(8_000)),
        "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(),
    ];
    for authorization in forged {
        let eve = Caller {
            authorization,
            ..ada.clone()
        };
        let answer = house.get(&eve, "/users/me").await;
        answer.refused(401, "unauthenticated");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let anonymous = house.get(None, "/users/me").await;
    anonymous.refused(401, "unauthenticated");
    assert_eq!(house.get(&bot, "/users/me").await.status, 200);
}
