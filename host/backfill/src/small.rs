//! Small files that people write: settings, lists, words for a folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes that such a file has, at most.
const LIMIT: u64 = 16 << 20;

/// Reads a file as text. What is no file, such as a pipe that somebody put there, is not waited for.
///
/// # Errors
/// Fails where it cannot be read, is no file or no text, or is larger than anybody would write it.
pub fn read(path: &Path) -> io::Result<String> {
    // Of a folder, the system says so itself.
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    let read = File::open(path)?.take(LIMIT + 1).read_to_string(&mut text)?;
    if read as u64 > LIMIT { Err(io::Error::other("it is larger than 16 MiB")) } else { Ok(text) }
}
