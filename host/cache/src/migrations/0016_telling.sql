-- When the thread began that said it: of two facts of one rank, that of the later one stands.
ALTER TABLE facts ADD COLUMN told_at INTEGER;
ALTER TABLE open_facts ADD COLUMN told_at INTEGER;
