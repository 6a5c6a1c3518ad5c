//! Files of rows as they are read: a small one whole, since each of its columns would take calls of its own.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use bytes::buf::Reader;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::{ChunkReader, Length};

use crate::error::StoreError;

/// Size up to which a file is read whole.
const WHOLE: u64 = 1 << 20;

/// A file of rows.
pub(crate) enum Source {
    Whole(Bytes),
    File(File),
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() > WHOLE {
            return Ok(Self::File(file));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self::Whole(bytes.into()))
    }
}

/// Opens a file of rows.
pub(crate) fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<Source>, StoreError> {
    let source = Source::open(path).map_err(StoreError::io(path))?;
    ParquetRecordBatchReaderBuilder::try_new(source).map_err(StoreError::parquet(path))
}

/// Opens a file of rows whose metadata is known.
pub(crate) fn open_known(
    path: &Path,
    metadata: ArrowReaderMetadata,
) -> Result<ParquetRecordBatchReaderBuilder<Source>, StoreError> {
    let source = Source::open(path).map_err(StoreError::io(path))?;
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata))
}

/// Reads the metadata of a file of rows.
pub(crate) fn metadata(path: &Path) -> Result<ArrowReaderMetadata, StoreError> {
    let source = Source::open(path).map_err(StoreError::io(path))?;
    ArrowReaderMetadata::load(&source, ArrowReaderOptions::default())
        .map_err(StoreError::parquet(path))
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::File(file) => Length::len(file),
        }
    }
}

impl ChunkReader for Source {
    type T = Part;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Part> {
        match self {
            Self::Whole(bytes) => bytes.get_read(start).map(Part::Whole),
            Self::File(file) => file.get_read(start).map(Part::File),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::Whole(bytes) => bytes.get_bytes(start, length),
            Self::File(file) => file.get_bytes(start, length),
        }
    }
}

/// A part of a file.
pub(crate) enum Part {
    Whole(Reader<Bytes>),
    File(BufReader<File>),
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(bytes) => bytes.read(buffer),
            Self::File(file) => file.read(buffer),
        }
    }
}
