//! What items mean, made fit for their datasets: rows, keys and values as columns hold them.

use hyp_cache::{key_of, origin_key};
use hyp_model::item::{Assertion, Datum, Derived, Item, Origin, TargetRow, Wish};
use hyp_model::row::Key;

use super::Pass;
use crate::engine::error::EngineError;
use crate::engine::view::{Made, View, lock};

/// An item, and what it means.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) kind: String,
    pub(super) origin: Origin,
    /// What rows that came from there are found by.
    pub(super) origin_key: Key,
    pub(super) outcome: Option<String>,
    /// The first dataset that a row is appended to.
    pub(super) appends: Option<String>,
    pub(super) wishes: Vec<ReadyWish>,
}

#[derive(Debug, Clone)]
pub(super) enum ReadyWish {
    Append(String, Made),
    Upsert(String, Made),
    Assert(Asserted),
}

/// A value for a cell.
#[derive(Debug, Clone)]
pub(super) struct Asserted {
    pub(super) dataset: String,
    pub(super) key: Vec<Datum>,
    pub(super) place: Key,
    /// The place of the column in rows.
    pub(super) at: usize,
    pub(super) column: String,
    pub(super) value: Datum,
    pub(super) subject: Option<String>,
    pub(super) notes: Option<String>,
}

impl Pass<'_> {
    /// Makes ready what an item means, and notes the rows that have to be read for it.
    ///
    /// Nothing is made of an item that has its row already.
    pub(super) fn ready(
        &self,
        item: Item,
        derived: Derived,
        wanted: &mut Vec<(String, Key)>,
    ) -> Result<Ready, EngineError> {
        let Item { kind, origin, .. } = item;
        let appends = derived.wishes.iter().find_map(|wish| match wish {
            Wish::Append(row) => Some(row.dataset.clone()),
            _ => None,
        });
        let origin_key = origin_key(&origin.system, &origin.id);
        let view = lock(&self.view);
        let is_known = appends.as_ref().is_some_and(|name| view.has_origin(name, &origin_key));
        let mut wishes = Vec::new();
        for wish in derived.wishes.into_iter().filter(|_| !is_known) {
            let made = make(&view, wish, (&origin, self.run_id), wanted);
            wishes.extend(made.map_err(|reason| self.materializers.blame(&kind, reason))?);
        }
        drop(view);
        Ok(Ready { kind, origin, origin_key, outcome: derived.outcome, appends, wishes })
    }
}

fn make(
    view: &View,
    wish: Wish,
    by: (&Origin, &str),
    wanted: &mut Vec<(String, Key)>,
) -> Result<Option<ReadyWish>, String> {
    Ok(Some(match wish {
        Wish::Append(TargetRow { dataset, cells }) => {
            let made = view.make(&dataset, cells, by)?;
            ReadyWish::Append(dataset, made)
        }
        Wish::Upsert(TargetRow { dataset, cells }) => {
            let made = view.make(&dataset, cells, by)?;
            wanted.push((dataset.clone(), made.key));
            ReadyWish::Upsert(dataset, made)
        }
        Wish::Assert(Assertion { dataset, key, column, value, subject, notes }) => {
            let key = view.fit_key(&dataset, key)?;
            let (at, value) = view.fit(&dataset, &column, value)?;
            let place = key_of(&key);
            wanted.push((dataset.clone(), place));
            ReadyWish::Assert(Asserted { dataset, key, place, at, column, value, subject, notes })
        }
        _ => return Ok(None),
    }))
}
