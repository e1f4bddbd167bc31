//! The Discord dialect's dispatches, read by an independent library with strict types.

use guildhall_wire::dispatch::{Look, body, name};
use guildhall_wire::{Dialect, discord};
use serde::de::DeserializeSeed;
use twilight_model::channel::Attachment;
use twilight_model::gateway::event::{DispatchEvent, GatewayEvent, GatewayEventDeserializer};

use crate::happenings::dispatches;
use crate::sample::{self, installation};

/// As twilight-gateway reads a frame.
fn read(t: &str, d: &str) -> Result<GatewayEvent, serde_json::Error> {
    let frame = format!(r#"{{"t":"{t}","s":1,"op":0,"d":{d}}}"#);
    let seed = GatewayEventDeserializer::from_json(&frame).unwrap();
    seed.deserialize(&mut serde_json::Deserializer::from_str(&frame))
}

#[test]
fn twilight_reads_every_dispatch() {
    let look = Look {
        dialect: Dialect::Discord,
        ..Look::default()
    };
    for (slug, dispatch) in dispatches() {
        let body = body(&dispatch, &look, &installation()).unwrap();
        let read = read(name(&dispatch), std::str::from_utf8(&body).unwrap());
        match slug {
            // Right as it is: a person's session has no application, which only bots' libraries
            // require.
            // And right as they are: answers to questions that this version never asks, and what
            // only people are told.
            "ready_person" | "soundboard_sounds" | "channel_info" | "interaction_success" => {
                assert!(read.is_err(), "{slug}");
            }
            _ => match read {
                Ok(GatewayEvent::Dispatch(1, event)) => check(&event),
                other => panic!("{slug}: {other:?}"),
            },
        }
    }
}

/// What was read is what was meant, where that is easily mistaken.
fn check(event: &DispatchEvent) {
    match event {
        DispatchEvent::MessageCreate(message)
            if message.webhook_id.is_some() && message.interaction_metadata.is_none() =>
        {
            assert_eq!(message.author.name, "Bell");
            assert_eq!(message.author.discriminator, 0);
            assert_eq!(message.webhook_id.unwrap().get(), message.author.id.get());
            assert!(message.author.bot && message.member.is_none());
        }
        DispatchEvent::MessageCreate(message) if message.guild_id.is_some() => {
            assert_eq!(message.author.name, "bob");
            assert_eq!(
                message.member.as_ref().unwrap().nick.as_deref(),
                Some("Bobby")
            );
            assert_eq!(message.reactions[0].count, 2);
            assert_eq!(
                message.reference.as_ref().unwrap().guild_id,
                message.guild_id
            );
        }
        DispatchEvent::TypingStart(typing) => {
            assert_eq!(typing.member.is_some(), typing.guild_id.is_some());
            assert_eq!(typing.timestamp, 1_777_698_270, "in whole seconds");
        }
        DispatchEvent::ReactionAdd(reaction) => {
            assert_eq!(reaction.member.is_some(), reaction.guild_id.is_some());
        }
        DispatchEvent::ChannelUpdate(channel) => {
            let overwrites = channel.permission_overwrites.as_ref().unwrap();
            assert_eq!(overwrites[0].id.get(), channel.guild_id.unwrap().get());
            assert_eq!(overwrites[0].deny.bits(), 1 << 11);
        }
        _ => {}
    }
}

#[test]
fn twilight_reads_files() {
    let (picture, notes) = (sample::picture(), sample::notes());
    let urls = sample::file_urls();
    let read = |attachment| {
        let body = discord::Attachment::new(sample::general().id, attachment, &urls);
        let json = serde_json::to_string(&body).unwrap();
        serde_json::from_str::<Attachment>(&json).unwrap()
    };
    let cat = read(&picture);
    assert_eq!(cat.filename, "SPOILER_my_cat.png");
    assert_eq!((cat.width, cat.height), (Some(640), Some(480)));
    assert_eq!(cat.url, cat.proxy_url);
    let empty = read(&notes);
    assert_eq!((empty.size, empty.width), (0, None));
}
