//! What the authors of providers do: try a component on cases, and on damaged copies of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{Output, Sandbox, files, fixtures, guest, repository};

/// Cases that each bundled provider is tried on here; its own tests read all of them.
const CASES: usize = 2;

const BUNDLED: [&str; 7] = ["claude", "codex", "cursor", "gemini", "opencode", "pi", "qwen"];

fn component(name: &str) -> String {
    repository().join(format!("providers/dist/{name}.wasm")).to_str().unwrap().to_owned()
}

/// Copies the first cases of a provider beside the home, without what its own tests expect.
fn cases(sandbox: &Sandbox, provider: &str, count: usize) -> PathBuf {
    let to = sandbox.beside(provider);
    let mut cases: Vec<PathBuf> = fs::read_dir(fixtures().join(provider))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.retain(|case| case.join("in").is_dir());
    cases.sort();
    for case in cases.iter().take(count) {
        for file in files(&case.join("in")) {
            let place = to.join(file.strip_prefix(fixtures().join(provider)).unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(&file, place).unwrap();
        }
    }
    to
}

fn test(sandbox: &Sandbox, component: &str, cases: &Path, more: &[&str]) -> Output {
    let cases = cases.to_str().unwrap();
    sandbox.hyp([&["plugin", "test", component, "--cases", cases], more].concat())
}

#[test]
fn every_bundled_component_passes_on_its_cases_and_on_damaged_ones() {
    for name in BUNDLED {
        let sandbox = Sandbox::new();
        let cases = cases(&sandbox, name, CASES);
        let blessed = test(&sandbox, &component(name), &cases, &["--bless"]);
        assert_eq!(blessed.status, Some(0), "{name}: {blessed}");
        let output = test(&sandbox, &component(name), &cases, &[]);
        assert_eq!(output.status, Some(0), "{name}: {output}");
        assert!(output.stdout.ends_with("2 cases, 0 faults\n"), "{name}: {output}");
        assert!(!output.stdout.contains(" 0 damaged copies"), "{name}: {output}");
        assert!(!sandbox.store().exists(), "nothing is stored");
    }
}

#[test]
fn a_case_that_comes_out_otherwise_is_shown() {
    let sandbox = Sandbox::new();
    let cases = cases(&sandbox, "qwen", 1);
    let missing = test(&sandbox, &component("qwen"), &cases, &[]);
    assert_eq!(missing.status, Some(1), "{missing}");
    assert!(missing.stdout.contains("there is no `rows.json`"), "{missing}");

    test(&sandbox, &component("qwen"), &cases, &["--bless"]);
    let rows = files(&cases).into_iter().find(|file| file.ends_with("rows.json")).unwrap();
    let text = fs::read_to_string(&rows).unwrap();
    fs::write(&rows, text.replacen("\"role\": \"", "\"role\": \"un", 1)).unwrap();
    let output = test(&sandbox, &component("qwen"), &cases, &[]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.contains("rows.json differs in line"), "{output}");
    assert!(output.stdout.contains("- \"role\": \"un"), "{output}");
    assert!(output.stdout.ends_with("1 cases, 1 faults\n"), "{output}");
}

#[test]
fn a_component_that_cannot_bear_damage_fails() {
    let sandbox = Sandbox::new();
    let trap = guest("trap");
    let case = sandbox.beside("cases/one/in");
    fs::create_dir_all(&case).unwrap();
    fs::write(case.join("a.jsonl"), "{\"id\":\"a\",\"text\":\"said\"}\n").unwrap();
    let output = test(&sandbox, trap.to_str().unwrap(), &sandbox.beside("cases"), &[]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.starts_with("FAILED one:"), "{output}");
    assert!(
        output.stdout.contains("a.jsonl, with zeros at byte 25: trap crashed in `a.jsonl`"),
        "{output}"
    );
}

#[test]
fn without_cases_there_is_a_way_out() {
    let sandbox = Sandbox::new();
    let empty = sandbox.beside("empty");
    fs::create_dir(&empty).unwrap();
    let output = test(&sandbox, &component("qwen"), &empty, &[]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("holds no case"), "{output}");
    let output = test(&sandbox, &component("qwen"), &sandbox.beside("nowhere"), &[]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("is no folder"), "{output}");
}

#[test]
fn a_project_is_laid_out_once_and_under_a_name_that_the_host_takes() {
    let sandbox = Sandbox::new();
    let folder = sandbox.beside("projects/notebook");
    let dir = folder.to_str().unwrap();
    for language in ["rust", "python"] {
        let dir = format!("{dir}-{language}");
        let made = sandbox.hyp(["plugin", "new", "notebook", "--dir", &dir, "--lang", language]);
        assert_eq!(made.status, Some(0), "{made}");
        assert!(made.stderr.contains(&format!("build it: hyp plugin build {dir}")), "{made}");
        assert!(made.stdout.is_empty(), "{made}");
        assert!(Path::new(&dir).join("cases/two_turns/rows.json").is_file());
        let again = sandbox.hyp(["plugin", "new", "notebook", "--dir", &dir]);
        assert_eq!(again.status, Some(3), "{again}");
        assert!(again.stderr.contains("is there already, and not empty"), "{again}");
    }
    for name in ["Note", "list", "../x", "a b", ""] {
        let refused = sandbox.hyp(["plugin", "new", name, "--dir", dir]);
        assert_eq!(refused.status, Some(2), "{name}: {refused}");
        assert!(!folder.exists(), "{name}");
    }
}

#[test]
fn what_is_no_project_is_not_built() {
    let sandbox = Sandbox::new();
    let output = sandbox.hyp(["plugin", "build", sandbox.home().to_str().unwrap()]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("holds no project of a provider"), "{output}");
    assert!(output.stderr.contains("`hyp plugin new NAME` makes one"), "{output}");
}

#[test]
fn a_component_is_measured() {
    let sandbox = Sandbox::new();
    let case = cases(&sandbox, "qwen", 1);
    let on = files(&case)[0].clone();
    let on = on.ancestors().find(|path| path.ends_with("in")).unwrap().to_str().unwrap().to_owned();
    let output = sandbox.hyp(["plugin", "bench", &component("qwen"), "--on", &on, "--json"]);
    let figures = output.json();
    // How long things take, nobody can tell of a machine that does much else.
    for name in ["size", "units", "bytes", "fuel", "memory_bytes"] {
        assert!(figures[name].as_u64().unwrap() > 0, "{name}: {figures:#}");
    }
    let over = figures["over"].as_array().unwrap();
    assert!(!over.iter().any(|it| it == "fuel" || it == "memory"), "{figures:#}");
    assert_eq!(output.status, Some(i32::from(!over.is_empty())), "{output}");
    assert!(!sandbox.store().exists(), "nothing is stored");

    let empty = sandbox.beside("empty");
    fs::create_dir(&empty).unwrap();
    let output =
        sandbox.hyp(["plugin", "bench", &component("qwen"), "--on", empty.to_str().unwrap()]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stderr.contains("reads nothing below"), "{output}");
}
