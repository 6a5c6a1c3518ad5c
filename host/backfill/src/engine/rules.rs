//! What becomes of a row where there is one already, and of a value where there is another one: the rules that a dataset
//! declares. They are the same for every writer, and pure.

use hyp_cache::{OWN, OpenDataset, RUN_ID, SOURCE_ID, SOURCE_SYSTEM};
use hyp_model::item::{ColumnMode, ColumnRule, ConflictRule, DatasetColumn, Datum, Role};

/// How a new row meets the stored one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Meeting {
    /// There was none: it is added.
    Insert,
    /// The stored row becomes this one.
    Update(Vec<Datum>),
    /// The stored row says so already.
    Same,
    /// The stored row stands, or nothing is to be written at all.
    Kept,
}

/// How an asserted value meets the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There was no value: it is written.
    Promote,
    /// Another value is replaced: a known one, or, by the server's authority, whatever stands.
    Flip,
    /// Another known value stands.
    Disagree,
    /// It is there already.
    Same,
    /// The evidence says nothing.
    Unknown,
}

impl Verdict {
    /// Returns the word that reports and the audit have for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Flip => "flip",
            Self::Disagree => "disagree",
            Self::Same => "same",
            Self::Unknown => "unknown_evidence",
        }
    }

    /// Says whether the value is written.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Promote | Self::Flip)
    }
}

/// Decides about an asserted value.
pub(crate) fn judge(
    rule: &ColumnRule,
    mode: ColumnMode,
    stored: &Datum,
    evidence: &Datum,
) -> Verdict {
    let is_authoritative = mode == ColumnMode::ServerAuthoritative;
    let takes_away = is_authoritative && rule.is_word_for_none(evidence) && rule.is_known(stored);
    if takes_away {
        Verdict::Flip
    } else if !rule.may_assert(evidence) {
        Verdict::Unknown
    } else if stored == evidence {
        Verdict::Same
    } else if is_authoritative {
        Verdict::Flip
    } else if !rule.is_known(stored) {
        Verdict::Promote
    } else if mode == ColumnMode::Reconcile {
        Verdict::Flip
    } else {
        Verdict::Disagree
    }
}

/// The rule of a dataset, with what it needs to know of rows.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    conflict: ConflictRule,
    columns: Vec<DatasetColumn>,
    /// Places of columns that are derived, with the rows that this holds for: they stand until that is done anew.
    derived: Vec<(usize, Option<(usize, Datum)>)>,
    /// Places of columns that are no longer declared: they keep what they hold.
    former: Vec<usize>,
    order: Option<usize>,
    run: Option<usize>,
    system: Option<usize>,
    id: Option<usize>,
}

impl Rule {
    pub(crate) fn of(dataset: &OpenDataset) -> Self {
        let declared = dataset.declared();
        let derived = declared.owns.iter().filter_map(|owned| {
            let scope = match &owned.scope {
                Some((name, value)) => Some((dataset.position(name)?, value.clone())),
                None => None,
            };
            Some((dataset.position(&owned.column)?, scope))
        });
        let columns = dataset.columns().iter().enumerate();
        let is_former = |column: &DatasetColumn| {
            declared.position(&column.name).is_none() && !OWN.contains(&column.name.as_str())
        };
        let former = columns.filter(|(_, column)| is_former(column)).map(|(at, _)| at);
        Self {
            conflict: declared.on_conflict,
            columns: dataset.columns().to_vec(),
            derived: derived.collect(),
            former: former.collect(),
            order: declared.ordered_by.as_ref().and_then(|name| dataset.position(name)),
            run: dataset.position(RUN_ID),
            system: dataset.position(SOURCE_SYSTEM),
            id: dataset.position(SOURCE_ID),
        }
    }

    /// Returns the rule for rows that come back from whoever derives columns of them: they stand in for those that are there.
    pub(crate) fn deriving(dataset: &OpenDataset) -> Self {
        let conflict = ConflictRule::LastWriteWins;
        Self { conflict, derived: Vec::new(), ..Self::of(dataset) }
    }

    /// Decides about a row that is new to whoever sends it: one that is there is left alone, whatever it says.
    pub(crate) fn append(&self, is_stored: bool) -> Meeting {
        match self.conflict {
            ConflictRule::Keep => Meeting::Kept,
            _ if is_stored => Meeting::Kept,
            _ => Meeting::Insert,
        }
    }

