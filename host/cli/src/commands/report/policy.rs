//! What the page may do: show itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The page's style.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page's script. It sorts and filters the list of sessions; the page is whole without it.
pub(super) const SCRIPT: &str = include_str!("script.js");

/// Returns the page's Content-Security-Policy.
///
/// Nothing is loaded from anywhere, and what runs is what has these hashes.
pub(super) fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
