//! The gate: one statement, and one that only reads.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as Sql};

use crate::dialect::Spoken;
use crate::error::QueryError;
use crate::translate::translate;

/// Parses one statement, and refuses what does not only read.
pub(crate) fn parse(text: &str) -> Result<Statement, QueryError> {
    let mut statements =
        DFParser::parse_sql_with_dialect(text, &Spoken).map_err(|error| translate(&error, 0))?;
    let statement = statements.pop_front().ok_or(QueryError::Empty)?;
    if !statements.is_empty() {
        return Err(QueryError::Several { count: statements.len() + 1 });
    }
    match change(&statement) {
        None => Ok(statement),
        Some(statement) => Err(QueryError::Refused { statement }),
    }
}

/// Returns the word of a statement that would change something, or none.
fn change(statement: &Statement) -> Option<String> {
    match statement {
        Statement::Explain(explain) => change(&explain.statement),
        Statement::Statement(sql) => change_in_sql(sql),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {
            Some(first_word(&statement.to_string()))
        }
    }
}

fn change_in_sql(sql: &Sql) -> Option<String> {
    match sql {
        Sql::Query(query) => change_in_query(query),
        Sql::Explain { statement, .. } => change_in_sql(statement),
        Sql::ExplainTable { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowFunctions { .. }
        | Sql::ShowTables { .. }
        | Sql::ShowVariable { .. }
        | Sql::ShowVariables { .. } => None,
        _ => Some(first_word(&sql.to_string())),
    }
}

fn change_in_query(query: &Query) -> Option<String> {
    let mut named = query.with.iter().flat_map(|with| &with.cte_tables);
    named.find_map(|table| change_in_query(&table.query)).or_else(|| change_in_body(&query.body))
}

fn change_in_body(body: &SetExpr) -> Option<String> {
    match body {
        SetExpr::Select(select) => select.into.as_ref().map(|_| "SELECT INTO".to_owned()),
        SetExpr::Query(query) => change_in_query(query),
        SetExpr::SetOperation { left, right, .. } => {
            change_in_body(left).or_else(|| change_in_body(right))
        }
        SetExpr::Values(_) | SetExpr::Table(_) => None,
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            Some(first_word(&body.to_string()))
        }
    }
}

/// Refuses plans that would change something all the same: a second lock behind [`parse`].
pub(crate) fn verify(text: &str, plan: &LogicalPlan) -> Result<(), QueryError> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
        .map_err(|_| QueryError::Refused { statement: first_word(text) })
}

fn first_word(text: &str) -> String {
    let word = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_');
    word.collect::<String>().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_passes_the_gate() {
        for text in [
            "select 1",
            "SELECT 1;",
            "with a as (select 1) select * from a",
            "values (1), (2)",
            "explain select 1",
            "explain analyze select 1",
            "select * exclude (raw_frame) from messages",
            "from messages",
            "select a ->> 'b' from messages where a -> 'c' ->> 'd' = 'e'",
            "show tables",
            "show columns from messages",
            "show all",
            "describe messages",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn what_changes_something_is_refused_by_its_first_word() {
        for (text, word) in [
            ("insert into messages values (1)", "INSERT"),
            ("update messages set role = 'x'", "UPDATE"),
            ("delete from messages", "DELETE"),
            ("create table a as select 1", "CREATE"),
            ("create view a as select 1", "CREATE"),
            ("create external table a stored as csv location '/tmp/a'", "CREATE"),
            ("create function f() returns int return 1", "CREATE"),
            ("drop table messages", "DROP"),
            ("truncate table messages", "TRUNCATE"),
            ("copy messages to '/tmp/a.csv'", "COPY"),
            ("copy (select 1) to '/tmp/a.parquet' stored as parquet", "COPY"),
            ("set datafusion.execution.batch_size = 1", "SET"),
            ("prepare p as select 1", "PREPARE"),
            ("execute p", "EXECUTE"),
            ("begin transaction", "BEGIN"),
            ("explain copy (select 1) to '/tmp/a.csv'", "COPY"),
            ("explain insert into messages values (1)", "INSERT"),
            ("with x as (select 1) insert into messages select * from x", "INSERT"),
            ("with x as (select 1) select * into t from x", "SELECT INTO"),
            ("select 1 union all (select * into t from messages)", "SELECT INTO"),
        ] {
            match parse(text) {
                Err(QueryError::Refused { statement }) => assert_eq!(statement, word, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn one_statement_is_taken() {
        assert!(matches!(parse(" ; "), Err(QueryError::Empty)));
        assert!(matches!(parse("select 1; drop table a"), Err(QueryError::Several { count: 2 })));
    }
}
