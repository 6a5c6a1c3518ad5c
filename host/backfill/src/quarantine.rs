//! The bytes of records that were not understood: fetched for a later and wiser reader, and had again.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use hyp_model::event::Span;

use crate::components::bundled;
use crate::error::BackfillError;
use crate::places::Places;
use crate::plugins::installed;
use crate::secrets::Secrets;

/// Bytes of a record that are kept at most; of longer ones, the first 4 KiB.
const KEPT: u64 = 1 << 20;
const HEAD: u64 = 4 << 10;

/// Returns the bytes of a record, or of its head, compressed with zstd; none if they are gone.
///
/// With rules for secrets, these are replaced, and so is what is no text.
pub(crate) fn bytes_at(file: &Path, span: Span, secrets: Option<&Secrets>) -> Option<Vec<u8>> {
    let length = if span.length > KEPT { HEAD } else { span.length };
    let mut input = File::open(file).ok()?;
    input.seek(SeekFrom::Start(span.offset)).ok()?;
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes).ok()?;
    if let Some(secrets) = secrets {
        let text = String::from_utf8_lossy(&bytes);
        bytes = secrets.redacted(&text).unwrap_or(text.into_owned()).into_bytes();
    }
    zstd::bulk::compress(&bytes, 3).ok()
}

/// Returns the bytes of a record as they were before they were put into quarantine; none where they are damaged.
pub fn unpacked(kept: &[u8]) -> Option<Vec<u8>> {
    // What replaces a secret, or a byte that is no text, may be longer than what it replaces.
    zstd::bulk::decompress(kept, usize::try_from(4 * KEPT).ok()?).ok()
}

/// Parts names of providers: those that are bundled or installed, and others.
///
/// # Errors
/// Fails when the list of installed components cannot be read.
pub fn readable(
    places: &Places,
    names: impl Iterator<Item = String>,
) -> Result<(Vec<String>, Vec<String>), BackfillError> {
    let installed = installed(places)?;
    Ok(names.partition(|name| {
        bundled().any(|(known, _)| known == name) || installed.iter().any(|it| it.name == *name)
    }))
}
