//! Tests of `config`.

use std::fs;

use hyp_model::{Exit, Explain};

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/store/config.toml"))
}

#[test]
fn what_is_left_out_is_at_its_default() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Config::read(folder.path()).unwrap(), Config::default());
    assert_eq!(parse("").unwrap(), Config::default());
    let one = parse("version = 1\n[import]\n[retention]\n[privacy]\n").unwrap();
    assert_eq!((one.import, one.retention), (Import::default(), Retention::default()));
}

#[test]
fn every_setting_is_read() {
    let config = parse(
        "version = 1\n\
         [import]\nclients = [\"codex\", \"claude\"]\nsince = \"2026-01-31T00:00:00Z\"\n\
         [retention]\nai_gateway_messages = 365\n\
         [privacy]\nredact = [\"github-token\"]\n",
    )
    .unwrap();
    assert_eq!(config.privacy.redact, Redact::Kinds(vec!["github-token".to_owned()]));
    assert_eq!(config.import.clients, Some(vec!["codex".to_owned(), "claude".to_owned()]));
    assert_eq!(config.import.since, Some(Moment(1_769_817_600_000_000)));
    assert_eq!(config.retention.ai_gateway_messages, Some(Days(365)));
}

#[test]
fn a_time_may_be_written_without_quotes() {
    for (text, quoted) in [
        ("2026-01-31T00:00:00Z", "\"2026-01-31T00:00:00Z\""),
        ("2026-01-31", "\"2026-01-31\""),
        ("2026-01-31T09:30:00", "\"2026-01-31T09:30:00\""),
    ] {
        let since = |text: &str| parse(&format!("[import]\nsince = {text}\n")).unwrap().import;
        assert!(since(text).since.is_some(), "{text}");
        assert_eq!(since(text), since(quoted), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    #[rustfmt::skip]
    let cases = [
        ("broken",        "[import\n",                           "/store/config.toml:1:8: "),
        ("unknown key",   "version = 1\n\n[import]\n  clint = 1","/store/config.toml:4:3: unknown key `clint`"),
        ("unknown table", "[retentions]\n",                      "/store/config.toml:1:2: unknown key `retentions`"),
        ("wrong type",    "[import]\nclients = \"claude\"\n",    "/store/config.toml:2:11: invalid type"),
        ("no time",       "[import]\nsince = \"soon\"\n",        "/store/config.toml:2:9: `soon` is no time"),
        ("no time",       "[import]\nsince = 7\n",               "/store/config.toml:2:9: expected a time"),
        ("no day",        "[retention]\nai_gateway_messages = 0","/store/config.toml:2:23: expected a number of days"),
        ("no kind",       "[privacy]\nredact = [\"tokens\"]\n",   "/store/config.toml:2:10: `tokens` is no kind of secret"),
        ("no kinds",      "[privacy]\nredact = 1\n",             "/store/config.toml:2:10: expected true, false, or a list"),
        ("twice",         "version = 1\nversion = 1\n",          "/store/config.toml:2:1: duplicate key"),
        ("characters",    "[import]\nclients = [\"é\", 7]\n",    "/store/config.toml:2:17: invalid type"),
    ];
    for (name, text, expected) in cases {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{name}: {error}");
        assert_eq!(error.exit(), Exit::Usage, "{name}");
        assert!(error.help().is_some_and(|help| help.contains("/store/config.toml")), "{name}");
    }
}

#[test]
fn a_newer_file_is_refused_by_its_version_and_not_by_its_keys() {
    let error = parse("# theirs\nversion = 2\n[unheard]\nof = true\n").unwrap_err();
    insta::assert_snapshot!(error, @"/store/config.toml:2:11: version 2 is newer than this hyp, which knows up to 1");
    assert_eq!(error.code(), "hyp::config::newer");
}

fn wishes() -> Wishes {
    Wishes {
        clients: Wish::Is(vec!["codex".to_owned(), "claude".to_owned()]),
        since: Wish::Is("2026-01-31".to_owned()),
        keep_days: Wish::Is(90),
    }
}

#[test]
fn a_new_file_explains_itself_and_says_what_was_wished_for() {
    insta::assert_snapshot!(Wishes::default().fresh(), @r#"
    # Settings of hyp. Every key may be left out, and a flag goes before what stands here.
    # A key that hyp does not know is an error.

    version = 1

    [import]
    # Clients whose history `hyp backfill` imports when none is named.
    # Left out: every client that left history here.
    # clients = ["claude", "codex"]

    # Earliest message to import: a day, or a time such as "2026-01-31T09:00:00Z".
    # Left out: everything.
    # since = "2026-01-31"

    [retention]
    # Days that messages are kept, by their own time.
    # Left out: for ever.
    # ai_gateway_messages = 365

    [privacy]
    # Likely secrets, such as keys and tokens, that are replaced before anything is stored: true, or a list of
    # kinds, as `hyp privacy scan` names them. Left out: what is imported is stored as it was written.
    # redact = true
    "#);
    assert_eq!(parse(&Wishes::default().fresh()).unwrap().import, Import::default());
    let config = parse(&wishes().fresh()).unwrap();
    assert_eq!(config.import.clients, Some(vec!["codex".to_owned(), "claude".to_owned()]));
    assert!(config.import.since.is_some());
    assert_eq!(config.retention.ai_gateway_messages, Some(Days(90)));
}

#[test]
fn a_key_that_is_commented_out_is_a_key_that_there_is() {
    let text = Wishes::default().fresh().replace("# clients =", "clients =");
    let text = text.replace("# since =", "since =").replace("# ai_gateway", "ai_gateway");
    let text = text.replace("# redact", "redact");
    let config = parse(&text).unwrap();
    assert!(config.import.clients.is_some() && config.import.since.is_some());
    assert!(config.retention.ai_gateway_messages.is_some());
    assert_eq!(config.privacy.redact, Redact::Everything);
}

#[test]
fn an_old_file_keeps_its_comments_and_what_nobody_spoke_of() {
    let old = "# mine\nversion = 1\nimport = { since = 2026-01-01 } # short\n";
    let wish = Wishes { keep_days: Wish::Is(7), ..Wishes::default() };
    insta::assert_snapshot!(wish.applied_to(old), @"
    # mine
    version = 1
    import = { since = 2026-01-01 } # short

    [retention]
    ai_gateway_messages = 7
    ");
    assert_eq!(Wishes::default().applied_to(old), old);
    let unset = Wishes { since: Wish::Default, ..wishes() };
    insta::assert_snapshot!(unset.applied_to(old), @r#"
    # mine
    version = 1
    import = { clients = ["codex", "claude"] } # short

    [retention]
    ai_gateway_messages = 90
    "#);
    parse(&unset.applied_to(old)).unwrap();
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone_and_nothing_lies_beside_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = path(folder.path());
    save(&path, "version = 1\n").unwrap();
    save(&path, "version = 1 # again\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "version = 1 # again\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(save(&folder.path().join("no/config.toml"), "").is_err());
}
