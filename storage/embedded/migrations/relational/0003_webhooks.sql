-- Addresses by which programs post into a channel. The token stays readable: those who manage a
-- webhook are shown its address. The events end a channel's webhooks before the channel.
CREATE TABLE webhooks (
    id             INTEGER PRIMARY KEY,
    guild_id       BIGINT NOT NULL REFERENCES guilds (id),
    channel_id     BIGINT NOT NULL,
    name           TEXT   NOT NULL,
    avatar_url     TEXT,
    token          TEXT   NOT NULL,
    creator_id     BIGINT NOT NULL,
    application_id BIGINT
);
CREATE INDEX webhooks_by_guild ON webhooks (guild_id);
