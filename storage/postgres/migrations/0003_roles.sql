-- What each node does, as names that commas separate. Nodes from before there were roles do everything, and
-- so does one that says nothing of it.

ALTER TABLE nodes ADD COLUMN roles TEXT NOT NULL DEFAULT 'api,gateway,worker';
