//! Sessions found, shown and searched.

use serde_json::Value;

use crate::lines::Claude;
use crate::sandbox::Sandbox;

const FIRST: &str = "11111111-0000-4000-8000-000000000001";
const SECOND: &str = "22222222-0000-4000-8000-000000000002";

/// A session with a call and a sub-agent, and a fork of its beginning.
fn imported() -> Sandbox {
    let sandbox = Sandbox::new();
    let start = |session| {
        Claude::new(session).says("u-1", "How high is the spring tide?").runs(
            "a-1",
            "msg_01LooksIntoTheFile",
            "sort tides.csv",
            "Granville 13.42\nBrest 7\n",
        )
    };
    let first =
        start(FIRST).answers("a-2", "msg_01AnswersTheQuestion", "13.42 m, at `Granville`.", 7);
    first.write(&sandbox);
    Claude::subagent(FIRST, "a41c9e07")
        .at(1)
        .says("s-1", "Look at \u{1b}[31mall harbours.")
        .write(&sandbox);
    start(SECOND).at(30).says("u-2", "And the neap tide?").write(&sandbox);
    sandbox.import([]);
    sandbox
}

#[test]
fn a_session_reads_like_a_conversation() {
    let sandbox = imported();
    insta::assert_snapshot!(sandbox.hyp(["show", "1111"]), @r#"
    exit: 0
    -- stdout
    How high is the spring tide?
      ▸ session 11111111-0000-4000-8000-000000000001 · claude
      ▸ 2026-10-02 19:00 to 2026-10-02 19:03 · 4 messages · 232 tokens · /home/ada/tide-tables

    ── you · 2026-10-02 19:00
    How high is the spring tide?

    ── claude-sonnet-4-6 · 2026-10-02 19:01
      → Bash  {"command":"sort tides.csv"}
      ▸ subagent, 1 message: hyp show 11111111-0000-4000-8000-000000000001/agent-a41c9e07
      ← Bash  Granville 13.42 (+1 line)
    13.42 m, at `Granville`.
    "#);
}

#[test]
fn a_session_that_went_on_in_another_folder_reads_from_its_beginning() {
    // The second recording counts its messages anew, with and without the end of the first.
    for repeats in [false, true] {
        let sandbox = Sandbox::new();
        let end = |it: Claude| it.says("u-2", "And at neap?").answers("a-2", "msg_02", "7 m.", 3);
        let first =
            Claude::new(FIRST).says("u-1", "How high?").answers("a-1", "msg_01", "13 m.", 3);
        end(first).write_to("-home-ada-tide-tables", &sandbox);
        let second = Claude::new(FIRST);
        let second = if repeats { end(second.at(2)) } else { second.at(4) };
        second
            .says("u-3", "And at slack?")
            .answers("a-3", "msg_03", "It is still.", 3)
            .write_to("-home-ada-harbours", &sandbox);
        sandbox.import([]);
        let shown = sandbox.hyp(["show", FIRST, "--json"]).json();
        let texts = shown["messages"].as_array().unwrap().iter();
        let texts: Vec<&str> = texts.map(|it| it["parts"][0]["text"].as_str().unwrap()).collect();
        let expected =
            ["How high?", "13 m.", "And at neap?", "7 m.", "And at slack?", "It is still."];
        assert_eq!(texts, expected, "repeats: {repeats}");
    }
}

#[test]
fn a_fork_has_what_it_shares_in_its_place() {
    let sandbox = imported();
    let output = sandbox.hyp(["show", SECOND]);
    let text = &output.stdout;
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {output}"));
    assert!(at("How high is the spring tide?\n  ") < at("→ Bash"));
    let until = format!("▸ until here shared with another session: hyp show {FIRST}");
    assert!(at("← Bash") < at(&until));
    assert!(at(&until) < at("And the neap tide?"));

    let shown = sandbox.hyp(["show", SECOND, "--json"]).json();
    let messages = shown["messages"].as_array().unwrap();
    let shared: Vec<_> = messages.iter().map(|message| message["shared_with"].as_str()).collect();
    assert_eq!(shared, [Some(FIRST), Some(FIRST), Some(FIRST), None], "{shown:#}");
}

#[test]
fn all_of_it_can_be_shown_and_as_markdown() {
    let sandbox = imported();
    let full = sandbox.hyp(["show", "1111", "--full"]).stdout;
    assert!(full.contains("  ← Bash\n    Granville 13.42\n    Brest 7\n"), "{full}");
    let markdown = sandbox.hyp(["show", "1111", "--full", "--format", "markdown"]).stdout;
    assert!(markdown.starts_with("# How high is the spring tide?\n"), "{markdown}");
    assert!(markdown.contains("← Bash\n\n```\nGranville 13.42\nBrest 7\n```\n"), "{markdown}");
    assert!(!markdown.contains("\n\n\n"), "{markdown}");
}

#[test]
fn a_subagent_is_shown_by_its_own_id_without_escapes() {
    let sandbox = imported();
    for id in ["agent-a41c", &format!("{FIRST}/agent-a41c9e07")] {
        let output = sandbox.hyp(["show", id]);
        assert!(output.stdout.contains("Look at \\u{1b}[31mall harbours."), "{output}");
        assert!(!output.stdout.contains('\u{1b}'));
    }
}

#[test]
fn an_id_that_is_none_or_several_is_told_in_one_line() {
    let sandbox = imported();
    let said = |id: &str| {
        let output = sandbox.hyp(["show", id]);
        assert_eq!(output.status, Some(1), "{output}");
        output.stderr
    };
    assert_eq!(said("9"), "hyp show: no session begins with `9`; `hyp sessions` lists them\n");
    Claude::new("11112222-0000-4000-8000-000000000003").says("w-1", "Wind?").write(&sandbox);
    sandbox.import([]);
    assert!(said("1111").starts_with("hyp show: 2 sessions begin with `1111`: 11111111-"));
}

#[test]
fn sessions_are_found_by_folder_client_time_and_words() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let list = |args: &[&str]| -> Vec<String> {
        let output = sandbox.hyp(["sessions", "--json"].into_iter().chain(args.iter().copied()));
        assert_eq!(output.status, Some(0), "{output}");
        let sessions = output.json()["sessions"].as_array().unwrap().clone();
        sessions.iter().map(|it| it["session_id"].as_str().unwrap()[..8].to_owned()).collect()
    };
    assert_eq!(list(&["--repo", "WEATHER", "--client", "claude"]), ["ddaf126d"]);
    assert_eq!(list(&["--client", "codex"]), ["019a9e78", "019a0f38"]);
    assert_eq!(list(&["--since", "2026-10-03", "--until", "2026-10-31"]), ["eed2879d"]);
    assert_eq!(list(&["--search", "rain GAUGE"]), ["ddaf126d"]);
    assert_eq!(list(&["--search", "13_42"]), [] as [&str; 0], "no wildcards");
    assert_eq!(list(&["--repo", "it's"]), [] as [&str; 0]);
    let wrong = sandbox.hyp(["sessions", "--since", "soon"]);
    assert_eq!((wrong.status, wrong.stdout.as_str()), (Some(2), ""), "{wrong}");
}

