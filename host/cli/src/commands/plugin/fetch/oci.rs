//! Artifacts of an OCI registry: a manifest that names one component, and the component.
//!
//! The convention is that of the wasm artifact: config `application/vnd.wasm.config.v0+json`, one layer
//! `application/wasm`. A registry that wants a token of everybody is asked for one; passwords are not known here.

use std::fmt::{self, Write};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use super::web::{Answer, Ask, Web, is_here, parse};
use super::{FetchError, LIMIT};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";

/// Bytes that a manifest or a token may have.
const SMALL: u64 = 1 << 20;

/// `oci://HOST/REPOSITORY:TAG`, or `@sha256:…` in place of the tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    text: String,
    host: String,
    repository: String,
    /// A tag, or a digest.
    version: String,
}

impl Reference {
    pub(super) fn parse(text: &str) -> Result<Self, FetchError> {
        let refused = |reason: &str| FetchError::Address {
            address: text.to_owned(),
            reason: reason.to_owned(),
        };
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        let (host, rest) = rest.split_once('/').ok_or_else(|| refused("it names no repository"))?;
        if host.contains('@') {
            return Err(refused("it holds a password, which would be kept in plugins.lock"));
        }
        let (repository, version) = match (rest.split_once('@'), rest.split_once(':')) {
            (Some((name, digest)), _) => {
                // A tag beside a digest says nothing that the digest does not.
                (name.split_once(':').map_or(name, |(name, _)| name), digest)
            }
            (None, Some((name, tag))) => (name, tag),
            (None, None) => return Err(refused("it names neither a tag nor a digest")),
        };
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_part = |part: &str| {
            part.bytes().all(|byte| is_name(byte) || b"._-".contains(&byte))
                && part.bytes().next().is_some_and(is_name)
                && part.bytes().last().is_some_and(is_name)
        };
        if !repository.split('/').all(is_part) {
            return Err(refused(
                "a repository has lower case letters, digits and `._-/` in its name",
            ));
        }
        let is_tag = !version.is_empty()
            && version.len() <= 128
            && !version.starts_with(['.', '-'])
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !(is_tag || digest_in(version).is_some()) {
            return Err(refused("its tag or digest is none"));
        }
        Ok(Self {
            text: text.to_owned(),
            host: host.to_owned(),
            repository: repository.to_owned(),
            version: version.to_owned(),
        })
    }

    /// Returns an address of the repository in the registry.
    fn url(&self, below: fmt::Arguments<'_>) -> Result<Url, FetchError> {
        let address = |scheme| format!("{scheme}://{}/v2/{}/{below}", self.host, self.repository);
        let url = parse(&address("https")).map_err(|error| match error {
            FetchError::Address { reason, .. } => {
                FetchError::Address { address: self.text.clone(), reason }
            }
            error => error,
        })?;
        if is_here(&url) { parse(&address("http")) } else { Ok(url) }
    }

