-- Rows that came as copies, whatever the store says of them: they stay copies when a thread turns out original.
CREATE TABLE own_copies (
    part_id TEXT PRIMARY KEY
) WITHOUT ROWID;
