//! A component of the older contract, from its description to its messages.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use hyp_model::event::{Content, Event};

use crate::{Compression, Entry, Host, Lent, Limits, Plugin, Source, UnitInputs, digest_of};

fn guest() -> std::sync::Arc<Plugin> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/dist/elder.wasm");
    let digest = digest_of(&std::fs::read(&path).unwrap());
    Host::new(None, Limits::default()).unwrap().load(Source::File { path, digest }).unwrap()
}

/// Writes a file and lends it.
fn lend(folder: &Path, path: &str, text: &str) -> Lent {
    std::fs::write(folder.join(path), text).unwrap();
    let (root, size) = ("history".to_owned(), text.len() as u64);
    Lent {
        entry: Entry { root, path: path.to_owned(), size, modified: 0 },
        file: folder.join(path),
        compression: Compression::None,
        database: None,
    }
}

#[test]
fn a_component_of_an_older_contract_is_read_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = guest();
    let description = plugin.description();
    assert_eq!((description.name.as_str(), description.roots[0].depth), ("elder", 1));

    let lent = lend(folder.path(), "a.txt", "hello\n# a remark\nworld");
    let plan = plugin.plan(std::slice::from_ref(&lent), &mut Vec::new()).unwrap();
    assert_eq!(plan.units[0].id, "a.txt");
    let unit = UnitInputs { id: "a.txt".into(), inputs: vec![lent], context: Vec::new() };
    let mut texts = Vec::new();
    let report = plugin
        .worker()
        .scan(&unit, None, &AtomicBool::new(false), &mut |page| {
            for event in page.events {
                if let Event::Message(message) = event
                    && let Content::Text(text) = &message.parts[0].content
                {
                    texts.push(format!("{}: {}", message.role, text.value));
                }
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(texts, ["user: hello", "user: world"]);
    assert_eq!((report.inputs[0].bytes_read, report.counters.len()), (22, 0));
}

#[test]
fn what_an_older_contract_does_not_know_is_not_asked_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let lent = lend(folder.path(), "a.txt", "hello\n");
    let unit = UnitInputs { id: "a.txt".into(), inputs: vec![lent], context: Vec::new() };
    let from = crate::Checkpoint { input: 0, offset: 6, state: vec![1] };
    let scan = guest().worker().scan(&unit, Some(&from), &AtomicBool::new(false), &mut |_| Ok(()));
    assert!(scan.unwrap_err().to_string().contains("no checkpoints"));
}
