//! Tests of `discover`.

use super::*;
use hyp_plugin::Candidate;
use std::collections::BTreeMap;
use std::fs;

fn description(globs: &[&str], purpose: Purpose) -> Description {
    Description {
        name: "test".into(),
        title: "Test".into(),
        version: "1.0.0".into(),
        summary: String::new(),
        kinds: vec!["ai_gateway.projected_exchange".into()],
        clients: Vec::new(),
        roots: vec![Root {
            name: "logs".into(),
            purpose,
            candidates: vec![Candidate::Home("logs".into()), Candidate::Home("more".into())],
            globs: globs.iter().map(|glob| (*glob).to_owned()).collect(),
            depth: 8,
            tables: Vec::new(),
        }],
        settings: Vec::new(),
    }
}

fn places(home: &Path) -> Places {
    Places {
        history_home: home.to_path_buf(),
        history_folder: None,
        store: home.join("logs/store"),
        environment: BTreeMap::new(),
        sources: BTreeMap::new(),
    }
}

fn listed(description: &Description, places: &Places) -> Found {
    discover(description, &Lending::Everything, places, &terms(&places.store, false)).unwrap()
}

fn write(home: &Path, path: &str) {
    let file = home.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, path).unwrap();
}

fn paths(found: &Found) -> Vec<String> {
    let mut paths: Vec<_> = found.files.iter().map(|lent| lent.entry.path.clone()).collect();
    paths.sort();
    paths
}

#[test]
fn several_roots_are_merged_and_suffixes_are_taken_off() {
    let home = tempfile::tempdir().unwrap();
    for path in ["logs/a/x.jsonl", "logs/y.jsonl.zst", "more/z.jsonl.gz", "logs/other.txt"] {
        write(home.path(), path);
    }
    let found = listed(&description(&["**/*.jsonl"], Purpose::History), &places(home.path()));
    assert_eq!(paths(&found), ["a/x.jsonl", "y.jsonl", "z.jsonl"]);
    assert!(found.has_source);
}

#[test]
fn neither_the_store_nor_a_folder_named_like_a_file_is_listed() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "logs/store/inside.jsonl");
    fs::create_dir_all(home.path().join("logs/folder.jsonl")).unwrap();
    let found = listed(&description(&["**/*.jsonl"], Purpose::History), &places(home.path()));
    assert!(paths(&found).is_empty());
}

#[cfg(unix)]
#[test]
fn links_inside_a_root_are_not_followed_and_a_linked_root_is() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "elsewhere/x.jsonl");
    std::os::unix::fs::symlink(home.path().join("elsewhere"), home.path().join("logs")).unwrap();
    std::os::unix::fs::symlink("..", home.path().join("elsewhere/loop")).unwrap();
    std::os::unix::fs::symlink("x.jsonl", home.path().join("elsewhere/y.jsonl")).unwrap();
    let found = listed(&description(&["**/*.jsonl"], Purpose::History), &places(home.path()));
    assert_eq!(paths(&found), ["x.jsonl"]);
}

#[test]
fn a_place_of_notice_is_told_and_never_opened() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "logs/secret.jsonl");
    let mut description = description(&["**/*.jsonl"], Purpose::Notice);
    description.roots[0].name = "unsupported_location:desktop_app".into();
    let found = listed(&description, &places(home.path()));
    assert!(found.files.is_empty() && !found.has_source);
    assert_eq!(found.notes[0].event, "unsupported_location");
    assert_eq!(found.notes[0].attributes[1], ("location_kind".into(), "desktop_app".into()));
}

#[test]
fn a_database_is_as_young_and_as_large_as_its_log_makes_it() {
    let home = tempfile::tempdir().unwrap();
    for path in ["logs/chats.db", "logs/chats.db-wal", "logs/chats.db-shm", "logs/chats.db.gz"] {
        write(home.path(), path);
    }
    let mut description = description(&["*.db"], Purpose::History);
    let table = hyp_plugin::Table { name: "chat".into(), columns: vec!["id".into()] };
    description.roots[0].tables.push(table);
    let found = listed(&description, &places(home.path()));
    assert_eq!(paths(&found), ["chats.db"]);
    let lent = &found.files[0];
    assert_eq!(lent.entry.size, ("logs/chats.db".len() + "logs/chats.db-wal".len()) as u64);
    assert!(lent.database.is_some());
}
