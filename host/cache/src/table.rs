//! A table as one of its metadata files has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use iceberg::io::FileIO;
use iceberg::spec::{
    DataContentType, DataFile, FormatVersion, ManifestContentType, ManifestEntryRef, ManifestFile,
    ManifestList, PrimitiveLiteral, TableMetadata, TableMetadataBuilder,
};

use crate::deletes;
use crate::error::StoreError;
use crate::layout::Layout;
use crate::schema;
use crate::wait::ready;

/// Property that says how many files of metadata are kept beside the newest.
pub(crate) const LOG_LENGTH: &str = "write.metadata.previous-versions-max";

/// Client and month of a partition; months count from 1970-01.
pub(crate) type Partition = (String, i32);

/// A file that the current snapshot has.
#[derive(Debug, Clone)]
pub(crate) struct LiveFile {
    pub(crate) file: DataFile,
    pub(crate) path: PathBuf,
    pub(crate) partition: Partition,
    pub(crate) snapshot_id: i64,
    pub(crate) sequence: i64,
    pub(crate) file_sequence: Option<i64>,
}

/// A data file and the positions in it that are superseded, sorted and distinct.
#[derive(Debug, Clone)]
pub(crate) struct LiveData {
    pub(crate) live: LiveFile,
    pub(crate) deleted: Arc<Vec<u64>>,
}

/// A file of superseded positions and the locations that it names.
#[derive(Debug, Clone)]
pub(crate) struct LiveDeletes {
    pub(crate) live: LiveFile,
    pub(crate) targets: BTreeSet<String>,
}

/// The table at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) metadata: TableMetadata,
    /// Its folder, wherever the store lies now.
    pub(crate) folder: PathBuf,
    /// Where the metadata lies; none for a table that was never written.
    pub(crate) location: Option<String>,
    pub(crate) manifests: Vec<ManifestFile>,
    pub(crate) data: Vec<LiveData>,
    pub(crate) deletes: Vec<LiveDeletes>,
    /// Files that are no longer part of it, each with the snapshot that removed it, as far as manifests still say.
    pub(crate) removed: Vec<(PathBuf, i64)>,
}

impl Table {
    /// Returns a table without rows.
    pub(crate) fn new(layout: &Layout) -> Result<Self, StoreError> {
        let path = layout.table();
        let make = || {
            let properties =
                HashMap::from([("write.parquet.compression-codec".to_owned(), "zstd".to_owned())]);
            TableMetadataBuilder::new(
                schema::table_schema()?,
                schema::partition_spec()?,
                schema::sort_order()?,
                Layout::uri(&path),
                FormatVersion::V2,
                properties,
            )?
            .build()
        };
        let metadata = make().map_err(StoreError::metadata(&path))?.metadata;
        Ok(Self::begin(path, metadata))
    }

    /// Returns a table that nothing was written to.
    pub(crate) fn begin(folder: PathBuf, metadata: TableMetadata) -> Self {
        Self {
            folder,
            metadata,
            location: None,
            manifests: vec![],
            data: vec![],
            deletes: vec![],
            removed: vec![],
        }
    }

    /// Returns the name by which the catalog knows it.
    pub(crate) fn name(&self) -> &str {
        self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Reads the table at a location.
    pub(crate) fn load(layout: &Layout, location: &str) -> Result<Self, StoreError> {
        let path = layout.resolve(location);
        let bytes = fs::read(&path).map_err(StoreError::io(&path))?;
        let metadata: TableMetadata = serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::damaged(&path, error.to_string()))?;
        let manifests = match metadata.current_snapshot() {
            Some(snapshot) => manifest_list(layout, snapshot.manifest_list())?,
            None => Vec::new(),
        };
        let folder = path.parent().and_then(|folder| folder.parent()).unwrap_or(&path);
        let mut table = Self {
            folder: folder.to_owned(),
            metadata,
            location: Some(location.to_owned()),
            manifests,
            data: vec![],
            deletes: vec![],
            removed: vec![],
        };
        table.load_files(layout)?;
        Ok(table)
    }

