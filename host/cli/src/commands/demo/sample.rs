//! The files of the sample home, part of the binary so that `hyp demo` works anywhere.

/// A path below the home, and what lies there.
macro_rules! sample {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../fixtures/homes/sample/",
                $path
            )),
        )
    };
}

/// Every file.
#[rustfmt::skip]
pub(super) const FILES: &[(&str, &str)] = &[
    sample!(".claude/projects/-home-ada-tide-tables/16210494-7780-4113-aa52-45b9a16af757.jsonl"),
    sample!(".claude/projects/-home-ada-tide-tables/eed2879d-08cd-4845-a513-123a5bfeb00d.jsonl"),
    sample!(".claude/projects/-home-ada-weather-station/ddaf126d-3279-4c16-a191-59a55ac5e5f3.jsonl"),
    sample!(".claude/projects/-home-ada-weather-station/ddaf126d-3279-4c16-a191-59a55ac5e5f3/subagents/agent-a41c9e07d2b85f631.jsonl"),
    sample!(".claude/projects/-home-ada-weather-station/ddaf126d-3279-4c16-a191-59a55ac5e5f3/subagents/agent-a41c9e07d2b85f631.meta.json"),
    sample!(".codex/sessions/2026/04/18/rollout-2026-04-18T14-02-33-019a0f38-50ab-736e-b9d4-3a8615d62d17.jsonl"),
    sample!(".codex/sessions/2026/11/05/rollout-2026-11-05T21-17-04-019a9e78-b43e-7a00-bedc-ac8299e0cc8d.jsonl"),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::FILES;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn every_file_of_the_sample_home_is_in_the_binary() {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/homes/sample");
        let mut below: Vec<_> = files(&home)
            .iter()
            .map(|path| path.strip_prefix(&home).unwrap().to_str().unwrap().to_owned())
            .collect();
        below.sort();
        assert_eq!(below, FILES.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    }
}
