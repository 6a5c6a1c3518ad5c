//! Small tables beside the lake, read from the store when a query scans them.

use std::any::Any;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use crate::lake::Tables;

/// One such table; without a source it is empty.
#[derive(Debug)]
pub(crate) struct StoredTable {
    name: &'static str,
    schema: SchemaRef,
    source: Option<Arc<dyn Tables>>,
}

impl StoredTable {
    /// Makes a table that is read when it is scanned, each time anew.
    pub(crate) fn new(
        name: &'static str,
        schema: SchemaRef,
        source: Option<Arc<dyn Tables>>,
    ) -> Self {
        Self { name, schema, source }
    }
}

#[async_trait]
impl TableProvider for StoredTable {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut batches = Vec::new();
        if let Some(source) = &self.source {
            let read = source.read(self.name);
            batches.push(read.map_err(|error| DataFusionError::External(Box::new(error)))?);
        }
        let plan =
            MemorySourceConfig::try_new_exec(&[batches], self.schema(), projection.cloned())?;
        Ok(plan)
    }
}
