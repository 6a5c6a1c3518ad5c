-- How many messages a thread can have begun with that it copied, as its recording shows so far; certain once something
-- of its own follows them.
CREATE TABLE beginnings (
    thread INTEGER PRIMARY KEY,
    copied INTEGER NOT NULL,
    is_certain INTEGER NOT NULL
);
