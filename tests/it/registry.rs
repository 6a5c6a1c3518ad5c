//! Backfills of a registry of agents: tests of the history that it kept, types of agents, suites that are tested on schedule.

mod adoption;
mod agents;
mod compliance;
mod files;
mod guards;
mod plans;
mod probing;
mod record;
mod shown;
mod specified;
mod suites;
mod undo;
mod values;
mod views;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox, fixtures};

/// A sandbox with a registry that its settings name.
pub(crate) struct Registry {
    pub(crate) sandbox: Sandbox,
    settings: String,
}

impl Registry {
    /// Makes the database of a fixture, and names it with everything granted.
    pub(crate) fn new(fixture: &str) -> Self {
        let sandbox = Sandbox::new();
        let text = fs::read_to_string(fixtures().join("registry").join(fixture)).unwrap();
        let path = sandbox.beside("registry.sqlite");
        let made = Connection::open(&path).unwrap();
        made.execute_batch(&text).unwrap();
        let tables: Vec<String> = made
            .prepare("select name from sqlite_schema where type = 'table'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        drop(made);
        let grants: Vec<String> = tables.iter().map(|table| format!("\"{table}.*\"")).collect();
        let settings = format!(
            "[sources.registry]\npath = {:?}\ngrants = [{}]\n",
            path.display().to_string(),
            grants.join(", ")
        );
        let registry = Self { sandbox, settings };
        registry.settle("");
        registry
    }

    /// Makes the database of a fixture, and adopts what it holds already.
    pub(crate) fn adopted(fixture: &str) -> Self {
        let registry = Self::new(fixture);
        let told = registry.run("registry-state", &["--commit"]);
        assert_eq!(told["committed"], true, "{told}");
        registry
    }

    /// Adds to the settings.
    pub(crate) fn settle(&self, more: &str) {
        fs::create_dir_all(self.sandbox.store()).unwrap();
        let text = format!("{}\n{more}", self.settings);
        fs::write(self.sandbox.store().join("config.toml"), text).unwrap();
    }

    /// Grants something else than everything.
    pub(crate) fn grant(&self, grants: &[&str]) {
        let path = self.source().display().to_string();
        let text = format!("[sources.registry]\npath = {path:?}\ngrants = {grants:?}\n");
        fs::write(self.sandbox.store().join("config.toml"), text).unwrap();
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.sandbox.beside("registry.sqlite")
    }

    /// Changes the source.
    pub(crate) fn change(&self, sql: &str) {
        Connection::open(self.source()).unwrap().execute_batch(sql).unwrap();
    }

    /// Asks or changes the catalog, as a test may.
    pub(crate) fn catalog(&self) -> Connection {
        Connection::open(self.sandbox.store().join("catalog.db")).unwrap()
    }

    /// Runs a provider and returns how that ended.
    pub(crate) fn try_run(&self, provider: &str, more: &[&str]) -> Output {
        let args = ["backfill", provider, "--json"].into_iter().chain(more.iter().copied());
        self.sandbox.hyp(args)
    }

    /// Runs a provider, which must succeed, and returns what it did to datasets.
    pub(crate) fn run(&self, provider: &str, more: &[&str]) -> Value {
        let output = self.try_run(provider, more);
        assert_eq!(output.status, Some(0), "{output}");
        changes(&output)
    }

    /// Asserts that each test of the fixture's history is counted under its reason.
    pub(crate) fn assert_history(told: &Value) {
        assert_eq!(
            counts(&told["items"]),
            expected(&[("inserted", 30), ("already_imported", 3), ("after_cutover", 8)])
        );
        assert_eq!(
            counts(&told["skipped"]),
            expected(&[
                ("no_user", 5),
                ("not_owner", 6),
                ("not_member", 2),
                ("opted_out", 2),
                ("orphan_context", 1),
            ])
        );
    }

    /// Returns the rows of a query, a line each.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.sandbox.rows(sql)
    }

    /// Returns the one value that a query gives.
    pub(crate) fn one(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows[0].clone()
    }

    /// Returns every file of the warehouse, with what is in it.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = crate::sandbox::files(&self.sandbox.store().join("warehouse"));
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Returns the status of each agent: what it is, since when, and by which headline.
    pub(crate) fn status(&self) -> Vec<String> {
        self.rows(
            "select substr(agent_url, 9, 4) || ' ' || status || ' ' || coalesce(headline, '-')
                 || ' ' || to_char(last_checked_at, '%m-%d')
                 || ' ' || coalesce(to_char(last_passed_at, '%m-%d'), '-')
                 || ' ' || coalesce(to_char(last_failed_at, '%m-%d'), '-')
             from agent_compliance_status order by agent_url",
        )
    }
}

/// Returns what a run did to datasets.
pub(crate) fn changes(output: &Output) -> Value {
    output.json()["providers"][0]["changes"].clone()
}

/// Returns counts by name.
pub(crate) fn counts(of: &Value) -> BTreeMap<String, u64> {
    let object = of.as_object().unwrap();
    object.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect()
}

/// Returns counts by name, as they are expected.
pub(crate) fn expected(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// Returns the id of the run that an output tells of.
pub(crate) fn run_id(output: &Output) -> String {
    output.json()["run_id"].as_str().unwrap().to_owned()
}
