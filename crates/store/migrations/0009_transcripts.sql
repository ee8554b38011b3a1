-- Whether a recording is transcribed once it is over, and who is told, as JSON.
ALTER TABLE recordings ADD COLUMN transcript TEXT;

-- What recordings say, or why that is not known; it goes with its recording. Those that are pending are a queue.
CREATE TABLE transcripts (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    transcript_state TEXT NOT NULL,
    text TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    transcript_told TEXT NOT NULL
);

CREATE INDEX transcripts_pending ON transcripts (asked_at, recording_id) WHERE transcript_state = 'pending';
