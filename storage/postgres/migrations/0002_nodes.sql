-- The nodes of a cluster and the lease of the one that coordinates them. One machine alone has
-- neither, so SQLite has no such tables. All times are those of the engine's own clock: nodes'
-- clocks need not agree.

CREATE TABLE nodes (
    node        BIGINT      NOT NULL PRIMARY KEY,
    incarnation BIGINT      NOT NULL,
    address     TEXT        NOT NULL,
    weight      BIGINT      NOT NULL,
    is_draining BOOLEAN     NOT NULL,
    heard_at    TIMESTAMPTZ NOT NULL
);

-- Who coordinates, in the only row, and until when unless it says so again.
CREATE TABLE coordinator (
    one         BIGINT      NOT NULL PRIMARY KEY CHECK (one = 1),
    node        BIGINT      NOT NULL,
    incarnation BIGINT      NOT NULL,
    ends_at     TIMESTAMPTZ NOT NULL
);
