//! Hand-made histories, good and broken: each broken promise is found, and found as what it is.

use crate::history::reader::Place;
use crate::history::{Action, Entry, Line, Request, Response};

use super::verdict::{Invariant, Verdict};
use super::{intake, weigh};

mod laws;
mod stored;
mod world;

use world::{CLOSED, OPEN, OUTSIDER, Step, Told, World};

/// Judges a world's history as if it had been read from files.
fn judge(world: &World) -> Verdict {
    judge_lines(&world.lines())
}

fn judge_lines(files: &[Vec<Line<'_>>]) -> Verdict {
    let mut intake = intake::Intake::default();
    for (file, lines) in (0..).zip(files) {
        for (line, what) in (1..).zip(lines) {
            intake.take(Place { file, line }, what).unwrap();
        }
    }
    weigh(&intake.finish())
}

fn post(user: usize, channel: usize) -> Step {
    Step::Post {
        user,
        channel,
        is_answer_lost: false,
    }
}

fn now() -> Step {
    Step::Effect { pick: 0 }
}

/// A little of everything: three posts in each channel, an edit, a reaction, a deletion, a change
/// of sight and a RESUME.
fn ordinary_day() -> World {
    let mut steps = Vec::new();
    for channel in [OPEN, CLOSED] {
        steps.extend([post(0, channel), now(), post(1, channel), now()]);
    }
    steps.extend([
        Step::Cut { user: 2 },
        Step::Edit { pick: 0 },
        now(),
        Step::React { user: 3, pick: 1 },
        now(),
        Step::Type {
            user: 0,
            channel: OPEN,
        },
        Step::Return { user: 2 },
        Step::Toggle { user: 1 },
        now(),
        Step::Toggle { user: 0 },
        now(),
        Step::Post {
            user: 0,
            channel: CLOSED,
            is_answer_lost: true,
        },
        now(),
        post(3, OPEN),
        now(),
        Step::Delete { pick: 1 },
        now(),
    ]);
    World::begin().run(&steps)
}

/// The index of the session's dispatch number `nth` (from 0) of event `t` in `channel`.
fn find(world: &World, session: usize, t: &str, channel: usize, nth: usize) -> usize {
    let told = &world.sessions[session].told;
    let is_it = |told: &Told| match told {
        Told::Numbered(tale) => tale.t == t && tale.channel == Some(channel),
        _ => false,
    };
    (0..told.len())
        .filter(|index| is_it(&told[*index].1))
        .nth(nth)
        .unwrap()
}

/// Exactly these invariants are found broken.
#[track_caller]
fn assert_broken(world: &World, expected: &[Invariant], words: &str) {
    let verdict = judge(world);
    let mut found: Vec<Invariant> = verdict.violations.iter().map(|one| one.invariant).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, expected, "{verdict}");
    assert!(verdict.to_string().contains(words), "{verdict}");
    assert!(!verdict.holds());
}

#[test]
fn an_ordinary_day_is_judged_and_found_good() {
    let verdict = judge(&ordinary_day());
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.judged.streams, 4);
    assert_eq!(verdict.judged.resumes, 1);
    assert_eq!(verdict.judged.operations, 9);
    // Six operations on the open channel for four sessions; two posts on the closed one for two,
    // and one after both of the others' sights had been turned around.
    assert_eq!(verdict.judged.owed, 6 * 4 + 2 * 2 + 2, "{verdict}");
    assert_eq!(verdict.judged.forbidden, 2 * 2 + 2, "{verdict}");
}

#[test]
fn a_dropped_dispatch_is_missed_though_the_numbers_are_whole() {
    for t in [
        "MESSAGE_CREATE",
        "MESSAGE_UPDATE",
        "MESSAGE_DELETE",
        "MESSAGE_REACTION_ADD",
    ] {
        let mut world = ordinary_day();
        let index = find(&world, 2, t, OPEN, 0);
        world.sessions[2].told.remove(index);
        assert_broken(&world, &[Invariant::I1], "never came");
    }
}

