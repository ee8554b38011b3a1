-- What of calls went over WebSockets.
CREATE TABLE streams (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    call_id TEXT NOT NULL,
    url TEXT NOT NULL,
    callback_url TEXT,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT
);

CREATE INDEX streams_of ON streams (call_id, created_at, id);
CREATE INDEX streams_live ON streams (id) WHERE ended_at IS NULL;
