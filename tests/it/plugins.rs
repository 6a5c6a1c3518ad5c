//! Components that came from elsewhere: allowed by digest, held to the contract, contained.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::sandbox::{Sandbox, assert_same_rows, files, repository, total};

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a component below `plugins/` and allows it.
fn install(sandbox: &Sandbox, name: &str, bytes: &[u8], digest: &str) {
    let folder = sandbox.store().join("plugins");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.wasm")), bytes).unwrap();
    let list = sandbox.store().join("plugins.lock");
    let mut text = fs::read_to_string(&list).unwrap_or_default();
    text.push_str(&format!("[[plugin]]\nname = \"{name}\"\ndigest = \"{digest}\"\n"));
    fs::write(list, text).unwrap();
}

/// The guests that the repository holds to misbehave, by name.
fn guests() -> Vec<(String, PathBuf)> {
    let dist = repository().join("tests/guests/dist");
    files(&dist)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "wasm"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
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
    assert_eq!(list["providers"].as_array().unwrap().len(), 2, "{list:#}");
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
    for (name, path) in guests() {
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
