//! Compiled components and what they said of themselves, kept between runs.
//!
//! A component has two files, named for its digest, the engine and the contract: `.cwasm`, native code, and `.json`,
//! its description and the digest of the native code. The second is written last and vouches for the first. Once the
//! code was found to be as it says, it has the code's stamp, too: what was not touched since is not read to be mapped.

use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::bindings::CONTRACT;
use crate::error::LoadError;
use crate::source::digest_of;

/// The folder of compiled components.
pub(crate) struct Shelf {
    folder: PathBuf,
    engine: String,
}

/// What a component says of itself, and what it may not say.
pub(crate) trait Checked: Serialize + DeserializeOwned + Clone {
    /// Returns what is wrong with it, in a few words.
    fn check(&self) -> Result<(), String>;
}

#[derive(Serialize, Deserialize)]
struct Label<D> {
    /// Digest of the native code.
    code: String,
    /// [`stamp`] of the native code when it was last found to have that digest.
    stamp: Option<String>,
    description: D,
}

impl Shelf {
    /// Opens the folder, which is the person's alone: what lies in it is run.
    pub(crate) fn open(folder: PathBuf, engine: &Engine) -> Result<Self, LoadError> {
        let failed = |source| LoadError::Cache { path: folder.clone(), source };
        private_folder(&folder).map_err(failed)?;
        let mut hash = Sha(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hash);
        let engine = format!("{:016x}", hash.finish());
        Ok(Self { folder, engine })
    }

    /// Returns what the component said of itself when it was compiled.
    pub(crate) fn description<D: Checked>(&self, digest: &str) -> Option<D> {
        let description = self.label::<Label<D>>(digest)?.description;
        description.check().ok()?;
        Some(description)
    }

    /// Maps the component's native code, if it is there and undamaged.
    pub(crate) fn component(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.path(digest, "cwasm");
        if !self.is_sound(digest, &path)? {
            tracing::warn!(path = %path.display(), "a compiled component is damaged");
            return None;
        }
        #[expect(unsafe_code, reason = "compiled components are mapped, not copied")]
        // SAFETY: the folder is accessible to this user alone (mode 0700, enforced when it is opened), only this module
        // writes into it, always a new file under another name that is then renamed, and the digest has shown, now or
        // before anybody last touched the file, that the bytes are those that this engine's compiler wrote.
        let component = unsafe { Component::deserialize_file(engine, &path) };
        component
            .inspect_err(|error| tracing::warn!("cannot map a compiled component: {error:#}"))
            .ok()
    }

    /// Says whether native code is what it was when it was compiled.
    fn is_sound(&self, digest: &str, path: &Path) -> Option<bool> {
        let mut label: Label<serde_json::Value> = self.label(digest)?;
        let (stamp, is_settled) = stamp(&fs::metadata(path).ok()?);
        if is_settled && label.stamp.as_ref() == Some(&stamp) {
            return Some(true);
        }
        let is_sound = digest_of(&fs::read(path).ok()?) == label.code;
        if is_sound && is_settled {
            label.stamp = Some(stamp);
            let kept = serde_json::to_vec(&label).map_err(io::Error::other);
            // Without it, the code is read again next time.
            let _ = kept.and_then(|label| replace(&self.path(digest, "json"), &label));
        }
        Some(is_sound)
    }

    /// Keeps a component. Where that fails it is compiled again next time.
    pub(crate) fn keep<D: Checked>(&self, digest: &str, component: &Component, description: &D) {
        if let Err(error) = self.try_keep(digest, component, description) {
            tracing::warn!("cannot keep a compiled component: {error:#}");
        }
    }

    fn try_keep<D: Checked>(
        &self,
        digest: &str,
        component: &Component,
        description: &D,
    ) -> Result<(), wasmtime::Error> {
        let code = component.serialize()?;
        let description = description.clone();
        let label = Label { code: digest_of(&code), stamp: None, description };
        replace(&self.path(digest, "cwasm"), &code)?;
        replace(&self.path(digest, "json"), &serde_json::to_vec(&label)?)?;
        Ok(())
    }

    fn label<L: DeserializeOwned>(&self, digest: &str) -> Option<L> {
        serde_json::from_slice(&fs::read(self.path(digest, "json")).ok()?).ok()
    }

    fn path(&self, digest: &str, suffix: &str) -> PathBuf {
        let digest = digest.to_ascii_lowercase();
        self.folder.join(format!("{digest}-{}-{CONTRACT}.{suffix}", self.engine))
    }
}

/// Writes a file beside the old one and puts it in its place, so that nobody ever sees half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = create_private(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        // A stamp outlives a machine that stops: so must what it stands for.
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // What is left is of no use, and nothing depends on whether it goes.
        let _ = fs::remove_file(&beside);
    })
}

/// Returns what changes with a file whenever anybody writes to it, and whether the next write would show: not where the last
/// one was only just now, since clocks of files are coarse.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "nothing else here asks for the time of day")]
fn stamp(file: &fs::Metadata) -> (String, bool) {
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, SystemTime};

    const COARSE: Duration = Duration::from_secs(2);
    let (changed, nanos) = (file.ctime(), file.ctime_nsec());
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let is_settled = u64::try_from(changed).is_ok_and(|at| at + COARSE.as_secs() < since.as_secs());
    (format!("{}/{}/{changed}.{nanos:09}", file.ino(), file.len()), is_settled)
}

/// Nothing tells here whether a file was written to.
#[cfg(not(unix))]
fn stamp(_: &fs::Metadata) -> (String, bool) {
    (String::new(), false)
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let permissions = fs::metadata(folder)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// A hasher that is the same in every build: file names depend on it.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
    }
}
