-- Who is told when a call ends, as JSON, for calls that the death of the process ends.
ALTER TABLE calls ADD COLUMN on_end TEXT NOT NULL DEFAULT '[]';
