//! What a materializer wants of a dataset, by the rules of the dataset.

use hyp_cache::{AuditEntry, RUN_ID, datum_to_json, key_of};
use hyp_model::item::{Assertion, Datum, Origin, TargetRow};

use super::{Aim, Fate, Net, Pass};
use crate::engine::report::{CellChange, key_json};
use crate::engine::rules::{Meeting, Verdict, judge};
use crate::engine::view::{Made, lock};

impl Pass<'_> {
    pub(super) fn append(
        &mut self,
        row: TargetRow,
        origin: &Origin,
        fate: &mut Fate,
    ) -> Result<(), String> {
        let TargetRow { dataset, cells } = row;
        let mut view = lock(&self.view);
        let Made { row, key, rule, may_change } =
            view.make(&dataset, cells, (origin, self.run_id))?;
        let is_there = view.has(&dataset, &key);
        match rule.append(is_there) {
            Meeting::Insert => {
                fate.inserted = true;
                if may_change {
                    self.net.entry(dataset.clone()).or_default().insert(key, Net::Inserted);
                } else {
                    self.report.datasets.entry(dataset.clone()).or_default().inserted += 1;
                }
                if matches!(self.aim, Aim::Plan) && !may_change {
                    view.plan_row(&dataset, key, origin);
                } else {
                    view.note_origin(&dataset, origin);
                    view.put(&dataset, key, row);
                }
            }
            _ => {
                fate.same = true;
                self.net.entry(dataset).or_default().entry(key).or_insert(Net::Same);
            }
        }
        Ok(())
    }

    pub(super) fn upsert(
        &mut self,
        row: TargetRow,
        origin: &Origin,
        fate: &mut Fate,
    ) -> Result<(), String> {
        let TargetRow { dataset, cells } = row;
        let mut view = lock(&self.view);
        let Made { row, key, rule, .. } = view.make(&dataset, cells, (origin, self.run_id))?;
        let current = view.row(&dataset, &key);
        let net = self.net.entry(dataset.clone()).or_default();
        match rule.upsert(current.map(Vec::as_slice), &row) {
            Meeting::Insert => {
                fate.inserted = true;
                net.insert(key, Net::Inserted);
                view.put(&dataset, key, row);
            }
            Meeting::Update(row) => {
                fate.updated = true;
                let was = net.entry(key).or_insert(Net::Updated);
                if *was == Net::Same {
                    *was = Net::Updated;
                }
                let is_first = *was == Net::Updated;
                let key_values = view.stored.get(&dataset).map(|stored| stored.key_values(&row));
                if is_first {
                    self.touched.push((text_of(&key_values.unwrap_or_default()), None));
                }
                view.put(&dataset, key, row);
            }
            _ => {
                fate.same = true;
                net.entry(key).or_insert(Net::Same);
            }
        }
        Ok(())
    }

    pub(super) fn assert(
        &mut self,
        assertion: Assertion,
        origin: &Origin,
        fate: &mut Fate,
    ) -> Result<(), String> {
        let Assertion { dataset, key, column, value, subject, notes } = assertion;
        let mut view = lock(&self.view);
        let (stored, _) = view.both(&dataset)?;
        let Some(rule) = stored.declared().rule(&column).cloned() else {
            return Err(format!("column `{column}` of dataset `{dataset}` has no rule"));
        };
        let Some(at) = stored.position(&column) else {
            return Err(format!("dataset `{dataset}` has no column `{column}`"));
        };
        let run_at = stored.position(RUN_ID);
        let place = key_of(&key);
        let Some(row) = view.row(&dataset, &place).cloned() else {
            fate.no_row = true;
            return Ok(());
        };
        let mode = self.asserting.mode.unwrap_or(rule.mode);
        let verdict = judge(&rule, mode, &row[at], &value);
        *self.report.assertions.entry(verdict.as_str().to_owned()).or_default() += 1;
        match verdict {
            Verdict::Unknown => fate.unknown = true,
            Verdict::Same => fate.same = true,
            Verdict::Disagree => fate.disagrees = true,
            Verdict::Promote | Verdict::Flip => fate.updated = true,
        }
        if matches!(verdict, Verdict::Unknown | Verdict::Same) {
            self.net.entry(dataset).or_default().entry(place).or_insert(Net::Same);
            return Ok(());
        }
        let old = row[at].clone();
        self.report.list(CellChange {
            dataset: dataset.clone(),
            key: key_json(&key),
            subject: subject.clone(),
            column: column.clone(),
            old: datum_to_json(&old),
            new: datum_to_json(&value),
            event: verdict.as_str(),
        });
        self.audit.push(AuditEntry {
            dataset: dataset.clone(),
            row_key: serde_json::Value::from(key_json(&key)).to_string(),
            subject: subject.clone(),
            column,
            old: text(&old),
            new: text(&value).unwrap_or_default(),
            event: verdict.as_str(),
            source: self.asserting.source.clone(),
            notes: notes.or_else(|| Some(format!("{} {}", origin.system, origin.id))),
        });
        let net = self.net.entry(dataset.clone()).or_default().entry(place).or_insert(Net::Same);
        if verdict.writes() {
            if *net == Net::Same {
                *net = Net::Updated;
            }
            let mut row = row;
            row[at] = value;
            if let Some(run_at) = run_at {
                row[run_at] = Datum::Text(self.run_id.to_owned());
            }
            self.touched.push((text_of(&key), subject));
            self.asserted.insert((dataset.clone(), place));
            view.put(&dataset, place, row);
        }
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
