//! Tests of what is lent and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Database, DatabaseError, Grants, QueryError, Reader, Row, Terms, Value};

const SCHEMA: &str = "
    create table chat (id integer primary key, title text, secret text);
    create table vault (word text);
    create view peep as select word as title from vault;
    insert into chat values (1, 'tides', 'x'), (2, 'rain', 'y');
    insert into vault values ('open sesame');";

struct Bench {
    folder: TempDir,
    /// The connection of the database's own program.
    own: Connection,
}

impl Bench {
    fn new(schema: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("theirs")).unwrap();
        let own = Connection::open(folder.path().join("theirs/chats.db")).unwrap();
        own.execute_batch(schema).unwrap();
        Self { folder, own }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("theirs/chats.db")
    }

    fn terms(&self) -> Terms {
        Terms::new(self.folder.path().join("ours"))
    }

    fn database(&self) -> Database {
        self.with(self.terms())
    }

    fn with(&self, terms: Terms) -> Database {
        let grants =
            Grants::new([("chat", vec!["id", "title", "absent"]), ("peep", vec!["title"])]);
        Database::new(self.file(), grants, terms)
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn all(reader: &mut Reader, statement: &str) -> Result<Vec<Row>, QueryError> {
    reader.query(statement, Vec::new(), soon())?;
    let mut rows = Vec::new();
    loop {
        let page = reader.next(10, soon())?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

fn titles(database: &Database) -> Vec<String> {
    let rows = all(&mut database.open().unwrap(), "select title from chat order by id").unwrap();
    let text = |row: &Row| match &row.values[0] {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    rows.iter().map(text).collect()
}

/// Returns names, sizes, times and contents of all files below a folder.
fn state(folder: &Path) -> BTreeMap<String, (u64, std::time::SystemTime, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let state = files.map(|file| {
        let metadata = file.metadata().unwrap();
        let bytes = fs::read(file.path()).unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        (name, (metadata.len(), metadata.modified().unwrap(), bytes))
    });
    state.collect()
}

#[test]
fn pages_hold_at_least_one_row_and_all_come() {
    let bench = Bench::new(SCHEMA);
    let mut reader = bench.database().open().unwrap();
    reader.query("select id, title from chat order by id", Vec::new(), soon()).unwrap();
    let first = reader.next(1, soon()).unwrap();
    assert_eq!(first[0].values, [Value::Integer(1), Value::Text("tides".into())]);
    assert_eq!((first.len(), first[0].weight()), (1, 13));
    assert_eq!(reader.next(1 << 20, soon()).unwrap().len(), 1);
    assert!(reader.next(1, soon()).unwrap().is_empty());
    assert!(reader.next(1, soon()).unwrap().is_empty());
}

#[test]
fn only_declared_columns_that_are_there_are_told() {
    let bench = Bench::new(SCHEMA);
    let reader = bench.database().open().unwrap();
    assert_eq!(reader.columns("CHAT"), ["id", "title"]);
    assert!(reader.columns("vault").is_empty());
    assert!(reader.columns("peep").is_empty(), "a view runs what its maker wrote");
    assert_eq!((reader.other("Peep"), reader.has("peep")), (Some("view"), false));
}

#[test]
#[rustfmt::skip]
fn what_is_not_granted_is_refused() {
    let bench = Bench::new(SCHEMA);
    let mut reader = bench.database().open().unwrap();
    let denied = [
        "select secret from chat",
        "select * from chat",
        "select id from chat where secret = 'x'",
        "select count(*) from vault",
        "select word from vault",
        "select title from peep",
        "select name from sqlite_schema",
        "select id from chat union select word from vault",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n",
        "select load_extension('x')",
        "select randomblob(100)",
        "select printf('%1000000d', 1)",
        "select value from json_each('[1]')",
        "pragma table_info(chat)",
        "attach database '/tmp/other.db' as other",
        "insert into chat (title) values ('new')",
        "update chat set title = 'new'",
        "delete from chat",
        "drop table chat",
        "create table more (id)",
        "vacuum into '/tmp/copy.db'",
        "begin immediate",
    ];
    for statement in denied {
        let error = all(&mut reader, statement).unwrap_err();
        assert!(matches!(error, QueryError::Denied { .. }), "{statement}: {error:?}");
    }
    let senseless = ["", "selec", "select 1; select 2", "select nothing from chat", "select title from chat where id = ?1"];
    for statement in senseless {
        let error = all(&mut reader, statement).unwrap_err();
        assert!(matches!(error, QueryError::Statement { .. } | QueryError::Denied { .. }), "{statement}: {error:?}");
    }
    let allowed = ["select title from chat order by rowid", "select count(*) from chat", "select json_extract('{\"a\":1}', '$.a') from chat", "select max(id), length(title) from chat"];
    for statement in allowed {
        assert!(!all(&mut reader, statement).unwrap().is_empty(), "{statement}");
    }
}

#[test]
fn an_endless_statement_ends_at_its_deadline() {
    let bench = Bench::new(SCHEMA);
    let mut reader = bench.database().open().unwrap();
    let endless = format!("select count(*) from {}", vec!["chat"; 60].join(", "));
    let deadline = Instant::now() + Duration::from_millis(200);
    let ended =
        reader.query(&endless, Vec::new(), deadline).and_then(|()| reader.next(1, deadline));
    assert!(matches!(ended, Err(QueryError::Deadline)), "{ended:?}");
    assert_eq!(all(&mut reader, "select id from chat").unwrap().len(), 2, "the next one runs");
}

#[test]
fn a_statement_that_sorts_without_end_is_stopped() {
    let bench = Bench::new(SCHEMA);
    let terms = Terms { memory: 16 << 20, ..bench.terms() };
    let mut reader = bench.with(terms).open().unwrap();
    let tables: Vec<String> = (0..40).map(|n| format!("chat as c{n}")).collect();
    let hungry = format!("select c0.title from {} order by c1.title, c39.id", tables.join(", "));
    let ended = all(&mut reader, &hungry);
    assert!(matches!(ended, Err(QueryError::Memory { .. })), "{ended:?}");
}

#[test]
fn a_value_longer_than_a_record_is_refused_and_its_length_can_be_asked() {
    let bench = Bench::new("create table chat (id integer primary key, title)");
    bench
        .own
        .execute_batch("insert into chat values (1, zeroblob(3000000)), (2, 'short')")
        .unwrap();
    let terms = Terms { value_bytes: 1 << 20, ..bench.terms() };
    let mut reader = bench.with(terms).open().unwrap();
    let ended = all(&mut reader, "select title from chat");
    assert!(matches!(ended, Err(QueryError::Statement { .. })), "{ended:?}");
    let guarded = "select octet_length(title), \
                   case when octet_length(title) < 1000000 then title end from chat order by id";
    let rows = all(&mut reader, guarded).unwrap();
    assert_eq!(rows[0].values, [Value::Integer(3_000_000), Value::Null]);
    assert_eq!(rows[1].values, [Value::Integer(5), Value::Text("short".into())]);
}

#[test]
fn text_that_is_not_utf8_arrives_as_bytes() {
    let bench = Bench::new("create table chat (id integer primary key, title)");
    bench.own.execute_batch("insert into chat values (1, cast(x'6bff6b' as text))").unwrap();
    let rows = all(&mut bench.database().open().unwrap(), "select title from chat").unwrap();
    assert_eq!(rows[0].values, [Value::Blob(b"k\xffk".to_vec())]);
}

#[test]
fn a_database_without_a_log_is_read_as_it_lies_and_its_folder_stays_as_it_is() {
    let Bench { folder, own } = Bench::new(SCHEMA);
    own.close().unwrap();
    let theirs = folder.path().join("theirs");
    let before = state(&theirs);
    let grants = Grants::new([("chat", ["id", "title"])]);
    let database =
        Database::new(theirs.join("chats.db"), grants, Terms::new(folder.path().join("ours")));
    assert_eq!(titles(&database), ["tides", "rain"]);
    assert_eq!(state(&theirs), before);
    assert!(!folder.path().join("ours").exists(), "nothing was copied");
}

#[test]
fn a_log_is_seen_through_a_copy_that_goes_with_its_database() {
    let bench = Bench::new(SCHEMA);
    bench
        .own
        .execute_batch("pragma journal_mode = wal; update chat set title = 'TIDES' where id = 1")
        .unwrap();
    let theirs = bench.folder.path().join("theirs");
    let before = state(&theirs);
    let database = bench.database();
    assert_eq!(titles(&database), ["TIDES", "rain"]);
    assert_eq!(state(&theirs), before);
    bench.own.execute_batch("update chat set title = 'later' where id = 1").unwrap();
    assert_eq!(titles(&database), ["TIDES", "rain"], "a run sees one state");
    assert_eq!(titles(&bench.database()), ["later", "rain"]);
    drop(database);
    assert_eq!(fs::read_dir(bench.folder.path().join("ours")).unwrap().count(), 0);
}

#[test]
fn a_transaction_under_way_is_not_seen() {
    let bench = Bench::new(SCHEMA);
    // A cache of one page makes SQLite write changed pages to the file before the transaction ends.
    bench
        .own
        .execute_batch(
            "pragma cache_size = 1; begin exclusive; \
         update chat set title = 'half'; create table filler as select randomblob(100000) as x;",
        )
        .unwrap();
    assert!(bench.file().with_file_name("chats.db-journal").exists());
    assert_eq!(titles(&bench.database()), ["tides", "rain"]);
    bench.own.execute_batch("rollback").unwrap();
}

#[test]
fn a_large_database_with_a_log_is_copied_only_if_that_is_allowed() {
    let bench = Bench::new(SCHEMA);
    bench.own.execute_batch("pragma journal_mode = wal; delete from vault").unwrap();
    let terms = Terms { copied_at_most: 4096, ..bench.terms() };
    let error = bench.with(terms).open().unwrap_err();
    assert!(matches!(error, DatabaseError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("--allow-copy"), "{error}");
}

#[test]
fn a_file_that_changes_while_it_is_read_as_it_lies_is_noticed() {
    let bench = Bench::new(SCHEMA);
    let database = bench.database();
    assert_eq!(titles(&database), ["tides", "rain"]);
    database.check().unwrap();
    bench.own.execute_batch("insert into chat (title) values ('wind')").unwrap();
    assert!(matches!(database.check(), Err(DatabaseError::Changed)));
    assert_eq!(titles(&database), ["tides", "rain", "wind"], "the next reader sees it");
    database.check().unwrap();
}

#[test]
#[rustfmt::skip]
fn files_that_are_no_whole_database_are_told_in_a_line() {
    let bench = Bench::new(SCHEMA);
    let path = bench.folder.path().join("other.db");
    let open = |bytes: Option<Vec<u8>>| {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let database = Database::new(path.clone(), Grants::new([("chat", ["title"])]), bench.terms());
        let told = database.open().map_err(QueryError::from).and_then(|mut reader| all(&mut reader, "select title from chat"));
        told.map_or_else(|error| error.to_string(), |rows| format!("{} rows", rows.len()))
    };
    let whole = fs::read(bench.file()).unwrap();
    let mut scratched = whole.clone();
    scratched[100..400].fill(0xff);
    assert_eq!(open(Some(whole.clone())), "2 rows");
    assert_eq!(open(Some(b"{\"not\": \"a database\"}".to_vec())), "is not a SQLite database");
    assert!(open(Some(scratched)).starts_with("is damaged: "));
    assert!(open(Some(whole[..whole.len() / 2].to_vec())).contains("database disk image is malformed"));
    assert!(open(Some(Vec::new())).contains("no such table"));
    assert!(open(None).starts_with("cannot be opened: "));
}