    /// Decides about a row that may stand in for the stored one.
    pub(crate) fn upsert(&self, stored: Option<&[Datum]>, new: &[Datum]) -> Meeting {
        if self.conflict == ConflictRule::Keep {
            return Meeting::Kept;
        }
        let Some(stored) = stored else { return Meeting::Insert };
        match self.conflict {
            ConflictRule::AppendOnly => Meeting::Kept,
            ConflictRule::FillMissing if !self.is_of_one_system(stored, new) => Meeting::Kept,
            ConflictRule::LastWriteWins => self.met(stored, self.replaced(stored, new)),
            _ if self.is_newer(stored, new) => self.met(stored, self.replaced(stored, new)),
            _ => match self.met(stored, self.carried(stored, new)) {
                Meeting::Same => Meeting::Kept,
                filled => filled,
            },
        }
    }

    fn met(&self, stored: &[Datum], row: Vec<Datum>) -> Meeting {
        let is_own = |at: usize| [self.run, self.system, self.id].contains(&Some(at));
        let is_same = (0..row.len()).all(|at| is_own(at) || stored.get(at) == row.get(at));
        if is_same { Meeting::Same } else { Meeting::Update(row) }
    }

    fn value(row: &[Datum], at: Option<usize>) -> &Datum {
        at.and_then(|at| row.get(at)).unwrap_or(&Datum::Null)
    }

    fn is_of_one_system(&self, stored: &[Datum], new: &[Datum]) -> bool {
        let (stored, new) = (Self::value(stored, self.system), Self::value(new, self.system));
        !new.is_null() && stored == new
    }

    /// Strictly newer; of two of one time, the one with the smaller id, if both came from one system.
    fn is_newer(&self, stored: &[Datum], new: &[Datum]) -> bool {
        match (Self::value(stored, self.order), Self::value(new, self.order)) {
            (_, Datum::Null) => false,
            (Datum::Null, _) => true,
            (old, at) if old == at => {
                self.is_of_one_system(stored, new)
                    && Self::value(new, self.id) < Self::value(stored, self.id)
            }
            (old, at) => at > old,
        }
    }

    /// Returns the new row, with what is carried over from the stored one.
    fn replaced(&self, stored: &[Datum], new: &[Datum]) -> Vec<Datum> {
        let changed = |name: &str| {
            let at = self.columns.iter().position(|column| column.name == name);
            Self::value(stored, at) != Self::value(new, at)
        };
        let cells = self.columns.iter().zip(stored).zip(new);
        cells
            .enumerate()
            .map(|(at, ((column, old), new_value))| match &column.role {
                _ if new_value.is_null() && self.stands(at, new) => old.clone(),
                Role::Forward => later(old, new_value),
                Role::PreviousOf(other) if changed(other) => {
                    let at = self.columns.iter().position(|column| column.name == *other);
                    Self::value(stored, at).clone()
                }
                Role::ChangedWith(other) if changed(other) => match self.order {
                    Some(order) => Self::value(new, Some(order)).clone(),
                    None => Self::value(new, Some(at)).clone(),
                },
                Role::PreviousOf(_) | Role::ChangedWith(_) => old.clone(),
                _ => new_value.clone(),
            })
            .collect()
    }

    /// Says whether a column of a row is derived.
    pub(crate) fn derives(&self, at: usize, row: &[Datum]) -> bool {
        let is_met = |scope: &Option<(usize, Datum)>| {
            scope.as_ref().is_none_or(|(at, value)| row.get(*at) == Some(value))
        };
        self.derived.iter().any(|(it, scope)| *it == at && is_met(scope))
    }

    /// Says whether a column of a row is nothing that the row's source tells.
    fn stands(&self, at: usize, row: &[Datum]) -> bool {
        self.former.contains(&at) || self.derives(at, row)
    }

    /// Returns the stored row, with those columns moved on that only go forward.
    fn carried(&self, stored: &[Datum], new: &[Datum]) -> Vec<Datum> {
        let cells = self.columns.iter().zip(stored).zip(new).enumerate();
        cells
            .map(|(at, ((column, old), new_value))| match column.role {
                Role::Forward => later(old, new_value),
                _ if self.run == Some(at) => new_value.clone(),
                _ => old.clone(),
            })
            .collect()
    }
}

fn later(one: &Datum, other: &Datum) -> Datum {
    match (one, other) {
        (Datum::Null, value) | (value, Datum::Null) => value.clone(),
        (one, other) if other > one => other.clone(),
        (one, _) => one.clone(),
    }
}

#[cfg(test)]
mod tests {
    use hyp_model::item::ColumnType;

    use super::*;

    const AT: usize = 1;

