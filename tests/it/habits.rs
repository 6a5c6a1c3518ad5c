//! What people expect of any command: completions, man pages, versions, pipes, errors that help.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::sandbox::Sandbox;

/// Returns what bash offers after these words.
fn completed(script: &str, words: &[&str]) -> String {
    // By way of stdin: the script is longer than an argument may be.
    let program = "eval \"$(cat)\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                   _hyp hyp \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
                   echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["-c", program, "bash"]).args(words);
    let mut child =
        bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let script = Sandbox::new().hyp(["completions", "bash"]).stdout;
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 5] = [
        (&["hyp", "se"],                                "sessions search"),
        (&["hyp", "query", "o"],                        "overview"),
        (&["hyp", "report", "--anon"],                  "--anonymous"),
        (&["hyp", "attach", "d"],                       "duckdb"),
        (&["hyp", "query", "sql", "--format", "j"],     "json jsonl"),
    ];
    for (words, expected) in cases {
        assert_eq!(completed(&script, words), expected, "{words:?}");
    }
    assert!(!script.contains("hyp__man"), "what is hidden is not offered: {script}");
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        let output = Sandbox::new().hyp(["completions", shell]);
        assert_eq!(output.status, Some(0), "{shell}");
        assert!(output.stdout.contains("overview"), "{shell}");
    }
}

#[test]
fn each_command_has_a_man_page() {
    let sandbox = Sandbox::new();
    let folder = sandbox.beside("share/man1");
    let output = sandbox.hyp(["man", folder.to_str().unwrap()]);
    assert_eq!(output.status, Some(0), "{output}");
    for page in ["hyp.1", "hyp-report.1", "hyp-query-overview.1", "hyp-backfill-plan.1"] {
        let text = fs::read_to_string(folder.join(page)).unwrap_or_else(|_| panic!("no {page}"));
        assert!(text.contains(".SH DESCRIPTION"), "{text}");
    }
    let file = sandbox.beside("file");
    fs::write(&file, "").unwrap();
    let wrong = sandbox.hyp(["man", file.to_str().unwrap()]);
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.stderr.contains("help: name a folder"), "{wrong}");
}

#[test]
fn the_version_says_what_it_is_made_of_where_that_is_asked() {
    let sandbox = Sandbox::new();
    let short = sandbox.hyp(["--version"]);
    assert_eq!(short.stdout, format!("hyp {}\n", env!("CARGO_PKG_VERSION")));
    let long = sandbox.hyp(["--version", "--verbose"]);
    assert_eq!(long.status, Some(0), "{long}");
    assert_eq!(sandbox.hyp(["--verbose", "--version"]).stdout, long.stdout);
    let listed =
        fs::read_to_string(crate::sandbox::repository().join("providers/dist/components.lock"));
    for line in listed.unwrap().lines() {
        if let Some(digest) = line.strip_prefix("sha256 = ") {
            assert!(long.stdout.contains(digest.trim_matches('"')), "{long}");
        }
    }
    for word in
        ["contract  hyp:backfill@", "engine    wasmtime 4", "engine    datafusion 5", "commit "]
    {
        assert!(long.stdout.contains(word), "{word}: {long}");
    }
    let alone = sandbox.hyp(["--verbose", "status"]);
    assert_eq!(
        (alone.status, alone.stderr.as_str()),
        (Some(2), "hyp: --verbose goes with --version\n")
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    for words in [
        &["query", "sql", "select * from messages", "--format", "jsonl"][..],
        &["query", "overview"],
        &["sessions"],
        &["completions", "bash"],
        &["--help"],
        &["--version", "--verbose"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hyp"))
            .args(words)
            .env_clear()
            .env("HOME", sandbox.home())
            .env("HYP_HOME", sandbox.store())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    }
}

#[test]
fn the_store_of_the_environment_gives_way_to_the_flag() {
    let sandbox = Sandbox::with("sample");
    let other = sandbox.beside("other");
    let name = other.to_str().unwrap();
    sandbox.import(["--store", name]);
    assert!(other.exists() && !sandbox.store().exists());
    let usage = sandbox.hyp(["query", "sql"]);
    assert_eq!(usage.status, Some(2));
    assert!(usage.stderr.contains("Usage: hyp query sql <SQL>...\n"), "{usage}");
}

/// Every way in which a command can be at a loss is a line or four, and says what to do.
#[test]
fn errors_say_what_to_do_next() {
    let sandbox = Sandbox::with("sample");
    let mut told = String::new();
    let mut ask = |words: &[&str], expected: i32| {
        let output = sandbox.hyp(words.iter().copied());
        assert_eq!(output.status, Some(expected), "{words:?} {output}");
        told.push_str(&format!("$ hyp {}\n{output}\n", words.join(" ")));
    };
    ask(&["frob"], 2);
    ask(&["sessions"], 1);
    ask(&["backfill", "nobody"], 1);
    ask(&["backfill", "--since", "soon"], 2);
    ask(&["backfill", "claude"], 0);
    ask(&["show", "nothing"], 1);
    ask(&["search", "(", "--regex"], 2);
    ask(&["explain", "nothing"], 1);
    ask(&["query", "sql", "select"], 1);
    ask(&["query", "sql", "select content_txt from messages"], 1);
    ask(&["query", "sql", "select frobnicate_it(1)"], 1);
    ask(&["query", "sql", "drop table messages"], 1);
    ask(&["query", "sql", "select 1", "--format", "parquet"], 2);
    ask(&["query", "schema", "nothing"], 1);
    ask(&["query", "overview", "--prices", "no-such-file"], 2);
    ask(&["query", "overview", "--timezone", "Atlantis"], 2);
    ask(&["export", "-o", "no-such-folder/x.csv"], 1);
    ask(&["report", "--client", "nobody"], 1);
    let output = told.replace(sandbox.beside("").to_str().unwrap(), "[TMP]/");
    let without_runs: String = output
        .lines()
        .filter(|line| !line.starts_with("backfill run_id=") && !line.starts_with("    "))
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(without_runs);
}
