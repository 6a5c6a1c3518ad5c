//! Where things lie: what the caller says of the machine, so that nothing here asks it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyp_plugin::{Candidate, Description, Purpose, Root};

/// The folders and variables that a run may know.
#[derive(Debug, Clone)]
pub struct Places {
    /// Home folder of the person whose history is read.
    pub history_home: PathBuf,
    /// Folder to try a provider on, in place of the client's own: it stands for the provider's first root, or
    /// holds a folder for each, called by the root's name.
    pub history_folder: Option<PathBuf>,
    /// Folder of the store.
    pub store: PathBuf,
    /// The environment, by name.
    pub environment: BTreeMap<String, String>,
    /// What the person named for providers to read, by name.
    pub sources: BTreeMap<String, NamedSource>,
}

/// A file or folder that a person named in the settings, and what may be read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedSource {
    /// Where it lies.
    pub path: PathBuf,
    /// `table.column` or `table.*` of a database. None: nothing of a database may be read.
    pub grants: Vec<String>,
}

impl NamedSource {
    /// Takes away from a root what is not granted.
    pub(crate) fn narrow(&self, root: &Root) -> Root {
        let mut narrow = root.clone();
        for table in &mut narrow.tables {
            table.columns.retain(|column| self.grants(&table.name, column));
        }
        narrow
    }

    /// Says whether a column may be read.
    pub(crate) fn grants(&self, table: &str, column: &str) -> bool {
        self.grants.iter().any(|grant| match grant.split_once('.') {
            Some((of, "*")) => of.eq_ignore_ascii_case(table),
            Some((of, name)) => of.eq_ignore_ascii_case(table) && name.eq_ignore_ascii_case(column),
            None => false,
        })
    }
}

impl Places {
    /// Returns the folders that a root of a provider is looked for in.
    pub(crate) fn folders(&self, description: &Description, root: &Root) -> Vec<PathBuf> {
        let Some(folder) = &self.history_folder else { return self.resolve(&root.candidates) };
        let history: Vec<&Root> =
            description.roots.iter().filter(|root| root.purpose == Purpose::History).collect();
        let below = |root: &Root| folder.join(&root.name);
        if root.purpose != Purpose::History {
            Vec::new()
        } else if history.iter().any(|root| below(root).exists()) {
            vec![below(root)]
        } else {
            history
                .first()
                .filter(|first| **first == root)
                .map(|_| folder.clone())
                .into_iter()
                .collect()
        }
    }

    /// Returns the folders that a root's candidates name, best first, whether they exist or not.
    pub(crate) fn resolve(&self, candidates: &[Candidate]) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for candidate in candidates {
            match candidate {
                Candidate::Environment { variable, is_list, below, overrides } => {
                    let Some(value) = self.variable(variable) else { continue };
                    let values: Vec<&str> = if *is_list {
                        value.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
                    } else {
                        vec![value]
                    };
                    found.extend(values.into_iter().map(|part| join(&self.expand(part), below)));
                    if *overrides {
                        break;
                    }
                }
                Candidate::Home(below) => found.push(join(&self.history_home, below)),
                Candidate::ConfigHome(below) => found.push(join(&self.config_home(), below)),
                Candidate::DataHome(below) => found.push(join(&self.data_home(), below)),
                Candidate::ApplicationSupport(below) => {
                    found.push(join(&self.application_support(), below));
                }
                Candidate::HypHome(below) => found.push(join(&self.store, below)),
                Candidate::Source(name) => {
                    found.extend(self.sources.get(name).map(|source| source.path.clone()));
                }
            }
        }
        found
    }

    /// Returns what the person named for a root, if it reads such a thing.
    pub(crate) fn source_of(&self, root: &Root) -> Option<&NamedSource> {
        root.candidates.iter().find_map(|candidate| match candidate {
            Candidate::Source(name) => self.sources.get(name),
            _ => None,
        })
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn config_home(&self) -> PathBuf {
        self.variable("XDG_CONFIG_HOME")
            .map_or_else(|| self.history_home.join(".config"), PathBuf::from)
    }

    fn data_home(&self) -> PathBuf {
        self.variable("XDG_DATA_HOME")
            .map_or_else(|| self.history_home.join(".local/share"), PathBuf::from)
    }

    fn application_support(&self) -> PathBuf {
        if cfg!(target_os = "macos") {
            self.history_home.join("Library/Application Support")
        } else {
            self.config_home()
        }
    }

    fn expand(&self, value: &str) -> PathBuf {
        match value.strip_prefix("~/") {
            Some(rest) => self.history_home.join(rest),
            None if value == "~" => self.history_home.clone(),
            None => PathBuf::from(value),
        }
    }
}

fn join(folder: &Path, below: &str) -> PathBuf {
    if below.is_empty() { folder.to_path_buf() } else { folder.join(below) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(environment: &[(&str, &str)]) -> Places {
        Places {
            history_home: "/home/a".into(),
            history_folder: None,
            store: "/home/a/.hyp".into(),
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            sources: BTreeMap::new(),
        }
    }

    fn claude() -> Vec<Candidate> {
        vec![
            Candidate::Environment {
                variable: "CLAUDE_CONFIG_DIR".into(),
                is_list: true,
                below: "projects".into(),
                overrides: true,
            },
            Candidate::Home(".claude/projects".into()),
            Candidate::ConfigHome("claude/projects".into()),
        ]
    }

    #[test]
    fn an_overriding_variable_may_name_several_folders() {
        let found = places(&[("CLAUDE_CONFIG_DIR", "/x, ~/y ,")]).resolve(&claude());
        assert_eq!(found, [Path::new("/x/projects"), Path::new("/home/a/y/projects")]);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let found = places(&[("CLAUDE_CONFIG_DIR", "")]).resolve(&claude());
        let expected = ["/home/a/.claude/projects", "/home/a/.config/claude/projects"];
        assert_eq!(found, expected.map(PathBuf::from));
    }
}