#[test]
fn a_doubled_dispatch_is_seen_though_it_has_a_number_of_its_own() {
    for (t, words) in [
        ("MESSAGE_CREATE", "was created twice"),
        ("MESSAGE_UPDATE", "edited twice in the same way"),
        ("MESSAGE_DELETE", "was deleted before"),
        ("MESSAGE_REACTION_ADD", "the same reaction twice"),
    ] {
        let mut world = ordinary_day();
        let index = find(&world, 0, t, OPEN, 0);
        let again = world.sessions[0].told[index].clone();
        world.sessions[0].told.insert(index + 1, again);
        assert_broken(&world, &[Invariant::I3], words);
    }
}

fn swap(world: &mut World, session: usize, one: usize, other: usize) {
    let told = &mut world.sessions[session].told;
    let (a, b) = (told[one].1.clone(), told[other].1.clone());
    told[one].1 = b;
    told[other].1 = a;
}

#[test]
fn swapped_creates_are_out_of_order() {
    let mut world = ordinary_day();
    let (one, other) = (
        find(&world, 3, "MESSAGE_CREATE", OPEN, 0),
        find(&world, 3, "MESSAGE_CREATE", OPEN, 1),
    );
    swap(&mut world, 3, one, other);
    assert_broken(&world, &[Invariant::I3], "came after a newer message");
    assert_broken(&world, &[Invariant::I3], "disagrees on the order");
}

#[test]
fn an_edit_must_not_come_before_its_create() {
    let mut world = ordinary_day();
    let (create, edit) = (
        find(&world, 3, "MESSAGE_CREATE", OPEN, 0),
        find(&world, 3, "MESSAGE_UPDATE", OPEN, 0),
    );
    swap(&mut world, 3, create, edit);
    assert_broken(
        &world,
        &[Invariant::I3],
        "was changed before it was created",
    );
}

#[test]
fn readers_who_disagree_are_found_even_where_no_id_tells_the_order() {
    let mut world = ordinary_day();
    let (edit, reaction) = (
        find(&world, 3, "MESSAGE_UPDATE", OPEN, 0),
        find(&world, 3, "MESSAGE_REACTION_ADD", OPEN, 0),
    );
    swap(&mut world, 3, edit, reaction);
    assert_broken(&world, &[Invariant::I3], "disagrees on the order");
}

#[test]
fn what_was_over_before_something_else_began_stays_before_it() {
    // Only its author sees the channel, so that no other reader can contradict.
    let steps = [
        Step::Toggle { user: 0 },
        now(),
        post(0, CLOSED),
        now(),
        Step::Edit { pick: 0 },
        now(),
        Step::Edit { pick: 0 },
        now(),
    ];
    let mut world = World::begin().run(&steps);
    assert!(judge(&world).holds());
    let (one, other) = (
        find(&world, 0, "MESSAGE_UPDATE", CLOSED, 0),
        find(&world, 0, "MESSAGE_UPDATE", CLOSED, 1),
    );
    swap(&mut world, 0, one, other);
    assert_broken(&world, &[Invariant::I3], "a change that was made later");
}

#[test]
fn a_dispatch_to_a_member_without_access_is_a_leak() {
    let mut world = ordinary_day();
    let index = find(&world, 0, "MESSAGE_CREATE", CLOSED, 0);
    let leaked = world.sessions[0].told[index].clone();
    let end = world.sessions[OUTSIDER].told.len() - 1;
    world.sessions[OUTSIDER].told.insert(end, leaked);
    assert_broken(
        &world,
        &[Invariant::I6],
        "reached a user who could not see it",
    );
}

#[test]
fn a_channel_that_is_shown_or_typed_in_unseen_is_a_leak() {
    let mut world = ordinary_day();
    world.sessions[OUTSIDER]
        .told
        .insert(3, (0, Told::Typing(CLOSED)));
    assert_broken(&world, &[Invariant::I6], "Volatile");
    let mut world = ordinary_day();
    let Told::Numbered(guild) = &mut world.sessions[OUTSIDER].told[1].1 else {
        unreachable!("GUILD_CREATE is the second dispatch");
    };
    guild.shows.push(CLOSED);
    assert_broken(&world, &[Invariant::I6], "Shown");
}

#[test]
fn nothing_follows_on_a_channel_that_the_session_was_told_to_have_lost() {
    let mut world = ordinary_day();
    // The second user loses sight of the channel; the older post is shown once more thereafter.
    let gone = find(&world, 1, "CHANNEL_DELETE", CLOSED, 0);
    let create = find(&world, 1, "MESSAGE_CREATE", CLOSED, 1);
    let late = world.sessions[1].told.remove(create);
    world.sessions[1].told.insert(gone, late);
    assert_broken(&world, &[Invariant::I6], "told that the channel is gone");
}

