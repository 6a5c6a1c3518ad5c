//! `cargo xtask dist`: the archive that people install from.

mod licences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::components::hex;
use crate::{root, say};

/// Shells that get a file of completions, and the name that it has there.
const SHELLS: [(&str, &str); 3] = [("bash", "hyp"), ("zsh", "_hyp"), ("fish", "hyp.fish")];

/// Files of the repository that go along.
const DOCUMENTS: [&str; 3] = ["README.md", "CHANGELOG.md", "LICENSE"];

/// Arguments of `cargo xtask dist`.
#[derive(Debug, clap::Args)]
pub struct DistArgs {
    /// Profile that the binary is built with
    #[arg(long, default_value = "dist")]
    profile: String,

    /// Take the binary that was built with it before
    #[arg(long)]
    no_build: bool,
}

/// Builds the binary, puts it into an archive with all that belongs to it, and says what weighs how much.
pub fn dist(args: &DistArgs) -> Result<()> {
    let root = root();
    if !args.no_build {
        build(&root, &args.profile)?;
    }
    let binary = binary(&root, &args.profile)?;
    let name = format!("hyp-{}-{}", env!("CARGO_PKG_VERSION"), target()?);
    let target = root.join("target").join("dist-archive");
    let folder = target.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fill(&root, &binary, &folder)?;
    let archive = pack(&target, &name)?;
    sizes(&folder, &archive)
}

/// Builds `hyp`, with the features that it asks for itself.
fn build(root: &Path, profile: &str) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args([
        "build",
        "--locked",
        "--package",
        "hyp",
        "--bin",
        "hyp",
        "--profile",
        profile,
    ]);
    if let Some(commit) = commit(root) {
        cargo.env("HYP_COMMIT", commit);
    }
    run(&mut cargo)
}

/// Returns where the binary of a profile lies.
fn binary(root: &Path, profile: &str) -> Result<PathBuf> {
    let folder = if profile == "dev" { "debug" } else { profile };
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let binary = target.join(folder).join("hyp");
    ensure!(binary.exists(), "there is no `{}`", binary.display());
    Ok(binary)
}

/// Lays out what the archive holds.
fn fill(root: &Path, binary: &Path, folder: &Path) -> Result<()> {
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    fs::copy(binary, folder.join("hyp"))?;
    for document in DOCUMENTS {
        fs::copy(root.join(document), folder.join(document)).context(document)?;
    }
    for (shell, name) in SHELLS {
        let output = Command::new(binary).args(["completions", shell]).output()?;
        ensure!(output.status.success(), "no completions for {shell}");
        fs::write(completions.join(name), output.stdout)?;
    }
    run(Command::new(binary).arg("man").arg(folder.join("man").join("man1")))?;
    fs::write(folder.join("LICENSES-THIRD-PARTY.txt"), licences::text(root)?)?;
    Ok(())
}

/// Packs a folder: the same files give the same bytes. Returns the archive, whose digest lies beside it.
fn pack(target: &Path, name: &str) -> Result<PathBuf> {
    let archive = target.join(format!("{name}.tar.gz"));
    run(Command::new("tar")
        .current_dir(target)
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"])
        .args(["--mode=u+rwX,go+rX,go-w", "--use-compress-program=gzip -n9", "-cf"])
        .arg(&archive)
        .arg(name))?;
    let digest = hex(&Sha256::digest(fs::read(&archive)?));
    fs::write(target.join("SHA256SUMS"), format!("{digest}  {name}.tar.gz\n"))?;
    Ok(archive)
}

/// Says what weighs how much.
fn sizes(folder: &Path, archive: &Path) -> Result<()> {
    for entry in ["hyp", "completions", "man", "LICENSES-THIRD-PARTY.txt"] {
        say(format!("{:>10}  {entry}", bytes(&folder.join(entry))?));
    }
    say(format!("{:>10}  {}", bytes(archive)?, archive.display()));
    Ok(())
}

/// Returns the bytes of a file, or of all files below a folder.
fn bytes(path: &Path) -> Result<u64> {
    let metadata = fs::metadata(path).with_context(|| path.display().to_string())?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.map(|entry| bytes(&entry?.path())).sum()
}

fn target() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

/// Returns the commit that is checked out; one with changes beside it says so.
fn commit(root: &Path) -> Option<String> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_archive_and_its_digest_fits() {
        let target = tempfile::tempdir().unwrap();
        let folder = target.path().join("hyp-1");
        let pack_anew = || {
            fs::create_dir_all(folder.join("man")).unwrap();
            fs::write(folder.join("man/hyp.1"), "a page").unwrap();
            fs::write(folder.join("hyp"), "a program").unwrap();
            let archive = pack(target.path(), "hyp-1").unwrap();
            fs::remove_dir_all(&folder).unwrap();
            fs::read(archive).unwrap()
        };
        let first = pack_anew();
        assert_eq!(first, pack_anew());
        let check = Command::new("sha256sum")
            .current_dir(target.path())
            .args(["--check", "--quiet", "SHA256SUMS"])
            .status()
            .unwrap();
        assert!(check.success());
        run(Command::new("tar").current_dir(target.path()).args(["-xf", "hyp-1.tar.gz"])).unwrap();
        assert_eq!(fs::read_to_string(folder.join("man/hyp.1")).unwrap(), "a page");
    }
}
