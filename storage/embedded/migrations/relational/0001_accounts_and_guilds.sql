-- Accounts, guilds and the outbox. Ids have 63 bits, times are milliseconds since the Unix epoch,
-- permission sets keep their 64 bits in a signed number.

CREATE TABLE users (
    id             INTEGER PRIMARY KEY,
    username       TEXT    NOT NULL,
    -- What makes a username unique is its lower case, which the writer computes: databases differ
    -- in what they call lower case.
    username_lower TEXT    NOT NULL UNIQUE,
    display_name   TEXT,
    -- A picture is an address elsewhere, or the name of one that we store; no address has that form.
    avatar         TEXT,
    bot            BOOLEAN NOT NULL,
    status         BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL
);

-- People only: bots have neither an address nor a password.
CREATE TABLE accounts (
    user_id       BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    email         TEXT,
    email_lower   TEXT UNIQUE,
    password_hash TEXT   NOT NULL
);

CREATE TABLE logins (
    id         INTEGER PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX logins_by_expiry ON logins (expires_at);
CREATE INDEX logins_by_revocation ON logins (revoked_at) WHERE revoked_at IS NOT NULL;

-- The newest token of each login and all that it replaced: one of the latter betrays a copy.
CREATE TABLE refresh_tokens (
    hash     BLOB    NOT NULL PRIMARY KEY,
    login_id BIGINT  NOT NULL REFERENCES logins (id) ON DELETE CASCADE,
    rotated  BOOLEAN NOT NULL
);
CREATE INDEX refresh_tokens_by_login ON refresh_tokens (login_id);

-- The bot user of an application has the same id.
CREATE TABLE applications (
    id                 BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    name               TEXT   NOT NULL,
    owner_id           BIGINT NOT NULL REFERENCES users (id),
    privileged_intents BIGINT NOT NULL,
    token_hash         BLOB   NOT NULL,
    token_generation   BIGINT NOT NULL
);
CREATE INDEX applications_by_owner ON applications (owner_id, id);

CREATE TABLE guilds (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    owner_id    BIGINT  NOT NULL REFERENCES users (id),
    description TEXT,
    icon        TEXT,
    is_public   BOOLEAN NOT NULL,
    deleted     BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE roles (
    id          INTEGER PRIMARY KEY,
    guild_id    BIGINT  NOT NULL REFERENCES guilds (id),
    name        TEXT    NOT NULL,
    color       BIGINT  NOT NULL,
    hoist       BOOLEAN NOT NULL,
    mentionable BOOLEAN NOT NULL,
    managed     BOOLEAN NOT NULL,
    permissions BIGINT  NOT NULL,
    position    BIGINT  NOT NULL
);
CREATE INDEX roles_by_guild ON roles (guild_id);

CREATE TABLE channels (
    id        INTEGER PRIMARY KEY,
    guild_id  BIGINT  NOT NULL REFERENCES guilds (id),
    kind      BIGINT  NOT NULL,
    name      TEXT    NOT NULL,
    topic     TEXT,
    position  BIGINT  NOT NULL,
    -- The category that a channel stands in. It ends after its channels have left it, so no row
    -- names one that is gone.
    parent_id BIGINT
);
CREATE INDEX channels_by_guild ON channels (guild_id);

-- The primary key's order is the order in which a channel lists its overwrites.
CREATE TABLE overwrites (
    channel_id  BIGINT  NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    target_kind BIGINT  NOT NULL,
    target_id   BIGINT  NOT NULL,
    allow_bits  BIGINT  NOT NULL,
    deny_bits   BIGINT  NOT NULL,
    PRIMARY KEY (channel_id, target_kind, target_id)
);
CREATE INDEX overwrites_by_target ON overwrites (target_id);

CREATE TABLE members (
    guild_id        BIGINT  NOT NULL REFERENCES guilds (id),
    user_id         BIGINT  NOT NULL REFERENCES users (id),
    nick            TEXT,
    joined_at       BIGINT  NOT NULL,
    timed_out_until BIGINT,
    temporary       BOOLEAN NOT NULL,
    PRIMARY KEY (guild_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, guild_id);

CREATE TABLE member_roles (
    guild_id BIGINT NOT NULL,
    user_id  BIGINT NOT NULL,
    role_id  BIGINT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (guild_id, user_id, role_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES members (guild_id, user_id) ON DELETE CASCADE
);
CREATE INDEX member_roles_by_role ON member_roles (role_id);

CREATE TABLE bans (
    guild_id BIGINT NOT NULL REFERENCES guilds (id),
    user_id  BIGINT NOT NULL REFERENCES users (id),
    reason   TEXT,
    by_id    BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (guild_id, user_id)
);

-- An invite outlives its channel, as it does in the guild's state.
CREATE TABLE invites (
    code       TEXT    NOT NULL PRIMARY KEY,
    guild_id   BIGINT  NOT NULL REFERENCES guilds (id),
    channel_id BIGINT  NOT NULL,
    inviter_id BIGINT  NOT NULL,
    uses       BIGINT  NOT NULL,
    max_uses   BIGINT  NOT NULL,
    max_age_s  BIGINT  NOT NULL,
    temporary  BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL
);
CREATE INDEX invites_by_guild ON invites (guild_id);

-- Addresses by which programs post into a channel. The token stays readable: those who manage a
-- webhook are shown its address. The events end a channel's webhooks before the channel.
CREATE TABLE webhooks (
    id             INTEGER PRIMARY KEY,
    guild_id       BIGINT NOT NULL REFERENCES guilds (id),
    channel_id     BIGINT NOT NULL,
    name           TEXT   NOT NULL,
    avatar         TEXT,
    token          TEXT   NOT NULL,
    creator_id     BIGINT NOT NULL,
    application_id BIGINT
);
CREATE INDEX webhooks_by_guild ON webhooks (guild_id);

-- Guilds' own emojis. Their pictures are files that have the emojis' ids.
CREATE TABLE emojis (
    id          INTEGER PRIMARY KEY,
    guild_id    BIGINT  NOT NULL REFERENCES guilds (id),
    name        TEXT    NOT NULL,
    is_animated BOOLEAN NOT NULL,
    creator_id  BIGINT  NOT NULL
);
CREATE INDEX emojis_by_guild ON emojis (guild_id);

-- Who may use an emoji; everybody where it has no row. A role may end before its row does.
CREATE TABLE emoji_roles (
    emoji_id BIGINT NOT NULL REFERENCES emojis (id) ON DELETE CASCADE,
    role_id  BIGINT NOT NULL,
    PRIMARY KEY (emoji_id, role_id)
);

-- Guild 0 stands for everywhere, so that names are unique there too.
CREATE TABLE application_commands (
    id             INTEGER PRIMARY KEY,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    guild_id       BIGINT NOT NULL,
    name           TEXT   NOT NULL,
    version        BIGINT NOT NULL,
    definition     BLOB   NOT NULL,
    UNIQUE (application_id, guild_id, name)
);
CREATE INDEX application_commands_by_version ON application_commands (version);

-- The smaller user id comes first, so that a pair has one spelling.
CREATE TABLE directs (
    id      INTEGER PRIMARY KEY,
    user_lo BIGINT NOT NULL REFERENCES users (id),
    user_hi BIGINT NOT NULL REFERENCES users (id),
    UNIQUE (user_lo, user_hi)
);
CREATE INDEX directs_by_hi ON directs (user_hi);

-- How far each stream of events has come.
CREATE TABLE sources (
    kind      BIGINT NOT NULL,
    id        BIGINT NOT NULL,
    last_gseq BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- The epoch below which nobody commits to streams of an event partition any more.
CREATE TABLE fences (
    partition BIGINT NOT NULL PRIMARY KEY,
    epoch     BIGINT NOT NULL
);

-- Committed events that are not known to be in the events log.
CREATE TABLE outbox (
    kind   BIGINT NOT NULL,
    id     BIGINT NOT NULL,
    gseq   BIGINT NOT NULL,
    record BLOB   NOT NULL,
    PRIMARY KEY (kind, id, gseq)
);

-- The highest id among rows that are gone, in the only row: ids are never given twice.
CREATE TABLE id_floor (
    one     BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    highest BIGINT NOT NULL
);

CREATE TABLE instance_values (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);
