//! Large sessions that grow: what was read is not read again, and the rows are those of a single import.

use std::fs::File;
use std::time::{Duration, SystemTime};

use hyp_cache::failpoint;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, assert_same_rows, total};

/// Turns of a session that is large enough to be gone on with.
const TURNS: usize = 600;

/// A client, and how it writes its sessions.
#[derive(Clone, Copy)]
struct Client {
    name: &'static str,
    path: &'static str,
    head: fn() -> String,
    turn: fn(usize) -> String,
}

const CLIENTS: [Client; 2] = [
    Client {
        name: "claude",
        path: ".claude/projects/-home-ada-tide/7ebf5872-4251-43cb-ae32-78051d1db68a.jsonl",
        head: String::new,
        turn: claude_turn,
    },
    Client {
        name: "codex",
        path: ".codex/sessions/2026/11/05/rollout-2026-11-05T21-17-04-019a7798-3179-7677-b54e-498dafd47fb0.jsonl",
        head: codex_head,
        turn: codex_turn,
    },
];

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

fn time(turn: usize, second: usize) -> String {
    format!("2026-11-05T{:02}:{:02}:{second:02}.000Z", turn / 60, turn % 60)
}

/// A prompt, an answer in two lines of one response with a call, what the tool gave back, and a title.
fn claude_turn(turn: usize) -> String {
    let line = |second: usize, kind: &str, message: Value| {
        json!({
            "type": kind, "uuid": format!("{turn}-{second}"), "message": message,
            "parentUuid": format!("{turn}-{}", second.saturating_sub(1)),
            "sessionId": "7ebf5872-4251-43cb-ae32-78051d1db68a", "version": "2.1.7",
            "cwd": "/home/ada/tide", "timestamp": time(turn, second),
        })
    };
    let answer = |output: usize, content: Value| {
        json!({
            "id": format!("msg_{turn:020}"), "role": "assistant", "model": "claude-opus-4",
            "usage": {"input_tokens": turn, "output_tokens": output}, "content": [content],
        })
    };
    let call = format!("toolu_{turn:020}");
    lines(&[
        line(1, "user", json!({"role": "user", "content": format!("How high is tide {turn}?")})),
        line(2, "assistant", answer(1, json!({"type": "text", "text": "I look it up."}))),
        line(
            3,
            "assistant",
            answer(
                50,
                json!({
                    "type": "tool_use", "id": call, "name": "Bash", "input": {"command": "tide"},
                }),
            ),
        ),
        line(
            4,
            "user",
            json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": call, "content": "water ".repeat(2_500)},
            ]}),
        ),
        json!({"type": "summary", "summary": format!("Tide {turn}"), "leafUuid": format!("{turn}-4")}),
    ])
}

fn codex_head() -> String {
    let id = "019a7798-3179-7677-b54e-498dafd47fb0";
    let meta = json!({"id": id, "cwd": "/home/ada/tide", "cli_version": "0.98.0", "timestamp": time(0, 0)});
    lines(&[json!({"timestamp": time(0, 0), "type": "session_meta", "payload": meta})])
}

/// A prompt, a call with its output, an answer, and the totals.
fn codex_turn(turn: usize) -> String {
    let record = |second: usize, kind: &str, payload: Value| json!({"timestamp": time(turn, second), "type": kind, "payload": payload});
    let text = |role: &str, kind: &str, text: String| json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]});
    let call = format!("call_{turn:020}");
    let count = |times: usize| json!({"input_tokens": 100 * times, "output_tokens": 10 * times});
    lines(&[
        record(1, "turn_context", json!({"cwd": "/home/ada/tide", "model": "gpt-5"})),
        record(2, "response_item", text("user", "input_text", format!("How high is tide {turn}?"))),
        record(
            3,
            "response_item",
            json!({
                "type": "function_call", "call_id": call, "name": "shell", "arguments": "{}",
            }),
        ),
        record(
            4,
            "response_item",
            json!({
                "type": "function_call_output", "call_id": call, "output": "water ".repeat(2_500),
            }),
        ),
        record(5, "response_item", text("assistant", "output_text", format!("As {turn} says."))),
        record(
            6,
            "event_msg",
            json!({"type": "token_count", "info": {
                "total_token_usage": count(turn + 1), "last_token_usage": count(1),
            }}),
        ),
    ])
}

