-- Parts that were purged. Hashes only: by them the part is known when it comes again, and so are copies of it.
CREATE TABLE graves (
    part BLOB NOT NULL,
    thread INTEGER NOT NULL,
    -- 1 where the part would have its row, 0 where it was seen as well.
    holds INTEGER NOT NULL,
    message_index INTEGER NOT NULL,
    part_index INTEGER NOT NULL,
    said_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    -- Keys of response and call, one after the other.
    keys BLOB NOT NULL,
    PRIMARY KEY (part, thread)
) WITHOUT ROWID;
CREATE INDEX graves_of_thread ON graves (thread);
-- Threads of which everything was purged: what copies are told by, without a name.
CREATE TABLE ghosts (
    thread INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    started_at INTEGER,
    origin BLOB,
    input_id TEXT NOT NULL
);
-- What is never imported again, whether or not it was stored: hashes of names.
CREATE TABLE forgotten (
    kind TEXT NOT NULL,
    key BLOB NOT NULL,
    keeps_copies INTEGER NOT NULL,
    -- Messages later than this are imported; none is too late for what has no time here.
    until INTEGER,
    PRIMARY KEY (kind, key, keeps_copies)
) WITHOUT ROWID;
-- Work that the next writer ends: files and pages to be erased.
CREATE TABLE unfinished (
    task TEXT PRIMARY KEY
) WITHOUT ROWID;
