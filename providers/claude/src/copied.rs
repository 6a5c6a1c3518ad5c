//! How much of a session can be copied from another one.
//!
//! A fork begins with prompts and answers of its origin, and versions up to 2.1.2xx do not say so in a terminal. But what it
//! copies it writes in one go: no record of the client's own stands between copied lines, and the name of the session's
//! plan does not come up on the way.

use hyp_sdk::Fact;
use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

use crate::line::{Line, owned};

/// Prompts and answers that can be copies.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    lines: u32,
    /// A record of the client's own stands behind them.
    is_interrupted: bool,
    /// True where something follows that is no copy.
    is_certain: bool,
    /// Name of the plan on the last line.
    slug: Option<String>,
}

impl Copied {
    /// Looks at a line of the conversation.
    pub(crate) fn line(&mut self, line: &Line<'_>, kind: &str) {
        if self.is_certain || !["user", "assistant"].contains(&kind) {
            return;
        }
        let slug = owned(line.slug);
        if self.is_interrupted || (self.lines > 0 && slug != self.slug) {
            self.is_certain = true;
        } else {
            self.lines += 1;
            self.slug = slug;
        }
    }

    /// Looks at a record of the client's own. Some are part of the chain of messages, and are copied with it.
    pub(crate) fn record(&mut self, json: Value<'_>) {
        self.is_interrupted |= self.lines > 0 && json.get("uuid").is_none();
    }

    /// Returns what there is to say about the session.
    pub(crate) fn fact(&self) -> Fact {
        Fact::copied_at_most(self.lines, self.is_certain)
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.number(self.lines.into());
        out.flag(self.is_interrupted);
        out.flag(self.is_certain);
        out.maybe_text(self.slug.as_deref());
    }

    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let lines = from.number()?.try_into().ok()?;
        Some(Self {
            lines,
            is_interrupted: from.flag()?,
            is_certain: from.flag()?,
            slug: from.maybe_text()?,
        })
    }
}
