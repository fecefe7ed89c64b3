//! What programs say and do where something is asked, lost or in the way.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(line: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handbox-userland"));
    command.args(line).current_dir(folder);
    command
}

fn run(line: &[&str], folder: &Path, input: &str) -> Output {
    let mut command = program(line, folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a few files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::write(folder.path().join(name), "printable text\nmore of it\n").unwrap();
    }
    fs::write(folder.path().join("n.json"), "[1, 2]").unwrap();
    folder
}

/// Command lines that print something of the file `a`.
const PRINTING: &[&str] = &[
    "awk {print} a",
    "base64 -d",
    "bc -e 1+1",
    "cat a",
    "chmod -v 600 a",
    "col",
    "column a",
    "cp -v a c",
    "dd if=a",
    "diff a n.json",
    "dos2unix",
    "du a",
    "env",
    "envsubst",
    "file a",
    "find .",
    "find . -ls",
    "getopt ab -a",
    "grep . a",
    "grep -c . a",
    "grep --version",
    "gzip -c a",
    "hexdump a",
    "hostname",
    "id",
    "install -v a d",
    "jq . n.json",
    "jq --version",
    "less a",
    "locale",
    "look p a",
    "ls",
    "ls --help",
    "ls -l",
    "mkdir -v e",
    "mktemp -u",
    "mv -v b c",
    "paste a a",
    "patch --version",
    "rev a",
    "rg text a",
    "rg --files",
    "sed p a",
    "sort -m a a",
    "stat a",
    "strings a",
    "tac a",
    "tar cf - a",
    "tee",
    "tree",
    "whoami",
    "xxd a",
    "zip - a",
    "zstd -c a",
];

#[test]
fn what_cannot_be_written_is_said() {
    let mut silent = Vec::new();
    for line in PRINTING {
        let folder = folder();
        let mut command = program(&line.split(' ').collect::<Vec<_>>(), folder.path());
        command.stdin(fs::File::open(folder.path().join("a")).unwrap());
        // It takes nothing.
        command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.output().unwrap();
        let said = text(&output.stderr);
        let why = said.matches("No space left on device").count() == 1 || said.contains("write error");
        let plain = !said.contains("os error") && !said.contains("panicked");
        if output.status.code().is_none_or(|status| status == 0) || !why || !plain {
            silent.push(format!("{line}: {:?} {said:?}", output.status.code()));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn grep_that_cannot_write_stops_and_gives_2() {
    let folder = folder();
    let mut command = program(&["grep", ".", "a"], folder.path());
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr), "grep: write error: No space left on device\n");
}

#[test]
fn find_asks_before_it_runs_a_command() {
    let folder = folder();
    let asked = |input: &str, action: &str| {
        let line = ["find", ".", "-name", "[ab]", action, "rm", "{}", ";"];
        let output = program(&line, folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = output.unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let said = text(&child.wait_with_output().unwrap().stderr);
        (said, folder.path().join("a").exists(), folder.path().join("b").exists())
    };
    let question = "< rm ... ./a > ? < rm ... ./b > ? ".to_owned();
    assert_eq!(asked("", "-ok"), (question.clone(), true, true), "nobody answers");
    assert_eq!(asked("no\nn\n", "-okdir"), (question.clone(), true, true));
    assert_eq!(asked("n\nYes\n", "-ok"), (question, true, false));
    let many = run(&["find", ".", "-ok", "rm", "{}", "+"], folder.path(), "y\n");
    assert_eq!(text(&many.stderr), "find: missing argument to `-ok'\n");
}

#[test]
fn find_deletes_nothing_that_was_to_be_left_out() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("n/keep")).unwrap();
    fs::write(folder.path().join("n/keep/f"), "").unwrap();
    let pruned = ["find", "n", "-path", "n/keep", "-prune", "-o", "-type", "f", "-delete"];
    let refused = run(&pruned, folder.path(), "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).starts_with("find: The -delete action automatically turns on -depth, but -prune"));
    assert!(folder.path().join("n/keep/f").exists());
    let told = [&["find", "n", "-depth"], &pruned[2..]].concat();
    assert_eq!(run(&told, folder.path(), "").status.code(), Some(0));
    assert!(!folder.path().join("n/keep/f").exists());
}

#[test]
fn every_program_says_which_it_is() {
    let folder = folder();
    for name in ["awk", "cp", "diff", "find", "grep", "ls", "mv", "sort", "tree", "unzip", "xargs", "xxd", "zip"] {
        let version = run(&[name, "--version"], folder.path(), "");
        let shown = text(&version.stdout);
        assert!(shown.starts_with(&format!("{name} (Handbox userland) ")), "{name}: {shown:?}");
        assert_eq!(version.status.code(), Some(0), "{name}");
        let help = run(&[name, "--help"], folder.path(), "");
        assert!(text(&help.stdout).starts_with("Usage: "), "{name}");
    }
}

#[test]
fn help_behind_a_command_is_the_commands() {
    let folder = folder();
    let started = |line: &[&str]| text(&run(line, folder.path(), "x\n").stdout);
    assert_eq!(started(&["env", "echo", "--version", "a"]).lines().count(), 1);
    assert_eq!(started(&["nice", "printf", "%s", "--help"]), "--help");
    assert_eq!(started(&["timeout", "5", "printf", "%s", "--help"]), "--help");
    assert_eq!(started(&["xargs", "printf", "%s", "--version"]), "--versionx");
    assert_eq!(started(&["xargs", "-I", "--help", "printf", "%s", "--help"]), "x", "a value");
    assert!(started(&["env", "--help"]).starts_with("Usage: env"));
}

/// A folder on another disk. None if this machine has none.
fn elsewhere(folder: &Path) -> Option<tempfile::TempDir> {
    use std::os::unix::fs::MetadataExt as _;
    let other = tempfile::tempdir_in("/dev/shm").ok()?;
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    (device(folder) != device(other.path())).then_some(other)
}

#[test]
fn what_moves_to_another_disk_arrives_whole_and_is_gone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = folder();
    let Some(other) = elsewhere(folder.path()) else {
        println!("SKIPPED: there is no other disk on this machine");
        return;
    };
    let inner = folder.path().join("n/inner");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("f"), "text").unwrap();
    fs::hard_link(inner.join("f"), folder.path().join("n/second")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("n/link")).unwrap();
    fs::set_permissions(inner.join("f"), fs::Permissions::from_mode(0o751)).unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().append(true).open(inner.join("f")).unwrap().set_modified(long_ago).unwrap();
    let to = other.path().to_str().unwrap();
    let moved = run(&["mv", "-v", "n", "a", to], folder.path(), "");
    assert_eq!(text(&moved.stderr), "");
    assert_eq!(text(&moved.stdout), format!("renamed 'n' -> '{to}/n'\nrenamed 'a' -> '{to}/a'\n"));
    let there = other.path().join("n");
    let about = fs::metadata(there.join("inner/f")).unwrap();
    assert_eq!((about.mode() & 0o777, about.modified().unwrap(), about.nlink()), (0o751, long_ago, 2));
    assert_eq!(fs::read_link(there.join("link")).unwrap(), Path::new("nowhere"));
    assert_eq!(fs::read(there.join("second")).unwrap(), b"text");
    assert!(!folder.path().join("n").exists() && !folder.path().join("a").exists());
}

