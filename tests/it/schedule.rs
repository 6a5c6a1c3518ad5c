//! Imports by a timer: what is written, what systemd is asked, and what happens without it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::sandbox::Sandbox;

/// Puts a `systemctl` in front of the real one that notes how it is called.
pub(crate) fn with_systemctl(sandbox: &mut Sandbox, exit: u8) -> std::path::PathBuf {
    let folder = sandbox.beside("bin");
    let calls = sandbox.beside("calls");
    fs::create_dir(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\n[ {exit} = 0 ] || echo 'Failed to connect to bus' >&2\nexit {exit}\n",
        calls.display()
    );
    let path = folder.join("systemctl");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.set("PATH", &format!("{}:/usr/bin:/bin", folder.display()));
    calls
}

#[test]
fn a_schedule_is_installed_told_and_removed() {
    let mut sandbox = Sandbox::new();
    let calls = with_systemctl(&mut sandbox, 0);
    sandbox.set("CODEX_HOME", "/srv/codex");
    sandbox.set("XDG_DATA_HOME", "/srv/data");
    let units = sandbox.home().join(".config/systemd/user");
    let nothing = sandbox.hyp(["schedule", "status"]);
    assert_eq!(nothing.stdout, "not scheduled; `hyp schedule install` imports twice a day\n");

    let installed = sandbox.hyp(["schedule", "install"]);
    assert_eq!(installed.status, Some(0), "{installed}");
    let service = fs::read_to_string(units.join("hyp-import.service")).unwrap();
    let program = env!("CARGO_BIN_EXE_hyp");
    let store = sandbox.store();
    let line = format!("ExecStart=\"{program}\" \"--store\" \"{}\" \"backfill\"", store.display());
    assert!(service.contains(&line), "{service}");
    assert!(service.contains("Environment=\"CODEX_HOME=/srv/codex\"\n"), "{service}");
    assert!(service.contains("Environment=\"XDG_DATA_HOME=/srv/data\"\n"), "{service}");
    let timer = fs::read_to_string(units.join("hyp-import.timer")).unwrap();
    assert!(timer.contains("Persistent=true"), "{timer}");
    let asked = fs::read_to_string(&calls).unwrap();
    assert_eq!(asked, "--user daemon-reload\n--user enable --now hyp-import.timer\n");
    let status = sandbox.hyp(["schedule", "status", "--json"]).json();
    assert_eq!([&status["is_active"], &status["is_current"]], [true, true]);

    sandbox.set("CODEX_HOME", "/elsewhere");
    let status = sandbox.hyp(["schedule", "status", "--json"]).json();
    assert_eq!(status["is_current"], false, "the clients' folders moved since");

    fs::write(&calls, "").unwrap();
    assert_eq!(sandbox.hyp(["schedule", "remove"]).status, Some(0));
    assert_eq!(fs::read_dir(&units).unwrap().count(), 0);
    let asked = fs::read_to_string(&calls).unwrap();
    assert_eq!(asked, "--user disable --now hyp-import.timer\n--user daemon-reload\n");
    assert_eq!(sandbox.hyp(["schedule", "remove"]).stderr, "no imports are scheduled\n");
}

#[test]
fn without_systemd_the_files_are_written_and_the_rest_is_told() {
    let mut sandbox = Sandbox::new();
    with_systemctl(&mut sandbox, 1);
    let settings = sandbox.beside("settings");
    sandbox.set("XDG_CONFIG_HOME", settings.to_str().unwrap());
    let installed = sandbox.hyp(["schedule", "install"]);
    assert_eq!(installed.status, Some(0), "{installed}");
    assert!(settings.join("systemd/user/hyp-import.timer").exists());
    assert!(installed.stderr.contains("Failed to connect to bus"), "{installed}");
    assert!(installed.stderr.contains("systemctl --user enable --now"), "{installed}");
    let status = sandbox.hyp(["schedule", "status"]);
    assert!(status.stdout.ends_with("not active\n"), "{status}");
}

#[test]
fn other_schedulers_get_a_text_to_copy() {
    let sandbox = Sandbox::new();
    for (name, word) in
        [("cron", "0 6,18 * * *"), ("launchd", "ProgramArguments"), ("windows", "schtasks")]
    {
        let output = sandbox.hyp(["schedule", "print", name]);
        assert_eq!(output.status, Some(0), "{output}");
        assert!(output.stdout.contains(word) && output.stdout.contains("backfill"), "{output}");
    }
}
