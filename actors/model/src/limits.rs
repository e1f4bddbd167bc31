//! Every number that bounds something that clients send or make.
//!
//! Values that Discord documents are Discord's, because clients rely on them.

/// Bytes of a REST request body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long a client may take to send the body of a REST request.
pub const BODY_READ_MS_MAX: u64 = 30_000;
/// Files that one message carries at most.
pub const ATTACHMENTS_MAX: usize = 10;
/// Bytes of the files of one request, together and so also alone.
pub const UPLOAD_BYTES_MAX: u64 = 25 * 1024 * 1024;
/// Bytes of a request with files beside the files and the JSON: boundaries and heads of parts.
pub const UPLOAD_FRAMING_BYTES_MAX: u64 = 64 * 1024;
/// Parts of a request with files that are not files; the rest of the request is not read.
pub const UPLOAD_FIELDS_MAX: usize = 32;
/// How long a request with files may take, at 25 MiB about 350 kbit/s.
pub const UPLOAD_READ_MS_MAX: u64 = 10 * 60 * 1_000;
/// How long such a request may send nothing.
pub const UPLOAD_STALL_MS_MAX: u64 = 30_000;
/// Requests with files that a node receives at a time; one more is answered "overloaded".
pub const UPLOADS_MAX: usize = 256;
/// Bytes at the beginning of a file in which its type and its size as a picture are looked for.
pub const UPLOAD_HEAD_BYTES_MAX: usize = 128 * 1024;
/// How long an upload may wait for its message; then it is swept away.
pub const UPLOAD_ORPHAN_AGE_MS: i64 = 24 * 3_600 * 1_000;
/// Orphans that are looked at in one sweep.
pub const UPLOAD_SWEEP_MAX: usize = 1_000;
/// Characters of a file's name, its ending included.
pub const FILE_NAME_CHARS_MAX: usize = 128;
/// Characters of the ending of a file's name that are kept when the name is cut.
pub const FILE_ENDING_CHARS_MAX: usize = 16;
/// Characters of a file's title.
pub const FILE_TITLE_CHARS_MAX: usize = 1_024;
/// Characters of what a file's author says about its content.
pub const FILE_DESCRIPTION_CHARS_MAX: usize = 1_024;
/// Bytes of a media type; longer ones name nothing that anybody knows.
pub const MEDIA_TYPE_BYTES_MAX: usize = 127;
/// Bytes of a frame that a client may send on the gateway; more closes with 4002.
pub const GATEWAY_FRAME_BYTES_MAX: usize = 4096;
/// Frames that a client may send on the gateway per [`GATEWAY_SENDS_WINDOW_MS`]; more closes with
/// 4008.
pub const GATEWAY_SENDS_MAX: u32 = 120;
/// The window of [`GATEWAY_SENDS_MAX`].
pub const GATEWAY_SENDS_WINDOW_MS: u64 = 60_000;
/// How often one socket is handed over from node to node, while a session's owner changes.
pub const SOCKET_HOPS_MAX: u8 = 2;
/// Bytes of a client's that are handed over together with its socket: RESUME with what may wait
/// for its answer, a message that is not complete, and what one read and the upgrade brought.
pub const SOCKET_EARLY_BYTES_MAX: usize = 256 * 1024;
/// How deep JSON or msgpack may nest.
pub const NESTING_MAX: usize = 32;
/// Characters of a message.
pub const MESSAGE_CHARS_MAX: usize = 2_000;
/// Embeds of a message.
pub const EMBEDS_MAX: usize = 10;
/// Characters of all embeds of a message.
pub const EMBEDS_CHARS_MAX: usize = 6_000;
/// Characters of an embed's title.
pub const EMBED_TITLE_CHARS_MAX: usize = 256;
/// Characters of an embed's description.
pub const EMBED_DESCRIPTION_CHARS_MAX: usize = 4_096;
/// Fields of an embed.
pub const EMBED_FIELDS_MAX: usize = 25;
/// Characters of a field's name.
pub const EMBED_FIELD_NAME_CHARS_MAX: usize = 256;
/// Characters of a field's value.
pub const EMBED_FIELD_VALUE_CHARS_MAX: usize = 1_024;
/// Characters of an embed's footer.
pub const EMBED_FOOTER_CHARS_MAX: usize = 2_048;
/// Characters of the name of an embed's author.
pub const EMBED_AUTHOR_CHARS_MAX: usize = 256;
/// Rows of components under a message.
pub const ACTION_ROWS_MAX: usize = 5;
/// Buttons of a row.
pub const BUTTONS_PER_ROW_MAX: usize = 5;
/// Characters of a component's own text, at least and at most.
pub const CUSTOM_ID_CHARS: (usize, usize) = (1, 100);
/// Characters of a button's label.
pub const BUTTON_LABEL_CHARS_MAX: usize = 80;
/// Options of a menu.
pub const SELECT_OPTIONS_MAX: usize = 25;
/// Characters of an option's label, value or description.
pub const SELECT_TEXT_CHARS_MAX: usize = 100;
/// Characters of the text in a menu of which nothing is chosen.
pub const SELECT_PLACEHOLDER_CHARS_MAX: usize = 150;
/// Commands that an application offers everywhere, and as many again in each guild.
pub const COMMANDS_MAX: usize = 100;
/// Commands that a list of what a guild offers shows.
pub const COMMANDS_OFFERED_MAX: u32 = 1_000;
/// Characters of the name of a command or an option, at least and at most.
pub const COMMAND_NAME_CHARS: (usize, usize) = (1, 32);
/// Characters of what a command or an option is for, at least and at most.
pub const COMMAND_DESCRIPTION_CHARS: (usize, usize) = (1, 100);
/// Options of a command, a subcommand or a group.
pub const COMMAND_OPTIONS_MAX: usize = 25;
/// Values that an option offers.
pub const COMMAND_CHOICES_MAX: usize = 25;
/// Characters of the name of such a value, and of the value, at least and at most.
pub const COMMAND_CHOICE_CHARS: (usize, usize) = (1, 100);
/// Characters of a command with all of its options.
pub const COMMAND_CHARS_MAX: usize = 8_000;
/// Characters of a text that is given to a command.
pub const COMMAND_TEXT_CHARS_MAX: usize = 6_000;
/// How long an application may answer an interaction, and change and add to its answer.
pub const INTERACTION_AGE_MS: u64 = 15 * 60 * 1_000;
/// How long an application may take for its first answer. Discord gives three seconds; a bot that
/// resumes after the end of its node is told of what it has missed, and may still answer.
pub const INTERACTION_ANSWER_MS: u64 = 60 * 1_000;
/// How long what the relational store said last may stand in for its answer while it is away: a
/// bot's token that was found good, somebody's profile, a guild of another node. Nothing of it can
/// be changed anywhere meanwhile, so what is taken too long for good is what was revoked, on another
/// node, in the seconds before the store was lost.
pub const RECALLED_MS_MAX: u64 = 5 * 60 * 1_000;
/// Pinned messages of a channel.
pub const PINS_MAX: usize = 250;
/// Messages that one request may delete, at least and at most.
pub const BULK_DELETE: (usize, usize) = (2, 100);
/// How old a message may be that is deleted together with others.
pub const BULK_DELETE_AGE_MS: u64 = 14 * 24 * 3_600 * 1_000;
/// Characters of a nonce that is a string.
pub const NONCE_CHARS_MAX: usize = 25;
/// Nonces that a channel remembers.
pub const NONCES_MAX: usize = 4_096;
/// How long a nonce is remembered.
pub const NONCE_AGE_MS: u64 = 5 * 60 * 1_000;
/// Nonces of an event partition that a node remembers, whoever owns the partition.
pub const NONCES_HEARD_MAX: usize = 8_192;
/// Streams of an event partition of which a node remembers how far they have come.
pub const STREAMS_HEARD_MAX: usize = 65_536;
/// Channels of which it is remembered that their partition's owner has made them.
pub const CHANNELS_MADE_MAX: usize = 65_536;
/// Users that one message may mention.
pub const MENTIONS_MAX: usize = 100;
/// Messages of one page of history.
pub const PAGE_MESSAGES_MAX: u16 = 100;
/// Messages of one page where the caller does not say.
pub const PAGE_MESSAGES_DEFAULT: u16 = 50;
/// Users of one page of a reaction, members or bans list.
pub const PAGE_USERS_MAX: u16 = 1_000;
/// Characters of an emoji: flags and families have fewer than 32, a guild's own stands as a name
/// of up to 32, a colon and an id of up to 36.
pub const EMOJI_CHARS_MAX: usize = 69;
/// Emojis of a guild that do not move, and as many that do.
pub const GUILD_EMOJIS_MAX: usize = 50;
/// Bytes of the picture of a guild's emoji.
pub const GUILD_EMOJI_BYTES_MAX: usize = 256 * 1_024;
/// Characters of the name of a guild's emoji, at least and at most.
pub const EMOJI_NAME_CHARS: (usize, usize) = (2, 32);
/// Distinct emoji on one message.
pub const REACTIONS_MAX: usize = 20;
/// Characters of a guild's name, at least and at most.
pub const GUILD_NAME_CHARS: (usize, usize) = (2, 100);
/// Characters of a guild's description.
pub const GUILD_DESCRIPTION_CHARS_MAX: usize = 1_000;
/// Guilds that a user may be in.
pub const GUILDS_MAX: usize = 200;
/// Channels of a guild.
pub const CHANNELS_MAX: usize = 500;
/// Channels of one category.
pub const CATEGORY_CHANNELS_MAX: usize = 50;
/// Characters of a channel's name, at least and at most.
pub const CHANNEL_NAME_CHARS: (usize, usize) = (1, 100);
/// Characters of a channel's topic.
pub const CHANNEL_TOPIC_CHARS_MAX: usize = 1_024;
/// Overwrites of a channel.
pub const OVERWRITES_MAX: usize = 500;
/// Roles of a guild, `@everyone` included.
pub const ROLES_MAX: usize = 250;
/// Characters of a role's name, at least and at most.
pub const ROLE_NAME_CHARS: (usize, usize) = (1, 100);
/// Invites of a guild that are open at a time.
pub const INVITES_MAX: usize = 1_000;
/// Characters of an invite's code that are looked at; longer ones were never issued.
pub const INVITE_CODE_CHARS_MAX: usize = 64;
/// Seconds that an invite may last at most.
pub const INVITE_AGE_S_MAX: u32 = 7 * 24 * 3_600;
/// Uses that an invite may be limited to at most.
pub const INVITE_USES_MAX: u32 = 100;
/// Webhooks of a channel.
pub const WEBHOOKS_MAX: usize = 15;
/// Characters of a webhook's name, at least and at most.
pub const WEBHOOK_NAME_CHARS: (usize, usize) = (1, 80);
/// Characters of a webhook's token: 408 random bits.
pub const WEBHOOK_TOKEN_CHARS: usize = 68;
/// How long the entries of an audit log are kept.
pub const AUDIT_AGE_MS: u64 = 45 * 24 * 3_600 * 1_000;
/// Entries of one page of an audit log, where the caller does not say and at most.
pub const PAGE_AUDIT: (u16, u16) = (50, 100);
/// How far back a ban may take its user's messages with it.
pub const BAN_PURGE_S_MAX: u32 = 7 * 24 * 3_600;
/// Characters of an audit reason.
pub const REASON_CHARS_MAX: usize = 512;
/// Characters of a username, at least and at most.
pub const USERNAME_CHARS: (usize, usize) = (2, 32);
/// Characters of a name that is shown instead of a username, at least and at most.
pub const DISPLAY_NAME_CHARS: (usize, usize) = (1, 32);
/// Characters of an e-mail address, at least and at most.
pub const EMAIL_CHARS: (usize, usize) = (3, 254);
/// Characters of a password, at least and at most.
pub const PASSWORD_CHARS: (usize, usize) = (8, 256);
/// Bytes of the picture of a user or guild.
pub const PICTURE_BYTES_MAX: usize = 10_240 * 1_024;
/// Bytes of a REST request body with a picture in it, in base64.
pub const PICTURE_BODY_BYTES_MAX: usize = BODY_BYTES_MAX + PICTURE_BYTES_MAX.div_ceil(3) * 4;
/// Bodies above [`BODY_BYTES_MAX`] that a node holds at a time; one more is answered
/// "overloaded".
pub const PICTURE_BODIES_MAX: usize = 16;
/// Characters of an address of a picture.
pub const URL_CHARS_MAX: usize = 2_048;
/// Characters of an application's name, at least and at most.
pub const APPLICATION_NAME_CHARS: (usize, usize) = (2, 32);
/// Applications that a person may own.
pub const APPLICATIONS_MAX: usize = 50;
/// How long a member may be timed out from now on.
pub const TIMEOUT_MS_MAX: i64 = 28 * 24 * 3_600 * 1_000;
/// Users of one request to ban many.
pub const BULK_BAN_MAX: usize = 200;
/// Characters of a text that members are searched by, at least and at most.
pub const MEMBER_QUERY_CHARS: (usize, usize) = (1, 100);
/// Direct-message channels that a list of them shows, newest first.
pub const DIRECTS_LISTED_MAX: u32 = 100;
/// Members above which a guild counts as large for a session, at least and at most: of a large one
/// GUILD_CREATE carries the receiver alone, and the rest is asked for with op 8.
pub const LARGE_THRESHOLD: (u8, u8) = (50, 250);
/// Members of one GUILD_MEMBERS_CHUNK.
pub const CHUNK_MEMBERS_MAX: usize = 1_000;
/// Members that a request for those whose name begins so is answered with.
pub const CHUNK_PREFIX_MEMBERS_MAX: usize = 100;
/// User ids of one request for members.
pub const CHUNK_REQUEST_IDS_MAX: usize = 100;
/// Guilds larger than this send no presences to people.
pub const PRESENCE_MEMBERS_MAX: usize = 250;
/// Guilds in one shard of a bot.
pub const SHARD_GUILDS_MAX: usize = 2_500;
/// Guilds for which a bot is advised to take one more shard.
pub const SHARD_GUILDS_ADVISED: usize = 1_000;
/// The window of a bot's daily starts of sessions, in milliseconds.
pub const SESSION_STARTS_DAY_MS: u32 = RATE_WINDOW_MS_MAX;
/// The window of the starts that Discord's `max_concurrency` counts, in milliseconds.
pub const SESSION_STARTS_WINDOW_MS: u32 = 5_000;
/// Sessions that one user may hold at a time.
pub const SESSIONS_MAX: usize = 100;
/// Dispatches that a session may be behind; then its socket is closed with a resumable code.
pub const BACKLOG_DISPATCHES_MAX: u64 = 10_000;
/// Bytes that a session may be behind.
pub const BACKLOG_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Commands that wait before one actor; one more is answered "overloaded".
pub const MAILBOX_MAX: usize = 4_096;
/// Events that wait before the append to the events log, per partition.
pub const APPEND_QUEUE_MAX: usize = 8_192;
/// Committed events that wait before a relay, per partition.
pub const RELAY_QUEUE_MAX: usize = 8_192;
/// Entries that wait before the append to the frames log, per partition.
pub const FRAME_QUEUE_MAX: usize = 65_536;
/// Messages that a channel's actor serves from memory.
pub const RECENT_MESSAGES_MAX: usize = 100;
/// Times that one rate may allow per window.
pub const RATE_COUNT_MAX: u32 = 1_000_000;
/// The window of one rate: a day.
pub const RATE_WINDOW_MS_MAX: u32 = 24 * 3_600 * 1_000;
/// Windows of rates that are remembered at a time, in tables of which each has this many; a full
/// one forgets first what is over, then what is over soonest.
pub const RATE_WINDOWS_MAX: usize = 4_096;
/// Tables that the windows of routes are spread over: together 262,144 windows, about 30 MiB.
pub const RATE_TABLES: usize = 64;
/// How often a table drops the windows that are over.
pub const RATE_SWEEP_MS: u64 = 60_000;
