-- A projection of the events log: all of this can be made again from it. Ids have 63 bits, times
-- are milliseconds since the Unix epoch.

CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    author_id  BIGINT NOT NULL,
    -- Apart from the body, so that a search index can read it.
    content    TEXT   NOT NULL,
    edited_at  BIGINT,
    nonce      TEXT,
    -- When it was pinned; absent for almost all.
    pinned_at  BIGINT,
    -- The only user who sees it; absent for almost all.
    only_for   BIGINT,
    -- The place of the event that wrote this row in the stream of its guild or direct channel.
    version    BIGINT NOT NULL,
    -- All else that a message carries, in MessagePack.
    body       BLOB   NOT NULL
);
CREATE INDEX messages_by_channel ON messages (channel_id, id);
CREATE INDEX messages_by_nonce ON messages (channel_id, author_id, nonce, id)
    WHERE nonce IS NOT NULL;
CREATE INDEX messages_by_pin ON messages (channel_id, pinned_at, id) WHERE pinned_at IS NOT NULL;

CREATE TABLE reactions (
    message_id BIGINT NOT NULL,
    emoji      TEXT   NOT NULL,
    user_id    BIGINT NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
);

-- How many rows `reactions` has per message and emoji. Counting them on every page of history
-- would cost as much as there are reacting users; a message has few emoji.
CREATE TABLE reaction_counts (
    message_id  BIGINT  NOT NULL,
    -- A standard emoji's text, or the digits of the id of a guild's own, which are no emoji. The
    -- latter keep the name that they had when they came to the message.
    emoji       TEXT    NOT NULL,
    custom_name TEXT,
    is_animated INTEGER NOT NULL,
    -- The place of the event by which the emoji came to the message.
    first_gseq  BIGINT  NOT NULL,
    n_users     BIGINT  NOT NULL,
    PRIMARY KEY (message_id, emoji)
);

-- Nonces whose messages are deleted, for as long as they count: a post that is repeated after the
-- deletion is not a new one. The id is that of the message.
CREATE TABLE spent_nonces (
    id         INTEGER PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    author_id  BIGINT NOT NULL,
    nonce      TEXT   NOT NULL
);
CREATE INDEX spent_nonces_by_author ON spent_nonces (channel_id, author_id, nonce, id);

-- How far each stream of events has been applied. Applying again stops at this mark.
CREATE TABLE sources (
    kind      INTEGER NOT NULL,
    id        BIGINT  NOT NULL,
    last_gseq BIGINT  NOT NULL,
    PRIMARY KEY (kind, id)
);

-- How far each event partition's log has been applied.
CREATE TABLE cursors (
    partition INTEGER PRIMARY KEY,
    position  BIGINT NOT NULL
);

-- The highest id among deleted messages, in the only row: ids are never given twice.
CREATE TABLE id_floor (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    highest BIGINT NOT NULL
);
