//! Promises of a session partition's fold: numbers, epochs, caps, snapshots and refusals.

mod laws;
mod log;

use guildhall_model::{EventPartition, GuildId, Position};

use super::record::{Entry, Frame, FrameRecord};
use super::{Refusal, SessionPartition, SnapshotError};
use guildhall_model::Epoch;
use log::{audience, credential, event, folded, frame, opening, secret, take};

const FIRST: Epoch = Epoch(1);
const SECOND: Epoch = Epoch(2);

/// One settled session in slot 0 that has seen READY, GUILD_CREATE and two dispatches.
fn settled() -> SessionPartition {
    let guild_id = GuildId::new(5).unwrap();
    let subscribed = Entry::Subscribed {
        slot: 0,
        guild_id,
        gseq: 7,
        announced: true,
    };
    folded(&[
        (FIRST, take()),
        (
            FIRST,
            frame(vec![
                Entry::Open(opening(0)),
                subscribed,
                Entry::Settled { slot: 0 },
            ]),
        ),
        (FIRST, frame(vec![event(&[0]), event(&[0])])),
    ])
}

fn resume(machine: &SessionPartition, seq: u64) -> Result<u32, Refusal> {
    machine
        .may_resume(0, &secret(0), &credential(0), seq)
        .map(|session| session.s)
}

#[test]
fn ready_is_number_one_and_every_entry_that_names_a_session_counts() {
    let machine = settled();
    let session = machine.session(0).unwrap();
    assert_eq!((session.s, session.settled_at), (4, Some(2)));
    assert_eq!(session.guilds.get(&GuildId::new(5).unwrap()), Some(&7));
}

#[test]
fn what_is_not_announced_is_not_numbered() {
    let mut machine = settled();
    let guild_id = GuildId::new(6).unwrap();
    for entry in [
        Entry::Subscribed {
            slot: 0,
            guild_id,
            gseq: 1,
            announced: false,
        },
        Entry::Unsubscribed { slot: 0, guild_id },
        Entry::Attach { slot: 0 },
        event(&[1]),
    ] {
        machine.fold_entry(&entry);
    }
    assert_eq!(machine.session(0).unwrap().s, 4);
}

#[test]
fn an_audience_counts_for_its_sessions_until_it_ends() {
    let mut machine = settled();
    machine.fold_entry(&audience(3, &[0, 9]));
    machine.fold_entry(&log::event_to(3));
    machine.fold_entry(&Entry::AudienceEnd { id: 3 });
    machine.fold_entry(&log::event_to(3));
    assert_eq!(machine.session(0).unwrap().s, 5);
    assert_eq!(machine.next_audience(), 4, "its number is never used again");
}

#[test]
fn a_client_resumes_from_anywhere_between_its_settled_start_and_what_counts() {
    let machine = settled();
    assert_eq!(resume(&machine, 1), Err(Refusal::Unsettled));
    for seq in 2..=4 {
        assert_eq!(resume(&machine, seq), Ok(4));
    }
    assert_eq!(resume(&machine, 5), Err(Refusal::Beyond));
    assert_eq!(resume(&machine, u64::MAX), Err(Refusal::Beyond));
}

#[test]
fn a_wrong_secret_looks_like_no_session_and_a_wrong_credential_is_told_apart() {
    let machine = settled();
    let (good, bad) = (secret(0), secret(1));
    let refused = |slot, secret: &[u8; 16], credential: &[u8; 32]| {
        machine.may_resume(slot, secret, credential, 4).err()
    };
    assert_eq!(refused(9, &good, &credential(0)), Some(Refusal::Unknown));
    assert_eq!(refused(0, &bad, &credential(0)), Some(Refusal::Unknown));
    assert_eq!(refused(0, &bad, &credential(1)), Some(Refusal::Unknown));
    assert_eq!(
        refused(0, &good, &credential(1)),
        Some(Refusal::WrongCredential)
    );
}

#[test]
fn a_session_whose_start_broke_off_is_not_resumed() {
    let machine = folded(&[
        (FIRST, take()),
        (FIRST, frame(vec![Entry::Open(opening(0))])),
    ]);
    assert_eq!(resume(&machine, 1), Err(Refusal::Unsettled));
}

