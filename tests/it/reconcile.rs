//! What is stored against what the clients counted themselves.

use serde_json::{Value, json};

use crate::lines::codex;
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

/// Writes the thread.
fn thread(sandbox: &Sandbox, answers: u32, total: (u64, u64)) {
    let path = format!("sessions/2026/03/01/rollout-2026-03-01T10-00-00-{THREAD}.jsonl");
    codex(sandbox, &path, THREAD, answers, total);
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
    thread(&sandbox, 3, (30, 6));
    sandbox.import([]);
    assert_eq!(verdict(&sandbox, THREAD), is("PASS", "thread"));

    thread(&sandbox, 3, (31, 6));
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

/// What stands in a transcript of Claude Code.
enum Line {
    Prompt,
    /// An answer, with its output tokens.
    Answer(u64),
    Interrupted(u64),
    /// The client's total, of answers with these output tokens.
    Total(&'static [u64]),
}

/// Imports a session of Claude Code and returns how it fared.
fn session(lines: &[Line]) -> (String, Option<String>) {
    const SESSION: &str = "5e551047-0000-4000-8000-000000000001";
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let uuid = format!("{at:08}-0000-4000-8000-000000000000");
        let parent = at.checked_sub(1).map(|at| format!("{at:08}-0000-4000-8000-000000000000"));
        let head = json!({ "uuid": uuid, "parentUuid": parent, "sessionId": SESSION, "cwd": "/home/ada/engine",
            "version": "2.1.329", "timestamp": format!("2026-03-01T10:{at:02}:00.000Z") });
        let answer = |output: &u64, more: Value| {
            let (id, words) = (format!("msg_{at}"), [json!({ "type": "text", "text": "words" })]);
            let usage = json!({ "input_tokens": 5, "output_tokens": output });
            let message = json!({ "id": id, "type": "message", "role": "assistant", "model": "claude-opus-4-6",
                "content": words, "usage": usage, "stop_reason": more["stop_reason"] });
            json!({ "type": "assistant", "message": message,
                "isAbortedMidStream": more["isAbortedMidStream"] })
        };
        let own = match line {
            Line::Prompt => {
                json!({ "type": "user", "message": { "role": "user", "content": "go on" } })
            }
            Line::Answer(output) => answer(output, json!({ "stop_reason": "end_turn" })),
            Line::Interrupted(output) => answer(output, json!({ "isAbortedMidStream": true })),
            Line::Total(outputs) => {
                let counted = json!({ "inputTokens": 5 * outputs.len(), "cacheReadInputTokens": 0,
                    "outputTokens": outputs.iter().sum::<u64>(), "cacheCreationInputTokens": 0 });
                let total = json!({ "type": "cost-state", "sessionId": SESSION,
                    "modelUsage": { "claude-opus-4-6": counted } });
                text.push_str(&format!("{total}\n"));
                continue;
            }
        };
        let mut whole = head.as_object().unwrap().clone();
        whole.extend(own.as_object().unwrap().clone());
        whole.retain(|name, value| name == "parentUuid" || !value.is_null());
        text.push_str(&format!("{}\n", Value::Object(whole)));
    }
    let sandbox = Sandbox::new();
    let path = format!(".claude/projects/-home-ada-engine/{SESSION}.jsonl");
    sandbox.write(&path, text.as_bytes());
    sandbox.import([]);
    verdict(&sandbox, SESSION)
}

#[test]
fn what_several_processes_did_not_count_is_told_from_a_mistake() {
    use Line::{Answer, Interrupted, Prompt, Total};
    let behind = is("UNPROVABLE", "counter_behind");
    // One answer was interrupted, and another one came since the last total.
    let lines = [Prompt, Answer(11), Prompt, Interrupted(1), Prompt, Answer(12), Total(&[11, 12])];
    assert_eq!(session(&lines), is("UNPROVABLE", "interrupted_responses"));
    let lines: Vec<Line> = lines.into_iter().chain([Prompt, Answer(13)]).collect();
    assert_eq!(session(&lines), behind);
    // An older version began, and a newer one still runs.
    let lines = [Prompt, Answer(11), Prompt, Answer(12), Total(&[12]), Prompt, Answer(13)];
    assert_eq!(session(&lines), behind);
    // Two processes died.
    let turns = || (11..=15).flat_map(|output| [Prompt, Answer(output)]);
    let with = |total| turns().chain([total]).collect::<Vec<_>>();
    assert_eq!(session(&with(Total(&[11, 13, 15]))), behind);
    // No turns add up to this.
    assert_eq!(session(&with(Total(&[11, 13, 19]))).0, "FAIL");
    // Within one turn none is left out.
    let lines = [Prompt, Answer(11), Answer(12), Answer(14), Total(&[11, 14])];
    assert_eq!(session(&lines).0, "FAIL");
}

#[test]
fn a_window_cannot_be_proved() {
    let sandbox = Sandbox::new();
    thread(&sandbox, 3, (30, 6));
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
