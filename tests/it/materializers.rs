//! Materializers from elsewhere: what they take and fill is agreed to, is nobody else's, and is all that they get.

use std::fs;

use serde_json::{Value, json};

use crate::forge::reworded;
use crate::sandbox::{Output, Sandbox, guest, repository, total};

/// A component of another's that takes `guests.entry` and fills `entries` and `balances`.
fn ledger() -> String {
    guest("ledger").to_str().unwrap().to_owned()
}

/// A sandbox with that component.
pub(crate) fn installed() -> Sandbox {
    let sandbox = Sandbox::new();
    let told = sandbox.hyp(["plugin", "install", &ledger(), "--yes"]);
    assert_eq!(told.status, Some(0), "{told}");
    sandbox
}

fn record(sandbox: &Sandbox, kind: &str, items: &Value) -> Output {
    let file = sandbox.beside("items.json");
    fs::write(&file, items.to_string()).unwrap();
    sandbox.hyp(["record", kind, "--json", file.to_str().unwrap(), "--report-json"])
}

fn entries(sandbox: &Sandbox) -> Vec<String> {
    sandbox.rows("select amount, _hyp_source_id from entries order by amount")
}

fn state(sandbox: &Sandbox, name: &str) -> Value {
    let list = sandbox.hyp(["plugin", "list", "--json"]).json();
    let states = list["plugins"].as_array().unwrap();
    states.iter().find(|state| state["name"] == name).unwrap().clone()
}

#[test]
fn what_it_takes_and_fills_is_shown_before_anything_is_installed() {
    let sandbox = Sandbox::new();
    let asked = sandbox.hyp(["plugin", "install", &ledger()]);
    assert_eq!(asked.status, Some(3), "nobody is there to agree: {asked}");
    for line in ["  takes     guests.entry", "  fills     entries (append-only)"] {
        assert!(asked.stderr.lines().any(|found| found == line), "{line}\n{asked}");
    }
    let seen = sandbox.hyp(["plugin", "inspect", &ledger(), "--json"]).json();
    assert_eq!(
        (&seen["is"], &seen["datasets"]),
        (&json!("materializer"), &json!(["entries", "balances", "moods"]))
    );
    let refused = record(&sandbox, "guests.entry", &json!([{"id": "a"}]));
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("no materializer takes items of kind `guests.entry`"),
        "{refused}"
    );
}

#[test]
fn a_column_with_a_set_of_words_holds_no_other() {
    let sandbox = installed();
    let item = |unit: Value| json!([{"id": unit.as_str().unwrap_or("none"), "unit": unit}]);
    for unit in [json!("feet"), Value::Null] {
        let told = record(&sandbox, "guests.entry", &item(unit));
        assert_eq!(told.status, Some(0), "{told}");
    }
    let refused = record(&sandbox, "guests.entry", &item(json!("miles")));
    assert_eq!(refused.status, Some(1), "{refused}");
    let told = "materializer `ledger`: `unit` is one of metres, feet, not `miles`";
    assert!(refused.stderr.contains(told), "{refused}");
    assert_eq!(entries(&sandbox).len(), 2);
}

/// What was built before a contract had words for sets of words has none, and runs as it did.
#[test]
fn a_materializer_that_lists_no_words_takes_any() {
    let component = reworded("ledger", b"backfill/value-sets@", b"backfill/value-nets@");
    let sandbox = Sandbox::new();
    let file = sandbox.beside("it.wasm");
    fs::write(&file, component).unwrap();
    let told = sandbox.hyp(["plugin", "install", file.to_str().unwrap(), "--yes"]);
    assert_eq!(told.status, Some(0), "{told}");
    let told = record(&sandbox, "guests.entry", &json!([{"id": "a", "unit": "miles"}]));
    assert_eq!(told.status, Some(0), "{told}");
    assert_eq!(entries(&sandbox).len(), 1);
}

