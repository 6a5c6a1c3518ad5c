//! The page of charts: what it says, and that it does nothing else.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::lines::Claude;
use crate::sandbox::{Output, Sandbox};

const SESSION: &str = "11111111-0000-4000-8000-000000000001";

/// What somebody might say to take over the page: end its script, leave an attribute, turn the text around.
const HOSTILE: &str = "Say \u{202e}abc\u{2066}\u{1b}[31m </script><script>alert(1)</script> \" onload=\"x <img src=a>";

fn imported() -> Sandbox {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox
}

/// Makes the page with flags, and returns it.
fn page(sandbox: &Sandbox, flags: &[&str]) -> String {
    let path = sandbox.beside("page.html");
    let name = path.to_str().unwrap();
    let output = sandbox.hyp(["report", "-o", name].iter().chain(flags).copied());
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(output.stdout, "");
    fs::read_to_string(path).unwrap()
}

/// Returns what stands between two texts, as often as it does.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let after = text.split(start).skip(1);
    after.map(|rest| rest.split_once(end).unwrap().0).collect()
}

/// Returns the rows of the table with this label, by the texts of their cells.
fn table(page: &str, label: &str) -> Vec<Vec<String>> {
    let table = between(page, &format!("aria-label=\"{label}\""), "</table>")[0];
    let body = between(table, "<tbody", "</tbody>")[0];
    let cell = |cell: &str| {
        let inner = cell.split_once('>').unwrap().1;
        let words: String = inner
            .split('<')
            .enumerate()
            .map(|(at, piece)| if at == 0 { piece } else { piece.split_once('>').unwrap().1 })
            .collect();
        words.trim().to_owned()
    };
    between(body, "<tr", "</tr>")
        .into_iter()
        .map(|row| {
            let cells = row.replace("</td>", "</th>").replace("<td", "<th");
            between(&cells, "<th", "</th>").into_iter().map(cell).collect()
        })
        .collect()
}

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

fn sum(rows: &[Vec<String>], column: usize) -> u64 {
    rows.iter().map(|row| number(&row[column])).sum()
}

#[test]
fn the_page_may_do_nothing_but_run_what_it_holds() {
    let page = page(&imported(), &[]);
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"")[0];
    let hash = |tag: &str| {
        let inner = between(&page, &format!("<{tag}>"), &format!("</{tag}>"));
        assert_eq!(inner.len(), 1, "one {tag}");
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inner[0])))
    };
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
            hash("style"),
            hash("script")
        )
    );
    let first = |text: &str| page.find(text).unwrap();
    assert!(
        first("Content-Security-Policy") < first("<style"),
        "the policy comes before what it is for"
    );
    for source in
        ["src=", "@import", "url(", "<link", "<iframe", "<base", "style=", " onclick", " onload"]
    {
        assert!(!page.contains(source), "{source}");
    }
    for target in between(&page, "href=\"", "\"") {
        let id = target.strip_prefix('#').unwrap_or_else(|| panic!("leads elsewhere: {target}"));
        assert!(page.contains(&format!("id=\"{id}\"")), "{target}");
    }
}

#[test]
fn what_was_said_is_text_and_nothing_else() {
    let sandbox = Sandbox::new();
    Claude::new(SESSION)
        .says("u-1", HOSTILE)
        .answers("a-1", "msg_01AnswersTheQuestion", "Nine.", 7)
        .write(&sandbox);
    sandbox.import([]);
    let page = page(&sandbox, &["--repo", "tide"]);
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    assert_eq!(page.matches("</script").count(), 1);
    assert!(!page.contains("<img"));
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"), "{page}");
    let is_wrong = |c: &char| c.is_control() && *c != '\n' || "\u{202e}\u{2066}".contains(*c);
    assert_eq!(page.chars().find(is_wrong), None);
    assert!(page.contains("\\u{202e}abc"), "what would turn the text is spelled out");
    let wrong = sandbox.hyp(["report", "--repo", HOSTILE]);
    assert_eq!(wrong.status, Some(1));
    assert!(!wrong.stderr.contains('\u{1b}'), "{wrong}");
}

