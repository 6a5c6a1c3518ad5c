//! Components that are fetched: what is taken, what is refused, and who asks at all.

use std::fs;
use std::net::TcpListener;

use serde_json::json;

use crate::forge::stamped;
use crate::sandbox::{Output, Sandbox, guest};
use crate::server::{Reply, Server, digest};

fn good() -> Vec<u8> {
    fs::read(guest("good")).unwrap()
}

/// Returns the same component with other bytes, as another build of it has.
fn another(build: &str) -> Vec<u8> {
    stamped(&good(), build)
}

fn install(sandbox: &Sandbox, source: &str) -> Output {
    sandbox.hyp(["plugin", "install", source, "--yes"])
}

/// Checks that a source is refused in one line with a way out, and that nothing is written.
fn refused(source: &str, status: i32, line: &str) {
    let sandbox = Sandbox::new();
    let output = install(&sandbox, source);
    assert_eq!(output.status, Some(status), "{output}");
    let found = output.stderr.lines().find(|found| found.starts_with("error: "));
    assert!(found.is_some_and(|found| found.contains(line)), "{line}\n{output}");
    assert!(output.stderr.lines().any(|line| line.starts_with("  help: ")), "{output}");
    assert!(!sandbox.store().exists(), "{source}: something was written");
}

fn lock(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.store().join("plugins.lock")).unwrap()
}

#[test]
fn a_component_comes_from_an_address_and_is_fetched_again_by_update() {
    let server = Server::start();
    server.put("/moved.wasm", Reply::empty("302 Found", "location", "/files/good.wasm"));
    server.put("/files/good.wasm", Reply::ok("application/wasm", &good()));
    let sandbox = Sandbox::new();
    let source = server.at("/moved.wasm");
    let told = install(&sandbox, &source);
    assert_eq!(told.status, Some(0), "{told}");
    assert!(told.stderr.contains(&format!("from      {source}")), "{told}");
    assert!(lock(&sandbox).contains(&source), "{}", lock(&sandbox));

    let same = sandbox.hyp(["plugin", "update"]);
    assert_eq!(same.status, Some(0), "{same}");
    assert!(same.stderr.contains("good 0.1.0 is what is there"), "{same}");

    let newer = another("2");
    server.put("/files/good.wasm", Reply::ok("application/wasm", &newer));
    let told = sandbox.hyp(["plugin", "update", "good"]);
    assert_eq!(told.status, Some(0), "who reads no more is not asked about again: {told}");
    assert!(told.stderr.contains("updated good"), "{told}");
    assert_eq!(fs::read(sandbox.store().join("plugins/good.wasm")).unwrap(), newer);
    assert_eq!(sandbox.hyp(["plugin", "verify"]).status, Some(0));
}

#[test]
fn what_a_server_answers_instead_of_a_component_is_told_in_one_line() {
    let server = Server::start();
    let put = |path: &str, reply: Reply| server.put(path, reply);
    put("/page", Reply::ok("text/html; charset=utf-8", b"<!doctype html><title>Sign in</title>"));
    put("/silent-page", Reply::ok("application/octet-stream", b"\n <html></html>"));
    put("/text", Reply::ok("text/plain", b"not here"));
    let mut huge = Reply::ok("application/wasm", b"");
    huge.headers = vec![("content-length", "99999999".to_owned())];
    put("/huge", huge);
    let mut endless = Reply::ok("application/wasm", &vec![0; (64 << 20) + 1]);
    endless.headers.retain(|(name, _)| *name != "content-length");
    put("/endless", endless);
    let mut cut = Reply::ok("application/wasm", &good());
    cut.body.truncate(1000);
    put("/cut", cut);
    put("/private", Reply::empty("401 Unauthorized", "www-authenticate", "Basic realm=\"x\""));
    put("/circle", Reply::empty("301 Moved Permanently", "location", "/circle"));
    let elsewhere = server.at("/good.wasm").replace("127.0.0.1", "localhost");
    put("/elsewhere", Reply::empty("302 Found", "location", &elsewhere));
    put("/file", Reply::empty("302 Found", "location", "file:///etc/passwd"));

    #[rustfmt::skip]
    let cases = [
        ("/page",        "is a web page, not a component"),
        ("/silent-page", "is a web page, not a component"),
        ("/text",        "is not a WebAssembly component"),
        ("/huge",        "has more than 64 MiB"),
        ("/endless",     "has more than 64 MiB"),
        ("/cut",         "cannot fetch"),
        ("/private",     "the server answered 401"),
        ("/nowhere",     "the server answered 404"),
        ("/circle",      "it redirects more than 5 times"),
        ("/elsewhere",   "which is another server"),
        ("/file",        "redirects to `file:///etc/passwd`, which is no web address"),
    ];
    for (path, line) in cases {
        refused(&server.at(path), 1, line);
    }
    assert!(!server.asked().iter().any(|asked| asked.contains("/good.wasm")), "it was followed");
}

