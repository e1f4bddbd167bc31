-- When a message was pinned; absent for almost all.
ALTER TABLE messages ADD COLUMN pinned_at BIGINT;
CREATE INDEX messages_by_pin ON messages (channel_id, pinned_at, id) WHERE pinned_at IS NOT NULL;
