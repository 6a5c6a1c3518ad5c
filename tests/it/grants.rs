//! What an installed provider may read: what was agreed to, below the home folder, and no more.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;
use wasm_encoder::{BlockType, Instruction, MemArg};

use crate::forge::{ENVIRONMENT, Forge, Root, reworded};
use crate::sandbox::{Output, Sandbox, guest, total};

/// A home with a guest's recordings in it, and the guest.
fn home() -> Sandbox {
    home_with(&fs::read(guest("good")).unwrap())
}

/// The same with another component for the guest.
fn home_with(component: &[u8]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("GUEST_HOME", sandbox.home().join("guest").to_str().unwrap());
    let line = "{\"id\":\"m1\",\"text\":\"said\",\"at\":\"2026-09-14T08:12:01Z\"}\n";
    sandbox.write("guest/a.jsonl", line.as_bytes());
    let file = sandbox.beside("good.wasm");
    fs::write(&file, component).unwrap();
    let told = sandbox.hyp(["plugin", "install", file.to_str().unwrap(), "--yes"]);
    assert_eq!(told.status, Some(0), "{told}");
    sandbox
}

fn install(sandbox: &Sandbox, forge: &Forge, more: &[&str]) -> Output {
    let file = sandbox.beside("it.wasm");
    fs::write(&file, forge.component()).unwrap();
    let args = ["plugin", "install", file.to_str().unwrap()];
    sandbox.hyp(args.into_iter().chain(more.iter().copied()))
}

fn state(sandbox: &Sandbox, name: &str) -> Value {
    let list = sandbox.hyp(["plugin", "list", "--json"]).json();
    let states = list["plugins"].as_array().unwrap();
    states.iter().find(|state| state["name"] == name).unwrap().clone()
}

#[test]
fn what_is_taken_back_is_not_lent_until_it_is_granted_again() {
    let sandbox = home();
    let told = sandbox.hyp(["plugin", "revoke", "good", "home"]);
    assert_eq!(told.status, Some(0), "{told}");
    assert!(told.stderr.contains("good may not read $GUEST_HOME: *.jsonl"), "{told}");
    assert_eq!(state(&sandbox, "good")["revoked"][0], "home");
    let report = sandbox.import(["good"]);
    assert_eq!((total(&report, "files_seen"), total(&report, "rows_written")), (0, 0));
    assert_eq!(report["providers"][0]["notes"][0], "not_lent root=home");

    let told = sandbox.hyp(["plugin", "grant", "good", "home"]);
    assert_eq!(told.status, Some(0), "{told}");
    assert_eq!(total(&sandbox.import(["good"]), "rows_written"), 1);

    for (command, name, root, line, status) in [
        ("grant", "good", "else", "`good` has no root `else`", 2),
        ("revoke", "good", "else", "`good` has no root `else`", 2),
        ("grant", "nobody", "home", "`nobody` is not installed", 1),
    ] {
        let output = sandbox.hyp(["plugin", command, name, root]);
        assert_eq!(output.status, Some(status), "{output}");
        assert!(output.stderr.contains(line), "{output}");
    }
}

/// A released contract of the same line: what was built against it runs as it did.
#[test]
fn a_component_of_an_earlier_contract_is_taken_as_it_is() {
    let sandbox = home_with(&reworded("good", b"@0.1.2", b"@0.1.0"));
    let list = fs::read_to_string(sandbox.store().join("plugins.lock")).unwrap();
    assert!(list.contains("contract = \"0.1.0\""), "{list}");
    assert_eq!(total(&sandbox.import(["good"]), "rows_written"), 1);
}

#[test]
fn a_component_that_wants_more_than_is_in_the_lock_gets_nothing_of_that_root() {
    let sandbox = home();
    let list = sandbox.store().join("plugins.lock");
    let text = fs::read_to_string(&list).unwrap();
    assert!(text.contains("contract = \"0.1.2\""), "{text}");
    fs::write(&list, text.replace("$GUEST_HOME: *.jsonl", "$GUEST_HOME: *.json")).unwrap();
    let output = sandbox.hyp(["backfill", "good", "--json"]);
    assert_eq!(output.status, Some(1), "{output}");
    let provider = &output.json()["providers"][0];
    assert_eq!((&provider["files_seen"], &provider["rows_written"]), (&0.into(), &0.into()));
    let error = provider["error"].as_str().unwrap();
    assert!(error.starts_with("`good` wants to read more as `home` than was agreed to"), "{error}");

    let asked = sandbox.hyp(["plugin", "update", "good"]);
    assert_eq!(asked.status, Some(3), "nobody is there to agree: {asked}");
    assert!(asked.stderr.contains("  will also read $GUEST_HOME: *.jsonl"), "{asked}");
    assert_eq!(sandbox.hyp(["plugin", "update", "good", "--yes"]).status, Some(0));
    assert_eq!(total(&sandbox.import(["good"]), "rows_written"), 1);
}

