//! `hyp plugin update`: what came from elsewhere, as it is there now.

use hyp_backfill::{BackfillError, Locked};
use hyp_model::Exit;

use super::UpdateArgs;
use super::fetch::fetch;
use crate::commands::consent::{Consent, consent};
use crate::commands::{Session, say};
use crate::failure::Failure;
use crate::text;

/// Runs `hyp plugin update`: each by itself, so that one server that is down holds up nothing else.
pub(super) fn update(session: &Session, args: &UpdateArgs) -> Result<Exit, Failure> {
    let mut installed = hyp_backfill::installed(&session.places)?;
    if let Some(name) = args.names.iter().find(|name| !installed.iter().any(|it| it.name == **name))
    {
        return Err(BackfillError::NotInstalled { name: name.clone() }.into());
    }
    installed.retain(|it| args.names.is_empty() || args.names.contains(&it.name));
    if installed.is_empty() {
        say("nothing is installed; `hyp plugin install SOURCE` does that");
    }
    let damaged: Vec<String> = hyp_backfill::states(&session.places)?
        .into_iter()
        .filter(|state| state.error.is_some())
        .map(|state| state.name)
        .collect();
    let mut exit = Exit::Done;
    for before in installed {
        let is_damaged = damaged.contains(&before.name);
        let one = one(session, args, &before, is_damaged).unwrap_or_else(Failure::report);
        // What failed is worse than what somebody did not agree to.
        if one != Exit::Done && exit != Exit::Failed {
            exit = one;
        }
    }
    Ok(exit)
}

fn one(
    session: &Session,
    args: &UpdateArgs,
    before: &Locked,
    is_damaged: bool,
) -> Result<Exit, Failure> {
    let fetched = fetch(&before.source)?;
    let offer = hyp_backfill::offer(&session.places, fetched.bytes, &fetched.source)?;
    let (name, version) = (offer.manifest.name(), offer.manifest.version());
    if name != before.name {
        let message = format!("what `{}` holds now calls itself `{name}`", before.source);
        return Err(Failure::Refused { command: "hyp plugin update", message });
    }
    let more = offer.more();
    if offer.digest == before.digest && !is_damaged && more.is_empty() {
        say(&format!("{name} {} is what is there", text::line(version)));
        return Ok(Exit::Done);
    }
    say(&format!("{name} {} -> {}", text::line(&before.version), text::line(version)));
    say(&format!("  had       sha256:{}", before.digest));
    say(&format!("  is now    sha256:{}", offer.digest));
    if version == before.version && offer.digest != before.digest {
        say("  beware    it has other contents under the same version");
    }
    for deed in offer.fewer() {
        say(&format!("  will not  {}", text::line(&deed)));
    }
    for deed in &more {
        say(&format!("  will also {}", text::line(deed)));
    }
    if !more.is_empty() {
        let question = format!("Let {name} do that?");
        if let Consent::Refused = consent(&question, args.yes, "hyp plugin update")? {
            return Ok(Exit::Refused);
        }
    }
    hyp_backfill::install(&session.places, &offer, before.replaces_bundled)?;
    say(&format!("updated {name}"));
    Ok(Exit::Done)
}