#[test]
fn a_call_that_succeeds_without_sight_is_a_leak() {
    let mut world = ordinary_day();
    let at = world.now + 10;
    let read = Request {
        call: 900,
        user: world::user_id(OUTSIDER).into(),
        action: Action::Read,
        method: "GET".into(),
        path: "/".into(),
        channel: Some(world::channel_id(CLOSED).into()),
        message: None,
        nonce: None,
        tag: None,
        access: vec![],
    };
    let answer = |status| {
        Entry::Response(Response {
            call: 900,
            status,
            message: None,
        })
    };
    world.rest.push((at, Entry::Request(read)));
    let mut refused = world.clone();
    refused.rest.push((at + 1, answer(404)));
    assert!(judge(&refused).holds());
    world.rest.push((at + 1, answer(200)));
    assert_broken(&world, &[Invariant::I6], "Read on channel");
}

#[test]
fn a_gap_and_a_repeat_in_the_numbers_are_found() {
    for (by, words) in [(1, "s has a gap"), (-1, "s repeats")] {
        let mut world = ordinary_day();
        world.skew = Some((0, 5, by));
        assert_broken(&world, &[Invariant::I4], words);
    }
}

#[test]
fn what_a_resume_replays_again_is_a_repeat() {
    let mut world = ordinary_day();
    let told = &mut world.sessions[2].told;
    let resume = told
        .iter()
        .position(|(_, told)| *told == Told::Resume)
        .unwrap();
    let again = told[resume - 1].clone();
    told.insert(resume + 1, again);
    // It carries a number of its own here, so that it is the content that comes twice.
    assert_broken(&world, &[Invariant::I3], "was created twice");
    world.skew = Some((2, 5, -1));
    assert_broken(
        &world,
        &[Invariant::I3, Invariant::I4],
        "s repeats: 5 was due",
    );
}

#[test]
fn op_nine_confesses_to_a_lost_end_but_not_to_a_hole() {
    let steps = [
        post(0, OPEN),
        now(),
        post(0, OPEN),
        now(),
        Step::Cut { user: 2 },
        post(0, OPEN),
        now(),
        Step::Invalidate { user: 2 },
        post(0, OPEN),
        now(),
    ];
    let world = World::begin().run(&steps);
    let verdict = judge(&world);
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.judged.invalid_sessions, 1);
    let mut world = World::begin().run(&steps);
    let first = find(&world, 2, "MESSAGE_CREATE", OPEN, 0);
    world.sessions[2].told.remove(first);
    assert_broken(&world, &[Invariant::I1], "never came");
}

#[test]
fn a_history_that_proves_nothing_does_not_pass() {
    let world = World::begin().run(&[]);
    let verdict = judge(&world);
    assert!(verdict.is_vacuous() && !verdict.holds());
    let mut world = ordinary_day();
    world.sessions[0].told.pop();
    assert_broken(&world, &[Invariant::History], "neither an end nor an op 9");
}

#[test]
fn violations_quote_the_two_lines_nearest_to_them() {
    let mut world = ordinary_day();
    let index = find(&world, 2, "MESSAGE_CREATE", OPEN, 0);
    world.sessions[2].told.remove(index);
    let home = tempfile::tempdir().unwrap();
    for (file, lines) in world.lines().iter().enumerate() {
        let begin = Line {
            at: 0,
            what: Entry::Begin {
                format: crate::history::FORMAT,
            },
        };
        let text: String = std::iter::once(&begin)
            .chain(lines)
            .map(|line| serde_json::to_string(line).unwrap() + "\n")
            .collect();
        std::fs::write(home.path().join(format!("{file}.jsonl")), text).unwrap();
    }
    let verdict = super::judge(home.path()).unwrap();
    let violation = &verdict.violations[0];
    assert_eq!(violation.session.as_deref(), Some("session-2"));
    assert!(violation.lines[0].starts_with("0.jsonl:"), "{violation}");
    assert!(violation.lines[0].contains("message-00000"), "{violation}");
    assert!(violation.lines[1].starts_with("3.jsonl:"), "{violation}");
    assert!(violation.lines[1].contains("dispatch"), "{violation}");
}
