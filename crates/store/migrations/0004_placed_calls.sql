-- What is known of calls that were placed.
ALTER TABLE calls ADD COLUMN caller_name TEXT;
ALTER TABLE calls ADD COLUMN placement TEXT;
ALTER TABLE calls ADD COLUMN parent_call_id TEXT;
