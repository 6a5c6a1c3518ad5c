//! Which ids a client got from its server, and which it counted.

/// An id of a server's has so many letters and digits in a row.
const TELLING: usize = 12;

/// Returns true for an id that names one thing alone. Others are counted, fixed, or too short to be the only ones.
pub fn is_telling(id: &str) -> bool {
    id.split(|it: char| !it.is_ascii_alphanumeric()).any(|stretch| stretch.len() >= TELLING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_by_its_longest_stretch() {
        let counted =
            ["", "ws_mock1", "fc_badargs", "msg_123456", "functions.Bash:0", "msg-user-1"];
        assert!(counted.iter().all(|id| !is_telling(id)));
        let telling = [
            "msg_01XyZ4k9Qp7Rt8Uv2W",
            "rs_68a1f3c2b7d0819b",
            "msg_01a1fbd9-161c-7b22-8336-7d7cb766b68b",
            "call_1759000000000",
        ];
        assert!(telling.iter().all(|id| is_telling(id)));
    }
}
