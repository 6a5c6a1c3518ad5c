//! What the engine says of an error, in words of this tool.

use std::error::Error;
use std::path::PathBuf;

use arrow::error::ArrowError;
use datafusion::common::utils::datafusion_strsim::normalized_levenshtein;
use datafusion::common::{Column, DataFusionError, SchemaError};
use object_store::Error as ObjectError;
use parquet::errors::ParquetError;

use crate::error::QueryError;

/// How many similar names an error offers.
const OFFERED: usize = 3;

/// How much alike two names of functions must be for one to be offered for the other.
const NEAR_FUNCTION: f64 = 0.6;

/// Characters of a message; the engine prints whole syntax trees.
const LONGEST: usize = 300;

/// Translates an error of the engine; `memory_limit` is what the query was allowed. Which tables there are is for the
/// session to add.
pub(crate) fn translate(error: &DataFusionError, memory_limit: usize) -> QueryError {
    if let Some(own) = find::<QueryError>(error) {
        return own.clone();
    }
    if let Some(ObjectError::NotFound { path, source }) = find::<ObjectError>(error) {
        let path = PathBuf::from(format!("/{}", path.trim_start_matches('/')));
        return QueryError::DataFile { path, reason: source.to_string() };
    }
    if let Some(parquet) = find::<ParquetError>(error) {
        return QueryError::Damaged { reason: one_line(&parquet.to_string()) };
    }

    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => QueryError::Memory { limit: memory_limit },
        DataFusionError::SQL(parser, _) => {
            let message = one_line(&parser.to_string());
            let message = message.trim_start_matches("sql parser error: ").to_owned();
            QueryError::Syntax { message }
        }
        DataFusionError::SchemaError(schema, _) => of_schema(schema),
        DataFusionError::ParquetError(parquet) => {
            QueryError::Damaged { reason: one_line(&parquet.to_string()) }
        }
        DataFusionError::Plan(message) => of_plan(message),
        DataFusionError::NotImplemented(message) => {
            QueryError::Plan { message: format!("not supported: {}", one_line(message)) }
        }
        DataFusionError::Configuration(message) => QueryError::Plan { message: one_line(message) },
        DataFusionError::ArrowError(cause, _) if is_of_value(cause) => {
            QueryError::Value { message: one_line(&cause.to_string()) }
        }
        other => QueryError::Run { message: one_line(&other.message()) },
    }
}

/// Says whether it is a value that went wrong: in arithmetic, or in a cast.
fn is_of_value(error: &ArrowError) -> bool {
    matches!(
        error,
        ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::CastError(_)
            | ArrowError::ParseError(_)
    )
}

/// Finds the first error of a type among an error and its causes.
fn find<E: Error + 'static>(error: &DataFusionError) -> Option<&E> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn of_plan(message: &str) -> QueryError {
    if let Some(name) = between(message, "table '", "' not found") {
        let name = name.strip_prefix("hyp.").unwrap_or(name);
        let name = name.strip_prefix("hyp.").unwrap_or(name);
        return QueryError::UnknownTable { name: name.to_owned(), tables: Vec::new() };
    }
    if let Some(name) = between(message, "table function '", "' not found") {
        return QueryError::UnknownFunction { name: name.to_owned(), similar: None };
    }
    let function = between(message, "Invalid function '", "'?");
    if let Some((name, similar)) = function.and_then(|f| f.split_once("'.\nDid you mean '")) {
        // The engine offers a name whether or not any is near.
        let similar = Some(similar.to_owned())
            .filter(|similar| normalized_levenshtein(name, similar) >= NEAR_FUNCTION);
        return QueryError::UnknownFunction { name: name.to_owned(), similar };
    }
    QueryError::Plan { message: one_line(message) }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

fn of_schema(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => QueryError::UnknownColumn {
            name: field.flat_name(),
            similar: similar(&field.name, valid_fields),
        },
        SchemaError::AmbiguousReference { field } => QueryError::Plan {
            message: format!("column `{}` is in several tables: name the table", field.name),
        },
        other => QueryError::Plan { message: one_line(&other.to_string()) },
    }
}

/// Returns the names most like one that is not there.
fn similar(name: &str, known: &[Column]) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = known
        .iter()
        .map(|column| (normalized_levenshtein(name, &column.name), column.name.as_str()))
        .filter(|(score, known)| *score >= 0.5 || known.contains(name) || name.contains(known))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

/// Returns a message on one line of bearable length, in the manner of ours.
fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.replace("Error during planning: ", "");
    let line = line.strip_prefix("Internal error: ").unwrap_or(&line);
    let noise = [". This issue was likely caused by a bug", ", errors: "];
    let line = noise.iter().fold(line, |line, noise| line.split(noise).next().unwrap_or(line));

    let mut chars = line.chars();
    let mut result = match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => line.to_owned(),
    };
    if let Some((at, _)) = result.char_indices().nth(LONGEST) {
        result.truncate(at);
        result.push('…');
    }
    result
}
