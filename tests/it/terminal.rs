//! A terminal with somebody in front of it: types keys, reads the screen.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{OpenptyResult, Winsize, openpty};

/// How long a screen may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program on a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

impl Terminal {
    /// Starts a program as the leader of a new terminal with so many rows and columns.
    ///
    /// The command's first words are [`BEHIND`].
    pub(crate) fn start(mut command: Command, rows: u16, columns: u16) -> io::Result<Self> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None)?;
        let child = command
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .spawn()?;
        // The command holds the program's side open, and then no end would be seen.
        drop(command);
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone()?;
        let (to, output) = channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 4096];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || to.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(rows, columns, 0);
        Ok(Self { child, keyboard, output, screen })
    }

    /// Types keys.
    pub(crate) fn keys(&mut self, keys: &str) -> io::Result<()> {
        self.keyboard.write_all(keys.as_bytes())
    }

    /// Waits until the screen shows a text.
    pub(crate) fn wait_for(&mut self, text: &str) -> io::Result<()> {
        let begun = Instant::now();
        while !self.show().contains(text) {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(_) => {
                    let show = self.show();
                    return Err(io::Error::other(format!("no {text:?} on the screen:\n{show}")));
                }
            }
        }
        Ok(())
    }

    /// Waits for a text, then types keys.
    pub(crate) fn answer(&mut self, text: &str, keys: &str) -> io::Result<()> {
        self.wait_for(text)?;
        self.keys(keys)
    }

    /// Returns what is on the screen.
    pub(crate) fn show(&self) -> String {
        let screen = self.screen.screen();
        let rows = screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned());
        rows.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Waits for the end of the program and returns its exit status.
    pub(crate) fn end(&mut self) -> io::Result<Option<i32>> {
        let begun = Instant::now();
        loop {
            match self.output.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill()?;
                    let show = self.show();
                    return Err(io::Error::other(format!("it does not end:\n{show}")));
                }
            }
        }
        Ok(self.child.wait()?.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stands before a command line to have the terminal that is its stdin.
pub(crate) const BEHIND: &[&str] = &["setsid", "--ctty"];
