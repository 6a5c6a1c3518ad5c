-- What runs did to rows of datasets, for undoing it: rows that were added or removed, and cells that were changed.
-- Rows that were added to a dataset which never changes any are not listed: they carry the id of their run.
CREATE TABLE dataset_journal (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    -- JSON array of the key's values.
    row_key TEXT NOT NULL,
    -- None for a whole row.
    column_name TEXT,
    operation TEXT NOT NULL CHECK (operation IN ('insert', 'update', 'remove')),
    old_value TEXT,
    new_value TEXT
);
CREATE INDEX dataset_journal_of_run ON dataset_journal (run_id);
-- Values that somebody's evidence set, or met with another one. It is added to, and nothing else.
CREATE TABLE value_audit (
    id INTEGER PRIMARY KEY,
    run_id TEXT,
    dataset TEXT NOT NULL,
    row_key TEXT NOT NULL,
    subject TEXT,
    column_name TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('promote', 'flip', 'disagree')),
    source TEXT NOT NULL CHECK (source IN ('backfill_script', 'crawler_promote', 'member_write')),
    changed_at INTEGER NOT NULL,
    notes TEXT
);
CREATE INDEX value_audit_of_row ON value_audit (dataset, row_key);
CREATE INDEX value_audit_of_subject ON value_audit (subject);
CREATE INDEX value_audit_of_run ON value_audit (run_id);
CREATE INDEX value_audit_of_time ON value_audit (changed_at);
-- A disagreement that is seen again is the same one.
CREATE UNIQUE INDEX value_audit_disagreement
    ON value_audit (dataset, row_key, column_name, coalesce(old_value, ''), new_value) WHERE event = 'disagree';
CREATE TRIGGER value_audit_is_not_changed BEFORE UPDATE ON value_audit
BEGIN SELECT raise(ABORT, 'value_audit is added to only'); END;
CREATE TRIGGER value_audit_is_not_shortened BEFORE DELETE ON value_audit
BEGIN SELECT raise(ABORT, 'value_audit is added to only'); END;
-- Runs that wrote to datasets, or would have.
CREATE TABLE dataset_runs (
    run_id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    -- The run that this one undoes.
    undoes TEXT,
    cutover INTEGER,
    source TEXT
) WITHOUT ROWID;
