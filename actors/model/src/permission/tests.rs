//! The resolver against a slow twin that goes bit by bit, and the laws it must keep.

use proptest::prelude::*;

use super::*;

/// The documented algorithm, one bit at a time and in the documented order of steps.
fn naive_bit(who: &Standing<'_>, overwrites: &[Overwrite], bit: Permissions) -> bool {
    if who.is_owner || who.base.contains(Permissions::ADMINISTRATOR) {
        return Permissions::EVERYTHING.contains(bit);
    }
    let step = |start: bool, matches: &dyn Fn(OverwriteTarget) -> bool| {
        let mut held = start;
        for overwrite in overwrites.iter().filter(|o| matches(o.target)) {
            if overwrite.deny.contains(bit) {
                held = false;
            }
        }
        for overwrite in overwrites.iter().filter(|o| matches(o.target)) {
            if overwrite.allow.contains(bit) {
                held = true;
            }
        }
        held
    };
    let held = step(who.base.contains(bit), &|t| {
        t == OverwriteTarget::Role(who.everyone)
    });
    let held = step(held, &|t| match t {
        OverwriteTarget::Role(role) => role != who.everyone && who.roles.contains(&role),
        OverwriteTarget::Member(_) => false,
    });
    let held = step(held, &|t| t == OverwriteTarget::Member(who.user_id));
    held && (!who.is_timed_out || Permissions::TIMED_OUT.contains(bit))
}

fn naive(who: &Standing<'_>, overwrites: &[Overwrite]) -> Permissions {
    let all: Permissions = (0..64)
        .map(|n| Permissions::from_bits_retain(1 << n))
        .filter(|&bit| naive_bit(who, overwrites, bit))
        .collect();
    if all.contains(Permissions::VIEW_CHANNEL) {
        all
    } else {
        Permissions::empty()
    }
}

fn bits() -> impl Strategy<Value = Permissions> {
    // Administrator is rare, so that the other steps are reached.
    (any::<u64>(), 0..8).prop_map(|(bits, admin)| {
        let held = Permissions::from_bits_retain(bits & ((1 << 53) - 1));
        if admin == 0 {
            held
        } else {
            held - Permissions::ADMINISTRATOR
        }
    })
}

fn overwrite() -> impl Strategy<Value = Overwrite> {
    (1_u64..6, any::<bool>(), bits(), bits()).prop_map(|(id, is_role, allow, deny)| Overwrite {
        target: if is_role {
            OverwriteTarget::Role(RoleId::new(id).unwrap())
        } else {
            OverwriteTarget::Member(UserId::new(id).unwrap())
        },
        allow,
        deny,
    })
}

proptest! {
    #[test]
    fn resolve_agrees_with_the_naive_twin(
        overwrites in prop::collection::vec(overwrite(), 0..8),
        base in bits(),
        mut roles in prop::collection::vec(2_u64..6, 0..4),
        is_owner in prop::bool::weighted(0.1),
        is_timed_out in prop::bool::weighted(0.2),
    ) {
        roles.sort_unstable();
        roles.dedup();
        let roles: Vec<RoleId> = roles.into_iter().filter_map(RoleId::new).collect();
        let who = Standing {
            user_id: UserId::new(3).unwrap(),
            is_owner,
            is_timed_out,
            everyone: RoleId::new(1).unwrap(),
            roles: &roles,
            base,
        };
        prop_assert_eq!(who.in_channel(&overwrites), naive(&who, &overwrites));
    }

    #[test]
    fn one_more_denial_never_grants(
        mut overwrites in prop::collection::vec(overwrite(), 0..6),
        base in bits(),
        which in 0_usize..6,
        deny in bits(),
    ) {
        let who = Standing {
            user_id: UserId::new(3).unwrap(),
            is_owner: false,
            is_timed_out: false,
            everyone: RoleId::new(1).unwrap(),
            roles: &[RoleId::new(2).unwrap()],
            base,
        };
        let before = who.in_channel(&overwrites);
        if let Some(overwrite) = overwrites.get_mut(which) {
            overwrite.deny |= deny;
        }
        prop_assert!(before.contains(who.in_channel(&overwrites)));
    }
}

#[test]
fn who_may_not_view_may_do_nothing() {
    let who = Standing {
        user_id: UserId::new(3).unwrap(),
        is_owner: false,
        is_timed_out: false,
        everyone: RoleId::new(1).unwrap(),
        roles: &[],
        base: Permissions::SEND_MESSAGES,
    };
    assert_eq!(who.in_channel(&[]), Permissions::empty());
    assert_eq!(who.in_guild(), Permissions::SEND_MESSAGES);
}
