//! What is stored against what the clients counted themselves.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const THREAD: &str = "019a7798-3179-7677-b54e-498dafd47fb0";

/// Returns how one thread fared: status, then basis or cause.
fn verdict(sandbox: &Sandbox, thread: &str) -> (String, Option<String>) {
    let report = sandbox.hyp(["reconcile", "--json"]).json();
    let threads = report["threads"].as_array().unwrap();
    let found = threads.iter().find(|line| line["thread_id"] == thread).unwrap();
    let word = |name: &str| found[name].as_str().map(str::to_owned);
    (word("status").unwrap(), word("cause").or_else(|| word("basis")))
}

fn is(status: &str, why: &str) -> (String, Option<String>) {
    (status.to_owned(), Some(why.to_owned()))
}

/// A Codex thread with an answer a minute, each of 10 tokens in and 2 out, whose last count says `total`.
fn codex(sandbox: &Sandbox, answers: u32, total: (u64, u64)) {
    let line = |minute: u32, kind: &str, payload: Value| {
        let at = format!("2026-03-01T10:{minute:02}:00.000Z");
        json!({"timestamp": at, "type": kind, "payload": payload}).to_string() + "\n"
    };
    let header = json!({"id": THREAD, "timestamp": "2026-03-01T10:00:00.000Z", "cwd": "/home/ada/tides",
        "originator": "codex_cli_rs", "cli_version": "0.120.0", "source": "cli"});
    let mut text = line(0, "session_meta", header);
    for answer in 1..=answers {
        let content = json!([{"type": "output_text", "text": format!("Answer {answer}.")}]);
        let id = format!("msg_{answer:048}");
        let message = json!({"type": "message", "role": "assistant", "content": content, "id": id});
        text.push_str(&line(answer, "response_item", message));
        let (input, output) =
            if answer == answers { total } else { (u64::from(answer) * 10, u64::from(answer) * 2) };
        let usage = |input, output| {
            json!({"input_tokens": input, "cached_input_tokens": 0,
            "output_tokens": output, "reasoning_output_tokens": 0, "total_tokens": input + output})
        };
        let info =
            json!({"total_token_usage": usage(input, output), "last_token_usage": usage(10, 2)});
        let count = json!({"type": "token_count", "info": info, "rate_limits": null});
        text.push_str(&line(answer, "event_msg", count));
    }
    let path = format!(".codex/sessions/2026/03/01/rollout-2026-03-01T10-00-00-{THREAD}.jsonl");
    sandbox.write(&path, text.as_bytes());
}

#[test]
fn totals_that_agree_pass_and_where_there_are_none_nothing_is_proved() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let output = sandbox.hyp(["reconcile"]);
    assert_eq!(output.status, Some(0), "{output}");
    let last: Vec<_> = output.stdout.lines().rev().take(2).collect();
    assert_eq!(last[1], "2 pass, 0 fail, 4 unprovable", "{output}");
    assert_eq!(last[0], "      4 no_counter: the client wrote no total of it");

    let codex = sandbox.hyp(["reconcile", "codex"]);
    assert!(codex.stdout.ends_with("2 pass, 0 fail, 0 unprovable\n"), "{codex}");
    let unknown = sandbox.hyp(["reconcile", "cursor"]);
    assert_eq!(unknown.status, Some(1));
    assert_eq!(
        unknown.stderr,
        "hyp reconcile: nothing of `cursor` is stored; stored: claude, codex\n"
    );
}

#[test]
fn a_total_that_does_not_agree_fails_and_says_by_how_much() {
    let sandbox = Sandbox::new();
    codex(&sandbox, 3, (30, 6));
    sandbox.import([]);
    assert_eq!(verdict(&sandbox, THREAD), is("PASS", "thread"));

    codex(&sandbox, 3, (31, 6));
    sandbox.import(["--full"]);
    let output = sandbox.hyp(["reconcile"]);
    assert_eq!(output.status, Some(1), "{output}");
    insta::assert_snapshot!(output, @r"
    exit: 1
    -- stdout
    FAIL        codex     019a7798-3179-7677-b54e-498dafd47fb0
                input_tokens: 30 stored, 31 counted by the client (-1)
    0 pass, 1 fail, 0 unprovable
    ");
}

#[test]
fn a_window_cannot_be_proved() {
    let sandbox = Sandbox::new();
    codex(&sandbox, 3, (30, 6));
    sandbox.import(["--since", "2026-03-01T10:02:00Z"]);
    assert_eq!(verdict(&sandbox, THREAD), is("UNPROVABLE", "partial_import"));
    sandbox.import([]);
    assert_eq!(verdict(&sandbox, THREAD), is("PASS", "thread"));
}

#[test]
fn without_a_store_the_way_to_one_is_said() {
    let output = Sandbox::new().hyp(["reconcile"]);
    assert_eq!(output.status, Some(1));
    assert!(output.stderr.contains("help: run `hyp backfill` to make one"), "{output}");
}
