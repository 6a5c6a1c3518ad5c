-- Records of different files of a unit may begin at the same byte.
ALTER TABLE quarantine RENAME TO quarantine_before;
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
    -- Place of the file among those of its unit. Nobody noted it of earlier records.
    input INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (input_id, input, offset)
);
INSERT INTO quarantine (input_id, provider, path, offset, length, class, reason, bytes, run_id)
SELECT input_id, provider, path, offset, length, class, reason, bytes, run_id FROM quarantine_before;
DROP TABLE quarantine_before;
-- Units with such a record in another file than the first are read whole when they change, and all of theirs is replaced.
DELETE FROM checkpoints WHERE (provider, unit_id) IN (
    SELECT i.provider, i.unit_id FROM quarantine AS q JOIN inputs AS i ON i.input_id = q.input_id
    WHERE q.path <> '' AND substr(i.path, -length(q.path)) <> q.path
);