#[test]
fn a_closed_session_is_unknown_and_its_slot_stays_used() {
    let mut machine = settled();
    machine.fold_entry(&Entry::Close { slot: 0 });
    assert_eq!(resume(&machine, 4), Err(Refusal::Unknown));
    assert_eq!(machine.next_slot(), 1);
}

#[test]
fn records_of_a_superseded_epoch_are_void() {
    let mut machine = settled();
    machine.fold(SECOND, &take());
    machine.fold(FIRST, &frame(vec![event(&[0]), Entry::Close { slot: 0 }]));
    machine.fold(FIRST, &take());
    assert_eq!(machine.epoch(), SECOND);
    assert_eq!(machine.session(0).unwrap().s, 4);
}

#[test]
fn a_frame_before_its_epochs_takeover_is_void() {
    let mut machine = settled();
    machine.fold(SECOND, &frame(vec![event(&[0])]));
    assert_eq!((machine.epoch(), machine.session(0).unwrap().s), (FIRST, 4));
}

#[test]
fn who_saw_what_a_takeover_does_not_count_is_refused_until_the_session_is_attached_again() {
    let mut machine = settled();
    machine.fold(SECOND, &take());
    machine.fold(SECOND, &frame(vec![event(&[0])]));
    assert_eq!(machine.session(0).unwrap().cap, Some(4));
    assert_eq!(resume(&machine, 4), Ok(5));
    assert_eq!(
        resume(&machine, 5),
        Err(Refusal::Beyond),
        "the former owner's 5 was another one"
    );
    machine.fold(SECOND, &frame(vec![Entry::Attach { slot: 0 }]));
    assert_eq!(resume(&machine, 5), Ok(5));
}

#[test]
fn the_cap_is_set_by_the_first_takeover_since_the_last_attachment() {
    let mut machine = settled();
    machine.fold(SECOND, &take());
    machine.fold(SECOND, &frame(vec![event(&[0])]));
    machine.fold(Epoch(3), &take());
    assert_eq!(machine.session(0).unwrap().cap, Some(4));
    machine.fold(Epoch(3), &frame(vec![Entry::Attach { slot: 0 }]));
    machine.fold(Epoch(4), &take());
    assert_eq!(machine.session(0).unwrap().cap, Some(5));
}

#[test]
fn a_void_attachment_does_not_lift_the_cap() {
    let mut machine = settled();
    machine.fold(SECOND, &take());
    machine.fold(FIRST, &frame(vec![Entry::Attach { slot: 0 }]));
    assert_eq!(machine.session(0).unwrap().cap, Some(4));
}

#[test]
fn how_far_was_heard_never_goes_back() {
    let mut machine = settled();
    let partition = EventPartition(3);
    let heard = |position| Frame {
        entries: Vec::new(),
        heard: vec![(partition, Position(position))],
    };
    assert_eq!(machine.heard(partition), Position::START);
    machine.fold(FIRST, &FrameRecord::Frame(heard(9)));
    machine.fold(FIRST, &FrameRecord::Frame(heard(4)));
    machine.note_heard(partition, Position(8));
    assert_eq!(machine.heard(partition), Position(9));
}

#[test]
fn the_last_numbers_there_are_do_not_lead_back_to_the_first() {
    let mut machine = settled();
    machine.fold_entry(&Entry::Open(opening(u32::MAX)));
    machine.fold_entry(&audience(u32::MAX, &[0]));
    assert_eq!(
        (machine.next_slot(), machine.next_audience()),
        (u32::MAX, u32::MAX)
    );
}

#[test]
fn hostile_bytes_are_no_snapshot() {
    let mut bytes = settled().to_snapshot();
    for end in 0..bytes.len() {
        assert!(SessionPartition::from_snapshot(&bytes[..end]).is_err());
    }
    // The version is the first element of the array that a snapshot is.
    bytes[1] = 9;
    let refused = SessionPartition::from_snapshot(&bytes);
    assert!(
        matches!(refused, Err(SnapshotError::Version(9))),
        "{refused:?}"
    );
}
