//! Compiled components are kept, and a worker goes on after whatever happened to it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::bench::{Bench, line, source, unit};
use hyp_model::Explain;
use hyp_plugin::{Host, HostStats, Limits, Plugin, Registry, Stop};

fn host(folder: &Path) -> Arc<Host> {
    Host::new(Some(folder.join("compiled")), Limits::default()).unwrap()
}

/// Returns how many components were compiled and mapped, and how many guests started.
fn counts(stats: HostStats) -> (u64, u64, u64) {
    (stats.compiled, stats.mapped, stats.instantiated)
}

fn plan_nothing(plugin: &Plugin) {
    assert!(plugin.plan(&[], &mut Vec::new()).unwrap().units.is_empty());
}

fn files(folder: &Path, suffix: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.join("compiled")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().ends_with(suffix)).collect()
}

#[test]
fn a_component_is_compiled_once_and_then_mapped_when_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let first = host(folder.path());
    plan_nothing(&first.load(source("good")).unwrap());
    assert_eq!(counts(first.stats()), (1, 0, 2));

    let second = host(folder.path());
    let plugin = second.load(source("good")).unwrap();
    assert_eq!(plugin.description().name, "good");
    assert_eq!(counts(second.stats()), (0, 0, 0));
    plan_nothing(&plugin);
    plan_nothing(&plugin);
    assert_eq!(counts(second.stats()), (0, 1, 2));
}

#[test]
fn a_damaged_file_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    host(folder.path()).load(source("good")).unwrap();
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 3] = [
        (".cwasm", |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            fs::write(path, bytes).unwrap();
        }),
        (".cwasm", |path| fs::write(path, b"").unwrap()),
        (".json", |path| fs::write(path, b"{").unwrap()),
    ];
    for (suffix, spoil) in spoils {
        spoil(&files(folder.path(), suffix)[0]);
        let again = host(folder.path());
        plan_nothing(&again.load(source("good")).unwrap());
        assert_eq!(again.stats().compiled, 1, "{suffix}");

        let after = host(folder.path());
        plan_nothing(&after.load(source("good")).unwrap());
        assert_eq!(counts(after.stats()), (0, 1, 1), "{suffix}");
    }
}

#[test]
fn what_was_compiled_to_look_at_it_is_not_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let asked = Host::new(None, Limits::default()).unwrap();
    let (manifest, _, compiled) = asked.inspect(&source("good")).unwrap();
    compiled.keep(folder.path().join("compiled"), &manifest);
    let host = host(folder.path());
    plan_nothing(&host.load(source("good")).unwrap());
    assert_eq!(counts(host.stats()), (0, 1, 1));
}

#[cfg(unix)]
#[test]
fn native_code_that_was_found_sound_is_read_again_once_it_was_touched() {
    let folder = tempfile::tempdir().unwrap();
    host(folder.path()).load(source("good")).unwrap();
    let label = || fs::read_to_string(&files(folder.path(), ".json")[0]).unwrap();
    let load = || {
        let host = host(folder.path());
        plan_nothing(&host.load(source("good")).unwrap());
        host.stats().compiled
    };
    assert!(load() == 0 && label().contains("\"stamp\":null"), "it may be written to unseen");
    std::thread::sleep(std::time::Duration::from_millis(3_100));
    assert_eq!(load(), 0);
    let found = label();
    assert!(!found.contains("\"stamp\":null"), "{found}");
    assert_eq!((load(), label()), (0, found));

    // The same length, and the time of change as it was: what is left is when the file was touched.
    let code = &files(folder.path(), ".cwasm")[0];
    let modified = fs::metadata(code).unwrap().modified().unwrap();
    let mut bytes = fs::read(code).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(code, bytes).unwrap();
    fs::File::options().write(true).open(code).unwrap().set_modified(modified).unwrap();
    assert_eq!(load(), 1);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_reach_the_native_code() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    fs::create_dir(&compiled).unwrap();
    fs::set_permissions(&compiled, fs::Permissions::from_mode(0o777)).unwrap();
    host(folder.path()).load(source("good")).unwrap();
    assert_eq!(fs::metadata(&compiled).unwrap().permissions().mode() & 0o777, 0o700);
    for path in files(folder.path(), "") {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_worker_goes_on_with_the_next_unit() {
    let host = Host::new(None, Limits::default()).unwrap();
    let plugin = host.load(source("lying-ids")).unwrap();
    let bench = Bench::new("good", Limits::default());
    let (lie, empty) = (bench.file("a.jsonl", line(1).as_bytes()), bench.file("b.jsonl", b""));
    let mut worker = plugin.worker();
    let mut scan = |lent| {
        worker.scan(&unit(&[lent]), None, &AtomicBool::new(false), &mut |_| Ok(())).map(|_| ())
    };
    scan(empty.clone()).unwrap();
    scan(empty.clone()).unwrap();
    assert_eq!(host.stats().instantiated, 2, "one described itself, one reads");
    scan(lie).unwrap_err();
    scan(empty).unwrap();
    assert_eq!(host.stats().instantiated, 3, "a liar is replaced");
}

#[test]
fn a_scan_stops_when_it_is_told_to() {
    let bench = Bench::new("good", Limits::default());
    let text: String = (0..20_000).map(line).collect();
    let unit = unit(&[bench.file("a.jsonl", text.as_bytes())]);
    let cancelled = AtomicBool::new(true);
    let mut worker = bench.plugin.worker();
    let report = worker.scan(&unit, None, &cancelled, &mut |_| panic!("it went on")).unwrap();
    assert!(report.stopped);

    let mut pages = 0;
    let go_on = AtomicBool::new(false);
    let report = worker.scan(&unit, None, &go_on, &mut |_| {
        pages += 1;
        Err(Stop)
    });
    let report = report.unwrap();
    assert!(report.stopped && pages == 1, "{pages} pages");
    assert!(report.inputs[0].bytes_read < text.len() as u64);
}

#[test]
fn two_providers_cannot_have_one_name() {
    let host = Host::new(None, Limits::default()).unwrap();
    let mut registry = Registry::new();
    for name in ["trap", "good"] {
        registry.add(host.load(source(name)).unwrap()).unwrap();
    }
    let error = registry.add(host.load(source("good")).unwrap()).unwrap_err();
    assert_eq!(error.code(), "hyp::plugin::name_taken");
    assert_eq!(registry.names().collect::<Vec<_>>(), ["good", "trap"]);
}
