//! Lists the files that a new project holds, so that hyp carries them: the SDK, the contract, the templates.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Name of a list, the folder that it is made of, and the places in it that are taken.
const LISTS: [(&str, &str, &[&str]); 8] = [
    ("SDK", "sdk", &["Cargo.toml", "README.md", "src"]),
    ("SQLITE", "host/sqlite", &["Cargo.toml", "src"]),
    ("CONTRACT", "wit", &[""]),
    ("CASES", "host/author/templates/cases", &[""]),
    ("RUST", "host/author/templates/rust", &[""]),
    ("MATERIALIZER", "host/author/templates/materializer", &[""]),
    ("PYTHON", "host/author/templates/python", &[""]),
    ("PYTHON_SDK", "sdk/python", &[""]),
];

fn main() -> io::Result<()> {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let root = here.join("../..").canonicalize()?;
    let mut code = String::new();
    for (name, folder, places) in LISTS {
        let folder = root.join(folder);
        let mut files = Vec::new();
        for place in places {
            list(&folder.join(place), &mut files)?;
        }
        files.sort();
        let _ = writeln!(code, "/// Files of `{name}`.\npub(crate) const {name}: &[File] = &[");
        for file in files {
            let below = file.strip_prefix(&folder).map_err(io::Error::other)?;
            let below = below.display().to_string().replace('\\', "/");
            let _ =
                writeln!(code, "    ({below:?}, include_str!({:?})),", file.display().to_string());
        }
        code.push_str("];\n");
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("carried.rs"), code)
}

/// Lists the files at a place, and has cargo look whether one comes or goes.
fn list(place: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if place.exists() {
        println!("cargo::rerun-if-changed={}", place.display());
    }
    if place.is_dir() {
        for entry in fs::read_dir(place)? {
            let path = entry?.path();
            // What Python leaves beside sources that it ran.
            if !path.ends_with("__pycache__") {
                list(&path, files)?;
            }
        }
    } else if place.is_file() {
        files.push(place.to_owned());
    }
    Ok(())
}
