//! `hyp plugin new` and `hyp plugin build`: the project of a component, and the component.

use std::path::{Path, PathBuf};

use hyp_author::{Machine, Name, Project};
use hyp_model::Exit;

use super::{BuildArgs, Kind, Lang, NewArgs};
use crate::commands::{print, say};
use crate::failure::Failure;
use crate::{env, text};

/// Runs `hyp plugin new`.
pub(super) fn new(args: &NewArgs) -> Result<Exit, Failure> {
    let name: Name = args.name.parse()?;
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let (project, what) = match (args.kind, args.lang) {
        (Kind::Provider, Lang::Rust) => {
            (Project::RustProvider, "a provider that reads a made-up client")
        }
        (Kind::Provider, Lang::Python) => {
            (Project::PythonProvider, "a provider that reads a made-up client")
        }
        (Kind::Materializer, Lang::Rust) => {
            (Project::RustMaterializer, "a materializer of a made-up client's items")
        }
        (Kind::Materializer, Lang::Python) => {
            let message = "there is no template of a materializer in Python: use --lang rust, or the contract itself".to_owned();
            return Err(Failure::Usage { command: "hyp plugin new", message });
        }
    };
    hyp_author::create(&name, project, &folder)?;
    let shown = shell(&folder);
    say(&format!("made {shown}: {what}, with cases and tests"));
    say(&format!("build it: hyp plugin build {shown}"));
    Ok(Exit::Done)
}

/// Runs `hyp plugin build`.
pub(super) fn build(args: &BuildArgs) -> Result<Exit, Failure> {
    let machine = Machine {
        cargo: env::cargo(),
        cargo_home: env::cargo_home(),
        unpacked: env::wasm_toolchain(),
    };
    let built = hyp_author::build(&machine, &args.dir)?;
    say(&format!("built {} with {}", text::bytes(built.size as u64), text::line(&built.compiler)));
    let shown = shell(&args.dir);
    let case = args.dir.join("cases/two_turns/in");
    if case.is_dir() {
        say(&format!("try it:  hyp plugin run {shown} --on {}", shell(&case)));
    }
    say(&format!("test it: hyp plugin test {shown}"));
    print(&format!("{}\n", built.path.display()))?;
    Ok(Exit::Done)
}

/// Returns a path as it can be typed into a shell.
fn shell(path: &Path) -> String {
    text::shell(&path.display().to_string())
}
