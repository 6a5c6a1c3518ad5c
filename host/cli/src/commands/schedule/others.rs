//! The same schedule for other schedulers, as text to be copied.

use std::fmt::Write;

use super::Job;
use crate::text::shell;

/// Returns a line for a crontab.
pub(super) fn cron(job: &Job) -> String {
    let mut line = String::from("0 6,18 * * * ");
    for (name, value) in &job.environment {
        let _ = write!(line, "{name}={} ", shell(value));
    }
    let words: Vec<String> = job.words.iter().map(|word| shell(word)).collect();
    // A per cent sign ends the command in a crontab.
    line.push_str(&format!("nice -n 19 {}", words.join(" ")).replace('%', "\\%"));
    format!("# crontab -e\n{line} >/dev/null\n")
}

/// Returns an agent for launchd.
pub(super) fn launchd(job: &Job) -> String {
    let mut out = String::from(
        "<!-- ~/Library/LaunchAgents/hyp.import.plist, then: \
         launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/hyp.import.plist -->\n\
         <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n  \
         <key>Label</key><string>hyp.import</string>\n  <key>ProgramArguments</key>\n  <array>\n",
    );
    for word in &job.words {
        let _ = writeln!(out, "    <string>{}</string>", markup(word));
    }
    out.push_str("  </array>\n");
    if !job.environment.is_empty() {
        out.push_str("  <key>EnvironmentVariables</key>\n  <dict>\n");
        for (name, value) in &job.environment {
            let _ =
                writeln!(out, "    <key>{}</key><string>{}</string>", markup(name), markup(value));
        }
        out.push_str("  </dict>\n");
    }
    out.push_str("  <key>StartCalendarInterval</key>\n  <array>\n");
    for hour in [6, 18] {
        let _ = writeln!(out, "    <dict><key>Hour</key><integer>{hour}</integer></dict>");
    }
    out.push_str(
        "  </array>\n  <key>LowPriorityIO</key><true/>\n  <key>Nice</key><integer>19</integer>\n</dict>\n</plist>\n",
    );
    out
}

fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns the command that gives the job to the Task Scheduler.
pub(super) fn windows(job: &Job) -> String {
    let words: Vec<String> = job.words.iter().map(|word| format!("\\\"{word}\\\"")).collect();
    format!(
        "schtasks /Create /TN hyp-import /SC HOURLY /MO 12 /ST 06:00 /TR \"{}\"\n",
        words.join(" ")
    )
}
