-- `emoji` names a standard emoji by its text and a guild's own by the digits of its id, which are
-- no emoji. The latter keep the name that they had when they came to the message.
ALTER TABLE reaction_counts ADD COLUMN custom_name TEXT;
ALTER TABLE reaction_counts ADD COLUMN is_animated INTEGER NOT NULL DEFAULT 0;
