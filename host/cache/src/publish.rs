//! Makes a snapshot: manifests, their list, the metadata. The pointer to it is moved elsewhere.

use std::collections::{BTreeSet, HashMap};

use iceberg::io::FileIO;
use iceberg::spec::{
    MAIN_BRANCH, ManifestContentType, ManifestFile, ManifestListWriter, ManifestWriter,
    ManifestWriterBuilder, Operation, Schema, Snapshot, Summary,
};
use uuid::Uuid;

use crate::clock;
use crate::error::StoreError;
use crate::failpoint;
use crate::layout::{Dirty, Layout};
use crate::table::{LOG_LENGTH, LiveData, LiveDeletes, LiveFile, Partition, Table};
use crate::wait::ready;

/// Snapshots that are kept: readers of other programs may still be at those before the newest.
const KEPT: usize = 4;

/// Files of metadata that are kept beside the newest.
const LOG: &str = "4";

/// Manifests of a snapshot, past which they are merged: whoever opens the table reads them all.
const MANIFESTS: usize = 5;

/// What a snapshot adds and removes.
#[derive(Default)]
pub(crate) struct Edit {
    pub(crate) data: Vec<iceberg::spec::DataFile>,
    pub(crate) deletes: Vec<iceberg::spec::DataFile>,
    /// Locations of files that are no longer part of the table.
    pub(crate) removed: BTreeSet<String>,
    /// True when nothing may tell of what was, since rows were removed for good: no earlier snapshot or metadata, no
    /// entry of a removed file.
    pub(crate) forgets: bool,
    /// True when the table's location becomes that of the store.
    pub(crate) moves: bool,
    /// The columns of the table from now on: those that it has, and more.
    pub(crate) schema: Option<Schema>,
}

impl Edit {
    /// Removes files of a partition, and the files of deletes that name nothing else.
    pub(crate) fn remove(&mut self, table: &Table, partition: &Partition, files: BTreeSet<String>) {
        self.removed.extend(files);
        for deletes in table.deletes.iter().filter(|it| it.live.partition == *partition) {
            let is_kept = table.data.iter().any(|data| {
                let file = data.live.file.file_path();
                deletes.targets.contains(file) && !self.removed.contains(file)
            });
            if !is_kept {
                self.removed.insert(deletes.live.file.file_path().to_owned());
            }
        }
    }
}

/// Writes the metadata of a table with an edit, and returns where it lies.
pub(crate) fn publish(
    table: &Table,
    edit: Edit,
    operation: Operation,
    dirty: &mut Dirty,
) -> Result<String, StoreError> {
    let folder = table.folder.join("metadata");
    dirty.folder(&folder)?;
    let widened = edit.schema.clone().map(|schema| widened(table, schema)).transpose()?;
    let table = widened.as_ref().unwrap_or(table);
    let metadata = &table.metadata;
    let sequence = metadata.next_sequence_number();
    let snapshot_id = snapshot_id(table);
    let summary = summary(table, &edit, operation);
    let forgets = edit.forgets;
    let kept = if forgets { 1 } else { KEPT };
    let root = match edit.moves {
        true => Layout::uri(&table.folder),
        false => metadata.location().to_owned(),
    };
    let maker = Maker { table, folder: &folder, snapshot_id, sequence };
    let manifests = maker.manifests(edit, dirty)?;
    failpoint::hit("after_manifests")?;

    let list = folder.join(format!("snap-{snapshot_id}-{}.avro", Uuid::new_v4()));
    let parent = metadata.current_snapshot_id();
    let write = async {
        let output = FileIO::new_with_fs().new_output(Layout::uri(&list))?;
        let mut writer =
            ManifestListWriter::v2(output.writer().await?, snapshot_id, parent, sequence);
        writer.add_manifests(manifests.into_iter())?;
        writer.close().await
    };
    ready(write).map_err(StoreError::metadata(&list))?;
    dirty.note(&list)?;
    failpoint::hit("after_manifest_list")?;

    let snapshot = Snapshot::builder()
        .with_snapshot_id(snapshot_id)
        .with_parent_snapshot_id(parent)
        .with_sequence_number(sequence)
        .with_timestamp_ms((clock::now() / 1000).max(metadata.last_updated_ms()))
        .with_manifest_list(Layout::uri(&list))
        .with_summary(summary)
        .with_schema_id(metadata.current_schema_id())
        .build();
    let built = metadata
        .clone()
        .into_builder(table.location.clone())
        .set_location(root)
        .remove_snapshots(&expired(table, kept))
        .set_properties(HashMap::from([(LOG_LENGTH.to_owned(), LOG.to_owned())]))
        .and_then(|builder| builder.set_branch_snapshot(snapshot, MAIN_BRANCH))
        .and_then(|builder| builder.build())
        .map_err(StoreError::metadata(&folder))?;
    let file = folder.join(format!("{:05}-{}.metadata.json", number(table) + 1, Uuid::new_v4()));
    let damaged = |error: serde_json::Error| StoreError::damaged(&file, error.to_string());
    let mut document = serde_json::to_value(&built.metadata).map_err(damaged)?;
    if forgets {
        // It names files of the snapshots that are forgotten, and where the table lay before.
        document["metadata-log"] = serde_json::Value::Array(Vec::new());
    }
    let bytes = serde_json::to_vec(&document).map_err(damaged)?;
    dirty.write(&file, &bytes)?;
    dirty.sync()?;
    failpoint::hit("after_metadata")?;
    Ok(Layout::uri(&file))
}

