//! What ids say: which part of which message they name, and whether nothing else in the world has them.

/// Ids shorter than this are no ids of the world: some gateways count `call_0`, `call_1` anew each time,
const LEAST_ID: usize = 12;

/// or `functions.Bash:0`: ids of the world have a stretch of so many letters and digits,
const LEAST_STRETCH: usize = 8;

/// and of so many, where no digit is in it.
const LEAST_LETTERS: usize = 20;

/// Returns true for an id that no two things have. Others are counted, or too short to be the only ones.
pub fn is_of_world(id: &str) -> bool {
    let is_long = |stretch: &str| {
        let has_digit = stretch.bytes().any(|byte| byte.is_ascii_digit());
        stretch.len() >= if has_digit { LEAST_STRETCH } else { LEAST_LETTERS }
    };
    id.len() >= LEAST_ID && id.split(|it: char| !it.is_ascii_alphanumeric()).any(is_long)
}

/// Returns the id of the message that a part is of, and the part's position in it, which end its id.
pub fn of_part(part_id: &str) -> (&str, i32) {
    let (message, at) = part_id.rsplit_once('#').unwrap_or((part_id, ""));
    (message, at.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_part_is_that_of_its_message_and_its_position() {
        let cases = [("a#0", ("a", 0)), ("a#b#12", ("a#b", 12)), ("a", ("a", 0))];
        for (part, expected) in cases {
            assert_eq!(of_part(part), expected, "{part}");
        }
    }

    #[test]
    fn counted_ids_are_none_of_the_world() {
        let ours = ["", "call_0", "chatcmpl-tool", "functions.Bash:0", "functions.WebFetch:12"];
        assert!(ours.iter().all(|id| !is_of_world(id)));
        #[rustfmt::skip]
        let of_world = [
            "msg_01XyZ4k9Qp7", "toolu_01AbCdEfGhJkLmNp", "call_abcDEFghiJKLmnoPQRstuVWX",
            "9c0ffee2-1111-4222-8333-444455556666", "run_shell_command-1759000000000-0",
        ];
        for id in of_world {
            assert!(is_of_world(id), "{id}");
        }
    }
}