#[test]
fn an_update_asks_again_for_more_and_for_nothing_else() {
    let sandbox = Sandbox::new();
    let mut notebook = Forge::new("notebook");
    assert_eq!(install(&sandbox, &notebook, &["--yes"]).status, Some(0));
    let file = sandbox.beside("it.wasm");
    let before = fs::read(sandbox.store().join("plugins/notebook.wasm")).unwrap();

    notebook.version = "0.2.0".into();
    notebook.roots.push(Root::new("keys", ".ssh", "*"));
    fs::write(&file, notebook.component()).unwrap();
    let told = sandbox.hyp(["plugin", "update"]);
    assert_eq!(told.status, Some(3), "{told}");
    for line in ["notebook 0.1.0 -> 0.2.0", "  will also read ~/.ssh: *"] {
        assert!(told.stderr.lines().any(|found| found == line), "{line}\n{told}");
    }
    assert!(!told.stderr.contains("will also read ~/.notebook"), "{told}");
    let after = fs::read(sandbox.store().join("plugins/notebook.wasm")).unwrap();
    assert_eq!(before, after, "nothing changes before the yes");

    assert_eq!(sandbox.hyp(["plugin", "update", "--yes"]).status, Some(0));
    sandbox.hyp(["plugin", "revoke", "notebook", "keys"]);
    notebook.version = "0.3.0".into();
    notebook.roots.remove(0);
    fs::write(&file, notebook.component()).unwrap();
    let told = sandbox.hyp(["plugin", "update"]);
    assert_eq!(told.status, Some(0), "what was taken back is not asked about again: {told}");
    assert!(told.stderr.contains("  will not  read ~/.notebook: *.jsonl"), "{told}");
    assert_eq!(state(&sandbox, "notebook")["revoked"][0], "keys", "and is not lent either");
}

#[test]
fn a_root_outside_of_the_home_is_refused() {
    let mut sandbox = Sandbox::new();
    let outside = sandbox.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a.jsonl"), "{}\n").unwrap();
    let mut notebook = Forge::new("notebook");
    notebook.roots[0].variable = Some("NOTEBOOK_HOME".into());

    sandbox.set("NOTEBOOK_HOME", outside.to_str().unwrap());
    let told = install(&sandbox, &notebook, &["--yes"]);
    assert_eq!(told.status, Some(3), "{told}");
    assert!(
        told.stderr.contains("where its root `history` leads: it is outside of the home folder"),
        "{told}"
    );

    // Where the place is found only later, it is not lent.
    let home = sandbox.home();
    sandbox.set("NOTEBOOK_HOME", home.join("notebook").to_str().unwrap());
    assert_eq!(install(&sandbox, &notebook, &["--yes"]).status, Some(0));
    for (place, what) in [
        (outside.clone(), "outside of the home folder"),
        (home.clone(), "the whole home folder"),
        (sandbox.store(), "outside of the home folder"),
    ] {
        sandbox.set("NOTEBOOK_HOME", place.to_str().unwrap());
        let output = sandbox.hyp(["backfill", "notebook", "--json"]);
        assert_eq!(output.status, Some(1), "{output}");
        let provider = &output.json()["providers"][0];
        assert_eq!(provider["files_seen"], 0, "{provider:#}");
        assert!(provider["error"].as_str().unwrap().ends_with(what), "{what}: {provider:#}");
        let granted = sandbox.hyp(["plugin", "grant", "notebook", "history"]);
        assert_eq!(granted.status, Some(3), "{granted}");
        assert!(granted.stderr.contains(what), "{granted}");
    }
}

