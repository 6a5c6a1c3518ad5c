//! What an installed component may read: the places that a person agreed to, root by root.

use std::collections::BTreeSet;
use std::path::Path;

use hyp_plugin::{Candidate, Description, Purpose, Root};
use serde::{Deserialize, Serialize};

use crate::places::Places;

/// A root of a provider's, as it was shown to the person who agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Name that the provider gives it.
    pub root: String,
    /// The places that it stands for, a line each.
    pub reads: Vec<String>,
    /// True where it was taken back: it is not lent, and an update does not ask for it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
}

/// What is lent of the roots that a provider declares.
#[derive(Debug, Clone)]
pub(crate) enum Lending {
    /// All: the provider is a part of this hyp.
    Everything,
    /// What was agreed to, below the home folder and outside of the store.
    Agreed(Vec<Grant>),
}

/// Why a root, or a folder of it, is not lent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// The person took it back.
    Revoked,
    /// Nobody agreed to it, or not to all of it.
    NotAgreed,
    /// It is no place that anything but hyp's own providers may read.
    Outside(&'static str),
}

impl Lending {
    /// Says why a root is not lent at all.
    pub(crate) fn root(&self, root: &Root) -> Option<Withheld> {
        let Self::Agreed(grants) = self else { return None };
        let Some(grant) = grants.iter().find(|grant| grant.root == root.name) else {
            return Some(Withheld::NotAgreed);
        };
        if grant.revoked {
            return Some(Withheld::Revoked);
        }
        let is_agreed = |place: &String| grant.reads.contains(place);
        (!places_of_root(root).iter().all(is_agreed)).then_some(Withheld::NotAgreed)
    }

    /// Says why a folder that a root leads to, links followed, is not lent.
    pub(crate) fn folder(&self, folder: &Path, places: &Places) -> Option<Withheld> {
        let Self::Agreed(_) = self else { return None };
        // Who named a folder to try a component on lends that very folder.
        if places.history_folder.is_some() {
            return None;
        }
        outside(folder, places).map(Withheld::Outside)
    }
}

/// Says why a folder, links followed, can be lent to no component from elsewhere.
pub(crate) fn outside(folder: &Path, places: &Places) -> Option<&'static str> {
    let home = places.history_home.canonicalize().ok();
    if home.as_deref() == Some(folder) {
        return Some("the whole home folder");
    }
    if home.is_none_or(|home| !folder.starts_with(home)) {
        return Some("outside of the home folder");
    }
    let store = places.store.canonicalize().ok();
    store.filter(|store| folder.starts_with(store)).map(|_| "in hyp's own store")
}

/// Returns what a provider wants to read, as grants.
pub(crate) fn wanted(description: &Description) -> Vec<Grant> {
    let grant = |root: &Root| Grant {
        root: root.name.clone(),
        reads: places_of_root(root),
        revoked: false,
    };
    history(description).map(grant).collect()
}

/// Returns what a provider could read: a line for each place, as a person would write it.
pub(crate) fn reads(description: &Description) -> Vec<String> {
    history(description).flat_map(places_of_root).collect()
}

fn history(description: &Description) -> impl Iterator<Item = &Root> {
    description.roots.iter().filter(|root| root.purpose == Purpose::History)
}

fn places_of_root(root: &Root) -> Vec<String> {
    let globs = match &root.globs[..] {
        [] => String::new(),
        globs => format!(": {}", globs.join(", ")),
    };
    let tables: Vec<String> = root
        .tables
        .iter()
        .map(|table| format!("{} ({})", table.name, table.columns.join(", ")))
        .collect();
    let tables = match &tables[..] {
        [] => String::new(),
        tables => format!("; tables {}", tables.join(", ")),
    };
    let candidates = root.candidates.iter();
    candidates.map(|candidate| format!("{}{globs}{tables}", place_of(candidate))).collect()
}

