-- What a unit ended with when it was read: of the same bytes, a later reading has the last word.
ALTER TABLE checkpoints ADD COLUMN end_hash BLOB NOT NULL DEFAULT x'';
-- Parts of records before the offset that were told after it: sixteen bytes of each.
ALTER TABLE checkpoints ADD COLUMN late BLOB NOT NULL DEFAULT x'';
-- Nobody noted of earlier readings whether all rows are of bytes that are there.
ALTER TABLE checkpoints ADD COLUMN has_strays INTEGER NOT NULL DEFAULT 1;