#[test]
fn a_symbolic_link_out_of_a_root_is_refused() {
    let sandbox = Sandbox::new();
    let secret = sandbox.beside("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("a.jsonl"), "{}\n").unwrap();
    sandbox.write(".notebook/kept.jsonl", b"{}\n");
    let notebook = sandbox.home().join(".notebook");
    symlink(secret.join("a.jsonl"), notebook.join("file.jsonl")).unwrap();
    symlink(&secret, notebook.join("folder")).unwrap();
    let mut forge = Forge::new("notebook");
    forge.roots[0].globs = vec!["**/*.jsonl".into()];
    assert_eq!(install(&sandbox, &forge, &["--yes"]).status, Some(0));
    let report = sandbox.import(["notebook"]);
    let provider = &report["providers"][0];
    assert_eq!(provider["files_seen"], 1, "{provider:#}");
    let notes = provider["notes"].to_string();
    for link in ["file.jsonl", "folder"] {
        let line = format!("link_not_followed path={}", notebook.join(link).display());
        assert!(notes.contains(&line), "{notes}");
    }

    // The root itself may be a link, as long as it stays in the home.
    fs::remove_dir_all(&notebook).unwrap();
    symlink(&secret, &notebook).unwrap();
    let output = sandbox.hyp(["backfill", "notebook", "--json"]);
    assert_eq!(output.status, Some(1), "{output}");
    let error = output.json()["providers"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("it is outside of the home folder"), "{error}");
}

#[test]
fn a_component_that_asks_wasi_for_the_environment_gets_none() {
    let mut sandbox = Sandbox::new();
    sandbox.set("SECRET", "of mine");
    sandbox.write(".asker/a.jsonl", b"{}\n");
    // Its plan is empty, unless there are variables: then it traps. The other way round shows that it looks.
    let (page, answer) = (Forge::data_at(), Forge::data_at() + 32);
    let length = MemArg { offset: 4, align: 2, memory_index: 0 };
    for (name, traps_without, status) in [("asker", false, 0), ("asker-too", true, 1)] {
        let mut code = vec![
            Instruction::I32Const(answer),
            Instruction::Call(ENVIRONMENT),
            Instruction::I32Const(answer),
            Instruction::I32Load(length),
        ];
        code.extend(traps_without.then_some(Instruction::I32Eqz));
        code.extend([
            Instruction::If(BlockType::Empty),
            Instruction::Unreachable,
            Instruction::End,
            Instruction::I32Const(page),
        ]);
        let asker = Forge {
            plan: Some(code),
            data: vec![0; 64],
            asks_wasi: true,
            roots: vec![Root::new("history", ".asker", "*.jsonl")],
            ..Forge::new(name)
        };
        let told = install(&sandbox, &asker, &["--yes", "--replace"]);
        assert_eq!(told.status, Some(0), "{told}");
        let output = sandbox.hyp(["backfill", name]);
        assert_eq!(output.status, Some(status), "{output}");
    }
}

#[test]
fn who_looks_into_the_folders_of_another_is_named() {
    let sandbox = Sandbox::new();
    for (home, is_shared) in [
        (".claude/projects", true),
        (".claude", true),
        (".claude/projects/deeper", true),
        (".claudette", false),
    ] {
        let mut notebook = Forge::new("notebook");
        notebook.roots[0].home = home.into();
        let told = install(&sandbox, &notebook, &[]);
        assert_eq!(told.status, Some(3), "{told}");
        let line = "beware    claude reads these folders, too: the same messages may come twice";
        assert_eq!(told.stderr.contains(line), is_shared, "{home}: {told}");
    }
}

#[test]
fn one_name_belongs_to_one_source() {
    let sandbox = Sandbox::new();
    let notebook = Forge::new("notebook");
    assert_eq!(install(&sandbox, &notebook, &["--yes"]).status, Some(0));
    let other = sandbox.beside("other.wasm");
    fs::write(&other, notebook.component()).unwrap();
    let args = ["plugin", "install", other.to_str().unwrap(), "--yes"];
    let told = sandbox.hyp(args);
    assert_eq!(told.status, Some(1), "{told}");
    assert!(told.stderr.contains("the name `notebook` is taken by what came from"), "{told}");
    assert_eq!(sandbox.hyp(args.into_iter().chain(["--replace"])).status, Some(0));
}
