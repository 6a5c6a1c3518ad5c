//! Backfills of a registry of agents: what is recorded goes where it belongs, limits hold, nothing good is replaced by nothing.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::hyp::{Hyp, repository};

/// A store whose settings name a database made from a fixture, with everything granted.
struct Agents {
    hyp: Hyp,
}

pub(crate) fn check() -> Result<()> {
    owners_and_others()?;
    a_limit_of_twenty_five()?;
    asked_again()?;
    as_by_cost()
}

/// The run of an owner is canonical and nothing else; that of another is history and nothing else.
fn owners_and_others() -> Result<()> {
    let agents = Agents::new("compliance.sql", "")?;
    agents.commit("registry-state")?;
    agents.commit("registry-history")?;
    let counts = || -> Result<[String; 2]> {
        let count = |table| agents.text(&format!("select count(*) as n from {table}"), "n");
        Ok([count("agent_compliance_runs")?, count("agent_test_history")?])
    };
    for (id, is_owner, expected) in [("other", false, ["45", "1"]), ("own", true, ["46", "1"])] {
        agents.record(
            "registry.test_run",
            &json!({
                "id": id, "agent_url": "https://buoy.example/mcp", "tested_at": "2026-07-14T00:00:00Z",
                "passed": false, "summary": id, "steps_passed": 1, "steps_failed": 2, "is_owner": is_owner,
            }),
        )?;
        ensure!(counts()? == expected, "{id}: {:?}", counts()?);
    }
    // What was imported is not imported again, and what is recorded by now is left to those who record.
    let told = agents.commit("registry-history")?;
    ensure!(told["items"] == json!({ "already_imported": 33, "after_cutover": 8 }), "{told:#}");
    ensure!(counts()? == ["46", "1"], "{:?}", counts()?);
    Ok(())
}

/// Twenty-five types are changed, twenty-six are refused.
fn a_limit_of_twenty_five() -> Result<()> {
    for flips in [25, 26] {
        let mut sql =
            "delete from member_profiles; delete from agent_capabilities_snapshot;\n".to_owned();
        for at in 0..40 {
            let kind = if at < flips { "buying" } else { "sales" };
            let url = format!("https://many-{at}.example/mcp");
            write!(
                sql,
                "insert into member_profiles values ('p{at}', 'o', 's{at}', '[{{\"url\":\"{url}\",\"type\":\"{kind}\"}}]', '2026-06-01T00:00:00Z');
                 insert into agent_capabilities_snapshot values ('{url}', 'mcp', 'sales', null, 0, '2026-06-28T00:00:00Z');"
            )?;
        }
        let agents = Agents::new("agents.sql", &sql)?;
        agents.commit("registry-state")?;
        let ran = agents.commit("agent-types");
        let left =
            agents.text("select count(*) as n from member_agents where type = 'buying'", "n")?;
        if flips == 25 {
            ran?;
            ensure!(left == "0", "{left} were left");
        } else {
            let refused = ran.err().context("26 changes were made")?.to_string();
            ensure!(refused.contains("26 changes, limit 25"), "{refused}");
            ensure!(left == "26", "{left} were left");
        }
    }
    Ok(())
}

/// An answer that does not come, and one that says nothing, take no type away.
fn asked_again() -> Result<()> {
    let agents = Agents::new("agents.sql", "")?;
    let script = agents.beside("answers.json");
    // Whoever is not in it does not answer.
    let answers = json!({
        "https://bare-silent.example/mcp": { "inferred_type": "sales", "elapsed_ms": 9 },
        "https://sales-silent.example/mcp": { "failure": "timeout", "elapsed_ms": 30_000 },
        "https://buying-silent.example/mcp": { "elapsed_ms": 31 },
    });
    fs::write(&script, answers.to_string())?;
    agents.settle(&format!("[probe]\nallow = [\"*\"]\nscript = {script:?}\n"))?;
    agents.commit("registry-state")?;
    let of = |table: &str, column: &str| {
        let sql = format!(
            "select string_agg(agent_url || ' ' || {column}, ';' order by agent_url) as them from {table}
             where {column} is not null and {column} <> 'unknown'"
        );
        agents.text(&sql, "them")
    };
    let before =
        [of("agent_capabilities_snapshot", "inferred_type")?, of("member_agents", "type")?];
    let told = agents.commit("registry-reprobe")?;
    ensure!(told["outcomes"]["newly_classified.sales"] == 1, "{told:#}");
    let after = [of("agent_capabilities_snapshot", "inferred_type")?, of("member_agents", "type")?];
    let found = "https://bare-silent.example/mcp sales";
    for (before, after) in before.iter().zip(&after) {
        let kept = after.split(';').filter(|one| *one != found).collect::<Vec<_>>().join(";");
        ensure!(&kept == before, "{before}\n{after}");
        ensure!(after.contains(found), "{after}");
    }
    Ok(())
}

/// The column that is derived at first makes the same suites due as their cost does, and stays as it is.
fn as_by_cost() -> Result<()> {
    let agents = Agents::new("suites.sql", "")?;
    agents.commit("registry-state")?;
    let names = |condition: &str| {
        let sql = format!(
            "select string_agg(test_name, ';' order by test_name) as them from test_suites where {condition}"
        );
        agents.text(&sql, "them")
    };
    let (derived, free) = (names("scheduled_testing_eligible")?, names("external_cost_cents = 0")?);
    ensure!(derived == free && derived.contains(';'), "{derived}\n{free}");
    let again = agents.commit("test-suites")?;
    ensure!(again["datasets"]["test_suites"]["updated"] == 0, "{again:#}");
    Ok(())
}

impl Agents {
    fn new(fixture: &str, change: &str) -> Result<Self> {
        let agents = Self { hyp: Hyp::new()? };
        let sql = fs::read_to_string(repository().join("fixtures/registry").join(fixture))?;
        Connection::open(agents.beside("registry.sqlite"))?
            .execute_batch(&format!("{sql}{change}"))?;
        agents.settle("")?;
        Ok(agents)
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.hyp.home().join(name)
    }

    /// Writes the settings: the database with all of its tables, and more.
    fn settle(&self, more: &str) -> Result<()> {
        let path = self.beside("registry.sqlite");
        let made = Connection::open(&path)?;
        let mut names =
            made.prepare("select name || '.*' from sqlite_schema where type = 'table'")?;
        let names: Vec<String> =
            names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        fs::create_dir_all(self.hyp.store())?;
        let text = format!("[sources.registry]\npath = {path:?}\ngrants = {names:?}\n{more}");
        Ok(fs::write(self.hyp.store().join("config.toml"), text)?)
    }

    /// Runs a provider and returns what it did to datasets.
    fn commit(&self, provider: &str) -> Result<Value> {
        let report = self.hyp.import(provider, &[provider, "--commit"])?;
        ensure!(report["changes"]["committed"] == true, "{report:#}");
        Ok(report["changes"].clone())
    }

    fn record(&self, kind: &str, item: &Value) -> Result<()> {
        let path = self.beside("item.json");
        fs::write(&path, item.to_string())?;
        let path = path.to_str().context("the path is text")?;
        self.hyp.run("record", &["record", kind, "--json", path]).map(drop)
    }

    /// Returns the one value that a query gives.
    fn text(&self, sql: &str, column: &str) -> Result<String> {
        let rows = self.hyp.query(sql)?;
        let value = rows.first().context("a row")?[column].clone();
        Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}
