//! What a materializer wants of a dataset, by the rules of the dataset.

use hyp_cache::{AuditEntry, RUN_ID, StoreError, datum_to_json};
use hyp_model::item::{Datum, Origin};
use hyp_model::row::Key;

use super::ready::Asserted;
use super::{Aim, Fate, Net, Pass};
use crate::engine::report::{CellChange, key_json, told};
use crate::engine::rules::{Meeting, Verdict, judge};
use crate::engine::view::{Made, lock};

impl Pass<'_> {
    /// Appends a row; says whether it was new.
    pub(super) fn append(
        &mut self,
        dataset: &str,
        Made { row, key, rule, may_change }: Made,
        origin_key: Key,
        fate: &mut Fate,
    ) -> Result<bool, StoreError> {
        let mut view = lock(&self.view);
        let is_there = view.has(dataset, &key);
        if rule.append(is_there) != Meeting::Insert {
            fate.same = true;
            self.net.of(dataset).entry(key).or_insert(Net::Same);
            return Ok(false);
        }
        fate.inserted = true;
        view.note_origin(dataset, origin_key);
        if may_change {
            self.net.of(dataset).insert(key, Net::Inserted);
            view.put(dataset, key, row, self.item_chunk);
            return Ok(true);
        }
        self.report.of(dataset).inserted += 1;
        view.note_row(dataset, key);
        if let (Aim::Write { writer, .. }, Some(stored)) = (&mut self.aim, view.stored.get(dataset))
        {
            self.chunks.entry(self.item_chunk).or_default().stage(writer, stored, row)?;
        }
        Ok(true)
    }

    pub(super) fn upsert(&mut self, dataset: &str, made: Made, fate: &mut Fate) {
        let Made { row, key, rule, .. } = made;
        let mut view = lock(&self.view);
        let current = view.row(dataset, &key);
        let net = self.net.of(dataset);
        match rule.upsert(current.map(Vec::as_slice), &row) {
            Meeting::Insert => {
                fate.inserted = true;
                net.insert(key, Net::Inserted);
                view.put(dataset, key, row, self.item_chunk);
            }
            Meeting::Update(row) => {
                fate.updated = true;
                // A row that is new, or changed already, is counted.
                if !matches!(net.get(&key), Some(Net::Inserted | Net::Updated)) {
                    net.insert(key, Net::Updated);
                    let values = view.stored.get(dataset).map(|stored| stored.key_values(&row));
                    self.touched.push((text_of(&values.unwrap_or_default()), None));
                }
                view.put(dataset, key, row, self.item_chunk);
            }
            _ => {
                fate.same = true;
                net.entry(key).or_insert(Net::Same);
            }
        }
    }

    pub(super) fn assert(
        &mut self,
        asserted: Asserted,
        origin: &Origin,
        fate: &mut Fate,
    ) -> Result<(), String> {
        let Asserted { dataset, key, place, at, column, value, subject, notes } = asserted;
        let mut view = lock(&self.view);
        let (stored, open) = view.both(&dataset)?;
        let Some(rule) = stored.declared().rule(&column) else {
            return Err(format!("column `{column}` of dataset `{dataset}` has no rule"));
        };
        let run_at = stored.position(RUN_ID);
        let Some(row) = open.row(&place) else {
            fate.no_row = true;
            return Ok(());
        };
        let old = row[at].clone();
        let verdict = judge(rule, self.asserting.mode.unwrap_or(rule.mode), &old, &value);
        *self.report.assertions.entry(verdict.as_str().to_owned()).or_default() += 1;
        match verdict {
            Verdict::Unknown => fate.unknown = true,
            Verdict::Same => fate.same = true,
            Verdict::Disagree => fate.disagrees = true,
            Verdict::Promote | Verdict::Flip => fate.updated = true,
        }
        let net = self.net.of(&dataset).entry(place).or_insert(Net::Same);
        if matches!(verdict, Verdict::Unknown | Verdict::Same) {
            return Ok(());
        }
        self.report.list(CellChange {
            dataset: dataset.clone(),
            key: key_json(&key),
            subject: subject.clone(),
            column: column.clone(),
            old: told(&old),
            new: told(&value),
            event: verdict.as_str(),
        });
        let entry = AuditEntry {
            dataset: dataset.clone(),
            row_key: serde_json::Value::from(key_json(&key)).to_string(),
            subject: subject.clone(),
            column,
            old: text(&old),
            new: text(&value).unwrap_or_default(),
            event: verdict.as_str(),
            source: self.asserting.source.clone(),
            notes: notes.or_else(|| Some(format!("{} {}", origin.system, origin.id))),
        };
        if verdict.writes() {
            if *net == Net::Same {
                *net = Net::Updated;
            }
            let mut row = row.clone();
            row[at] = value;
            if let Some(run_at) = run_at {
                row[run_at] = Datum::Text(self.run_id.to_owned());
            }
            self.touched.push((text_of(&key), subject));
            self.asserted.insert((dataset.clone(), place));
            view.put(&dataset, place, row, self.item_chunk);
        }
        self.audit.push((dataset, place, self.item_chunk, entry));
        Ok(())
    }
}

/// Returns a key as it is written in a list of those that are expected.
fn text_of(key: &[Datum]) -> String {
    let parts: Vec<String> = key.iter().map(|part| text(part).unwrap_or_default()).collect();
    parts.join("/")
}

fn text(datum: &Datum) -> Option<String> {
    match datum_to_json(datum) {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
