//! A file that is lent, and where it is read: as it lies, or as a copy.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::copy::{self, Copy};
use crate::error::DatabaseError;
use crate::grants::Grants;
use crate::reader::Reader;

/// What every SQLite database with something in it begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// How a database may be lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Folder that copies are made in. It is made when it is needed, for this user alone.
    pub scratch: PathBuf,
    /// Bytes of file and log together that are copied; more is refused.
    pub copied_at_most: u64,
    /// Bytes that one value may have.
    pub value_bytes: u32,
    /// Bytes of memory by which SQLite may grow while a statement runs. SQLite counts for the whole process: of statements
    /// that run side by side, one can be ended for what another took.
    pub memory: u64,
}

impl Terms {
    /// Returns what is usual: copies of up to 2 GiB, values of up to 32 MiB, 256 MiB of memory.
    pub fn new(scratch: PathBuf) -> Self {
        Self { scratch, copied_at_most: 2 << 30, value_bytes: 32 << 20, memory: 256 << 20 }
    }
}

/// A database of another program, with what may be read of it.
///
/// All readers of one such value see the same state of the file, until it can no longer be had.
#[derive(Debug)]
pub struct Database {
    file: PathBuf,
    grants: Grants,
    terms: Terms,
    place: Mutex<Option<Arc<Place>>>,
}

/// Where a database is read.
#[derive(Debug)]
enum Place {
    /// As it lies: it had no log, and looked like this.
    Original(Sight),
    Copy(Copy),
}

/// What a file and its logs look like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) main: Stat,
    pub(crate) wal: Option<Stat>,
    pub(crate) journal: Option<Stat>,
}

/// Size and time of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
}

impl Database {
    /// Lends a file. Nothing is opened yet.
    pub fn new(file: PathBuf, grants: Grants, terms: Terms) -> Self {
        Self { file, grants, terms, place: Mutex::default() }
    }

    /// Opens the database for reading; the first time in this value's life a copy may be made.
    pub fn open(&self) -> Result<Reader, DatabaseError> {
        self.open_for(self.grants.clone())
    }

    /// Opens the same state of the database for somebody else, who may read something else of it.
    pub fn open_for(&self, grants: Grants) -> Result<Reader, DatabaseError> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let current = place.take().filter(|place| place.holds(&self.file));
        let current = match current {
            Some(current) => current,
            None => Arc::new(self.settle()?),
        };
        let path = match &*current {
            Place::Original(_) => &self.file,
            Place::Copy(copy) => &copy.file,
        };
        let reader = Reader::open(path, grants, &self.terms);
        *place = Some(current);
        reader
    }

    /// Fails if the file was read as it lies and is not any more what it was then.
    pub fn check(&self) -> Result<(), DatabaseError> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        match &*place {
            Some(place) if !place.holds(&self.file) => Err(DatabaseError::Changed),
            _ => Ok(()),
        }
    }

    /// Decides where the database is read.
    fn settle(&self) -> Result<Place, DatabaseError> {
        let sight = Sight::of(&self.file).map_err(|source| DatabaseError::Open { source })?;
        check_magic(&self.file)?;
        let bytes = sight.bytes();
        if !sight.has_log() {
            return Ok(Place::Original(sight));
        }
        if bytes > self.terms.copied_at_most {
            return Err(DatabaseError::TooLarge { bytes });
        }
        copy::make(&self.file, &self.terms.scratch).map(Place::Copy)
    }
}

impl PartialEq for Database {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, &self.grants, &self.terms) == (&other.file, &other.grants, &other.terms)
    }
}

impl Eq for Database {}

impl Place {
    /// Says whether what is read here is still whole.
    fn holds(&self, file: &Path) -> bool {
        match self {
            Self::Original(sight) => Sight::of(file).is_ok_and(|now| now == *sight),
            Self::Copy(_) => true,
        }
    }
}

impl Sight {
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        let main = Stat::of(file)?;
        let beside = |suffix| Stat::of(&beside(file, suffix)).ok().filter(|stat| stat.size > 0);
        Ok(Self { main, wal: beside("-wal"), journal: beside("-journal") })
    }

    fn has_log(&self) -> bool {
        self.wal.is_some() || self.journal.is_some()
    }

    fn bytes(&self) -> u64 {
        let logs = [&self.wal, &self.journal].into_iter().flatten();
        self.main.size + logs.map(|stat| stat.size).sum::<u64>()
    }
}

impl Stat {
    fn of(file: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(file)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(Self { size: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// Returns the path of a file that SQLite keeps beside a database.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Refuses a file that is no database. An empty one is: it has no tables.
fn check_magic(file: &Path) -> Result<(), DatabaseError> {
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(16).read_to_end(&mut start));
    read.map_err(|source| DatabaseError::Open { source })?;
    if start.is_empty() || start == MAGIC { Ok(()) } else { Err(DatabaseError::Foreign) }
}
