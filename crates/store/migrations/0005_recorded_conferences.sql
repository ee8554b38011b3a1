-- Whether a live conference is being recorded: recording or paused.
ALTER TABLE conferences ADD COLUMN recording TEXT;