    fn load_files(&mut self, layout: &Layout) -> Result<(), StoreError> {
        for manifest in &self.manifests {
            let entries = entries(layout, manifest)?;
            let gone = entries.iter().filter(|entry| !entry.is_alive());
            self.removed.extend(gone.filter_map(|entry| {
                Some((layout.resolve(entry.data_file.file_path()), entry.snapshot_id()?))
            }));
            for live in live(layout, manifest, &entries)? {
                if manifest.content == ManifestContentType::Data {
                    self.data.push(LiveData { live, deleted: Arc::default() });
                } else {
                    let targets = BTreeSet::new();
                    self.deletes.push(LiveDeletes { live, targets });
                }
            }
        }
        let mut positions: BTreeMap<String, Vec<(i64, Partition, Vec<u64>)>> = BTreeMap::new();
        for deletes in &mut self.deletes {
            let of = &deletes.live;
            if of.file.content_type() != DataContentType::PositionDeletes {
                return Err(StoreError::damaged(&of.path, "equality deletes are not understood"));
            }
            for (target, rows) in deletes::read(&of.path)? {
                deletes.targets.insert(target.clone());
                let entry = (of.sequence, of.partition.clone(), rows);
                positions.entry(target).or_default().push(entry);
            }
        }
        for data in &mut self.data {
            let Some(found) = positions.get(data.live.file.file_path()) else { continue };
            let mut rows: Vec<u64> = found
                .iter()
                .filter(|(sequence, partition, _)| {
                    *sequence >= data.live.sequence && *partition == data.live.partition
                })
                .flat_map(|(_, _, rows)| rows.iter().copied())
                .filter(|row| *row < data.live.file.record_count())
                .collect();
            rows.sort_unstable();
            rows.dedup();
            data.deleted = Arc::new(rows);
        }
        Ok(())
    }
}

/// Reads the manifests of a snapshot.
pub(crate) fn manifest_list(
    layout: &Layout,
    location: &str,
) -> Result<Vec<ManifestFile>, StoreError> {
    let path = layout.resolve(location);
    let bytes = fs::read(&path).map_err(StoreError::io(&path))?;
    let list = ManifestList::parse_with_version(&bytes, FormatVersion::V2)
        .map_err(StoreError::metadata(&path))?;
    Ok(list.consume_entries().into_iter().collect())
}

/// Reads the files of a manifest that are still there.
pub(crate) fn live_files(
    layout: &Layout,
    manifest: &ManifestFile,
) -> Result<Vec<LiveFile>, StoreError> {
    live(layout, manifest, &entries(layout, manifest)?)
}

fn entries(layout: &Layout, manifest: &ManifestFile) -> Result<Vec<ManifestEntryRef>, StoreError> {
    let path = layout.resolve(&manifest.manifest_path);
    let mut here = manifest.clone();
    here.manifest_path = path.display().to_string();
    let loaded =
        ready(here.load_manifest(&FileIO::new_with_fs())).map_err(StoreError::metadata(&path))?;
    Ok(loaded.into_parts().0)
}

fn live(
    layout: &Layout,
    manifest: &ManifestFile,
    entries: &[ManifestEntryRef],
) -> Result<Vec<LiveFile>, StoreError> {
    let path = layout.resolve(&manifest.manifest_path);
    let live = entries.iter().filter(|entry| entry.is_alive()).map(|entry| {
        let file = entry.data_file.clone();
        let missing = || StoreError::damaged(&path, "an entry has no sequence number");
        Ok(LiveFile {
            path: layout.resolve(file.file_path()),
            partition: partition_of(&file)
                .ok_or_else(|| StoreError::damaged(&path, "an entry has another partition"))?,
            snapshot_id: entry.snapshot_id().ok_or_else(missing)?,
            sequence: entry.sequence_number().ok_or_else(missing)?,
            file_sequence: entry.file_sequence_number,
            file,
        })
    });
    live.collect()
}

fn partition_of(file: &DataFile) -> Option<Partition> {
    let [client, month] = file.partition().fields() else {
        // The table of a dataset has one partition only.
        return file.partition().fields().is_empty().then(Partition::default);
    };
    let client = match client.as_ref()?.as_primitive_literal()? {
        PrimitiveLiteral::String(client) => client,
        _ => return None,
    };
    match month.as_ref()?.as_primitive_literal()? {
        PrimitiveLiteral::Int(month) => Some((client, month)),
        _ => None,
    }
}
