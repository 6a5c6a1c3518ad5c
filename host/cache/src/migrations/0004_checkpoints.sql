-- Where a large unit is gone on with when one of its inputs grew, and what was known there.
CREATE TABLE checkpoints (
    provider TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    -- Hash over all of the unit that must not have changed.
    frame TEXT NOT NULL,
    input INTEGER NOT NULL,
    size INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    head BLOB NOT NULL,
    tail BLOB NOT NULL,
    accounting TEXT NOT NULL,
    records TEXT NOT NULL,
    component BLOB NOT NULL,
    host BLOB NOT NULL,
    PRIMARY KEY (provider, unit_id)
);
