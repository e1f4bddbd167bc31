//! Permissions: the resolver against a slow twin that goes bit by bit, and the laws of the native
//! dialect's lens.

use guildhall_model::channel::{Overwrite, OverwriteTarget};
use guildhall_model::permission::Standing;
use guildhall_model::{Permissions, RoleId, UserId};
use guildhall_wire::native::permission::NativePermissions;

use crate::script::Script;

/// Ids are from 1 to this, so that overwrites meet the member.
const IDS: u64 = 6;

pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let flags = script.byte();
    let base = bits(&mut script);
    let mut roles: Vec<RoleId> = (0..script.below(5)).map(|_| role(&mut script)).collect();
    roles.sort_unstable();
    roles.dedup();
    let everyone = RoleId::new(1).expect("not zero");
    roles.retain(|&role| role != everyone);
    let overwrites: Vec<_> = (0..script.below(10))
        .map(|_| overwrite(&mut script))
        .collect();
    let who = Standing {
        user_id: UserId::new(3).expect("not zero"),
        is_owner: flags % 16 == 1,
        is_timed_out: flags & 0x60 == 0x60,
        everyone,
        roles: &roles,
        base,
    };
    assert_eq!(who.in_channel(&overwrites), naive(&who, &overwrites));
    check_order_does_not_matter(&mut script, &who, &overwrites);
    check_denials_take(&mut script, &who, &overwrites);
    check_lens(&mut script);
}

fn role(script: &mut Script<'_>) -> RoleId {
    RoleId::new(1 + script.u64() % IDS).expect("not zero")
}

/// Administrator is rare, so that the other steps are reached.
fn bits(script: &mut Script<'_>) -> Permissions {
    let bits = Permissions::from_bits_retain(script.u64());
    match script.below(8) {
        0 => bits,
        _ => bits - Permissions::ADMINISTRATOR,
    }
}

fn overwrite(script: &mut Script<'_>) -> Overwrite {
    let target = if script.is_set() {
        OverwriteTarget::Role(role(script))
    } else {
        OverwriteTarget::Member(UserId::new(1 + script.u64() % IDS).expect("not zero"))
    };
    Overwrite {
        target,
        allow: bits(script),
        deny: bits(script),
    }
}

/// Discord's documented steps, for one bit.
fn naive_bit(who: &Standing<'_>, overwrites: &[Overwrite], bit: Permissions) -> bool {
    if who.is_owner || who.base.contains(Permissions::ADMINISTRATOR) {
        return Permissions::EVERYTHING.contains(bit);
    }
    let everyone = |target| target == OverwriteTarget::Role(who.everyone);
    let held_role = |target| match target {
        OverwriteTarget::Role(role) => role != who.everyone && who.roles.contains(&role),
        OverwriteTarget::Member(_) => false,
    };
    let member = |target| target == OverwriteTarget::Member(who.user_id);
    let steps: [&dyn Fn(OverwriteTarget) -> bool; 3] = [&everyone, &held_role, &member];
    let mut held = who.base.contains(bit);
    for matches in steps {
        let bound = || overwrites.iter().filter(|o| matches(o.target));
        if bound().any(|o| o.deny.contains(bit)) {
            held = false;
        }
        if bound().any(|o| o.allow.contains(bit)) {
            held = true;
        }
    }
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

fn check_order_does_not_matter(
    script: &mut Script<'_>,
    who: &Standing<'_>,
    overwrites: &[Overwrite],
) {
    let mut turned = overwrites.to_vec();
    let by = script.below(overwrites.len().max(1));
    turned.rotate_left(by);
    assert_eq!(who.in_channel(&turned), who.in_channel(overwrites));
}

fn check_denials_take(script: &mut Script<'_>, who: &Standing<'_>, overwrites: &[Overwrite]) {
    let before = who.in_channel(overwrites);
    let mut denying = overwrites.to_vec();
    let at = script.below(16);
    if let Some(overwrite) = denying.get_mut(at) {
        overwrite.deny |= bits(script);
    }
    assert!(before.contains(who.in_channel(&denying)));
}

fn check_lens(script: &mut Script<'_>) {
    let stored = Permissions::from_bits_retain(script.u64());
    assert_eq!(NativePermissions::of(stored).put(stored), stored, "get-put");
    let numbers = [script.u64(), script.u64()];
    // Half of them have known bits only.
    for numbers in [numbers, numbers.map(|number| number & 0x7FFF_FFFF)] {
        let [Some(first), Some(last)] = numbers.map(NativePermissions::parse) else {
            continue;
        };
        assert_eq!(first.number(), numbers[0]);
        assert_eq!(NativePermissions::of(first.put(stored)), first, "put-get");
        assert_eq!(last.put(first.put(stored)), last.put(stored), "put-put");
        let hidden = !first.edit().mask;
        assert_eq!(first.put(stored) & hidden, stored & hidden);
        assert_eq!(
            NativePermissions::names(first.put(stored)).count(),
            first.number().count_ones() as usize
        );
    }
}
