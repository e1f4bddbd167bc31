//! What was acknowledged is stored as acknowledged, once, and in order.

use super::world::{OPEN, message_id, numbered};
use super::{Invariant, assert_broken, judge_lines, ordinary_day};
use crate::history::{Entry, Line, Page, Stored};

#[test]
fn an_acknowledged_message_that_is_not_stored_is_lost() {
    let mut world = ordinary_day();
    // Not the one that was deleted on purpose.
    assert!(!world.rows[0].is_deleted);
    world.rows[0].is_deleted = true;
    assert_broken(&world, &[Invariant::I1], "is not stored");
}

#[test]
fn a_deletion_and_an_edit_must_last() {
    let mut world = ordinary_day();
    let deleted = world.rows.iter().position(|row| row.is_deleted).unwrap();
    world.rows[deleted].is_deleted = false;
    assert_broken(&world, &[Invariant::I1], "is still stored");
    let mut world = ordinary_day();
    let edited = world
        .rows
        .iter()
        .position(|row| row.tag != row.nonce)
        .unwrap();
    world.rows[edited].tag = world.rows[edited].nonce.clone();
    assert_broken(&world, &[Invariant::I1], "without its acknowledged edit");
}

#[test]
fn a_nonce_makes_one_message_in_pages_and_dispatches_alike() {
    let mut world = ordinary_day();
    let mut twin = world.rows[0].clone();
    twin.tag = twin.nonce.clone();
    world.rows.push(twin);
    assert_broken(&world, &[Invariant::I2], "made message");
    let mut world = ordinary_day();
    let nonce = world.rows[0].nonce.clone();
    let twin = numbered("MESSAGE_CREATE", OPEN, Some(77), Some(nonce), 0);
    let end = world.sessions[0].told.len() - 1;
    let at = world.now;
    world.sessions[0].told.insert(end, (at, twin));
    // It also comes too late: what made it was over long before.
    assert_broken(&world, &[Invariant::I2, Invariant::I3], "made message");
}

#[test]
fn pages_descend_and_hold_each_message_once() {
    let page = |messages: &[usize]| {
        let stored = |message: &usize| Stored {
            id: message_id(*message).into(),
            tag: None,
        };
        let page = Page {
            channel: "elsewhere".into(),
            messages: messages.iter().map(stored).collect(),
        };
        Line {
            at: 0,
            what: Entry::Page(page),
        }
    };
    for (pages, words) in [
        ([page(&[4, 3]), page(&[2, 1])], None),
        ([page(&[4, 3]), page(&[3, 1])], Some("twice in the pages")),
        ([page(&[4, 3]), page(&[4, 1])], Some("twice in the pages")),
        ([page(&[2, 1]), page(&[4, 3])], Some("stored out of order")),
    ] {
        let verdict = judge_lines(&[pages.to_vec()]);
        assert_eq!(verdict.violations_total > 0, words.is_some(), "{verdict}");
        assert!(
            verdict.to_string().contains(words.unwrap_or_default()),
            "{verdict}"
        );
    }
}
