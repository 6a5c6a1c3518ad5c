//! Components that came from elsewhere: allowed by digest, held to the contract, contained.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::sandbox::{Sandbox, assert_same_rows, files, guest, repository, total};

/// Returns what a guest of the repository wants to read.
fn read_by(name: &str) -> &'static str {
    match name {
        "sql" => "$GUEST_HOME: *.db; tables chat (id, title, absent)",
        _ => "$GUEST_HOME: *.jsonl",
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a component below `plugins/` and allows it to read what the guests of the repository want.
fn install(sandbox: &Sandbox, name: &str, bytes: &[u8], digest: &str) {
    let folder = sandbox.store().join("plugins");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.wasm")), bytes).unwrap();
    let list = sandbox.store().join("plugins.lock");
    let mut text = fs::read_to_string(&list).unwrap_or_default();
    text.push_str(&format!(
        "[[plugin]]\nname = \"{name}\"\ndigest = \"{digest}\"\n\
         [[plugin.grants]]\nroot = \"home\"\nreads = [\"{}\"]\n",
        read_by(name)
    ));
    fs::write(list, text).unwrap();
}

/// The guests that the repository holds to read lines of text, well or badly, by name.
fn guests() -> Vec<(String, PathBuf)> {
    let dist = repository().join("tests/guests/dist");
    files(&dist)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "wasm"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name != "sql")
        .collect()
}

#[test]
fn a_damaged_component_fails_alone() {
    let sandbox = Sandbox::with("sample");
    let clean = Sandbox::with("sample");
    clean.import([]);
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", b"this is no component"),
        ("module", b"\0asm\x01\0\0\0"),
        ("cut", b"\0asm\x0d\0\x01\0\x07"),
    ] {
        install(&sandbox, name, bytes, &digest(bytes));
    }
    let output = sandbox.hyp(["backfill", "--json"]);
    assert_eq!(output.status, Some(1), "{output}");
    let report = output.json();
    for provider in report["providers"].as_array().unwrap() {
        let name = provider["provider"].as_str().unwrap();
        let is_bundled = ["claude", "codex"].contains(&name);
        assert_eq!(provider["status"] == "ok", is_bundled, "{provider:#}");
        assert_eq!(provider.get("error").is_none(), is_bundled, "{provider:#}");
    }
    assert_same_rows(&sandbox.all_rows(), &clean.all_rows(), "beside damaged components");
}

#[test]
fn a_component_with_another_digest_is_not_loaded() {
    let (name, path) = guests().remove(0);
    let bytes = fs::read(path).unwrap();
    let sandbox = Sandbox::with("claude-one-turn");
    install(&sandbox, &name, &bytes, &digest(b"another"));
    let output = sandbox.hyp(["backfill", &name]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("digest"), "{output}");
    assert_eq!(sandbox.hyp(["backfill", "claude"]).status, Some(0));
}

#[test]
fn a_component_that_is_not_listed_does_not_exist() {
    let (name, path) = guests().remove(0);
    let sandbox = Sandbox::with("claude-one-turn");
    let folder = sandbox.store().join("plugins");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(path, folder.join(format!("{name}.wasm"))).unwrap();
    let list = sandbox.hyp(["backfill", "list", "--json"]).json();
    let providers = list["providers"].as_array().unwrap();
    assert!(providers.iter().all(|provider| provider["origin"] == "bundled"), "{list:#}");
    let output = sandbox.hyp(["backfill", &name]);
    assert!(output.stderr.contains(&format!("unknown provider(s): {name}")), "{output}");
}