#[test]
fn its_numbers_are_those_of_the_overview() {
    let sandbox = imported();
    for flags in [&[][..], &["--client", "codex"], &["--timezone", "+05:30"]] {
        let args = ["query", "overview", "--json"].iter().chain(flags).copied();
        let overview = sandbox.hyp(args).json();
        let page = page(&sandbox, flags);
        let time = table(&page, "Tokens per week");
        assert!(!time.is_empty(), "{flags:?}");
        assert_eq!(sum(&time, 1), overview["messages"], "{flags:?}");
        assert_eq!(sum(&time, 2), overview["usage"]["total_tokens"], "{flags:?}");
        let models: u64 = (3..time[0].len()).map(|column| sum(&time, column)).sum();
        assert_eq!(models, overview["usage"]["total_tokens"], "the models add up, {flags:?}");

        let cache = table(&page, "Cache: what models were given, per week");
        let tokens = &overview["usage"]["tokens"];
        for (column, name) in [(3, "cache_read"), (4, "cache_write"), (5, "input")] {
            assert_eq!(sum(&cache, column), tokens[name], "{name} {flags:?}");
        }

        let hours = table(&page, "Messages by hour and day of the week");
        for day in 0..7 {
            for (hour, row) in hours.iter().enumerate() {
                assert_eq!(number(&row[day + 1]), overview["hours_of_week"][day][hour]);
            }
        }

        let names = |list: &str| -> Vec<String> {
            let list = overview[list].as_array().unwrap();
            list.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        let first = |label: &str| -> Vec<String> {
            table(&page, label).iter().map(|row| row[0].clone()).collect()
        };
        assert_eq!(first("Model, tokens"), names("models"));
        assert_eq!(first("Repository, tokens"), names("repositories"));
        assert_eq!(first("Tool, calls"), names("tools"));
        assert_eq!(table(&page, "Sessions").len() as u64, overview["sessions"]);
    }
}

#[test]
fn sessions_are_there_newest_first_without_the_script() {
    let sandbox = imported();
    let page = page(&sandbox, &[]);
    let list = table(&page, "Sessions");
    let times: Vec<&str> = list.iter().map(|row| row[0].as_str()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    assert!(
        list.iter().any(|row| row[1].starts_with("Rain gauge reports negative values")),
        "{list:?}"
    );
    let rows = between(&page, "id=\"list\"", "</table>")[0];
    assert!(!rows.contains("hidden"), "the script hides, the page does not");
}

#[test]
fn an_anonymous_page_names_no_session_and_no_folder() {
    let page = page(&imported(), &["--anonymous", "--repo", "ada"]);
    for word in ["ada", "tide", "weather", "Rain gauge", "eed2879d", "id=\"sessions\""] {
        assert!(!page.contains(word), "{word}");
    }
    let repositories = table(&page, "Repository, tokens");
    assert_eq!(repositories[0][0], "repository 1");
}

#[test]
fn money_is_there_where_there_are_prices() {
    let sandbox = imported();
    let file = sandbox.beside("prices.toml");
    fs::write(&file, "[\"claude-*\"]\noutput = 1000\n").unwrap();
    let flags = ["--prices", file.to_str().unwrap()];
    let args = ["query", "overview", "--json"].iter().chain(&flags).copied();
    let overview = sandbox.hyp(args).json();
    let cost = format!("${:.2}", overview["usage"]["cost_usd"].as_f64().unwrap());
    let page = page(&sandbox, &flags);
    assert!(page.contains(&format!("<dt>Cost</dt><dd>{cost}</dd>")), "{cost}");
    assert!(page.contains(" tokens are of models without a price."));
}

#[test]
fn where_nothing_is_stored_there_is_no_page() {
    let sandbox = Sandbox::new();
    let path = sandbox.beside("page.html");
    let ask = |sandbox: &Sandbox, flags: &[&str]| -> Output {
        let args = ["report", "-o", path.to_str().unwrap()];
        sandbox.hyp(args.iter().chain(flags).copied())
    };
    insta::assert_snapshot!(ask(&sandbox, &[]), @r"
    exit: 1
    -- stderr
    hyp report: nothing is stored yet; `hyp backfill` imports the history on this machine
    ");
    assert!(!path.exists());
    let sandbox = imported();
    insta::assert_snapshot!(ask(&sandbox, &["--repo", "nowhere"]), @r"
    exit: 1
    -- stderr
    hyp report: nothing is stored of that: repository nowhere; `hyp query overview` shows what is
    ");
    assert!(!path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn only_its_owner_may_read_it_and_a_browser_opens_it() {
    use std::os::unix::fs::PermissionsExt;

    let mut sandbox = imported();
    let bin = sandbox.beside("bin");
    fs::create_dir(&bin).unwrap();
    sandbox.set("PATH", bin.to_str().unwrap());
    let path = sandbox.beside("page.html");
    let open = |sandbox: &Sandbox| sandbox.hyp(["report", "--open", "-o", path.to_str().unwrap()]);
    let none = open(&sandbox);
    assert_eq!(none.status, Some(1), "{none}");
    assert!(none.stderr.contains("help: the page is written; open "), "{none}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let opener = bin.join("xdg-open");
    fs::write(&opener, "#!/bin/sh\necho \"$1\" > \"$0.told\"\n").unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let opened = open(&sandbox);
    assert_eq!(opened.status, Some(0), "{opened}");
    let told = fs::read_to_string(bin.join("xdg-open.told")).unwrap();
    assert_eq!(told.trim_end(), path.to_str().unwrap());
}
