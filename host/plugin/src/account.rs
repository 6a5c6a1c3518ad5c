//! Which bytes a guest was handed, and which of them it has accounted for.

use hyp_model::event::Span;

/// The books of one input.
///
/// Claims never go backwards and never overlap, so that their sum tells whether all was claimed.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Where the account begins: what lies before was accounted for in an earlier scan.
    from: u64,
    /// Ranges handed out, in order, apart from each other.
    handed: Vec<(u64, u64)>,
    /// Ranges of `handed` that end before the last claim.
    passed: usize,
    last: Option<Span>,
    claimed: u64,
    gap: Option<u64>,
}

/// How a claim is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// The span starts before the one before it.
    Backwards,
    /// The span shares bytes with the one before it, and is not the same.
    Overlap,
    /// The span holds bytes that were not handed out.
    NotHanded,
}

impl Lie {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Backwards => "starts before the span before it",
            Self::Overlap => "shares bytes with the span before it",
            Self::NotHanded => "holds bytes that the guest was not given",
        }
    }
}

impl Account {
    /// Opens an account of the bytes after a checkpoint.
    pub(crate) fn from(offset: u64) -> Self {
        Self { from: offset, ..Self::default() }
    }

    /// Returns the end of what was claimed, if every byte before it was.
    pub(crate) fn claimed_to(&self) -> Option<u64> {
        let end = self.end();
        (self.claimed == end - self.from).then_some(end)
    }

    fn end(&self) -> u64 {
        self.last.map_or(self.from, |last| last.offset + last.length)
    }

    /// Notes that these bytes went to the guest.
    pub(crate) fn hand(&mut self, offset: u64, length: u64) {
        let end = offset + length;
        match self.handed.last_mut() {
            Some(last) if (last.0..=last.1).contains(&offset) => last.1 = last.1.max(end),
            // Read again: known already, or bridging a gap that a jump had left.
            Some(last) if offset < last.0 => {
                self.handed.push((offset, end));
                self.handed.sort_unstable();
                let mut merged: Vec<(u64, u64)> = Vec::with_capacity(self.handed.len());
                for range in self.handed.drain(..) {
                    match merged.last_mut() {
                        Some(last) if range.0 <= last.1 => last.1 = last.1.max(range.1),
                        _ => merged.push(range),
                    }
                }
                self.handed = merged;
                self.passed = 0;
            }
            _ => self.handed.push((offset, end)),
        }
    }

    /// Notes that the guest accounted for these bytes.
    pub(crate) fn claim(&mut self, span: Span) -> Result<(), Lie> {
        let end = span.offset.checked_add(span.length).ok_or(Lie::NotHanded)?;
        let claimed_to = self.end();
        if let Some(last) = self.last {
            if last == span {
                return Ok(());
            }
            if span.offset < last.offset {
                return Err(Lie::Backwards);
            }
            if span.length > 0 && span.offset < claimed_to {
                return Err(Lie::Overlap);
            }
        }
        while self.handed.get(self.passed).is_some_and(|range| range.1 < end) {
            self.passed += 1;
        }
        let Some(range) = self.handed.get(self.passed).filter(|range| range.0 <= span.offset)
        else {
            return Err(Lie::NotHanded);
        };
        if span.length == 0 {
            return Ok(());
        }
        if span.offset > claimed_to.max(range.0) && self.gap.is_none() {
            self.gap = Some(claimed_to.max(range.0));
        }
        self.claimed += span.length;
        self.last = Some(span);
        Ok(())
    }

    /// Returns how many bytes went to the guest, each counted once.
    pub(crate) fn bytes_handed(&self) -> u64 {
        self.handed.iter().map(|range| range.1 - range.0).sum()
    }

    /// Returns how many of them it accounted for.
    pub(crate) fn bytes_claimed(&self) -> u64 {
        self.claimed
    }

    /// Returns the number of bytes that nothing accounts for, and where the first of them is.
    pub(crate) fn unclaimed(&self) -> Option<(u64, u64)> {
        let unclaimed = self.bytes_handed() - self.claimed;
        let at = self.gap.or_else(|| {
            let claimed_to = self.end();
            let range = self.handed.iter().find(|range| range.1 > claimed_to)?;
            Some(range.0.max(claimed_to))
        });
        (unclaimed > 0).then(|| (unclaimed, at.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets and lengths.
    type Ranges<'a> = &'a [(u64, u64)];

    fn claims(handed: Ranges<'_>, spans: Ranges<'_>) -> Result<Option<(u64, u64)>, Lie> {
        let mut account = Account::default();
        for (offset, length) in handed {
            account.hand(*offset, *length);
        }
        for (offset, length) in spans {
            account.claim(Span { input: 0, offset: *offset, length: *length })?;
        }
        Ok(account.unclaimed())
    }

    #[test]
    fn after_a_checkpoint_the_account_goes_on() {
        let mut account = Account::from(10);
        assert_eq!(account.claimed_to(), Some(10));
        account.hand(10, 20);
        account.claim(Span { input: 0, offset: 10, length: 5 }).unwrap();
        assert_eq!(account.claimed_to(), Some(15));
        account.claim(Span { input: 0, offset: 20, length: 5 }).unwrap();
        assert_eq!(account.claimed_to(), None, "five bytes are missing");
        assert_eq!(account.unclaimed(), Some((10, 15)));
    }

    #[test]
    #[rustfmt::skip]
    fn every_byte_handed_out_is_claimed_once() {
        let ten = &[(0, 10)][..];
        let cases: &[(&str, Ranges<'_>, Ranges<'_>, _)] = &[
            ("all",                   ten, &[(0, 4), (4, 6)],             Ok(None)),
            ("same record twice",     ten, &[(0, 4), (0, 4), (4, 6)],     Ok(None)),
            ("nothing",               ten, &[],                           Ok(Some((10, 0)))),
            ("the end is missing",    ten, &[(0, 4)],                     Ok(Some((6, 4)))),
            ("the middle is missing", ten, &[(0, 4), (6, 4)],             Ok(Some((2, 4)))),
            ("the start is missing",  ten, &[(4, 6)],                     Ok(Some((4, 0)))),
            ("backwards",             ten, &[(4, 6), (0, 4)],             Err(Lie::Backwards)),
            ("overlap",               ten, &[(0, 4), (3, 7)],             Err(Lie::Overlap)),
            ("same start, longer",    ten, &[(0, 4), (0, 10)],            Err(Lie::Overlap)),
            ("beyond the end",        ten, &[(0, 11)],                    Err(Lie::NotHanded)),
            ("past all numbers",      ten, &[(1, u64::MAX)],              Err(Lie::NotHanded)),
            ("not read at all",       &[], &[(0, 1)],                     Err(Lie::NotHanded)),
            ("empty span",            ten, &[(0, 10), (10, 0), (10, 0)],  Ok(None)),
            ("nothing to claim",      &[], &[],                           Ok(None)),
            ("read on",  &[(0, 10), (10, 5)], &[(0, 12), (12, 3)],        Ok(None)),
            ("jumped",   &[(0, 10), (20, 5)], &[(0, 10), (20, 5)],        Ok(None)),
            ("over the jump", &[(0, 10), (20, 5)], &[(0, 25)],            Err(Lie::NotHanded)),
            ("read again",    &[(5, 10), (0, 7)],  &[(0, 15)],            Ok(None)),
        ];
        for (name, handed, spans, expected) in cases {
            assert_eq!(claims(handed, spans), *expected, "{name}");
        }
    }
}