#[test]
fn a_server_that_is_down_is_told_in_one_line_and_holds_up_no_other_update() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refused(&format!("http://{port}/good.wasm"), 1, "cannot fetch `http://127.0.0.1:");
    refused(&format!("oci://{port}/good:1"), 1, "cannot fetch `http://127.0.0.1:");

    let sandbox = Sandbox::new();
    let local = sandbox.beside("local.wasm");
    fs::copy(guest("trap"), &local).unwrap();
    assert_eq!(install(&sandbox, local.to_str().unwrap()).status, Some(0));
    let server = Server::start();
    server.put("/good.wasm", Reply::ok("application/wasm", &good()));
    assert_eq!(install(&sandbox, &server.at("/good.wasm")).status, Some(0));
    drop(server);
    let told = sandbox.hyp(["plugin", "update"]);
    assert_eq!(told.status, Some(1), "{told}");
    assert!(told.stderr.contains("cannot fetch"), "{told}");
    assert!(told.stderr.contains("trap 0.1.0 is what is there"), "{told}");
}

#[test]
fn an_address_that_others_could_change_or_read_is_not_asked() {
    for (source, line) in [
        ("http://192.0.2.1/good.wasm", "is not encrypted"),
        ("https://me:secret@192.0.2.1/good.wasm", "it holds a password"),
        ("oci://me:secret@192.0.2.1/good:1", "it holds a password"),
        ("oci://192.0.2.1/good", "it names neither a tag nor a digest"),
    ] {
        refused(source, 2, line);
    }
}

#[test]
fn a_component_comes_from_a_registry_and_a_tag_that_moved_is_shown() {
    let server = Server::start();
    server.push("me/good", "1", &good());
    let sandbox = Sandbox::new();
    let source = format!("oci://{}/me/good:1", server.host());
    let told = install(&sandbox, &source);
    assert_eq!(told.status, Some(0), "{told}");
    assert!(lock(&sandbox).contains(&source));

    server.push("me/good", "1", &another("moved"));
    assert_eq!(sandbox.hyp(["plugin", "verify"]).status, Some(0), "a tag changes no file here");
    let told = sandbox.hyp(["plugin", "update"]);
    assert_eq!(told.status, Some(0), "{told}");
    for line in [
        format!("  had       {}", digest(&good())),
        format!("  is now    {}", digest(&another("moved"))),
        "  beware    it has other contents under the same version".to_owned(),
    ] {
        assert!(told.stderr.lines().any(|found| found == line), "{line}\n{told}");
    }
}

#[test]
fn an_artifact_that_is_named_by_its_digest_never_changes() {
    let server = Server::start();
    let manifest = server.push("good", "1", &good());
    let pinned = digest(manifest.as_bytes());
    let sandbox = Sandbox::new();
    let source = format!("oci://{}/good@{pinned}", server.host());
    assert_eq!(install(&sandbox, &source).status, Some(0));
    // A registry that sends something else for the digest is found out.
    let other = server.push("good", "2", &another("x"));
    let lie = Reply::ok("application/vnd.oci.image.manifest.v1+json", other.as_bytes());
    server.put(&format!("/v2/good/manifests/{pinned}"), lie);
    let told = sandbox.hyp(["plugin", "update"]);
    assert_eq!(told.status, Some(1), "{told}");
    assert!(told.stderr.contains("the registry sent sha256:"), "{told}");
    assert_eq!(fs::read(sandbox.store().join("plugins/good.wasm")).unwrap(), good());
}

