-- Who is told what becomes of a recording, as JSON, for those that outlive their process.
ALTER TABLE recordings ADD COLUMN told TEXT NOT NULL DEFAULT '[]';
