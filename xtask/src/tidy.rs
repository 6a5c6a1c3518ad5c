//! `cargo xtask tidy`: what no compiler checks.

mod cases;
mod files;
mod layers;
mod migrations;
mod promises;
mod versions;

use anyhow::{Result, bail};

use crate::{root, say};

/// Checks the tree; fails with everything that is wrong.
pub fn tidy() -> Result<()> {
    let root = root();
    let mut problems = files::problems(&root)?;
    problems.extend(layers::problems(&root)?);
    problems.extend(migrations::problems(&root)?);
    problems.extend(versions::problems(&root)?);
    problems.extend(cases::problems(&root)?);
    problems.extend(promises::problems(&root)?);
    problems.extend(crate::contract::problems(&root)?);
    problems.extend(crate::clients::problems(&root)?);
    problems.extend(crate::api::problems(&root)?);
    problems.extend(
        crate::components::stale(&root)?
            .into_iter()
            .map(|component| format!("{component} (`cargo xtask components` builds it)")),
    );
    if !problems.is_empty() {
        bail!("{} problems\n{}", problems.len(), problems.join("\n"));
    }
    say("tidy");
    Ok(())
}
