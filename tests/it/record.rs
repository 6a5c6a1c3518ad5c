//! What is recorded while it is said, and imported later: one row, whichever comes first.

use std::fs;

use serde_json::{Map, Value, json};

use crate::sandbox::{Sandbox, assert_same_rows, total};

const KIND: &str = "ai_gateway.projected_exchange";

/// What only a file can tell, and what names the run.
const APART: [&str; 3] = ["run_id", "input_offset", "input_length"];

type Row = Map<String, Value>;

/// Returns all rows in the order of their messages.
fn rows(sandbox: &Sandbox) -> Vec<Row> {
    let sql = "select * from ai_gateway_messages order by session_id, message_index, part_index";
    let args = ["query", "sql", sql, "--format", "jsonl", "--max-cell", "0", "--max-bytes", "0"];
    let output = sandbox.hyp(args);
    assert_eq!(output.status, Some(0), "{output}");
    output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn attributes(row: &Row) -> Row {
    match &row["attributes"] {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.as_object().unwrap().clone(),
    }
}

/// Returns rows without what only a file can tell.
fn told(sandbox: &Sandbox) -> Vec<Row> {
    let mut rows = rows(sandbox);
    for row in &mut rows {
        let mut attributes = attributes(row);
        let gateway = attributes["gateway"].as_object_mut().unwrap();
        gateway.remove("source");
        gateway.remove("source_path_hash");
        row.insert("attributes".to_owned(), attributes.into());
        // Members come in the order in which they are written.
        for column in ["raw_frame", "status"] {
            let value = json_of(&row[column]);
            row.insert(column.to_owned(), value);
        }
        APART.iter().for_each(|column| _ = row.remove(*column));
    }
    rows
}

fn assert_told(sandbox: &Sandbox, expected: &[Row]) {
    let lines = |rows: &[Row]| {
        rows.iter().map(|row| Value::from(row.clone()).to_string()).collect::<Vec<_>>()
    };
    assert_same_rows(&lines(&told(sandbox)), &lines(expected), "recorded as it is imported");
}

fn json_of(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap())
}

/// Returns the exchange that a live capture of these rows, all of one thread, would have been.
fn exchange(rows: &[Row]) -> Value {
    let first = &rows[0];
    let mut exchange = Map::new();
    for column in [
        "provider",
        "session_id",
        "conversation_id",
        "conversation_started_at",
        "client_name",
        "cwd",
        "git_branch",
        "git_remote",
        "head_sha",
        "repo_root",
        "client_version",
        "entrypoint",
        "user_type",
        "is_sidechain",
        "parent_thread_id",
    ] {
        exchange.insert(column.to_owned(), first[column].clone());
    }
    let mut messages: Vec<Value> = Vec::new();
    for row in rows {
        let block = json!({ "type": "text", "text": row["content_text"] });
        if row["part_index"] != 0 {
            let message = messages.last_mut().unwrap();
            message["content"].as_array_mut().unwrap().push(block);
            continue;
        }
        let mut attributes = attributes(row);
        let is_derived = attributes["gateway"]["identity_source"] == "gateway_fallback";
        attributes.remove("gateway");
        attributes.remove("client");
        if let Some(usage) = attributes.get_mut("usage") {
            usage["cache_write_1h_tokens"] = row["cache_write_1h_tokens"].clone();
        }
        let mut message = json!({ "content": [block], "attributes": attributes });
        for column in [
            "role",
            "message_created_at",
            "provider_uuid",
            "parent_uuid",
            "request_id",
            "prompt_id",
            "provider_type",
            "provider_subtype",
            "model",
            "permission_mode",
            "response_id",
            "is_compact_summary",
        ] {
            message[column] = row[column].clone();
        }
        if !is_derived {
            message["message_id"] = row["message_id"].clone();
        }
        message["raw_frame"] = json_of(&row["raw_frame"]);
        if !row["status"].is_null() {
            message["stop_reason"] = "end_turn".into();
        }
        messages.push(message);
    }
    exchange.insert("messages".to_owned(), messages.into());
    exchange.into()
}

fn record(sandbox: &Sandbox, exchange: &Value) -> Value {
    let file = sandbox.beside("exchange.json");
    fs::write(&file, exchange.to_string()).unwrap();
    let output = sandbox.hyp(["record", KIND, "--json", file.to_str().unwrap(), "--report-json"]);
    assert_eq!(output.status, Some(0), "{output}");
    output.json()
}

/// Records what an import of a home gives, then imports, in both orders.
fn check(home: impl Fn() -> Sandbox) {
    let imported = home();
    imported.import([]);
    let whole = exchange(&rows(&imported));
    let expected = told(&imported);

    let live = home();
    let recorded = record(&live, &whole);
    assert_eq!(recorded["rows_written"], expected.len(), "{recorded}");
    assert_told(&live, &expected);
    assert!(rows(&live).iter().all(|row| row["input_offset"].is_null()));
    let report = live.import([]);
    assert_eq!(total(&report, "rows_written"), 0, "{report:#}");
    assert_told(&live, &expected);
    assert_eq!(live.rows("select count(*) from sessions"), ["1"]);

    let before = imported.all_rows();
    let again = record(&imported, &whole);
    assert_eq!(again["rows_written"], 0, "{again}");
    assert_eq!(again["rows_by_reason"]["stored_already"], expected.len());
    assert_eq!(imported.all_rows(), before);
}

