//! What the store can be asked, and how the answers look.

use std::fs;

use crate::lines::Claude;
use crate::sandbox::Sandbox;

fn imported() -> Sandbox {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox
}

const QUESTION: &str = "select message_index, content_text from ai_gateway_messages \
     where session_id like '16210494%' and part_type = 'text' order by message_index limit 2";

#[test]
fn every_format_has_the_same_rows() {
    let sandbox = imported();
    let ask = |format: &str| {
        let output = sandbox.hyp(["query", "sql", QUESTION, "--format", format]);
        assert_eq!(output.status, Some(0), "{output}");
        output
    };
    let json = ask("json").json();
    assert_eq!(json.as_array().unwrap().len(), 2);
    let question = "Which harbour has the highest spring tide in data/2026.csv?";
    assert_eq!(json[0]["content_text"], question);
    assert_eq!(ask("jsonl").stdout.lines().count(), 2);
    let csv = ask("csv").stdout;
    assert_eq!(csv.lines().nth(1), Some(format!("0,{question}").as_str()), "{csv}");
    for format in ["table", "markdown"] {
        assert!(ask(format).stdout.contains(question), "{}", ask(format));
    }
    assert_eq!(sandbox.hyp(["query", "sql", QUESTION, "--json"]).json(), json);
    assert_eq!(sandbox.hyp(["query", "sql", QUESTION, "--format", "xml"]).status, Some(2));
}

#[test]
fn long_cells_and_long_answers_are_cut_and_told() {
    let sandbox = imported();
    let cut = sandbox.hyp(["query", "sql", QUESTION, "--json", "--max-cell", "10"]);
    let text = cut.json()[0]["content_text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Which harb…(+"), "{text}");
    let few = sandbox.hyp([
        "query",
        "sql",
        "select content_text from messages",
        "--json",
        "--max-bytes",
        "200",
    ]);
    assert!(few.json().as_array().unwrap().len() < 5, "{few}");
    assert!(!few.stderr.is_empty(), "what is left out is told: {few}");
}

#[test]
fn an_output_file_gets_the_whole_answer() {
    let sandbox = imported();
    let file = sandbox.beside("answer.csv");
    let name = file.to_str().unwrap();
    let output = sandbox.hyp(["query", "sql", QUESTION, "--format", "csv", "-o", name]);
    assert_eq!(output.status, Some(0), "{output}");
    let csv = fs::read_to_string(&file).unwrap();
    assert_eq!(csv.lines().next(), Some("message_index,content_text"));
    assert_eq!(csv.lines().count(), 3);
}

#[test]
fn nothing_is_cut_in_a_pipe() {
    let sandbox = Sandbox::new();
    let long = "tide.".repeat(20_000);
    Claude::new("11111111-0000-4000-8000-000000000001").says("u-1", &long).write(&sandbox);
    sandbox.import([]);
    for format in ["table", "json", "jsonl", "csv", "markdown"] {
        let ask = ["query", "sql", "select content_text from messages", "--format", format];
        let output = sandbox.hyp(ask);
        assert!(output.stdout.contains(&long), "{format}");
        assert!(output.stderr.is_empty(), "{format}: {}", output.stderr);
    }
}

