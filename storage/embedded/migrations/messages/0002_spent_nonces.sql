-- Nonces whose messages are deleted, for as long as they count: a post that is repeated after the
-- deletion is not a new one. The id is that of the message.
CREATE TABLE spent_nonces (
    id         INTEGER PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    author_id  BIGINT NOT NULL,
    nonce      TEXT   NOT NULL
);
CREATE INDEX spent_nonces_by_author ON spent_nonces (channel_id, author_id, nonce, id);
