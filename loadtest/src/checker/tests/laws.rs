//! Laws: whatever a correct server does passes, and each of the four ways of breaking one
//! delivery fails.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::judge;
use super::world::{CLOSED, OPEN, OUTSIDER, Step, Tale, Told, USERS, World};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let user = 0..USERS;
    let pick = 0..64_usize;
    let channel = prop_oneof![Just(OPEN), Just(CLOSED)];
    let step = prop_oneof![
        8 => (user.clone(), channel.clone(), prop::bool::weighted(0.2)).prop_map(
            |(user, channel, is_answer_lost)| Step::Post { user, channel, is_answer_lost }
        ),
        2 => pick.clone().prop_map(|pick| Step::Edit { pick }),
        1 => pick.clone().prop_map(|pick| Step::Delete { pick }),
        2 => (user.clone(), pick.clone()).prop_map(|(user, pick)| Step::React { user, pick }),
        2 => user.clone().prop_map(|user| Step::Toggle { user }),
        12 => pick.prop_map(|pick| Step::Effect { pick }),
        2 => user.clone().prop_map(|user| Step::Cut { user }),
        2 => user.clone().prop_map(|user| Step::Return { user }),
        1 => user.clone().prop_map(|user| Step::Invalidate { user }),
        1 => (user, channel).prop_map(|(user, channel)| Step::Type { user, channel }),
    ];
    prop::collection::vec(step, 0..120)
}

/// Any history, with a beginning that gives every mutation something to bite on.
fn world() -> impl Strategy<Value = World> {
    steps().prop_map(|random| {
        let mut steps = Vec::new();
        for channel in [OPEN, OPEN, CLOSED, CLOSED] {
            steps.push(Step::Post {
                user: 0,
                channel,
                is_answer_lost: false,
            });
            steps.push(Step::Effect { pick: 0 });
        }
        steps.extend(random);
        World::begin().run(&steps)
    })
}

/// Where in the stream of a session that ended well the open channel's changes stand, of those
/// that were asked for after the session had settled.
fn owed(world: &World, session: usize, t: Option<&str>) -> Vec<usize> {
    let session = &world.sessions[session];
    let is_owed = |tale: &Tale| {
        tale.channel == Some(OPEN)
            && tale.message.is_some()
            && session.settled < tale.asked
            && t.is_none_or(|t| t == tale.t)
    };
    (0..session.told.len())
        .filter(|index| matches!(&session.told[*index].1, Told::Numbered(tale) if is_owed(tale)))
        .collect()
}

/// The sessions that lasted to the end.
fn lasting(world: &World) -> Vec<usize> {
    (0..world.sessions.len())
        .filter(|index| !world.sessions[*index].is_over)
        .collect()
}

fn choose<T: Copy>(from: &[T], pick: prop::sample::Index) -> Option<T> {
    (!from.is_empty()).then(|| from[pick.index(from.len())])
}

#[derive(Clone, Copy, Debug)]
enum Mutation {
    Drop,
    Double,
    Swap,
    Leak,
}

/// Breaks one delivery; `None` if this history offers no such delivery.
fn mutate(
    world: &mut World,
    mutation: Mutation,
    who: prop::sample::Index,
    what: prop::sample::Index,
) -> Option<()> {
    let session = choose(&lasting(world), who)?;
    match mutation {
        Mutation::Drop => {
            let index = choose(&owed(world, session, None), what)?;
            world.sessions[session].told.remove(index);
        }
        Mutation::Double => {
            let index = choose(&owed(world, session, None), what)?;
            let told = &mut world.sessions[session].told;
            let again = told[index].clone();
            told.insert(index + 1, again);
        }
        Mutation::Swap => {
            let creates = owed(world, session, Some("MESSAGE_CREATE"));
            let pairs: Vec<(usize, usize)> = creates
                .iter()
                .copied()
                .zip(creates.iter().copied().skip(1))
                .collect();
            let (one, other) = choose(&pairs, what)?;
            super::swap(world, session, one, other);
        }
        Mutation::Leak => {
            let is_secret = |told: &Told| {
                matches!(told, Told::Numbered(tale)
                    if tale.channel == Some(CLOSED) && tale.message.is_some())
            };
            let secrets: Vec<(u64, Told)> = world.sessions[0]
                .told
                .iter()
                .filter(|(_, told)| is_secret(told))
                .cloned()
                .collect();
            let secret = secrets[what.index(secrets.len())].clone();
            let outsider = lasting(world)
                .into_iter()
                .find(|index| world.sessions[*index].user == OUTSIDER)?;
            let told = &mut world.sessions[outsider].told;
            let (identified, last) = (told[2].0, told.len() - 1);
            // Whatever was posted before this session began could not even be told apart.
            let at = secret.0.max(identified);
            let index = told
                .iter()
                .rposition(|(then, _)| *then <= at)
                .map_or(3, |i| i + 1);
            told.insert(index.clamp(3, last), (at, secret.1));
        }
    }
    Some(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn whatever_a_correct_server_does_passes(world in world()) {
        let verdict = judge(&world);
        prop_assert_eq!(verdict.violations_total, 0, "{}", verdict);
    }

    #[test]
    fn every_single_broken_delivery_is_found(
        mut world in world(),
        mutation in prop_oneof![
            Just(Mutation::Drop), Just(Mutation::Double), Just(Mutation::Swap), Just(Mutation::Leak)
        ],
        who in any::<prop::sample::Index>(),
        what in any::<prop::sample::Index>(),
    ) {
        if mutate(&mut world, mutation, who, what).is_some() {
            let verdict = judge(&world);
            prop_assert_ne!(verdict.violations_total, 0);
        }
    }
}

#[test]
fn mutations_find_something_to_break() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut broken = 0;
    for _ in 0..200 {
        let strategy = (
            world(),
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
        );
        let (mut world, who, what) = strategy.new_tree(&mut runner).unwrap().current();
        broken += usize::from(mutate(&mut world, Mutation::Swap, who, what).is_some());
    }
    assert!(150 < broken, "only {broken} of 200 histories were broken");
}
