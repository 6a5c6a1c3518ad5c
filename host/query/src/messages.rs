//! The lake's table: Parquet files behind a list, read side by side.

use std::any::Any;
use std::path::Path as FilePath;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use hyp_cache::Lease;
use object_store::{ObjectMeta, ObjectStore};

use crate::access::access_plan;
use crate::error::QueryError;
use crate::lake::{DataFile, Files};
use crate::pruning;

/// The files of one table as a table.
///
/// Files that a filter cannot match are never opened, deleted rows are left out by position while a file is decoded, and
/// `count(*)` is answered from the list. A column that a file lacks is null in it.
#[derive(Debug)]
pub(crate) struct FileTable {
    schema: SchemaRef,
    files: Vec<(DataFile, Arc<Statistics>)>,
    /// Keeps the files where they are for as long as they may be read.
    _lease: Lease,
}

impl FileTable {
    /// Makes a table of files.
    pub(crate) fn new(files: Files) -> Self {
        let Files { schema, files, lease } = files;
        let files = files.into_iter().filter_map(|mut file| {
            let rows = file.rows;
            file.deleted.retain(|&position| position < rows);
            file.deleted.sort_unstable();
            file.deleted.dedup();
            let statistics = Arc::new(pruning::statistics(&file, &schema));
            (file.live() > 0).then_some((file, statistics))
        });
        Self { files: files.collect(), schema, _lease: lease }
    }

    /// Returns the files that can hold a row that the filters let through.
    fn kept(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Vec<&(DataFile, Arc<Statistics>)>> {
        let Some(filter) = conjunction(filters.to_vec()) else {
            return Ok(self.files.iter().collect());
        };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let statistics: Vec<_> = self.files.iter().map(|(_, s)| Arc::clone(s)).collect();
        let kept = pruning::kept(filter, &statistics, &self.schema);
        Ok(self.files.iter().zip(kept).filter_map(|(file, keep)| keep.then_some(file)).collect())
    }
}

#[async_trait]
impl TableProvider for FileTable {
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
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = ObjectStoreUrl::local_filesystem();
        let store = state.runtime_env().object_store(&url)?;
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();

        let mut files = Vec::new();
        let mut statistics = Vec::new();
        for (file, known) in self.kept(state, filters)? {
            let opened = partitioned(file, &store, &cache).await?;
            files.push(opened.with_statistics(Arc::clone(known)));
            statistics.push(Arc::clone(known));
        }
        if files.is_empty() {
            // A scan without files has no partitions, which the planner refuses.
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => self.schema(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        let total = pruning::total(&statistics, &self.schema);
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(state.default_table_options().parquet.clone())
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
                store, cache,
            )));
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(total)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // Pruning leaves out whole files only; the rows of the others still need the filter.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        let statistics: Vec<_> = self.files.iter().map(|(_, s)| Arc::clone(s)).collect();
        Some(pruning::total(&statistics, &self.schema))
    }
}

/// Checks that a file is as the list says, and tells the reader which of its rows are deleted.
async fn partitioned(
    file: &DataFile,
    store: &Arc<dyn ObjectStore>,
    cache: &Arc<dyn FileMetadataCache>,
) -> Result<PartitionedFile> {
    let wrong = |reason: String| {
        let path = file.path.clone();
        DataFusionError::External(Box::new(QueryError::DataFile { path, reason }))
    };
    let found = std::fs::metadata(&file.path).map_err(|error| wrong(error.to_string()))?.len();
    if found != file.size {
        return Err(wrong(format!("it has {found} bytes, not {}", file.size)));
    }

    let object = ObjectMeta {
        location: location(&file.path).map_err(|error| wrong(error.to_string()))?,
        size: file.size,
        // Data files never change under their name.
        last_modified: std::time::UNIX_EPOCH.into(),
        e_tag: None,
        version: None,
    };
    if file.deleted.is_empty() {
        return Ok(PartitionedFile::new_from_meta(object));
    }

    let footer = DFParquetMetadata::new(store.as_ref(), &object)
        .with_file_metadata_cache(Some(Arc::clone(cache)))
        .fetch_metadata()
        .await
        .map_err(|error| wrong(error.message().into_owned()))?;
    let rows: Vec<u64> = footer.row_groups().iter().map(|g| g.num_rows() as u64).collect();
    if rows.iter().sum::<u64>() != file.rows {
        return Err(wrong(format!("it does not have {} rows", file.rows)));
    }
    let plan = access_plan(&rows, &file.deleted);
    Ok(PartitionedFile::new_from_meta(object).with_extensions(Arc::new(plan)))
}

/// Returns the name of a file in the object store of the local file system.
fn location(path: &FilePath) -> Result<object_store::path::Path, object_store::path::Error> {
    object_store::path::Path::from_absolute_path(path)
}

#[cfg(test)]
mod tests;