#[test]
fn items_become_its_rows_and_the_run_can_be_undone() {
    let sandbox = installed();
    let items = json!([{"id": "a", "amount": 2}, {"id": "b", "amount": 3}]);
    let told = record(&sandbox, "guests.entry", &items);
    assert_eq!(told.status, Some(0), "{told}");
    assert_eq!(entries(&sandbox).len(), 2);
    let again = record(&sandbox, "guests.entry", &items);
    assert_eq!(again.json()["items"]["already_imported"], 2, "{again}");

    let run = told.json()["run_id"].as_str().unwrap().to_owned();
    let undone = sandbox.hyp(["runs", "undo", &run, "--commit"]);
    assert_eq!(undone.status, Some(0), "{undone}");
    assert_eq!(entries(&sandbox), Vec::<String>::new());
}

#[test]
fn rows_of_one_that_was_removed_stay_and_are_told_as_not_undone() {
    let sandbox = installed();
    let told = record(&sandbox, "guests.entry", &json!([{"id": "a", "amount": 2}]));
    let run = told.json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.hyp(["plugin", "remove", "ledger"]).status, Some(0));
    assert_eq!(entries(&sandbox).len(), 1);
    let undone = sandbox.hyp(["runs", "undo", &run, "--commit", "--json"]);
    assert_eq!(undone.status, Some(3), "{undone}");
    let kept = &undone.json()["kept"][0];
    assert_eq!(kept["reason"], "no component declares the dataset any more", "{undone}");
    assert_eq!(entries(&sandbox).len(), 1);
}

/// A home with a component of another's that reads `*.jsonl` and emits items of `guests.entry`.
fn with_tides(lines: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("GUEST_HOME", sandbox.home().join("guest").to_str().unwrap());
    sandbox.write("guest/a.jsonl", lines.as_bytes());
    let tides = guest("tides");
    let told = sandbox.hyp(["plugin", "install", tides.to_str().unwrap(), "--yes"]);
    assert_eq!(told.status, Some(0), "{told}");
    sandbox
}

#[test]
fn a_provider_of_its_kind_runs_once_it_is_there() {
    let sandbox = with_tides("{\"id\":\"a\",\"amount\":2}\n{\"id\":\"b\",\"amount\":3}\n");
    let lacking = sandbox.hyp(["backfill", "tides", "--commit"]);
    assert_eq!(lacking.status, Some(1), "{lacking}");
    assert!(
        lacking.stderr.contains("no materializer takes items of kind `guests.entry`"),
        "{lacking}"
    );
    assert_eq!(sandbox.hyp(["plugin", "install", &ledger(), "--yes"]).status, Some(0));
    let plan = sandbox.hyp(["backfill", "tides", "--json"]);
    assert_eq!(plan.json()["providers"][0]["changes"]["committed"], false, "{plan}");
    let ran = sandbox.hyp(["backfill", "tides", "--commit", "--json"]);
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(ran.json()["providers"][0]["datasets"], json!(["balances", "entries", "moods"]));
    assert_eq!(entries(&sandbox).len(), 2);
    let again = sandbox.hyp(["backfill", "tides", "--commit", "--json"]);
    assert_eq!(total(&again.json(), "rows_written"), 0, "{again}");
}

