-- Accounts, guilds and the outbox. Ids have 63 bits, times are milliseconds since the Unix epoch,
-- permission sets keep their 64 bits in a signed number.

CREATE TABLE users (
    id             INTEGER PRIMARY KEY,
    username       TEXT    NOT NULL,
    -- What makes a username unique is its lower case, which the writer computes: databases differ
    -- in what they call lower case.
    username_lower TEXT    NOT NULL UNIQUE,
    display_name   TEXT,
    avatar_url     TEXT,
    bot            INTEGER NOT NULL,
    status         INTEGER NOT NULL,
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
    rotated  INTEGER NOT NULL
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
    icon_url    TEXT,
    is_public   INTEGER NOT NULL,
    deleted     INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE roles (
    id          INTEGER PRIMARY KEY,
    guild_id    BIGINT  NOT NULL REFERENCES guilds (id),
    name        TEXT    NOT NULL,
    color       BIGINT  NOT NULL,
    hoist       INTEGER NOT NULL,
    mentionable INTEGER NOT NULL,
    managed     INTEGER NOT NULL,
    permissions BIGINT  NOT NULL,
    position    INTEGER NOT NULL
);
CREATE INDEX roles_by_guild ON roles (guild_id);

CREATE TABLE channels (
    id       INTEGER PRIMARY KEY,
    guild_id BIGINT  NOT NULL REFERENCES guilds (id),
    kind     INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    topic    TEXT,
    position INTEGER NOT NULL
);
CREATE INDEX channels_by_guild ON channels (guild_id);

-- The primary key's order is the order in which a channel lists its overwrites.
CREATE TABLE overwrites (
    channel_id  BIGINT  NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    target_kind INTEGER NOT NULL,
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
    temporary       INTEGER NOT NULL,
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
    temporary  INTEGER NOT NULL,
    created_at BIGINT  NOT NULL
);
CREATE INDEX invites_by_guild ON invites (guild_id);

-- The smaller user id comes first, so that a pair has one spelling.
CREATE TABLE directs (
    id      INTEGER PRIMARY KEY,
    user_lo BIGINT NOT NULL REFERENCES users (id),
    user_hi BIGINT NOT NULL REFERENCES users (id),
    UNIQUE (user_lo, user_hi)
);
CREATE INDEX directs_by_hi ON directs (user_hi);

-- How far each stream of events has come, and the epoch of its last writer.
CREATE TABLE sources (
    kind      INTEGER NOT NULL,
    id        BIGINT  NOT NULL,
    last_gseq BIGINT  NOT NULL,
    epoch     BIGINT  NOT NULL,
    PRIMARY KEY (kind, id)
);

-- Committed events that are not known to be in the events log.
CREATE TABLE outbox (
    kind   INTEGER NOT NULL,
    id     BIGINT  NOT NULL,
    gseq   BIGINT  NOT NULL,
    record BLOB    NOT NULL,
    PRIMARY KEY (kind, id, gseq)
);

-- The highest id among rows that are gone, in the only row: ids are never given twice.
CREATE TABLE id_floor (
    only    INTEGER PRIMARY KEY CHECK (only = 1),
    highest BIGINT NOT NULL
);

CREATE TABLE instance_values (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);
