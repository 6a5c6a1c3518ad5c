//! The end of a setup: the import runs, the timer is set, and what came of both is told.

use hyp_model::Exit;

use super::super::{print, say};
use super::finale::{Consent, Finale, Outcome};
use super::setup::{CANCELLED, Setup};
use super::talk::Talk;
use super::timer::Timer;
use crate::failure::Failure;
use crate::progress::Watch;
use crate::{moment, terminal, text};

impl Setup<'_> {
    /// Imports what was agreed to, then lets the timer do so from now on.
    pub(super) fn close(&mut self, finale: &Finale, timer: Timer) -> Result<Exit, Failure> {
        let watch = Watch::for_terminal(self.args.json);
        let outcome = finale.run(&|progress| watch.show(progress), &self.cancelled);
        watch.clear();
        let has_history = outcome.files > 0;
        let exit = self.tell(finale, outcome)?;
        let timer = timer.finish(self.session, self.talk)?;
        self.summary.schedule = Some(timer);
        if exit == Exit::Done && !finale.is_dry_run {
            self.talk_on(&next(finale.consent, has_history, timer));
        }
        Ok(exit)
    }

    fn tell(&mut self, finale: &Finale, outcome: Outcome) -> Result<Exit, Failure> {
        let mut exit = outcome.exit();
        for entry in &outcome.entries {
            if let Some(error) = &entry.error {
                let provider = text::line(&entry.provider);
                say(&format!("backfill {provider} failed: {}", text::line(error)));
            }
            if !self.args.json {
                print(&format!("{}\n", entry.line()))?;
            }
        }
        if let Some(failure) = outcome.failure {
            exit = failure.report();
        }
        if finale.is_dry_run && !outcome.entries.is_empty() {
            let rows = text::counted_full(outcome.would_write, "row");
            self.talk_on(&format!("(dry-run) {rows} would be written; `hyp init` writes them"));
        }
        if outcome.outside_window > 0 {
            let rows = text::counted_full(outcome.outside_window, "row");
            self.talk_on(&format!("{rows} outside the window: left out"));
        }
        if exit == Exit::Interrupted {
            say(CANCELLED);
            self.talk_on(match finale.consent {
                Consent::Cancelled => "the settings stand; `hyp backfill` imports the history",
                _ => "the settings stand; `hyp backfill` goes on where the import ended",
            });
        }
        self.summary.cancelled = exit == Exit::Interrupted;
        self.summary.until = moment::rfc3339(finale.until);
        self.summary.backfill = outcome.entries;
        Ok(exit)
    }

    /// Says something after the import, to people.
    fn talk_on(&self, words: &str) {
        if self.talk != Talk::Silent {
            say(words);
        }
    }
}

/// Returns what to run next.
fn next(consent: Consent, has_history: bool, timer: Timer) -> String {
    if !has_history {
        return match consent {
            Consent::Declined | Consent::Unwanted => "next: `hyp backfill` imports the history",
            _ => "next: `hyp backfill` imports history once there is some",
        }
        .to_owned();
    }
    let mut commands = vec![
        ("hyp query overview", "what is there, on one screen"),
        ("hyp sessions", "the conversations; `hyp show ID` reads one"),
        ("hyp search TEXT", "where something was said"),
        ("hyp report --open", "a page of charts"),
    ];
    if !matches!(timer, Timer::Installed | Timer::Kept) {
        commands.push(("hyp backfill", "imports what is new since"));
    }
    let width = Some(terminal::talk_width());
    let lines = commands
        .into_iter()
        .map(|(command, words)| terminal::fold(&format!("  {command:<20}"), words, width));
    format!("\nnext:\n{}", lines.collect::<String>().trim_end())
}
