-- The epoch below which nobody commits to streams of an event partition any more.
CREATE TABLE fences (
    partition INTEGER PRIMARY KEY,
    epoch     BIGINT NOT NULL
);
ALTER TABLE sources DROP COLUMN epoch;
