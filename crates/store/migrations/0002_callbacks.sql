-- Callbacks of anything, kept after their delivery. Those with one order_key
-- ('conference:', 'call:' or 'request:' and an id) to one URL are a queue: its
-- 'head' is delivered from due_at on, those 'waiting' follow by sequence;
-- 'delivered' and 'dead' ones were settled. A position is never used again,
-- so that receivers can go on from the last one they know.
CREATE TABLE kept_callbacks (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    order_key TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    url TEXT NOT NULL,
    method TEXT NOT NULL,
    params TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT,
    attempts BIGINT NOT NULL,
    last_error TEXT,
    settled_at BIGINT
);

INSERT INTO kept_callbacks
SELECT position, id, account, 'conference:' || conference_id, sequence, url, method, params, created_at,
    created_at, state, due_at, attempts, last_error, CASE WHEN state = 'dead' THEN created_at END
FROM callbacks;

DROP TABLE callbacks;
ALTER TABLE kept_callbacks RENAME TO callbacks;

CREATE INDEX callbacks_heads ON callbacks (due_at) WHERE state = 'head';
CREATE INDEX callbacks_queues ON callbacks (order_key, url, state, sequence, position);
CREATE INDEX callbacks_settled ON callbacks (state, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX callbacks_of ON callbacks (account, position);
