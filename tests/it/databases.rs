//! Databases of other programs: read while those write, and left as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::sandbox::{Sandbox, fixtures, total};

const PLACE: &str = ".local/share/opencode";

/// Makes OpenCode's database of a fixture, with a write-ahead log as the client has it, and returns its connection.
fn opencode(sandbox: &Sandbox) -> Connection {
    let folder = sandbox.home().join(PLACE);
    fs::create_dir_all(&folder).unwrap();
    let own = Connection::open(folder.join("opencode.db")).unwrap();
    own.query_row("pragma journal_mode = wal", [], |_| Ok(())).unwrap();
    let case = fixtures().join("opencode/prompt_tool_and_answer/in/databases/opencode.db.sql");
    own.execute_batch(&fs::read_to_string(case).unwrap()).unwrap();
    own
}

/// Adds a prompt of two parts in one transaction.
fn say(own: &mut Connection, session: &str, number: u64) {
    let at = 1_772_359_300_000 + number as i64;
    let all = own.transaction().unwrap();
    let message = format!("msg_n{number:06}");
    let data = format!(r#"{{"role":"user","time":{{"created":{at}}}}}"#);
    all.execute(
        "insert into message values (?1, ?2, ?3, ?3, ?4)",
        params![message, session, at, data],
    )
    .unwrap();
    for half in ["left", "right"] {
        let id = format!("prt_n{number:06}{half}");
        let data = format!(r#"{{"type":"text","text":"{half} half of {number}"}}"#);
        all.execute(
            "insert into part values (?1, ?2, ?3, ?4, ?4, ?5)",
            params![id, message, session, at, data],
        )
        .unwrap();
    }
    all.commit().unwrap();
}

/// Returns names, sizes, times and contents of the files below a folder.
fn state(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime, Vec<u8>)> {
    let files = crate::sandbox::files(folder).into_iter();
    let state = files.map(|file| {
        let metadata = file.metadata().unwrap();
        let bytes = fs::read(&file).unwrap();
        (file, (metadata.len(), metadata.modified().unwrap(), bytes))
    });
    state.collect()
}

fn halves(sandbox: &Sandbox, half: &str) -> u64 {
    let sql = format!("select count(*) from messages where content_text like '{half} half%'");
    sandbox.rows(&sql)[0].parse().unwrap()
}

#[test]
fn a_database_is_read_while_its_client_writes_and_only_whole_transactions_are_seen() {
    let sandbox = Sandbox::new();
    let mut own = opencode(&sandbox);
    say(&mut own, "ses_1", 0);
    let (is_over, written) = (AtomicBool::new(false), AtomicU64::new(1));
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                say(&mut own, "ses_1", written.fetch_add(1, Ordering::Relaxed));
            }
        });
        sandbox.import(["opencode"]);
        let seen = written.load(Ordering::Relaxed);
        is_over.store(true, Ordering::Relaxed);
        seen
    });
    let (left, right) = (halves(&sandbox, "left"), halves(&sandbox, "right"));
    assert_eq!(left, right, "a transaction is seen whole");
    assert!((1..=seen).contains(&left), "{left} of {seen}");

    let folder = sandbox.home().join(PLACE);
    let before = state(&folder);
    assert!(before.keys().any(|file| file.to_string_lossy().ends_with("-wal")), "{before:?}");
    sandbox.import(["opencode"]);
    assert_eq!(state(&folder), before, "nothing is written beside a client's database");
    let all = written.load(Ordering::Relaxed);
    assert_eq!((halves(&sandbox, "left"), halves(&sandbox, "right")), (all, all));
    let problem: String = own.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(problem, "ok");
    assert!(crate::sandbox::files(&sandbox.store().join("tmp")).is_empty(), "copies are gone");
}

#[test]
fn a_database_that_nobody_has_open_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    opencode(&sandbox).close().unwrap();
    let folder = sandbox.home().join(PLACE);
    let before = state(&folder);
    let report = sandbox.import(["opencode"]);
    assert_eq!(total(&report, "rows_written"), 5, "{report:#}");
    assert_eq!(state(&folder), before);
    assert!(!sandbox.store().join("tmp").exists(), "nothing was copied");
}

