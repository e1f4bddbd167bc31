//! Laws that hold for every sequence of commands by anybody.

use guildhall_model::event::Event;
use guildhall_model::{Permissions, Rejection, limits};
use proptest::prelude::*;

use crate::guild::GuildState;
use crate::scene::{CAST, Dice, Scene, dice, id, rows_of};

fn played(moves: &[Dice]) -> Scene {
    let mut scene = Scene::peopled();
    for dice in moves {
        let command = dice.command(&scene.state);
        let _ = scene.attempt(dice.actor, command);
    }
    scene
}

/// Every permission that some role of the guild grants; everything where one is ADMINISTRATOR.
fn granted(state: &GuildState) -> Permissions {
    let all = state
        .roles()
        .fold(Permissions::empty(), |all, role| all | role.permissions);
    if all.contains(Permissions::ADMINISTRATOR) {
        Permissions::EVERYTHING
    } else {
        all
    }
}

fn moves() -> impl Strategy<Value = Vec<Dice>> {
    prop::collection::vec(dice(), 1..40)
}

proptest! {
    #[test]
    fn reverting_an_event_restores_the_state_before_it(moves in moves()) {
        let mut scene = played(&moves);
        let end = scene.state.clone();
        let founding = Scene::new().state;
        for record in scene.history[1..].iter().rev() {
            let after = scene.state.clone();
            scene.state.revert(record);
            let mut again = scene.state.clone();
            prop_assert_eq!(again.gseq() + 1, record.gseq);
            again.apply(record);
            prop_assert_eq!(&again, &after);
            prop_assert_ne!(&scene.state, &after, "an event changes something");
        }
        prop_assert_eq!(&scene.state, &founding);
        for record in &scene.history {
            scene.state.apply(record);
        }
        prop_assert_eq!(scene.state, end);
    }

    #[test]
    fn records_that_are_not_next_to_be_folded_change_nothing(moves in moves()) {
        let scene = played(&moves);
        let mut state = scene.state.clone();
        for record in &scene.history {
            state.apply(record);
        }
        prop_assert_eq!(&state, &scene.state);
        let mut beyond = scene.history.last().unwrap().clone();
        beyond.gseq += 1;
        state.revert(&beyond);
        prop_assert_eq!(&state, &scene.state);
    }

    #[test]
    fn rows_hold_the_whole_state(moves in moves()) {
        let scene = played(&moves);
        prop_assert_eq!(GuildState::restore(rows_of(&scene.state)), scene.state);
    }

    #[test]
    fn denied_commands_change_nothing(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let (before, n) = (scene.state.clone(), scene.history.len());
            let command = dice.command(&before);
            if scene.attempt(dice.actor, command).is_err() {
                prop_assert_eq!(&scene.state, &before);
                prop_assert_eq!(scene.history.len(), n);
            }
        }
    }

    #[test]
    fn equal_commands_give_equal_events(moves in moves()) {
        prop_assert_eq!(played(&moves).history, played(&moves).history);
    }

    #[test]
    fn nobody_below_the_owner_brings_a_permission_into_the_guild(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let before = scene.state.clone();
            let owns = before.guild().owner_id == id(dice.actor);
            let command = dice.command(&before);
            if scene.attempt(dice.actor, command).is_ok() && !owns {
                prop_assert!(granted(&before).contains(granted(&scene.state)));
                prop_assert_eq!(before.guild().owner_id, scene.state.guild().owner_id);
            }
        }
    }

    #[test]
    fn who_may_not_manage_roles_gains_nothing_by_own_commands(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let before = scene.state.clone();
            let (actor, held) = (id(dice.actor), scene.held(dice.actor));
            let was_member = before.member(actor).is_some();
            let command = dice.command(&before);
            if scene.attempt(dice.actor, command).is_err() || !was_member {
                continue;
            }
            if !held.contains(Permissions::MANAGE_ROLES) {
                prop_assert!(held.contains(scene.held(dice.actor)));
            }
            for channel in before.channels() {
                let had = before.channel_permissions(actor, channel.id, scene.now);
                let has = scene.state.channel_permissions(actor, channel.id, scene.now);
                let manages = (had | held).contains(Permissions::MANAGE_ROLES);
                prop_assert!(manages || had.contains(has), "{:?} became {:?}", had, has);
            }
        }
    }

    #[test]
    fn nobody_below_the_owner_touches_a_role_at_or_above_the_own_rank(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let before = scene.state.clone();
            let Some(actor) = before.member(id(dice.actor)).cloned() else { continue };
            let rank = before.rank(&actor);
            let command = dice.command(&before);
            let owns = before.guild().owner_id == actor.user.id;
            let Ok(events) = scene.attempt(dice.actor, command) else { continue };
            if owns {
                continue;
            }
            for role in before.roles().filter(|role| !role.is_everyone()) {
                if Some(role.rank()) < rank {
                    continue;
                }
                prop_assert_eq!(scene.state.role(role.id), Some(role));
                for user in CAST.map(id).filter(|&user| user != actor.user.id) {
                    let has = |state: &GuildState| {
                        state.member(user).is_some_and(|m| m.roles.contains(&role.id))
                    };
                    prop_assert_eq!(has(&before), has(&scene.state), "{:?}", &events);
                }
            }
        }
    }

    #[test]
    fn strangers_only_join(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let is_stranger = scene.state.member(id(dice.actor)).is_none();
            let command = dice.command(&scene.state);
            let outcome = scene.attempt(dice.actor, command);
            if let (true, Ok(events)) = (is_stranger, &outcome) {
                let joins = |event: &Event| matches!(event, Event::MemberJoined { .. });
                prop_assert!(events.iter().all(joins), "{:?}", events);
            }
            let is_telling = |refused: &Rejection| {
                matches!(refused, Rejection::MissingPermission(_) | Rejection::Outranked)
            };
            if let (true, Err(refused)) = (is_stranger, &outcome) {
                prop_assert!(!is_telling(refused), "{:?}", refused);
            }
        }
    }

    #[test]
    fn a_webhook_is_in_a_channel_that_exists_with_few_others(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let command = dice.command(&scene.state);
            let _ = scene.attempt(dice.actor, command);
            for webhook in scene.state.webhooks() {
                let channel = scene.state.channel(webhook.channel_id);
                prop_assert!(channel.is_some(), "{:?}", webhook);
                let beside = scene.state.webhooks();
                let beside = beside.filter(|other| other.channel_id == webhook.channel_id);
                prop_assert!(beside.count() <= limits::WEBHOOKS_MAX);
            }
        }
    }

    #[test]
    fn the_owner_stays_a_member_and_no_banned_user_is_one(moves in moves()) {
        let mut scene = Scene::peopled();
        for dice in moves {
            let command = dice.command(&scene.state);
            let _ = scene.attempt(dice.actor, command);
            let owner = scene.state.guild().owner_id;
            prop_assert!(scene.state.member(owner).is_some_and(|owner| !owner.user.bot));
            for ban in scene.state.bans() {
                prop_assert!(scene.state.member(ban.user.id).is_none());
            }
        }
    }
}
