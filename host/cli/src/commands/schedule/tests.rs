//! What schedulers are told, and what the timer files hold.

use super::*;

fn job() -> Job {
    let words = ["/opt/my tools/hyp", "--store", "/home/ada/100% $HOME/.hyp", "backfill"];
    Job {
        words: words.map(str::to_owned).to_vec(),
        environment: [("CODEX_HOME".to_owned(), "/srv/it's/codex".to_owned())].into(),
    }
}

#[test]
fn the_service_runs_this_program_at_low_priority_and_without_network() {
    insta::assert_snapshot!(printed(&job(), Scheduler::Systemd), @r#"
    # ~/.config/systemd/user/hyp-import.service
    # Written by `hyp schedule install`; `hyp schedule remove` takes it away
    [Unit]
    Description=Import the history of coding agents

    [Service]
    Type=oneshot
    ExecStart="/opt/my tools/hyp" "--store" "/home/ada/100%% $$HOME/.hyp" "backfill"
    Nice=19
    IOSchedulingClass=idle
    NoNewPrivileges=yes
    # No network: an import opens no socket
    RestrictAddressFamilies=AF_UNIX
    Environment="CODEX_HOME=/srv/it's/codex"

    # ~/.config/systemd/user/hyp-import.timer
    # Written by `hyp schedule install`; `hyp schedule remove` takes it away
    [Unit]
    Description=Import the history of coding agents twice a day

    [Timer]
    OnCalendar=*-*-* 06,18:00:00
    RandomizedDelaySec=30min
    Persistent=true

    [Install]
    WantedBy=timers.target

    # then: systemctl --user daemon-reload && systemctl --user enable --now hyp-import.timer
    "#);
}

#[test]
fn words_survive_a_crontab_and_a_property_list() {
    insta::assert_snapshot!(printed(&job(), Scheduler::Cron), @r"
    # crontab -e
    0 6,18 * * * CODEX_HOME='/srv/it'\''s/codex' nice -n 19 '/opt/my tools/hyp' --store '/home/ada/100\% $HOME/.hyp' backfill >/dev/null
    ");
    let list = printed(&job(), Scheduler::Launchd);
    assert!(list.contains("<string>/opt/my tools/hyp</string>"), "{list}");
    assert!(list.contains("<key>CODEX_HOME</key><string>/srv/it's/codex</string>"), "{list}");
    let task = printed(&job(), Scheduler::Windows);
    assert!(task.contains(r#"/TR "\"/opt/my tools/hyp\" "#), "{task}");
}
