//! The manifest test: what a provider says of itself, beside its sources.

use std::fs;
use std::path::Path;

use crate::json::{Object, quote};
use crate::{Candidate, Client, Description, Provider, Purpose, Root, Setting, Table};

/// Compares a provider's description with its manifest, the JSON file that others read it from.
///
/// Whoever knows the manifest need not start the component to know where to look. With `UPDATE_GOLDEN=1` in the
/// environment the file is written instead.
///
/// # Panics
/// If the two differ.
pub fn manifest<P: Provider>(path: impl AsRef<Path>) {
    let path = path.as_ref();
    let actual = to_json(&P::description());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, &actual)
            .unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(expected, actual, "`{}`: UPDATE_GOLDEN=1 writes it", path.display());
}

fn to_json(it: &Description) -> String {
    let mut members = vec![
        ("name", quote(&it.name)),
        ("title", quote(&it.title)),
        ("version", quote(&it.version)),
        ("summary", quote(&it.summary)),
        ("kinds", texts(&it.kinds)),
    ];
    members.push(("clients", list(&it.clients, client)));
    members.push(("roots", list(&it.roots, root)));
    if !it.settings.is_empty() {
        members.push(("settings", list(&it.settings, setting)));
    }
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("  {}: {value}", quote(name))).collect();
    format!("{{\n{}\n}}\n", members.join(",\n"))
}

fn client(it: &Client) -> String {
    let mut o = Object::new();
    o.text("title", &it.title).text("versions", &it.versions);
    o.maybe_text("checked", it.checked.as_deref());
    done(o)
}

fn setting(it: &Setting) -> String {
    let mut o = Object::new();
    o.text("name", &it.name).text("default", &it.default).text("summary", &it.summary);
    done(o)
}

fn root(it: &Root) -> String {
    let candidates: Vec<String> = it.candidates.iter().map(candidate).collect();
    let mut o = Object::new();
    o.text("name", &it.name)
        .text("purpose", if it.purpose == Purpose::Notice { "notice" } else { "history" })
        .raw("candidates", &format!("[{}]", candidates.join(",")))
        .raw("globs", &texts(&it.globs))
        .u64("depth", it.depth.into());
    if !it.tables.is_empty() {
        let tables: Vec<String> = it.tables.iter().map(table).collect();
        o.raw("tables", &format!("[{}]", tables.join(",")));
    }
    done(o)
}

fn table(it: &Table) -> String {
    let mut o = Object::new();
    o.text("name", &it.name).raw("columns", &texts(&it.columns));
    done(o)
}

fn candidate(it: &Candidate) -> String {
    let (kind, value) = match it {
        Candidate::Environment(it) => {
            let mut o = Object::new();
            o.text("variable", &it.variable)
                .bool("is_list", it.is_list)
                .text("below", &it.below)
                .bool("overrides", it.overrides);
            ("environment", done(o))
        }
        Candidate::Home(path) => ("home", quote(path)),
        Candidate::ConfigHome(path) => ("config_home", quote(path)),
        Candidate::DataHome(path) => ("data_home", quote(path)),
        Candidate::ApplicationSupport(path) => ("application_support", quote(path)),
        Candidate::HypHome(path) => ("hyp_home", quote(path)),
        Candidate::Source(name) => ("source", quote(name)),
    };
    let mut o = Object::new();
    o.raw(kind, &value);
    done(o)
}

fn texts(of: &[String]) -> String {
    format!("[{}]", of.iter().map(|text| quote(text)).collect::<Vec<_>>().join(","))
}

/// Writes a list, one item a line.
fn list<T>(of: &[T], write: impl Fn(&T) -> String) -> String {
    if of.is_empty() {
        return "[]".to_owned();
    }
    let items: Vec<String> = of.iter().map(|item| format!("    {}", write(item))).collect();
    format!("[\n{}\n  ]", items.join(",\n"))
}

fn done(object: Object) -> String {
    object.finish().unwrap_or_else(|| "{}".to_owned())
}
