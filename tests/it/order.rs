//! The store is the same whatever came first, and however many runs it took.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{Sandbox, assert_same_rows, files, fixtures, total};

/// The recordings of the sample, below its home.
///
/// What lies beside a sub-agent's transcript belongs to it, and comes with it.
fn sample() -> Vec<String> {
    let from = fixtures().join("homes/sample");
    let below = |path: &PathBuf| path.strip_prefix(&from).unwrap().to_str().unwrap().to_owned();
    files(&from).iter().map(below).filter(|below| below.ends_with(".jsonl")).collect()
}

fn imported_at_once() -> Vec<String> {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox.all_rows()
}

fn imported_one_by_one(order: impl Iterator<Item = String>) -> Vec<String> {
    let sandbox = Sandbox::new();
    for file in order {
        let stem = file.trim_end_matches(".jsonl");
        sandbox.add("sample", |below| below == file || below == format!("{stem}.meta.json"));
        sandbox.import([]);
    }
    sandbox.all_rows()
}

#[test]
fn a_file_a_run_gives_the_rows_of_one_run() {
    assert_same_rows(&imported_one_by_one(sample().into_iter()), &imported_at_once(), "in order");
}

#[test]
fn the_last_file_first_gives_the_rows_of_one_run() {
    let reversed = imported_one_by_one(sample().into_iter().rev());
    assert_same_rows(&reversed, &imported_at_once(), "reversed");
}

#[test]
fn a_fork_that_came_before_its_original_hands_the_rows_over() {
    const FORK: &str = "eed2879d";
    let sandbox = Sandbox::new();
    sandbox.add("sample", |below| below.contains(FORK));
    sandbox.import([]);
    let count = "select count(*), count(distinct session_id) from ai_gateway_messages";
    let alone = sandbox.rows(count);
    assert_eq!(alone.len(), 1);
    assert!(alone[0].ends_with(",1"), "{alone:?}");

    sandbox.add("sample", |below| below.contains("tide-tables"));
    sandbox.import([]);
    let owner = sandbox.rows(
        "select count(distinct part_id) = count(*), count(distinct session_id) from ai_gateway_messages",
    );
    assert_eq!(owner, ["true,2"]);
    let at_once = Sandbox::new();
    at_once.add("sample", |below| below.contains("tide-tables"));
    at_once.import([]);
    assert_same_rows(&sandbox.all_rows(), &at_once.all_rows(), "fork first and both at once");
}

#[test]
fn one_provider_at_a_time_gives_the_rows_of_both() {
    let sandbox = Sandbox::with("sample");
    sandbox.import(["codex"]);
    sandbox.import(["claude"]);
    assert_same_rows(&sandbox.all_rows(), &imported_at_once(), "codex, then claude");
}

#[test]
fn two_homes_with_the_same_history_give_it_once() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let before = sandbox.all_rows();
    let copy = Sandbox::with("sample");
    sandbox.import(["--history-home", copy.home().to_str().unwrap()]);
    assert_same_rows(&sandbox.all_rows(), &before, "a copied home");
}

#[test]
fn a_session_in_two_folders_is_told_by_one_of_them_whichever_came_first() {
    const SESSION: &str = "ddaf126d-3279-4c16-a191-59a55ac5e5f3.jsonl";
    let folder = fixtures().join("homes/sample/.claude/projects/-home-ada-weather-station");
    let text = fs::read(folder.join(SESSION)).unwrap();
    let half = text.len() / 2;
    let half = text[..half].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let recordings = [("-home-ada-weather", &text[..half]), ("-home-ada-gauge", &text[..])];
    let path = |folder: &str| format!(".claude/projects/{folder}/{SESSION}");
    let mut tables = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let sandbox = Sandbox::new();
        for (folder, text) in order.map(|at| recordings[at]) {
            sandbox.write(&path(folder), text);
            sandbox.import([]);
        }
        tables.push(sandbox);
    }
    let at_once = Sandbox::new();
    recordings.iter().for_each(|(folder, text)| at_once.write(&path(folder), text));
    at_once.import([]);
    tables.push(at_once);
    // Where a recording lies is noted once: a session that is moved is no other one.
    let rows = |sandbox: &Sandbox| {
        sandbox
            .rows("select * exclude (run_id, attributes) from ai_gateway_messages order by part_id")
    };
    for sandbox in &tables {
        assert_eq!(rows(sandbox), rows(&tables[0]));
        for _ in 0..3 {
            assert_eq!(total(&sandbox.import(["--full"]), "rows_written"), 0);
        }
    }
}

