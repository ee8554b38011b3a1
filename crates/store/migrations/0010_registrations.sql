-- Where endpoints are that need no connection, so that they can be called after
-- a restart before they register again.
CREATE TABLE registrations (
    username TEXT NOT NULL,
    contact TEXT NOT NULL,
    peer TEXT NOT NULL,
    preference BIGINT NOT NULL,
    path TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    instance TEXT,
    instance_number BIGINT,
    call_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (username, contact)
);