    /// A dataset of: status, at, last_passed (forward), previous status, changed at; run, system, id.
    fn rule(conflict: ConflictRule) -> Rule {
        let roles = [
            ("status", ColumnType::Text, Role::Plain),
            ("at", ColumnType::Timestamp, Role::Plain),
            ("last_passed", ColumnType::Timestamp, Role::Forward),
            ("previous", ColumnType::Text, Role::PreviousOf("status".into())),
            ("changed", ColumnType::Timestamp, Role::ChangedWith("status".into())),
            (RUN_ID, ColumnType::Text, Role::Plain),
            (SOURCE_SYSTEM, ColumnType::Text, Role::Plain),
            (SOURCE_ID, ColumnType::Text, Role::Plain),
        ];
        let columns = roles.map(|(name, kind, role)| DatasetColumn {
            name: name.to_owned(),
            kind,
            nullable: true,
            role,
        });
        Rule {
            conflict,
            columns: columns.to_vec(),
            derived: Vec::new(),
            former: Vec::new(),
            order: Some(AT),
            run: Some(5),
            system: Some(6),
            id: Some(7),
        }
    }

    fn row(status: &str, at: i64, from: (&str, &str)) -> Vec<Datum> {
        let text = |text: &str| Datum::Text(text.to_owned());
        let passed = if status == "passing" { Datum::Timestamp(at) } else { Datum::Null };
        let at = Datum::Timestamp(at);
        vec![
            text(status),
            at.clone(),
            passed,
            Datum::Null,
            at,
            text("run"),
            text(from.0),
            text(from.1),
        ]
    }

    fn said(meeting: &Meeting) -> String {
        match meeting {
            Meeting::Update(row) => {
                let status = row[0].as_text().unwrap();
                let [Datum::Timestamp(at), Datum::Timestamp(passed)] = [&row[1], &row[2]] else {
                    return format!("{status} {:?}", row[1]);
                };
                format!("{status} {at}, passed {passed}")
            }
            other => format!("{other:?}").to_lowercase(),
        }
    }

    #[test]
    fn what_no_source_tells_stands_where_nothing_is_said_of_it() {
        let text = |text: &str| Datum::Text(text.to_owned());
        let wins = rule(ConflictRule::LastWriteWins);
        let derived = |scope| Rule { derived: vec![(3, scope)], ..wins.clone() };
        let mut old = row("failing", 1, ("a", "1"));
        old[3] = text("old");
        let mut new = row("passing", 2, ("a", "1"));
        new[3] = Datum::Null;
        let held = |rule: &Rule| match rule.upsert(Some(&old), &new) {
            Meeting::Update(row) => row[3].clone(),
            other => panic!("{other:?}"),
        };
        // The column has a role that tells what was there before, and owners go before roles.
        assert_eq!(held(&derived(None)), text("old"));
        assert_eq!(held(&derived(Some((0, text("passing"))))), text("old"));
        assert_ne!(held(&derived(Some((0, text("failing"))))), text("old"));
        assert_eq!(held(&Rule { former: vec![3], ..wins.clone() }), text("old"));
    }

    #[test]
    #[rustfmt::skip]
    fn each_rule_decides_about_a_stored_row_as_it_says() {
        use ConflictRule::{AppendOnly, FillMissing, Keep, LastWriteWins, NewerWins};
        let stored = row("passing", 5, ("live", "1"));
        let cases = [
            // rule          new                                      what becomes of it
            (AppendOnly,    row("failing", 9, ("old", "1")),          "kept"),
            (Keep,          row("failing", 9, ("old", "1")),          "kept"),
            (FillMissing,   row("failing", 9, ("old", "1")),          "kept"),
            (FillMissing,   row("passing", 9, ("live", "2")),         "passing 9, passed 9"),
            (NewerWins,     row("failing", 9, ("old", "1")),          "failing 9, passed 5"),
            (NewerWins,     row("failing", 5, ("old", "1")),          "kept"),
            (NewerWins,     row("failing", 5, ("live", "0")),         "failing 5, passed 5"),
            (NewerWins,     row("failing", 5, ("live", "2")),         "kept"),
            (NewerWins,     row("failing", 3, ("old", "1")),          "kept"),
            (LastWriteWins, row("failing", 3, ("old", "1")),          "failing 3, passed 5"),
            (LastWriteWins, row("passing", 5, ("old", "1")),          "same"),
        ];
        for (conflict, new, expected) in cases {
            let meeting = rule(conflict).upsert(Some(&stored), &new);
            assert_eq!(said(&meeting), expected, "{conflict:?} {new:?}");
        }
        for (conflict, expected) in [(Keep, "kept"), (FillMissing, "insert"), (NewerWins, "insert")] {
            assert_eq!(said(&rule(conflict).upsert(None, &stored)), expected, "{conflict:?}");
        }
    }

