//! The store itself: rights, lock, catalog, files.

use std::fs;
use std::path::Path;

use hyp_cache::{Outline, Store};

use super::{Finding, Level, failed};
use crate::commands::Session;
use crate::{moment, text};

/// Microseconds after which a run that is still going on is worth a look.
const LONG: i64 = 6 * 3_600_000_000;

/// Looks at the store.
pub(super) fn look(session: &Session, store: &Store) -> Vec<Finding> {
    let folder = &session.places.store;
    let mut findings = rights(folder);
    findings.push(lock(store));
    match store.outline() {
        Err(error) => findings.push(failed("catalog", &error)),
        Ok(outline) => {
            findings.push(catalog(store, &outline));
            findings.push(files(store, &outline));
            findings.extend(others(&outline));
        }
    }
    findings
}

/// Looks for what others may read, and for what the owner may not write.
fn rights(folder: &Path) -> Vec<Finding> {
    let mut found = Rights::default();
    found.walk(folder);
    let mut findings = Vec::new();
    let shown = folder.display();
    if let Some(path) = found.open {
        let message = format!("others than you may read {path}");
        findings.push(
            Finding::new("store", Level::Warning, message).help(format!("chmod -R go= '{shown}'")),
        );
    }
    if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() {
        findings.push(
            Finding::new("store", Level::Problem, format!("{shown} cannot be written to"))
                .help("see whose it is, and whether its disk is mounted to be written"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("store", format!("{shown} is yours alone")));
    }
    findings
}

#[derive(Default)]
struct Rights {
    /// A path that others may read.
    open: Option<String>,
}

impl Rights {
    #[cfg(unix)]
    fn walk(&mut self, path: &Path) {
        use std::os::unix::fs::PermissionsExt;

        let Ok(known) = fs::symlink_metadata(path) else { return };
        let is_open = !known.is_symlink() && known.permissions().mode() & 0o077 != 0;
        if is_open {
            self.open.get_or_insert_with(|| path.display().to_string());
        }
        if known.is_dir() && self.open.is_none() {
            let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
            entries.for_each(|entry| self.walk(&entry.path()));
        }
    }

    #[cfg(not(unix))]
    fn walk(&mut self, _: &Path) {}
}

fn lock(store: &Store) -> Finding {
    let Some(holder) = store.holder() else {
        return Finding::ok("lock", "nobody is writing");
    };
    let since = moment::show(Some(holder.since));
    let message = format!("{holder} has been writing since {since}");
    // The run's own clock, not one that was given for tests.
    let is_long = jiff::Timestamp::now().as_microsecond().saturating_sub(holder.since) > LONG;
    match is_long {
        false => Finding::new("lock", Level::Note, message),
        true => Finding::new("lock", Level::Warning, message)
            .help(format!("see what it does; to end it: kill {}", holder.pid)),
    }
}

fn catalog(store: &Store, outline: &Outline) -> Finding {
    let Outline { version, newest_version, .. } = outline;
    match store.check_catalog() {
        Err(error) => failed("catalog", &error),
        Ok(lines) if !lines.is_empty() => Finding::new("catalog", Level::Problem, lines.join("; "))
            .help("run `hyp cache verify`, and put catalog.db back from a backup of yours"),
        Ok(_) if version < newest_version => Finding::new(
            "catalog",
            Level::Note,
            format!("it has version {version}; the next import brings it to {newest_version}"),
        ),
        Ok(_) => Finding::ok("catalog", format!("version {version}, and sound")),
    }
}

fn files(store: &Store, outline: &Outline) -> Finding {
    let snapshot = match store.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return failed("files", &error),
    };
    let datasets = match store.dataset_files() {
        Ok(files) => files,
        Err(error) => return failed("files", &error),
    };
    let is_whole =
        |(path, size): &(&Path, u64)| fs::metadata(path).is_ok_and(|known| known.len() == *size);
    let all = snapshot.files.iter().map(|file| (&*file.path, file.size));
    let of_datasets = datasets.iter().flat_map(|dataset| &dataset.files);
    let all = all.chain(of_datasets.clone().map(|(path, size, ..)| (&**path, *size)));
    let broken: Vec<_> = all.filter(|file| !is_whole(file)).collect();
    if let Some((first, _)) = broken.first() {
        let message =
            format!("{} are missing or cut short, {} first", broken.len(), first.display());
        return Finding::new("files", Level::Problem, message)
            .help("put them back from a backup of yours, or import into a new store");
    }
    let due: u64 = outline.partitions.iter().map(|part| part.due).sum();
    let counted = |files: usize| text::counted_full(files as u64, "file");
    let rows = text::counted_full(outline.rows, "row");
    let mut message = format!("{rows} in {}", counted(snapshot.files.len()));
    if !datasets.is_empty() {
        message.push_str(&format!(", and {} of datasets", counted(of_datasets.count())));
    }
    match due {
        0..=40 => Finding::ok("files", message),
        _ => Finding::new("files", Level::Note, format!("{message}, {due} of them to be merged"))
            .help("hyp cache maintain"),
    }
}

fn others(outline: &Outline) -> Vec<Finding> {
    let mut findings = Vec::new();
    if outline.is_foreign {
        let message = "another program wrote to the table since hyp did";
        findings.push(
            Finding::new("foreign", Level::Warning, message)
                .help("the next import checks all ids; `hyp cache maintain` does it now"),
        );
    }
    if outline.is_moved {
        let message = "the store was moved: other engines look for its files where it was";
        findings.push(Finding::new("locations", Level::Note, message).help("hyp cache relocate"));
    }
    if outline.rubbish.files > 0 {
        let size = text::bytes(outline.rubbish.bytes);
        let files = text::counted_full(outline.rubbish.files, "file");
        let message = format!("{files}, {size}, that nothing points at");
        findings.push(
            Finding::new("left-overs", Level::Note, message)
                .help("the next import removes them, or `hyp cache gc`"),
        );
    }
    findings
}
