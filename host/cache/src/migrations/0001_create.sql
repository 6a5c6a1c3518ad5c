-- The catalog that PyIceberg and others read.
CREATE TABLE iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL,
    table_namespace VARCHAR(255) NOT NULL,
    table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000),
    previous_metadata_location VARCHAR(1000),
    iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000) NOT NULL,
    PRIMARY KEY (catalog_name, namespace, property_key)
);
INSERT INTO iceberg_namespace_properties VALUES ('hyp', 'hyp', 'exists', 'true');

CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    status TEXT NOT NULL,
    dry_run INTEGER NOT NULL,
    providers TEXT NOT NULL,
    since INTEGER,
    until INTEGER,
    rows_written INTEGER NOT NULL DEFAULT 0,
    rows_skipped INTEGER NOT NULL DEFAULT 0,
    report TEXT
);
CREATE TABLE chunks (
    run_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    snapshot_id INTEGER,
    rows INTEGER NOT NULL,
    superseded INTEGER NOT NULL,
    files INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
);
CREATE TABLE units (
    provider TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    component_digest TEXT NOT NULL,
    first_at INTEGER,
    last_at INTEGER,
    since INTEGER,
    until INTEGER,
    PRIMARY KEY (provider, unit_id)
) WITHOUT ROWID;
CREATE TABLE listings (
    provider TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    component_digest TEXT NOT NULL,
    since INTEGER,
    until INTEGER
) WITHOUT ROWID;
CREATE TABLE inputs (
    input_id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    bytes_read INTEGER NOT NULL,
    accounting TEXT NOT NULL,
    status TEXT NOT NULL,
    run_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    thread_id TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    session_id TEXT NOT NULL,
    conversation_id TEXT,
    input_id TEXT NOT NULL,
    client_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    started_at INTEGER,
    first_at INTEGER,
    last_at INTEGER,
    forked_from TEXT,
    parent_thread_id TEXT,
    root_thread_id TEXT,
    cwd TEXT,
    messages INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    may_start_with_copy INTEGER NOT NULL
);
-- Which thread has a response or call, and the last message of it that does.
CREATE TABLE claims (
    key BLOB NOT NULL,
    thread INTEGER NOT NULL,
    last_index INTEGER NOT NULL,
    PRIMARY KEY (key, thread)
) WITHOUT ROWID;
-- Threads that share keys, and the last message of the first that has one of them.
CREATE TABLE kin (
    thread INTEGER NOT NULL,
    other INTEGER NOT NULL,
    last_index INTEGER NOT NULL,
    PRIMARY KEY (thread, other)
) WITHOUT ROWID;
-- Where else a stored part was seen.
CREATE TABLE sightings (
    thread_id TEXT NOT NULL,
    part_id TEXT NOT NULL,
    input_id TEXT NOT NULL,
    said_key BLOB NOT NULL,
    message_index INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (thread_id, part_id, input_id)
) WITHOUT ROWID;
CREATE TABLE facts (
    thread_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    rank INTEGER NOT NULL,
    PRIMARY KEY (thread_id, name)
) WITHOUT ROWID;
-- Facts about whoever holds a message that is not stored yet.
CREATE TABLE open_facts (
    message_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    rank INTEGER NOT NULL,
    PRIMARY KEY (message_id, name)
) WITHOUT ROWID;
CREATE TABLE quarantine (
    input_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    path TEXT NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    class TEXT NOT NULL,
    reason TEXT NOT NULL,
    bytes BLOB,
    run_id TEXT NOT NULL,
    PRIMARY KEY (input_id, offset)
);
CREATE TABLE journal (
    at INTEGER NOT NULL,
    run_id TEXT,
    event TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE TABLE audit (
    at INTEGER NOT NULL,
    run_id TEXT,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
);
