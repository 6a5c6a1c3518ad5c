//! The gate: one statement, and one that only reads.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as Sql;

use crate::error::QueryError;
use crate::translate::translate;

/// Parses one statement, and refuses what does not only read.
pub(crate) fn parse(text: &str) -> Result<Statement, QueryError> {
    let mut statements = DFParser::parse_sql(text).map_err(|error| translate(&error, 0))?;
    match (statements.pop_front(), statements.len()) {
        (None, _) => Err(QueryError::Empty),
        (Some(_), more @ 1..) => Err(QueryError::Several { count: more + 1 }),
        (Some(statement), 0) if only_reads(&statement) => Ok(statement),
        (Some(statement), 0) => Err(refused(&statement.to_string())),
    }
}

fn only_reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(sql) => matches!(
            sql.as_ref(),
            Sql::Query(_)
                | Sql::Explain { .. }
                | Sql::ExplainTable { .. }
                | Sql::ShowColumns { .. }
                | Sql::ShowFunctions { .. }
                | Sql::ShowTables { .. }
                | Sql::ShowVariable { .. }
                | Sql::ShowVariables { .. }
        ),
        Statement::Explain(explain) => only_reads(&explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

/// Refuses plans that change something in spite of their first word, such as `WITH … INSERT`.
pub(crate) fn verify(text: &str, plan: &LogicalPlan) -> Result<(), QueryError> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
        .map_err(|_| refused(text))
}

fn refused(text: &str) -> QueryError {
    let word: String =
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    QueryError::Refused { statement: word.to_uppercase() }
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
            ("explain copy (select 1) to '/tmp/a.csv'", "EXPLAIN"),
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
