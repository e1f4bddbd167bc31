//! What every adapter of [`ApplicationCommands`](crate::ApplicationCommands) promises.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics")]
#![expect(clippy::unwrap_used, reason = "the suites are tests")]

use futures_util::future::join_all;
use guildhall_model::account::Application;
use guildhall_model::application_command::{
    ApplicationCommand, Choice, Choices, CommandContext, CommandDefinition, CommandOption, Finite,
    Localized, OptionKind,
};
use guildhall_model::intent::Intents;
use guildhall_model::user::User;
use guildhall_model::{GuildId, Permissions};

use super::guilds::Stores;
use super::sample::{account, id, user};
use crate::application_commands::{NewCommand, Scope, Unstored};

/// Makes a test of each promise about commands. `$fresh` names an async function that answers
/// [`Stores`], and whatever must live as long as they.
#[macro_export]
macro_rules! application_commands_promises {
    ($fresh:path) => {
        $crate::promises! { application_commands, $fresh:
            a_command_is_found_as_it_was_put
            a_namesake_keeps_its_id
            scopes_do_not_see_each_other
            a_full_scope_takes_no_more_and_lets_change
            a_command_may_be_renamed_unless_the_name_is_taken
            replacing_keeps_the_ids_of_names_that_stay
            a_deleted_command_is_gone_and_its_id_is_not_given_again
            what_is_offered_is_of_everywhere_and_of_the_guild
            of_many_who_put_one_name_all_get_one_id
        }
    };
}

const MAX: usize = 3;

/// An application of this number, with its bot.
async fn with_application(stores: &Stores, number: u64) -> Scope {
    let owner = account(number + 1);
    let registered = stores.accounts.register(&owner, "hash").await;
    registered.unwrap().unwrap();
    let application = Application {
        id: id(number),
        name: "Robot".to_owned(),
        owner_id: id(number + 1),
        bot: User {
            bot: true,
            ..user(number)
        },
        privileged_intents: Intents::empty(),
    };
    let made = stores.accounts.create_application(&application, [7; 32]);
    made.await.unwrap().unwrap();
    Scope {
        application_id: id(number),
        guild_id: None,
    }
}

fn command(number: u64, name: &str) -> NewCommand {
    NewCommand {
        id: id(number),
        version: id(number + 1),
        definition: CommandDefinition {
            name: Localized::plain(name),
            description: Localized::plain("does something"),
            options: Vec::new(),
            default_member_permissions: None,
            contexts: None,
            nsfw: false,
        },
    }
}

/// A command that has everything.
fn elaborate(number: u64, name: &str) -> NewCommand {
    let option = |name: &str, kind| CommandOption {
        name: Localized {
            text: name.to_owned(),
            translations: Some([("de".to_owned(), "wort".to_owned())].into()),
        },
        description: Localized::plain("what it is for"),
        kind,
        required: true,
    };
    let half = Finite::new(0.5).unwrap();
    let number_kind = OptionKind::Number {
        choices: Choices::Among(vec![Choice {
            name: Localized::plain("half"),
            value: half,
        }]),
        range: (Some(half), None),
    };
    let text = OptionKind::Text {
        choices: Choices::Helped,
        length: (Some(1), Some(6_000)),
    };
    let within = vec![
        option("n", number_kind),
        option("t", text),
        option("c", OptionKind::Channel(vec![0, 2])),
    ];
    let mut new = command(number, name);
    new.definition.options = vec![option("sub", OptionKind::Subcommand(within))];
    new.definition.default_member_permissions = Some(Permissions::MANAGE_GUILD);
    new.definition.contexts = Some(vec![CommandContext::Guild]);
    new.definition.nsfw = true;
    new
}

fn stored(scope: Scope, new: &NewCommand) -> ApplicationCommand {
    ApplicationCommand {
        id: new.id,
        application_id: scope.application_id,
        guild_id: scope.guild_id,
        version: new.version,
        definition: new.definition.clone(),
    }
}

fn in_guild(scope: Scope, guild: u64) -> Scope {
    Scope {
        guild_id: Some(id(guild)),
        ..scope
    }
}

/// In a list, and alone.
pub async fn a_command_is_found_as_it_was_put(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let commands = &stores.commands;
    let new = elaborate(500, "everything");
    let put = commands.put(scope, &new, MAX).await.unwrap();
    assert_eq!(put, Ok((stored(scope, &new), true)));
    let listed = commands.commands(scope).await.unwrap();
    assert_eq!(listed, [stored(scope, &new)]);
    let found = commands.command(new.id).await.unwrap();
    assert_eq!(found, Some(stored(scope, &new)));
    assert_eq!(commands.command(id(501)).await.unwrap(), None);
}

/// Clients and people know a command by its id.
pub async fn a_namesake_keeps_its_id(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let commands = &stores.commands;
    let first = command(500, "echo");
    commands.put(scope, &first, MAX).await.unwrap().unwrap();
    let later = elaborate(600, "echo");
    let kept = NewCommand {
        id: first.id,
        ..later.clone()
    };
    let put = commands.put(scope, &later, MAX).await.unwrap();
    assert_eq!(put, Ok((stored(scope, &kept), false)));
    let listed = commands.commands(scope).await.unwrap();
    assert_eq!(listed, [stored(scope, &kept)]);
}

