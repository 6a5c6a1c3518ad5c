//! `tests/queries/*.slt`: SQL and its answers over the imported sample, as text.
//!
//! The format is that of sqllogictest, with a row's values as CSV:
//!
//! ```text
//! query
//! select client_name, count(*) from messages group by 1 order by 1
//! ----
//! claude,17
//!
//! query error no such thing
//! select 1 from nowhere
//! ```
//!
//! With `SLT_COMPLETE=1` the answers are written into the files instead of compared.

use std::fs;

use crate::sandbox::{Sandbox, files, repository};

/// One question of a file.
struct Record {
    /// What the error has to say; `None` where rows are expected.
    error: Option<String>,
    sql: String,
    expected: Vec<String>,
}

#[test]
fn every_query_has_its_answer() {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    let complete = std::env::var_os("SLT_COMPLETE").is_some();
    let mut wrong = Vec::new();
    let paths = files(&repository().join("tests/queries"));
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "slt")) {
        let text = fs::read_to_string(path).unwrap();
        let mut out = Vec::new();
        for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            let Some(record) = record(block) else {
                out.push(block.to_owned());
                continue;
            };
            let found = answer(&sandbox, &record);
            if found != record.expected {
                wrong.push(format!(
                    "{}\n{}\n-- expected\n{}\n-- found\n{}\n",
                    path.display(),
                    record.sql,
                    record.expected.join("\n"),
                    found.join("\n")
                ));
            }
            out.push(completed(block, &record, &found));
        }
        if complete {
            fs::write(path, format!("{}\n", out.join("\n\n"))).unwrap();
        }
    }
    assert!(!paths.is_empty());
    assert!(complete || wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Reads a block; `None` for one of comments only.
fn record(block: &str) -> Option<Record> {
    let mut lines = block.lines().skip_while(|line| line.starts_with('#'));
    let first = lines.next()?;
    let rest = first.strip_prefix("query").unwrap_or_else(|| panic!("not a query: {first}"));
    let error = rest.trim().strip_prefix("error").map(|words| words.trim().to_owned());
    let rest: Vec<_> = lines.collect();
    let line = rest.iter().position(|line| *line == "----").unwrap_or(rest.len());
    let sql = rest[..line].join("\n");
    let expected = rest.iter().skip(line + 1).map(|line| (*line).to_owned()).collect();
    Some(Record { error, sql, expected })
}

/// Returns the rows, or what differs from the expected error.
fn answer(sandbox: &Sandbox, record: &Record) -> Vec<String> {
    let Some(words) = &record.error else { return sandbox.rows(&record.sql) };
    let output = sandbox.hyp(["query", "sql", &record.sql]);
    if output.status == Some(1) && output.stderr.contains(words.as_str()) {
        Vec::new()
    } else {
        vec![output.to_string()]
    }
}

fn completed(block: &str, record: &Record, found: &[String]) -> String {
    if record.error.is_some() {
        return block.to_owned();
    }
    let question = block.split("\n----").next().unwrap_or(block);
    format!("{question}\n----\n{}", found.join("\n")).trim_end().to_owned()
}
