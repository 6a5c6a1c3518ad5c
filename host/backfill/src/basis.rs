//! What a run is worked out from, and whether it is as it was: a dry run tells, and what it told can be done then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use hyp_cache::{Asked, Store, StoreError};
use hyp_model::row::Key;
use hyp_plugin::Plugin;
use serde::{Deserialize, Serialize};

use crate::discover::{Found, hex};
use crate::engine::Changes;
use crate::error::BackfillError;
use crate::ignored::list_path;
use crate::makers::Makers;
use crate::places::Places;
use crate::run::Request;

/// What was asked of a run, so that the same can be asked again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Arguments {
    pub(crate) providers: Vec<String>,
    pub(crate) enabled: Option<Vec<String>>,
    /// Ends of the window, worked out.
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) full: bool,
    pub(crate) allow_copy: bool,
    /// How datasets were to be changed; none where the run was about messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<Changes>,
    /// Whose history was read.
    pub(crate) history_home: String,
    /// The run that this one goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resumes: Option<String>,
    /// What a dry run, or a run over datasets, was worked out from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) basis: Option<Basis>,
}

impl Arguments {
    pub(crate) fn new(request: &Request, places: &Places, now: i64, fills_datasets: bool) -> Self {
        let window = request.window(now);
        Self {
            providers: request.providers.clone(),
            enabled: request.enabled.clone(),
            since: window.since,
            until: window.until,
            full: request.full,
            allow_copy: request.allow_copy,
            changes: fills_datasets.then(|| request.changes.clone()),
            history_home: places.history_home.display().to_string(),
            resumes: request.resumes.clone(),
            basis: None,
        }
    }

    /// Returns what stands for all of it: the same where the same is asked of the same.
    pub(crate) fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("fp-{}", hex(&Key::of(text.as_bytes()).0[..8]))
    }

    /// Asks the same again.
    fn put_into(self, mut request: Request) -> Request {
        if let Some(asked) = self.changes {
            // What was settled in words was kept; what does it is of this process.
            let Changes { rules, probe, prober, ask, .. } = std::mem::take(&mut request.changes);
            request.changes = Changes { rules, probe, prober, ask, ..asked };
        }
        Request {
            providers: self.providers,
            enabled: self.enabled,
            since: self.since,
            until: self.until,
            retention_days: None,
            full: self.full,
            allow_copy: self.allow_copy,
            ..request
        }
    }
}

/// What a run is worked out from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// What was written to the store so far, and the run that wrote last.
    store: String,
    last_run: Option<String>,
    /// What is kept, left out and replaced by rules.
    rules: BTreeMap<String, String>,
    /// What else decides which rows of datasets come of a source.
    #[serde(default)]
    terms: BTreeMap<String, String>,
    providers: BTreeMap<String, Source>,
}

/// What a provider would read, and with what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) component: String,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Hash over names, sizes and times.
    pub(crate) hash: String,
}

impl Source {
    pub(crate) fn new(component: &str, found: &Found) -> Self {
        let mut hash = found.fingerprint();
        // What a database says is in its log as well.
        for lent in found.files.iter().filter(|lent| lent.database.is_some()) {
            let mut log = lent.file.clone().into_os_string();
            log.push("-wal");
            let told = fs::metadata(log).map(|it| (it.len(), it.modified().ok()));
            hash = hex(&Key::of(format!("{hash}{told:?}").as_bytes()).0);
        }
        Self {
            component: component.to_owned(),
            files: found.files.len() as u64,
            bytes: found.files.iter().map(|lent| lent.entry.size).sum(),
            hash,
        }
    }
}

