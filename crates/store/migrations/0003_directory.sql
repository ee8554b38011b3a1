-- What accounts set up. A subaccount that was deleted stays, without its
-- token, so that its main account can still read what it left.
CREATE TABLE subaccounts (
    id TEXT PRIMARY KEY,
    main TEXT NOT NULL,
    name TEXT NOT NULL,
    token TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT,
    deleted_at BIGINT
);

CREATE INDEX subaccounts_of ON subaccounts (main, created_at, id);

CREATE TABLE profiles (
    account TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT NOT NULL,
    address TEXT NOT NULL
);

CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    answer_url TEXT,
    answer_method TEXT,
    fallback_url TEXT,
    fallback_method TEXT,
    hangup_url TEXT,
    hangup_method TEXT,
    message_url TEXT,
    message_method TEXT,
    default_for_numbers BOOLEAN NOT NULL,
    default_for_endpoints BOOLEAN NOT NULL,
    public BOOLEAN NOT NULL,
    logs_messages BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, name)
);

CREATE INDEX applications_of ON applications (account, created_at, id);

CREATE TABLE endpoints (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    username TEXT NOT NULL UNIQUE,
    alias TEXT NOT NULL,
    digest_md5 TEXT NOT NULL,
    digest_sha256 TEXT NOT NULL,
    application_id TEXT,
    created_at BIGINT NOT NULL
);

CREATE INDEX endpoints_of ON endpoints (account, created_at, id);
CREATE INDEX endpoints_by_application ON endpoints (application_id);

CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    conference_id TEXT,
    conference_name TEXT,
    participant_id BIGINT,
    call_id TEXT,
    from_address TEXT NOT NULL,
    to_address TEXT NOT NULL,
    state TEXT NOT NULL,
    format TEXT NOT NULL,
    track TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    duration_us BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    url TEXT NOT NULL
);

CREATE INDEX recordings_newest ON recordings (account, started_at, id);
CREATE INDEX recordings_live ON recordings (id) WHERE ended_at IS NULL;
