//! The relay against an oracle that asks every session about every event, and after takeovers.

mod model;
mod oracle;
mod world;

use proptest::prelude::*;

use world::{Op, PARTITIONS, World, ops};

fn played(ops: &[Op]) -> Result<World, TestCaseError> {
    let mut world = World::new();
    for op in ops {
        world.play(op)?;
    }
    world.hear_all()?;
    Ok(world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_session_is_told_what_the_oracle_says(ops in ops()) {
        let world = played(&ops)?;
        prop_assert_eq!(world.relay.guild_count(), usize::from(world.model.follows()));
        prop_assert_eq!(world.subscribed(), world.hearers(&world.model.open));
        for subscriber in &world.model.open {
            let hears = world.subscribed().contains(&subscriber.session);
            let is_heard = world.relay.is_heard_by(world.guild_id(), subscriber.session);
            prop_assert_eq!(is_heard, hears);
        }
    }

    #[test]
    fn a_successor_tells_each_session_what_its_predecessor_would_have_told(
        ops in ops(),
        cuts in prop::array::uniform3(0_usize..1_000),
        slack in 0_u64..4,
    ) {
        let world = played(&ops)?;
        prop_assert_eq!(cuts.len(), usize::from(PARTITIONS));
        world.take_over(&cuts, slack)?;
    }
}
