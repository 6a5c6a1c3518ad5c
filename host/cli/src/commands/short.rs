//! Ids as short as a person may type them.

/// Returns the start of an id, with so many characters at least, that no other one has; none where another one goes on
/// from it.
///
/// What lies below it, as a sub-agent's id does below its session's, is no rival. `ids` are in order, the id among them.
pub(super) fn start(id: &str, ids: &[String], least: usize) -> Option<String> {
    let is_below = |other: &&String| other.strip_prefix(id).is_some_and(|it| it.starts_with('/'));
    let shared = |other: &String| id.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let at = ids.partition_point(|other| other.as_str() < id);
    let before = ids[..at].last().map_or(0, shared);
    let after = ids.get(at + 1..)?.iter().find(|other| !is_below(other)).map_or(0, shared);
    let taken = before.max(after);
    (taken < id.chars().count()).then(|| id.chars().take(least.max(taken + 1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_as_short_as_others_let_it_be() {
        let ids = ["bf-1", "bf-12", "bf-2a", "bf-2a", "ß-9", "s-31", "s-31/sub", "s-42"];
        let ids = ids.map(str::to_owned);
        #[rustfmt::skip]
        let cases = [
            ("bf-1",     None),
            ("bf-12",    Some("bf-12")),
            ("bf-2a",    None),
            ("s-31",     Some("s-3")),
            ("s-31/sub", Some("s-31/")),
            ("s-42",     Some("s-4")),
            ("ß-9",      Some("ß-9")),
        ];
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        for (id, expected) in cases {
            assert_eq!(start(id, &sorted, 3).as_deref(), expected, "{id}");
        }
    }
}