#[test]
fn a_client_that_is_not_stored_is_told_instead_of_nothing() {
    let sandbox = imported();
    let file = sandbox.home().join("x.csv");
    let commands: [&[&str]; 5] = [
        &["sessions"],
        &["search", "tide"],
        &["query", "overview"],
        &["report", "--output", "x.html"],
        &["export", "-o", file.to_str().unwrap()],
    ];
    for command in commands {
        let output = sandbox.hyp(command.iter().copied().chain(["--client", "nosuch"]));
        assert_eq!(output.status, Some(1), "{output}");
        let told = "nothing of `nosuch` is stored; stored: claude";
        assert!(output.stderr.contains(told), "{output}");
    }
    assert!(!file.exists());
}

#[test]
fn what_was_said_is_found_with_its_surroundings_and_the_way_to_it() {
    let sandbox = imported();
    let output = sandbox.hyp(["search", "NEAP tide"]);
    insta::assert_snapshot!(output, @"
    exit: 0
    -- stdout
    claude  And the neap tide?
      2026-10-02 19:30  user: And the neap tide?
      hyp show 22222222-0000-4000-8000-000000000002
    ");
    let hits = |args: &[&str]| -> Vec<Value> {
        let output = sandbox.hyp(["search", "--json"].into_iter().chain(args.iter().copied()));
        assert_eq!(output.status, Some(0), "{output}");
        output.json()["hits"].as_array().unwrap().clone()
    };
    let calls = hits(&["tides.csv"]);
    assert_eq!(calls.len(), 1, "a part that two threads hold is found once: {calls:#?}");
    assert_eq!(calls[0]["found"], "tides.csv");
    assert_eq!(calls[0]["tool_name"], "Bash");
    let tides = hits(&["--regex", "(spring|neap)\\s+tide"]);
    let found: Vec<_> = tides.iter().map(|hit| hit["found"].as_str().unwrap()).collect();
    assert_eq!(found, ["neap tide", "spring tide"]);
    assert_eq!(hits(&["--client", "claude", "neap tide"]).len(), 1);
    assert!(hits(&["--since", "2026-10-03", "neap tide"]).is_empty());
    assert!(hits(&["100%"]).is_empty(), "no wildcards");
}

#[test]
fn copies_are_not_found_again_and_no_hit_is_no_failure() {
    let sandbox = Sandbox::new();
    let answer = "msg_01AnswerThatBothHold";
    for (session, ids) in [(FIRST, ["a-1", "a-2"]), (SECOND, ["b-1", "b-2"])] {
        Claude::old(session)
            .says(ids[0], "How high?")
            .answers(ids[1], answer, "Nine metres.", 7)
            .write(&sandbox);
    }
    sandbox.import([]);
    let hits = sandbox.hyp(["search", "--json", "nine metres"]).json();
    assert_eq!(hits["hits"].as_array().unwrap().len(), 1, "{hits:#}");
    let none = sandbox.hyp(["search", "ten metres"]);
    assert_eq!((none.status, none.stdout.as_str()), (Some(0), ""), "{none}");
    assert_eq!(none.stderr, "nothing found\n");
    let wrong = sandbox.hyp(["search", "--regex", "("]);
    assert_eq!(wrong.status, Some(2));
    assert_eq!(wrong.stderr, "hyp search: --regex expects a regular expression (got ()\n");
}