#[test]
fn a_check_that_is_not_as_it_should_be_fails_the_run_which_can_be_undone() {
    let sandbox = with_tides("{\"id\":\"a\",\"amount\":2}\n{\"id\":\"b\",\"amount\":-3}\n");
    assert_eq!(sandbox.hyp(["plugin", "install", &ledger(), "--yes"]).status, Some(0));
    let ran = sandbox.hyp(["backfill", "tides", "--commit", "--json"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    let report = ran.json();
    let error = report["providers"][0]["error"].as_str().unwrap();
    assert!(error.contains("amounts") && error.contains('0') && error.contains('1'), "{error}");
    assert_eq!(report["providers"][0]["status"], "failed");
    let check = &report["providers"][0]["changes"]["checks"][0];
    assert_eq!((&check["expected"], &check["found"]), (&json!(0), &json!(1)));
    assert_eq!(sandbox.rows("select status from runs where kind = 'import'"), ["failed"]);
    let run = report["run_id"].as_str().unwrap();
    assert_eq!(sandbox.hyp(["runs", "undo", run, "--commit"]).status, Some(0));
    assert_eq!(entries(&sandbox), Vec::<String>::new());
}

#[test]
fn a_changed_file_is_refused_and_takes_nothing_else_down() {
    let sandbox = installed();
    let file = sandbox.store().join("plugins/ledger.wasm");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let refused = record(&sandbox, "guests.entry", &json!([{"id": "a"}]));
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("plugins/ledger.wasm` has digest"), "{refused}");
    assert_eq!(sandbox.hyp(["plugin", "verify"]).status, Some(1));
    let good = record(&sandbox, "registry.agent_type_evidence", &json!([{"id": "a"}]));
    assert!(!good.stderr.contains("ledger"), "{good}");
    assert_eq!(sandbox.hyp(["backfill"]).status, Some(0), "conversations need none of it");
}

#[test]
fn a_kind_or_a_dataset_of_another_is_not_taken() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.store()).unwrap();
    let entry = |name: &str, kind: &str, dataset: &str| {
        format!(
            "[[plugin]]\nname = \"{name}\"\ndigest = \"aa\"\n[plugin.materializer]\n\
             kinds = [\"{kind}\"]\ndatasets = [\"{dataset}\"]\n"
        )
    };
    let list = sandbox.store().join("plugins.lock");
    for (text, line) in [
        (
            entry("other", "guests.entry", "x"),
            "`ledger` takes items of kind `guests.entry`, as `other` does",
        ),
        (entry("other", "x.y", "entries"), "`ledger` fills dataset `entries`, as `other` does"),
    ] {
        fs::write(&list, text).unwrap();
        let refused = sandbox.hyp(["plugin", "install", &ledger(), "--yes"]);
        assert_eq!(refused.status, Some(1), "{refused}");
        assert!(refused.stderr.contains(line), "{line}\n{refused}");
    }
    fs::write(&list, entry("thief", "registry.test_run", "agent_compliance_runs")).unwrap();
    let error = state(&sandbox, "thief")["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("as `registry-compliance` does"),
        "what the list says counts for nothing: {error}"
    );

    let bundled = repository().join("providers/dist/registry-compliance.wasm");
    fs::remove_file(&list).unwrap();
    let refused = sandbox.hyp(["plugin", "install", bundled.to_str().unwrap(), "--yes"]);
    assert!(refused.stderr.contains("is taken by a bundled component"), "{refused}");
}

#[test]
fn one_that_breaks_writes_nothing() {
    let sandbox = installed();
    assert_eq!(record(&sandbox, "guests.entry", &json!([{"id": "a"}])).status, Some(0));
    let before = entries(&sandbox);
    for (kind, line) in [
        ("guests.trap", "on purpose"),
        ("guests.lost", "it answered about an item that it was not given"),
        ("guests.stray", "it queued an item of a kind that it does not declare"),
    ] {
        let broken = record(&sandbox, kind, &json!([{"id": "b"}]));
        assert_eq!(broken.status, Some(1), "{broken}");
        assert!(broken.stderr.contains(line), "{line}\n{broken}");
    }
    assert_eq!(entries(&sandbox), before);
}

