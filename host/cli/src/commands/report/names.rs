//! What sessions, repositories and tools are called on the page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use crate::commands::figures::Figures;
use crate::text;

/// Longest title, in characters.
const LONGEST: usize = 90;

/// How tools of servers begin; what follows says who runs them.
const SERVERS: &str = "mcp__";

/// The names.
#[derive(Debug)]
pub(super) enum Names {
    /// As they are, folders below the home folder shortened.
    Real {
        /// The home folder.
        home: String,
        /// Titles by session.
        titles: BTreeMap<String, String>,
    },
    /// Numbers of repositories, and nothing else.
    Anonymous {
        /// Repositories, the largest first.
        repositories: Vec<String>,
    },
}

impl Names {
    /// Returns the names as they are.
    pub(super) fn read(home: &Path, titles: BTreeMap<String, String>) -> Self {
        Self::Real { home: home.display().to_string(), titles }
    }

    /// Returns names that tell nothing.
    pub(super) fn anonymous(figures: &Figures) -> Self {
        let repositories = figures.repositories.iter().map(|it| it.name.clone()).collect();
        Self::Anonymous { repositories }
    }

    /// Says whether sessions may be listed.
    pub(super) fn are_real(&self) -> bool {
        matches!(self, Self::Real { .. })
    }

    /// Returns what a session is called.
    pub(super) fn session(&self, id: &str) -> String {
        match self {
            Self::Real { titles, .. } => {
                titles.get(id).map_or_else(|| "–".to_owned(), |it| text::headline(it, LONGEST))
            }
            Self::Anonymous { .. } => "–".to_owned(),
        }
    }

    /// Returns what a repository is called.
    pub(super) fn repository<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self {
            Self::Real { home, .. } => match name.strip_prefix(home.as_str()) {
                Some(below) if below.starts_with('/') => format!("~{below}").into(),
                _ => name.into(),
            },
            Self::Anonymous { repositories } => {
                match repositories.iter().position(|it| it == name) {
                    Some(at) => format!("repository {}", at + 1).into(),
                    None => "repository".into(),
                }
            }
        }
    }

    /// Returns what a tool is called.
    pub(super) fn tool<'a>(&self, name: &'a str) -> &'a str {
        match self {
            Self::Anonymous { .. } if name.starts_with(SERVERS) => "tools of servers",
            _ => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_below_the_home_folder_are_shortened() {
        let titles = [("s".to_owned(), "Find\nthe \u{202e}cause".to_owned())].into();
        let names = Names::read(Path::new("/home/ada"), titles);
        assert_eq!(names.repository("/home/ada/tides"), "~/tides");
        assert_eq!(names.repository("/home/adam/tides"), "/home/adam/tides");
        assert_eq!(names.session("s"), "Find the \\u{202e}cause");
        assert_eq!(names.session("other"), "–");
    }

    #[test]
    fn numbers_tell_nothing() {
        let names = Names::Anonymous { repositories: vec!["/a".into(), "/b".into()] };
        assert_eq!(names.repository("/b"), "repository 2");
        assert_eq!(names.tool("mcp__acme__deploy"), "tools of servers");
        assert_eq!(names.tool("Bash"), "Bash");
    }
}
