//! Grouping what was found into units.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use hyp_model::event::{Event, Note};

use crate::bindings::{inputs, provider as wit, types};
use crate::error::RunError;
use crate::fault::Asked;
use crate::lent::{Entry, Lent};
use crate::plugin::Plugin;
use crate::state::Phase;

/// How entries are grouped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is read, in the order in which it should be.
    pub units: Vec<Unit>,
    /// Entries that are known and hold no history.
    pub ignored: Vec<Ignored>,
}

/// What is read together and stands or falls together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Unit {
    pub id: String,
    pub inputs: Vec<u32>,
    pub context: Vec<u8>,
    pub stamp: Option<Stamp>,
}

/// How a unit is told from what it was at an earlier time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Stamp {
    pub fingerprint: Vec<u8>,
    pub modified: Option<i64>,
}

/// An entry that is known and holds no history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Ignored {
    pub entry: u32,
    pub kind: String,
}

/// Length of a unit's id, or of its fingerprint, and of its context.
const ID_AT_MOST: usize = 4 * 1024;
const CONTEXT_AT_MOST: usize = 1024 * 1024;

/// Time that a plan may take for each entry, beyond that of a call: it may look into every file.
const TIME_PER_ENTRY: Duration = Duration::from_millis(2);

/// Bytes of a database that a plan may take another second for: it may look through all of it.
const DATABASE_BYTES_PER_SECOND: u64 = 32 << 20;

impl Plugin {
    /// Asks the provider to group entries into units. What it has to tell on the way is added to `notes`.
    pub fn plan(&self, entries: &[Lent], notes: &mut Vec<Note>) -> Result<Plan, RunError> {
        let ready = self.ready()?;
        let asked = Asked { provider: Arc::clone(&self.name), unit: "plan".into() };
        let databases = entries.iter().filter(|lent| lent.database.is_some());
        let bytes: u64 = databases.clone().map(|lent| lent.entry.size).sum();
        let limit = self.host.limits.advance_deadline
            + TIME_PER_ENTRY.saturating_mul(u32::try_from(entries.len()).unwrap_or(u32::MAX))
            + Duration::from_secs(bytes / DATABASE_BYTES_PER_SECOND);
        let told: Vec<_> = entries.iter().map(|lent| told(&lent.entry)).collect();

        let mut guest = self.guest();
        guest.state().begin(entries.to_vec(), None);
        let answer = guest.start(&ready).and_then(|provider| {
            guest.call(Phase::Plan, limit, |store| provider.plan(store, &told))
        });
        let plan = match answer {
            Ok(Ok(plan)) => plan,
            Ok(Err(fault)) => return Err(fault_of(&asked, fault)),
            Err(error) => return Err(guest.explain(&asked, &error)),
        };
        for lent in databases {
            check_unchanged(lent, &asked)?;
        }
        plan.check(entries.len())
            .map_err(|reason| RunError::Plan { provider: asked.provider, reason })?;
        notes.extend(guest.state().page.drain(..).filter_map(|event| match event {
            Event::Note(note) => Some(note),
            _ => None,
        }));
        Ok(plan)
    }
}

impl Plan {
    /// Returns what is impossible about it.
    fn check(&self, entries: usize) -> Result<(), String> {
        let mut ids = HashSet::with_capacity(self.units.len());
        for Unit { id, inputs, context, stamp } in &self.units {
            if id.is_empty() || id.len() > ID_AT_MOST || context.len() > CONTEXT_AT_MOST {
                return Err(
                    "a unit has no id, or one that is too long, or too large a context".into()
                );
            }
            if stamp.as_ref().is_some_and(|stamp| stamp.fingerprint.len() > ID_AT_MOST) {
                return Err(format!("unit `{id}` has too long a fingerprint"));
            }
            if !ids.insert(id) {
                return Err(format!("two units have the id `{id}`"));
            }
            if inputs.is_empty() {
                return Err(format!("unit `{id}` has no inputs"));
            }
            let mut seen = HashSet::with_capacity(inputs.len());
            for input in inputs {
                if *input as usize >= entries {
                    return Err(format!("unit `{id}` has entry {input}, there are {entries}"));
                }
                if !seen.insert(input) {
                    return Err(format!("unit `{id}` has entry {input} twice"));
                }
            }
        }
        match self.ignored.iter().find(|it| it.entry as usize >= entries) {
            Some(Ignored { entry, .. }) => {
                Err(format!("it ignores entry {entry}, there are {entries}"))
            }
            None => Ok(()),
        }
    }
}

impl From<wit::PlanResult> for Plan {
    fn from(it: wit::PlanResult) -> Self {
        let units = it.units.into_iter();
        let ignored = it.ignored.into_iter();
        Self {
            units: units
                .map(|unit| Unit {
                    id: unit.id,
                    inputs: unit.inputs,
                    context: unit.context,
                    stamp: unit
                        .stamp
                        .map(|it| Stamp { fingerprint: it.fingerprint, modified: it.modified }),
                })
                .collect(),
            ignored: ignored.map(|it| Ignored { entry: it.entry, kind: it.kind }).collect(),
        }
    }
}

/// Returns an entry as the guest sees it.
pub(crate) fn told(entry: &Entry) -> inputs::Entry {
    let Entry { root, path, size, modified } = entry.clone();
    inputs::Entry { root, path, size, modified }
}

/// Fails if a database was read as it lies and changed meanwhile.
pub(crate) fn check_unchanged(lent: &Lent, asked: &Asked) -> Result<(), RunError> {
    let Some(database) = &lent.database else { return Ok(()) };
    database.check().map_err(|error| RunError::Fault {
        provider: Arc::clone(&asked.provider),
        unit: asked.unit.clone(),
        message: format!("`{}` {error}", lent.entry.path),
    })
}

pub(crate) fn fault_of(asked: &Asked, fault: types::Fault) -> RunError {
    let (types::Fault::Source(message) | types::Fault::Internal(message)) = fault;
    let message = message.chars().filter(|it| !it.is_control()).take(1024).collect();
    RunError::Fault { provider: Arc::clone(&asked.provider), unit: asked.unit.clone(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(id: &str, inputs: &[u32]) -> Unit {
        Unit { id: id.into(), inputs: inputs.into(), context: Vec::new(), stamp: None }
    }

    #[test]
    #[rustfmt::skip]
    fn an_impossible_plan_is_refused_with_a_reason() {
        let cases = [
            (vec![unit("a", &[0]), unit("b", &[1, 0])], Ok(())),
            (vec![unit("a", &[2])],                     Err("unit `a` has entry 2, there are 2")),
            (vec![unit("a", &[0]), unit("a", &[1])],    Err("two units have the id `a`")),
            (vec![unit("a", &[0, 0])],                  Err("unit `a` has entry 0 twice")),
            (vec![unit("a", &[])],                      Err("unit `a` has no inputs")),
            (vec![unit("", &[0])],                      Err("a unit has no id, or one that is too long, or too large a context")),
        ];
        for (units, expected) in cases {
            let plan = Plan { units, ignored: Vec::new() };
            assert_eq!(plan.check(2), expected.map_err(str::to_owned));
        }
    }
}
