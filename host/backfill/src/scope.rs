//! Which rows of a run are stored: those in its window that the store would also keep.

use hyp_materialize::Window;
use hyp_model::event::Micros;

/// The window of a run, and where what is kept begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    asked: Window,
    retained_from: Option<Micros>,
}

impl Scope {
    pub(crate) fn new(asked: Window, retained_from: Option<Micros>) -> Self {
        Self { asked, retained_from }
    }

    /// Returns the interval that is imported, as the ledger keeps it.
    pub(crate) fn window(&self) -> Window {
        Window { since: self.asked.since.max(self.retained_from), until: self.asked.until }
    }

    /// Returns why a row of this time is not stored, if it is not.
    pub(crate) fn left_out(&self, created_at: Micros) -> Option<&'static str> {
        if !self.asked.contains(created_at) {
            return Some("outside_window");
        }
        self.retained_from.filter(|from| created_at < *from).map(|_| "expired")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_expire_at_once_is_not_imported() {
        let scope =
            |since, retained_from| Scope::new(Window { since, until: Some(90) }, retained_from);
        #[rustfmt::skip]
        let cases = [
            (None,     None,     5,  None),
            (None,     Some(10), 9,  Some("expired")),
            (None,     Some(10), 10, None),
            (Some(20), Some(10), 15, Some("outside_window")),
            (Some(5),  Some(10), 7,  Some("expired")),
            (Some(5),  Some(10), 4,  Some("outside_window")),
            (None,     Some(10), 91, Some("outside_window")),
        ];
        for (since, retained, at, expected) in cases {
            assert_eq!(
                scope(since, retained).left_out(at),
                expected,
                "{since:?} {retained:?} {at}"
            );
        }
        assert_eq!(scope(Some(5), Some(10)).window().since, Some(10));
        assert_eq!(scope(Some(20), Some(10)).window().since, Some(20));
        assert_eq!(scope(None, None).window().since, None);
    }
}