#[test]
fn a_recording_that_turns_out_to_be_a_copy_is_read_again_in_the_same_run() {
    // A fork of a fork, its ids sorted against its line, and nothing but the middle one says what it is.
    const IDS: [&str; 3] = [
        "cccccccc-0000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-000000000002",
        "bbbbbbbb-0000-4000-8000-000000000003",
    ];
    let line = |session: &str, number: usize, origin: Option<&str>| {
        let parent =
            number.checked_sub(1).map_or("null".to_owned(), |it| format!(r#""line-{it}""#));
        let (kind, said) = match number % 2 {
            0 => ("user", format!(r#"{{"role":"user","content":"Question {number}?"}}"#)),
            _ => (
                "assistant",
                format!(
                    r#"{{"id":"msg_01Answer{number:012}","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{{"type":"text","text":"Answer {number}"}}],"stop_reason":"end_turn","usage":{{"input_tokens":3,"output_tokens":5}}}}"#
                ),
            ),
        };
        let from = origin.map_or(String::new(), |origin| {
            format!(r#","forkedFrom":{{"sessionId":"{origin}","messageUuid":"line-{number}"}}"#)
        });
        format!(
            r#"{{"parentUuid":{parent},"isSidechain":false,"userType":"external","cwd":"/home/ada/engine","sessionId":"{session}","version":"2.1.20","type":"{kind}","message":{said},"uuid":"line-{number}","timestamp":"2026-02-01T10:00:{number:02}.000Z"{from}}}"#
        ) + "\n"
    };
    let recording = |at: usize| -> String {
        (0..4 + 2 * at)
            .map(|number| line(IDS[at], number, Some(IDS[0]).filter(|_| at == 1 && number < 4)))
            .collect()
    };
    let path = |at: usize| format!(".claude/projects/-home-ada-engine/{}.jsonl", IDS[at]);
    let at_once = Sandbox::new();
    (0..3).for_each(|at| at_once.write(&path(at), recording(at).as_bytes()));
    at_once.import([]);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let sandbox = Sandbox::new();
        for at in order {
            sandbox.write(&path(at), recording(at).as_bytes());
            sandbox.import([]);
        }
        assert_same_rows(&sandbox.all_rows(), &at_once.all_rows(), &format!("{order:?}"));
        assert_eq!(total(&sandbox.import([]), "rows_written"), 0, "{order:?}");
    }
}

/// Imports the sessions of a fixture one by one, in either order, and says whose the prompts are, by the session's last digit.
#[track_caller]
fn assert_owners(fixture: &str, expected: &[&str]) {
    let all = files(&fixtures().join(format!("claude/{fixture}/in/projects")));
    let path = |file: &Path| {
        format!(".claude/projects/-home-ada-engine/{}", file.file_name().unwrap().to_str().unwrap())
    };
    let owners = "select distinct right(session_id, 1) || ' ' || content_text from ai_gateway_messages \
                  where role = 'user' order by 1";
    for is_reversed in [false, true] {
        let mut order = all.clone();
        if is_reversed {
            order.reverse();
        }
        let sandbox = Sandbox::new();
        for file in order {
            sandbox.write(&path(&file), &fs::read(&file).unwrap());
            sandbox.import([]);
        }
        assert_eq!(sandbox.rows(owners), expected, "{is_reversed}");
        assert_eq!(total(&sandbox.import(["--full"]), "rows_written"), 0);
    }
}

/// The session of another client that the fixture names.
const TAKEN_OVER: &str = "5e551047-0000-4000-8000-000000000186";

#[test]
fn what_a_client_took_over_from_another_is_a_copy_as_long_as_that_one_is_stored() {
    let sandbox = Sandbox::new();
    let case = fixtures().join("codex/history_of_another_client_was_taken_over/in");
    for file in files(&case) {
        let below = file.strip_prefix(&case).unwrap().to_str().unwrap();
        let below = below.replace("session_imports", "external_agent_session_imports.json");
        sandbox.write(&format!(".codex/{below}"), &fs::read(&file).unwrap());
    }
    let said = "select client_name, count(*) from messages group by 1 order by 1";
    sandbox.import([]);
    assert_eq!(sandbox.rows(said), ["codex,6"], "it has the only copy");

    let line = |uuid: &str, text: &str| {
        format!(
            r#"{{"parentUuid":null,"isSidechain":false,"cwd":"/w","sessionId":"{TAKEN_OVER}","version":"2.1.200","type":"user","uuid":"{uuid}","timestamp":"2026-02-02T02:40:00.000Z","message":{{"role":"user","content":"{text}"}}}}"#
        ) + "\n"
    };
    let transcript = line("u1", "What is a tide?") + &line("u2", "And an ebb?");
    let below = format!(".claude/projects/-w/{TAKEN_OVER}.jsonl");
    sandbox.write(&below, transcript.as_bytes());
    sandbox.import([]);
    assert_eq!(sandbox.rows(said), ["claude,2", "codex,2"]);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 0);
}

#[test]
fn a_fork_that_says_nothing_is_told_by_what_it_cannot_have_copied() {
    assert_owners(
        "fork_in_a_terminal_says_nothing",
        &[
            "1 Question t3?",
            "2 Question s2?",
            "3 Question p3?",
            "7 Question p1?",
            "7 Question p2?",
            "8 Question s1?",
            "9 Question t1?",
            "9 Question t2?",
        ],
    );
}

#[test]
fn a_session_whose_first_answer_stands_before_its_prompt_is_the_origin_of_its_forks() {
    assert_owners(
        "answer_before_its_prompt",
        &[
            "1 Question t2?",
            "2 Question s2?",
            "3 Question p3?",
            "4 Question h3?",
            "5 Question h2?",
            "6 Question h1?",
            "7 Question p1?",
            "7 Question p2?",
            "8 Question s1?",
            "9 Question t1?",
        ],
    );
}

/// Files, each with where it lies.
type Files = Vec<(String, Vec<u8>)>;

/// The files of a client's fixtures, by fixture.
fn recordings(client: &str) -> Vec<(String, Files)> {
    let below =
        |path: &Path, of: &Path| path.strip_prefix(of).unwrap().to_str().unwrap().to_owned();
    let all = fixtures().join(client);
    let folders = fs::read_dir(&all).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = folders
        .filter(|folder| folder.is_dir())
        .map(|folder| {
            let recorded = folder.join("in");
            let files = files(&recorded).into_iter();
            let files = files.map(|file| (below(&file, &recorded), fs::read(&file).unwrap()));
            (below(&folder, &all), files.collect())
        })
        .collect();
    fixtures.sort();
    fixtures
}

/// Imports recordings while they grow by a line a time, and at once, and compares; returns how many rows they give.
fn grow(recordings: &Files, what: &str) -> usize {
    let first = |content: &[u8], lines: usize| -> Vec<u8> {
        content.split_inclusive(|byte| *byte == b'\n').take(lines).flatten().copied().collect()
    };
    let longest = recordings.iter().map(|(_, content)| content.split(|it| *it == b'\n').count());
    let (grown, at_once) = (Sandbox::new(), Sandbox::new());
    for lines in 1..=longest.max().unwrap() {
        let mut is_new = false;
        for (below, content) in recordings {
            let (before, now) = (first(content, lines - 1), first(content, lines));
            if before != now {
                let is_lined = below.ends_with(".jsonl");
                grown.write(below, if is_lined { &now } else { content });
                is_new = true;
            }
        }
        if is_new {
            // Some have nothing yet that is understood, or never will.
            let output = grown.hyp(["backfill"]);
            assert!(matches!(output.status, Some(0 | 1)), "{what}, {lines} lines: {output}");
        }
    }
    recordings.iter().for_each(|(below, content)| at_once.write(below, content));
    let output = at_once.hyp(["backfill"]);
    assert!(matches!(output.status, Some(0 | 1)), "{what}: {output}");
    let expected = at_once.all_rows();
    assert_same_rows(&grown.all_rows(), &expected, what);
    expected.len()
}

#[test]
fn recordings_of_codex_that_are_read_line_by_line_give_the_rows_of_reading_them_at_once() {
    let mut all = Vec::new();
    for (fixture, files) in recordings("codex") {
        let place = |below: String| format!(".codex/sessions/{fixture}/{below}");
        all.extend(files.into_iter().map(|(below, content)| (place(below), content)));
    }
    assert!(grow(&all, "codex") > 300);
}

#[test]
fn recordings_of_claude_that_are_read_line_by_line_give_the_rows_of_reading_them_at_once() {
    let mut rows = 0;
    for (fixture, files) in recordings("claude") {
        // Sessions of different fixtures have the same ids: each has a home of its own.
        let place = |below: String| format!(".claude/{below}");
        let files: Vec<_> =
            files.into_iter().map(|(below, content)| (place(below), content)).collect();
        rows += grow(&files, &fixture);
    }
    assert!(rows > 150, "{rows}");
}
