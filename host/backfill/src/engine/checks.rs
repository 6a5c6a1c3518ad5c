//! What materializers want to be so once something was written.

use hyp_model::item::Check;

use super::materializers::Materializers;
use super::report::CheckReport;
use super::request::Ask;
use super::view::View;

/// Asks what all materializers want to know of datasets that have rows.
pub(crate) fn after(
    materializers: &Materializers,
    view: &View,
    ask: Option<&Ask>,
    is_wanted: impl Fn(&Check) -> bool,
) -> Vec<CheckReport> {
    let Some(ask) = ask else { return Vec::new() };
    let is_written =
        |check: &&Check| view.stored.get(&check.dataset).is_some_and(|it| !it.is_empty());
    let checks = materializers.iter().flat_map(|one| &one.description().checks);
    let report = |check: &Check| {
        let answer = ask(&check.sql);
        CheckReport {
            name: check.name.clone(),
            expected: check.expect,
            found: answer.as_ref().ok().copied(),
            error: answer.err(),
        }
    };
    checks.filter(is_written).filter(|it| is_wanted(it)).map(report).collect()
}

/// Says in a line what answer a question had, and should have had.
pub(crate) fn line(check: &CheckReport) -> String {
    let found = match (&check.found, &check.error) {
        (Some(found), _) => found.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "nothing".to_owned(),
    };
    format!("check `{}`: expected {}, found {found}", check.name, check.expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<i64>, error: Option<&str>) -> CheckReport {
        let error = error.map(str::to_owned);
        CheckReport { name: "sums".to_owned(), expected: 0, found, error }
    }

    #[test]
    fn a_check_is_told_with_both_numbers() {
        assert_eq!(line(&check(Some(3), None)), "check `sums`: expected 0, found 3");
        let wrong = check(None, Some("no table"));
        assert_eq!(line(&wrong), "check `sums`: expected 0, found no table");
        assert!(!wrong.is_ok() && check(Some(0), None).is_ok());
    }
}
