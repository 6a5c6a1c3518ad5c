//! Folders that stay out, secrets that are replaced, messages that are removed for good.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::lines::Claude;
use crate::sandbox::{Sandbox, assert_same_rows, files, total};

const SESSION: &str = "5e551047-0000-4000-8000-00000000000a";

/// A session that is in a folder of its own for a while.
fn wanders(sandbox: &Sandbox) -> String {
    let secret = sandbox.home().join("secret");
    fs::create_dir_all(secret.join("deep")).unwrap();
    let secret = secret.to_str().unwrap().to_owned();
    Claude::new(SESSION)
        .says("u1", "in the open")
        .within(&format!("{secret}/deep"))
        .says("u2", "under the rose")
        .answers("u3", "msg_under_the_rose", "sub rosa", 5)
        .within("/home/ada/tide-tables")
        .answers("u4", "msg_in_the_open_1", "plainly", 7)
        .write(sandbox);
    secret
}

fn texts(sandbox: &Sandbox) -> Vec<String> {
    sandbox.rows("select content_text from messages order by message_index")
}

/// Returns how many rows of a provider were left out for a reason.
fn left_out(report: &Value, reason: &str) -> u64 {
    report["providers"][0]["rows_by_reason"][reason].as_u64().unwrap_or_default()
}

#[test]
fn of_a_session_that_goes_into_an_ignored_folder_the_rest_is_stored() {
    let sandbox = Sandbox::new();
    let secret = wanders(&sandbox);
    fs::write(format!("{secret}/.hypignore"), "").unwrap();
    let report = sandbox.import([]);
    assert_eq!(texts(&sandbox), ["in the open", "plainly"]);
    assert_eq!(left_out(&report, "ignored"), 2, "{report:#}");
    let accounting = report["providers"][0]["accounting"].as_object().unwrap();
    let sum: u64 = accounting.values().filter_map(Value::as_u64).sum();
    assert_eq!(report["providers"][0]["bytes_read"], sum, "{report:#}");

    let again = sandbox.import([]);
    assert_eq!((total(&again, "rows_written"), left_out(&again, "ignored")), (0, 2));
    assert_eq!(total(&sandbox.import(["--full"]), "rows_written"), 0);
    for path in files(&sandbox.store()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(14).any(|it| it == b"under the rose"), "{path:?}");
    }

    fs::remove_file(format!("{secret}/.hypignore")).unwrap();
    assert_eq!(total(&sandbox.import([]), "rows_written"), 2, "what was left out comes");
    let whole = sandbox.all_rows();
    fs::remove_dir_all(sandbox.store()).unwrap();
    sandbox.import([]);
    assert_same_rows(&whole, &sandbox.all_rows(), "as if nothing had been ignored");
}

