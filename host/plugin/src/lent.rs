//! Files that are lent to a guest: what it is told of them, and how the host opens them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

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

/// Why a file could not be opened: what the guest is told, and what a person is.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: ReadError,
    pub(crate) cause: io::Error,
}

impl Refusal {
    fn new(kind: ReadError, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, cause: io::Error::other(cause) }
    }
}

impl From<io::Error> for Refusal {
    fn from(cause: io::Error) -> Self {
        Self { kind: ReadError::Failed, cause }
    }
}

impl Lent {
    /// Opens the file and skips to `offset` of the unpacked stream; none where that takes until the deadline.
    pub(crate) fn open(
        &self,
        offset: u64,
        deadline: Instant,
    ) -> Result<Option<ByteStream>, Refusal> {
        if self.compression == Compression::None && self.database.is_none() {
            let mut file = open_regular(&self.file)?;
            file.seek(SeekFrom::Start(offset))?;
            return Ok(Some(Box::new(file)));
        }
        let mut stream = self.unpack()?;
        let mut left = offset;
        while left > 0 {
            if Instant::now() >= deadline {
                return Ok(None);
            }
            let skipped = io::copy(&mut stream.by_ref().take(left.min(SKIP)), &mut io::sink())?;
            if skipped == 0 {
                return Err(Refusal::new(ReadError::Changed, "it is shorter than it was"));
            }
            left -= skipped;
        }
        Ok(Some(stream))
    }

    /// Opens the file at the start of the unpacked stream.
    fn unpack(&self) -> Result<ByteStream, Refusal> {
        if self.database.is_some() {
            return Err(Refusal::new(ReadError::Denied, "a database is read by statements alone"));
        }
        let file = open_regular(&self.file)?;
        let is_empty = file.metadata()?.len() == 0;
        Ok(match self.compression {
            Compression::None => Box::new(file),
            // Of no frame at all, a decoder would say that it was cut.
            _ if is_empty => Box::new(io::empty()),
            Compression::Zstd => Box::new(Unpacked {
                stream: zstd::stream::read::Decoder::new(file)?,
                what: "zstd frame",
            }),
            Compression::Gzip => {
                let file = BufReader::with_capacity(64 * 1024, file);
                let stream = flate2::bufread::MultiGzDecoder::new(file);
                Box::new(Unpacked { stream, what: "gzip member" })
            }
        })
    }

    /// Returns at most `limit` bytes from the start of the unpacked stream.
    pub(crate) fn head(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        match self.unpack().map_err(|it| it.kind)?.take(limit).read_to_end(&mut bytes) {
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
        let mut file = open_regular(&self.file).map_err(|it| it.kind)?;
        let size = file.metadata().map_err(|_| ReadError::Failed)?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(limit))).map_err(|_| ReadError::Failed)?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).map_err(|_| ReadError::Failed)?;
        Ok(bytes)
    }
}

/// A stream that is being unpacked.
struct Unpacked<R> {
    stream: R,
    /// What it is made of.
    what: &'static str,
}

/// Bytes that are skipped between two looks at the clock.
const SKIP: u64 = 1 << 20;

/// Bytes that are unpacked at once: those that came right before a damage in the same step are lost with it.
const STEP: usize = 4 << 10;

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = buffer.len().min(STEP);
        self.stream.read(&mut buffer[..step]).map_err(|error| {
            // What the system says is not of the stream.
            match error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
                true => error,
                false => io::Error::other(format!("damaged {}: {error}", self.what)),
            }
        })
    }
}

/// Opens a file unless it is a symbolic link or anything else that is not a regular file.
///
/// The listing saw a regular file; whatever took its place since was not lent.
fn open_regular(path: &Path) -> Result<File, Refusal> {
    let file = open_in_place(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(Refusal::new(ReadError::Denied, "it is no regular file")),
    }
}

#[cfg(unix)]
fn open_in_place(path: &Path) -> Result<File, Refusal> {
    use std::os::unix::fs::OpenOptionsExt;

    // Without O_NONBLOCK a pipe would make the host wait for a writer.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    File::options().read(true).custom_flags(flags).open(path).map_err(|cause| {
        let kind = match (cause.kind(), cause.raw_os_error()) {
            (io::ErrorKind::NotFound, _) => ReadError::Changed,
            (_, Some(libc::ELOOP)) => ReadError::Denied,
            _ => ReadError::Failed,
        };
        Refusal { kind, cause }
    })
}

#[cfg(not(unix))]
fn open_in_place(path: &Path) -> Result<File, Refusal> {
    let seen = path.symlink_metadata();
    let seen = seen.map_err(|cause| Refusal { kind: ReadError::Changed, cause })?;
    if !seen.is_file() {
        return Err(Refusal::new(ReadError::Denied, "it is no regular file"));
    }
    Ok(File::open(path)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lent(file: &Path, compression: Compression) -> Lent {
        let entry = Entry { root: "r".into(), path: "p".into(), size: 0, modified: 0 };
        Lent { entry, file: file.to_owned(), compression, database: None }
    }

    fn open(lent: &Lent, offset: u64) -> Result<ByteStream, Refusal> {
        lent.open(offset, Instant::now() + Duration::from_secs(60)).map(|it| it.expect("in time"))
    }

    fn read(lent: &Lent, offset: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        open(lent, offset).unwrap().read_to_end(&mut bytes).unwrap();
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
        let packed = lent(&packed, Compression::Zstd);
        assert_eq!(open(&packed, 11).err().map(|it| it.kind), Some(ReadError::Changed));
        let late = packed.open(7, Instant::now()).unwrap();
        assert!(late.is_none(), "what is skipped is unpacked, until the deadline");
    }

    #[test]
    fn of_a_damaged_file_all_that_can_be_unpacked_is_read() {
        use std::io::Write;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("packed");
        // Lines that no compressor can make a single block of.
        let lines: Vec<String> = (0..40_000u64)
            .map(|at| format!("{:x}\n", at.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect();
        let text = lines.concat().into_bytes();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let packed = [
            (Compression::Zstd, zstd::encode_all(&text[..], 1).unwrap(), "damaged zstd frame"),
            (Compression::Gzip, gzip.finish().unwrap(), "damaged gzip member"),
        ];
        for (compression, bytes, what) in packed {
            std::fs::write(&file, &bytes[..bytes.len() * 3 / 4]).unwrap();
            let mut read = Vec::new();
            let mut stream = open(&lent(&file, compression), 0).unwrap();
            let error = stream.read_to_end(&mut read).unwrap_err();
            assert!(error.to_string().starts_with(what), "{error}");
            assert!(read.len() > text.len() / 2, "{compression:?} {}", read.len());
            assert_eq!(read, text[..read.len()]);

            std::fs::write(&file, b"").unwrap();
            assert_eq!(self::read(&lent(&file, compression), 0), b"", "an empty file is one");
        }
    }

    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let is_denied =
            |path: &Path| open(&lent(path, Compression::None), 0).err().map(|it| it.kind);
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