#[test]
fn what_a_registry_has_that_is_no_component_is_told_in_one_line() {
    let server = Server::start();
    let host = server.host();
    let wasm = json!({ "mediaType": "application/wasm", "digest": digest(b"x"), "size": 1 });
    let config = json!({ "mediaType": "application/vnd.wasm.config.v0+json", "digest": digest(b"{}"), "size": 2 });
    let huge =
        json!({ "mediaType": "application/wasm", "digest": digest(b"x"), "size": 1_u64 << 40 });
    let image = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(b"{}"), "size": 2 });
    let index = "application/vnd.oci.image.index.v1+json";
    #[rustfmt::skip]
    let cases = [
        ("image",  json!({ "config": image, "layers": [wasm] }),          "its config is of type application/vnd.oci.image.config.v1+json"),
        ("index",  json!({ "mediaType": index, "manifests": [] }),        "it is of type application/vnd.oci.image.index.v1+json"),
        ("none",   json!({ "config": config, "layers": [] }),             "it has 0 layers"),
        ("two",    json!({ "config": config, "layers": [wasm, wasm] }),   "it has 2 layers"),
        ("huge",   json!({ "config": config, "layers": [huge] }),         "has more than 64 MiB"),
        ("lie",    json!({ "config": config, "layers": [wasm] }),         "the registry sent sha256:"),
        ("null",   json!(null),                                           "the registry's answer is no manifest"),
    ];
    let blob = format!("/v2/it/blobs/{}", digest(b"x"));
    server.put(&blob, Reply::ok("application/octet-stream", b"y"));
    for (tag, manifest, line) in cases {
        server.put_manifest("it", tag, &manifest.to_string());
        refused(&format!("oci://{host}/it:{tag}"), 1, line);
    }
    refused(&format!("oci://{host}/it:nowhere"), 1, "the server answered 404");
}

#[test]
fn a_registry_that_wants_a_token_of_anybody_is_asked_for_one() {
    let server = Server::start();
    server.push("me/good", "1", &good());
    let host = server.host();
    let challenge = format!(
        "Bearer realm=\"http://{host}/token\",service=\"it\",scope=\"repository:me/good:pull\""
    );
    server.put(
        "/v2/me/good/manifests/1",
        Reply::empty("401 Unauthorized", "www-authenticate", &challenge),
    );
    // This registry says no even to who has a token, so that the test sees what was sent.
    let path = "/token?service=it&scope=repository%3Ame%2Fgood%3Apull";
    server.put(path, Reply::ok("application/json", br#"{"token":"of-anybody"}"#));
    refused(&format!("oci://{host}/me/good:1"), 1, "the server answered 401");
    let asked = server.asked();
    let has_token: Vec<bool> =
        asked.iter().map(|asked| asked.contains("authorization: Bearer of-anybody")).collect();
    assert_eq!(has_token, [false, false, true], "{asked:#?}");
}

#[test]
fn nothing_but_install_and_update_opens_a_socket() {
    let server = Server::start();
    server.put("/good.wasm", Reply::ok("application/wasm", &good()));
    let sandbox = Sandbox::with("claude-one-turn");
    let source = server.at("/good.wasm");
    assert_eq!(install(&sandbox, &source).status, Some(0));
    let before = server.asked().len();
    for args in [
        &["backfill"][..],
        &["backfill", "plan"],
        &["backfill", "list"],
        &["plugin", "list"],
        &["plugin", "verify"],
        &["plugin", "disable", "good"],
        &["query", "sql", "select count(*) from messages"],
        &["status"],
        &["doctor"],
        &["plugin", "remove", "good"],
    ] {
        let output = sandbox.hyp(args.iter().copied());
        assert!(output.status.is_some_and(|status| status < 2), "{args:?}: {output}");
    }
    for args in [
        &["plugin", "inspect"][..],
        &["plugin", "run", "--on", "."],
        &["plugin", "test", "--cases", "."],
        &["plugin", "bench", "--on", "."],
    ] {
        let output = sandbox.hyp(args.iter().copied().chain([source.as_str()]));
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains("only install and update fetch"), "{output}");
    }
    assert_eq!(server.asked().len(), before, "{:#?}", server.asked());
}
