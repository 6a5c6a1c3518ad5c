//! A database on its way from its first statement to its last row.

use std::collections::VecDeque;

use crate::sqlite::{Database, Handed, Problem, Query, Row};
use crate::{FailureClass, Page, Scan};

/// How much is asked for at once.
const PAGE: u32 = 256 << 10;

/// An open database, and the statements that its rows come from.
pub(super) struct Rows {
    input: u32,
    database: Box<dyn Database>,
    queries: VecDeque<Query>,
    /// Name of the statement that runs.
    running: Option<&'static str>,
    page: VecDeque<Handed>,
}

impl Rows {
    pub(super) fn new<S: Scan>(
        input: u32,
        mut database: Box<dyn Database>,
        scan: &mut S,
    ) -> Result<Self, Problem> {
        let queries = scan.queries(input, &mut *database)?.into();
        Ok(Self { input, database, queries, running: None, page: VecDeque::new() })
    }

    /// Takes the next row; returns how many bytes it has, or nothing at the end of the last statement.
    pub(super) fn row<S: Scan>(
        &mut self,
        scan: &mut S,
        page: &mut Page,
    ) -> Result<Option<u64>, Problem> {
        loop {
            if let Some(handed) = self.page.pop_front() {
                let row = Row::new(self.running.unwrap_or_default(), self.input, &handed);
                page.begin(row.span);
                scan.row(&row, page);
                if !page.is_claimed() {
                    page.failure(row.span, FailureClass::Unknown, row.query);
                }
                return Ok(Some(handed.length));
            }
            if self.running.is_some() {
                self.page = self.database.next(PAGE)?.into();
                if !self.page.is_empty() {
                    continue;
                }
                self.running = None;
            }
            let Some(query) = self.queries.pop_front() else { return Ok(None) };
            self.database.query(&query)?;
            self.running = Some(query.name);
        }
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("input", &self.input).finish_non_exhaustive()
    }
}
