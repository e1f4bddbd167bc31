//! What a node says of its parts is what they do.

use guildhall_ports::Failure;

use crate::town::founded;

#[test]
fn a_node_says_how_full_its_queues_are_and_what_waits() {
    let (house, serving, town, mut client) = founded();
    let state = serving.node.observe();
    let guilds = state
        .event_partitions
        .iter()
        .map(|partition| partition.guilds);
    assert_eq!(guilds.sum::<usize>(), 1);
    let mut guilds = state
        .event_partitions
        .iter()
        .flat_map(|partition| &partition.busiest_guilds);
    let guild = guilds.next().unwrap();
    assert_eq!((guild.id, guild.members), (town.guild, 3));
    assert_eq!(guild.mailbox.used, 0);
    let sessions = state.session_partitions.iter();
    let first = sessions.max_by_key(|partition| partition.sessions).unwrap();
    assert_eq!((first.sessions, &first.failure), (1, &None));
    assert!(first.ring_entries.used > 0 && first.ring_bytes.used > 0);

    // Posts wait for the log, and the log refuses frames.
    house.events.hold();
    let posts = |range: std::ops::Range<usize>| {
        for n in range {
            let (node, text) = (serving.node.clone(), format!("waits {n}"));
            let (channel, author) = (town.channel, town.people[1].user.clone());
            serving
                .spawn(async move { drop(crate::town::post(node, channel, author, text).await) });
        }
    };
    // One is in the append that is under way, the others wait behind it.
    posts(0..1);
    serving.run(house.events.until_waiting(1));
    posts(1..5);
    let used = || {
        let partitions = serving.node.observe().event_partitions;
        let append = partitions
            .iter()
            .map(|partition| partition.append_queue.used);
        append.sum::<usize>()
    };
    while used() < 4 {
        serving.turn(1);
    }
    assert_eq!(used(), 4);
    house.frames.fail(Some(Failure::Closing));
    house.events.flow();
    client.until_ended(&serving);
    let broken = serving.node.observe();
    let mut sessions = broken.session_partitions.iter();
    let broken = sessions
        .find(|partition| partition.epoch.is_none())
        .unwrap();
    assert_eq!(broken.failure.as_deref(), Some("shutting down"));
}