#[test]
fn native_ids_are_the_same_live_and_imported() {
    check(|| Sandbox::with("claude-one-turn"));
}

#[test]
fn derived_ids_are_the_same_live_and_imported() {
    check(|| {
        let sandbox = Sandbox::new();
        let with_ids = Sandbox::with("claude-one-turn");
        let file = crate::sandbox::files(&with_ids.home().join(".claude")).remove(0);
        let lines = fs::read_to_string(&file).unwrap();
        let lines = lines.lines().map(|line| {
            let mut line: Row = serde_json::from_str(line).unwrap();
            line.remove("uuid");
            line.remove("parentUuid");
            format!("{}\n", Value::from(line))
        });
        let below = file.strip_prefix(with_ids.home()).unwrap().to_str().unwrap().to_owned();
        // The same prompt once more: the second of two equal messages has an id of its own.
        let mut lines: Vec<String> = lines.collect();
        lines.push(lines[0].replace("08:12:09", "08:13:09"));
        sandbox.write(&below, lines.concat().as_bytes());
        sandbox
    });
}

#[test]
fn messages_of_a_named_thread_are_the_same_live_and_imported() {
    check(|| Sandbox::with("codex-one-turn"));
}

#[test]
fn a_conversation_that_grew_adds_what_is_new_and_can_be_undone() {
    let imported = Sandbox::with("claude-one-turn");
    imported.import([]);
    let whole = exchange(&rows(&imported));
    let mut start = whole.clone();
    start["messages"].as_array_mut().unwrap().truncate(1);
    let live = Sandbox::new();
    assert_eq!(record(&live, &start)["rows_written"], 1);
    // It never had a file: none is gone.
    let judged = live.hyp(["reconcile", "--json"]);
    assert!(judged.stdout.contains("no_counter") && !judged.stdout.contains("gone"), "{judged}");
    let first = live.all_rows();
    let second = record(&live, &json!([whole]));
    assert_eq!(
        (&second["rows_written"], &second["rows_by_reason"]["stored_already"]),
        (&json!(1), &json!(1))
    );
    assert_told(&live, &told(&imported));
    let run = second["run_id"].as_str().unwrap();
    assert_eq!(live.hyp(["runs", "undo", run, "--commit"]).status, Some(0));
    assert_eq!(live.all_rows(), first);
}

#[test]
fn what_cannot_be_recorded_is_refused_in_a_line_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let file = sandbox.beside("exchange.json");
    let path = file.to_str().unwrap();
    fs::write(&file, "{}").unwrap();
    let kind = sandbox.hyp(["record", "no.such_kind", "--json", path]);
    assert_eq!(kind.status, Some(1), "{kind}");
    assert!(kind.stderr.contains("no materializer takes items of kind `no.such_kind`"), "{kind}");
    fs::remove_file(&file).unwrap();
    let missing = sandbox.hyp(["record", KIND, "--json", path]);
    assert_eq!((missing.status, missing.stderr.lines().count()), (Some(2), 1), "{missing}");
    for (json, words) in
        [("{", "EOF"), ("{}", "`provider` is missing"), ("[1]", "exchange 1: it is no object")]
    {
        fs::write(&file, json).unwrap();
        let output = sandbox.hyp(["record", KIND, "--json", path]);
        assert_eq!(output.status, Some(1), "{output}");
        assert!(output.stderr.contains("hyp::record::no_exchange"), "{output}");
        assert!(output.stderr.contains(words), "{output}");
    }
    assert!(!sandbox.store().join("catalog.db").exists());
}

#[test]
fn what_cannot_be_recorded_is_exit_2_and_makes_no_store() {
    let sandbox = Sandbox::new();
    let file = sandbox.beside("item.json");
    let path = file.to_str().unwrap();
    let nothing = format!("hyp record: `{path}` holds nothing to record\n");
    let source = format!("hyp record: --source is for kinds other than {KIND}\n");
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str], &str); 5] = [
        (KIND,                "",    &[],                           &nothing),
        (KIND,                "[]",  &[],                           &nothing),
        ("registry.test_run", " \n", &[],                           &nothing),
        ("registry.test_run", "[]",  &[],                           &nothing),
        (KIND,                "{}",  &["--source", "member_write"], &source),
    ];
    for (kind, text, more, expected) in cases {
        fs::write(&file, text).unwrap();
        let args = ["record", kind, "--json", path].into_iter().chain(more.iter().copied());
        let output = sandbox.hyp(args);
        assert_eq!(output.status, Some(2), "{output}");
        assert_eq!(output.stderr, expected, "{output}");
    }
    assert!(!sandbox.store().exists(), "nothing was written");
}
