//! A file that counts its checksum while it is written.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::StoreError;

/// A file being written from its start to its end.
pub(crate) struct Summed {
    file: File,
    hash: crc32fast::Hasher,
    length: u64,
}

impl Summed {
    pub(crate) fn new(file: File) -> Self {
        Self { file, hash: crc32fast::Hasher::new(), length: 0 }
    }

    /// Brings the file to the disk; returns its length and checksum.
    pub(crate) fn sync(&self) -> io::Result<(u64, u32)> {
        self.file.sync_all()?;
        Ok((self.length, self.hash.clone().finalize()))
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Returns the checksum of a file that was written.
pub(crate) fn sum_of(path: &Path) -> Result<u32, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io(path))?;
    let mut hash = crc32fast::Hasher::new();
    let mut bytes = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut bytes).map_err(StoreError::io(path))?;
        if read == 0 {
            return Ok(hash.finalize());
        }
        hash.update(&bytes[..read]);
    }
}
