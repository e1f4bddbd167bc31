//! Pure machines of guilds, channels, session partitions and relays: command in, effects out.