/// Says whether two providers look into the same folder, or one into a folder of the other's.
pub(crate) fn share(a: &Description, b: &Description) -> bool {
    let folders = |description| -> BTreeSet<String> {
        history(description).flat_map(|root| &root.candidates).map(place_of).collect()
    };
    let theirs = folders(b);
    folders(a).iter().any(|ours| {
        theirs.iter().any(|theirs| {
            Path::new(ours).starts_with(theirs) || Path::new(theirs).starts_with(ours)
        })
    })
}

fn place_of(candidate: &Candidate) -> String {
    let join = |folder: &str, below: &str| match below {
        "" => folder.to_owned(),
        below => Path::new(folder).join(below).display().to_string(),
    };
    match candidate {
        Candidate::Environment { variable, below, .. } => join(&format!("${variable}"), below),
        Candidate::Home(below) => join("~", below),
        Candidate::ConfigHome(below) => join("$XDG_CONFIG_HOME", below),
        Candidate::DataHome(below) => join("$XDG_DATA_HOME", below),
        Candidate::ApplicationSupport(below) => join("(application data)", below),
        Candidate::HypHome(below) => join("$HYP_HOME", below),
        Candidate::Source(name) => format!("[sources.{name}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyp_plugin::Table;
    use std::fs;

    fn root(candidate: Candidate, columns: &[&str]) -> Root {
        let table = Table {
            name: "chat".into(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        Root {
            name: "history".into(),
            purpose: Purpose::History,
            candidates: vec![candidate],
            globs: vec!["*.db".into()],
            depth: 1,
            tables: vec![table],
        }
    }

    fn home(below: &str) -> Candidate {
        Candidate::Home(below.to_owned())
    }

    #[test]
    fn what_differs_from_what_was_shown_is_not_lent() {
        let agreed = root(home(".notebook"), &["id"]);
        let grant =
            Grant { root: "history".into(), reads: places_of_root(&agreed), revoked: false };
        assert_eq!(grant.reads, ["~/.notebook: *.db; tables chat (id)"]);
        let lending = |grants: &[&Grant]| {
            Lending::Agreed(grants.iter().map(|grant| (*grant).clone()).collect())
        };
        let revoked = Grant { revoked: true, ..grant.clone() };
        let mut deeper = agreed.clone();
        deeper.globs[0] = "**/*.db".into();
        #[rustfmt::skip]
        let cases = [
            ("as agreed",         lending(&[&grant]),    agreed.clone(),                          None),
            ("bundled",           Lending::Everything,   root(home(".ssh"), &["key"]),            None),
            ("taken back",        lending(&[&revoked]),  agreed.clone(),                          Some(Withheld::Revoked)),
            ("nothing agreed to", lending(&[]),          agreed.clone(),                          Some(Withheld::NotAgreed)),
            ("another folder",    lending(&[&grant]),    root(home(".ssh"), &["id"]),             Some(Withheld::NotAgreed)),
            ("another column",    lending(&[&grant]),    root(home(".notebook"), &["id", "key"]), Some(Withheld::NotAgreed)),
            ("another glob",      lending(&[&grant]),    deeper,                                  Some(Withheld::NotAgreed)),
        ];
        for (name, lending, root, expect) in cases {
            assert_eq!(lending.root(&root), expect, "{name}");
        }
    }

    #[test]
    fn nothing_outside_of_the_home_and_nothing_of_the_store_is_lent() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        for below in ["home/.notebook", "home/.hyp/plugins", "elsewhere", "home-of-another"] {
            fs::create_dir_all(base.join(below)).unwrap();
        }
        let places = Places {
            history_home: base.join("home"),
            history_folder: None,
            store: base.join("home/.hyp"),
            environment: Default::default(),
            sources: Default::default(),
        };
        for (below, expect) in [
            ("home/.notebook", None),
            ("home", Some("the whole home folder")),
            ("", Some("outside of the home folder")),
            ("elsewhere", Some("outside of the home folder")),
            ("home-of-another", Some("outside of the home folder")),
            ("home/.hyp", Some("in hyp's own store")),
            ("home/.hyp/plugins", Some("in hyp's own store")),
        ] {
            assert_eq!(outside(&base.join(below), &places), expect, "{below}");
        }
    }
}
