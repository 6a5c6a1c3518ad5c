//! Databases in the hands of guests: what they get, and what they do not.

use std::time::Duration;

use crate::bench::Bench;
use hyp_model::Explain;
use hyp_model::event::{Content, Event};
use hyp_plugin::{Limits, RunError};

const SCHEMA: &str = "
    create table chat (id integer primary key, title text, secret text);
    create table vault (word text);
    insert into chat values (1, 'tides', 'x'), (2, 'rain', 'y');
    insert into vault values ('open sesame');";

/// Returns the texts of the messages, in their order.
fn texts(events: &[Event]) -> Vec<&str> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Message(message) => Some(&message.parts[0].content),
        _ => None,
    });
    messages
        .map(|content| match content {
            Content::Text(text) => text.value.as_str(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn rows_are_records_and_each_is_accounted_for() {
    let bench = Bench::new("sql", Limits::default());
    let lent = bench.database("chats.db", SCHEMA);
    let (events, report) = bench.scan_as("select title, id from chat order by id", &lent).unwrap();
    assert_eq!(texts(&events), ["tides", "rain"]);
    let input = &report.inputs[0];
    let bytes = ("tides".len() + 8 + "rain".len() + 8) as u64;
    assert_eq!((input.bytes_read, input.claimed, input.opened), (bytes, bytes, true));
}

#[test]
fn a_row_that_is_handed_out_and_not_accounted_for_is_an_error() {
    let bench = Bench::new("sql", Limits::default());
    let lent = bench.database("chats.db", SCHEMA);
    let error = bench.scan_as("unclaimed", &lent).unwrap_err();
    assert_eq!(error.code(), "hyp::plugin::accounting", "{error}");
}

#[test]
#[rustfmt::skip]
fn a_guest_gets_nothing_that_its_root_does_not_declare() {
    let bench = Bench::new("sql", Limits::default());
    let lent = bench.database("chats.db", SCHEMA);
    let cases = [
        ("select word from vault",                  "access to vault.word is prohibited"),
        ("select secret from chat",                 "access to chat.secret is prohibited"),
        ("select id from chat where secret = 'x'",  "access to chat.secret is prohibited"),
        ("select sql from sqlite_schema",           "prohibited"),
        ("pragma database_list",                    "not authorized"),
        ("attach database '/etc/passwd' as p",      "not authorized"),
        ("insert into chat (title) values ('new')", "not authorized"),
        ("delete from chat",                        "not authorized"),
        ("select readfile('/etc/passwd')",          "no such function"),
        ("select load_extension('evil')",           "not authorized"),
        ("select absent from chat",                 "no such column"),
    ];
    let before = std::fs::read(&lent.file).unwrap();
    for (statement, reason) in cases {
        let error = bench.scan_as(statement, &lent).unwrap_err();
        assert!(matches!(error, RunError::Fault { .. }), "{statement}: {error}");
        assert!(error.to_string().contains(reason), "{statement}: {error}");
    }
    assert_eq!(std::fs::read(&lent.file).unwrap(), before);
}

#[test]
fn the_bytes_of_a_database_are_not_lent() {
    let bench = Bench::new("sql", Limits::default());
    let error = bench.scan_as("bytes", &bench.database("chats.db", SCHEMA)).unwrap_err();
    assert!(error.to_string().contains("does not lend this input"), "{error}");
    let error = bench.scan_as("select 1", &bench.file("a.jsonl", b"{}\n")).unwrap_err();
    assert!(error.to_string().contains("declares no tables"), "{error}");
}

#[test]
fn an_endless_statement_ends_its_guest() {
    let limits = Limits { advance_deadline: Duration::from_millis(400), ..Limits::default() };
    let bench = Bench::new("sql", limits);
    let endless = format!("select count(*) from {}", vec!["chat"; 60].join(", "));
    let error = bench.scan_as(&endless, &bench.database("chats.db", SCHEMA)).unwrap_err();
    assert_eq!(error.code(), "hyp::plugin::deadline", "{error}");
}

#[test]
fn a_statement_that_hoards_memory_ends_its_guest() {
    let bench = Bench::new("sql", Limits::default());
    let tables: Vec<String> = (0..40).map(|n| format!("chat as c{n}")).collect();
    let hungry = format!("select c0.title from {} order by c1.title, c39.id", tables.join(", "));
    let lent = bench.database_within("chats.db", SCHEMA, 16 << 20);
    let error = bench.scan_as(&hungry, &lent).unwrap_err();
    assert_eq!(error.code(), "hyp::plugin::statement", "{error}");
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn a_flood_of_blobs_ends_its_guest() {
    let bench = Bench::new("sql", Limits { output_bytes: 1 << 40, ..Limits::default() });
    let sql = format!(
        "{SCHEMA} update chat set title = zeroblob(1000000);
         insert into chat (title) select title from chat;"
    );
    let lent = bench.database("chats.db", &sql);
    let flood = "select case when a.id then null else a.title end, a.title, b.title from chat a, chat b, chat c, chat d";
    let error = bench.scan_as(flood, &lent).unwrap_err();
    assert_eq!(error.code(), "hyp::plugin::statement", "{error}");
    assert!(error.to_string().contains("bytes of rows"), "{error}");
}

#[test]
fn a_damaged_database_is_told_in_a_line_and_only_its_unit_is_lost() {
    let bench = Bench::new("sql", Limits::default());
    let lent = bench.database("chats.db", SCHEMA);
    std::fs::write(&lent.file, "no database at all").unwrap();
    let error = bench.scan_as("select id from chat", &lent).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sql cannot read `select id from chat`: `chats.db` is not a SQLite database"
    );
    assert!(error.is_of_the_unit());
}
