//! The steps of a setup: look, settle, import, tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use hyp_cache::{Store, StoreError};
use hyp_model::Exit;

use super::super::ask::Lake;
use super::super::{Session, say};
use super::clients::{Client, lines, listed};
use super::finale::{Consent, Finale};
use super::rehearsal::Rehearsal;
use super::summary::{Settings, Summary};
use super::talk::Talk;
use super::timer::Timer;
use super::{COMMAND, InitArgs, once_each, questions};
use crate::config::{self, Config, ConfigError, Wish, Wishes};
use crate::failure::Failure;
use crate::prompt::{self, Hush, Unanswered};
use crate::{moment, terminal, text};

/// What is said when it is cancelled.
pub(super) const CANCELLED: &str = "hyp init: cancelled";

/// A setup under way.
pub(super) struct Setup<'a> {
    pub(super) session: &'a Session,
    pub(super) args: &'a InitArgs,
    pub(super) talk: Talk,
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) summary: Summary,
}

impl Setup<'_> {
    /// Runs it, and returns how the command ends.
    pub(super) fn run(&mut self, flags: &Wishes) -> Result<Exit, Failure> {
        let real = &self.session.places;
        let is_store = match Store::open(&real.store) {
            Ok(_) => true,
            Err(StoreError::Missing { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        let old = self.old()?;
        let stage = if self.args.dry_run && !is_store {
            Rehearsal::of(real)?
        } else {
            Rehearsal::none(real.clone())
        };

        let hush = self.args.asks()?.then(Hush::begin);
        self.talk.begin("hyp: the history of coding agents as one table");
        let clients = self.look(&stage)?;
        self.check_names(&clients)?;
        if let Some(hush) = &hush {
            hush.wait_for_questions();
        }
        if self.cancelled.load(Ordering::Relaxed) {
            return Ok(self.cancel_before());
        }
        let answered = self.ask(flags, old.as_ref().map(|it| &it.1), &clients);
        let (wishes, timer) = match answered {
            Ok(answers) => answers,
            Err(Unanswered::Cancelled) => return Ok(self.cancel_before()),
            Err(Unanswered::Terminal(error)) => return Err(Failure::Output(error)),
        };
        let config = self.settle(old, &wishes)?;
        let finale = self.finale(stage, &clients, &config)?;
        drop(hush);
        self.close(&finale, timer)
    }

    /// Asks what the command line leaves open, and where nobody is there, takes what it says.
    fn ask(
        &mut self,
        flags: &Wishes,
        old: Option<&Config>,
        clients: &[Client],
    ) -> Result<(Wishes, Timer), Unanswered> {
        let wishes = match self.talk {
            Talk::Rail => questions::ask(clients, old, flags, moment::now())?,
            Talk::Plain | Talk::Silent => self.known(flags, clients),
        };
        Ok((wishes, Timer::settle(self.session, self.args, self.talk)?))
    }

    /// Returns the settings that are there, as text and as read.
    fn old(&self) -> Result<Option<(String, Config)>, ConfigError> {
        let path = config::path(&self.session.places.store);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let config = Config::parse(&text, &path)?;
                Ok(Some((text, config)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// Finds the clients, and tells of them.
    fn look(&mut self, stage: &Rehearsal) -> Result<Vec<Client>, Failure> {
        let waiting = self.talk.wait("Looking for history");
        let found = hyp_backfill::detect(&stage.places);
        let now = moment::now();
        let clients: Vec<Client> = found?.into_iter().map(|it| Client::new(it, now)).collect();
        self.summary.clients = clients.iter().map(Client::summary).collect();

        let here: Vec<&Client> = clients.iter().filter(|client| client.is_here()).collect();
        if here.is_empty() {
            waiting.stop("Found no history");
            let mut words = String::from("It would lie here, among other places:");
            for place in clients.iter().filter_map(|client| client.found.candidates.first()) {
                words.push_str(&format!("\n  {}", text::line(&place.display().to_string())));
            }
            self.talk.note(words);
        } else {
            waiting.stop(&match here.len() {
                1 => "Found history of 1 client".to_owned(),
                clients => format!("Found history of {clients} clients"),
            });
            if self.talk == Talk::Rail {
                self.talk.note("hyp reads these files, changes none, and sends nothing anywhere");
            } else {
                lines(&here, terminal::talk_width()).iter().for_each(|line| self.talk.note(line));
            }
        }
        for client in &clients {
            if let Some(error) = &client.found.error {
                self.talk.warn(format!("{}: {}", client.title(), text::line(error)));
            }
            if let Some(warning) = client.warning() {
                self.talk.warn(warning);
            }
        }
        Ok(clients)
    }

    /// Refuses when no provider reads any of the clients that were named.
    fn check_names(&self, clients: &[Client]) -> Result<(), Failure> {
        let named = &self.args.clients;
        let known: Vec<&str> = clients.iter().map(|it| it.found.provider.as_str()).collect();
        if named.is_empty() || named.iter().any(|name| known.contains(&name.as_str())) {
            return Ok(());
        }
        let message =
            format!("no provider reads {}; known are: {}", named.join(", "), known.join(", "));
        Err(Failure::Refused { command: COMMAND, message })
    }

    /// Returns the wishes without clients that no provider reads, which are told.
    fn known(&mut self, flags: &Wishes, clients: &[Client]) -> Wishes {
        let mut wishes = flags.clone();
        if let Wish::Is(names) = &mut wishes.clients {
            let (known, unknown) = names.drain(..).partition(|name| is_known(name, clients));
            *names = known;
            self.skip(unknown);
        }
        wishes
    }

    fn skip(&mut self, clients: Vec<String>) {
        for client in &clients {
            self.talk.warn(format!("skipped {}: no provider reads it", text::line(client)));
        }
        self.summary.skipped_clients.extend(clients);
    }

    /// Writes the settings, and returns what they say now.
    fn settle(
        &mut self,
        old: Option<(String, Config)>,
        wishes: &Wishes,
    ) -> Result<Config, Failure> {
        let path = config::path(&self.session.places.store);
        let (text, state) = match (&self.args.from_file, &old) {
            (Some(file), old) => {
                let text = fs::read_to_string(file)
                    .map_err(|source| ConfigError::Read { path: file.clone(), source })?;
                Config::parse(&text, file)?;
                match old {
                    None => (text, Settings::Written),
                    Some((old, _)) if *old == text => (text, Settings::Kept),
                    Some(_) => {
                        let path = path.display();
                        let message = format!("`{path}` is there and says otherwise; move it away");
                        return Err(Failure::Usage { command: COMMAND, message });
                    }
                }
            }
            (None, None) => (wishes.fresh(), Settings::Written),
            (None, Some((old, _))) if wishes.is_content() => (old.clone(), Settings::Kept),
            (None, Some((old, _))) => (wishes.applied_to(old), Settings::Changed),
        };
        let config = Config::parse(&text, &path)?;
        let shown = text::line(&path.display().to_string()).into_owned();
        let is_written = !self.args.dry_run && state != Settings::Kept;
        if is_written {
            Store::open_or_create(&self.session.places.store)?;
            config::save(&path, &text)?;
        }
        self.talk.note(match (state, is_written) {
            (Settings::Kept, _) => format!("Settings kept: {shown}"),
            (_, true) => format!("Settings written: {shown}"),
            (_, false) => format!("(dry-run) Settings not written: {shown}"),
        });
        self.summary.settled(shown, if self.args.dry_run { Settings::DryRun } else { state });
        Ok(config)
    }

    /// Works out the finale: from here on, whatever happens, the settings stand.
    fn finale(
        &mut self,
        stage: Rehearsal,
        clients: &[Client],
        config: &Config,
    ) -> Result<Finale, Failure> {
        let until = moment::now();
        let picked = self.picked(clients, config);
        self.tell_older(config, until);
        Ok(Finale {
            consent: self.consent(clients, &picked)?,
            stage,
            picked,
            since: config.import.since.map(|since| since.0),
            until,
            retained_from: config.retention.from(until),
            secrets: config.privacy.secrets(),
            keep_days: config.retention.ai_gateway_messages.map(|days| days.0),
            is_dry_run: self.args.dry_run,
            is_asking: self.talk == Talk::Rail,
        })
    }

    /// Tells what becomes of stored rows that are older than the settings keep them.
    fn tell_older(&self, config: &Config, now: i64) {
        let Some(from) = config.retention.from(now) else { return };
        let sql = format!(
            "select count(*) as \"of\", count(*) filter \
             (where message_created_at < to_timestamp_micros({from})) as older from ai_gateway_messages"
        );
        let rows = Lake::open(self.session).and_then(|lake| lake.rows(&sql)).unwrap_or_default();
        let number = |name: &str| rows.first()?.get(name)?.as_u64();
        let (Some(of), Some(older @ 1..)) = (number("of"), number("older")) else { return };
        let (count, all) = (text::full(older), text::counted_full(of, "row"));
        let what = match older * 2 > of {
            true => {
                "more than half, so imports leave them; `hyp cache maintain` removes them, and asks first"
            }
            false => "the next import removes them",
        };
        self.talk.warn(format!("{count} of {all} are older than the settings keep them: {what}"));
    }

    /// Returns the providers that the settings name or leave open, in their order.
    fn picked(&mut self, clients: &[Client], config: &Config) -> Vec<String> {
        let Some(names) = &config.import.clients else {
            // What cannot be read is picked as well, so that the import says so.
            let is_picked = |it: &&Client| it.is_here() || it.found.is_unreadable;
            let here = clients.iter().filter(is_picked);
            return here.map(|client| client.found.provider.clone()).collect();
        };
        let (known, unknown) = names.iter().cloned().partition(|name| is_known(name, clients));
        self.skip(unknown);
        once_each(&known)
    }

    /// Asks whether to import now, where somebody is there to be asked.
    fn consent(&self, clients: &[Client], picked: &[String]) -> Result<Consent, Failure> {
        if self.args.no_backfill {
            self.talk.end("backfill: skipped (--no-backfill)");
            return Ok(Consent::Unwanted);
        }
        if self.talk != Talk::Rail {
            return Ok(Consent::Implied);
        }
        if picked.is_empty() {
            self.talk.end("There is nothing to import yet");
            return Ok(Consent::Implied);
        }
        let of = |name: &String| clients.iter().find(|client| client.found.provider == *name);
        let titles: Vec<String> = picked
            .iter()
            .map(|name| of(name).map_or_else(|| name.clone(), Client::title))
            .collect();
        let question =
            format!("Import the {} history already on this machine now?", listed(&titles));
        match prompt::confirm(question) {
            Ok(true) => {
                self.talk.end("Importing, newest first; what is in can be queried at once");
                Ok(Consent::Given)
            }
            Ok(false) => {
                self.talk.end("backfill: skipped (declined)");
                Ok(Consent::Declined)
            }
            Err(Unanswered::Cancelled) => {
                say("backfill: skipped (cancelled)");
                Ok(Consent::Cancelled)
            }
            Err(Unanswered::Terminal(error)) => Err(Failure::Output(error)),
        }
    }

    /// Ends before anything was settled.
    fn cancel_before(&mut self) -> Exit {
        say(&format!("{CANCELLED}; no settings were written"));
        self.summary.cancelled = true;
        Exit::Interrupted
    }
}

fn is_known(name: &str, clients: &[Client]) -> bool {
    clients.iter().any(|client| client.found.provider == name)
}
