//! Which components this host can talk to, told from the names of what they import and export.

use crate::bindings::{CONTRACT, PACKAGE};
use crate::error::LoadError;
use crate::seam::SPOKEN;

/// What a component is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    Provider,
    Materializer,
}

impl World {
    /// Returns the interface that such a component exports.
    fn exports(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Materializer => "materializer",
        }
    }

    /// Returns the interfaces that the host gives to it.
    fn imports(self) -> &'static [&'static str] {
        match self {
            Self::Provider => {
                &["types", "inputs", "sqlite", "sink", "run", "probe", "log", "digest"]
            }
            Self::Materializer => &["types", "store-read", "run", "log", "digest"],
        }
    }
}

/// Refuses bytes that are no component, by their first eight.
pub(crate) fn check_preamble(origin: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let origin = || origin.to_owned();
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Err(LoadError::CoreModule { origin: origin() }),
        _ => Err(LoadError::NotAComponent { origin: origin() }),
    }
}

/// Returns the contract that a component was built against.
///
/// Refuses one of a contract that the host does not speak, of another world, or with wishes that it does not fulfil.
pub(crate) fn check_names<'a>(
    origin: &str,
    world: World,
    imports: impl Iterator<Item = &'a str>,
    exports: impl Iterator<Item = &'a str>,
) -> Result<&'static str, LoadError> {
    let origin = || origin.to_owned();
    let (imports, exports): (Vec<_>, Vec<_>) = (imports.collect(), exports.collect());
    let mut contract = CONTRACT;
    for name in imports.iter().chain(&exports) {
        let Some(wanted) = version_of(name) else { continue };
        let Some(known) = spoken(wanted) else {
            let wanted = if wanted.is_empty() { "(no version)" } else { wanted };
            let wanted = wanted.to_owned();
            return Err(LoadError::Contract { origin: origin(), wanted, spoken: CONTRACT });
        };
        contract = known;
    }
    if !exports.iter().any(|name| interface(name) == Some(world.exports())) {
        let exports = match &exports[..] {
            [] => "nothing".to_owned(),
            names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        return Err(LoadError::World { origin: origin(), world: world.exports(), exports });
    }
    let is_given = |name: &&&str| {
        name.starts_with("wasi:")
            || interface(name).is_some_and(|interface| {
                // What an older contract gives, its linker knows.
                contract != CONTRACT || world.imports().contains(&interface)
            })
    };
    match imports.iter().find(|name| !is_given(name)) {
        Some(import) => {
            let (import, world) = ((*import).to_owned(), world.exports());
            Err(LoadError::Import { origin: origin(), world, import })
        }
        None => Ok(contract),
    }
}

/// Says whether what exports this is a materializer.
pub(crate) fn is_materializer(exports: &[String]) -> bool {
    exports.iter().any(|name| interface(name) == Some(World::Materializer.exports()))
}

/// Returns the version of our contract that a name stands for; nothing for names of other packages.
pub(crate) fn version_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(rest.split_once('@').map_or("", |(_, version)| version))
}

fn interface(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(rest.split_once('@').map_or(rest, |(interface, _)| interface))
}

/// Returns the contract that a component of this version is asked by: before 1.0, the first two numbers count.
fn spoken(version: &str) -> Option<&'static str> {
    fn line(version: &str) -> Option<(&str, &str)> {
        let (major, rest) = version.split_once('.')?;
        let (minor, patch) = rest.split_once('.')?;
        let is_release = !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit());
        is_release.then_some((major, minor))
    }
    let wanted = line(version)?;
    SPOKEN.iter().copied().find(|spoken| line(spoken) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(imports: &[&str], exports: &[&str]) -> String {
        match check_names("it", World::Provider, imports.iter().copied(), exports.iter().copied()) {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn only_providers_of_this_contract_are_taken() {
        let provider = "hyp:backfill/provider@0.1.0";
        #[rustfmt::skip]
        let cases: &[(&[&str], &[&str], &str)] = &[
            (&["hyp:backfill/types@0.1.0", "hyp:backfill/sink@0.1.0"], &[provider], "fine"),
            (&["hyp:backfill/sink@0.1.7"], &["hyp:backfill/provider@0.1.7"], "fine"),
            (&["wasi:io/poll@0.2.9"], &[provider], "fine"),
            (&["hyp:backfill/sink@0.9.0"], &["hyp:backfill/provider@0.9.0"],
             "`it` wants hyp:backfill@0.9.0, this host speaks 0.1.2"),
            (&["hyp:backfill/sink@0.1.0-rc.1"], &[provider],
             "`it` wants hyp:backfill@0.1.0-rc.1, this host speaks 0.1.2"),
            (&[], &["hyp:backfill/provider"],
             "`it` wants hyp:backfill@(no version), this host speaks 0.1.2"),
            (&[], &["hyp:backfill/materializer@0.1.0"],
             "`it` is not a provider: it exports `hyp:backfill/materializer@0.1.0`"),
            (&[], &[], "`it` is not a provider: it exports nothing"),
            (&["acme:net/sockets@1.0.0"], &[provider],
             "`it` imports `acme:net/sockets@1.0.0`, which this host does not give to providers"),
            (&["hyp:backfill/sqlite@0.1.0"], &[provider], "fine"),
            (&["hyp:backfill/probe@0.1.0", "hyp:backfill/run@0.1.0"], &[provider], "fine"),
            (&["hyp:backfill/store-read@0.1.0"], &[provider],
             "`it` imports `hyp:backfill/store-read@0.1.0`, which this host does not give to providers"),
            (&["hyp:backfilled/x@0.1.0"], &[provider],
             "`it` imports `hyp:backfilled/x@0.1.0`, which this host does not give to providers"),
        ];
        for (imports, exports, expected) in cases {
            assert_eq!(verdict(imports, exports), *expected);
        }
    }
}
