//! A newcomer's afternoon: the commands of `docs/writing-a-provider.md`, word by word.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::hyp::{Hyp, skip};
use crate::python::environment;

/// What makes components of Python.
const PACKAGES: &[&str] = &["componentize-py==0.25.1"];

/// What the commands of the page print between them.
const EXPECTED: [&str; 10] = [
    "rows: written=6",
    "The washer is worn.",
    "test result: ok. 3 passed",
    "1 cases, 0 faults",
    "hyp:backfill@0.1.2",
    "installed notebook 0.1.0",
    "backfill run_id=",
    "two_entries: 2 rows, 24 damaged items",
    "record run_id=",
    "logbook.wasm",
];

/// Runs every command of the page in a shell, in a home of its own.
pub(crate) fn page() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let Some(compiler) = compiler(&root)? else {
        return skip("no compiler for WebAssembly; `cargo xtask components` brings one");
    };
    let page = fs::read_to_string(root.join("docs/writing-a-provider.md"))?;
    let commands = commands(&page);
    ensure!(commands.lines().count() >= 12, "the page has commands:\n{commands}");
    let hyp = Hyp::new()?;
    // Cargo's own folder and rustup's are found through the home, which is another one here.
    let real = env::home_dir().context("there is a home")?;
    let place = |variable: &str, below: &str| {
        env::var_os(variable).map_or_else(|| real.join(below), PathBuf::from)
    };
    let mut shell = shell(&hyp, &commands)?;
    shell
        .env("CARGO_HOME", place("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", place("RUSTUP_HOME", ".rustup"))
        // Built once for all projects that checks make.
        .env("CARGO_TARGET_DIR", root.join("target/authors"))
        .env_remove("CARGO");
    if let Compiler::Unpacked(folder) = compiler {
        shell.env("HYP_WASM_TOOLCHAIN", folder);
    }
    let said = run(&mut shell)?;
    for expected in EXPECTED {
        ensure!(said.contains(expected), "`{expected}`:\n{said}");
    }
    Ok(())
}

/// Builds the provider for gptme, as a project of its own, and tries it on its cases.
pub(crate) fn gptme() -> Result<()> {
    let hyp = Hyp::new()?;
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers/gptme").canonicalize()?;
    let commands = format!(
        "hyp plugin new gptme --lang python\nrm -r gptme/cases\ncp -r '{}/.' gptme\n\
         hyp plugin build gptme\nhyp plugin test gptme\n",
        ours.display()
    );
    let said = run(&mut shell(&hyp, &commands)?)?;
    ensure!(said.contains("3 cases, 0 faults"), "{said}");
    Ok(())
}

/// Returns a shell in which `hyp` and what makes components of Python are found.
fn shell(hyp: &Hyp, commands: &str) -> Result<Command> {
    let folder = hyp.binary().parent().context("the binary has a folder")?.to_owned();
    let programs = environment("smoke-componentize", PACKAGES)?;
    let path = env::var_os("PATH").unwrap_or_default();
    let paths = [folder, programs].into_iter().chain(env::split_paths(&path));
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", commands])
        .current_dir(hyp.home())
        .env("HOME", hyp.home())
        .env("HYP_HOME", hyp.store())
        .env("PATH", env::join_paths(paths)?);
    Ok(shell)
}

/// Runs commands to their end; returns all that they said.
fn run(shell: &mut Command) -> Result<String> {
    let output = shell.output().context("cannot start sh")?;
    let said = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    ensure!(output.status.success(), "{}:\n{}", output.status, said.concat());
    Ok(said.concat())
}

/// A compiler for WebAssembly.
enum Compiler {
    /// Rustup's.
    Target,
    /// One that was unpacked to a folder.
    Unpacked(PathBuf),
}

/// Finds a compiler: rustup's, the one that is named, or the one that components are built with here.
fn compiler(root: &Path) -> Result<Option<Compiler>> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    let has = |target: &str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    if has("wasm32-unknown-unknown") || has("wasm32-wasip2") {
        return Ok(Some(Compiler::Target));
    }
    let named = env::var_os("HYP_WASM_TOOLCHAIN").map(PathBuf::from);
    let unpacked = named.unwrap_or_else(|| root.join("target/wasm-toolchain"));
    Ok(unpacked.join("usr/bin/rustc").is_file().then_some(Compiler::Unpacked(unpacked)))
}

/// Returns what stands in the blocks of shell commands of a page.
fn commands(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}
