//! Why there is no component.

use std::io;
use std::path::PathBuf;

use hyp_model::{Exit, Explain};

use super::LIMIT;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(in super::super) enum FetchError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The folder holds none, or several.
    #[error("`{}` holds {found} `.wasm` files, not one", folder.display())]
    Which { folder: PathBuf, found: usize },
    /// It is larger than a component may be.
    #[error("`{source_name}` has more than {} MiB", LIMIT >> 20)]
    TooLarge { source_name: String },
    /// It would have to be fetched, by a command that does not.
    #[error("`{source_name}` is not on this machine, and only install and update fetch")]
    Remote { source_name: String },
    /// The address is none.
    #[error("`{address}` is no address of a component: {reason}")]
    Address { address: String, reason: String },
    /// Anybody on the way could change what comes.
    #[error("`{address}` is not encrypted")]
    Plain { address: String },
    /// Nobody answered.
    #[error("cannot fetch `{address}`: {reason}")]
    Unreachable { address: String, reason: String },
    /// The answer is not what was asked for.
    #[error("cannot fetch `{address}`: the server answered {status}")]
    Status {
        address: String,
        status: u16,
        /// How the server wants to be asked.
        challenge: Option<String>,
    },
    /// The server sends elsewhere.
    #[error("`{address}` redirects to `{to}`, which is {what}")]
    Redirect { address: String, to: String, what: &'static str },
    /// A person would read it in a browser.
    #[error("`{address}` is a web page, not a component")]
    Page { address: String },
    /// What the registry has under the name is no component.
    #[error("`{reference}` is no component: {reason}")]
    Artifact { reference: String, reason: String },
    /// The registry sent other bytes than it named.
    #[error("`{reference}`: the registry sent {found} where it named {expected}")]
    Digest { reference: String, expected: String, found: String },
}

impl Explain for FetchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "hyp::plugin::digest",
            _ => "hyp::plugin::fetch",
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Read { .. } => "name a `.wasm` file, or a folder that holds one",
            Self::Which { .. } => "name the file itself",
            Self::TooLarge { .. } => "strip debug information from the component",
            Self::Remote { .. } => {
                "`hyp plugin install` fetches it, and shows what it is before it asks"
            }
            Self::Address { .. } => {
                "name `https://HOST/PATH` or `oci://HOST/REPOSITORY:TAG`, without a password"
            }
            Self::Plain { .. } => "use https; http is for servers on this machine alone",
            Self::Unreachable { .. } => "see that the server runs and that you are online",
            Self::Status { status: 401 | 403, .. } => {
                "hyp knows no passwords: fetch the file yourself and install that"
            }
            Self::Status { status: 404, .. } => "see that name and tag are spelled right",
            Self::Status { .. } => "try again later, or fetch the file yourself and install that",
            Self::Redirect { .. } => "if you trust that place, name it as the source",
            Self::Page { .. } => "name the address of the `.wasm` file itself",
            Self::Artifact { .. } => {
                "ask the author: `wkg oci push` makes artifacts that can be installed"
            }
            Self::Digest { .. } => "do not use this registry before its owner explains that",
        };
        Some(help.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address { .. } | Self::Plain { .. } | Self::Remote { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