/// Returns a table with another schema.
fn widened(table: &Table, schema: Schema) -> Result<Table, StoreError> {
    let metadata = table
        .metadata
        .clone()
        .into_builder(table.location.clone())
        .add_current_schema(schema)
        .and_then(|builder| builder.build())
        .map_err(StoreError::metadata(&table.folder))?
        .metadata;
    Ok(Table { metadata, ..table.clone() })
}

fn snapshot_id(table: &Table) -> i64 {
    loop {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        let id = i64::try_from((high ^ low) >> 1).unwrap_or(i64::MAX);
        if id > 0 && table.metadata.snapshot_by_id(id).is_none() {
            return id;
        }
    }
}

/// Returns the number that the table's metadata file has in its name.
fn number(table: &Table) -> u64 {
    let name = table.location.as_deref().and_then(|location| location.rsplit('/').next());
    name.and_then(|name| name.split('-').next()?.parse().ok()).unwrap_or_default()
}

/// Returns the snapshots that make room for another one.
fn expired(table: &Table, kept: usize) -> Vec<i64> {
    let mut snapshots: Vec<_> = table
        .metadata
        .snapshots()
        .map(|snapshot| (snapshot.sequence_number(), snapshot.snapshot_id()))
        .collect();
    snapshots.sort_unstable();
    let surplus = (snapshots.len() + 1).saturating_sub(kept);
    snapshots.into_iter().take(surplus).map(|(_, id)| id).collect()
}

fn summary(table: &Table, edit: &Edit, operation: Operation) -> Summary {
    let is_removed = |live: &LiveFile| edit.removed.contains(live.file.file_path());
    let rows = |files: &[iceberg::spec::DataFile]| -> u64 {
        files.iter().map(iceberg::spec::DataFile::record_count).sum()
    };
    let (gone, kept): (Vec<_>, Vec<_>) =
        table.data.iter().map(|data| &data.live).partition(|live| is_removed(live));
    let (gone_deletes, kept_deletes): (Vec<_>, Vec<_>) =
        table.deletes.iter().map(|deletes| &deletes.live).partition(|live| is_removed(live));
    let sum = |files: &[&LiveFile]| files.iter().map(|live| live.file.record_count()).sum::<u64>();
    let size = |files: &[iceberg::spec::DataFile]| -> u64 {
        files.iter().map(iceberg::spec::DataFile::file_size_in_bytes).sum()
    };
    let kept_size: u64 =
        kept.iter().chain(&kept_deletes).map(|live| live.file.file_size_in_bytes()).sum();
    let numbers = [
        ("added-data-files", edit.data.len() as u64),
        ("added-records", rows(&edit.data)),
        ("added-delete-files", edit.deletes.len() as u64),
        ("added-position-deletes", rows(&edit.deletes)),
        ("deleted-data-files", gone.len() as u64),
        ("deleted-records", sum(&gone)),
        ("removed-delete-files", gone_deletes.len() as u64),
        ("total-data-files", (kept.len() + edit.data.len()) as u64),
        ("total-records", sum(&kept) + rows(&edit.data)),
        ("total-delete-files", (kept_deletes.len() + edit.deletes.len()) as u64),
        ("total-position-deletes", sum(&kept_deletes) + rows(&edit.deletes)),
        ("total-equality-deletes", 0),
        ("total-files-size", kept_size + size(&edit.data) + size(&edit.deletes)),
    ];
    let additional_properties: HashMap<String, String> =
        numbers.into_iter().map(|(name, number)| (name.to_owned(), number.to_string())).collect();
    Summary { operation, additional_properties }
}

