//! Versions of the catalog's own tables: numbered, forward only, applied under the lock.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;

use crate::clock;

/// Marks the file as ours: `hypc`.
pub(crate) const APPLICATION_ID: i64 = 0x6879_7063;

macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("migrations/", $name, ".sql")))),*]
    };
}

/// Names and statements of every migration, in order; a store's version is how many of them it has had.
pub(crate) const MIGRATIONS: &[(&str, &str)] = migrations![
    "0001_create",
    "0002_counters",
    "0003_lineage",
    "0004_checkpoints",
    "0006_upkeep",
    "0007_privacy",
    "0008_datasets",
    "0009_runs",
    "0010_migrations",
    "0011_endings",
    "0012_recordings",
    "0013_quarantine",
    "0014_derivations",
    "0015_beginnings",
    "0016_telling",
    "0017_sightings_by_part",
];

/// Why a catalog was not brought up to date.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// Another hyp has other migrations.
    Refused(String),
    /// SQLite refused.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for ApplyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

/// Returns the version of the newest store that this code knows.
pub(crate) fn newest() -> i64 {
    version_of(MIGRATIONS.len())
}

/// Returns the version of a store that has had so many migrations.
fn version_of(count: usize) -> i64 {
    i64::try_from(count).expect("there are few migrations")
}

/// Returns the application id and version of a catalog.
pub(crate) fn identity(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let id = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((id, version))
}

/// Brings a catalog to the newest version; a new one is marked as ours.
pub(crate) fn apply(connection: &mut Connection) -> Result<(), ApplyError> {
    apply_those(connection, MIGRATIONS)
}

/// Applies those of a list that a catalog has not had, whatever their places in it.
pub(crate) fn apply_those(
    connection: &mut Connection,
    migrations: &[(&str, &str)],
) -> Result<(), ApplyError> {
    let names: Vec<&str> = migrations.iter().map(|(name, _)| *name).collect();
    let applied = applied(connection, &names)?;
    let mut count = applied.len();
    for at in due(&names, &applied).map_err(ApplyError::Refused)? {
        let (name, statements) = migrations[at];
        let transaction = connection.transaction()?;
        transaction.execute_batch(statements)?;
        if is_noted(&transaction)? {
            let now = clock::now();
            transaction.execute("INSERT INTO migrations VALUES (?1, ?2)", (name, now))?;
        }
        count += 1;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version_of(count))?;
        transaction.commit()?;
    }
    // A place in the list was once taken for a count: it may be too low.
    if identity(connection)?.1 != version_of(count) {
        connection.pragma_update(None, "user_version", version_of(count))?;
    }
    Ok(())
}

/// Says whether a catalog notes the names of what is applied.
fn is_noted(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_master WHERE name = 'migrations'")?.exists([])
}

/// Returns the names of what was applied. Before names were noted, it was as many as the version says.
fn applied(connection: &Connection, known: &[&str]) -> rusqlite::Result<Vec<String>> {
    if is_noted(connection)? {
        return connection
            .prepare("SELECT name FROM migrations ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect();
    }
    let (_, version) = identity(connection)?;
    let done = usize::try_from(version).unwrap_or_default();
    Ok(known.iter().take(done).map(|name| (*name).to_owned()).collect())
}

/// Returns the places of those that are still to be applied, in the order of the list.
pub(crate) fn due(known: &[&str], applied: &[String]) -> Result<Vec<usize>, String> {
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for name in known {
        let number = number_of(name)
            .ok_or_else(|| format!("the migration `{name}` is not called `NNNN_name`"))?;
        if let Some(other) = numbers.insert(number, name) {
            return Err(format!("{number} is the number of both `{other}` and `{name}`"));
        }
    }
    for name in applied {
        match numbers.get(number_of(name).unwrap_or_default()) {
            Some(here) if here != name => {
                return Err(format!(
                    "the migration `{here}` has the number of `{name}`, which was applied: it needs another"
                ));
            }
            Some(_) => {}
            None => {
                return Err(format!("a newer hyp applied `{name}`, which this one does not know"));
            }
        }
    }
    Ok((0..known.len()).filter(|at| !applied.iter().any(|it| it == known[*at])).collect())
}

/// Returns the number at the start of a migration's name.
fn number_of(name: &str) -> Option<&str> {
    let (number, words) = name.split_once('_')?;
    let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !words.is_empty()).then_some(number)
}

/// A table, an index or a trigger, or a column of a table.
type Thing = (String, String, Option<String>);

/// Returns what a catalog lacks of that which the migrations make, each with the migration that makes it.
///
/// What there must be is read off an empty catalog to which they are applied, and is written nowhere else.
pub(crate) fn missing(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let there: HashSet<Thing> = things(connection)?.into_iter().collect();
    let model = Connection::open_in_memory()?;
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    for (name, statements) in MIGRATIONS {
        model.execute_batch(statements)?;
        for thing in things(&model)? {
            if !there.contains(&thing) && seen.insert(thing.clone()) {
                let what = match thing {
                    (_, table, Some(column)) => {
                        format!("the table `{table}` has no column `{column}`")
                    }
                    (kind, object, None) => format!("the {kind} `{object}` is not there"),
                };
                missing.push(format!("{what}, which `{name}` makes"));
            }
        }
    }
    Ok(missing)
}

fn things(connection: &Connection) -> rusqlite::Result<Vec<Thing>> {
    connection
        .prepare(
            "SELECT type, name, NULL FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'
             UNION ALL
             SELECT made.type, made.name, its.name
             FROM sqlite_master AS made JOIN pragma_table_info(made.name) AS its
             WHERE made.type = 'table' AND made.name NOT LIKE 'sqlite_%'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}
