//! `hyp init` and `hyp` alone: from the first question to the first query.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::sandbox::{Sandbox, files};
use crate::terminal::Terminal;

mod timer;

const WIDE: (u16, u16) = (40, 90);

const CTRL_C: &str = "\u{3}";
const DOWN: &str = "\u{1b}[B";

const ROWS: &str = "select client_name, count(*) from ai_gateway_messages group by 1 order by 1";

/// Questions until the settings are written, in their order.
const QUESTIONS: [&str; 3] =
    ["Whose history should be", "Import how far back", "Keep imported messages"];

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.store().join("config.toml")).unwrap()
}

/// Answers everything with what is offered.
fn accept(terminal: &mut Terminal) {
    for question in QUESTIONS {
        terminal.answer(question, "\r").unwrap();
    }
    terminal.answer("on this machine now?", "\r").unwrap();
}

/// Returns the screen without what differs from day to day.
fn screen(sandbox: &Sandbox, terminal: &Terminal) -> String {
    undated(&sandbox.named(&terminal.show()))
}

/// Returns a text with its days replaced by a name.
fn undated(text: &str) -> String {
    let days = |text: &str| -> String {
        let is_day = |word: &str| word.len() == 10 && word.matches('-').count() == 2;
        let word = |word: &'_ str| if is_day(word) { "[DAY]".into() } else { word.to_owned() };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(days).collect::<Vec<_>>().join("\n")
}

#[test]
fn from_hyp_alone_to_the_first_query() {
    let sandbox = Sandbox::with("sample");
    let mut terminal = sandbox.terminal(WIDE, []);
    accept(&mut terminal);
    assert_eq!(terminal.end().unwrap(), Some(0), "{}", terminal.show());
    insta::assert_snapshot!(screen(&sandbox, &terminal), @"
    ┌  hyp: the history of coding agents as one table
    │
    ◇  Found history of 2 clients
    │
    ◇  hyp reads these files, changes none, and sends nothing anywhere
    │
    ◇  Whose history should be imported? (Space picks, Enter goes on)
    │  Claude Code  3 sessions  28.1 KiB  [DAY]
    │  Codex        2 sessions  15.4 KiB  [DAY]
    │
    ◇  Import how far back?
    │  Everything: 5 sessions
    │
    ◇  Keep imported messages for how long?
    │  For ever
    │
    ◇  Settings written: [HYP_HOME]/config.toml
    │
    ◇  Import the Claude Code and Codex history already on this machine now?
    │  Yes
    │
    └  Importing, newest first; what is in can be queried at once
    backfill claude: ok (scanned 4, wrote 26, skipped 7)
    backfill codex: ok (scanned 2, wrote 18, skipped 0)

    next:
      hyp query overview  what is there, on one screen
      hyp sessions        the conversations; `hyp show ID` reads one
      hyp search TEXT     where something was said
      hyp report --open   a page of charts
      hyp backfill        imports what is new since
    ");
    assert_eq!(sandbox.rows(ROWS), ["claude,26", "codex,18"]);
    let path = sandbox.store().join("config.toml");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(sandbox.store()).unwrap().permissions().mode() & 0o777, 0o700);

    // From now on `hyp` alone says what there is, and asks nothing.
    let mut again = sandbox.terminal(WIDE, []);
    assert_eq!(again.end().unwrap(), Some(0));
    assert!(again.show().contains("rows            44"), "{}", again.show());
    assert_eq!(sandbox.import([])["providers"][0]["rows_written"], 0);
}

#[test]
fn what_is_picked_is_written_and_imported_and_nothing_else() {
    let sandbox = Sandbox::with("sample");
    let mut terminal = sandbox.terminal(WIDE, ["init"]);
    terminal.answer(QUESTIONS[0], " \r").unwrap();
    terminal.answer(QUESTIONS[1], &format!("{DOWN}{DOWN}{DOWN}\r")).unwrap();
    terminal.answer("Which day?", "2026-11-01\r").unwrap();
    terminal.answer(QUESTIONS[2], &format!("{DOWN}\r")).unwrap();
    terminal.answer("Import the Codex history", "\r").unwrap();
    assert_eq!(terminal.end().unwrap(), Some(0), "{}", terminal.show());
    insta::assert_snapshot!(config(&sandbox), @r#"
    # Settings of hyp. Every key may be left out, and a flag goes before what stands here.
    # A key that hyp does not know is an error.

    version = 1

    [import]
    # Clients whose history `hyp backfill` imports when none is named.
    # Left out: every client that left history here.
    clients = ["codex"]

    # Earliest message to import: a day, or a time such as "2026-01-31T09:00:00Z".
    # Left out: everything.
    since = "2026-11-01"

    [retention]
    # Days that messages are kept, by their own time.
    # Left out: for ever.
    ai_gateway_messages = 365

    [privacy]
    # Likely secrets, such as keys and tokens, that are replaced before anything is stored: true, or a list of
    # kinds, as `hyp privacy scan` names them. Left out: what is imported is stored as it was written.
    # redact = true
    "#);
    assert_eq!(sandbox.rows(ROWS), ["codex,6"]);
}

#[test]
fn a_narrow_terminal_is_a_terminal() {
    let sandbox = Sandbox::with("sample");
    let mut terminal = sandbox.terminal((50, 40), ["init"]);
    accept(&mut terminal);
    assert_eq!(terminal.end().unwrap(), Some(0), "{}", terminal.show());
    insta::assert_snapshot!(screen(&sandbox, &terminal), @"
    ┌  hyp: the history of coding agents as
    │  one table
    │
    ◇  Found history of 2 clients
    │
    ◇  hyp reads these files, changes none,
    │  and sends nothing anywhere
    │
    ◇  Whose history should be imported?
    │  (Space picks, Enter goes on)
    │  Claude Code  3 sessions  28.1 KiB
    │  Codex        2 sessions  15.4 KiB
    │
    ◇  Import how far back?
    │  Everything: 5 sessions
    │
    ◇  Keep imported messages for how long?
    │  For ever
    │
    ◇  Settings written:
    │  [HYP_HOME]/config.toml
    │
    ◇  Import the Claude Code and Codex
    │  history already on this machine now?
    │  Yes
    │
    └  Importing, newest first; what is in
       can be queried at once
    backfill claude: ok (scanned 4, wrote 26
    , skipped 7)
    backfill codex: ok (scanned 2, wrote 18,
     skipped 0)

    next:
      hyp query overview  what is there, on
                          one screen
      hyp sessions        the conversations;
                          `hyp show ID`
                          reads one
      hyp search TEXT     where something
                          was said
      hyp report --open   a page of charts
      hyp backfill        imports what is
                          new since
    ");
}

#[test]
fn who_cancels_before_the_settings_finds_none() {
    for (at, question) in QUESTIONS.iter().enumerate() {
        for keys in [CTRL_C, "\u{1b}"] {
            let sandbox = Sandbox::with("sample");
            let mut terminal = sandbox.terminal(WIDE, ["init"]);
            for answered in &QUESTIONS[..at] {
                terminal.answer(answered, "\r").unwrap();
            }
            terminal.answer(question, keys).unwrap();
            assert_eq!(terminal.end().unwrap(), Some(130), "{}", terminal.show());
            let said = "hyp init: cancelled; no settings were written";
            assert!(terminal.show().contains(said), "{}", terminal.show());
            assert!(!sandbox.store().join("config.toml").exists());
            assert!(!sandbox.store().join("catalog.db").exists());
        }
    }
}

#[test]
fn who_cancels_the_import_has_a_setup_that_works() {
    let sandbox = Sandbox::with("sample");
    let mut terminal = sandbox.terminal(WIDE, ["init"]);
    for question in QUESTIONS {
        terminal.answer(question, "\r").unwrap();
    }
    terminal.answer("on this machine now?", CTRL_C).unwrap();
    assert_eq!(terminal.end().unwrap(), Some(130), "{}", terminal.show());
    let show = terminal.show();
    assert!(show.contains("backfill: skipped (cancelled)"), "{show}");
    assert!(show.contains("hyp init: cancelled"), "{show}");
    assert!(config(&sandbox).contains("version = 1"));
    sandbox.import([]);
    assert_eq!(sandbox.rows(ROWS), ["claude,26", "codex,18"]);
}

#[test]
fn who_declines_the_import_is_told_how_to_have_it_later() {
    let sandbox = Sandbox::with("sample");
    let mut terminal = sandbox.terminal(WIDE, ["init"]);
    for question in QUESTIONS {
        terminal.answer(question, "\r").unwrap();
    }
    terminal.answer("on this machine now?", "n").unwrap();
    assert_eq!(terminal.end().unwrap(), Some(0), "{}", terminal.show());
    let show = terminal.show();
    assert!(show.contains("backfill: skipped (declined)"), "{show}");
    assert!(show.contains("`hyp backfill` imports the history"), "{show}");
    assert!(!sandbox.store().join("catalog.db").exists());
    let alone = sandbox.hyp([]);
    assert!(alone.stderr.contains("is set up, and nothing is imported yet"), "{alone}");
}

#[test]
fn settings_that_are_there_are_kept_or_changed_key_by_key() {
    let sandbox = Sandbox::with("sample");
    sandbox.hyp(["init", "--yes", "--no-backfill", "--client", "codex"]);
    let mine = config(&sandbox).replace("version = 1", "version = 1 # mine");
    fs::write(sandbox.store().join("config.toml"), &mine).unwrap();

    let mut kept = sandbox.terminal(WIDE, ["init", "--no-backfill"]);
    kept.answer("There are settings already", "\r").unwrap();
    assert_eq!(kept.end().unwrap(), Some(0), "{}", kept.show());
    assert_eq!(config(&sandbox), mine);

    let mut changed = sandbox.terminal(WIDE, ["init", "--no-backfill"]);
    changed.answer("There are settings already", &format!("{DOWN}\r")).unwrap();
    changed.answer(QUESTIONS[0], "\r").unwrap();
    changed.answer(QUESTIONS[1], "\r").unwrap();
    changed.answer(QUESTIONS[2], &format!("{DOWN}{DOWN}\r")).unwrap();
    assert_eq!(changed.end().unwrap(), Some(0), "{}", changed.show());
    let expected = mine.replace("# ai_gateway_messages = 365", "ai_gateway_messages = 90");
    assert_eq!(config(&sandbox), expected);
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_is_done() {
    let sandbox = Sandbox::with("sample");
    insta::assert_snapshot!(sandbox.hyp(["init"]), @"
    exit: 2
    -- stderr
    hyp init: there is no terminal to ask on; `hyp init --yes` asks nothing
    ");
    let alone = sandbox.hyp([]);
    assert_eq!(alone.status, Some(0));
    assert!(alone.stdout.contains("Usage: hyp"), "{alone}");
    assert!(!sandbox.store().exists());
}

#[test]
fn with_yes_nothing_is_asked_and_all_is_imported() {
    let sandbox = Sandbox::with("sample");
    let output = sandbox.hyp(["init", "--yes"]);
    assert_eq!(output.status, Some(0), "{output}");
    insta::assert_snapshot!(output.stdout, @"
    backfill claude: ok (scanned 4, wrote 26, skipped 7)
    backfill codex: ok (scanned 2, wrote 18, skipped 0)
    ");
    assert_eq!(sandbox.rows(ROWS), ["claude,26", "codex,18"]);
    insta::assert_snapshot!(sandbox.hyp(["init", "--yes"]).stdout, @"
    backfill claude: ok (scanned 0, wrote 0, skipped 0)
    backfill codex: ok (scanned 0, wrote 0, skipped 0)
    ");
}

#[test]
fn a_dry_run_leaves_no_file_at_all() {
    let sandbox = Sandbox::with("sample");
    let before = files(&sandbox.home());
    let output = sandbox.hyp(["init", "--dry-run"]);
    assert_eq!(output.status, Some(0), "{output}");
    insta::assert_snapshot!(output.stdout, @"
    (dry-run) backfill claude: ok (scanned 4, wrote 0, skipped 7)
    (dry-run) backfill codex: ok (scanned 2, wrote 0, skipped 0)
    ");
    assert!(output.stderr.contains("(dry-run) Settings not written"), "{output}");
    assert!(!sandbox.store().exists());
    assert_eq!(files(&sandbox.home()), before);

    // Of a store that is there, the settings are left alone as well.
    sandbox.hyp(["init", "--yes"]);
    let settings = config(&sandbox);
    sandbox.hyp(["init", "--dry-run", "--retention-days", "3"]);
    assert_eq!(config(&sandbox), settings);
}

#[test]
fn the_summary_for_programs_says_the_same() {
    let sandbox = Sandbox::with("sample");
    let args = ["init", "--client", "codex", "--source", "gone", "--client", "claude", "--json"];
    let output = sandbox.hyp(args);
    assert_eq!(output.status, Some(0), "{output}");
    let summary = output.json();
    let backfill = summary["backfill"].as_array().unwrap();
    let entry = |at: usize, key: &str| backfill[at][key].clone();
    assert_eq!([entry(0, "provider"), entry(1, "provider")], ["codex", "claude"], "as picked");
    assert_eq!((entry(0, "rows_written"), entry(1, "rows_written")), (18.into(), 26.into()));
    assert_eq!((entry(0, "ok"), entry(0, "dry_run")), (true.into(), false.into()));
    assert_eq!(summary["skipped_clients"], serde_json::json!(["gone"]));
    assert_eq!(summary["config"]["state"], "written");
    assert!(output.stderr.contains("skipped gone: no provider reads it"), "{output}");

    let unknown = sandbox.hyp(["init", "--client", "gone"]);
    assert_eq!(unknown.status, Some(1));
    insta::assert_snapshot!(undated(&unknown.stderr), @"
    Claude Code  3 sessions  28.1 KiB  [DAY]
    Codex        2 sessions  15.4 KiB  [DAY]
    hyp init: no provider reads gone; known are: claude, codex, cursor, gemini, opencode, pi, qwen
    ");
}

#[test]
fn a_provider_that_fails_stops_neither_another_nor_the_setup() {
    let sandbox = Sandbox::with("sample");
    let project = sandbox.home().join(".claude/projects");
    fs::set_permissions(&project, fs::Permissions::from_mode(0o000)).unwrap();
    let output = sandbox.hyp_without_privilege(["init", "--client", "claude", "--client", "codex"]);
    fs::set_permissions(&project, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(output.status, Some(1), "{output}");
    insta::assert_snapshot!(output.stdout, @"
    backfill claude: failed (scanned 0, wrote 0, skipped 0)
    backfill codex: ok (scanned 2, wrote 18, skipped 0)
    ");
    assert!(output.stderr.contains("backfill claude failed: cannot list"), "{output}");
    assert!(config(&sandbox).contains(r#"clients = ["claude", "codex"]"#));
    sandbox.import([]);
    assert_eq!(sandbox.rows(ROWS), ["claude,26", "codex,18"]);
}

#[test]
fn settings_may_come_from_a_file() {
    let sandbox = Sandbox::with("sample");
    let file = sandbox.beside("settings.toml");
    fs::write(&file, "version = 1\n[import]\nclients = [\"codex\"]\n").unwrap();
    let args = || ["init", "--from-file", file.to_str().unwrap()];
    assert_eq!(sandbox.hyp(args()).status, Some(0));
    assert_eq!(config(&sandbox), fs::read_to_string(&file).unwrap());
    assert_eq!(sandbox.rows(ROWS), ["codex,18"]);

    fs::write(&file, "version = 1\n").unwrap();
    let other = sandbox.hyp(args());
    assert_eq!(other.status, Some(2), "{other}");
    assert!(other.stderr.contains("says otherwise; move it away"), "{other}");
    fs::write(&file, "version = 1\n\n[imports]\n").unwrap();
    let broken = sandbox.hyp(args());
    assert_eq!(broken.status, Some(2), "{broken}");
    assert!(broken.stderr.contains("settings.toml:3:2: unknown key `imports`"), "{broken}");
}

#[test]
fn settings_that_are_broken_or_newer_are_refused_before_any_question() {
    let sandbox = Sandbox::with("sample");
    fs::create_dir(sandbox.store()).unwrap();
    for (text, said) in [
        ("version = 1\n[import\n", "config.toml:2:8: "),
        ("version = 9\n", "config.toml:1:11: version 9 is newer"),
    ] {
        fs::write(sandbox.store().join("config.toml"), text).unwrap();
        let mut terminal = sandbox.terminal((40, 200), ["init"]);
        assert_eq!(terminal.end().unwrap(), Some(2));
        assert!(terminal.show().contains(said), "{}", terminal.show());
        assert_eq!(config(&sandbox), text);
    }
}

#[test]
fn a_home_without_history_is_set_up_for_what_is_to_come() {
    let sandbox = Sandbox::new();
    let mut terminal = sandbox.terminal(WIDE, []);
    terminal.answer(QUESTIONS[2], "\r").unwrap();
    assert_eq!(terminal.end().unwrap(), Some(0), "{}", terminal.show());
    insta::assert_snapshot!(screen(&sandbox, &terminal), @"
    ┌  hyp: the history of coding agents as one table
    │
    ◇  Found no history
    │
    ◇  It would lie here, among other places:
    │    [HOME]/.claude/projects
    │    [HOME]/.codex/sessions
    │    [HOME]/.config/Cursor/User/globalStorage
    │    [HOME]/.gemini/tmp
    │    [HOME]/.local/share/opencode
    │    [HOME]/.pi/agent/sessions
    │    [HOME]/.qwen/projects
    │
    ◇  Keep imported messages for how long?
    │  For ever
    │
    ◇  Settings written: [HYP_HOME]/config.toml
    │
    └  There is nothing to import yet
    next: `hyp backfill` imports history once there is some
    ");
    let output = sandbox.hyp(["init", "--yes"]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(0), ""), "{output}");
}

#[test]
fn a_home_that_cannot_be_written_to_is_told_in_one_error() {
    let sandbox = Sandbox::with("sample");
    let folder = sandbox.store().parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let output = sandbox.hyp_without_privilege(["init", "--yes"]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    insta::assert_snapshot!(output, @"
    exit: 1
    -- stderr
    error: cannot use `[HYP_HOME]/cache/components` for compiled components
      cause: Permission denied (os error 13)
      code: hyp::plugin::cache
      help: name a folder that can be written to: `--store DIR` or HYP_HOME
    ");
}

#[test]
fn names_out_of_files_cannot_reach_the_terminal() {
    let sandbox = Sandbox::with("sample");
    let output = sandbox.hyp(["init", "--client", "co\u{1b}[31mdex\u{202e}", "--client", "codex"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stderr.contains(r"co\u{1b}[31mdex\u{202e}"), "{output}");
    assert!(!output.stderr.contains(['\u{1b}', '\u{202e}']), "{output}");
}

#[test]
fn what_the_client_deletes_soon_is_told() {
    let sandbox = Sandbox::with("sample");
    sandbox.write(".claude/settings.json", br#"{"cleanupPeriodDays": 5}"#);
    let output = sandbox.hyp(["init", "--dry-run", "--json"]);
    let summary: Value = output.json();
    let claude = &summary["clients"][0];
    assert_eq!(claude["deletes"]["after_days"], 5, "{summary:#}");
    assert_eq!(claude["deletes"]["sessions_soon"], claude["sessions"], "{summary:#}");
    let said = "Claude Code deletes a session 5 days after its last use";
    assert!(output.stderr.contains(said), "{output}");
}

#[test]
fn rows_that_are_older_than_is_settled_are_told() {
    let mut sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox.set("DEV_NOW", "2026-11-30T10:00:00Z");
    for (days, told) in [
        ("90", "12 of 44 rows are older than the settings keep them: the next import removes them"),
        ("28", "38 of 44 rows are older than the settings keep them: more than half"),
    ] {
        let output = sandbox.hyp(["init", "--yes", "--retention-days", days, "--no-backfill"]);
        assert_eq!(output.status, Some(0), "{output}");
        assert!(output.stderr.contains(told), "{output}");
        assert_eq!(sandbox.rows("select count(*) from ai_gateway_messages"), ["44"]);
    }
}