impl Basis {
    /// Looks at the store and at what is settled; providers are added one by one.
    pub(crate) fn new(store: &Store, request: &Request) -> Result<Self, StoreError> {
        let (state, last_run) = store.written()?;
        let list = fs::read(list_path(store.dir())).unwrap_or_default();
        let secrets = request.secrets.as_ref().map(crate::Secrets::digest);
        let rules = [
            ("the folders that are left out", hex(&Key::of(&list).0)),
            ("the rules for secrets", secrets.unwrap_or_default()),
            ("the day from which messages are kept", format!("{:?}", request.retained_from)),
        ];
        let rules = rules.map(|(name, value)| (name.to_owned(), value)).into();
        let (terms, providers) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { store: state, last_run, rules, terms, providers })
    }

    pub(crate) fn add(&mut self, provider: &str, source: Source) {
        self.providers.insert(provider.to_owned(), source);
    }

    /// Looks at what decides, beside its source, which rows come of a provider.
    pub(crate) fn look(
        &mut self,
        plugin: &Plugin,
        places: &Places,
        makers: &Makers,
        changes: &Changes,
    ) {
        let mut term = |name: String, value: String| drop(self.terms.insert(name, value));
        for name in plugin.description().sources() {
            let mut grants =
                places.sources.get(name).map(|it| it.grants.clone()).unwrap_or_default();
            grants.sort();
            term(format!("what `[sources.{name}]` grants"), grants.join("\n"));
        }
        if plugin.description().emits_messages() {
            return;
        }
        for maker in makers.needed(&plugin.description().kinds).unwrap_or_default() {
            term(format!("the materializer `{}`", maker.name), maker.digest().to_owned());
        }
        term("the rules of datasets".to_owned(), format!("{:?}", changes.rules));
        term("what `[probe]` allows".to_owned(), changes.probe.allow.join("\n"));
        let answers = changes.probe.script.as_ref().and_then(|script| fs::read(script).ok());
        let answers = answers.map(|answers| hex(&Key::of(&answers).0)).unwrap_or_default();
        term("the answers of `[probe] script`".to_owned(), answers);
    }

    /// Says what is not as it was, a line each.
    pub(crate) fn moved(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        if self.store != now.store {
            moved.push(match &now.last_run {
                Some(run) if self.last_run != now.last_run => {
                    format!("the store: run `{run}` wrote to it")
                }
                _ => "the store: something was removed from it".to_owned(),
            });
        }
        moved.extend(changed(&self.rules, &now.rules));
        moved.extend(changed(&self.terms, &now.terms));
        moved.extend(self.sources_moved(now));
        moved
    }

    /// Says why the rest of a run over datasets would not be what it was, a line each.
    pub(crate) fn rest_moved(&self, now: &Self) -> Vec<String> {
        let mut moved = self.sources_moved(now);
        moved.extend(changed(&self.terms, &now.terms));
        moved
    }

    /// Says which sources are not as they were, a line each.
    fn sources_moved(&self, now: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        for name in self.providers.keys().chain(now.providers.keys()) {
            let told = match (self.providers.get(name), now.providers.get(name)) {
                (Some(before), Some(after)) if before == after => continue,
                (Some(before), Some(after)) if before.component != after.component => {
                    format!("{name}: its component is another one")
                }
                (Some(before), Some(after)) => format!(
                    "{name}: its files changed, from {} with {} bytes to {} with {} bytes",
                    before.files, before.bytes, after.files, after.bytes
                ),
                (Some(_), None) => format!("{name}: it has no history here any more"),
                _ => format!("{name}: it has history here by now"),
            };
            if !moved.contains(&told) {
                moved.push(told);
            }
        }
        moved
    }
}

/// Says what is not as it was, a line each.
fn changed(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let is_other = |name: &&String| before.get(*name) != now.get(*name);
    names.into_iter().filter(is_other).map(|name| format!("{name} changed")).collect()
}

