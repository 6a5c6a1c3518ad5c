//! What the place of a file says about it.

/// Whose transcript a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'p> {
    /// `<slug>/<session>.jsonl`
    Session { session: &'p str },
    /// `<slug>/<session>/subagents/**/agent-<id>.jsonl`
    Agent { session: &'p str, stem: &'p str },
    /// `<slug>/agent-<id>.jsonl`, as older versions wrote: the session is named inside.
    Stray { stem: &'p str },
}

impl<'p> Place<'p> {
    /// Returns what a transcript's path below its root says.
    pub(crate) fn of(path: &'p str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.strip_suffix(".jsonl").unwrap_or(name);
        let mut folders = folder.rsplit('/');
        let is_below = folders.by_ref().any(|name| name == "subagents");
        match folders.next().filter(|session| is_below && !session.is_empty()) {
            Some(session) => Self::Agent { session, stem },
            None if stem.starts_with("agent-") => Self::Stray { stem },
            None => Self::Session { session: stem },
        }
    }

    /// Returns the identity of a file at this place, unless another file has the same.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Session { session } => session.to_owned(),
            Self::Agent { session, stem } => format!("{session}/{stem}"),
            Self::Stray { stem } => stem.to_owned(),
        }
    }

    /// Returns true where two files of one identity are two recordings of one thread, whatever their folders.
    pub(crate) fn is_unique(self) -> bool {
        match self {
            Self::Session { session } | Self::Agent { session, .. } => is_uuid(session),
            Self::Stray { .. } => true,
        }
    }
}

/// Returns true for a UUID in its usual form.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_whose_transcript_it_is() {
        #[rustfmt::skip]
        let cases = [
            ("-src/s1.jsonl",                                   Place::Session { session: "s1" }),
            ("s1.jsonl",                                        Place::Session { session: "s1" }),
            ("-src/agent-0a1b2c3d.jsonl",                       Place::Stray { stem: "agent-0a1b2c3d" }),
            ("-src/s1/subagents/agent-a1.jsonl",                Place::Agent { session: "s1", stem: "agent-a1" }),
            ("-src/s1/subagents/workflows/w/agent-a1.jsonl",    Place::Agent { session: "s1", stem: "agent-a1" }),
            ("-src/s1/subagents/a1.jsonl",                      Place::Agent { session: "s1", stem: "a1" }),
            ("subagents/agent-a1.jsonl",                        Place::Stray { stem: "agent-a1" }),
            ("a/.claude/projects/-src/s1.jsonl",                Place::Session { session: "s1" }),
        ];
        for (path, expect) in cases {
            assert_eq!(Place::of(path), expect, "{path}");
        }
    }

    #[test]
    fn only_the_usual_form_is_a_uuid() {
        assert!(is_uuid("0b5c1f9e-6a77-4f0e-9d0a-1f2e3d4c5b6a"));
        assert!(!is_uuid("2026-01-22-0b5c1f9e-6a77-4f0e-9d0a-1f2e3d4c5b6a"));
        assert!(!is_uuid("chat"));
    }
}
