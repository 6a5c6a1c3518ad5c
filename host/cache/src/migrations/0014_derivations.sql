-- Of which state of a dataset its derived columns were worked out, and by which component.
CREATE TABLE derivations (
    dataset TEXT PRIMARY KEY,
    component_digest TEXT NOT NULL,
    metadata_location TEXT NOT NULL
) WITHOUT ROWID;