/// Returns the request of a dry run, to be done as long as nothing moved since.
///
/// # Errors
/// Fails when no dry run of the store has the fingerprint, or it was over another home.
pub fn applied(
    places: &Places,
    fingerprint: &str,
    request: Request,
) -> Result<Request, BackfillError> {
    let unknown = || BackfillError::NoDryRun { fingerprint: fingerprint.to_owned() };
    let asked = Store::open(&places.store)?.asked()?;
    let arguments = asked
        .into_iter()
        .filter(|asked| asked.is_dry && asked.status == "ok")
        .filter_map(|asked| arguments(&asked))
        .find(|arguments| arguments.basis.is_some() && arguments.fingerprint() == fingerprint)
        .ok_or_else(unknown)?;
    let home = places.history_home.display().to_string();
    if arguments.history_home != home {
        let what = vec![format!("the home folder: it was {}", arguments.history_home)];
        return Err(BackfillError::Moved { fingerprint: fingerprint.to_owned(), what });
    }
    let expected = arguments.basis.clone().map(|basis| (fingerprint.to_owned(), basis));
    let mut request = Request { expected, ..arguments.put_into(request) };
    request.changes.commit = true;
    Ok(request)
}

/// Returns the request of an import that did not come to its end, to go on with it.
///
/// # Errors
/// Fails when the store has no such run, or it is none that can be gone on with.
pub fn resumed(places: &Places, run_id: &str, request: Request) -> Result<Request, BackfillError> {
    let refused =
        |reason: String| Err(BackfillError::NotResumable { run_id: run_id.to_owned(), reason });
    let asked = Store::open(&places.store)?.asked()?;
    let Some(asked) = asked.into_iter().find(|asked| asked.run_id == run_id) else {
        return refused(format!("the store at `{}` has no such run", places.store.display()));
    };
    if asked.kind != "import" {
        return refused(format!("it is no import, but of kind `{}`", asked.kind));
    }
    if asked.is_dry {
        return refused("it was a dry run, and wrote nothing".to_owned());
    }
    if asked.status == "ok" {
        return refused("it came to its end".to_owned());
    }
    if let Some(by) = &asked.undone_by {
        return refused(format!("it was undone by `{by}`"));
    }
    let Some(arguments) = arguments(&asked) else {
        return refused("an older hyp made it, which did not keep what was asked".to_owned());
    };
    if Path::new(&arguments.history_home) != places.history_home {
        return refused(format!("it was about the home folder `{}`", arguments.history_home));
    }
    let sources = arguments.basis.clone();
    Ok(Request { resumes: Some(asked.run_id), sources, ..arguments.put_into(request) })
}

fn arguments(asked: &Asked) -> Option<Arguments> {
    serde_json::from_str(asked.arguments.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_named() {
        let source = |files, hash: &str, component: &str| Source {
            component: component.into(),
            files,
            bytes: 10 * files,
            hash: hash.into(),
        };
        let basis = |store: &str, run: &str, sources: &[(&str, Source)]| Basis {
            store: store.into(),
            last_run: Some(run.into()),
            rules: [("the rules for secrets".to_owned(), store.to_owned())].into(),
            terms: [(format!("what `[sources.{store}]` grants"), String::new())].into(),
            providers: sources.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect(),
        };
        let before = basis(
            "1",
            "a",
            &[
                ("claude", source(2, "x", "c")),
                ("codex", source(1, "y", "c")),
                ("pi", source(1, "z", "c")),
            ],
        );
        assert!(before.moved(&before).is_empty());
        let after = basis(
            "2",
            "b",
            &[
                ("claude", source(3, "xx", "c")),
                ("codex", source(1, "y", "d")),
                ("qwen", source(1, "z", "c")),
            ],
        );
        assert_eq!(
            before.moved(&after),
            [
                "the store: run `b` wrote to it",
                "the rules for secrets changed",
                "what `[sources.1]` grants changed",
                "what `[sources.2]` grants changed",
                "claude: its files changed, from 2 with 20 bytes to 3 with 30 bytes",
                "codex: its component is another one",
                "pi: it has no history here any more",
                "qwen: it has history here by now",
            ]
        );
    }
}
