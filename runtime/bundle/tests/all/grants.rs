use handbox_bundle::{
    BundleError, Dangerous, Fence, FolderDefaults, FolderGrant, Grants, Mode, check_guest_path, parse_env,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn parse(text: &str) -> Result<FolderGrant, BundleError> {
    let defaults = FolderDefaults { cwd: Path::new("/home/me/project"), guest: "/workspace", mode: Mode::ReadOnly };
    FolderGrant::parse(text, defaults)
}

fn said(error: &BundleError) -> String {
    format!("{error} | {}", error.hint())
}

#[cfg(unix)]
#[test]
fn a_folder_grant_has_three_parts_of_which_two_may_be_left_out() {
    for (text, host, guest, mode) in [
        (".", "/home/me/project", "/workspace", Mode::ReadOnly),
        ("data", "/home/me/project/data", "/workspace", Mode::ReadOnly),
        ("./data/:rw", "/home/me/project/data", "/workspace", Mode::ReadWrite),
        ("/srv/x:/data", "/srv/x", "/data", Mode::ReadOnly),
        ("../x:/data/in:rw", "/home/me/project/../x", "/data/in", Mode::ReadWrite),
        ("a:/data", "/home/me/project/a", "/data", Mode::ReadOnly),
    ] {
        let expected = FolderGrant { host: PathBuf::from(host), guest: guest.to_owned(), mode };
        assert_eq!(parse(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_grant_that_cannot_be_read_shows_the_form() {
    for bad in ["", ":/data", "x:data", "x:/data:RW", "x:rw:/data", "x:/a:/b", "x:/a:rw:rw", "x:", "x::rw"] {
        let error = parse(bad).unwrap_err();
        assert!(said(&error).contains("HOST[:GUEST][:ro|rw]"), "{bad}: {}", said(&error));
    }
}

#[test]
fn guest_paths_are_absolute_normal_and_not_our_own() {
    for good in ["/workspace", "/data/in", "/mnt/data", "/tmpfiles", "/ä"] {
        check_guest_path(good).unwrap();
    }
    let long = format!("/{}", "x".repeat(2000));
    for bad in [
        "",
        "data",
        "/",
        "//",
        "/a/",
        "/a//b",
        "/a/./b",
        "/a/../b",
        "/..",
        "/a\\b",
        "/a\0",
        "/a\nb",
        "/tmp",
        "/tmp/x",
        "/mnt",
        "/mnt/session",
        "/mnt/session/outputs",
        "/mnt/session/outputs/x",
        "C:/x",
        &long,
    ] {
        assert!(check_guest_path(bad).is_err(), "{bad:?}");
    }
    assert!(said(&check_guest_path("/tmp").unwrap_err()).contains("Handbox provides"));
}

#[test]
fn environment_values_are_name_and_value() {
    assert_eq!(parse_env("A=b=c").unwrap(), ("A".into(), "b=c".into()));
    assert_eq!(parse_env("A=").unwrap(), ("A".into(), String::new()));
    for bad in ["A", "=x", "A B=x", "A\n=x", "A=\0secret"] {
        let error = parse_env(bad).unwrap_err();
        assert!(!said(&error).contains("secret"), "{bad:?}");
    }
}

struct Tree {
    dir: TempDir,
}

impl Tree {
    fn new(folders: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        for folder in folders {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        Self { dir }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(below)
    }

    /// Grants written as `HOST:GUEST:MODE`, the host below this tree.
    fn grants(&self, texts: &[&str]) -> Grants {
        let root = self.path("");
        let defaults = FolderDefaults { cwd: &root, guest: "/workspace", mode: Mode::ReadOnly };
        let folders = texts.iter().map(|text| FolderGrant::parse(text, defaults).unwrap()).collect();
        Grants { folders, ..Grants::default() }
    }

    fn check(&self, texts: &[&str], fence: &Fence) -> Result<Grants, BundleError> {
        self.grants(texts).checked(fence)
    }
}

#[test]
fn checked_grants_have_canonical_hosts_and_need_them_to_exist() {
    let tree = Tree::new(&["a/b"]);
    let checked = tree.check(&["a/../a/b:/data:rw"], &Fence::default()).unwrap();
    assert_eq!(checked.folders[0].host, tree.path("a/b"));
    let error = tree.check(&["nowhere"], &Fence::default()).unwrap_err();
    assert!(matches!(error, BundleError::NotFound { .. }), "{error:?}");
    std::fs::write(tree.path("file"), "x").unwrap();
    assert!(said(&tree.check(&["file"], &Fence::default()).unwrap_err()).contains("is not a folder"));
}

#[test]
fn the_same_guest_path_or_name_twice_is_an_error_that_shows_both() {
    let tree = Tree::new(&["a", "b"]);
    let text = said(&tree.check(&["a:/data", "b:/data:rw"], &Fence::default()).unwrap_err());
    assert!(text.contains("/data is given twice") && text.contains("/a") && text.contains("/b"), "{text}");
    let env = vec![("A".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())];
    assert!(Grants { env, ..Grants::default() }.checked(&Fence::default()).is_err());
}

#[test]
fn a_read_only_folder_may_hold_a_writable_one_at_the_same_place() {
    let tree = Tree::new(&["p/out/deep", "q"]);
    for good in [
        &["p:/w:ro", "p/out:/w/out:rw"][..],
        &["p:/w:ro", "p/out/deep:/w/out/deep:rw"],
        &["p:/w:rw", "p/out:/other:rw"],
        &["p:/w:ro", "p:/x:ro"],
        &["p:/w:ro", "q:/w/q:rw"],
    ] {
        tree.check(good, &Fence::default()).unwrap_or_else(|error| panic!("{good:?}: {error}"));
    }
}

#[test]
fn what_is_granted_read_only_cannot_be_written_under_another_name() {
    let tree = Tree::new(&["p/out"]);
    for bad in [
        &["p:/w:rw", "p/out:/w/out:ro"][..],
        &["p:/w:ro", "p:/x:rw"],
        &["p:/w:ro", "p/out:/elsewhere:rw"],
        &["p/out:/data:ro", "p:/w:rw"],
    ] {
        let error = tree.check(bad, &Fence::default()).unwrap_err();
        assert!(matches!(error, BundleError::Refused(_)), "{bad:?}: {error:?}");
        let text = said(&error);
        assert!(text.contains("read-only") && text.contains("writable") && text.contains("--dir"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn an_alias_through_a_link_is_seen() {
    let tree = Tree::new(&["p"]);
    std::os::unix::fs::symlink(tree.path("p"), tree.path("alias")).unwrap();
    assert!(tree.check(&["p:/w:ro", "alias:/x:rw"], &Fence::default()).is_err());
}

#[test]
fn home_and_key_folders_are_refused_unless_forced() {
    let tree = Tree::new(&["home/me/.ssh/deep", "home/me/project", "home/you/.gnupg", "x/.AWS"]);
    let fence = Fence { home: Some(tree.path("home/me")), ..Fence::default() };
    tree.check(&["home/me/project"], &fence).unwrap();
    let forced = Fence { dangerous: Dangerous::Allow, ..fence.clone() };
    for bad in ["home/me", "home", "home/me/.ssh", "home/me/.ssh/deep", "home/you", "x/.AWS"] {
        let error = tree.check(&[bad], &fence).unwrap_err();
        assert!(matches!(error, BundleError::Refused(_)), "{bad}");
        assert!(said(&error).contains("--allow-dangerous-folders"), "{}", said(&error));
        tree.check(&[bad], &forced).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn the_system_is_refused() {
    let tree = Tree::new(&[]);
    std::os::unix::fs::symlink("/", tree.path("root")).unwrap();
    for bad in ["/", "root", "/proc", "/proc/self", "/dev", "/sys"] {
        if Path::new(bad).exists() || bad == "root" {
            assert!(matches!(tree.check(&[bad], &Fence::default()), Err(BundleError::Refused(_))), "{bad}");
        }
    }
}

#[test]
fn no_write_grant_covers_what_handbox_loads_even_if_forced() {
    let tree = Tree::new(&["conf/handbox/sub", "conf/other"]);
    let protected = vec![tree.path("conf/handbox"), tree.path("conf/not/yet/there.toml")];
    let fence = Fence { protected, ..Fence::default() };
    let forced = Fence { dangerous: Dangerous::Allow, ..fence.clone() };
    for bad in ["conf:/w:rw", "conf/handbox:/w:rw", "conf/handbox/sub:/w:rw"] {
        assert!(matches!(tree.check(&[bad], &fence), Err(BundleError::Refused(_))), "{bad}");
        assert!(matches!(tree.check(&[bad], &forced), Err(BundleError::Refused(_))), "{bad}, forced");
    }
    assert!(tree.check(&["conf/handbox/sub:/w:ro"], &fence).is_err());
    tree.check(&["conf/handbox/sub:/w:ro"], &forced).unwrap();
    tree.check(&["conf/other:/w:rw"], &fence).unwrap();
    tree.check(&["conf:/w:ro"], &fence).unwrap();
}

#[test]
fn no_grant_holds_what_is_secret_even_if_forced() {
    let tree = Tree::new(&["conf/handbox", "conf/other"]);
    std::fs::write(tree.path("conf/handbox/vault.key"), "key").unwrap();
    let secret = vec![tree.path("conf/handbox/vault.key"), tree.path("later/vault.key")];
    let fence = Fence { secret, dangerous: Dangerous::Allow, ..Fence::default() };
    std::fs::create_dir(tree.path("later")).unwrap();
    for bad in ["conf:/w:ro", "conf/handbox:/w:ro", "conf/handbox:/w:rw", "later:/w:ro"] {
        assert!(matches!(tree.check(&[bad], &fence), Err(BundleError::Refused(_))), "{bad}");
    }
    tree.check(&["conf/other:/w:ro"], &fence).unwrap();
}
