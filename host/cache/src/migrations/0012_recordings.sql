-- The recordings that a thread lies in, and what each of them says of its length.
CREATE TABLE recordings (
    thread INTEGER NOT NULL,
    input_id TEXT NOT NULL,
    first_at INTEGER,
    last_at INTEGER,
    messages INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (thread, input_id)
) WITHOUT ROWID;
INSERT INTO recordings
    SELECT number, input_id, first_at, last_at, messages, parts FROM sessions;
-- Of others, all that was noted is that they hold something which has its row elsewhere.
INSERT OR IGNORE INTO recordings
    SELECT DISTINCT s.number, g.input_id, NULL, NULL, 0, 0
    FROM sightings g JOIN sessions s ON s.thread_id = g.thread_id;
