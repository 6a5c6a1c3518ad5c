//! Looks for words in everything that a store consists of, unpacked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use parquet::column::page::Page;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use walkdir::WalkDir;

/// Where words were found: by word, the places.
pub(crate) type Found = BTreeMap<String, BTreeSet<String>>;

/// Searches all files below a folder, and one more file, for words.
pub(crate) fn search(folder: &Path, log: &Path, words: &[&str]) -> Result<Found> {
    let mut search = Search { words, found: Found::new() };
    // The catalog is read from a copy, so that its log stays as it is.
    let copy = tempfile::tempdir()?;
    for entry in WalkDir::new(folder) {
        let path = entry?.into_path();
        if path.is_file() {
            search.file(&path, folder).with_context(|| path.display().to_string())?;
            if let Some(name) =
                path.file_name().filter(|name| name.to_string_lossy().contains(".db"))
            {
                fs::copy(&path, copy.path().join(name))?;
            }
        }
    }
    if log.exists() {
        search.bytes("log", &fs::read(log)?);
    }
    search.catalog(&copy.path().join("catalog.db"))?;
    Ok(search.found)
}

struct Search<'a> {
    words: &'a [&'a str],
    found: Found,
}

impl Search<'_> {
    fn bytes(&mut self, place: &str, bytes: &[u8]) {
        for word in self.words {
            let is_here = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            if is_here {
                self.found.entry((*word).to_owned()).or_default().insert(place.to_owned());
            }
        }
    }

    fn file(&mut self, path: &Path, folder: &Path) -> Result<()> {
        let below = path.strip_prefix(folder)?.display().to_string();
        self.bytes(&below, below.as_bytes());
        self.bytes(&below, &fs::read(path)?);
        if below.ends_with(".parquet") {
            self.parquet(path, &below)?;
        }
        Ok(())
    }

    /// Searches pages, dictionaries, and the bounds of row groups and pages.
    fn parquet(&mut self, path: &Path, below: &str) -> Result<()> {
        let options = ReadOptionsBuilder::new().with_page_index().build();
        let reader = SerializedFileReader::new_with_options(File::open(path)?, options)?;
        let metadata = reader.metadata();
        for (number, group) in metadata.row_groups().iter().enumerate() {
            let group_reader = reader.get_row_group(number)?;
            for (at, column) in group.columns().iter().enumerate() {
                let place = |what: &str| {
                    format!("{below} {} {what}", column.column_path().parts().join("."))
                };
                for page in group_reader.get_column_page_reader(at)? {
                    let page = page?;
                    let what = match &page {
                        Page::DictionaryPage { .. } => "dictionary",
                        _ => "page",
                    };
                    self.bytes(&place(what), page.buffer());
                }
                if let Some(statistics) = column.statistics() {
                    let bounds = [statistics.min_bytes_opt(), statistics.max_bytes_opt()];
                    for bound in bounds.into_iter().flatten() {
                        self.bytes(&place("bounds"), bound);
                    }
                }
                let index = metadata.column_index().map(|groups| &groups[number][at]);
                if let Some(ColumnIndexMetaData::BYTE_ARRAY(index)) = index {
                    let bounds = index.min_values_iter().chain(index.max_values_iter());
                    for bound in bounds.flatten() {
                        self.bytes(&place("index"), bound);
                    }
                }
            }
        }
        Ok(())
    }

    /// Searches every cell of the catalog; packed ones are unpacked.
    fn catalog(&mut self, path: &Path) -> Result<()> {
        let catalog = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let tables: Vec<String> = catalog
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for table in tables {
            let mut statement = catalog.prepare(&format!("SELECT * FROM \"{table}\""))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    let place = format!("catalog.db {table}");
                    match row.get_ref(column)? {
                        ValueRef::Text(text) => self.bytes(&place, text),
                        ValueRef::Blob(blob) => {
                            self.bytes(&place, blob);
                            if let Ok(unpacked) = zstd::bulk::decompress(blob, 64 << 20) {
                                self.bytes(&format!("{place} unpacked"), &unpacked);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}
