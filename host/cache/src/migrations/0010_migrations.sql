-- What was applied, by name: a number alone does not tell two apart.
CREATE TABLE migrations (
    name TEXT PRIMARY KEY,
    -- None of those that were applied before this table was there.
    applied_at INTEGER
) WITHOUT ROWID;
INSERT INTO migrations (name) VALUES
    ('0001_create'), ('0002_counters'), ('0003_lineage'), ('0004_checkpoints'), ('0006_upkeep'), ('0007_privacy'),
    ('0008_datasets'), ('0009_runs');
