//! `--progress json`: what a program that runs hyp is told, line by line. docs/embedding.md is the contract.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const IMPORT: [&str; 4] = ["backfill", "--json", "--progress", "json"];

fn events(stderr: &str) -> Vec<Value> {
    stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect()
}

/// Returns the events in short, without what differs from run to run.
fn outline(output: &Output) -> String {
    let mut lines = String::new();
    for mut event in events(&output.stderr) {
        let event = event.as_object_mut().unwrap();
        assert_eq!(event.remove("v"), Some(1.into()));
        if event.contains_key("run_id") {
            event["run_id"] = "[RUN]".into();
        }
        // How many steps there are, the number of workers decides.
        let is_step = event["event"] == "read" && event["bytes"] != event["total_bytes"];
        for size in ["bytes", "total_bytes"] {
            if let Some(size) = event.get_mut(size) {
                *size = "[BYTES]".into();
            }
        }
        if !is_step {
            lines.push_str(&format!("{}\n", serde_json::to_string(&event).unwrap()));
        }
    }
    lines
}

#[test]
fn an_import_is_told_from_start_to_end_and_the_report_stays_on_stdout() {
    let sandbox = Sandbox::with("sample");
    let output = sandbox.hyp(IMPORT);
    assert_eq!(output.status, Some(0), "{output}");
    insta::assert_snapshot!(outline(&output), @r#"
    {"dry_run":false,"event":"started","run_id":"[RUN]","since":null,"until":null}
    {"bytes":"[BYTES]","event":"discovered","files":5,"provider":"claude"}
    {"bytes":"[BYTES]","event":"read","provider":"claude","total_bytes":"[BYTES]"}
    {"event":"committed","provider":"claude","rows":26}
    {"event":"finished","provider":"claude","rows":26,"status":"ok"}
    {"bytes":"[BYTES]","event":"discovered","files":2,"provider":"codex"}
    {"bytes":"[BYTES]","event":"read","provider":"codex","total_bytes":"[BYTES]"}
    {"event":"committed","provider":"codex","rows":18}
    {"event":"finished","provider":"codex","rows":18,"status":"ok"}
    {"event":"ended","exit":0,"interrupted":false}
    "#);
    let (report, events) = (output.json(), events(&output.stderr));
    assert_eq!(events[0]["run_id"], report["run_id"]);
    let read = |provider: &str| {
        let read = events.iter().filter(|it| it["event"] == "read" && it["provider"] == provider);
        read.map(|it| it["bytes"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    for provider in ["claude", "codex"] {
        assert!(read(provider).is_sorted(), "bytes only grow: {:?}", read(provider));
    }
}

#[test]
fn a_window_is_told_as_it_was_understood() {
    let sandbox = Sandbox::with("sample");
    let args = ["--dry-run", "--since", "2026-10-01", "--until", "2026-10-31", "codex"];
    let output = sandbox.hyp(IMPORT.into_iter().chain(args));
    let started = events(&output.stderr).remove(0);
    assert_eq!(started["dry_run"], true, "{output}");
    assert_eq!(started["since"], "2026-10-01T00:00:00Z", "{output}");
    assert_eq!(started["until"], "2026-10-31T23:59:59.999999Z", "{output}");
}

#[test]
fn what_goes_wrong_is_an_event_with_a_code_and_the_exit() {
    let sandbox = Sandbox::with("sample");
    let with = |more: &[&'static str]| outline(&sandbox.hyp(IMPORT.iter().chain(more).copied()));
    insta::assert_snapshot!(with(&["--since", "soon"]), @r#"
    {"code":"hyp::usage","event":"error","help":null,"message":"--since expects a parseable date (got soon)"}
    {"event":"ended","exit":2,"interrupted":false}
    "#);
    insta::assert_snapshot!(with(&["nobody"]), @r#"
    {"dry_run":false,"event":"started","run_id":"[RUN]","since":null,"until":null}
    {"code":"hyp::backfill::unknown_provider","event":"error","help":"known are: agent-types, claude, codex, cursor, gemini, opencode, pi, qwen, registry-history, registry-reprobe, registry-state, test-suites","message":"unknown provider(s): nobody"}
    {"event":"ended","exit":1,"interrupted":false}
    "#);

    let project = sandbox.home().join(".claude/projects");
    fs::set_permissions(&project, fs::Permissions::from_mode(0o000)).unwrap();
    let output = sandbox.hyp_without_privilege(IMPORT);
    fs::set_permissions(&project, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(output.status, Some(1), "{output}");
    let told = outline(&output);
    assert!(told.contains(r#"{"error":"cannot list"#), "{told}");
    assert!(
        told.contains(r#""event":"finished","provider":"claude","rows":0,"status":"failed""#),
        "{told}"
    );
    assert!(
        told.contains(r#""event":"finished","provider":"codex","rows":18,"status":"ok""#),
        "{told}"
    );
    assert!(told.ends_with("{\"event\":\"ended\",\"exit\":1,\"interrupted\":false}\n"), "{told}");
}

#[test]
fn an_interrupt_is_told_and_the_next_import_goes_on() {
    let sandbox = Sandbox::with("sample");
    let mut child = sandbox.start_talking(IMPORT);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains(r#""event":"started""#), "{first}");
    // Nothing is compiled yet, so that nearly all of the run is left.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert_eq!(rest.last().unwrap(), r#"{"v":1,"event":"ended","exit":130,"interrupted":true}"#);
    sandbox.import([]);
    assert_eq!(sandbox.rows("select count(*) from ai_gateway_messages"), ["44"]);
}

#[test]
fn a_client_that_no_provider_reads_is_a_warning() {
    let sandbox = Sandbox::with("sample");
    fs::create_dir(sandbox.store()).unwrap();
    let config = "version = 1\n[import]\nclients = [\"codex\", \"gone\"]\n";
    fs::write(sandbox.store().join("config.toml"), config).unwrap();
    let output = sandbox.hyp(IMPORT);
    assert_eq!(output.status, Some(0), "{output}");
    let warning = r#"{"event":"warning","message":"no provider reads it","provider":"gone"}"#;
    assert!(outline(&output).contains(warning), "{output}");
}

/// Writes sessions of Claude Code, each a little older than the one before.
#[expect(clippy::disallowed_methods, reason = "times of change are told from the clock")]
fn write_long_history(sandbox: &Sandbox, sessions: u64) {
    let now = SystemTime::now();
    for session in 0..sessions {
        let mut lines = String::new();
        for line in 0..40 {
            let text =
                format!("session {session} line {line} {}", "of a long history ".repeat(120));
            let record = serde_json::json!({
                "type": "user", "userType": "external", "entrypoint": "cli", "isSidechain": false,
                "sessionId": format!("00000000-0000-4000-8000-{session:012}"),
                "uuid": format!("00000000-0000-4000-8000-{session:06}{line:06}"),
                "cwd": "/home/ada/tide-tables", "version": "2.1.329",
                "timestamp": format!("2026-05-01T10:00:{line:02}.000Z"),
                "message": { "role": "user", "content": text },
            });
            lines.push_str(&format!("{record}\n"));
        }
        let below = format!(".claude/projects/-home-ada-tide-tables/session-{session}.jsonl");
        sandbox.write(&below, lines.as_bytes());
        let file = fs::File::options().write(true).open(sandbox.home().join(below)).unwrap();
        file.set_modified(now - Duration::from_secs(3600 * (session + 1))).unwrap();
    }
}

#[test]
fn the_newest_rows_can_be_queried_while_most_of_a_history_is_unread() {
    const SESSIONS: u64 = 60;
    let sandbox = Sandbox::new();
    write_long_history(&sandbox, SESSIONS);
    let mut child = sandbox.start_talking(IMPORT);
    let (mut read, mut total) = (0, 0);
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["event"].as_str().unwrap() {
            "read" => read = event["bytes"].as_u64().unwrap(),
            "discovered" => total = event["bytes"].as_u64().unwrap(),
            "committed" => break,
            _ => {}
        }
    }
    // How much comes before the first commit is a matter of bytes, not of the history's size.
    assert!(total > 5_000_000 && read < total / 5, "{read} of {total} were read first");
    let newest = "select count(*) > 0 from ai_gateway_messages
                  where session_id = '00000000-0000-4000-8000-000000000000'";
    assert_eq!(sandbox.rows(newest), ["true"]);
    child.wait().unwrap();
    sandbox.import([]);
    let all = "select count(*), count(distinct session_id) from ai_gateway_messages";
    assert_eq!(sandbox.rows(all), [format!("{},{SESSIONS}", SESSIONS * 40)]);
}
