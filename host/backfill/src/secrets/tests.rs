//! Tests of `secrets`. What looks like a secret here is put together, so that no scanner finds one in the source.

use super::*;

/// Returns letters that look as if they were chosen by chance.
fn letters(from: &str, count: usize) -> String {
    let from: Vec<char> = from.chars().collect();
    (0..count).map(|at| from[(at * 7 + at / 3 * 5) % from.len()]).collect()
}

const ALL: &str = "aB3cD9eF1gH5iJ7kL2mN8oP4qR6sT0uVwXyZ";
const HEX: &str = "0a1b2c3d4e5f6789";
const UPPER: &str = "A2B3C4D5E6F7GHIJ";

fn examples() -> Vec<(&'static str, String)> {
    let all = |count| letters(ALL, count);
    let key = format!("-----BEGIN RSA {} KEY-----\\n{}\\n", "PRIVATE", all(64));
    vec![
        ("private-key", format!("{key}-----END RSA {} KEY-----", "PRIVATE")),
        ("age-key", format!("AGE-SECRET-{}-1{}", "KEY", letters(UPPER, 58))),
        ("anthropic-key", format!("sk-{}-api03-{}", "ant", all(90))),
        ("openai-key", format!("sk-{}-{}", "proj", all(48))),
        ("openrouter-key", format!("sk-{}-v1-{}", "or", letters(HEX, 64))),
        ("google-api-key", format!("AI{}{}", "za", all(35))),
        ("google-oauth", format!("GOC{}-{}", "SPX", all(28))),
        ("aws-access-key", format!("AK{}{}", "IA", letters(UPPER, 16))),
        ("azure-storage-key", format!("{}==", all(86))),
        ("github-token", format!("gh{}_{}", "p", all(36))),
        ("gitlab-token", format!("gl{}-{}", "pat", all(20))),
        ("npm-token", format!("np{}_{}", "m", all(36))),
        ("pypi-token", format!("pypi-{}{}", "AgEI", all(60))),
        ("crates-io-token", format!("ci{}{}", "o", all(32))),
        ("hugging-face-token", format!("h{}_{}", "f", letters("abcdEFGHijkl", 34))),
        ("slack-token", format!("xo{}-{}", "xb", all(24))),
        ("telegram-token", format!("123456789:A{}{}", "A", all(33))),
        ("stripe-key", format!("sk_{}_{}", "live", all(24))),
        ("sendgrid-key", format!("S{}.{}.{}", "G", all(22), all(43))),
        ("shopify-token", format!("shp{}_{}", "at", letters(HEX, 32))),
        ("digitalocean-token", format!("do{}_v1_{}", "p", letters(HEX, 64))),
        ("linear-key", format!("lin_{}_{}", "api", all(40))),
        ("notion-token", format!("nt{}_{}", "n", all(46))),
        ("vault-token", format!("hv{}.{}", "s", all(30))),
        (
            "json-web-token",
            format!(
                "ey{}.ey{}.{}",
                all(20).replacen('a', "J", 1),
                all(20).replacen('a', "J", 1),
                all(30)
            ),
        ),
    ]
}

#[test]
fn a_secret_is_replaced_and_nothing_around_it() {
    let secrets = Secrets::all();
    for (kind, secret) in examples() {
        let before = if kind == "azure-storage-key" { "AccountKey=" } else { "is " };
        let text = format!("it {before}{secret} here");
        let expect = format!("it {before}[redacted:{kind}] here");
        assert_eq!(secrets.redacted(&text).as_deref(), Some(expect.as_str()), "{kind}: {text}");
    }
}

#[test]
fn what_stands_behind_a_telling_word_is_replaced_in_texts_and_in_json() {
    let secrets = Secrets::all();
    let value = letters(ALL, 40);
    #[rustfmt::skip]
    let cases = [
        ("postgres://me:VALUE@host/db",                  "password-in-url"),
        ("Authorization: Bearer VALUE",                  "authorization"),
        (r#"{"h":"{\"authorization\":\"Basic VALUE\"}"}"#, "authorization"),
        ("AWS_SECRET_ACCESS_KEY=VALUE",                  "aws-secret-key"),
        ("API_KEY='VALUE'",                              "assigned"),
        (r#"{"password":"VALUE"}"#,                      "assigned"),
        (r#"{"a":"{\"client_secret\":\"VALUE\"}"}"#,     "assigned"),
    ];
    for (text, kind) in cases {
        let told = secrets.redacted(&text.replace("VALUE", &value)).unwrap_or_default();
        assert_eq!(told, text.replace("VALUE", &format!("[redacted:{kind}]")));
        if text.starts_with('{') {
            serde_json::from_str::<serde_json::Value>(&told).unwrap();
        }
    }
}

#[test]
fn what_is_no_secret_is_left_alone() {
    let secrets = Secrets::all();
    let texts = [
        "the password = my own business",
        "password: hunter2",
        "api_key = os.environ.get_all",
        "secret: aaaaaaaaaaaaaaaa1",
        "https://example.com:8080/path@2",
        "postgres://user:$PASSWORD@host/db",
        "task-proj-0123",
        "commit 0a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    ];
    for text in texts {
        let found: Vec<_> = secrets.find(text).collect();
        assert_eq!(found, [], "{text}");
    }
}

#[test]
fn only_the_kinds_that_are_asked_for_are_found() {
    let github = format!("gh{}_{}", "p", letters(ALL, 36));
    let only = Secrets::of(&["github-token".to_owned()]).unwrap();
    assert!(only.redacted(&github).is_some());
    let other = Secrets::of(&["npm-token".to_owned()]).unwrap();
    assert!(other.redacted(&github).is_none() && other.digest() != only.digest());
    assert!(Secrets::of(&[]).unwrap().redacted(&github).is_none());
    assert_eq!(Secrets::of(&["tokens".to_owned()]).unwrap_err(), "tokens");
}
