//! Files that are lent to a guest: what it is told of them, and how the host opens them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyp_sqlite::Database;

use crate::bindings::inputs::ReadError;

/// What a guest is told of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name that the provider gave the root.
    pub root: String,
    /// Path below the root, with `/` between names and without a compression suffix.
    pub path: String,
    /// Size on disk in bytes.
    pub size: u64,
    /// Time of the last change in microseconds since the epoch.
    pub modified: i64,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// As it is.
    #[default]
    None,
    /// Zstandard frames.
    Zstd,
    /// Gzip members.
    Gzip,
}

/// A file that a guest may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// What the guest sees.
    pub entry: Entry,
    /// Where the file is. The guest never learns this.
    pub file: PathBuf,
    /// How the file is packed; the guest reads it unpacked.
    pub compression: Compression,
    /// The database that the file is, where its root declares tables: it is read by statements alone.
    pub database: Option<Arc<Database>>,
}

/// Bytes of a file in their order, unpacked.
pub(crate) type ByteStream = Box<dyn Read + Send>;

impl Lent {
    /// Opens the file and skips to `offset` of the unpacked stream.
    pub(crate) fn open(&self, offset: u64) -> Result<ByteStream, ReadError> {
        if self.database.is_some() {
            return Err(ReadError::Denied);
        }
        let mut file = open_regular(&self.file)?;
        let mut stream: ByteStream = match self.compression {
            Compression::None => {
                file.seek(SeekFrom::Start(offset)).map_err(|_| ReadError::Failed)?;
                return Ok(Box::new(file));
            }
            Compression::Zstd => {
                Box::new(zstd::stream::read::Decoder::new(file).map_err(|_| ReadError::Failed)?)
            }
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(
                BufReader::with_capacity(64 * 1024, file),
            )),
        };
        let skipped = io::copy(&mut stream.by_ref().take(offset), &mut io::sink())
            .map_err(|_| ReadError::Failed)?;
        if skipped == offset { Ok(stream) } else { Err(ReadError::Changed) }
    }

    /// Returns at most `limit` bytes from the start of the unpacked stream.
    pub(crate) fn head(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        match self.open(0)?.take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            // What came before the damage is what there is to see.
            Err(_) if !bytes.is_empty() => Ok(bytes),
            Err(_) => Err(ReadError::Failed),
        }
    }

    /// Returns at most `limit` bytes from the end; packed files have no end that could be read by itself.
    pub(crate) fn tail(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        if self.compression != Compression::None || self.database.is_some() {
            return Err(ReadError::Denied);
        }
        let mut file = open_regular(&self.file)?;
        let size = file.metadata().map_err(|_| ReadError::Failed)?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(limit))).map_err(|_| ReadError::Failed)?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).map_err(|_| ReadError::Failed)?;
        Ok(bytes)
    }
}

/// Opens a file unless it is a symbolic link or anything else that is not a regular file.
///
/// The listing saw a regular file; whatever took its place since was not lent.
fn open_regular(path: &Path) -> Result<File, ReadError> {
    let file = open_in_place(path)?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        Ok(_) => Err(ReadError::Denied),
        Err(_) => Err(ReadError::Failed),
    }
}

#[cfg(unix)]
fn open_in_place(path: &Path) -> Result<File, ReadError> {
    use std::os::unix::fs::OpenOptionsExt;

    // Without O_NONBLOCK a pipe would make the host wait for a writer.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    File::options().read(true).custom_flags(flags).open(path).map_err(|error| {
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::NotFound, _) => ReadError::Changed,
            (_, Some(libc::ELOOP)) => ReadError::Denied,
            _ => ReadError::Failed,
        }
    })
}

#[cfg(not(unix))]
fn open_in_place(path: &Path) -> Result<File, ReadError> {
    let seen = path.symlink_metadata().map_err(|_| ReadError::Changed)?;
    if !seen.is_file() {
        return Err(ReadError::Denied);
    }
    File::open(path).map_err(|_| ReadError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lent(file: &Path, compression: Compression) -> Lent {
        let entry = Entry { root: "r".into(), path: "p".into(), size: 0, modified: 0 };
        Lent { entry, file: file.to_owned(), compression, database: None }
    }

    fn read(lent: &Lent, offset: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        lent.open(offset).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn files_are_read_from_any_offset_of_the_unpacked_stream() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (folder.path().join("plain"), folder.path().join("packed"));
        std::fs::write(&plain, b"0123456789").unwrap();
        std::fs::write(&packed, zstd::encode_all(&b"0123456789"[..], 1).unwrap()).unwrap();
        for lent in [lent(&plain, Compression::None), lent(&packed, Compression::Zstd)] {
            assert_eq!(read(&lent, 0), b"0123456789");
            assert_eq!(read(&lent, 7), b"789");
            assert_eq!(lent.head(3).unwrap(), b"012");
        }
        assert_eq!(lent(&plain, Compression::None).tail(3).unwrap(), b"789");
        assert_eq!(lent(&plain, Compression::None).tail(30).unwrap(), b"0123456789");
        assert_eq!(lent(&packed, Compression::Zstd).tail(3), Err(ReadError::Denied));
        assert_eq!(lent(&packed, Compression::Zstd).open(11).err(), Some(ReadError::Changed));
    }

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let is_denied = |path: &Path| lent(path, Compression::None).open(0).err();
        assert_eq!(is_denied(folder.path()), Some(ReadError::Denied));
        assert_eq!(is_denied(&folder.path().join("gone")), Some(ReadError::Changed));
        #[cfg(unix)]
        {
            let (file, link) = (folder.path().join("file"), folder.path().join("link"));
            std::fs::write(&file, b"secret").unwrap();
            std::os::unix::fs::symlink(&file, &link).unwrap();
            assert_eq!(is_denied(&link), Some(ReadError::Denied));
        }
    }
}
