//! What is refused before any code of it runs, and what the person is told.

use hyp_model::Explain;
use hyp_plugin::{Host, Limits, LoadError, Source, digest_of};

/// Returns a component that imports and exports empty instances of these names.
fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let mut section = |id: u8, body: Vec<u8>| {
        bytes.push(id);
        bytes.push(u8::try_from(body.len()).unwrap());
        bytes.extend(body);
    };
    let named = |name: &str, what: &[u8]| {
        let mut item = vec![0, u8::try_from(name.len()).unwrap()];
        item.extend(name.as_bytes());
        item.extend(what);
        item
    };
    // One type: an instance without exports. It is imported; an instance of nothing is exported.
    section(7, vec![1, 0x42, 0]);
    for name in imports {
        section(10, [vec![1], named(name, &[5, 0])].concat());
    }
    for name in exports {
        section(5, vec![1, 1, 0]);
        let instance = u8::try_from(imports.len()).unwrap();
        section(11, [vec![1], named(name, &[5, instance, 0])].concat());
    }
    bytes
}

fn refusal(bytes: &[u8]) -> LoadError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.wasm");
    std::fs::write(&path, bytes).unwrap();
    let host = Host::new(None, Limits::default()).unwrap();
    let error = host.load(Source::File { path, digest: digest_of(bytes) }).unwrap_err();
    assert_eq!(host.stats().instantiated, 0, "code may have run: {error}");
    error
}

fn check(bytes: &[u8], code: &str, ending: &str) {
    let error = refusal(bytes);
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().ends_with(ending), "{error}");
    assert!(error.help().is_some(), "{error} has no way out");
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    check(b"", "hyp::plugin::not_a_component", "it.wasm` is not a WebAssembly component");
    check(b"#!/bin/sh\n", "hyp::plugin::not_a_component", "is not a WebAssembly component");
    check(b"\0asm\x01\0\0\0", "hyp::plugin::not_a_component", "is a core module, not a component");
    check(b"\0asm\x0d\0\x01\0garbage", "hyp::plugin::compile", "it.wasm` does not compile");
}

#[test]
fn a_component_of_another_contract_is_refused() {
    let bytes = component(&["hyp:backfill/sink@0.9.0"], &["hyp:backfill/provider@0.9.0"]);
    let ending = "it.wasm` wants hyp:backfill@0.9.0, this host speaks 0.1.2";
    check(&bytes, "hyp::plugin::contract", ending);
}

#[test]
fn a_component_of_another_world_is_refused() {
    let bytes = component(&[], &["hyp:backfill/materializer@0.1.0"]);
    let ending = "is not a provider: it exports `hyp:backfill/materializer@0.1.0`";
    check(&bytes, "hyp::plugin::world", ending);
    check(&component(&[], &[]), "hyp::plugin::world", "it exports nothing");
}

#[test]
fn a_component_that_wants_more_is_refused() {
    let bytes = component(&["acme:net/sockets@1.0.0"], &["hyp:backfill/provider@0.1.0"]);
    let ending = "imports `acme:net/sockets@1.0.0`, which this host does not give to providers";
    check(&bytes, "hyp::plugin::import", ending);
}

#[test]
fn a_provider_without_its_functions_is_refused() {
    let bytes = component(&[], &["hyp:backfill/provider@0.1.0"]);
    check(&bytes, "hyp::plugin::contract", "it.wasm` does not fit hyp:backfill@0.1.2");
}

#[test]
fn bytes_that_were_not_agreed_to_are_refused() {
    let host = Host::new(None, Limits::default()).unwrap();
    let bytes = b"\0asm\x0d\0\x01\0";
    let error = host.load(Source::Bundled { name: "odd", bytes, digest: "00ff" }).unwrap_err();
    assert_eq!(error.code(), "hyp::plugin::digest");
    assert!(error.to_string().ends_with("expected 00ff"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let host = Host::new(None, Limits::default()).unwrap();
    let path = "/nowhere/it.wasm".into();
    let error = host.load(Source::File { path, digest: String::new() }).unwrap_err();
    assert_eq!(error.to_string(), "cannot read provider at `/nowhere/it.wasm`");
}
