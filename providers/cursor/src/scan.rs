//! A conversation: its head, then its bubbles in the order that the head lists them in.
//!
//! Old conversations hold their bubbles in the head itself. Bubbles that no head lists any more come last.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Database, Problem, Query, Row};
use hyp_sdk::{
    Context, Fact, FailureClass, Message, Page, Reading, Scan, Span, Subject, Thread, time,
};

use crate::bubble;

const HEAD: &str = "\
    select octet_length(value), case when octet_length(value) <= 33554432 then value end \
    from cursorDiskKV where key = 'composerData:' || ?1";

/// Bubbles in the order of the head's list. Only keys are sorted; a value is fetched after. The aggregate has the list
/// taken out of the head once.
const BUBBLES: &str = "\
    select key, (select octet_length(value) from cursorDiskKV where key = listed.key), \
      (select case when octet_length(value) <= 33554432 then value end from cursorDiskKV where key = listed.key) \
    from (\
      select b.key as key, instr(h.list, substr(b.key, length('bubbleId:' || ?1 || ':') + 1)) as place \
      from cursorDiskKV b, (\
        select coalesce(max(case when json_valid(cast(value as text)) \
          then json_extract(cast(value as text), '$.fullConversationHeadersOnly') end), '') as list \
        from cursorDiskKV where key = 'composerData:' || ?1 and octet_length(value) <= 33554432) h \
      where b.key >= 'bubbleId:' || ?1 || ':' and b.key < 'bubbleId:' || ?1 || ';' \
      order by place = 0, place, b.key limit -1) listed";

/// A conversation that is being read.
#[derive(Debug)]
pub struct Conversation {
    id: String,
    title: Option<String>,
    started_at: Option<i64>,
    context: Context,
    tape: Tape,
    is_open: bool,
}

impl Conversation {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: None,
            started_at: None,
            context: Context::default(),
            tape: Tape::new(),
            is_open: false,
        }
    }

    fn head(&mut self, json: Value<'_>, span: Span, out: &mut Page) {
        let text = |path: &[&str]| json.path(path).and_then(Value::non_empty);
        self.title = text(&["name"]);
        self.started_at = json.get("createdAt").and_then(Value::f64).and_then(time::from_millis);
        self.context.model = text(&["modelConfig", "modelName"]).filter(|name| name != "default");
        self.context.git.branch = text(&["createdOnBranch"]);
        out.skip(span, "composerData");
        for json in json.get("conversation").into_iter().flat_map(Value::items) {
            if let Some(id) = json.get("bubbleId").and_then(Value::non_empty) {
                self.bubble(&id, json, span, out);
            }
        }
    }

    /// Takes a bubble; says whether anything came of it.
    fn bubble(&mut self, id: &str, json: Value<'_>, span: Span, out: &mut Page) -> bool {
        bubble::context(json, &mut self.context);
        let said = bubble::read(id, json, span, &self.context);
        let is_something = !said.is_empty();
        for message in said {
            self.say(message, out);
        }
        is_something
    }

    fn say(&mut self, message: Message, out: &mut Page) {
        if !self.is_open {
            self.is_open = true;
            let vendor = self.context.model.as_deref().and_then(bubble::vendor);
            let mut thread = Thread::new(&self.id, vendor.unwrap_or("unknown"), &self.id, "cursor");
            thread.started_at = self.started_at.or(message.created_at);
            thread.context = self.context.clone();
            out.thread_start(thread);
            if let Some(title) = &self.title {
                out.fact(Fact::new(Subject::ThisThread, "title", title).rank(2));
            }
        }
        out.message(message);
    }
}

impl Scan for Conversation {
    fn reading(&self, _: u32) -> Reading {
        Reading::Rows
    }

    fn queries(&mut self, _: u32, _: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        Ok(vec![
            Query::new("head", HEAD).bind(&self.id),
            Query::new("bubble", BUBBLES).bind(&self.id),
        ])
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        let first = if row.query == "head" { 0 } else { 1 };
        let Some(length) = row.integer(first) else {
            return out.skip(row.span, "value that was deleted");
        };
        let Some(text) = row.text(first + 1) else {
            let reason = format!("{length} bytes");
            return out.failure(row.span, FailureClass::TooLong, reason);
        };
        let mut tape = std::mem::take(&mut self.tape);
        match tape.parse(&text, 0) {
            Err(_) => out.failure(row.span, FailureClass::Malformed, "not JSON"),
            Ok((json, _)) if row.query == "head" => self.head(json, row.span, out),
            Ok((json, _)) => {
                let key = row.text(0).unwrap_or_default();
                let id = key.rsplit(':').next().unwrap_or_default();
                if json.get("type").and_then(Value::u64).is_none_or(|kind| kind > 2 || kind == 0) {
                    out.failure(row.span, FailureClass::Unknown, "bubble of an unknown type");
                } else if !self.bubble(id, json, row.span, out) {
                    out.skip(row.span, "empty bubble");
                }
            }
        }
        self.tape = tape;
    }

    fn end(&mut self, out: &mut Page) {
        if self.is_open {
            out.thread_end();
        }
    }
}
