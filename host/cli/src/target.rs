//! A file that gets an answer: all of it, or nothing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use hyp_model::Explain;

use crate::failure::Failure;

/// Why an answer could not be put into a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub(crate) struct TargetError {
    path: PathBuf,
    source: io::Error,
}

impl Explain for TargetError {
    fn code(&self) -> &'static str {
        "hyp::output::file"
    }

    fn help(&self) -> Option<String> {
        Some("name a file in a folder that is there and can be written to: -o FILE".to_owned())
    }
}

/// Writes a file beside the one named and puts it in its place once it is whole.
///
/// What is no file, such as a device or a named pipe, is written to as it is.
pub(crate) fn write<T>(
    path: &Path,
    write: impl FnOnce(File) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |source| TargetError { path: path.to_path_buf(), source };
    let written = |result: Result<T, Failure>| match result {
        Err(Failure::Output(source)) => Err(failed(source).into()),
        other => other,
    };
    if path.metadata().is_ok_and(|known| !known.is_file()) {
        return written(write(File::options().write(true).open(path).map_err(failed)?));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    folder.metadata().map_err(failed)?;
    // The library would tell the name of a file that nobody asked for.
    let file = tempfile::NamedTempFile::new_in(folder)
        .map_err(|error| failed(io::Error::from(error.kind())))?;
    let answer = written(write(file.reopen().map_err(failed)?))?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answer");
        let put = |text: &'static str, result: Result<(), Failure>| {
            write(&path, |mut file| {
                file.write_all(text.as_bytes()).unwrap();
                result
            })
        };
        assert!(put("first", Ok(())).is_ok());
        assert!(put("half of the sec", Err(Failure::Output(io::Error::other("full")))).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies about");
    }
}
