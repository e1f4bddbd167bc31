//! What every adapter of [`Guilds`](crate::Guilds) promises about users' profiles.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use guildhall_model::account::{Account, Application};
use guildhall_model::event::{Change, Event};
use guildhall_model::intent::Intents;
use guildhall_model::member::Ban;
use guildhall_model::user::{Status, User};

use super::guilds::{
    GUILD, OWNER, Stores, commit, guild_record, load, profile_record, register, twin, with_guild,
};
use super::sample::{NOW, account, founding, id, member, user};
use crate::accounts::Taken;
use crate::guilds::CommitError;

/// Makes a test of each promise about profiles. `$fresh` names an async function that answers
/// [`Stores`], and whatever must live as long as they.
#[macro_export]
macro_rules! profiles_promises {
    ($fresh:path) => {
        $crate::promises! { profiles, $fresh:
            members_show_their_users_present_profiles
            a_changed_profile_is_found_under_its_new_names
            a_taken_name_or_address_is_refused_to_a_profile_too
            a_bots_profile_has_no_address
        }
    };
}

/// Profiles belong to their users' streams: an event of the guild that carries an older one does
/// not bring it back.
pub async fn members_show_their_users_present_profiles(stores: Stores) {
    with_guild(&stores).await;
    let ban = Ban {
        user: user(2),
        reason: None,
        by: id(1),
        at: NOW,
    };
    commit(
        &stores,
        &[guild_record(GUILD, 2, Event::BanAdded(ban.clone()))],
    )
    .await;
    let mut rows = twin::founded(founding(GUILD, user(1)));
    twin::fold(&mut rows, 2, &Event::BanAdded(ban));

    for number in [1, 2] {
        let mut profile = user(number);
        profile.display_name = Some("Renamed".to_owned());
        profile.status = Status::Dnd;
        commit(&stores, &[profile_record(1, profile.clone(), None)]).await;
        twin::show_profile(&mut rows, &profile);
    }
    assert_eq!(load(&stores, GUILD).await, rows);

    let before = member(user(1));
    let mut after = before.clone();
    after.nick = Some("Nick".to_owned());
    rows.members[0].nick.clone_from(&after.nick);
    rows.gseq = 3;
    let event = Event::MemberUpdated(Box::new(Change { before, after }));
    commit(&stores, &[guild_record(GUILD, 3, event)]).await;
    assert_eq!(load(&stores, GUILD).await, rows);
}

/// And no longer under the old ones, which are free again.
pub async fn a_changed_profile_is_found_under_its_new_names(stores: Stores) {
    register(&stores, 1).await;
    let mut profile = user(1);
    profile.username = String::from("Somebody");
    let record = profile_record(1, profile.clone(), Some("Else@mail.example"));
    commit(&stores, &[record]).await;

    let changed = Account {
        user: profile,
        email: Some("Else@mail.example".to_owned()),
    };
    let accounts = &stores.accounts;
    for name in ["somebody", "else@mail.example"] {
        let found = accounts.by_name(name).await.unwrap();
        assert_eq!(found, Some((changed.clone(), "hash".to_owned())));
    }
    for name in ["person.1", "person.1@mail.example"] {
        assert_eq!(accounts.by_name(name).await.unwrap(), None);
    }
    let mut heir = account(2);
    heir.user.username = user(1).username;
    heir.email = account(1).email;
    accounts.register(&heir, "hash").await.unwrap().unwrap();
}

/// Somebody else's, that is: the own name may change its case.
pub async fn a_taken_name_or_address_is_refused_to_a_profile_too(stores: Stores) {
    register(&stores, 2).await;
    let mut named = user(1);
    named.username = String::from("PERSON.2");
    let name = profile_record(1, named, Some("person.1@mail.example"));
    let email = profile_record(1, user(1), Some("PERSON.2@mail.example"));
    for (record, expected) in [(name, Taken::Username), (email, Taken::Email)] {
        let outcome = stores.guilds.commit(OWNER, &[record]).await;
        assert!(matches!(outcome, Err(CommitError::Taken(taken)) if taken == expected));
    }
    let unchanged = stores.accounts.account(id(1)).await.unwrap();
    assert_eq!(unchanged, Some(account(1)));

    let mut louder = user(1);
    louder.username = String::from("PERSON.1");
    let record = profile_record(1, louder.clone(), Some("Person.1@Mail.example"));
    commit(&stores, &[record]).await;
    let found = stores.accounts.account(id(1)).await.unwrap().unwrap();
    assert_eq!(found.user, louder);
    assert_eq!(found.email.as_deref(), Some("Person.1@Mail.example"));
}

/// A bot's profile changes like a person's, and the bot gets no account by it.
pub async fn a_bots_profile_has_no_address(stores: Stores) {
    register(&stores, 1).await;
    let mut bot = User {
        bot: true,
        ..user(10)
    };
    let application = Application {
        id: id(10),
        name: "Robot".to_owned(),
        owner_id: id(1),
        bot: bot.clone(),
        privileged_intents: Intents::empty(),
    };
    let made = stores.accounts.create_application(&application, [7; 32]);
    made.await.unwrap().unwrap();

    bot.display_name = Some("Robot".to_owned());
    commit(&stores, &[profile_record(1, bot.clone(), None)]).await;
    let found = stores.accounts.account(bot.id).await.unwrap().unwrap();
    assert_eq!((found.user, found.email), (bot.clone(), None));
    let by_name = stores.accounts.by_name(&bot.username).await.unwrap();
    assert_eq!(by_name, None);
}
