-- Totals that clients wrote themselves, as told when their unit was last read.
CREATE TABLE counters (
    provider TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (provider, unit_id, thread_id, name)
) WITHOUT ROWID;
-- Records that gave no row, by kind: a JSON object.
ALTER TABLE inputs ADD COLUMN records TEXT NOT NULL DEFAULT '{}';