/// Writes the manifests of one snapshot.
struct Maker<'a> {
    table: &'a Table,
    folder: &'a std::path::Path,
    snapshot_id: i64,
    sequence: i64,
}

impl Maker<'_> {
    fn manifests(&self, edit: Edit, dirty: &mut Dirty) -> Result<Vec<ManifestFile>, StoreError> {
        let is_rewrite =
            edit.forgets || !edit.removed.is_empty() || self.table.manifests.len() >= MANIFESTS;
        let mut manifests = if is_rewrite { vec![] } else { self.table.manifests.clone() };
        let data: Vec<&LiveFile> =
            self.table.data.iter().map(|LiveData { live, .. }| live).collect();
        let deletes: Vec<&LiveFile> =
            self.table.deletes.iter().map(|LiveDeletes { live, .. }| live).collect();
        for (content, added, existing) in [
            (ManifestContentType::Data, edit.data, data),
            (ManifestContentType::Deletes, edit.deletes, deletes),
        ] {
            let mut existing = if is_rewrite { existing } else { vec![] };
            if edit.forgets {
                // Entries of removed files would keep their locations and bounds.
                existing.retain(|live| !edit.removed.contains(live.file.file_path()));
            }
            if !added.is_empty() || !existing.is_empty() {
                manifests.push(self.write(content, added, &existing, &edit.removed, dirty)?);
            }
        }
        Ok(manifests)
    }

    fn write(
        &self,
        content: ManifestContentType,
        added: Vec<iceberg::spec::DataFile>,
        existing: &[&LiveFile],
        removed: &BTreeSet<String>,
        dirty: &mut Dirty,
    ) -> Result<ManifestFile, StoreError> {
        let path = self.folder.join(format!("{}-m.avro", Uuid::new_v4()));
        let write = async {
            let mut writer = self.writer(content, &path)?;
            for live in existing {
                let (file, sequence) = (live.file.clone(), live.sequence);
                let file_sequence = live.file_sequence.or(Some(sequence));
                if removed.contains(file.file_path()) {
                    writer.add_delete_file(file, sequence, file_sequence)?;
                } else {
                    writer.add_existing_file(file, live.snapshot_id, sequence, file_sequence)?;
                }
            }
            for file in added {
                writer.add_file(file, self.sequence)?;
            }
            writer.write_manifest_file().await
        };
        let manifest = ready(write).map_err(StoreError::metadata(&path))?;
        dirty.note(&path)?;
        Ok(manifest)
    }

    fn writer(
        &self,
        content: ManifestContentType,
        path: &std::path::Path,
    ) -> iceberg::Result<ManifestWriter> {
        let metadata = &self.table.metadata;
        let builder = ManifestWriterBuilder::new(
            FileIO::new_with_fs().new_output(Layout::uri(path))?,
            Some(self.snapshot_id),
            metadata.current_schema().clone(),
            metadata.default_partition_spec().as_ref().clone(),
        );
        Ok(match content {
            ManifestContentType::Data => builder.build_v2_data(),
            ManifestContentType::Deletes => builder.build_v2_deletes(),
        })
    }
}
