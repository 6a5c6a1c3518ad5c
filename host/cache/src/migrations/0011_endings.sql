-- What a unit ended with when it was read: of the same bytes, a later reading has the last word.
ALTER TABLE checkpoints ADD COLUMN end_hash BLOB NOT NULL DEFAULT x'';
-- Parts that were told after the offset, or all where the unit is read whole: how many, and the sum of their hashes.
ALTER TABLE checkpoints ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN told_hashes INTEGER NOT NULL DEFAULT 0;
-- Those of them that are of records before the offset: sixteen bytes of each.
ALTER TABLE checkpoints ADD COLUMN late BLOB NOT NULL DEFAULT x'';
-- Nobody noted of earlier readings whether all rows are of bytes that are there.
ALTER TABLE checkpoints ADD COLUMN has_strays INTEGER NOT NULL DEFAULT 1;