/// Neither those of other guilds nor those of other applications.
pub async fn scopes_do_not_see_each_other(stores: Stores) {
    let scopes = [
        with_application(&stores, 10).await,
        in_guild(with_application(&stores, 20).await, 70),
    ];
    let scopes = [
        scopes[0],
        in_guild(scopes[0], 70),
        in_guild(scopes[0], 71),
        scopes[1],
    ];
    let commands = &stores.commands;
    for (n, scope) in (500..).step_by(10).zip(scopes) {
        let put = commands.put(scope, &command(n, "echo"), MAX).await.unwrap();
        assert!(put.unwrap().1);
    }
    for (n, scope) in (500..).step_by(10).zip(scopes) {
        let listed = commands.commands(scope).await.unwrap();
        assert_eq!(listed, [stored(scope, &command(n, "echo"))]);
        assert!(
            !commands
                .delete(scopes[usize::from(n == 500)], id(n))
                .await
                .unwrap()
        );
    }
}

/// What stands there may change.
pub async fn a_full_scope_takes_no_more_and_lets_change(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let commands = &stores.commands;
    for (n, name) in [(500, "a"), (510, "b"), (520, "c")] {
        commands
            .put(scope, &command(n, name), MAX)
            .await
            .unwrap()
            .unwrap();
    }
    let more = commands.put(scope, &command(530, "d"), MAX).await.unwrap();
    assert_eq!(more, Err(Unstored::Full));
    let again = commands
        .put(scope, &elaborate(530, "c"), MAX)
        .await
        .unwrap();
    assert!(!again.unwrap().1);
    let elsewhere = in_guild(scope, 70);
    let beside = commands
        .put(elsewhere, &command(540, "d"), MAX)
        .await
        .unwrap();
    assert!(beside.is_ok());
}

/// The id decides, not the name.
pub async fn a_command_may_be_renamed_unless_the_name_is_taken(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let commands = &stores.commands;
    for (n, name) in [(500, "a"), (510, "b")] {
        commands
            .put(scope, &command(n, name), MAX)
            .await
            .unwrap()
            .unwrap();
    }
    let renamed = NewCommand {
        id: id(500),
        ..elaborate(600, "c")
    };
    assert_eq!(commands.change(scope, &renamed).await.unwrap(), Ok(()));
    let found = commands.command(id(500)).await.unwrap();
    assert_eq!(found, Some(stored(scope, &renamed)));
    let taken = NewCommand {
        id: id(500),
        ..command(700, "b")
    };
    let refused = commands.change(scope, &taken).await.unwrap();
    assert_eq!(refused, Err(Unstored::NameTaken));
    let unknown = commands
        .change(in_guild(scope, 70), &renamed)
        .await
        .unwrap();
    assert_eq!(unknown, Err(Unstored::Unknown));
    let found = commands.command(id(500)).await.unwrap();
    assert_eq!(found, Some(stored(scope, &renamed)));
}

/// Names that are not mentioned end.
pub async fn replacing_keeps_the_ids_of_names_that_stay(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let commands = &stores.commands;
    for (n, name) in [(500, "a"), (510, "b")] {
        commands
            .put(scope, &command(n, name), MAX)
            .await
            .unwrap()
            .unwrap();
    }
    let all = [elaborate(600, "b"), command(610, "c")];
    let kept = NewCommand {
        id: id(510),
        ..all[0].clone()
    };
    let expected = [stored(scope, &kept), stored(scope, &all[1])];
    assert_eq!(commands.replace(scope, &all).await.unwrap(), expected);
    assert_eq!(commands.commands(scope).await.unwrap(), expected);
    assert_eq!(commands.replace(scope, &[]).await.unwrap(), []);
    assert_eq!(commands.commands(scope).await.unwrap(), []);
}

/// New ids lie above those of all commands and versions there were.
pub async fn a_deleted_command_is_gone_and_its_id_is_not_given_again(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let commands = &stores.commands;
    commands
        .put(scope, &command(5_000, "a"), MAX)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stores.guilds.highest_id().await.unwrap(), 5_001);
    assert!(commands.delete(scope, id(5_000)).await.unwrap());
    assert!(!commands.delete(scope, id(5_000)).await.unwrap());
    assert_eq!(commands.command(id(5_000)).await.unwrap(), None);
    assert!(5_000 <= stores.guilds.highest_id().await.unwrap());
}

/// By application, oldest first, and no more than were asked for.
pub async fn what_is_offered_is_of_everywhere_and_of_the_guild(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let other = with_application(&stores, 20).await;
    let third = with_application(&stores, 30).await;
    let commands = &stores.commands;
    let here = in_guild(scope, 70);
    for (scope, n, name) in [
        (here, 500, "here"),
        (scope, 510, "a"),
        (in_guild(scope, 71), 520, "there"),
        (other, 530, "b"),
        (third, 540, "c"),
    ] {
        commands
            .put(scope, &command(n, name), MAX)
            .await
            .unwrap()
            .unwrap();
    }
    let offered = async |guild: Option<GuildId>, limit| {
        let applications = [id(10), id(20)];
        let offered = commands.offered(&applications, guild, limit).await.unwrap();
        let ids = offered.into_iter().map(|command| command.id.get());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(offered(Some(id(70)), 10).await, [500, 510, 530]);
    assert_eq!(offered(None, 10).await, [510, 530]);
    assert_eq!(offered(Some(id(70)), 2).await, [500, 510]);
}

/// And one of them is told that it is new.
pub async fn of_many_who_put_one_name_all_get_one_id(stores: Stores) {
    let scope = with_application(&stores, 10).await;
    let puts = (500..508).map(|n| {
        let commands = &stores.commands;
        async move { commands.put(scope, &command(10 * n, "echo"), MAX).await }
    });
    let puts = join_all(puts).await;
    let puts: Vec<_> = puts.into_iter().map(|put| put.unwrap().unwrap()).collect();
    assert!(puts.iter().all(|(stored, _)| stored.id == puts[0].0.id));
    assert_eq!(puts.iter().filter(|(_, is_new)| *is_new).count(), 1);
}
