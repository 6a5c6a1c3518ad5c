//! `hyp plugin inspect` and `install`: what a component is, and what you agree to.

use std::fmt::Write;

use hyp_author::Label;
use hyp_backfill::{MaterializerDescription, Offer};
use hyp_model::Exit;
use hyp_model::item::{Dataset, STORED};
use serde::Serialize;

use super::fetch::{fetch, fetch_local, is_remote};
use super::{InspectArgs, InstallArgs};
use crate::commands::consent::{Consent, consent};
use crate::commands::{Session, print, print_json, say};
use crate::failure::Failure;
use crate::text;

/// What is told of a component, for programs.
#[derive(Serialize)]
struct Inspected<'a> {
    name: &'a str,
    is: &'static str,
    title: Option<&'a str>,
    version: &'a str,
    summary: Option<&'a str>,
    license: Option<&'a str>,
    contract: Option<&'a str>,
    digest: &'a str,
    size: usize,
    kinds: &'a [String],
    queues: &'a [String],
    datasets: Vec<&'a str>,
    reads: &'a [String],
    shares_with: &'a [String],
    imports: &'a [String],
    exports: &'a [String],
}

/// Runs `hyp plugin inspect`.
pub(super) fn inspect(session: &Session, args: &InspectArgs) -> Result<Exit, Failure> {
    let fetched = fetch_local(&args.source)?;
    let offer = hyp_backfill::offer(&session.places, fetched.bytes, &fetched.source)?;
    if args.json {
        let provider = offer.manifest.provider();
        let materializer = offer.manifest.materializer();
        let kinds = provider.map(|it| &it.kinds).or_else(|| materializer.map(|it| &it.kinds));
        let datasets = materializer.into_iter().flat_map(|it| &it.datasets);
        let label = Label::read(offer.bytes());
        print_json(&Inspected {
            name: offer.manifest.name(),
            is: if provider.is_some() { "provider" } else { "materializer" },
            title: provider.map(|it| &*it.title),
            version: offer.manifest.version(),
            summary: provider.map(|it| &*it.summary).or(label.description.as_deref()),
            license: label.license.as_deref(),
            contract: offer.interfaces.contract(),
            digest: &offer.digest,
            size: offer.bytes().len(),
            kinds: kinds.map_or(&[], Vec::as_slice),
            queues: materializer.map_or(&[], |it| &it.queues),
            datasets: datasets.map(|dataset| &*dataset.name).collect(),
            reads: &offer.reads,
            shares_with: &offer.shares,
            imports: &offer.interfaces.imports,
            exports: &offer.interfaces.exports,
        })?;
    } else {
        print(&show(&offer, &fetched.source))?;
        let mut more = String::new();
        list(&mut more, "imports", &offer.interfaces.imports);
        list(&mut more, "exports", &offer.interfaces.exports);
        print(&more)?;
    }
    Ok(Exit::Done)
}

/// Runs `hyp plugin install`.
pub(super) fn install(session: &Session, args: &InstallArgs) -> Result<Exit, Failure> {
    if is_remote(&args.source) {
        say(&format!("fetching {}", text::line(&args.source)));
    }
    let fetched = fetch(&args.source)?;
    let offer = hyp_backfill::offer(&session.places, fetched.bytes, &fetched.source)?;
    say(show(&offer, &fetched.source).trim_end());
    let name = offer.manifest.name();
    match consent(&format!("Install {name}?"), args.yes, "hyp plugin install")? {
        Consent::Given => {}
        Consent::Refused => return Ok(Exit::Refused),
    }
    let locked = hyp_backfill::install(&session.places, &offer, args.replace)?;
    let then = match &locked.materializer {
        None => format!("`hyp backfill {name}` imports with it"),
        Some(declared) => {
            let kinds = declared.kinds.iter().filter(|kind| !kind.starts_with(STORED));
            let kinds = kinds.map(String::as_str).collect::<Vec<_>>().join("`, `");
            format!("providers of `{kinds}` and `hyp record` go to it")
        }
    };
    say(&format!("installed {} {}; {}", locked.name, locked.version, text::line(&then)));
    Ok(Exit::Done)
}

fn show(offer: &Offer, source: &str) -> String {
    let manifest = &offer.manifest;
    let mut out = format!("{} {}", text::line(manifest.name()), text::line(manifest.version()));
    let label = Label::read(offer.bytes());
    let summary = match manifest.provider() {
        Some(provider) => provider.summary.as_str(),
        None => label.description.as_deref().unwrap_or_default(),
    };
    if !summary.is_empty() {
        let _ = write!(out, ": {}", text::line(summary));
    }
    out.push('\n');
    let mut row = |head: &str, value: &str| {
        let _ = writeln!(out, "  {head:<9} {}", text::line(value));
    };
    row("from", source);
    row("digest", &format!("sha256:{}", offer.digest));
    row("size", &text::bytes(offer.bytes().len() as u64));
    if let Some(license) = &label.license {
        row("licence", license);
    }
    row("contract", &format!("hyp:backfill@{}", offer.interfaces.contract().unwrap_or("?")));
    match manifest.materializer() {
        None => list(&mut out, "reads", &offer.reads),
        Some(materializer) => show_materializer(&mut out, materializer),
    }
    if !offer.shares.is_empty() {
        let reads = if offer.shares.len() == 1 { "reads" } else { "read" };
        let _ = writeln!(
            out,
            "  beware    {} {reads} these folders, too: the same messages may come twice",
            text::line(&offer.shares.join(", "))
        );
    }
    out.push_str(match manifest.provider() {
        Some(_) => "  cannot    write, open a socket, see the environment, or read anything else\n",
        None => "  cannot    read files, open a socket, see the environment, or other datasets\n",
    });
    out
}

fn show_materializer(out: &mut String, it: &MaterializerDescription) {
    list(out, "takes", &it.kinds);
    if !it.queues.is_empty() {
        list(out, "queues", &it.queues);
    }
    let rule = |dataset: &Dataset| {
        let rule = serde_json::to_value(dataset.on_conflict).unwrap_or_default();
        format!("{} ({})", dataset.name, rule.as_str().unwrap_or_default())
    };
    list(out, "fills", &it.datasets.iter().map(rule).collect::<Vec<_>>());
}

/// Lists values below a head.
fn list(out: &mut String, head: &str, values: &[String]) {
    let mut head = head;
    if values.is_empty() {
        let _ = writeln!(out, "  {head:<9} nothing");
    }
    for value in values {
        let _ = writeln!(out, "  {head:<9} {}", text::line(value));
        head = "";
    }
}
