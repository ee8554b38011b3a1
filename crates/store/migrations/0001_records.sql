-- Ids are UUIDs in text, enumerations are words, instants are microseconds
-- since the Unix epoch, lists are JSON.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO meta (name, value) VALUES ('alive_at', 0), ('next_participant_id', 1);

CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    direction TEXT NOT NULL,
    from_address TEXT NOT NULL,
    to_address TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    hangup_cause TEXT,
    hangup_source TEXT
);

CREATE INDEX calls_live ON calls (id) WHERE ended_at IS NULL;

CREATE TABLE conferences (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    stay_alone BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    end_cause TEXT,
    billed_seconds BIGINT,
    sequence BIGINT NOT NULL,
    subscribers TEXT NOT NULL -- [url, method, [event group, ...]], ...
);

CREATE INDEX conferences_newest ON conferences (account, created_at, id);
CREATE INDEX conferences_live ON conferences (account, name, created_at) WHERE state <> 'ended';

CREATE TABLE participants (
    id BIGINT PRIMARY KEY,
    conference_id TEXT NOT NULL REFERENCES conferences (id),
    call_id TEXT NOT NULL REFERENCES calls (id),
    address TEXT NOT NULL,
    role TEXT NOT NULL,
    coaching BOOLEAN NOT NULL,
    muted BOOLEAN NOT NULL,
    held BOOLEAN NOT NULL,
    start_on_enter BOOLEAN NOT NULL,
    end_on_exit BOOLEAN NOT NULL,
    joined_at BIGINT NOT NULL,
    left_at BIGINT,
    exit_cause TEXT
);

CREATE INDEX participants_of ON participants (conference_id, id);
CREATE INDEX participants_live ON participants (id) WHERE left_at IS NULL;

-- The outbox. Callbacks of one conference to one URL are a queue: its 'head'
-- is delivered from due_at on, those 'waiting' follow by sequence, one that
-- was given up is 'dead'.
CREATE TABLE callbacks (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    conference_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    url TEXT NOT NULL,
    method TEXT NOT NULL,
    params TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT,
    attempts BIGINT NOT NULL,
    last_error TEXT
);

CREATE INDEX callbacks_heads ON callbacks (due_at) WHERE state = 'head';
CREATE INDEX callbacks_queues ON callbacks (conference_id, url, state, sequence, position);
CREATE INDEX callbacks_dead ON callbacks (created_at) WHERE state = 'dead';
