//! What is unpacked stays in its folder, whatever an archive says.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use tar::{EntryType, Header};

/// A member of an archive that means harm: what it is, its name, what it links to or holds.
type Bad<'a> = (EntryType, &'a str, &'a str);

fn archive(members: &[Bad]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, name, text) in members {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_mtime(0);
        let holds = if kind.is_file() { text.as_bytes() } else { b"" };
        header.set_size(holds.len() as u64);
        let gnu = header.as_gnu_mut().unwrap();
        // The crate itself refuses to write such names.
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        if !kind.is_file() {
            gnu.linkname[..text.len()].copy_from_slice(text.as_bytes());
        }
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(holds);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Runs a program in the folder `in` of a new folder, beside which stands `secret`.
fn run(program: &str, args: &[&str], files: &[(&str, &[u8])]) -> (tempfile::TempDir, Output) {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("in");
    fs::create_dir(&folder).unwrap();
    fs::write(around.path().join("secret"), "old\n").unwrap();
    for (name, bytes) in files {
        fs::File::create(folder.join(name)).unwrap().write_all(bytes).unwrap();
    }
    let output = run_in(&around, program, args);
    (around, output)
}

fn run_in(around: &tempfile::TempDir, program: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handbox-userland"));
    command.arg("--").arg(program).args(args).current_dir(around.path().join("in")).output().unwrap()
}

/// What stands beside the folder: its own name, `secret`, and what must not be.
fn beside(around: &Path) -> Vec<String> {
    let entries = fs::read_dir(around).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn assert_untouched(around: &tempfile::TempDir) {
    assert_eq!(beside(around.path()), ["in", "secret"]);
    assert_eq!(fs::read_to_string(around.path().join("secret")).unwrap(), "old\n");
}

fn untar(members: &[Bad]) -> (tempfile::TempDir, Output) {
    run("tar", &["xf", "a.tar"], &[("a.tar", &archive(members))])
}

#[test]
fn names_that_lead_upwards_are_not_unpacked() {
    for name in ["../new", "sub/../../new", "./../new", "..", "sub/.."] {
        let (around, output) = untar(&[(EntryType::Regular, name, "x"), (EntryType::Regular, "good", "y")]);
        assert_untouched(&around);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("Member name contains '..'"), "{name}");
        assert_eq!(fs::read_to_string(around.path().join("in/good")).unwrap(), "y", "{name}");
    }
}

#[test]
fn absolute_names_are_unpacked_below_the_folder() {
    let elsewhere = tempfile::tempdir().unwrap();
    let name = format!("{}/new", elsewhere.path().display());
    for args in [&["xf", "a.tar"][..], &["xPf", "a.tar"]] {
        let (around, output) = run("tar", args, &[("a.tar", &archive(&[(EntryType::Regular, &name, "x")]))]);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        assert_eq!(fs::read_to_string(around.path().join("in").join(&name[1..])).unwrap(), "x");
    }
}

#[test]
fn nothing_is_written_through_a_link_that_leads_out() {
    let elsewhere = tempfile::tempdir().unwrap();
    let absolute = elsewhere.path().to_str().unwrap();
    for target in ["..", "../", "sub/../..", absolute, "."] {
        let (around, output) = untar(&[
            (EntryType::Directory, "sub/", ""),
            (EntryType::Symlink, "link", target),
            (EntryType::Symlink, "chain", "link"),
            (EntryType::Regular, "link/new", "x"),
            (EntryType::Regular, "chain/secret", "x"),
        ]);
        assert_untouched(&around);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        // A link within the folder is followed.
        assert_eq!(output.status.code(), Some(if target == "." { 0 } else { 2 }), "{target}");
        assert_eq!(around.path().join("in/new").exists(), target == ".", "{target}");
    }
}

#[test]
fn a_file_takes_the_place_of_a_link_of_its_name() {
    let (around, output) = untar(&[(EntryType::Symlink, "link", "../secret"), (EntryType::Regular, "link", "new\n")]);
    assert_untouched(&around);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::read_to_string(around.path().join("in/link")).unwrap(), "new\n");
}

