-- The recordings that a thread lies in, and what each of them says of its length. Those of earlier readings are noted as
-- their threads are read again.
CREATE TABLE recordings (
    thread INTEGER NOT NULL,
    input_id TEXT NOT NULL,
    first_at INTEGER,
    last_at INTEGER,
    messages INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (thread, input_id)
) WITHOUT ROWID;
