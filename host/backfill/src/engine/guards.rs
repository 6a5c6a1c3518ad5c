//! What has to hold before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyp_plugin::{Candidate, Plugin, Root, Settled};

use super::mode_of;
use super::pass::Passed;
use super::probes::Probes;
use super::request::{Changes, MaxChanges};
use super::view::View;
use crate::components::name_of;
use crate::error::BackfillError;

/// Asserted values past which nothing is written, where nothing else is asked.
const RECONCILED: u64 = 25;

/// A setting that every provider of evidence has.
const MODE: &str = "mode";

/// Keys that a refusal names.
const NAMED: usize = 5;

/// Works out what holds for all guests of a run, or says which setting makes no sense.
pub(crate) fn settled(
    plugins: &[Arc<Plugin>],
    changes: &Changes,
) -> Result<Settled, BackfillError> {
    let declared = plugins.iter().flat_map(|plugin| &plugin.description().settings);
    let mut known: Vec<String> = declared.map(|setting| setting.name.clone()).collect();
    known.push(MODE.to_owned());
    for (name, value) in &changes.settings {
        if !known.contains(name) {
            known.sort();
            known.dedup();
            return Err(BackfillError::Setting { name: name.clone(), known });
        }
        if name == MODE && mode_of(value).is_none() {
            return Err(BackfillError::SettingValue {
                name: name.clone(),
                value: value.clone(),
                expected: "promote-only or reconcile",
            });
        }
    }
    for setting in plugins.iter().flat_map(|plugin| &plugin.description().settings) {
        let Some(value) = changes.settings.get(&setting.name) else { continue };
        if let Some(expected) = misfit(&setting.default, value) {
            let (name, value) = (setting.name.clone(), value.clone());
            return Err(BackfillError::SettingValue { name, value, expected });
        }
    }
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    for setting in plugins.iter().flat_map(|plugin| &plugin.description().settings) {
        settings.insert(setting.name.clone(), setting.default.clone());
    }
    settings.extend(changes.settings.clone());
    let prober = Arc::new(Probes::new(changes)?);
    Ok(Settled { settings, prober: Some(prober) })
}

/// Says what a setting is, by what it is unless it is set, where a value is not of that sort.
fn misfit(default: &str, value: &str) -> Option<&'static str> {
    let is_truth = |text: &str| matches!(text, "true" | "false");
    let is_count = |text: &str| text.parse::<u64>().is_ok();
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    if is_truth(default) {
        (!is_truth(value)).then_some("true or false")
    } else if is_count(default) {
        (!is_count(value)).then_some("a whole number")
    } else if is_number(default) {
        (!is_number(value)).then_some("a number")
    } else {
        None
    }
}

/// Refuses a provider that reads what nobody named.
pub(crate) fn check_sources(
    plugin: &Plugin,
    places: &crate::places::Places,
) -> Result<(), BackfillError> {
    for name in plugin.description().sources() {
        let provider = || name_of(plugin).to_owned();
        let Some(source) = places.sources.get(name).filter(|it| !it.path.as_os_str().is_empty())
        else {
            return Err(BackfillError::NoSource { provider: provider(), name: name.to_owned() });
        };
        let is_of = |root: &&Root| root.candidates.contains(&Candidate::Source(name.to_owned()));
        let mut roots = plugin.description().roots.iter().filter(is_of);
        let reason = match std::fs::metadata(&source.path) {
            Err(error) => error.to_string(),
            Ok(found) if found.is_dir() && roots.all(|root| root.globs.is_empty()) => {
                "it is a folder, and the file itself has to be named".to_owned()
            }
            Ok(_) => continue,
        };
        let (name, path) = (name.to_owned(), source.path.clone());
        return Err(BackfillError::SourceFile { name, path, reason });
    }
    Ok(())
}

/// Returns how many rows the limit counts: those that are there already, or those that get asserted values where nothing
/// was asked.
pub(crate) fn counted(changes: &Changes, passed: &Passed) -> u64 {
    if changes.max_changes.is_some() { passed.updated() } else { passed.asserted }
}

/// Returns how many rows may be changed; none where there is no limit.
pub(crate) fn limit(
    changes: &Changes,
    passed: &Passed,
    is_reconciler: bool,
    view: &View,
) -> Option<u64> {
    match changes.max_changes {
        Some(MaxChanges::Rows(rows)) => Some(rows),
        Some(MaxChanges::Percent(percent)) => {
            let met = passed.report.datasets.keys();
            let rows: u64 =
                met.filter_map(|name| view.stored.get(name)).map(|stored| stored.len()).sum();
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a number of rows, rounded down"
            )]
            let share = (rows as f64 * percent / 100.0) as u64;
            Some(share)
        }
        None => is_reconciler.then_some(RECONCILED),
    }
}

/// Returns why nothing may be written, if nothing may.
pub(crate) fn refusal(changes: &Changes, passed: &Passed, limit: Option<u64>) -> Option<String> {
    let counted = counted(changes, passed);
    if let Some(limit) = limit.filter(|limit| counted > *limit) {
        return Some(format!("{counted} changes, limit {limit}"));
    }
    let expected = changes.expect.as_ref()?;
    let mut strange: Vec<String> = passed
        .touched
        .iter()
        .filter(|(key, subject)| {
            let is_subject = subject.as_ref().is_some_and(|subject| expected.contains(subject));
            !is_subject && !expected.contains(key)
        })
        .map(|(key, subject)| subject.clone().unwrap_or_else(|| key.clone()))
        .collect();
    strange.sort();
    strange.dedup();
    if strange.is_empty() {
        return None;
    }
    let more = strange.len().saturating_sub(NAMED);
    strange.truncate(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("not expected: {}{rest}", strange.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ProviderReport, Report};
    use hyp_model::Exit;

    #[test]
    #[rustfmt::skip]
    fn a_setting_is_of_the_sort_that_it_is_unless_it_is_set() {
        let cases = [
            // default   value    expected
            ("30000",    "10",    None),
            ("30000",    "abc",   Some("a whole number")),
            ("30000",    "-1",    Some("a whole number")),
            ("30000",    "",      Some("a whole number")),
            ("0.5",      "2",     None),
            ("0.5",      "half",  Some("a number")),
            ("true",     "false", None),
            ("true",     "no",    Some("true or false")),
            ("sales",    "7",     None),
        ];
        for (default, value, expected) in cases {
            assert_eq!(misfit(default, value), expected, "{default} {value}");
        }
    }

    #[test]
    fn a_refused_provider_makes_the_run_exit_3_unless_another_failed() {
        let refused = || ProviderReport {
            changes: Some(crate::ChangesReport {
                refused: Some("26 changes, limit 25".to_owned()),
                ..Default::default()
            }),
            ..ProviderReport::default()
        };
        let mut failed = ProviderReport::default();
        failed.fail("it broke".to_owned());
        let exit = |providers| Report { providers, ..Report::default() }.exit();
        assert_eq!(exit(vec![refused()]), Exit::Refused);
        assert_eq!(exit(vec![refused(), failed]), Exit::Failed);
    }
}