    #[test]
    fn an_older_row_moves_what_only_goes_forward_and_nothing_else() {
        let stored = row("failing", 5, ("live", "1"));
        let older = row("passing", 3, ("old", "1"));
        let Meeting::Update(row) = rule(ConflictRule::NewerWins).upsert(Some(&stored), &older)
        else {
            panic!("it is not carried over")
        };
        assert_eq!((&row[0], &row[1], &row[2]), (&stored[0], &stored[1], &Datum::Timestamp(3)));
        assert_eq!(row[6..], stored[6..], "it still came from where it came");
    }

    #[test]
    fn a_change_is_told_with_what_was_before_and_when() {
        let stored = row("failing", 5, ("live", "1"));
        let rule = rule(ConflictRule::NewerWins);
        let Meeting::Update(changed) =
            rule.upsert(Some(&stored), &row("passing", 7, ("live", "2")))
        else {
            panic!("it is newer")
        };
        assert_eq!((&changed[3], &changed[4]), (&stored[0], &Datum::Timestamp(7)));
        let Meeting::Update(again) = rule.upsert(Some(&changed), &row("passing", 8, ("live", "3")))
        else {
            panic!("it is newer")
        };
        assert_eq!(again[3..5], changed[3..5], "nothing changed");
    }

    #[test]
    fn newer_wins_whatever_the_order_of_arrival() {
        let rows = [
            row("passing", 3, ("old", "2")),
            row("failing", 5, ("old", "7")),
            row("passing", 5, ("old", "3")),
            row("failing", 5, ("old", "4")),
            row("passing", 1, ("old", "9")),
        ];
        let rule = rule(ConflictRule::NewerWins);
        let fold = |order: &[usize]| {
            let mut stored: Option<Vec<Datum>> = None;
            for at in order {
                match rule.upsert(stored.as_deref(), &rows[*at]) {
                    Meeting::Insert => stored = Some(rows[*at].clone()),
                    Meeting::Update(row) => stored = Some(row),
                    _ => {}
                }
            }
            let row = stored.unwrap();
            (row[0].clone(), row[1].clone(), row[2].clone(), row[7].clone())
        };
        let expected = fold(&[0, 1, 2, 3, 4]);
        assert_eq!(expected.3, Datum::Text("3".into()));
        for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 2, 3, 0], [3, 2, 1, 0, 4]] {
            assert_eq!(fold(&order), expected, "{order:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn asserted_values_meet_stored_ones() {
        use ColumnMode::{PromoteOnly, Reconcile, ServerAuthoritative};
        let rule = ColumnRule {
            column: "type".into(),
            mode: Reconcile,
            unknown_values: vec!["unknown".into()],
            known_values: ["sales", "creative", "buying"].map(str::to_owned).to_vec(),
        };
        let cases = [
            // stored           evidence            reconcile            promote only         server-authoritative
            (None,             Some("sales"),     Verdict::Promote,    Verdict::Promote,    Verdict::Flip),
            (Some(""),         Some("sales"),     Verdict::Promote,    Verdict::Promote,    Verdict::Flip),
            (Some("unknown"),  Some("sales"),     Verdict::Promote,    Verdict::Promote,    Verdict::Flip),
            (Some("sales"),    Some("sales"),     Verdict::Same,       Verdict::Same,       Verdict::Same),
            (Some("buying"),   Some("sales"),     Verdict::Flip,       Verdict::Disagree,   Verdict::Flip),
            (Some("seller"),   Some("sales"),     Verdict::Flip,       Verdict::Disagree,   Verdict::Flip),
            (Some("sales"),    None,              Verdict::Unknown,    Verdict::Unknown,    Verdict::Unknown),
            (Some("sales"),    Some("unknown"),   Verdict::Unknown,    Verdict::Unknown,    Verdict::Flip),
            (Some("sales"),    Some("widget"),    Verdict::Unknown,    Verdict::Unknown,    Verdict::Unknown),
            (Some("unknown"),  Some("unknown"),   Verdict::Unknown,    Verdict::Unknown,    Verdict::Unknown),
            (None,             Some("unknown"),   Verdict::Unknown,    Verdict::Unknown,    Verdict::Unknown),
            (None,             Some("widget"),    Verdict::Unknown,    Verdict::Unknown,    Verdict::Unknown),
        ];
        let datum = |text: Option<&str>| text.map_or(Datum::Null, |text| Datum::Text(text.to_owned()));
        for (stored, evidence, reconcile, promote, authoritative) in cases {
            let (stored, evidence) = (datum(stored), datum(evidence));
            let verdicts = [(Reconcile, reconcile), (PromoteOnly, promote), (ServerAuthoritative, authoritative)];
            for (mode, verdict) in verdicts {
                assert_eq!(judge(&rule, mode, &stored, &evidence), verdict, "{mode:?} {stored:?} {evidence:?}");
            }
        }
    }
}
