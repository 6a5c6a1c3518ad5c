//! Texts under the name of the user that no person wrote.

/// How they begin, and what they are.
const BEGINNINGS: &[(&str, &str)] = &[
    ("<environment_context>", "environment_context"),
    ("# AGENTS.md instructions", "agents_md"),
    ("<user_instructions>", "user_instructions"),
    ("<permissions instructions>", "permissions"),
    ("<permissions_instructions>", "permissions"),
    ("<skills_instructions>", "skills"),
    ("<skill>", "skill"),
    ("<turn_aborted>", "turn_aborted"),
    ("<subagent_notification>", "subagent_notification"),
    ("<user_shell_command>", "user_shell_command"),
    ("<recommended_plugins>", "recommended_plugins"),
    ("<user_action>", "user_action"),
    ("<collaboration_mode>", "collaboration_mode"),
    ("<model_switch>", "model_switch"),
    ("<personality_spec>", "personality_spec"),
    ("<hook_prompt", "hook_prompt"),
    ("<goal_context>", "goal_context"),
];

/// Returns what a user's text is, if the client wrote it.
pub(crate) fn kind(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    if !text.starts_with(['<', '#']) {
        return None;
    }
    BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|&(_, kind)| kind)
}

/// Returns the working directory that an environment context names.
pub(crate) fn cwd(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<cwd>")?;
    let (cwd, _) = rest.split_once("</cwd>")?;
    Some(cwd).filter(|cwd| is_absolute(cwd))
}

/// Returns true for an absolute path, of Windows too.
pub(crate) fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with(['/', '\\'])
        || (bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_may_write_angle_brackets() {
        assert_eq!(kind("<b>bold</b> please"), None);
        assert_eq!(kind("# A heading"), None);
        assert_eq!(kind("\n<turn_aborted>\nreason"), Some("turn_aborted"));
    }

    #[test]
    fn the_environment_names_the_working_directory() {
        let text = "<environment_context>\n  <cwd>/home/dev/app</cwd>\n</environment_context>";
        assert_eq!(cwd(text), Some("/home/dev/app"));
        assert_eq!(cwd("<cwd>app</cwd>"), None);
    }
}