#[test]
fn what_a_materializer_gives_must_fit_what_it_declares() {
    let sandbox = installed();
    assert_eq!(record(&sandbox, "guests.entry", &json!([{"id": "a"}])).status, Some(0));
    let before = entries(&sandbox);
    for (does, line) in [
        ("another_dataset", "dataset `others` is none that is declared"),
        ("another_column", "dataset `entries` has no column `secret`"),
        ("a_column_of_the_host", "dataset `entries` has no column `_hyp_run_id`"),
        ("another_type", "column `amount` of dataset `entries` cannot hold what it was given"),
        ("a_longer_key", "a key of dataset `balances` has 1 values, not 2"),
        ("a_flood", "it queued more items than it may"),
        ("memory", "memory"),
        ("no_end", "did not come back"),
    ] {
        let items = json!([{"id": "b", "does": does}, {"id": "c", "does": does}]);
        let refused = record(&sandbox, "guests.odd", &items);
        assert_eq!(refused.status, Some(1), "{does}: {refused}");
        assert!(refused.stderr.contains(line), "{does}: {line}\n{refused}");
        assert_eq!(refused.stderr.lines().filter(|it| it.starts_with("error")).count(), 1);
    }
    assert_eq!(entries(&sandbox), before);
    assert_eq!(record(&sandbox, "guests.entry", &json!([{"id": "d"}])).status, Some(0));
}

#[test]
fn a_materializer_sees_its_own_datasets_only() {
    let sandbox = installed();
    let items = json!([{"id": "a", "does": "a_look_elsewhere"}]);
    let told = record(&sandbox, "guests.odd", &items);
    assert_eq!(told.status, Some(0), "{told}");
    let outcomes = told.json()["outcomes"].to_string();
    assert!(outcomes.contains("is another materializer's"), "{outcomes}");
}

#[test]
fn its_cases_are_items_and_odd_values_may_be_refused_but_break_nothing() {
    let sandbox = Sandbox::new();
    let case = sandbox.beside("cases/two/in");
    fs::create_dir_all(&case).unwrap();
    let items = "{\"id\":\"a\",\"amount\":2}\n{\"id\":\"b\",\"amount\":3}\n";
    fs::write(case.join("guests.entry.jsonl"), items).unwrap();
    let cases = sandbox.beside("cases");
    let args = ["plugin", "test", &ledger(), "--cases", cases.to_str().unwrap()];
    let unknown = sandbox.hyp(args);
    assert_eq!(unknown.status, Some(1), "{unknown}");
    assert!(unknown.stdout.contains("there is no `rows.json`"), "{unknown}");
    let blessed = sandbox.hyp(args.into_iter().chain(["--bless"]));
    assert_eq!(blessed.status, Some(0), "{blessed}");
    let told = sandbox.hyp(args);
    assert!(told.stdout.starts_with("ok     two: 2 rows, 12 damaged items\n"), "{told}");
    fs::write(case.join("guests.trap.jsonl"), "{\"id\":\"c\"}\n").unwrap();
    let broken = sandbox.hyp(args);
    assert_eq!(broken.status, Some(1), "{broken}");
    assert!(broken.stdout.contains("guests.trap, `id` is null"), "{broken}");
}

#[test]
fn a_trial_of_who_fills_datasets_shows_their_rows() {
    let sandbox = with_tides("{\"id\":\"a\",\"amount\":2}\n{\"id\":\"b\",\"amount\":3}\n");
    let tides = guest("tides");
    let folder = sandbox.home().join("guest");
    let args = [
        "plugin",
        "run",
        tides.to_str().unwrap(),
        "--on",
        folder.to_str().unwrap(),
        "--limit",
        "1",
    ];
    let lacking = sandbox.hyp(args);
    assert_eq!(lacking.status, Some(1), "{lacking}");
    assert_eq!(sandbox.hyp(["plugin", "install", &ledger(), "--yes"]).status, Some(0));
    let told = sandbox.hyp(args);
    assert_eq!(told.status, Some(0), "{told}");
    let table = told.stdout.split("\n\n").find(|it| it.starts_with("entries\n")).unwrap();
    let mut lines = table.lines().skip(1);
    let columns: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(columns, ["id", "amount", "unit"]);
    assert_eq!(lines.count(), 2, "a rule, and one row: {told}");
    assert!(told.stderr.contains("2 rows, none of them stored"), "{told}");
    assert!(!sandbox.store().join("catalog.db").exists(), "nothing is stored");
}