#[test]
fn what_cannot_move_stays() {
    let folder = folder();
    let Some(other) = elsewhere(folder.path()) else {
        println!("SKIPPED: there is no other disk on this machine");
        return;
    };
    for place in [folder.path(), other.path()] {
        fs::create_dir(place.join("d")).unwrap();
        fs::write(place.join("d/f"), "").unwrap();
    }
    let to = other.path().to_str().unwrap();
    let moved = run(&["mv", "d", to], folder.path(), "");
    assert_eq!(moved.status.code(), Some(1));
    let said = format!("mv: inter-device move failed: 'd' to '{to}/d'; unable to remove target: Directory not empty\n");
    assert_eq!(text(&moved.stderr), said);
    assert!(folder.path().join("d/f").exists());
}

#[test]
fn what_is_too_large_to_hold_is_sorted_in_parts() {
    let folder = folder();
    let lines =
        |from: usize| (from..from + 1_500_000).map(|number| format!("{} {number}\n", number * 7919 % 1_000_003));
    for (name, from) in [("large", 0), ("larger", 900_000)] {
        fs::write(folder.path().join(name), lines(from).collect::<String>()).unwrap();
    }
    let sorted = run(&["sort", "-n", "-k1,1", "-u", "large", "larger"], folder.path(), "");
    assert_eq!(text(&sorted.stderr), "");
    let keys: Vec<u64> =
        text(&sorted.stdout).lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(keys.len(), 1_000_003);
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
    let written = run(&["sort", "-r", "-o", "large", "large", "larger"], folder.path(), "");
    assert_eq!((written.status.code(), text(&written.stdout)), (Some(0), String::new()));
    let whole = fs::read_to_string(folder.path().join("large")).unwrap();
    assert_eq!(whole.lines().count(), 3_000_000);
    assert!(whole.lines().zip(whole.lines().skip(1)).all(|(first, second)| first >= second));
}
