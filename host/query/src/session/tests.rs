//! Statements against small stores made by hand.

use std::path::Path;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::cast;
use hyp_cache::Commit;
use hyp_model::Explain;
use hyp_model::dataset::{COLUMNS, Type};
use parquet::arrow::ArrowWriter;

use super::*;
use crate::lake::DataFile;
use crate::output::{Format, Output, write};

/// A value that fits a column that must not be null.
fn filler(kind: Type) -> &'static str {
    match kind {
        Type::Timestamp => "2026-10-13T18:14:45.514Z",
        Type::Int | Type::Long => "7",
        _ => "x",
    }
}

/// Returns rows that have the given texts as content and are replays where it says so.
fn batch(rows: &[(&str, Option<bool>)]) -> RecordBatch {
    let schema = hyp_cache::messages_schema();
    let columns = COLUMNS.iter().zip(schema.fields()).map(|(column, field)| -> ArrayRef {
        match column.name {
            "content_text" | "attributes" => {
                Arc::new(rows.iter().map(|(text, _)| Some(*text)).collect::<StringArray>())
            }
            "is_replay" => Arc::new(rows.iter().map(|(_, is)| *is).collect::<BooleanArray>()),
            "client_name" => Arc::new(StringArray::from(vec!["claude"; rows.len()])),
            _ if column.nullable => new_null_array(field.data_type(), rows.len()),
            _ => {
                let text: ArrayRef =
                    Arc::new(StringArray::from(vec![filler(column.kind); rows.len()]));
                cast(&text, field.data_type()).unwrap()
            }
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

/// Writes such rows to a file.
fn messages(dir: &Path, rows: &[(&str, Option<bool>)]) -> Files {
    let batch = batch(rows);
    let path = dir.join("a.parquet");
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    let file = DataFile { path, size, rows: rows.len() as u64, ..DataFile::default() };
    Files { schema: batch.schema(), files: vec![file], lease: Lease::default() }
}

fn over(files: Files) -> Session {
    let options = Options { target_partitions: 2, ..Options::default() };
    Session::over(files, None, options).unwrap()
}

fn empty() -> Session {
    Session::empty(Options::default()).unwrap()
}

async fn jsonl(session: &Session, sql: &str) -> String {
    let answer = session.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut text = Vec::new();
    write(&answer, &Output::new(Format::Jsonl), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

async fn refusal(session: &Session, sql: &str) -> String {
    let error = match session.sql(sql).await {
        Ok(_) => panic!("{sql} went through"),
        Err(error) => error,
    };
    let help = error.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    format!("{}: {error}{help}", error.code())
}

#[tokio::test]
async fn without_a_store_every_table_is_there_and_empty() {
    let session = empty();
    for table in crate::columns::tables() {
        let sql = format!("select count(*) as n from {table}");
        assert_eq!(jsonl(&session, &sql).await, "{\"n\":0}\n", "{table}");
        assert_eq!(jsonl(&session, &format!("select * from {table}")).await, "", "{table}");
    }
}

#[tokio::test]
async fn the_view_leaves_out_replays() {
    let dir = tempfile::tempdir().unwrap();
    let session = over(messages(
        dir.path(),
        &[("said", Some(false)), ("copied", Some(true)), ("old row", None)],
    ));
    assert_eq!(
        jsonl(&session, "select content_text from messages order by 1").await,
        "{\"content_text\":\"old row\"}\n{\"content_text\":\"said\"}\n"
    );
    let sql = "select count(*) as n from hyp.hyp.ai_gateway_messages";
    assert_eq!(jsonl(&session, sql).await, "{\"n\":3}\n");
}

#[tokio::test]
async fn json_columns_are_searched_with_functions_and_operators() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [(r#"{"gateway":{"source":"claude","n":7}}"#, None), ("no json", None)];
    let session = over(messages(dir.path(), &rows));
    let sql = "select attributes->'gateway'->>'source' as source,
                      json_get_int(attributes, 'gateway', 'n') as n,
                      attributes->'gateway'->'n' as any
               from messages m
               where m.attributes->'gateway'->>'n' = '7' or m.attributes->>'x' || '' is null
               order by n nulls last";
    assert_eq!(
        jsonl(&session, sql).await,
        "{\"source\":\"claude\",\"n\":7,\"any\":7}\n{\"source\":null,\"n\":null,\"any\":null}\n"
    );
}

#[tokio::test]
async fn moments_are_compared_and_printed_in_utc() {
    let dir = tempfile::tempdir().unwrap();
    let session = over(messages(dir.path(), &[("a", None)]));
    let sql = "select message_created_at as at, date_trunc('hour', message_created_at) as hour,
                      cast(message_created_at as date) as day
               from messages where message_created_at > '2026-10-13'
                 and message_created_at < timestamp '2026-10-14'";
    assert_eq!(
        jsonl(&session, sql).await,
        "{\"at\":\"2026-10-13T18:14:45.514000Z\",\"hour\":\"2026-10-13T18:00:00.000000Z\",\"day\":\"2026-10-13\"}\n"
    );
}

#[tokio::test]
async fn what_is_there_can_be_listed() {
    let session = empty();
    let sql = "select column_name from information_schema.columns where table_name = 'messages'";
    assert_eq!(jsonl(&session, sql).await.lines().count(), COLUMNS.len());
    assert!(jsonl(&session, "show tables").await.contains("\"ai_gateway_messages\""));
    assert!(jsonl(&session, "describe runs").await.contains("\"run_id\""));
    assert!(jsonl(&session, "explain select * from messages").await.contains("plan"));
}

#[tokio::test]
async fn errors_are_one_line_with_a_way_out() {
    let session = empty();
    let mut told = String::new();
    for sql in [
        "select * from mesages",
        "select * from other.things",
        "select content from messages",
        "select m.nothing_like_it from messages m",
        "selec 1",
        "select * form messages",
        "select jsn_get(attributes, 'a') from messages",
        "select * from nothing_like_it(1)",
        "select sum(role) from messages",
        "select session_id, count(*) from messages",
        "select 1 / 0",
        "select cast('many' as int)",
        "select regexp_replace('a', '(', 'b')",
        "with x as (select 1 as a) insert into messages select * from x",
        "copy messages to '/tmp/never.csv'",
        "select * from '/etc/passwd.csv'",
        "select 1; select 2",
        "",
    ] {
        told.push_str(&format!("{sql}\n  {}\n", refusal(&session, sql).await));
    }
    insta::assert_snapshot!(told, @r#"
    select * from mesages
      hyp::query::unknown_table: unknown table: mesages
      help: tables: ai_gateway_messages, messages, sessions, runs, chunks, inputs, quarantine, journal, audit, sightings, counters, dataset_journal, value_audit
    select * from other.things
      hyp::query::unknown_table: unknown table: other.things
      help: tables: ai_gateway_messages, messages, sessions, runs, chunks, inputs, quarantine, journal, audit, sightings, counters, dataset_journal, value_audit
    select content from messages
      hyp::query::unknown_column: unknown column: content
      help: did you mean: content_text
    select m.nothing_like_it from messages m
      hyp::query::unknown_column: unknown column: m.nothing_like_it
      help: `hyp query schema` lists the columns
    selec 1
      hyp::query::syntax: not valid SQL: Expected: an SQL statement, found: selec at Line: 1, Column: 1
      help: `hyp query sql --help` has an example; the dialect is that of Apache DataFusion
    select * form messages
      hyp::query::syntax: not valid SQL: Expected: end of statement, found: form at Line: 1, Column: 10
      help: `hyp query sql --help` has an example; the dialect is that of Apache DataFusion
    select jsn_get(attributes, 'a') from messages
      hyp::query::unknown_function: unknown function: jsn_get
      help: did you mean: json_get
    select * from nothing_like_it(1)
      hyp::query::unknown_function: unknown function: nothing_like_it
      help: functions are those of Apache DataFusion, and `json_get…` for JSON
    select sum(role) from messages
      hyp::query::plan: function 'sum' failed to match any signature
      help: `hyp query schema TABLE` lists columns and their types
    select session_id, count(*) from messages
      hyp::query::plan: column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "messages.session_id" must appear in the GROUP BY clause or must be part of an aggregate function, currently only "count(Int64(1))" appears in the SELECT clause satisfies this requirement
      help: `hyp query schema TABLE` lists columns and their types
    select 1 / 0
      hyp::query::run: query failed: divide by zero error
      help: a value was out of range: guard it with `nullif` or `try_cast`
    select cast('many' as int)
      hyp::query::run: query failed: cast error: Cannot cast string 'many' to value of Int32 type
      help: a value was out of range: guard it with `nullif` or `try_cast`
    select regexp_replace('a', '(', 'b')
      hyp::query::run: query failed: regex parse error: ( ^ error: unclosed group
    with x as (select 1 as a) insert into messages select * from x
      hyp::query::read_only: `INSERT` is refused: queries only read
      help: start with SELECT, WITH, VALUES, EXPLAIN, SHOW or DESCRIBE
    copy messages to '/tmp/never.csv'
      hyp::query::read_only: `COPY` is refused: queries only read
      help: start with SELECT, WITH, VALUES, EXPLAIN, SHOW or DESCRIBE
    select * from '/etc/passwd.csv'
      hyp::query::unknown_table: unknown table: /etc/passwd.csv
      help: tables: ai_gateway_messages, messages, sessions, runs, chunks, inputs, quarantine, journal, audit, sightings, counters, dataset_journal, value_audit
    select 1; select 2
      hyp::query::statement: one statement at a time, got 2
      help: run them one by one

      hyp::query::statement: no statement given
      help: `hyp query sql --help` has an example; the dialect is that of Apache DataFusion
    "#);
}

#[tokio::test]
async fn a_missing_or_cut_data_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let files = messages(dir.path(), &[("a", None)]);
    let path = files.files[0].path.clone();
    let session = over(files);

    std::fs::write(&path, b"PAR1").unwrap();
    let told = refusal(&session, "select content_text from messages").await;
    assert!(told.starts_with("hyp::query::data_file: cannot read data file `"), "{told}");
    assert!(told.contains("a.parquet`: it has 4 bytes, not "), "{told}");

    std::fs::remove_file(&path).unwrap();
    let told = refusal(&session, "select content_text from messages").await;
    assert!(told.contains("a.parquet`: No such file or directory"), "{told}");
}

#[tokio::test]
async fn damage_inside_of_a_data_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let files = messages(dir.path(), &[("a", None), ("b", None)]);
    let path = files.files[0].path.clone();
    let session = over(files);

    let mut bytes = std::fs::read(&path).unwrap();
    let footer = bytes.len() - 40;
    bytes[4..footer].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    let told = refusal(&session, "select content_text from messages").await;
    assert!(told.starts_with("hyp::query::data_file: "), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
}

#[tokio::test]
async fn a_query_that_needs_too_much_memory_is_stopped() {
    let options = Options { target_partitions: 2, memory_limit: 1 << 20 };
    let session = Session::empty(options).unwrap();
    let sql = "select value, count(*) from (select a.value * 1000 + b.value as value
               from range(2000) a, range(1000) b) group by value";
    let told = refusal(&session, sql).await;
    assert!(
        told.starts_with("hyp::query::memory: query needs more than 1 MiB of memory"),
        "{told}"
    );
}

#[tokio::test]
async fn an_answer_can_be_streamed() {
    let session = empty();
    let mut rows = session.stream("select value from range(20000)").await.unwrap();
    let (mut batches, mut count) = (0, 0);
    while let Some(batch) = rows.next().await.unwrap() {
        batches += 1;
        count += batch.num_rows();
    }
    assert_eq!(count, 20_000);
    assert!(batches > 1);
}

#[tokio::test]
async fn a_long_chain_of_conditions_is_answered() {
    let session = empty();
    let chain: Vec<String> =
        (0..300).map(|n| format!("session_id <> 's{n}' and message_index <> {n}")).collect();
    let sql = format!("select count(*) as n from messages where {}", chain.join(" or "));
    assert_eq!(jsonl(&session, &sql).await, "{\"n\":0}\n");
}

#[tokio::test]
async fn a_store_is_seen_as_it_was_when_the_session_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(&dir.path().join("store")).unwrap();
    let mut writer = store.writer(std::time::Duration::ZERO, "run-1").unwrap();
    let before = Session::open(&store, Options::default()).unwrap();
    let rows = Some(batch(&[("said", Some(false))]));
    writer.commit(Commit { rows, ..Commit::default() }).unwrap();
    let after = Session::open(&store, Options::default()).unwrap();

    let sql = "select count(*) as n from messages";
    assert_eq!(jsonl(&before, sql).await, "{\"n\":0}\n");
    assert_eq!(jsonl(&after, sql).await, "{\"n\":1}\n");
    let sql = "select content_text, client_name from messages where client_name = 'claude'
                 and message_created_at >= '2026-10-13T18:14:45.514Z'";
    assert_eq!(
        jsonl(&after, sql).await,
        "{\"content_text\":\"said\",\"client_name\":\"claude\"}\n"
    );
    for sql in [
        "select * from messages where client_name = 'codex'",
        "select * from messages where message_created_at < '2026-10-13'",
    ] {
        assert_eq!(jsonl(&after, sql).await, "");
    }
    for table in hyp_cache::TABLES {
        let sql = format!("select count(*) as n from {table}");
        assert!(jsonl(&after, &sql).await.starts_with("{\"n\":"), "{table}");
    }
}
