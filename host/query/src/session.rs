//! One place to ask from: the tables of a store at one moment.

use std::num::NonZero;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlanBuilder, col};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::FutureExt;
use futures::channel::oneshot;
use hyp_cache::{Lease, Store};
use hyp_model::dataset::MESSAGES;
use tokio::runtime::Handle;

use crate::answer::{Answer, Rows};
use crate::columns::VIEW;
use crate::error::QueryError;
use crate::lake::{Files, Tables};
use crate::messages::FileTable;
use crate::statement;
use crate::store::{self, StoreTables};
use crate::stored::StoredTable;
use crate::translate::translate;
use crate::views;

/// Catalog and schema, as other engines name them.
const NAMESPACE: &str = "hyp";

/// Rows decoded at once. Content columns are wide, so it is half the engine's default.
const BATCH_ROWS: usize = 4096;

/// Stack of the thread that plans: the planner calls itself for each term of a long condition.
const PLANNING_STACK: usize = 64 << 20;

/// What a session may use.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files, or parts of them, read side by side.
    pub target_partitions: usize,
    /// Bytes that sorting, grouping and joining may hold.
    pub memory_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target_partitions: std::thread::available_parallelism().map_or(1, NonZero::get),
            memory_limit: 1 << 30,
        }
    }
}

/// Answers SQL over one store.
///
/// The lake is seen as it was when the session was opened; the tables beside it are read by each statement that
/// names them. Nothing can be written through it.
pub struct Session {
    context: SessionContext,
    memory_limit: usize,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("memory_limit", &self.memory_limit).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens a session on a store as it is now.
    pub fn open(store: &Store, options: Options) -> Result<Self, QueryError> {
        let files = store::files(store.snapshot()?);
        let session = Self::over(files, Some(Arc::new(StoreTables(store.clone()))), options)?;
        session.add_datasets(store)?;
        Ok(session)
    }

    /// Opens a session where there is no store yet: every table is there, and empty.
    pub fn empty(options: Options) -> Result<Self, QueryError> {
        let schema = hyp_cache::messages_schema();
        Self::over(Files { schema, files: Vec::new(), lease: Lease::default() }, None, options)
    }

    /// Opens a session on given files and tables.
    pub(crate) fn over(
        files: Files,
        tables: Option<Arc<dyn Tables>>,
        options: Options,
    ) -> Result<Self, QueryError> {
        let memory_limit = options.memory_limit;
        let open = || -> EngineResult<SessionContext> {
            let mut context = SessionContext::new_with_state(state(&options)?);
            datafusion_functions_json::register_all(&mut context)?;

            let messages: Arc<dyn TableProvider> = Arc::new(FileTable::new(files));
            context.register_table(VIEW, Arc::new(without_replays(&messages)?))?;
            context.register_table(MESSAGES, messages)?;
            for name in hyp_cache::TABLES {
                let Some(schema) = hyp_cache::table_schema(name) else { continue };
                let table = StoredTable::new(name, schema, tables.clone());
                context.register_table(*name, Arc::new(table))?;
            }
            Ok(context)
        };
        let context = open().map_err(|error| translate(&error, memory_limit))?;
        Ok(Self { context, memory_limit })
    }

    /// Returns the tables that only this store has, with their columns.
    pub(crate) fn more_tables(&self) -> Vec<(String, SchemaRef)> {
        let Some(schema) = schema(&self.context) else { return Vec::new() };
        let names = more_names(&schema);
        let table = |name: String| {
            let table = schema.table(&name).now_or_never()?.ok().flatten()?;
            Some((name, table.schema()))
        };
        names.into_iter().filter_map(table).collect()
    }

    /// Adds the datasets of a store, and the views over them.
    fn add_datasets(&self, store: &Store) -> Result<(), QueryError> {
        let add = |datasets: Vec<hyp_cache::DatasetFiles>| -> EngineResult<()> {
            for dataset in datasets {
                let (name, files) = store::dataset(dataset);
                self.context.register_table(name, Arc::new(FileTable::new(files)))?;
            }
            views::add(&self.context)
        };
        add(store.dataset_files()?).map_err(|error| translate(&error, self.memory_limit))
    }

