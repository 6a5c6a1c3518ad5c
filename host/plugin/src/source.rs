//! Where a component's bytes come from, and whether they are the ones that were agreed to.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::error::LoadError;

/// A component, and the digest that its bytes must have.
#[derive(Debug, Clone)]
pub enum Source {
    /// Built into the program.
    Bundled {
        /// What to call it in messages.
        name: &'static str,
        /// The component.
        bytes: &'static [u8],
        /// SHA-256 in hexadecimal digits.
        digest: &'static str,
    },
    /// Installed by the person.
    File {
        /// Where it is.
        path: PathBuf,
        /// SHA-256 in hexadecimal digits, as it was when it was installed.
        digest: String,
    },
}

impl Source {
    /// Returns what messages call it.
    pub fn origin(&self) -> String {
        match self {
            Self::Bundled { name, .. } => (*name).to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Returns the digest that its bytes must have.
    pub fn digest(&self) -> &str {
        match self {
            Self::Bundled { digest, .. } => digest,
            Self::File { digest, .. } => digest,
        }
    }

    /// Returns the bytes if they are the ones that were agreed to.
    pub(crate) fn read(&self, limit: u64) -> Result<Cow<'static, [u8]>, LoadError> {
        let bytes = match self {
            Self::Bundled { bytes, .. } => Cow::Borrowed(*bytes),
            Self::File { .. } => Cow::Owned(self.read_file(limit)?),
        };
        let found = hexadecimal(&Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(self.digest()) {
            let (origin, expected) = (self.origin(), self.digest().to_owned());
            return Err(LoadError::Digest { origin, expected, found });
        }
        Ok(bytes)
    }

    fn read_file(&self, limit: u64) -> Result<Vec<u8>, LoadError> {
        let Self::File { path, .. } = self else { return Ok(Vec::new()) };
        let failed = |source| LoadError::Read { origin: self.origin(), source };
        let file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        if bytes > limit {
            return Err(LoadError::TooLarge { origin: self.origin(), bytes, limit });
        }
        let mut read = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        file.take(limit).read_to_end(&mut read).map_err(failed)?;
        Ok(read)
    }
}

/// Returns the SHA-256 of some bytes in hexadecimal digits, as sources and lock files hold it.
pub fn digest_of(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("a nibble is below 16")
}
