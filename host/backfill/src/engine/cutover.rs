//! From when on a dataset was written as things happened, and which of those who were left out have a twin there.

use std::collections::{BTreeMap, HashSet};

use hyp_cache::{OpenDataset, SOURCE_SYSTEM, StoreError, datum_to_json};
use hyp_model::item::{Cutover, Datum};
use serde_json::Value;

use super::report::CutoverReport;

/// A row of somebody who recorded as things happened.
#[derive(Debug, Clone)]
struct Live {
    at: i64,
    system: Option<String>,
    twin: Vec<Datum>,
    key: String,
}

/// The live rows of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct LiveRows {
    declared: Cutover,
    /// By time.
    rows: Vec<Live>,
    /// Time and system of the first, and the time of the first of another system.
    first: Option<(i64, Option<String>)>,
    first_of_another: Option<i64>,
    forced: Option<i64>,
}

/// An item that was left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeftOut {
    pub(crate) id: String,
    pub(crate) system: String,
    pub(crate) ended_at: i64,
    pub(crate) twin: Vec<Datum>,
}

impl LiveRows {
    /// Reads the live rows of a dataset that declares a cutover.
    pub(crate) fn of(
        dataset: &OpenDataset,
        forced: Option<i64>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(declared) = dataset.declared().cutover.clone() else { return Ok(None) };
        let place = |name: &str| dataset.position(name);
        let (time, system) = (place(&declared.time), place(SOURCE_SYSTEM));
        let live: Vec<_> = declared
            .live
            .iter()
            .filter_map(|(name, value)| Some((place(name)?, value.clone())))
            .collect();
        let twins: Vec<usize> =
            declared.twin_columns.iter().filter_map(|name| place(name)).collect();
        let mut rows = Vec::new();
        dataset.scan(|row| {
            let at = time.and_then(|at| row.get(at));
            let is_live = live.iter().all(|(at, value)| row.get(*at) == Some(value));
            if let (Some(Datum::Timestamp(at)), true) = (at, is_live) {
                let key: Vec<Value> = dataset.key_values(&row).iter().map(datum_to_json).collect();
                rows.push(Live {
                    at: *at,
                    system: system.and_then(|at| row[at].as_text()).map(str::to_owned),
                    twin: twins.iter().map(|at| row[*at].clone()).collect(),
                    key: match &key[..] {
                        [Value::String(only)] => only.clone(),
                        key => Value::from(key.to_vec()).to_string(),
                    },
                });
            }
        })?;
        rows.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.key.cmp(&b.key)));
        let first = rows.first().map(|live| (live.at, live.system.clone()));
        let another = rows.iter().find(|live| first.as_ref().is_some_and(|it| it.1 != live.system));
        let first_of_another = another.map(|live| live.at);
        Ok(Some(Self { declared, rows, first, first_of_another, forced }))
    }

    /// Returns since when others than a system write.
    pub(crate) fn at(&self, system: &str) -> Option<i64> {
        self.forced.or_else(|| match &self.first {
            Some((_, first)) if first.as_deref() == Some(system) => self.first_of_another,
            first => first.as_ref().map(|(at, _)| *at),
        })
    }

    /// Returns what the twin of a row agrees with it in.
    pub(crate) fn twin(&self, dataset: &OpenDataset, row: &[Datum]) -> Vec<Datum> {
        let columns = self.declared.twin_columns.iter();
        columns.filter_map(|name| row.get(dataset.position(name)?).cloned()).collect()
    }

    /// Finds for each who was left out the live row that tells of the same; each of these is found once.
    pub(crate) fn pair(&self, mut left_out: Vec<LeftOut>) -> CutoverReport {
        left_out.sort_by(|a, b| a.ended_at.cmp(&b.ended_at).then_with(|| a.id.cmp(&b.id)));
        let mut report =
            CutoverReport { left_out: left_out.len() as u64, ..CutoverReport::default() };
        let within = i64::from(self.declared.twin_within) * 1_000_000;
        let mut by_twin: BTreeMap<String, Vec<&Live>> = BTreeMap::new();
        let mut taken: HashSet<&str> = HashSet::new();
        for live in &self.rows {
            by_twin.entry(format!("{:?}", live.twin)).or_default().push(live);
        }
        for one in left_out {
            report.at = self.at(&one.system).unwrap_or_default();
            let twins = by_twin.get(&format!("{:?}", one.twin)).map_or(&[][..], Vec::as_slice);
            // They are in the order of their times: only those around this one are looked at.
            let from = twins.partition_point(|live| live.at < one.ended_at - within);
            let nearest = twins[from..]
                .iter()
                .take_while(|live| live.at <= one.ended_at + within)
                .filter(|live| live.system.as_deref() != Some(&one.system))
                .filter(|live| !taken.contains(live.key.as_str()))
                .min_by_key(|live| (live.at - one.ended_at).abs());
            match nearest {
                Some(live) => {
                    taken.insert(&live.key);
                    report.pairs.push((one.id, live.key.clone()));
                }
                None => report.unmatched.push(one.id),
            }
        }
        report.pairs.sort();
        report.unmatched.sort();
        report
    }
}