#[test]
fn a_folder_of_the_list_stays_out_until_it_is_allowed() {
    let sandbox = Sandbox::new();
    let secret = wanders(&sandbox);
    let ignored = sandbox.hyp(["privacy", "ignore", &secret]);
    insta::assert_snapshot!(ignored, @r"
    exit: 0
    -- stderr
    messages of `[HOME]/secret`, and of what is below it, are not imported any more
    what is stored already stays; to remove it, run `hyp privacy purge '[HOME]/secret'`
    ");
    assert_eq!(left_out(&sandbox.import([]), "ignored"), 2);
    insta::assert_snapshot!(sandbox.hyp(["privacy", "list"]), @r"
    exit: 0
    -- stdout
    ignore      list               0 rows stored  [HOME]/secret
    ");
    assert_eq!(sandbox.hyp(["privacy", "allow", &secret]).status, Some(0));
    assert_eq!(total(&sandbox.import([]), "rows_written"), 2);
}

#[test]
fn a_list_that_is_broken_lets_nothing_in() {
    let sandbox = Sandbox::new();
    let secret = wanders(&sandbox);
    sandbox.hyp(["privacy", "ignore", &secret]);
    let list = sandbox.store().join("hypaware/usage-policy/local-only.json");
    fs::write(list, "{").unwrap();
    let refused = sandbox.hyp(["backfill"]);
    insta::assert_snapshot!(refused, @r"
    exit: 2
    -- stderr
    error: cannot use `[HYP_HOME]/hypaware/usage-policy/local-only.json`, which says what is not imported: EOF while parsing an object at line 1 column 1
      code: hyp::privacy::list
      help: nothing was imported; mend `[HYP_HOME]/hypaware/usage-policy/local-only.json`, or move it away to import everything
    ");
    assert!(sandbox.all_rows().is_empty(), "nothing was imported");
}

#[test]
fn secrets_are_replaced_and_ids_stay() {
    let token = format!("gh{}_{}", "p", "aB3".repeat(12));
    let record = |sandbox: &Sandbox| {
        Claude::new(SESSION)
            .says("u1", &format!("use {token}"))
            .runs("u2", "msg_with_a_token_1", &format!("curl -u me:{token}"), &token)
            .write(sandbox);
    };
    let (plain, redacted) = (Sandbox::new(), Sandbox::new());
    record(&plain);
    record(&redacted);
    fs::create_dir_all(redacted.store()).unwrap();
    fs::write(redacted.store().join("config.toml"), "[privacy]\nredact = true\n").unwrap();
    plain.import([]);
    redacted.import([]);
    let ids = "select part_id, said_key, message_index from ai_gateway_messages order by part_id";
    assert_eq!(plain.rows(ids), redacted.rows(ids));
    assert!(plain.all_rows().concat().contains(&token));
    let rows = redacted.all_rows().concat();
    assert!(!rows.contains(&token), "{rows}");
    assert_eq!(texts(&redacted)[0], "use [redacted:github-token]");
    assert_eq!(total(&redacted.import(["--full"]), "rows_written"), 0, "a rerun writes nothing");

    let found = plain.hyp(["privacy", "scan", "--places"]);
    assert!(found.stdout.contains("github-token") && found.stdout.contains("u1#0"), "{found}");
    assert!(!found.to_string().contains(&token), "a secret is not printed");
    assert_eq!(redacted.hyp(["privacy", "scan"]).stdout, "");

    // What is settled later reaches what is stored, as long as its recording is there.
    fs::write(plain.store().join("config.toml"), "[privacy]\nredact = true\n").unwrap();
    assert!(left_out(&plain.import([]), "refreshed") > 0);
    assert!(!plain.all_rows().concat().contains(&token));
}

#[test]
fn a_purge_asks_says_what_goes_and_keeps_it_away() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let before = sandbox.all_rows();
    let refused = sandbox.hyp(["privacy", "purge", "/home/ada/tide-tables"]);
    insta::assert_snapshot!(refused, @r"
    exit: 3
    -- stderr
    17 rows of 3 threads would be removed
    neither hyp nor an import brings them back; the client's own files are not touched
    hyp privacy purge: nobody is there to agree; say so with --yes
    ");
    assert_eq!(sandbox.all_rows(), before);
    for wrong in [&["privacy", "purge"][..], &["privacy", "purge", "/a", "--all"]] {
        assert_eq!(sandbox.hyp(wrong.iter().copied()).status, Some(2), "{wrong:?}");
    }
    let none = sandbox.hyp(["privacy", "purge", "--before", "soon", "--yes"]);
    assert_eq!(none.status, Some(2), "{none}");

    let dry = sandbox.hyp(["privacy", "purge", "/home/ada/tide-tables", "--dry-run", "--json"]);
    assert_eq!(sandbox.all_rows(), before);
    let done = sandbox.hyp(["privacy", "purge", "/home/ada/tide-tables", "--yes", "--json"]);
    let (dry, done) = (dry.json(), done.json());
    assert_eq!((&dry["rows"], &done["is_erased"]), (&done["rows"], &Value::Bool(true)));
    let left = sandbox.all_rows();
    assert_eq!(done["rows"], before.len() - left.len());
    let report = sandbox.import(["--full"]);
    assert_eq!(total(&report, "rows_written"), 0, "{report:#}");
    assert_eq!(sandbox.all_rows(), left);
    let sessions = sandbox.hyp(["sessions", "--all"]);
    assert!(!sessions.stdout.contains("tide-tables"), "{sessions}");
}

#[test]
fn a_session_is_known_by_the_start_of_its_id() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let purged = sandbox.hyp(["privacy", "purge", "--session", "ddaf126d", "--yes"]);
    assert_eq!(purged.status, Some(0), "{purged}");
    assert!(!sandbox.hyp(["sessions", "--all"]).stdout.contains("ddaf126d"));
    let several = sandbox.hyp(["privacy", "purge", "--session", "019a", "--yes"]);
    assert_eq!(several.status, Some(1), "{several}");
    assert!(several.stderr.contains("begin with `019a`"), "{several}");
}

#[test]
fn a_purge_waits_for_the_lock_or_says_who_has_it() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let lock = fs::File::open(sandbox.store().join("lock")).unwrap();
    lock.lock().unwrap();
    let refused = sandbox.hyp(["privacy", "purge", "--all", "--yes"]);
    assert_eq!(refused.status, Some(3), "{refused}");
    drop(lock);
    assert_eq!(sandbox.hyp(["privacy", "purge", "--all", "--yes"]).status, Some(0));
    assert_eq!(sandbox.all_rows().len(), 0);
    assert_eq!(total(&sandbox.import([]), "rows_written"), 0);
}

#[test]
fn everything_in_the_store_is_its_owners_alone() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox.hyp(["privacy", "ignore", "/home/ada/secret"]);
    sandbox.hyp(["privacy", "purge", "--session", "ddaf126d", "--yes"]);
    sandbox.hyp(["cache", "maintain"]);
    sandbox.import(["--full"]);
    let mut left = vec![sandbox.store()];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let expect = if metadata.is_dir() { 0o700 } else { 0o600 };
        let mode = metadata.permissions().mode() & 0o777;
        assert_eq!(mode, expect, "{path:?} {mode:o}");
        seen += 1;
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 12, "{seen}");
}

#[test]
fn a_provider_without_rows_is_told_before_it_is_purged() {
    let sandbox = Sandbox::with("claude-one-turn");
    sandbox.import([]);
    let output = sandbox.hyp(["privacy", "purge", "--provider", "nope", "--dry-run"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stderr.contains("no stored row is of a provider `nope`"), "{output}");
}
