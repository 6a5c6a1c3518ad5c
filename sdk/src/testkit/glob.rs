//! Globs of roots: `*` within a name, `**` over folders.

/// Returns true if a path matches a glob.
pub(super) fn matches(glob: &str, path: &str) -> bool {
    let glob: Vec<&str> = glob.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    folders(&glob, &path)
}

fn folders(glob: &[&str], path: &[&str]) -> bool {
    match (glob, path) {
        ([], []) => true,
        (["**", glob @ ..], path) => (0..=path.len()).any(|skip| folders(glob, &path[skip..])),
        ([first, glob @ ..], [name, path @ ..]) => {
            within(first.as_bytes(), name.as_bytes()) && folders(glob, path)
        }
        _ => false,
    }
}

fn within(glob: &[u8], name: &[u8]) -> bool {
    match (glob, name) {
        ([], []) => true,
        ([b'*', rest @ ..], name) => (0..=name.len()).any(|skip| within(rest, &name[skip..])),
        ([first, glob @ ..], [byte, name @ ..]) if first == byte => within(glob, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_name_and_double_stars_do_not() {
        #[rustfmt::skip]
        let cases = [
            ("*.jsonl",             "a.jsonl",              true),
            ("*.jsonl",             "a/b.jsonl",            false),
            ("projects/*/*.jsonl",  "projects/x/y.jsonl",   true),
            ("projects/**/*.jsonl", "projects/y.jsonl",     true),
            ("projects/**/*.jsonl", "projects/a/b/y.jsonl", true),
            ("**/a-*.json",         "x/a-1.json",           true),
            ("a-*-*.json",          "a-1.json",             false),
            ("history.jsonl",       "history.jsonl",        true),
        ];
        for (glob, path, expect) in cases {
            assert_eq!(matches(glob, path), expect, "{glob} {path}");
        }
    }
}
