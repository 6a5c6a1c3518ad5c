//! The timer that `hyp init` sets up, where it can.

use super::*;
use crate::schedule::with_systemctl;

#[test]
fn a_timer_is_set_where_systemd_answers_and_it_is_wanted() {
    let mut sandbox = Sandbox::with("sample");
    let calls = with_systemctl(&mut sandbox, 0);
    let unit = sandbox.home().join(".config/systemd/user/hyp-import.timer");
    let question = "Import what is new twice a day";

    let without = sandbox.hyp(["init", "--yes", "--no-daemon", "--json"]).json();
    assert_eq!((&without["schedule"], unit.exists()), (&"off".into(), false));
    let dry = sandbox.hyp(["init", "--dry-run", "--json"]).json();
    assert_eq!((&dry["schedule"], unit.exists()), (&"off".into(), false));

    let mut no = sandbox.terminal(WIDE, ["init"]);
    no.answer("There are settings already", "\r").unwrap();
    no.answer(question, "n").unwrap();
    no.answer("on this machine now?", "\r").unwrap();
    assert_eq!(no.end().unwrap(), Some(0), "{}", no.show());
    assert!(!unit.exists() && no.show().contains("hyp backfill        imports what is new"));

    let mut yes = sandbox.terminal(WIDE, ["init"]);
    yes.answer("There are settings already", "\r").unwrap();
    yes.answer(question, "\r").unwrap();
    yes.answer("on this machine now?", CTRL_C).unwrap();
    assert_eq!(yes.end().unwrap(), Some(130), "{}", yes.show());
    assert!(yes.show().contains("History is imported twice a day from now on"), "{}", yes.show());
    assert!(unit.exists() && fs::read_to_string(&calls).unwrap().contains("enable --now"));

    // Once it is on, nobody is asked again.
    let kept = sandbox.hyp(["init", "--yes", "--json"]).json();
    assert_eq!(kept["schedule"], "kept", "{kept:#}");
    assert_eq!(sandbox.rows(ROWS), ["claude,26", "codex,18"]);
}

#[test]
fn a_systemd_that_refuses_the_timer_is_no_failure() {
    let mut sandbox = Sandbox::with("sample");
    with_systemctl(&mut sandbox, 1);
    let output = sandbox.hyp(["init", "--yes", "--json"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(output.json()["schedule"], "unavailable");
    assert!(!sandbox.home().join(".config").exists());
}
