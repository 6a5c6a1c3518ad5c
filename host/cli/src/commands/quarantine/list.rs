//! `hyp quarantine list`.

use std::collections::BTreeMap;
use std::fmt::Write;

use hyp_cache::{Kept, Store};
use hyp_model::Exit;
use serde::Serialize;

use crate::commands::{Session, print_json, say};
use crate::failure::Failure;
use crate::{pager, terminal, text};

/// Arguments of `hyp quarantine list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hyp quarantine list
  hyp quarantine list --provider claude --limit 0")]
pub(super) struct ListArgs {
    /// Only records of that provider
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,

    /// List at most that many records one by one; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Print it as JSON, with every record
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    groups: Vec<Group>,
    records: Vec<Record<'a>>,
}

/// Records of one kind.
#[derive(Serialize)]
struct Group {
    provider: String,
    class: String,
    reason: String,
    records: u64,
    bytes: u64,
    kept_bytes: u64,
}

/// A record, as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    id: String,
    provider: &'a str,
    class: &'a str,
    reason: &'a str,
    path: &'a str,
    offset: u64,
    bytes: u64,
    kept_bytes: Option<u64>,
    run_id: &'a str,
}

impl<'a> Record<'a> {
    pub(super) fn of(kept: &'a Kept) -> Self {
        Self {
            id: kept.id(),
            provider: &kept.provider,
            class: &kept.class,
            reason: &kept.reason,
            path: &kept.path,
            offset: kept.offset,
            bytes: kept.length,
            kept_bytes: kept.kept_bytes,
            run_id: &kept.run_id,
        }
    }
}

/// Runs `hyp quarantine list`.
pub(super) fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let mut kept = Store::open(&session.places.store)?.quarantine()?;
    if let Some(provider) = &args.provider {
        kept.retain(|kept| kept.provider == *provider);
    }
    let groups = groups(&kept);
    if args.json {
        print_json(&Listed { groups, records: kept.iter().map(Record::of).collect() })?;
        return Ok(Exit::Done);
    }
    if kept.is_empty() {
        say(&match &args.provider {
            Some(provider) => format!("nothing of `{}` is in quarantine", text::line(provider)),
            None => "nothing is in quarantine: every record was understood".to_owned(),
        });
        return Ok(Exit::Done);
    }
    pager::print(&words(&groups, &kept, args.limit, terminal::width().unwrap_or(usize::MAX)))?;
    Ok(Exit::Done)
}

fn groups(kept: &[Kept]) -> Vec<Group> {
    let mut groups: BTreeMap<(&str, &str, &str), Group> = BTreeMap::new();
    for kept in kept {
        let key = (kept.provider.as_str(), kept.class.as_str(), kept.reason.as_str());
        let group = groups.entry(key).or_insert_with(|| Group {
            provider: kept.provider.clone(),
            class: kept.class.clone(),
            reason: kept.reason.clone(),
            records: 0,
            bytes: 0,
            kept_bytes: 0,
        });
        group.records += 1;
        group.bytes += kept.length;
        group.kept_bytes += kept.kept_bytes.unwrap_or_default();
    }
    groups.into_values().collect()
}

fn words(groups: &[Group], kept: &[Kept], limit: usize, width: usize) -> String {
    let mut out = String::new();
    for group in groups {
        let line = format!(
            "{}  {}  {}  {}  {}",
            group.provider,
            group.class,
            text::counted_full(group.records, "record"),
            text::bytes(group.bytes),
            group.reason
        );
        let _ = writeln!(out, "{}", text::cut(&line, width));
    }
    out.push('\n');
    let shown = if limit == 0 { kept.len() } else { limit.min(kept.len()) };
    let ids: Vec<String> = kept[..shown].iter().map(Kept::id).collect();
    let widest = ids.iter().map(String::len).max().unwrap_or_default();
    for (id, kept) in ids.iter().zip(kept) {
        let size = text::bytes(kept.length);
        let line = format!("{id:<widest$}  {:<9}  {size:>9}  {}", kept.class, kept.path);
        let _ = writeln!(out, "{}", text::cut(&line, width.max(widest + 2)));
    }
    if shown < kept.len() {
        let _ = writeln!(out, "and {} more; --limit 0 lists them all", kept.len() - shown);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_by_kind_and_listed_up_to_a_limit() {
        let kept = |offset, class: &str| {
            let mut kept = Kept::default();
            kept.input_id = "0123456789abcdef".into();
            kept.provider = "claude".into();
            kept.path = "projects/a\u{1b}.jsonl".into();
            kept.offset = offset;
            kept.length = 2048;
            kept.class = class.into();
            kept.reason = "not JSON".into();
            kept
        };
        let kept = [kept(0, "malformed"), kept(7, "malformed"), kept(9, "unknown")];
        insta::assert_snapshot!(words(&groups(&kept), &kept, 2, 80), @r"
        claude  malformed  2 records  4.0 KiB  not JSON
        claude  unknown  1 record  2.0 KiB  not JSON

        0123456789ab-0  malformed    2.0 KiB  projects/a\u{1b}.jsonl
        0123456789ab-7  malformed    2.0 KiB  projects/a\u{1b}.jsonl
        and 1 more; --limit 0 lists them all
        ");
    }
}