    fn artifact(&self, reason: impl Into<String>) -> FetchError {
        FetchError::Artifact { reference: self.text.clone(), reason: reason.into() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<Described>,
    #[serde(default)]
    layers: Vec<Described>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    media_type: String,
    digest: String,
    size: u64,
}

/// Brings the component that a reference names.
pub(super) fn pull(web: &Web, reference: &Reference) -> Result<Vec<u8>, FetchError> {
    let url = reference.url(format_args!("manifests/{}", reference.version))?;
    let ask = Ask { url: &url, accept: MANIFEST, token: None, limit: SMALL, is_checked: false };
    let mut token = None;
    let manifest = match web.get(ask) {
        Err(FetchError::Status { status: 401, challenge: Some(challenge), .. })
            if challenge.starts_with("Bearer ") =>
        {
            token = Some(anybodys_token(web, reference, &challenge)?);
            web.get(Ask { token: token.as_deref(), ..ask })?
        }
        answer => answer?,
    };
    if let Some(expected) = digest_in(&reference.version) {
        check(reference, expected, &manifest)?;
    }
    let manifest: Manifest = serde_json::from_slice(&manifest.bytes)
        .map_err(|_| reference.artifact("the registry's answer is no manifest"))?;
    let layer = component_of(&manifest).map_err(|reason| reference.artifact(reason))?;
    let expected = digest_in(&layer.digest)
        .ok_or_else(|| reference.artifact("its layer is not named by a SHA-256"))?;
    if layer.size > LIMIT {
        return Err(FetchError::TooLarge { source_name: reference.text.clone() });
    }
    let url = reference.url(format_args!("blobs/{}", layer.digest))?;
    let component = web.get(Ask {
        url: &url,
        accept: "*/*",
        token: token.as_deref(),
        limit: layer.size,
        is_checked: true,
    })?;
    check(reference, expected, &component)?;
    Ok(component.bytes)
}

/// Returns the layer that is the component, or what the artifact is instead.
fn component_of(manifest: &Manifest) -> Result<&Described, String> {
    let media_type = manifest.media_type.as_deref().unwrap_or(MANIFEST);
    if media_type != MANIFEST {
        return Err(format!("it is of type {media_type}"));
    }
    let config = manifest.config.as_ref().ok_or("its manifest has no config")?;
    if config.media_type != CONFIG {
        return Err(format!("its config is of type {}", config.media_type));
    }
    match &manifest.layers[..] {
        [layer] if layer.media_type == LAYER => Ok(layer),
        [layer] => Err(format!("its layer is of type {}", layer.media_type)),
        layers => Err(format!("it has {} layers", layers.len())),
    }
}

/// Asks for the token that the registry gives to anybody.
fn anybodys_token(web: &Web, reference: &Reference, challenge: &str) -> Result<String, FetchError> {
    #[derive(Deserialize)]
    struct Token {
        #[serde(alias = "access_token")]
        token: String,
    }
    let refused =
        || reference.artifact("the registry asks for a token in words that hyp does not know");
    let of = |name| parameter(challenge, name);
    let mut realm = parse(of("realm").ok_or_else(refused)?)?;
    if is_here(&realm) && !is_here(&reference.url(format_args!(""))?) {
        return Err(refused());
    }
    for name in ["service", "scope"] {
        if let Some(value) = of(name) {
            realm.query_pairs_mut().append_pair(name, value);
        }
    }
    let answer = web.get(Ask {
        url: &realm,
        accept: "application/json",
        token: None,
        limit: SMALL,
        is_checked: false,
    })?;
    Ok(serde_json::from_slice::<Token>(&answer.bytes).map_err(|_| refused())?.token)
}

/// Returns a parameter of a challenge: `Bearer realm="…",scope="a,b"`.
fn parameter<'c>(challenge: &'c str, name: &str) -> Option<&'c str> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn check(reference: &Reference, expected: &str, answer: &Answer) -> Result<(), FetchError> {
    let found = Sha256::digest(&answer.bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if found == expected {
        return Ok(());
    }
    let name = |digest: &str| format!("sha256:{digest}");
    Err(FetchError::Digest {
        reference: reference.text.clone(),
        expected: name(expected),
        found: name(&found),
    })
}

/// Returns the hexadecimal digits of `sha256:…`.
fn digest_in(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("sha256:")?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == 64 && digits.bytes().all(is_digit)).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_host_repository_and_version() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let pinned = format!("oci://r.example/a:1@{digest}");
        #[rustfmt::skip]
        let cases = [
            ("oci://r.example/a:1",             Ok(("r.example", "a", "1"))),
            ("oci://localhost:5000/me/a-b:1.0", Ok(("localhost:5000", "me/a-b", "1.0"))),
            (pinned.as_str(),                   Ok(("r.example", "a", digest.as_str()))),
            ("oci://r.example",                 Err("it names no repository")),
            ("oci://r.example/a",               Err("it names neither a tag nor a digest")),
            ("oci://r.example/A:1",             Err("a repository has lower case letters, digits and `._-/` in its name")),
            ("oci://r.example/a/../b:1",        Err("a repository has lower case letters, digits and `._-/` in its name")),
            ("oci://r.example/a:1/2",           Err("its tag or digest is none")),
            ("oci://r.example/a@sha256:0a",     Err("its tag or digest is none")),
            ("oci://me:pw@r.example/a:1",       Err("it holds a password, which would be kept in plugins.lock")),
        ];
        for (text, expect) in cases {
            let found = Reference::parse(text);
            let found = match &found {
                Ok(it) => Ok((it.host.as_str(), it.repository.as_str(), it.version.as_str())),
                Err(FetchError::Address { reason, .. }) => Err(reason.as_str()),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn a_challenge_names_who_gives_tokens() {
        let challenge = r#"Bearer realm="https://r.example/token",service="r.example",scope="repository:a:pull,push""#;
        assert_eq!(parameter(challenge, "realm"), Some("https://r.example/token"));
        assert_eq!(parameter(challenge, "scope"), Some("repository:a:pull,push"));
        assert_eq!(parameter(challenge, "error"), None);
    }
}