impl Client {
    /// Returns a session with so many turns, and a line in the middle and one near the end that nobody understands.
    fn session(self, turns: usize) -> String {
        let mut text = (self.head)();
        for turn in 0..turns {
            text.push_str(&(self.turn)(turn));
            if [TURNS / 2, TURNS + 3].contains(&turn) {
                text.push_str("{\"type\":\"no such kind\",\"payload\":{}}\n");
            }
        }
        text
    }

    /// Returns a home with a session that was imported.
    fn imported(self, text: &str) -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.write(self.path, text.as_bytes());
        let report = sandbox.import([self.name]);
        assert_eq!(total(&report, "bytes_read"), text.len() as u64);
        assert_eq!(total(&report, "units_resumed"), 0);
        sandbox
    }

    /// Fails unless the store is as `fresh`, after a single import of the session.
    fn assert_whole(self, sandbox: &Sandbox, fresh: &Sandbox, text: &str, what: &str) {
        let what = format!("{}: {what}", self.name);
        assert_same_rows(&sandbox.all_rows(), &fresh.all_rows(), &what);
        for sql in [
            "select input_id, \"offset\", length, class, reason from quarantine order by 2",
            "select thread_id, title, first_at, last_at, messages, parts, cwd from sessions",
        ] {
            assert_eq!(sandbox.rows(sql), fresh.rows(sql), "{what}");
        }
        self.assert_accounted(sandbox, text);
    }

    /// Fails unless the ledger says of every byte of the session what became of it.
    fn assert_accounted(self, sandbox: &Sandbox, text: &str) {
        let output = sandbox.hyp([
            "query",
            "sql",
            "select * from inputs",
            "--format",
            "jsonl",
            "--max-cell",
            "0",
        ]);
        let input: Value = serde_json::from_str(&output.stdout).unwrap();
        let accounting: Value =
            serde_json::from_str(input["accounting"].as_str().unwrap()).unwrap();
        let sum: u64 =
            accounting.as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum();
        assert_eq!(sum, text.len() as u64, "{}: {accounting}", self.name);
        assert_eq!(input["bytes_read"], json!(text.len()), "{}", self.name);
    }
}

#[test]
fn a_session_that_grew_is_gone_on_with() {
    for client in CLIENTS {
        let mut text = client.session(TURNS);
        assert!(text.len() > 8 << 20, "{}", text.len());
        let sandbox = client.imported(&text);
        for turns in [TURNS + 2, TURNS + 5, TURNS + 150] {
            let before = text.len();
            text = client.session(turns);
            sandbox.write(client.path, text.as_bytes());
            let report = sandbox.import([client.name]);
            assert_eq!(total(&report, "units_resumed"), 1, "{report:#}");
            let read = total(&report, "bytes_read");
            let grown = (text.len() - before) as u64;
            assert!(read >= grown && read < grown + (2 << 20), "{read} for {grown}: {report:#}");
            let parts = report["providers"][0]["accounting"].as_object().unwrap().values();
            assert_eq!(parts.map(|bytes| bytes.as_u64().unwrap()).sum::<u64>(), read);
        }
        client.assert_whole(&sandbox, &client.imported(&text), &text, "grown three times");
        assert_eq!(total(&sandbox.import([client.name]), "bytes_read"), 0);
        let full = sandbox.import([client.name, "--full"]);
        assert_eq!(total(&full, "bytes_read"), text.len() as u64, "{full:#}");
        assert_eq!(total(&full, "rows_written"), 0, "{full:#}");
    }
}

