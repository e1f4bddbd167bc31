-- The category that a channel stands in. It ends after its channels have left it, so no row names
-- one that is gone.
ALTER TABLE channels ADD COLUMN parent_id BIGINT;