    /// Answers one statement, whole.
    pub async fn sql(&self, statement: &str) -> Result<Answer, QueryError> {
        self.stream(statement).await?.collect().await
    }

    /// Answers one statement, batch by batch.
    ///
    /// Needs a Tokio runtime.
    pub async fn stream(&self, statement: &str) -> Result<Rows, QueryError> {
        let stopped = |reason: String| QueryError::Run { message: reason };
        let (context, limit) = (self.context.clone(), self.memory_limit);
        let (statement, runtime) = (statement.to_owned(), Handle::current());
        let (answer, planned) = oneshot::channel();
        std::thread::Builder::new()
            .name("plan".into())
            .stack_size(PLANNING_STACK)
            .spawn(move || {
                // Nobody waits any more if the query was dropped.
                let _ = answer.send(runtime.block_on(start(&context, &statement, limit)));
            })
            .map_err(|error| stopped(error.to_string()))?;
        planned.await.map_err(|_| stopped("the planner crashed".into()))?
    }
}

fn schema(context: &SessionContext) -> Option<Arc<dyn SchemaProvider>> {
    context.catalog(NAMESPACE)?.schema(NAMESPACE)
}

/// Returns the names of the tables that only this store has.
fn more_names(schema: &Arc<dyn SchemaProvider>) -> Vec<String> {
    let known = crate::columns::tables();
    let mut names = schema.table_names();
    names.retain(|name| !known.contains(&name.as_str()));
    names.sort();
    names
}

/// Adds to an error which tables there are.
fn with_tables(error: QueryError, context: &SessionContext) -> QueryError {
    let QueryError::UnknownTable { name, .. } = error else { return error };
    let more = schema(context).map(|schema| more_names(&schema)).unwrap_or_default();
    let tables = crate::columns::tables().into_iter().map(str::to_owned).chain(more).collect();
    QueryError::UnknownTable { name, tables }
}

/// Plans a statement and starts it.
async fn start(
    context: &SessionContext,
    statement: &str,
    memory_limit: usize,
) -> Result<Rows, QueryError> {
    let parsed = statement::parse(statement)?;
    let failed = |error| with_tables(translate(&error, memory_limit), context);
    let plan = context.state().statement_to_plan(parsed).await.map_err(failed)?;
    statement::verify(statement, &plan)?;

    let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
    let stream = frame.execute_stream().await.map_err(failed)?;
    Ok(Rows::new(stream, memory_limit))
}

/// Sets the engine up: functions, but neither file formats nor table factories, which nothing here may use.
fn state(options: &Options) -> EngineResult<SessionState> {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.target_partitions.max(1))
        .with_batch_size(BATCH_ROWS)
        .with_default_catalog_and_schema(NAMESPACE, NAMESPACE)
        .with_information_schema(true);
    // Wide columns are decoded only for rows that the filter lets through.
    config.options_mut().execution.parquet.pushdown_filters = true;

    let runtime = RuntimeEnvBuilder::new().with_memory_limit(options.memory_limit, 1.0);
    let functions = SessionStateDefaults::default_table_functions();
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(SessionStateDefaults::default_scalar_functions())
        .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_function_list(functions)
        .build())
}

/// Returns the view that leaves out copies under new ids.
fn without_replays(messages: &Arc<dyn TableProvider>) -> EngineResult<ViewTable> {
    let source = provider_as_source(Arc::clone(messages));
    let plan = LogicalPlanBuilder::scan(MESSAGES, source, None)?
        .filter(col("is_replay").is_not_true())?
        .build()?;
    let definition = format!("SELECT * FROM {MESSAGES} WHERE is_replay IS NOT TRUE");
    Ok(ViewTable::new(plan, Some(definition)))
}

#[cfg(test)]
mod tests;
