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
