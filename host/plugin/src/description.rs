//! What a provider says of itself, and what it may not say.

use std::collections::BTreeSet;

use hyp_model::item::STORED;
use hyp_sqlite::Grants;
use serde::{Deserialize, Serialize};

use crate::bindings::provider as wit;
use crate::shelf::Checked;
use crate::state::MESSAGE_KIND;

/// What a provider is and wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Description {
    pub name: String,
    pub title: String,
    pub version: String,
    pub summary: String,
    pub kinds: Vec<String>,
    pub clients: Vec<Client>,
    pub roots: Vec<Root>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

/// Something that may be set for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Setting {
    pub name: String,
    pub default: String,
    pub summary: String,
}

/// A client whose files the provider reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Client {
    pub title: String,
    pub versions: String,
    #[serde(default)]
    pub checked: Option<String>,
}

/// A folder of the client's, and what to look for in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Root {
    pub name: String,
    pub purpose: Purpose,
    pub candidates: Vec<Candidate>,
    pub globs: Vec<String>,
    pub depth: u32,
    #[serde(default)]
    pub tables: Vec<Table>,
}

/// What is read of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
}

/// What happens with a root's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    History,
    Notice,
}

/// A place to look for a root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "documented in wit/provider.wit")]
#[serde(rename_all = "snake_case")]
pub enum Candidate {
    Environment { variable: String, is_list: bool, below: String, overrides: bool },
    Home(String),
    ConfigHome(String),
    DataHome(String),
    ApplicationSupport(String),
    HypHome(String),
    Source(String),
}

/// Names that commands have taken.
const RESERVED: [&str; 2] = ["list", "plan"];

/// Length of any text in a description.
const TEXT_AT_MOST: usize = 4 * 1024;

/// Number of kinds, of roots, and of candidates or globs of a root.
const COUNT_AT_MOST: usize = 64;

impl Checked for Description {
    fn check(&self) -> Result<(), String> {
        check_name(&self.name)?;
        let mut texts = vec![("title", &self.title), ("version", &self.version)];
        for (what, text) in &texts {
            if text.trim().is_empty() {
                return Err(format!("its {what} is empty"));
            }
        }
        texts.push(("summary", &self.summary));
        for (what, text) in texts {
            check_text(what, text)?;
        }
        if self.kinds.is_empty() {
            return Err("it declares no kinds".into());
        }
        check_count("kinds", self.kinds.len())?;
        check_unique("kind", self.kinds.iter())?;
        check_count("clients", self.clients.len())?;
        self.clients.iter().try_for_each(Client::check)?;
        check_count("roots", self.roots.len())?;
        // A history root's name is how entries refer to it. That of a notice is what to tell, and two may tell the same.
        let listed = self.roots.iter().filter(|root| root.purpose == Purpose::History);
        check_unique("root", listed.map(|root| &root.name))?;
        check_count("settings", self.settings.len())?;
        check_unique("setting", self.settings.iter().map(|setting| &setting.name))?;
        for Setting { default, summary, .. } in &self.settings {
            check_text("setting", default)?;
            check_text("setting", summary)?;
        }
        if let Some(kind) = self.kinds.iter().find(|kind| kind.starts_with(STORED)) {
            return Err(format!("it emits items of kind `{kind}`, which only hyp makes"));
        }
        if self.kinds.len() > 1 && self.emits_messages() {
            return Err("it emits messages and other items: these are two providers".into());
        }
        self.roots.iter().try_for_each(Root::check)
    }
}

impl Description {
    /// Says whether it emits messages; if not, it emits items for materializers.
    pub fn emits_messages(&self) -> bool {
        self.kinds.iter().any(|kind| kind == MESSAGE_KIND)
    }

