-- Checksums of data files and files of deletes, as they were written.
CREATE TABLE files (
    name TEXT PRIMARY KEY,
    crc32 INTEGER NOT NULL
) WITHOUT ROWID;
-- The pointer as hyp left it: another one tells that another program wrote to the table.
INSERT INTO iceberg_namespace_properties
SELECT 'hyp', 'hyp', 'hyp.pointer', metadata_location FROM iceberg_tables
WHERE catalog_name = 'hyp' AND table_namespace = 'hyp' AND table_name = 'ai_gateway_messages';