#[test]
fn a_list_that_cannot_be_read_is_a_configuration_error() {
    let sandbox = Sandbox::with("claude-one-turn");
    fs::create_dir_all(sandbox.store()).unwrap();
    fs::write(sandbox.store().join("plugins.lock"), "[[plugin]]\nname = 7\n").unwrap();
    let output = sandbox.hyp(["backfill"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output.stderr.contains("[HYP_HOME]/plugins.lock") || output.stderr.contains("plugins.lock")
    );
}

/// Returns a home with the sample and two files for guests.
fn home_with_guests() -> Sandbox {
    let mut sandbox = Sandbox::with("sample");
    let folder = sandbox.home().join("guest");
    sandbox.set("GUEST_HOME", folder.to_str().unwrap());
    for file in ["a", "backwards", "gap"] {
        let line = |number: u32| {
            format!(
                "{{\"id\":\"{file}-{number}\",\"text\":\"said\",\"at\":\"2026-09-14T08:12:0{number}Z\"}}\n"
            )
        };
        let content = [1, 2].map(line).concat();
        sandbox.write(&format!("guest/{file}.jsonl"), content.as_bytes());
    }
    sandbox
}

#[test]
fn whatever_a_guest_does_its_siblings_get_their_rows() {
    let clean = Sandbox::with("sample");
    clean.import([]);
    let expected = clean.all_rows();
    // Who fills datasets runs only when it is named.
    for (name, path) in guests().into_iter().filter(|(name, _)| name != "tides") {
        let bytes = fs::read(&path).unwrap();
        let sandbox = home_with_guests();
        install(&sandbox, &name, &bytes, &digest(&bytes));
        let output = sandbox.hyp(["backfill", "--json"]);
        let is_good = name == "good";
        assert_eq!(output.status, Some(if is_good { 0 } else { 1 }), "{name}: {output}");
        let report = output.json();
        for provider in report["providers"].as_array().unwrap() {
            let is_sound = is_good || provider["provider"] != name.as_str();
            assert_eq!(provider["status"] == "ok", is_sound, "{name}: {provider:#}");
            assert_eq!(provider.get("error").is_none(), is_sound, "{name}: {provider:#}");
        }
        let (of_guest, bundled): (Vec<_>, Vec<_>) = sandbox
            .all_rows()
            .into_iter()
            .partition(|row| row.contains("\"client_name\":\"guest\""));
        assert_same_rows(&bundled, &expected, &name);
        if is_good {
            assert_eq!(
                of_guest.len() as u64 + bundled.len() as u64,
                total(&report, "rows_written")
            );
            assert_eq!(of_guest.len(), 6);
        }
    }
}

#[test]
fn a_provider_is_installed_after_a_yes_and_runs_with_the_others() {
    let sandbox = Sandbox::new();
    let good = guest("good");
    let good = good.to_str().unwrap();
    let alone = sandbox.hyp(["plugin", "install", good]);
    assert_eq!(alone.status, Some(3), "{alone}");
    assert!(alone.stderr.contains("nobody is there to agree; say so with --yes"), "{alone}");
    assert!(!sandbox.store().exists(), "nothing is written before the yes");

    let told = sandbox.hyp(["plugin", "install", good, "--yes"]);
    assert_eq!(told.status, Some(0), "{told}");
    let reads = |words: &str| words.lines().any(|line| line.trim_start().starts_with("reads"));
    assert!(reads(&told.stderr) && told.stderr.contains("sha256:"), "{told}");
    let states = sandbox.hyp(["plugin", "list", "--json"]).json();
    let state =
        states["plugins"].as_array().unwrap().iter().find(|it| it["name"] == "good").unwrap();
    assert_eq!((&state["origin"], &state["enabled"]), (&"installed".into(), &true.into()));
    assert_eq!(sandbox.hyp(["plugin", "verify"]).status, Some(0));

    sandbox.hyp(["plugin", "disable", "good"]);
    let file = sandbox.store().join("plugins/good.wasm");
    fs::write(&file, b"something else").unwrap();
    let verdict = sandbox.hyp(["plugin", "verify"]);
    assert_eq!(verdict.status, Some(1), "{verdict}");
    assert!(verdict.stdout.starts_with("good: refused"), "{verdict}");
    let again = sandbox.hyp(["plugin", "update", "good", "--yes"]);
    assert!(again.stderr.contains("updated good"), "{again}");
    assert_eq!(
        sandbox.hyp(["plugin", "verify"]).status,
        Some(0),
        "what was damaged is whole again"
    );

    assert_eq!(sandbox.hyp(["plugin", "remove", "good"]).status, Some(0));
    assert!(!file.exists());
    let gone = sandbox.hyp(["plugin", "remove", "good"]);
    assert_eq!(gone.status, Some(1), "{gone}");
    assert!(gone.stderr.contains("`good` is not installed"), "{gone}");
}

#[test]
fn a_bundled_name_is_not_taken_without_a_word() {
    let sandbox = Sandbox::with("sample");
    let claude = repository().join("providers/dist/claude.wasm");
    let claude = claude.to_str().unwrap();
    let refused = sandbox.hyp(["plugin", "install", claude, "--yes"]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("the name `claude` is taken by a bundled component"),
        "{refused}"
    );
    let taken = sandbox.hyp(["plugin", "install", claude, "--yes", "--replace"]);
    assert_eq!(taken.status, Some(0), "{taken}");
    let report = sandbox.import(["claude"]);
    assert!(total(&report, "rows_written") > 0, "{report:#}");
    let list = sandbox.hyp(["plugin", "list"]);
    assert!(list.stdout.contains("installed"), "{list}");
}

#[test]
fn what_is_no_provider_is_told_in_one_line() {
    let sandbox = Sandbox::new();
    for (name, bytes, expected) in [
        ("page.wasm", &b"<!doctype html><title>404</title>"[..], "is not a WebAssembly component"),
        ("module.wasm", b"\0asm\x01\0\0\0", "is a core module, not a component"),
        ("empty.wasm", b"", "is not a WebAssembly component"),
    ] {
        let path = sandbox.beside(name);
        fs::write(&path, bytes).unwrap();
        let output = sandbox.hyp(["plugin", "install", path.to_str().unwrap(), "--yes"]);
        assert_eq!(output.status, Some(1), "{output}");
        let first = output.stderr.lines().next().unwrap();
        assert!(first.contains(expected) && first.contains(name), "{output}");
    }
    let missing = sandbox.hyp(["plugin", "inspect", "/nowhere/notebook.wasm"]);
    assert_eq!(missing.status, Some(1), "{missing}");
    assert!(missing.stderr.contains("cannot read `/nowhere/notebook.wasm`"), "{missing}");
    assert!(!sandbox.store().exists());
}

#[test]
fn a_component_is_tried_on_a_folder_and_nothing_is_stored() {
    let sandbox = Sandbox::with("sample");
    let claude = repository().join("providers/dist/claude.wasm");
    let folder = sandbox.home().join(".claude/projects");
    let args = ["plugin", "run", claude.to_str().unwrap(), "--on", folder.to_str().unwrap()];
    let output = sandbox.hyp(args);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(
        output.stdout.contains("rows_written=") && output.stdout.contains("rain gauge"),
        "{output}"
    );
    assert!(!sandbox.store().exists());
}

#[test]
fn a_run_leaves_a_receipt_of_what_each_component_took() {
    let sandbox = home_with_guests();
    for name in ["good", "hog"] {
        let bytes = fs::read(guest(name)).unwrap();
        install(&sandbox, name, &bytes, &digest(&bytes));
    }
    let report = sandbox.hyp(["backfill", "good", "hog", "--json"]).json();
    let receipt = |name: &str| {
        let providers = report["providers"].as_array().unwrap();
        providers.iter().find(|provider| provider["provider"] == name).unwrap()["receipt"].clone()
    };
    let good = receipt("good");
    assert_eq!((&good["rows"], &good["limits_hit"]), (&6.into(), &serde_json::json!({})));
    let size: u64 = files(&sandbox.home().join("guest"))
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert_eq!(good["bytes_read"], size, "{good:#}");
    assert!(good["cpu_seconds"].as_f64().unwrap() > 0.0, "{good:#}");
    let memory = good["peak_memory_bytes"].as_u64().unwrap();
    assert!((1 << 16..64 << 20).contains(&memory), "{good:#}");
    let hog = receipt("hog");
    assert!(hog["limits_hit"]["memory"].as_u64().unwrap() > 0, "{hog:#}");
    assert!(hog["peak_memory_bytes"].as_u64().unwrap() > memory, "{hog:#}");

    sandbox.hyp(["backfill", "good"]);
    let kept = sandbox.hyp(["plugin", "receipts", "good", "--json"]).json();
    let kept = kept["receipts"].as_array().unwrap();
    assert_eq!(kept.len(), 1, "a run that found nothing new started nothing: {kept:#?}");
    assert_eq!(kept[0]["bytes_read"], size);
    let table = sandbox.hyp(["plugin", "receipts", "hog"]);
    assert!(table.stdout.contains("memory (1)") || table.stdout.contains("memory (2)"), "{table}");
    assert!(sandbox.hyp(["plugin", "receipts", "nobody"]).stderr.contains("no run has started"));
}