#[test]
fn a_session_that_ended_anywhere_is_gone_on_with() {
    for client in CLIENTS {
        let whole = client.session(TURNS + 1);
        let last = client.session(TURNS).len();
        let ends: Vec<usize> =
            whole[last..].match_indices('\n').map(|(at, _)| last + at + 1).collect();
        let fresh = client.imported(&whole);
        // After each line of the last turn, and within one of them.
        for end in ends.into_iter().chain([last + 60]) {
            let sandbox = client.imported(&whole[..end]);
            sandbox.write(client.path, whole.as_bytes());
            let report = sandbox.import([client.name]);
            let resumed = u64::from(end < whole.len());
            assert_eq!(total(&report, "units_resumed"), resumed, "{report:#}");
            if end == last + 60 {
                // The line that was torn gave its bytes to a failure, and is one no longer.
                client.assert_accounted(&sandbox, &whole);
            }
            client.assert_whole(&sandbox, &fresh, &whole, &format!("ended at {}", end - last));
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "times of change are told from the clock")]
fn any_doubt_has_a_session_read_whole() {
    let client = CLIENTS[0];
    let text = client.session(TURNS);
    let longer = client.session(TURNS + 2);
    let edited = longer.replacen("How high is tide 0?", "How LOW is tide 0?!", 1);
    let near = |text: &str| text.replace(&format!("tide {}?", TURNS - 100), "tide of all tides?");
    let shorter = client.session(TURNS - 200);
    let cases = [
        ("a byte at the start", edited),
        ("lines were put in", near(&longer)),
        ("cut off", shorter),
        ("another file", client.session(TURNS + 9).replace("\"uuid\":\"", "\"uuid\":\"x")),
        ("nothing but its time", text.clone()),
    ];
    for (name, now) in cases {
        let sandbox = client.imported(&text);
        sandbox.write(client.path, now.as_bytes());
        let path = sandbox.home().join(client.path);
        let at = SystemTime::now() - Duration::from_secs(600);
        File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
        let report = sandbox.import([client.name]);
        assert_eq!(total(&report, "units_resumed"), 0, "{name}: {report:#}");
        assert_eq!(total(&report, "bytes_read"), now.len() as u64, "{name}: {report:#}");
        client.assert_accounted(&sandbox, &now);
        // What is gone from the file stays in the store; what is in the file is there.
        let found: Vec<String> = sandbox.rows("select part_id from ai_gateway_messages");
        let fresh = client.imported(&now).rows("select part_id from ai_gateway_messages");
        assert!(fresh.iter().all(|id| found.contains(id)), "{name}");
    }
}

#[test]
fn a_resumed_run_that_died_is_made_good_by_the_next() {
    let client = CLIENTS[0];
    let (text, longer) = (client.session(TURNS), client.session(TURNS + 3));
    let expected = client.imported(&longer).all_rows();
    // Before anything, within the transaction, and after it; `crash` has the others.
    let names = ["before_data_files", "in_catalog", "after_catalog"];
    assert!(names.iter().all(|name| failpoint::NAMES.contains(name)));
    for name in names {
        let mut sandbox = client.imported(&text);
        sandbox.write(client.path, longer.as_bytes());
        sandbox.set("HYP_FAILPOINT", &format!("{name}:abort"));
        sandbox.hyp(["backfill", client.name]);
        sandbox.set("HYP_FAILPOINT", "");
        sandbox.import([client.name]);
        assert_same_rows(&sandbox.all_rows(), &expected, name);
        client.assert_accounted(&sandbox, &longer);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "times of change are told from the clock")]
fn a_session_that_is_being_written_is_gone_on_with_even_where_nothing_came() {
    let client = CLIENTS[0];
    let text = client.session(TURNS);
    let sandbox = Sandbox::new();
    sandbox.write(client.path, text.as_bytes());
    let path = sandbox.home().join(client.path);
    // A time to come is as young as a time can be: it is never trusted.
    let soon = SystemTime::now() + Duration::from_secs(3600);
    File::options().write(true).open(path).unwrap().set_modified(soon).unwrap();
    sandbox.import([client.name]);
    let before = sandbox.all_rows();
    let again = sandbox.import([client.name]);
    assert_eq!(total(&again, "units_resumed"), 1, "{again:#}");
    assert!(total(&again, "bytes_read") < 2 << 20, "{again:#}");
    assert_eq!(total(&again, "rows_written"), 0, "{again:#}");
    assert_same_rows(&sandbox.all_rows(), &before, "read on without anything new");
    client.assert_accounted(&sandbox, &text);
}

#[test]
fn another_window_has_a_session_read_whole() {
    let client = CLIENTS[0];
    let (text, longer) = (client.session(TURNS), client.session(TURNS + 3));
    let sandbox = Sandbox::new();
    sandbox.write(client.path, text.as_bytes());
    sandbox.import([client.name, "--since", "2026-11-05T05:00:00Z"]);
    sandbox.write(client.path, longer.as_bytes());
    let report = sandbox.import([client.name, "--since", "2026-11-05T05:00:00Z"]);
    assert_eq!(total(&report, "units_resumed"), 1, "{report:#}");
    let report = sandbox.import([client.name]);
    assert_eq!(total(&report, "units_resumed"), 0, "{report:#}");
    client.assert_whole(&sandbox, &client.imported(&longer), &longer, "a wider window");
}
