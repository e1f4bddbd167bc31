-- The only user who sees a message; absent for almost all.
ALTER TABLE messages ADD COLUMN only_for BIGINT;
