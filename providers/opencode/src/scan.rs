//! Where records come from: rows of a database, or documents.

use hyp_sdk::json::{Tape, Value};
use hyp_sdk::sqlite::{Database, Problem, Query, Row};
use hyp_sdk::{Entry, FailureClass, Page, Reading, Scan, Span};

use crate::part::{self, Made};
use crate::session::{Head, Session};
use crate::{DATABASES, STORAGE};

/// Columns of a session, in the order in which they are asked for. Not every version has all.
pub(crate) const SESSION: &[&str] = &[
    "id",
    "parent_id",
    "directory",
    "title",
    "version",
    "time_created",
    "time_updated",
    "project_id",
];

/// Where the session's project lies.
const WORKTREE: &str =
    "select worktree from project where id = (select project_id from session where id = ?1)";

/// Messages with their parts, each right after its message. Only ids are sorted; what a record holds is fetched after.
const MESSAGES: &str = "\
    select message, part, case when part is null \
        then (select case when octet_length(data) <= 33554432 then data end from message where id = message) \
        else (select case when octet_length(data) <= 33554432 then data end from part where id = part) end \
    from (\
      select id as message, null as part, time_created as at from message where session_id = ?1 \
      union all \
      select p.message_id, p.id, m.time_created from part p left join message m on m.id = p.message_id \
        where p.session_id = ?1 \
      order by 3, 1, 2 limit -1)";

/// A session that is being read.
#[derive(Debug)]
pub struct Records {
    id: String,
    kinds: Vec<Kind>,
    session: Session,
    tape: Tape,
}

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Database,
    Session,
    Message(String),
    Part { message: String, id: String },
}

impl Records {
    pub(crate) fn new(unit: &str, entries: &[Entry], context: &[u8]) -> Self {
        let id = str::from_utf8(context).ok().filter(|id| !id.is_empty()).unwrap_or(unit);
        Self {
            id: id.to_owned(),
            kinds: entries.iter().map(kind_of).collect(),
            session: Session::new(id),
            tape: Tape::new(),
        }
    }

    fn head(&mut self, row: &Row<'_>) -> Head {
        Head {
            parent: row.non_empty(1),
            directory: row.non_empty(2),
            title: row.non_empty(3),
            version: row.non_empty(4),
            created_at: row.integer(5).and_then(|millis| millis.checked_mul(1000)),
        }
    }

    /// Takes the text of a message or of a part; nothing for one that is too long.
    fn take(
        &mut self,
        (message, part): (&str, Option<&str>),
        text: Option<&str>,
        span: Span,
        out: &mut Page,
    ) {
        let broken = match text {
            None => (FailureClass::TooLong, "longer than a record may be"),
            Some(_) => (FailureClass::Malformed, "not JSON"),
        };
        let json = text.and_then(|text| self.tape.parse(text, 0).ok());
        match (json, part) {
            (Some((json, _)), None) => self.session.message(message, json, span, out),
            (Some((json, _)), Some(part)) => {
                self.session.part((message, part), part::read(json), span, out);
            }
            (None, Some(part)) => {
                let made = Made::Failed(broken.0, broken.1.to_owned());
                self.session.part((message, part), made, span, out);
            }
            (None, None) => {
                self.session.flush(out);
                out.failure(span, broken.0, broken.1);
            }
        }
    }
}

fn kind_of(entry: &Entry) -> Kind {
    if entry.root == DATABASES {
        return Kind::Database;
    }
    debug_assert_eq!(entry.root, STORAGE);
    let mut names = entry.path.trim_end_matches(".json").split('/').map(str::to_owned);
    match (names.next().as_deref(), names.next(), names.next()) {
        (Some("message"), _, Some(id)) => Kind::Message(id),
        (Some("part"), Some(message), Some(id)) => Kind::Part { message, id },
        _ => Kind::Session,
    }
}

impl Scan for Records {
    fn reading(&self, input: u32) -> Reading {
        match self.kinds.get(input as usize) {
            Some(Kind::Database) => Reading::Rows,
            _ => Reading::Document,
        }
    }

    fn queries(&mut self, _input: u32, database: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        let there = database.columns("session")?;
        let columns: Vec<&str> = SESSION
            .iter()
            .map(|column| if there.iter().any(|one| one == column) { *column } else { "null" })
            .collect();
        let session = format!("select {} from session where id = ?1", columns.join(", "));
        let mut queries = vec![Query::new("session", session).bind(&self.id)];
        let has = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
        if has(&database.columns("project")?, "worktree") && has(&there, "project_id") {
            queries.push(Query::new("project", WORKTREE).bind(&self.id));
        }
        queries.push(Query::new("record", MESSAGES).bind(&self.id));
        Ok(queries)
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        match row.query {
            "session" => {
                let head = self.head(row);
                self.session.head(head, out);
                out.skip(row.span, "session");
            }
            "project" => {
                self.session.worktree(row.non_empty(0));
                out.skip(row.span, "project");
            }
            _ => {
                let (message, part) = (row.text(0).unwrap_or_default(), row.text(1));
                self.take((&message, part.as_deref()), row.text(2).as_deref(), row.span, out);
            }
        }
    }

    fn document(&mut self, input: u32, bytes: &[u8], out: &mut Page) {
        let span = Span { input, offset: 0, length: bytes.len() as u64 };
        let text = String::from_utf8_lossy(bytes);
        match self.kinds[input as usize].clone() {
            Kind::Message(id) => self.take((&id, None), Some(&text), span, out),
            Kind::Part { message, id } => self.take((&message, Some(&id)), Some(&text), span, out),
            Kind::Session | Kind::Database => {
                let Ok((json, _)) = self.tape.parse(&text, 0) else {
                    return out.failure(span, FailureClass::Malformed, "not JSON");
                };
                let head = document_head(json);
                self.session.head(head, out);
                out.skip(span, "session");
            }
        }
    }

    fn end(&mut self, out: &mut Page) {
        self.session.end(out);
    }
}

fn document_head(json: Value<'_>) -> Head {
    let text = |key: &str| json.get(key).and_then(Value::non_empty);
    let created = json.path(&["time", "created"]).and_then(Value::f64);
    Head {
        parent: text("parentID"),
        directory: text("directory"),
        title: text("title"),
        version: text("version"),
        created_at: created.and_then(hyp_sdk::time::from_millis),
    }
}
