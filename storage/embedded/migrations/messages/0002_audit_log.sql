-- What those who manage a guild did. The target is the number of what it was done to.
CREATE TABLE audit_entries (
    id       INTEGER PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    by_id    BIGINT NOT NULL,
    target   BIGINT,
    kind     TEXT   NOT NULL,
    -- The whole entry, in MessagePack.
    body     BLOB   NOT NULL
);
CREATE INDEX audit_entries_by_guild ON audit_entries (guild_id, id);

-- What somebody has written lately is looked for when it is banned.
CREATE INDEX messages_by_author ON messages (author_id, id);
