//! Questions that commands put to the store.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use hyp_cache::{Store, StoreError};
use hyp_query::{Answer, Format, Options, Output, ParquetFile, QueryError, Receipt, Writer};
use tokio::runtime::Runtime;

use super::Session;
use crate::failure::Failure;

/// A row, by column.
pub(super) type Row = serde_json::Map<String, serde_json::Value>;

/// The rows of an answer.
pub(super) type Rows = Vec<Row>;

/// The store at one moment, open for several questions.
pub(super) struct Lake {
    runtime: Runtime,
    session: hyp_query::Session,
}

impl Lake {
    /// Opens the store.
    pub(super) fn open(session: &Session) -> Result<Self, Failure> {
        Self::at(&session.places.store, Options::default())
    }

    /// Opens a store by its folder, for questions in the midst of other work: what does not fit into little memory goes
    /// through temporary files.
    pub(super) fn beside(store: &Path) -> Result<Self, Failure> {
        Self::at(store, Options { target_partitions: 1, memory_limit: 48 << 20 })
    }

    fn at(store: &Path, options: Options) -> Result<Self, Failure> {
        let store = Store::open(store)?;
        Self::over(hyp_query::Session::open(&store, options)?)
    }

    /// Opens the store; where there is none yet, every table is empty.
    pub(super) fn open_or_empty(session: &Session) -> Result<Self, Failure> {
        match Store::open(&session.places.store) {
            Err(StoreError::Missing { .. }) => {
                Self::over(hyp_query::Session::empty(Options::default())?)
            }
            _ => Self::open(session),
        }
    }

    fn over(session: hyp_query::Session) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Failure::Output)?;
        Ok(Self { runtime, session })
    }

    /// Says which clients there are, where one is asked for that the store knows nothing of.
    pub(super) fn check_client(
        &self,
        command: &'static str,
        name: Option<&str>,
    ) -> Result<(), Failure> {
        let Some(name) = name else { return Ok(()) };
        let rows = self.rows(
            "select distinct client_name from sessions where client_name is not null \
             order by client_name",
        )?;
        let stored: Vec<_> = rows.iter().filter_map(|row| text(row, "client_name")).collect();
        if stored.is_empty() || stored.iter().any(|it| it == name) {
            return Ok(());
        }
        Err(nothing_of(command, name, &stored))
    }

    /// Returns the rows of a query, whole.
    pub(super) fn rows(&self, sql: &str) -> Result<Rows, Failure> {
        self.runtime.block_on(self.collect(sql)).map_err(failed)
    }

    /// Returns the answer to a query, as it is, and the rows of another, which are computed side by side.
    pub(super) fn both(&self, one: &str, other: &str) -> Result<(Answer, Rows), Failure> {
        let both = async {
            let one = async { self.session.stream(one).await?.collect().await };
            tokio::try_join!(one, self.collect(other))
        };
        self.runtime.block_on(both).map_err(failed)
    }

    async fn collect(&self, sql: &str) -> Result<Rows, QueryError> {
        let mut rows = Vec::new();
        let mut lines = Lines { take: |row| rows.push(row), begun: Vec::new() };
        self.print(sql, &Output::new(Format::Jsonl), &mut lines).await?;
        Ok(rows)
    }

    /// Hands out the rows of a query one by one, while it is computed.
    pub(super) fn each(&self, sql: &str, take: impl FnMut(Row)) -> Result<(), Failure> {
        let mut lines = Lines { take, begun: Vec::new() };
        self.answer(sql, &Output::new(Format::Jsonl), &mut lines).map(|_| ())
    }

    async fn print(
        &self,
        sql: &str,
        output: &Output,
        to: &mut dyn Write,
    ) -> Result<Receipt, QueryError> {
        let mut rows = self.session.stream(sql).await?;
        let mut writer = Writer::new(&rows.schema(), output, to);
        while let Some(batch) = rows.next().await? {
            writer.batch(&batch)?;
        }
        writer.finish()
    }

    /// Prints the answer to a query while it is computed.
    pub(super) fn answer(
        &self,
        sql: &str,
        output: &Output,
        to: &mut dyn Write,
    ) -> Result<Receipt, Failure> {
        self.runtime.block_on(self.print(sql, output, to)).map_err(failed)
    }

    /// Writes the whole answer to a query into a file.
    pub(super) fn write(
        &self,
        sql: &str,
        format: FileFormat,
        file: File,
    ) -> Result<Receipt, Failure> {
        let FileFormat::Text(format) = format else { return self.write_parquet(sql, file) };
        self.answer(sql, &Output::new(format), &mut BufWriter::new(file))
    }

    fn write_parquet(&self, sql: &str, file: File) -> Result<Receipt, Failure> {
        let receipt = self.runtime.block_on(async {
            let mut rows = self.session.stream(sql).await?;
            let mut writer = ParquetFile::new(rows.schema(), file)?;
            while let Some(batch) = rows.next().await? {
                writer.batch(&batch)?;
            }
            writer.finish()
        });
        receipt.map_err(failed)
    }
}

/// Takes rows that are written to it as lines of JSON.
struct Lines<F> {
    take: F,
    begun: Vec<u8>,
}

impl<F: FnMut(Row)> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(&rest[..end]);
            (self.take)(serde_json::from_slice(&self.begun)?);
            self.begun.clear();
            rest = &rest[end + 1..];
        }
        self.begun.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// Text, as it would be printed.
    Text(Format),
    /// Parquet, with the types of the columns.
    Parquet,
}

fn failed(error: QueryError) -> Failure {
    match error {
        QueryError::Write(cause) => {
            Failure::Output(std::io::Error::new(cause.kind(), cause.to_string()))
        }
        error => error.into(),
    }
}

/// Returns the rows of a query, whole.
pub(super) fn rows(session: &Session, sql: &str) -> Result<Rows, Failure> {
    Lake::open(session)?.rows(sql)
}

/// Returns the rows of a query as a table for people.
pub(super) fn table(session: &Session, sql: &str) -> Result<String, Failure> {
    let mut text = Vec::new();
    Lake::open(session)?.answer(sql, &Output::inline(Format::Table), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What is said of an empty store.
pub(super) const NOTHING_STORED: &str =
    "nothing is stored yet; `hyp backfill` imports the history on this machine";

/// Says that nothing of a client is stored, and which have something.
pub(super) fn nothing_of<S: AsRef<str>>(
    command: &'static str,
    name: &str,
    stored: &[S],
) -> Failure {
    let stored: Vec<&str> = stored.iter().map(AsRef::as_ref).collect();
    let message = match stored.as_slice() {
        [] => NOTHING_STORED.to_owned(),
        stored => format!("nothing of `{name}` is stored; stored: {}", stored.join(", ")),
    };
    Failure::Refused { command, message }
}

/// Returns a text as SQL writes it.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns the pattern of all that has a text in it, as SQL writes it.
pub(super) fn like(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    quote(&format!("%{escaped}%"))
}

/// Returns texts as a list for `in`; an empty one is in nothing.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = texts.into_iter().map(quote).collect();
    if quoted.is_empty() { "(null)".to_owned() } else { format!("({})", quoted.join(", ")) }
}

/// Returns a text, or `None` for null.
pub(super) fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

/// Returns an integer, which JSON may hold as text.
pub(super) fn long(row: &Row, name: &str) -> Option<i64> {
    let value = row.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns a count; null and negative numbers are none.
pub(super) fn count(row: &Row, name: &str) -> u64 {
    long(row, name).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}
