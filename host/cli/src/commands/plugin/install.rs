//! `hyp plugin inspect` and `install`: what a component is, and what you agree to.

use std::fmt::Write;

use hyp_backfill::{Offer, ProviderInfo};
use hyp_model::Exit;
use hyp_model::dataset::MESSAGES;
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
    title: &'a str,
    version: &'a str,
    summary: &'a str,
    contract: Option<&'a str>,
    digest: &'a str,
    size: usize,
    kinds: &'a [String],
    reads: &'a [String],
    shares_with: &'a [String],
    imports: &'a [String],
    exports: &'a [String],
}

/// Runs `hyp plugin inspect`.
pub(super) fn inspect(session: &Session, args: &InspectArgs) -> Result<Exit, Failure> {
    let fetched = fetch_local(&args.source)?;
    let offer = hyp_backfill::offer(&session.places, fetched.bytes, &fetched.source)?;
    let description = &offer.description;
    if args.json {
        print_json(&Inspected {
            name: &description.name,
            title: &description.title,
            version: &description.version,
            summary: &description.summary,
            contract: offer.interfaces.contract(),
            digest: &offer.digest,
            size: offer.size(),
            kinds: &description.kinds,
            reads: &offer.reads,
            shares_with: &offer.shares,
            imports: &offer.interfaces.imports,
            exports: &offer.interfaces.exports,
        })?;
    } else {
        print(&show(&offer, &fetched.source, &rivals(session, &offer)?))?;
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
    say(show(&offer, &fetched.source, &rivals(session, &offer)?).trim_end());
    let name = &offer.description.name;
    match consent(&format!("Install {name}?"), args.yes, "hyp plugin install")? {
        Consent::Given => {}
        Consent::Refused => return Ok(Exit::Refused),
    }
    let locked = hyp_backfill::install(&session.places, &offer, args.replace)?;
    say(&format!(
        "installed {} {}; `hyp backfill {name}` imports with it",
        locked.name, locked.version
    ));
    Ok(Exit::Done)
}

/// Returns the other providers that may bring the same messages, where it brings any.
fn rivals(session: &Session, offer: &Offer) -> Result<Vec<String>, Failure> {
    let mut rivals = offer.shares.clone();
    if !offer.description.emits_messages() {
        rivals.clear();
    }
    if !rivals.is_empty() {
        let known = hyp_backfill::list(&session.places)?;
        let brings_messages = |it: &ProviderInfo| it.datasets == [MESSAGES];
        rivals.retain(|name| known.iter().any(|it| it.name == *name && brings_messages(it)));
    }
    Ok(rivals)
}

fn show(offer: &Offer, source: &str, rivals: &[String]) -> String {
    let description = &offer.description;
    let mut out = format!("{} {}", text::line(&description.name), text::line(&description.version));
    if !description.summary.is_empty() {
        let _ = write!(out, ": {}", text::line(&description.summary));
    }
    out.push('\n');
    let mut row = |head: &str, value: &str| {
        let _ = writeln!(out, "  {head:<9} {}", text::line(value));
    };
    row("from", source);
    row("digest", &format!("sha256:{}", offer.digest));
    row("size", &text::bytes(offer.size() as u64));
    row("contract", &format!("hyp:backfill@{}", offer.interfaces.contract().unwrap_or("?")));
    list(&mut out, "reads", &offer.reads);
    if !rivals.is_empty() {
        let reads = if rivals.len() == 1 { "reads" } else { "read" };
        let _ = writeln!(
            out,
            "  beware    {} {reads} these folders, too: the same messages may come twice",
            text::line(&rivals.join(", "))
        );
    }
    out.push_str("  cannot    write, open a socket, see the environment, or read anything else\n");
    out
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
