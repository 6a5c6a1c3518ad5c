-- What a run is, what it was asked for, and whether it can be undone.
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'import';
-- What it was asked for, as JSON, so that it can be gone on with.
ALTER TABLE runs ADD COLUMN arguments TEXT;
-- Run that it undoes, and the one that undid it whole.
ALTER TABLE runs ADD COLUMN undoes TEXT;
ALTER TABLE runs ADD COLUMN undone_by TEXT;
-- `kept` while what it replaced is kept, else why it is not; none of runs of an older hyp.
ALTER TABLE runs ADD COLUMN undo TEXT;
-- What commits of runs replaced: one row a commit, the later the greater its number.
CREATE TABLE undo_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    -- Numbers of the threads that it touched, and pairs of those that it joined: JSON.
    threads TEXT NOT NULL,
    links TEXT NOT NULL,
    -- Ids of the rows that it added under the run id of another run, each with its thread: JSON.
    added TEXT NOT NULL,
    -- Entries of the ledgers as they were, and rows as they were: Parquet.
    ledger BLOB,
    rows BLOB
);
CREATE INDEX undo_log_of_run ON undo_log (run_id);
