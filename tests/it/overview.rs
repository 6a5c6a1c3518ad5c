//! What the store holds, on one screen.

use std::fs;

use serde_json::json;

use crate::lines::Claude;
use crate::sandbox::Sandbox;

const SESSION: &str = "11111111-0000-4000-8000-000000000001";

fn imported() -> Sandbox {
    let sandbox = Sandbox::with("sample");
    sandbox.import([]);
    sandbox
}

#[test]
fn the_screen_is_80_columns_wide_and_has_no_escapes_in_a_pipe() {
    let sandbox = imported();
    let output = sandbox.hyp(["query", "overview"]);
    assert_eq!(output.status, Some(0), "{output}");
    let widths: Vec<usize> = output.stdout.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|width| *width <= 80), "{widths:?}\n{output}");
    assert!(!output.stdout.contains('\u{1b}'));
    for word in
        ["OVERVIEW  2026-04-18 to 2026-11-05, days of UTC", "claude", "gpt-5-codex", "Bash 3"]
    {
        assert!(output.stdout.contains(word), "{word}: {output}");
    }
}

#[test]
fn the_figures_are_those_that_sql_gives() {
    let sandbox = imported();
    let overview = sandbox.hyp(["query", "overview", "--json"]).json();
    let sum = |filter: &str| {
        let sql = format!(
            "select sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) \
             + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)) \
             from messages {filter}"
        );
        sandbox.rows(&sql)[0].parse::<u64>().unwrap()
    };
    assert_eq!(overview["usage"]["total_tokens"], sum(""));
    for client in overview["clients"].as_array().unwrap() {
        let name = client["name"].as_str().unwrap();
        assert_eq!(client["total_tokens"], sum(&format!("where client_name = '{name}'")));
    }
    let days = overview["days"].as_array().unwrap();
    let of_days: u64 = days.iter().map(|day| day["total_tokens"].as_u64().unwrap()).sum();
    assert_eq!(of_days, sum(""));
    assert_eq!(overview["sessions"], 5);

    let count = |sql: &str| sandbox.rows(sql)[0].parse::<u64>().unwrap();
    let messages = count("select count(distinct message_id) from messages");
    assert_eq!(overview["messages"], messages);
    let of_hours = overview["hours_of_week"].as_array().unwrap().iter().flat_map(|day| {
        assert_eq!(day.as_array().unwrap().len(), 24);
        day.as_array().unwrap().iter().map(|hour| hour.as_u64().unwrap())
    });
    assert_eq!(of_hours.sum::<u64>(), messages);
    let longest = &overview["longest_sessions"][0];
    let id = longest["session_id"].as_str().unwrap();
    assert_eq!(
        longest["messages"],
        count(&format!(
            "select count(distinct message_id) from messages where session_id = '{id}'"
        ))
    );

    let one = sandbox.hyp(["query", "overview", "--json", "--since", "2026-11-05"]).json();
    assert_eq!(one["usage"]["total_tokens"], sum("where date = '2026-11-05'"));
    assert_eq!(one["days"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_counted_can_be_narrowed_and_that_is_told() {
    let sandbox = imported();
    let messages = |filter: &str| {
        let sql = format!("select count(distinct message_id) from messages where {filter}");
        sandbox.rows(&sql)[0].parse::<u64>().unwrap()
    };
    let only = |flags: &[&str]| {
        let args = ["query", "overview", "--json"].iter().chain(flags).copied();
        sandbox.hyp(args).json()["messages"].as_u64().unwrap()
    };
    assert_eq!(only(&["--client", "codex"]), messages("client_name = 'codex'"));
    assert_eq!(only(&["--repo", "Weather"]), messages("cwd like '%weather%'"));
    assert_eq!(
        only(&["--repo", "weather", "--client", "codex"]),
        messages("cwd like '%weather%' and client_name = 'codex'")
    );
    assert_eq!(only(&["--repo", "nowhere"]), 0);
    let shown = sandbox.hyp(["query", "overview", "--client", "codex", "--since", "2026-01-01"]);
    assert!(shown.stdout.contains("\n  only: since 2026-01-01, client codex\n"), "{shown}");
}

#[test]
fn a_session_is_named_by_the_first_prompt_however_much_the_client_put_before_it() {
    let sandbox = Sandbox::new();
    let mut session = Claude::new(SESSION);
    for n in 0..9 {
        session = session.says(&format!("u-{n}"), &format!("<command-name>/c{n}</command-name>"));
    }
    session.says("u-9", "How high is the tide?").write(&sandbox);
    sandbox.import([]);
    let overview = sandbox.hyp(["query", "overview", "--json"]).json();
    assert_eq!(overview["longest_sessions"][0]["title"], "How high is the tide?");
}

#[test]
fn a_day_is_one_of_the_zone_that_is_asked_for() {
    let sandbox = Sandbox::new();
    Claude::new(SESSION)
        .at(50)
        .answers("a-1", "msg_01LateInTheEvening", "Nine.", 7)
        .write(&sandbox);
    sandbox.import([]);
    let day = |zone: &str| {
        let overview = sandbox.hyp(["query", "overview", "--json", "--timezone", zone]).json();
        assert_eq!(overview["timezone"], format!("UTC{zone}"));
        overview["days"][0]["day"].clone()
    };
    // It was said at 19:50 UTC on 2 October.
    assert_eq!(day("+02:00"), "2026-10-02");
    assert_eq!(day("+05:30"), "2026-10-03");
    let wrong = sandbox.hyp(["query", "overview", "--timezone", "Atlantis"]);
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.stderr.starts_with("hyp query overview: --timezone expects"), "{wrong}");
}

#[test]
fn with_prices_tokens_are_money() {
    let sandbox = Sandbox::new();
    Claude::new(SESSION).answers("a-1", "msg_01AnswerOfOneBlock", "Nine.", 7).write(&sandbox);
    sandbox.import([]);
    let file = sandbox.beside("prices.toml");
    let name = file.to_str().unwrap();
    let ask = |prices: &str| {
        fs::write(&file, prices).unwrap();
        sandbox.hyp(["query", "overview", "--json", "--prices", name])
    };
    let priced =
        ask("[\"claude-sonnet-*\"]\ninput = 1000\noutput = 100000\ncache_read = 100\n").json();
    // 10 tokens in, 7 out, 100 from the cache.
    assert_eq!(priced["usage"]["cost_usd"], json!(0.01 + 0.7 + 0.01));
    assert_eq!(priced["unpriced_tokens"], 0);
    let unpriced = ask("[other]\ninput = 1\n").json();
    assert_eq!(unpriced["usage"].get("cost_usd"), None);
    assert_eq!(unpriced["unpriced_tokens"], 117);
    let wrong = ask("[other]\nouput = 1\n");
    assert_eq!(wrong.status, Some(2));
    assert!(
        wrong.stderr.contains("is no file of prices: line 2: unknown field `ouput`"),
        "{wrong}"
    );
}

#[test]
fn an_empty_store_says_what_to_run() {
    let sandbox = Sandbox::new();
    let output = sandbox.hyp(["query", "overview"]);
    assert_eq!(output.status, Some(0));
    assert_eq!(
        output.stdout,
        "Nothing is stored for that yet: `hyp backfill` imports the history on this machine\n"
    );
    assert!(!sandbox.store().exists(), "looking makes no store");
    assert_eq!(sandbox.hyp(["query", "overview", "--json"]).json()["messages"], 0);
}
