//! Migrations change what tables look like, and nothing else: rows are derived by runs, which have a plan and an undo.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Where they are, and the list that says in which order they are applied.
const FOLDER: &str = "host/cache/src/migrations";
const LIST: &str = "host/cache/src/migrations.rs";

/// The table of the catalog's own properties, which migrations may work out.
const PROPERTIES: &str = "iceberg_namespace_properties";

/// Returns migrations of another form, that are listed in another order or not at all, or that copy rows.
pub(super) fn problems(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(FOLDER);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, fs::read_to_string(&path)?));
    }
    files.sort();
    let list = fs::read_to_string(root.join(LIST)).context(LIST)?;
    Ok(wrong(&files, &list))
}

fn wrong(files: &[(String, String)], list: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut numbers = Vec::new();
    for (name, sql) in files {
        match number(name) {
            Some(number) if numbers.contains(&number) => {
                problems.push(format!("{FOLDER}/{name}: another one has its number"));
            }
            Some(number) => numbers.push(number),
            None => problems.push(format!("{FOLDER}/{name}: it is not called `NNNN_name.sql`")),
        }
        if copies_rows(sql) {
            problems.push(format!("{FOLDER}/{name}: it copies rows, which is for runs to do"));
        }
    }
    let listed = list.split('"').map(|word| format!("{word}.sql"));
    let listed: Vec<String> = listed.filter(|name| number(name).is_some()).collect();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    if listed != names {
        problems.push(format!("{LIST}: it lists {}, not {}", listed.join(", "), names.join(", ")));
    }
    problems
}

fn number(name: &str) -> Option<&str> {
    let (number, words) = name.strip_suffix(".sql")?.split_once('_')?;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let is_form = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_form && !words.is_empty() && words.bytes().all(is_word)).then_some(number)
}

/// Says whether a statement fills a table with what another one holds. The table itself is none: to change a key, it is
/// renamed, made anew and dropped.
fn copies_rows(sql: &str) -> bool {
    let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join(" ").to_lowercase();
    let statements: Vec<Vec<&str>> =
        code.split(';').map(|statement| statement.split_whitespace().collect()).collect();
    let is_there = |wanted: &[&str]| statements.iter().any(|words| words == wanted);
    statements.iter().any(|words| {
        let ["insert", _, table, rest @ ..] = &words[..] else { return false };
        let is_select = rest.iter().any(|word| ["select", "(select"].contains(word));
        let before = format!("{table}_before");
        let is_itself = rest.ends_with(&["from", &before])
            && is_there(&["alter", "table", table, "rename", "to", &before])
            && is_there(&["drop", "table", &before]);
        is_select && *table != PROPERTIES && !is_itself
    })
}

#[test]
fn numbers_are_unique_all_are_listed_and_none_copies_rows() {
    let file = |name: &str, sql: &str| (name.to_owned(), sql.to_owned());
    let good = [
        file(
            "0001_create.sql",
            "CREATE TABLE a (x); -- insert into a select 1\nINSERT INTO a VALUES (1);",
        ),
        file("0003_more.sql", "ALTER TABLE a ADD COLUMN y;"),
        file(
            "0004_key.sql",
            "ALTER TABLE a RENAME TO a_before; CREATE TABLE a (x PRIMARY KEY);
             INSERT INTO a (x) SELECT x FROM a_before; DROP TABLE a_before;",
        ),
    ];
    let list = "migrations![\"0001_create\", \"0003_more\", \"0004_key\"]";
    assert_eq!(wrong(&good, list), Vec::<String>::new());
    let bad = [
        file("0001_create.sql", ""),
        file("0001_twice.sql", "INSERT INTO b\n  SELECT x FROM b_before; DROP TABLE b_before;"),
        file("2-short.sql", ""),
    ];
    assert_eq!(
        wrong(&bad, "migrations![\"0001_create\"]"),
        [
            "host/cache/src/migrations/0001_twice.sql: another one has its number",
            "host/cache/src/migrations/0001_twice.sql: it copies rows, which is for runs to do",
            "host/cache/src/migrations/2-short.sql: it is not called `NNNN_name.sql`",
            "host/cache/src/migrations.rs: it lists 0001_create.sql, not 0001_create.sql, 0001_twice.sql, 2-short.sql",
        ]
    );
}