#[test]
fn a_parquet_file_needs_a_name_and_keeps_types() {
    let sandbox = imported();
    let refused = sandbox.hyp(["query", "sql", QUESTION, "--format", "parquet"]);
    assert_eq!(refused.status, Some(2));
    assert_eq!(refused.stderr, "hyp query sql: --format parquet needs a file: -o FILE\n");
    let file = sandbox.beside("answer.parquet");
    let name = file.to_str().unwrap();
    let output = sandbox.hyp(["query", "sql", QUESTION, "--format", "parquet", "-o", name]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(output.stderr, format!("2 rows written to: {name}\n"));
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn an_export_is_by_time_and_client_and_replaced_whole() {
    let sandbox = imported();
    let file = sandbox.beside("history.jsonl");
    let name = file.to_str().unwrap();
    let export = |args: &[&str]| {
        let output = sandbox.hyp(["export", "-o", name].into_iter().chain(args.iter().copied()));
        assert_eq!(output.status, Some(0), "{output}");
        fs::read_to_string(&file).unwrap().lines().count().to_string()
    };
    let count = |filter: &str| {
        sandbox.rows(&format!("select count(*) from ai_gateway_messages {filter}"))[0].clone()
    };
    assert_eq!(export(&[]), count(""));
    assert_eq!(export(&["--client", "codex"]), count("where client_name = 'codex'"));
    let since = ["--since", "2026-10-01T00:00:00Z", "--until", "2026-11-01T00:00:00Z"];
    let filter = "where date >= '2026-10-01' and date < '2026-11-01'";
    assert_eq!(export(&since), count(filter));
    let first = fs::read_to_string(&file).unwrap();
    let row: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(row.as_object().unwrap().len(), 72, "all columns");

    let wrong = sandbox.hyp(["export", "-o", name, "--since", "soon"]);
    assert_eq!(wrong.status, Some(2));
    assert_eq!(wrong.stderr, "hyp export: --since expects a parseable date (got soon)\n");
    let nowhere = sandbox.hyp(["export", "-o", "/nowhere/at/all.parquet"]);
    assert_eq!(nowhere.status, Some(1), "{nowhere}");
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
}

#[test]
fn text_of_a_transcript_cannot_reach_the_terminal() {
    let sandbox = Sandbox::with("claude-one-turn");
    let line = fs::read_to_string(&crate::sandbox::files(&sandbox.home())[0]).unwrap();
    let evil = line.replace("How many sensors", r"How \u001b]0;owned\u0007 \u202emany sensors");
    sandbox.write(".claude/projects/-home-ada-weather-station/evil.jsonl", evil.as_bytes());
    fs::remove_file(&crate::sandbox::files(&sandbox.home())[0]).unwrap();
    sandbox.import([]);
    for args in [
        &["query", "sql", "select content_text from messages"][..],
        &["query", "sql", "select content_text from messages", "--format", "markdown"],
        &["sessions"],
    ] {
        let output = sandbox.hyp(args.iter().copied());
        assert_eq!(output.status, Some(0), "{output}");
        assert!(!output.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{args:?}: {output}");
    }
    let exact = sandbox.hyp(["query", "sql", "select content_text from messages", "--json"]).json();
    assert!(exact.to_string().contains("u001b]0;owned"), "{exact}");
}

#[test]
fn the_schema_lists_tables_and_columns() {
    let sandbox = imported();
    let tables = sandbox.hyp(["query", "schema"]);
    assert_eq!(tables.status, Some(0), "{tables}");
    for table in ["ai_gateway_messages", "messages", "sessions", "runs", "quarantine"] {
        assert!(tables.stdout.contains(table), "{table}: {tables}");
    }
    let columns = sandbox.hyp(["query", "schema", "ai_gateway_messages"]);
    for column in ["part_id", "content_text", "input_tokens"] {
        assert!(columns.stdout.contains(column), "{column}: {columns}");
    }
    assert_eq!(sandbox.hyp(["query", "schema", "nowhere"]).status, Some(1));
}

#[test]
fn sessions_come_newest_first() {
    let sandbox = imported();
    let all = sandbox.hyp(["sessions", "--json"]).json();
    let sessions = all["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 5, "sub-agents are not listed: {all:#}");
    let times: Vec<_> =
        sessions.iter().map(|session| session["last_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let titles = all.to_string();
    for title in ["Rain gauge reports negative values", "Spring tides"] {
        assert!(titles.contains(title), "{title}: {all:#}");
    }
    let every = sandbox.hyp(["sessions", "--json", "--all"]).json();
    assert_eq!(every["sessions"].as_array().unwrap().len(), 6, "{every:#}");
    let two = sandbox.hyp(["sessions", "--limit", "2"]);
    assert_eq!(two.stdout.lines().count(), 3, "a header and two lines: {two}");
}

#[test]
fn status_says_what_is_there() {
    let sandbox = imported();
    let status = sandbox.hyp(["status", "--json"]).json();
    assert_eq!(status["store"], sandbox.store().to_str().unwrap());
    assert_eq!(
        status["rows"].as_u64().unwrap().to_string(),
        sandbox.rows("select count(*) from ai_gateway_messages")[0]
    );
    assert_eq!(status["sessions"], serde_json::json!({"claude": 3, "codex": 2}));
    assert!(status["bytes"].as_u64().unwrap() > 0);
    assert_eq!(status["last_run"]["status"], "ok");
    assert!(status["newest_message"].as_str().unwrap().starts_with("2026-11-05T21:17:"));
    assert_eq!(sandbox.hyp(["status"]).status, Some(0));
}

#[test]
fn the_demo_needs_no_home_and_leaves_nothing_behind() {
    let mut sandbox = Sandbox::new();
    let temporary = sandbox.beside("tmp");
    fs::create_dir(&temporary).unwrap();
    sandbox.set("TMPDIR", temporary.to_str().unwrap());
    let output = sandbox.hyp(["demo"]);
    assert_eq!(output.status, Some(0), "{output}");
    for word in ["claude  [ok]", "codex  [ok]", "tool_call"] {
        assert!(output.stdout.contains(word), "{word}: {output}");
    }
    assert!(!sandbox.store().exists());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "nothing is left");
}

#[test]
fn version_and_help_answer_without_a_home() {
    let sandbox = Sandbox::new();
    let version = sandbox.hyp(["--version"]);
    assert!(version.stdout.starts_with("hyp "), "{version}");
    let help = sandbox.hyp(["--help"]);
    assert_eq!(help.status, Some(0));
    assert!(help.stdout.contains("Exit codes: 0 done"), "{help}");
    assert!(!sandbox.store().exists());
}

#[test]
fn a_trace_is_kept_where_one_is_asked_for() {
    let mut sandbox = Sandbox::with("claude-one-turn");
    let trace = sandbox.beside("trace.jsonl");
    sandbox.set("HYP_LOG", trace.to_str().unwrap());
    sandbox.import([]);
    let text = fs::read_to_string(&trace).unwrap();
    for span in ["backfill.start", "backfill.provider_start", "backfill.finish"] {
        assert!(text.contains(span), "{span}: {text}");
    }
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    sandbox.set("HYP_LOG", "/nonexistent/trace");
    assert_eq!(sandbox.hyp(["backfill"]).status, Some(2));
}

#[test]
fn a_damaged_store_is_told_by_schema_too() {
    let sandbox = Sandbox::with("claude-one-turn");
    assert_eq!(sandbox.hyp(["query", "schema"]).status, Some(0), "there is no store yet");
    sandbox.import([]);
    for file in ["catalog.db-wal", "catalog.db-shm"] {
        let _ = fs::remove_file(sandbox.store().join(file));
    }
    fs::write(sandbox.store().join("catalog.db"), "this is no database at all").unwrap();
    let output = sandbox.hyp(["query", "schema"]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(1), ""), "{output}");
}
