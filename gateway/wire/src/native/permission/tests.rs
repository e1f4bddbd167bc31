//! The lens keeps its laws, and each row means what the specification says.

use proptest::prelude::*;

use super::*;

macro_rules! rows_mean {
    ($($test:ident: $number:literal => $stored:ident;)*) => {
        $(
            #[test]
            fn $test() {
                let native = NativePermissions::parse($number).unwrap();
                assert_eq!(NativePermissions::of(Permissions::$stored), native);
                assert_eq!(native.put(Permissions::empty()), Permissions::$stored);
            }
        )*

        #[test]
        fn every_row_has_its_test() {
            assert_eq!([$($number),*].into_iter().fold(0_u64, |all, n| all | n), (1 << ROWS.len()) - 1);
        }
    };
}

rows_mean! {
    read_messages_is_1: 1 => VIEW_CHANNEL;
    send_messages_is_2: 2 => SEND_MESSAGES;
    manage_messages_is_4: 4 => MANAGE_MESSAGES;
    manage_channels_is_8: 8 => MANAGE_CHANNELS;
    kick_members_is_16: 16 => KICK_MEMBERS;
    ban_members_is_32: 32 => BAN_MEMBERS;
    administrator_is_64: 64 => ADMINISTRATOR;
    manage_roles_is_128: 128 => MANAGE_ROLES;
    manage_server_is_256: 256 => MANAGE_GUILD;
    connect_is_512: 512 => CONNECT;
    speak_is_1024: 1_024 => SPEAK;
    moderate_members_is_2048: 2_048 => MODERATE_MEMBERS;
    read_message_history_is_bit_12: 0x1000 => READ_MESSAGE_HISTORY;
    add_reactions_is_bit_13: 0x2000 => ADD_REACTIONS;
    mention_everyone_is_bit_14: 0x4000 => MENTION_EVERYONE;
    attach_files_is_bit_15: 0x8000 => ATTACH_FILES;
    embed_links_is_bit_16: 0x1_0000 => EMBED_LINKS;
    create_invites_is_bit_17: 0x2_0000 => CREATE_INSTANT_INVITE;
    change_nickname_is_bit_18: 0x4_0000 => CHANGE_NICKNAME;
    manage_nicknames_is_bit_19: 0x8_0000 => MANAGE_NICKNAMES;
    stream_is_bit_20: 0x10_0000 => STREAM;
    mute_members_is_bit_21: 0x20_0000 => MUTE_MEMBERS;
    deafen_members_is_bit_22: 0x40_0000 => DEAFEN_MEMBERS;
    move_members_is_bit_23: 0x80_0000 => MOVE_MEMBERS;
    use_voice_activity_is_bit_24: 0x100_0000 => USE_VAD;
    priority_speaker_is_bit_25: 0x200_0000 => PRIORITY_SPEAKER;
    view_audit_log_is_bit_26: 0x400_0000 => VIEW_AUDIT_LOG;
    manage_webhooks_is_bit_27: 0x800_0000 => MANAGE_WEBHOOKS;
    use_external_emojis_is_bit_28: 0x1000_0000 => USE_EXTERNAL_EMOJIS;
    use_application_commands_is_bit_29: 0x2000_0000 => USE_APPLICATION_COMMANDS;
    send_tts_messages_is_bit_30: 0x4000_0000 => SEND_TTS_MESSAGES;
    pin_messages_is_bit_31: 0x8000_0000 => PIN_MESSAGES;
    manage_expressions_is_bit_32: 0x1_0000_0000 => MANAGE_GUILD_EXPRESSIONS;
    create_expressions_is_bit_33: 0x2_0000_0000 => CREATE_GUILD_EXPRESSIONS;
}

#[test]
fn every_permission_that_has_a_name_can_be_shown() {
    for (name, bit) in Permissions::all().iter_names() {
        assert_eq!(
            NativePermissions::of(bit).number().count_ones(),
            1,
            "{name}"
        );
    }
}

#[test]
fn unknown_numbers_are_refused() {
    assert_eq!(NativePermissions::parse(1 << ROWS.len()), None);
    assert_eq!(NativePermissions::parse(u64::MAX), None);
    assert!(NativePermissions::parse((1 << ROWS.len()) - 1).is_some());
}

fn stored() -> impl Strategy<Value = Permissions> {
    any::<u64>().prop_map(Permissions::from_bits_retain)
}

fn native() -> impl Strategy<Value = NativePermissions> {
    (0..1_u64 << ROWS.len()).prop_map(|number| NativePermissions::parse(number).unwrap())
}

proptest! {
    #[test]
    fn putting_what_was_got_changes_nothing(before in stored()) {
        prop_assert_eq!(NativePermissions::of(before).put(before), before);
    }

    #[test]
    fn what_was_put_is_got(before in stored(), put in native()) {
        prop_assert_eq!(NativePermissions::of(put.put(before)), put);
    }

    #[test]
    fn the_last_put_wins(before in stored(), first in native(), last in native()) {
        prop_assert_eq!(last.put(first.put(before)), last.put(before));
    }

    #[test]
    fn a_put_keeps_what_the_dialect_cannot_show(before in stored(), put in native()) {
        let hidden = !put.edit().mask;
        prop_assert_eq!(put.put(before) & hidden, before & hidden);
    }
}
