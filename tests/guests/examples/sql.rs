//! Runs as a statement whatever the unit is called, and says what came: a message a row.
//!
//! A unit named `bytes` is read as a file instead, and one named `unclaimed` leaves its rows without an event.

use hyp_sdk::sqlite::{Database, Problem, Query, Row};
use hyp_sdk::{
    Candidate, Description, Entry, Fault, Message, Page, Part, Provider, Reading, Root, Scan,
    Thread,
};

struct Sql;

hyp_sdk::register!(Sql);

impl Provider for Sql {
    type Scan = Statement;

    fn description() -> Description {
        let home = Root::new("home", Candidate::overriding("GUEST_HOME", ""));
        let home = home.glob("*.db").depth(1).table("chat", &["id", "title", "absent"]);
        Description::new("sql", "sql", "0.1.0").summary("A guest for tests").root(home)
    }

    fn open(unit: &str, _: &[Entry], _: &[u8]) -> Result<Statement, Fault> {
        Ok(Statement { text: unit.to_owned(), started: false })
    }
}

struct Statement {
    text: String,
    started: bool,
}

impl Scan for Statement {
    fn reading(&self, _: u32) -> Reading {
        if self.text == "bytes" { Reading::Lines } else { Reading::Rows }
    }

    fn queries(&mut self, _: u32, database: &mut dyn Database) -> Result<Vec<Query>, Problem> {
        if self.text == "unclaimed" {
            database.query(&Query::new("unclaimed", "select title from chat"))?;
            database.next(1)?;
            return Ok(Vec::new());
        }
        Ok(vec![Query::new("statement", &self.text)])
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Page) {
        if !self.started {
            out.thread_start(Thread::new("t", "guests", "t", "guest"));
            self.started = true;
        }
        let mut message = Message::new(row.span, "user");
        message.parts.push(Part::text(row.text(0).unwrap_or_default().into_owned()));
        out.message(message);
    }

    fn end(&mut self, out: &mut Page) {
        if self.started {
            out.thread_end();
        }
    }
}
