//! Tests of `ignored`.

use super::*;

/// A folder with others in it, and a list.
fn machine(files: &[(&str, &str)], list: &[(&str, Class)]) -> (tempfile::TempDir, Ignored) {
    let top = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = top.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let entry = |(dir, class): &(&str, Class)| Entry { dir: top.path().join(dir), class: *class };
    let store = top.path().join("store");
    fs::create_dir_all(&store).unwrap();
    write_list(&store, &list.iter().map(entry).collect::<Vec<_>>()).unwrap();
    let ignored = Ignored::load(&store).unwrap();
    (top, ignored)
}

#[test]
fn the_nearest_file_counts_and_the_stricter_of_file_and_list() {
    let files = [
        ("a/.hypignore", ""),
        ("a/open/.hypignore", "# ours\n local-only # for now\n"),
        ("b/.hypignore", "ignore all of it"),
        ("c/.hypignore", "perhaps"),
        ("d/e/x", ""),
    ];
    let list = [("d", Class::Ignore), ("d/e", Class::Full), ("a/open/kept", Class::Full)];
    let (top, mut ignored) = machine(&files, &list);
    #[rustfmt::skip]
    let cases = [
        ("a",            Class::Ignore),
        ("a/deep/er",    Class::Ignore),
        ("a/open/x",     Class::LocalOnly),
        ("a/open/kept",  Class::LocalOnly),
        ("ab",           Class::Full),
        ("b",            Class::Ignore),
        ("c",            Class::Ignore),
        ("d",            Class::Ignore),
        ("d/gone/away",  Class::Ignore),
        ("d/e/f",        Class::Full),
    ];
    for (folder, expect) in cases {
        let cwd = top.path().join(folder).display().to_string();
        assert_eq!(ignored.class(&cwd), expect, "{folder}");
    }
    assert_eq!(ignored.class("a"), Class::Full, "a relative path is nobody's folder");
    let warnings = ignored.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("`perhaps`"), "{warnings:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_is_ignored_by_whatever_name_it_is_told() {
    let (top, _) = machine(&[("real/x", "")], &[]);
    std::os::unix::fs::symlink(top.path().join("real"), top.path().join("link")).unwrap();
    for listed in ["real", "link"] {
        let store = top.path().join("store");
        let dir = top.path().join(listed);
        write_list(&store, &[Entry { dir, class: Class::Ignore }]).unwrap();
        let mut ignored = Ignored::load(&store).unwrap();
        for told in ["real", "link"] {
            let cwd = top.path().join(told).display().to_string();
            assert!(ignored.is_ignored(&cwd), "{listed} {told}");
        }
    }
}

#[test]
fn a_list_that_cannot_be_read_is_an_error_and_the_first_version_is_understood() {
    let (top, _) = machine(&[], &[]);
    let store = top.path().join("store");
    let path = list_path(&store);
    for text in
        ["{", "[]", r#"{"version":3}"#, r#"{"version":2,"entries":[{"dir":"/a","class":"x"}]}"#]
    {
        fs::write(&path, text).unwrap();
        assert!(read_list(&store).is_err(), "{text}");
    }
    fs::write(&path, r#"{"dirs":["/a"]}"#).unwrap();
    let expect = Entry { dir: "/a".into(), class: Class::LocalOnly };
    assert_eq!(read_list(&store).unwrap(), [expect]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join(FILE)).unwrap();
    let mut ignored = Ignored::default();
    assert!(ignored.is_ignored(folder.path().to_str().unwrap()));
    let warnings = ignored.warnings();
    assert!(warnings[0].ends_with("cannot be read (it is no file); it ignores"), "{warnings:?}");
}
