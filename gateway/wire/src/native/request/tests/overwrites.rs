//! The lens over a channel's overwrites keeps its laws, from the JSON that a client gets to the JSON
//! that it puts.

use std::collections::BTreeMap;

use guildhall_model::Permissions;
use guildhall_model::channel::{Channel as Model, ChannelKind, Overwrite, OverwriteTarget};
use proptest::prelude::*;

use super::super::channel::ChannelUpdate;
use super::*;
use crate::native::Channel;

/// What a client is shown.
fn get(stored: &[Overwrite]) -> Value {
    let channel = Model {
        id: Id::new(1).unwrap(),
        guild_id: Id::new(2).unwrap(),
        kind: ChannelKind::Text,
        name: "general".to_owned(),
        topic: None,
        position: 0,
        parent_id: None,
        overwrites: stored.to_vec(),
    };
    let shown = serde_json::to_value(Channel::new(&channel, &SPELLING)).unwrap();
    json!({"permissions": shown["permissions"]})
}

/// What is stored after a client has put this, in the order of targets.
fn put(body: &Value, before: &[Overwrite]) -> Vec<Overwrite> {
    let update = read::<ChannelUpdate>(body).parse(&SPELLING).unwrap();
    let edits = update.overwrites.unwrap();
    let mut after: Vec<_> = edits.iter().map(|edit| edit.apply(before)).collect();
    after.sort_by_key(|overwrite| overwrite.target);
    after
}

fn target() -> impl Strategy<Value = OverwriteTarget> {
    (1_u64..5, any::<bool>()).prop_map(|(raw, is_role)| {
        if is_role {
            OverwriteTarget::Role(Id::new(raw).unwrap())
        } else {
            OverwriteTarget::Member(Id::new(raw).unwrap())
        }
    })
}

fn stored() -> impl Strategy<Value = Vec<Overwrite>> {
    let bits = || any::<u64>().prop_map(Permissions::from_bits_retain);
    let each = prop::collection::btree_map(target(), (bits(), bits()), 0..6);
    each.prop_map(|each: BTreeMap<_, _>| {
        let overwrite = |(target, (allow, deny))| Overwrite {
            target,
            allow,
            deny,
        };
        each.into_iter().map(overwrite).collect()
    })
}

/// A body that a client may send: what it would be shown of any overwrites.
fn body() -> impl Strategy<Value = Value> {
    stored().prop_map(|stored| get(&stored))
}

/// The same body with nobody left out whom `before` holds.
fn keeping(before: &[Overwrite], body: &Value) -> Value {
    let mut all = put(body, &[]);
    for old in before {
        if !all.iter().any(|overwrite| overwrite.target == old.target) {
            all.push(*old);
        }
    }
    get(&all)
}

proptest! {
    #[test]
    fn putting_back_what_was_got_changes_nothing(before in stored()) {
        prop_assert_eq!(put(&get(&before), &before), before);
    }

    #[test]
    fn what_was_put_is_got(before in stored(), body in body()) {
        prop_assert_eq!(get(&put(&body, &before)), body);
    }

    /// As long as the first put takes nobody's overwrite away: with it go the bits that it hid.
    #[test]
    fn the_last_put_wins(before in stored(), first in body(), last in body()) {
        let first = keeping(&before, &first);
        prop_assert_eq!(put(&last, &put(&first, &before)), put(&last, &before));
    }

    #[test]
    fn an_overwrite_that_was_taken_away_comes_back_without_what_it_hid(before in stored()) {
        let none = json!({"permissions": {"overwrites": []}});
        let shown = get(&before);
        prop_assert_eq!(put(&shown, &put(&none, &before)), put(&shown, &[]));
    }
}