#[test]
fn a_hard_link_names_only_what_was_unpacked() {
    for target in ["../secret", "up/secret"] {
        let (around, output) = untar(&[
            (EntryType::Symlink, "up", ".."),
            (EntryType::Link, "hard", target),
            (EntryType::Regular, "hard", "new\n"),
        ]);
        assert_untouched(&around);
        assert_eq!(output.status.code(), Some(2), "{target}");
    }
    // A hard link to a link is a link, which a file replaces.
    let (around, _) = untar(&[
        (EntryType::Symlink, "up", "../secret"),
        (EntryType::Link, "hard", "up"),
        (EntryType::Regular, "hard", "new\n"),
    ]);
    assert_untouched(&around);
}

#[test]
fn links_in_a_circle_end() {
    let (around, output) =
        untar(&[(EntryType::Symlink, "a", "b"), (EntryType::Symlink, "b", "a"), (EntryType::Regular, "a/new", "x")]);
    assert_untouched(&around);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_was_stripped_may_not_lead_upwards_either() {
    let bytes = archive(&[(EntryType::Regular, "sub/../new", "x"), (EntryType::Regular, "a//../../new", "x")]);
    let (around, output) = run("tar", &["xf", "a.tar", "--strip-components=1"], &[("a.tar", &bytes)]);
    assert_untouched(&around);
    assert_eq!(output.status.code(), Some(2));
}

const NEW: &str = "@@ -0,0 +1 @@\n+new\n";

#[test]
fn a_patch_writes_to_no_file_outside() {
    let elsewhere = tempfile::tempdir().unwrap();
    let absolute = format!("{}/new", elsewhere.path().display());
    for name in ["../new", "sub/../../new", &absolute, "out/new"] {
        for from in ["/dev/null", name] {
            let patch = format!("--- {from}\n+++ {name}\n{NEW}");
            let (around, _) = run("true", &[], &[("p", patch.as_bytes())]);
            std::os::unix::fs::symlink("..", around.path().join("in/out")).unwrap();
            let output = run_in(&around, "patch", &["-p0", "-i", "p"]);
            assert_untouched(&around);
            assert_eq!(output.status.code(), Some(1), "{name}");
            assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{name}");
        }
    }
}

#[test]
fn a_patch_moves_no_file_outside() {
    let patch = "diff --git a/f b/../f\nsimilarity index 100%\nrename from f\nrename to ../f\n";
    let (around, output) = run("patch", &["-p1", "-i", "p"], &[("p", patch.as_bytes()), ("f", b"x\n")]);
    assert_untouched(&around);
    assert_eq!(output.status.code(), Some(1));
    assert!(around.path().join("in/f").exists());
}

fn zip_of(members: &[(&str, &str, bool)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text, link) in members {
        if *link {
            writer.add_symlink(*name, *text, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_zip_archive_is_unpacked_below_the_folder() {
    let elsewhere = tempfile::tempdir().unwrap();
    let absolute = format!("{}/new", elsewhere.path().display());
    for (name, at) in [("../new", "new"), ("a/../../new", "a/new"), (&absolute[..], &absolute[1..])] {
        let bytes = zip_of(&[(name, "x", false)]);
        let (around, _) = run("unzip", &["-o", "a.zip"], &[("a.zip", &bytes)]);
        assert_untouched(&around);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{name}");
        assert_eq!(fs::read_to_string(around.path().join("in").join(at)).unwrap(), "x", "{name}");
    }
}

#[test]
fn a_zip_archive_writes_through_no_link() {
    let links = zip_of(&[("link", "..", true), ("file", "../secret", true)]);
    let files = zip_of(&[("link/new", "x", false), ("file", "x", false)]);
    let (around, _) = run("unzip", &["-o", "links.zip"], &[("links.zip", &links), ("files.zip", &files)]);
    assert_untouched(&around);
    // By now the links are there.
    run_in(&around, "unzip", &["-o", "files.zip"]);
    assert_untouched(&around);
    assert_eq!(fs::read_to_string(around.path().join("in/file")).unwrap(), "x");
}