    /// Returns the names of the sources that a person has to name in the settings.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let candidates = self.roots.iter().flat_map(|root| &root.candidates);
        candidates.filter_map(|candidate| match candidate {
            Candidate::Source(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Client {
    fn check(&self) -> Result<(), String> {
        check_text("client", &self.title)?;
        check_text("client's versions", &self.versions)?;
        self.checked.as_ref().map_or(Ok(()), |checked| check_text("client's check", checked))
    }
}

impl Root {
    fn check(&self) -> Result<(), String> {
        check_text("root name", &self.name)?;
        if self.name.is_empty() {
            return Err("it has a root without a name".into());
        }
        let of = |reason| format!("root `{}`: {reason}", self.name);
        check_count("candidates", self.candidates.len()).map_err(of)?;
        check_count("globs", self.globs.len()).map_err(of)?;
        for glob in &self.globs {
            check_below("glob", glob).map_err(of)?;
            if glob.is_empty() {
                return Err(of("it has an empty glob".into()));
            }
        }
        for candidate in &self.candidates {
            candidate.check().map_err(of)?;
        }
        let is_source = |candidate: &Candidate| matches!(candidate, Candidate::Source(_));
        if self.candidates.len() > 1 && self.candidates.iter().any(is_source) {
            return Err(of("it has a source and other candidates".into()));
        }
        check_count("tables", self.tables.len()).map_err(of)?;
        check_unique("table", self.tables.iter().map(|table| &table.name)).map_err(of)?;
        for Table { columns, .. } in &self.tables {
            check_count("columns of a table", columns.len()).map_err(of)?;
            check_unique("column", columns.iter()).map_err(of)?;
        }
        Ok(())
    }

    /// Returns what may be read of the root's databases; nothing for a root of other files.
    pub fn grants(&self) -> Option<Grants> {
        let tables = self.tables.iter().map(|table| (&table.name, &table.columns));
        (!self.tables.is_empty()).then(|| Grants::new(tables))
    }
}

impl Candidate {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Environment { variable, below, .. } => {
                let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                if variable.is_empty() || !variable.bytes().all(is_name) {
                    return Err(format!(
                        "`{}` is no environment variable",
                        variable.escape_debug()
                    ));
                }
                check_below("path", below)
            }
            Self::Home(path)
            | Self::ConfigHome(path)
            | Self::DataHome(path)
            | Self::ApplicationSupport(path)
            | Self::HypHome(path) => {
                if path.split('/').all(|name| name.is_empty() || name == ".") {
                    return Err("it is a whole home folder".into());
                }
                check_below("path", path)
            }
            Self::Source(name) => check_name(name),
        }
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_good) || name.starts_with('-') {
        let name = name.escape_debug().take(64).collect::<String>();
        return Err(format!("`{name}` is no name: lower case letters, digits and hyphens are"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("the name `{name}` is taken by a command"));
    }
    Ok(())
}

/// Refuses a path that leaves what it is below.
fn check_below(what: &str, path: &str) -> Result<(), String> {
    check_text(what, path)?;
    let is_absolute = path.starts_with(['/', '\\', '~']) || path.as_bytes().get(1) == Some(&b':');
    if is_absolute || path.split(['/', '\\']).any(|name| name == "..") {
        return Err(format!("{what} `{path}` leads out of the root"));
    }
    Ok(())
}

/// Refuses text that could take over a terminal or fill it.
pub(crate) fn check_text(what: &str, text: &str) -> Result<(), String> {
    if text.len() > TEXT_AT_MOST {
        return Err(format!("its {what} is longer than {TEXT_AT_MOST} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("its {what} has control characters"));
    }
    Ok(())
}

pub(crate) fn check_count(what: &str, count: usize) -> Result<(), String> {
    if count > COUNT_AT_MOST {
        Err(format!("it has more than {COUNT_AT_MOST} {what}"))
    } else {
        Ok(())
    }
}

pub(crate) fn check_unique<'a>(
    what: &str,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        check_text(what, name)?;
        if name.is_empty() {
            return Err(format!("it has a {what} without a name"));
        }
        if !seen.insert(name) {
            return Err(format!("it has two of {what} `{name}`"));
        }
    }
    Ok(())
}

impl From<wit::Description> for Description {
    fn from(it: wit::Description) -> Self {
        let wit::Description { name, title, version, summary, kinds, clients, roots, settings } =
            it;
        let clients = clients.into_iter().map(|it| Client {
            title: it.title,
            versions: it.versions,
            checked: it.checked,
        });
        let (clients, roots) = (clients.collect(), roots.into_iter().map(Root::from).collect());
        let settings = settings.into_iter().map(|it| Setting {
            name: it.name,
            default: it.default,
            summary: it.summary,
        });
        let settings = settings.collect();
        Self { name, title, version, summary, kinds, clients, roots, settings }
    }
}

impl From<wit::Root> for Root {
    fn from(it: wit::Root) -> Self {
        let purpose = match it.purpose {
            wit::Purpose::History => Purpose::History,
            wit::Purpose::Notice => Purpose::Notice,
        };
        let candidates = it.candidates.into_iter().map(Candidate::from).collect();
        let tables = it.tables.into_iter();
        let tables = tables.map(|it| Table { name: it.name, columns: it.columns }).collect();
        Self { name: it.name, purpose, candidates, globs: it.globs, depth: it.depth, tables }
    }
}

impl From<wit::Candidate> for Candidate {
    fn from(it: wit::Candidate) -> Self {
        match it {
            wit::Candidate::Environment(it) => {
                let wit::EnvironmentCandidate { variable, is_list, below, overrides } = it;
                Self::Environment { variable, is_list, below, overrides }
            }
            wit::Candidate::Home(path) => Self::Home(path),
            wit::Candidate::ConfigHome(path) => Self::ConfigHome(path),
            wit::Candidate::DataHome(path) => Self::DataHome(path),
            wit::Candidate::ApplicationSupport(path) => Self::ApplicationSupport(path),
            wit::Candidate::HypHome(path) => Self::HypHome(path),
            wit::Candidate::Source(name) => Self::Source(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Description {
        Description {
            name: "good".into(),
            title: "Good".into(),
            version: "1.0.0".into(),
            summary: String::new(),
            kinds: vec!["ai_gateway.projected_exchange".into()],
            clients: Vec::new(),
            roots: vec![Root {
                name: "history".into(),
                purpose: Purpose::History,
                candidates: vec![Candidate::Home(".good/logs".into())],
                globs: vec!["**/*.jsonl".into()],
                depth: 8,
                tables: vec![Table { name: "chat".into(), columns: vec!["id".into()] }],
            }],
            settings: Vec::new(),
        }
    }

    #[test]
    fn a_good_description_is_taken() {
        assert_eq!(good().check(), Ok(()));
    }

    #[test]
    fn two_notices_may_tell_the_same() {
        let mut description = good();
        let notice = Root { purpose: Purpose::Notice, ..description.roots[0].clone() };
        description.roots.extend([notice.clone(), notice]);
        assert_eq!(description.check(), Ok(()));
    }

    #[test]
    fn a_malformed_description_is_refused_with_a_reason() {
        type Spoil = fn(&mut Description);
        #[rustfmt::skip]
        let cases: &[(Spoil, &str)] = &[
            (|it| it.name = String::new(),      "`` is no name: lower case letters, digits and hyphens are"),
            (|it| it.name = "Good".into(),      "`Good` is no name: lower case letters, digits and hyphens are"),
            (|it| it.name = "--all".into(),     "`--all` is no name: lower case letters, digits and hyphens are"),
            (|it| it.name = "list".into(),      "the name `list` is taken by a command"),
            (|it| it.name = "plan".into(),      "the name `plan` is taken by a command"),
            (|it| it.title = " ".into(),        "its title is empty"),
            (|it| it.title = "\u{1b}[2J".into(), "its title has control characters"),
            (|it| it.kinds.clear(),             "it declares no kinds"),
            (|it| it.kinds.push(it.kinds[0].clone()), "it has two of kind `ai_gateway.projected_exchange`"),
            (|it| it.kinds.push("registry.owner_test".into()), "it emits messages and other items: these are two providers"),
            (|it| it.kinds = vec!["stored.suites".into()], "it emits items of kind `stored.suites`, which only hyp makes"),
            (|it| it.roots[0].candidates.push(Candidate::Source("registry".into())), "root `history`: it has a source and other candidates"),
            (|it| it.roots[0].candidates = vec![Candidate::Source("Reg".into())], "root `history`: `Reg` is no name: lower case letters, digits and hyphens are"),
            (|it| it.roots.push(it.roots[0].clone()), "it has two of root `history`"),
            (|it| it.roots[0].globs[0] = "../*".into(),     "root `history`: glob `../*` leads out of the root"),
            (|it| it.roots[0].globs[0] = "/etc/*".into(),   "root `history`: glob `/etc/*` leads out of the root"),
            (|it| it.roots[0].tables = vec![it.roots[0].tables[0].clone(), it.roots[0].tables[0].clone()], "root `history`: it has two of table `chat`"),
            (|it| it.roots[0].tables[0].columns[0].clear(), "root `history`: it has a column without a name"),
            (|it| it.roots[0].candidates[0] = Candidate::Home("/".into()),     "root `history`: it is a whole home folder"),
            (|it| it.roots[0].candidates[0] = Candidate::Home("a/../..".into()), "root `history`: path `a/../..` leads out of the root"),
            (|it| it.roots[0].candidates[0] = Candidate::Environment { variable: "A=B".into(), is_list: false, below: String::new(), overrides: false }, "root `history`: `A=B` is no environment variable"),
        ];
        for (spoil, reason) in cases {
            let mut description = good();
            spoil(&mut description);
            assert_eq!(description.check().unwrap_err(), *reason);
        }
    }

    #[test]
    fn a_description_survives_its_cache_file() {
        let json = serde_json::to_string(&good()).unwrap();
        assert_eq!(serde_json::from_str::<Description>(&json).unwrap(), good());
    }
}