#[test]
fn an_edited_record_reaches_its_row_and_other_sessions_are_not_read_again() {
    let sandbox = Sandbox::new();
    let own = opencode(&sandbox);
    own.execute_batch(
        "insert into session select 'ses_2', project_id, parent_id, slug, directory, 'Other', version, share_url, \
           time_created, time_updated from session; \
         insert into message select 'msg_9', 'ses_2', time_created, time_updated, data from message where id = 'msg_1'; \
         insert into part select 'prt_99', 'msg_9', 'ses_2', time_created, time_updated, data from part where id = 'prt_01';",
    )
    .unwrap();
    sandbox.import(["opencode"]);
    let tokens = "select sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), \
                  sum(cache_write_tokens) from ai_gateway_messages";
    assert_eq!(sandbox.rows(tokens), ["15,49,900,920"]);

    let changed = own.execute(
        "update part set data = replace(data, 'The rain gauge', 'The wind gauge'), time_updated = time_updated + 5 \
         where id = 'prt_07'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let report = sandbox.import(["opencode"]);
    let provider = &report["providers"][0];
    assert_eq!(provider["rows_by_reason"]["refreshed"], 1, "{provider:#}");
    assert_eq!(provider["items_seen"], 1, "only one session was read: {provider:#}");
    let texts = sandbox.rows("select content_text from messages where message_id = 'prt_07'");
    assert_eq!(texts, ["The wind gauge"]);
    assert_eq!(sandbox.rows(tokens), ["15,49,900,920"]);
    assert_eq!(total(&sandbox.import(["opencode"]), "bytes_read"), 0);
}

#[test]
fn the_records_of_a_database_add_up() {
    let sandbox = Sandbox::new();
    opencode(&sandbox);
    let report = sandbox.import(["opencode"]);
    let provider = &report["providers"][0];
    let accounted: u64 =
        provider["accounting"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(provider["bytes_read"], accounted, "{provider:#}");
    assert_eq!(provider["records_by_kind"]["session"], 1, "{provider:#}");
}

#[test]
#[rustfmt::skip]
fn a_database_that_cannot_be_read_is_told_in_a_line_and_the_rest_is_imported() {
    let sandbox = Sandbox::new();
    let own = opencode(&sandbox);
    own.close().unwrap();
    let whole = fs::read(sandbox.home().join(PLACE).join("opencode.db")).unwrap();
    let cases: [(&[u8], &str); 2] = [
        (b"<html>not a database</html>", "is not a SQLite database"),
        (&whole[..whole.len() / 2],      "is damaged: "),
    ];
    for (bytes, reason) in cases {
        sandbox.write(&format!("{PLACE}/opencode-next.db"), bytes);
        let output = sandbox.hyp(["backfill", "opencode", "--full"]);
        assert_eq!(output.status, Some(1), "{output}");
        let told = output.to_string();
        let line = told.lines().find(|line| line.contains("opencode-next.db") && line.contains(reason));
        assert!(line.is_some(), "{reason}: {told}");
        assert_eq!(sandbox.rows("select count(*) from messages"), ["5"], "{told}");
    }
}

#[test]
fn a_database_without_sessions_is_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!("{PLACE}/opencode.db"), b"");
    sandbox.write(".config/Cursor/User/globalStorage/state.vscdb", b"");
    let report = sandbox.import([]);
    assert_eq!(report["providers"].as_array().unwrap().len(), 2, "{report:#}");
    assert_eq!(total(&report, "rows_written"), 0);
}

#[test]
fn providers_whose_history_is_not_here_are_not_compiled() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.import([]);
    let compiled = crate::sandbox::files(&sandbox.store().join("cache/components"));
    let code = |file: &&PathBuf| file.extension().is_some_and(|end| end == "cwasm");
    assert_eq!(compiled.iter().filter(code).count(), 1, "{compiled:?}");
}
