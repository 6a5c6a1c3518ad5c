//! What a source holds already of the datasets that a provider fills: it has to be in the store before anything is added to
//! it, or what is added now comes once more when it is adopted.

use std::time::{Duration, Instant};

use hyp_cache::{OpenDataset, key_of};
use hyp_model::item::{ColumnType, Datum};
use hyp_model::row::Key;
use hyp_plugin::{Candidate, Database, Grants, Lent, Plugin, QueryError, Root, Value};

use super::view::View;
use crate::components::Components;
use crate::discover::Found;
use crate::places::{NamedSource, Places};

/// How long the database may take over a page.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a page.
const PAGE: usize = 1 << 20;

/// A provider, and what says whether its source holds something that is not adopted.
pub(crate) struct Held<'a> {
    pub(crate) plugin: &'a Plugin,
    pub(crate) components: &'a Components,
    pub(crate) places: &'a Places,
}

/// A source that is a database.
struct Asked<'a> {
    name: &'a str,
    source: &'a NamedSource,
    root: &'a Root,
    database: &'a Database,
}

/// What the source holds of a dataset and the store does not.
#[derive(Debug, PartialEq, Eq)]
enum Missing {
    /// So many rows, and the key of the first.
    Rows(u64, String),
    /// Some: which ones may not be read, and the store has none at all.
    Some,
}

impl Held<'_> {
    /// Returns why the provider may not run, if it may not.
    ///
    /// A provider that reads the table of a dataset itself is the one that adopts it.
    pub(crate) fn refusal(&self, found: &Found, view: &View) -> Option<String> {
        found.files.iter().filter_map(|lent| self.asked(lent)).find_map(|asked| {
            let own = asked.root.tables.iter().map(|table| table.name.as_str());
            let read = own.filter(|table| asked.may_read(table));
            // A table that nobody adopts has the name of a dataset, and other rows.
            let filled = view.stored.iter().filter(|(name, _)| !asked.reads(name));
            let held: Vec<(&OpenDataset, &str)> = filled
                .filter_map(|(_, stored)| {
                    Some((stored, self.components.adopts(asked.name, stored.declared())?))
                })
                .collect();
            read.chain(held.iter().map(|(stored, _)| stored.declared().name.as_str()))
                .find_map(|name| asked.no_table(name))
                .or_else(|| held.iter().find_map(|(stored, by)| asked.unadopted(stored, by)))
        })
    }

    fn asked<'a>(&'a self, lent: &'a Lent) -> Option<Asked<'a>> {
        let mut roots = self.plugin.description().roots.iter();
        let root = roots.find(|root| root.name == lent.entry.root)?;
        let name = root.candidates.iter().find_map(|candidate| match candidate {
            Candidate::Source(name) => Some(name.as_str()),
            _ => None,
        })?;
        let source = self.places.source_of(root)?;
        Some(Asked { name, source, root, database: lent.database.as_deref()? })
    }
}

impl Asked<'_> {
    /// Says that there are rows that a provider has to adopt first, where there are.
    fn unadopted(&self, stored: &OpenDataset, by: &str) -> Option<String> {
        let name = &stored.declared().name;
        let place = format!("`{name}` of `[sources.{}]`", self.name);
        let first = format!("`hyp backfill {by} --commit` adopts them");
        Some(match self.missing(stored) {
            Ok(None) => return None,
            Ok(Some(Missing::Rows(rows, key))) => {
                format!(
                    "{place} has rows that the store has not ({rows}, the first is `{key}`): first, {first}; those that it \
                     tells as failed have to be mended in the source"
                )
            }
            Ok(Some(Missing::Some)) => {
                format!(
                    "{place} has rows that the store has not: first grant `{name}.*`, then {first}"
                )
            }
            Err(error) => {
                format!("whether the store has the rows of {place} cannot be seen: {error}")
            }
        })
    }

    fn reads(&self, table: &str) -> bool {
        self.root.tables.iter().any(|own| own.name.eq_ignore_ascii_case(table))
    }

    fn may_read(&self, table: &str) -> bool {
        let own = self.root.tables.iter().find(|own| own.name == table);
        own.is_some_and(|own| own.columns.iter().any(|column| self.source.grants(table, column)))
    }

    /// Says that what is called like a table is none, where that is so.
    fn no_table(&self, name: &str) -> Option<String> {
        // One that cannot be opened is told when it is read.
        let reader = self.database.open_for(Grants::new([(name, [""; 0])])).ok()?;
        let kind = reader.other(name)?;
        let source = self.name;
        Some(format!(
            "`{name}` of `[sources.{source}]` is a {kind}, and only tables are read: name a database that has it as one"
        ))
    }

    /// Looks for rows that are not in the store, by their keys; where these may not be read, for any row.
    fn missing(&self, stored: &OpenDataset) -> Result<Option<Missing>, QueryError> {
        let (table, keys) = (&stored.declared().name, &stored.declared().key);
        let may_read = keys.iter().all(|key| self.source.grants(table, key));
        let granted = if may_read { &keys[..] } else { &[] };
        let Ok(mut reader) = self.database.open_for(Grants::new([(table, granted)])) else {
            return Ok(None);
        };
        if !reader.has(table) {
            return Ok(None);
        }
        let soon = || Instant::now() + PATIENCE;
        if reader.columns(table).len() < keys.len() {
            reader.query(&format!("select 1 from \"{table}\" limit 1"), Vec::new(), soon())?;
            let has_rows = !reader.next(PAGE, soon())?.is_empty();
            return Ok((has_rows && stored.is_empty()).then_some(Missing::Some));
        }
        let statement = format!("select \"{}\" from \"{table}\"", keys.join("\", \""));
        reader.query(&statement, Vec::new(), soon())?;
        let mut missing: Option<(u64, String)> = None;
        loop {
            let page = reader.next(PAGE, soon())?;
            if page.is_empty() {
                return Ok(missing.map(|(rows, key)| Missing::Rows(rows, key)));
            }
            for values in page.iter().map(|row| &row.values) {
                if key(stored, values).is_some_and(|key| !stored.has(&key)) {
                    missing.get_or_insert_with(|| (0, told(values))).0 += 1;
                }
            }
        }
    }
}

/// Returns what a row would be found by; none for one that can be no row of the dataset.
fn key(stored: &OpenDataset, values: &[Value]) -> Option<Key> {
    let kinds = stored.declared().key.iter().map(|name| {
        let at = stored.position(name)?;
        stored.columns().get(at).map(|column| column.kind)
    });
    let values = kinds.zip(values).map(|(kind, value)| match (kind?, value) {
        (ColumnType::Text, Value::Text(text)) => Some(Datum::Text(text.clone())),
        (ColumnType::Text, Value::Blob(bytes)) => {
            Some(Datum::Text(String::from_utf8_lossy(bytes).into_owned()))
        }
        (ColumnType::Integer, Value::Integer(number)) => Some(Datum::Integer(*number)),
        _ => None,
    });
    Some(key_of(&values.collect::<Option<Vec<_>>>()?))
}

fn told(key: &[Value]) -> String {
    let word = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        _ => "?".to_owned(),
    };
    key.iter().map(word).collect::<Vec<_>>().join("/")
}
