-- Guilds' own emojis. Their pictures are files that have the emojis' ids.
CREATE TABLE emojis (
    id          INTEGER PRIMARY KEY,
    guild_id    BIGINT  NOT NULL REFERENCES guilds (id),
    name        TEXT    NOT NULL,
    is_animated INTEGER NOT NULL,
    creator_id  BIGINT  NOT NULL
);
CREATE INDEX emojis_by_guild ON emojis (guild_id);

-- Who may use an emoji; everybody where it has no row. A role may end before its row does.
CREATE TABLE emoji_roles (
    emoji_id BIGINT NOT NULL REFERENCES emojis (id) ON DELETE CASCADE,
    role_id  BIGINT NOT NULL,
    PRIMARY KEY (emoji_id, role_id)
);
