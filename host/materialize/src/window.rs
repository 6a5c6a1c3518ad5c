//! The window of time that is imported. Rows are filtered after whole threads were materialized.

use hyp_model::event::Micros;

/// A span of time with both ends inside, either of them open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// First moment inside.
    pub since: Option<Micros>,
    /// Last moment inside.
    pub until: Option<Micros>,
}

impl Window {
    /// Says whether a row of this time is inside.
    pub fn contains(&self, created_at: Micros) -> bool {
        self.since.is_none_or(|since| since <= created_at)
            && self.until.is_none_or(|until| created_at <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn both_ends_of_a_window_are_inside() {
        #[rustfmt::skip]
        let cases = [
            ("open",            None,     None,     5, true),
            ("at the start",    Some(5),  None,     5, true),
            ("before",          Some(5),  None,     4, false),
            ("at the end",      None,     Some(5),  5, true),
            ("after",           None,     Some(5),  6, false),
            ("a single moment", Some(5),  Some(5),  5, true),
            ("upside down",     Some(6),  Some(5),  5, false),
        ];
        for (name, since, until, at, expect) in cases {
            assert_eq!(Window { since, until }.contains(at), expect, "{name}");
        }
    }
}
