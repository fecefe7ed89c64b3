//! Runs command lines with our own programs and with the machine's, and compares what they
//! print and their status.
//!
//! The machine's tools are a help to find mistakes, and no part of the project: where one
//! is missing its cases are left out, and that is said.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::SystemTime;

/// A program, the programs that its cases need, its cases, and how many agree at least.
const PROGRAMS: &[(&str, &[&str], &str, usize)] = &[
    ("awk", &["awk", "sort", "cat"], include_str!("cases/awk.txt"), 93),
    ("grep", &["grep", "cat"], include_str!("cases/grep.txt"), 108),
    ("find", &["find", "grep", "sort"], include_str!("cases/find.txt"), 56),
    ("xargs", &["xargs", "find", "grep", "seq"], include_str!("cases/xargs.txt"), 33),
    ("diff", &["diff", "cmp", "tail"], include_str!("cases/diff.txt"), 46),
    ("jq", &["jq"], include_str!("cases/jq.txt"), 62),
    ("gzip", &["gzip", "gunzip", "zcat", "tail", "seq"], include_str!("cases/gzip.txt"), 35),
    ("tar", &["tar", "gzip", "find", "sort", "touch"], include_str!("cases/tar.txt"), 65),
    ("patch", &["patch", "diff", "sed", "seq", "od"], include_str!("cases/patch.txt"), 53),
    ("rg", &["rg", "grep"], include_str!("cases/rg.txt"), 78),
    ("sed", &["sed", "od", "seq"], include_str!("cases/sed.txt"), 104),
    ("zip", &["zip", "unzip", "find", "sort", "stat"], include_str!("cases/zip.txt"), 41),
    ("zstd", &["zstd", "unzstd", "zstdcat", "tar"], include_str!("cases/zstd.txt"), 18),
    ("hexdump", &["hexdump", "hd"], include_str!("cases/hexdump.txt"), 22),
    ("column", &["column"], include_str!("cases/column.txt"), 4),
    ("streams", &["cat", "paste", "tac", "tee", "seq", "od", "cmp", "head"], include_str!("cases/streams.txt"), 77),
    ("sort", &["sort", "seq"], include_str!("cases/sort.txt"), 28),
    ("xxd", &["xxd", "du", "stat", "cut"], include_str!("cases/xxd.txt"), 22),
    ("chmod", &["chmod", "stat", "mkdir", "mktemp", "cp", "install", "touch"], include_str!("cases/modes.txt"), 35),
    ("ls", &["ls", "dir", "vdir", "touch", "seq"], include_str!("cases/ls.txt"), 16),
    ("bc", &["bc", "tr", "paste", "seq"], include_str!("cases/bc.txt"), 15),
    (
        "more",
        &[
            "strings", "envsubst", "getopt", "flock", "col", "look", "base64", "pathchk", "test", "[", "tail", "diff",
            "du", "xxd", "awk", "xargs",
        ],
        include_str!("cases/more.txt"),
        18,
    ),
    ("dd", &["dd", "od", "wc"], include_str!("cases/dd.txt"), 23),
];

/// What is linked to our own programs; all else that a line names is the machine's.
const OURS: &[&str] = &[
    "awk", "grep", "egrep", "fgrep", "find", "xargs", "diff", "cmp", "jq", "column", "env", "gzip", "gunzip", "zcat",
    "tar", "patch", "rg", "zip", "unzip", "zstd", "unzstd", "zstdcat", "hexdump", "hd", "sed", "cat", "paste", "tac",
    "tee", "dd", "xxd", "du", "stat", "chmod", "ls", "dir", "vdir", "cp", "install", "mkdir", "mktemp", "bc",
    "strings", "envsubst", "getopt", "flock", "col", "look", "base64", "pathchk", "test", "[",
];

#[test]
fn our_programs_answer_as_the_machines_do() {
    let mut behind = Vec::new();
    for (program, needs, cases, least) in PROGRAMS.iter().copied() {
        if let Some(missing) = needs.iter().find(|name| !on_the_machine(name)) {
            println!("SKIPPED: {program}: there is no {missing} on this machine");
            continue;
        }
        let cases: Vec<&str> = cases.lines().filter(|line| !line.is_empty()).collect();
        let mut agree = 0;
        for case in &cases {
            let (ours, theirs) = (run(case, Whose::Ours), run(case, Whose::Machines));
            if ours.stdout == theirs.stdout && ours.status.code() == theirs.status.code() {
                agree += 1;
            } else {
                println!("DIFFERS {case}\n  ours:   {}\n  theirs: {}", shown(&ours), shown(&theirs));
            }
        }
        println!("{program}: {agree} of {} agree", cases.len());
        if agree < least {
            behind.push(format!("{program}: {agree} agree, {least} did"));
        }
    }
    assert!(behind.is_empty(), "{behind:?}");
}

fn shown(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{:?} {:?} {:?}", output.status.code(), text.chars().take(300).collect::<String>(), errors)
}

fn on_the_machine(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Machines,
}

fn run(case: &str, whose: Whose) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    lay(&work);
    let machines = std::env::var("PATH").unwrap();
    let mut path = machines.clone();
    let mut partly = ["sort", "head", "split"].map(std::path::PathBuf::from);
    if whose == Whose::Ours {
        let programs = folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        for name in OURS {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_handbox-userland"), programs.join(name)).unwrap();
        }
        path = format!("{}:{path}", programs.display());
        // Only a part of these is our own: what a case names by its name is the machine's in both runs.
        for program in &mut partly {
            *program = folder.path().join(&*program);
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_handbox-userland"), program).unwrap();
        }
    }
    let mut command = Command::new("timeout");
    // A case that goes on for ever must not hold the run.
    command.args(["10", "sh", "-c", case]).current_dir(&work).env_clear();
    // A case says `PATH=$MACHINES` before what the machine's own shall do in both runs.
    command.env("PATH", path).env("MACHINES", machines).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.env("SORT", &partly[0]).env("HEAD", &partly[1]).env("SPLIT", &partly[2]);
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

/// What the cases work on.
fn lay(work: &Path) {
    let files: [(&str, &str); 23] = [
        ("people.txt", "alice 10\nbob 20\ncarol 10\nal 30\nbill 20\n"),
        ("people2.txt", "alice 10\nbob 21\ncarol 10\nal 30\nnew 5\nbill 20\n"),
        ("upper.txt", "ALICE 10\nBOB 20\nCAROL 10\nAL 30\nBILL 20\n"),
        ("nonl.txt", "alice 10\nbob 20"),
        ("colon.txt", "root:x:0\ndaemon:y:1\na:long field:3\n"),
        ("data.csv", "id,name,n\n1,a,10\n2,b,20\n3,c,35\n"),
        ("paragraphs.txt", "one a\ntwo b\n\n\nthree c\nfour d\n\nfive\n"),
        ("mixed.txt", "a,b;c\nd;e,f\n"),
        ("tabs.txt", "a b\tc d\te\n"),
        ("pipes.txt", "a|b|c\n"),
        ("dots.txt", "a.b\na+b\naab\n-x\n*star\nx]y\n"),
        ("blocks.txt", "before\nSTART\nin\nEND\nafter\nSTART\nmore\n"),
        ("pats.txt", "bob\nbill\n"),
        ("prog.awk", "# sums\n{ s += $2 }\nEND {\n  print s\n}\n"),
        ("nothing.txt", ""),
        ("spaces1.txt", "a b  c\nd\n"),
        ("spaces2.txt", "a  b c \nd\n"),
        ("data.json", r#"{"name":"abc","items":[{"k":"x","n":1},{"k":"y","n":2},{"k":"z","n":3.5}],"t":null}"#),
        ("lines.json", "{\"a\":1}\n{\"a\":[1,2]}\n{\"a\":\"s\"}\n"),
        // Makes a file, a patch for it, and what it becomes.
        (
            "mk",
            "seq 30 > o; cp o a; sed 's/^10$/ten/; s/^25$/twentyfive/' o > a2; PATH=$MACHINES diff -u --label o --label a o a2 > p.diff\n",
        ),
        ("tree/main.rs", "fn main() {}\n// TODO: alpha\n"),
        ("tree/readme.md", "# TODO\nalpha\n"),
        ("tree2/main.rs", "fn main() {}\n// TODO: beta\n"),
    ];
    for (name, text) in files {
        let path = work.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(work.join("tree/sub/empty")).unwrap();
    fs::write(work.join("tree/sub/a.rs"), "TODO\n").unwrap();
    fs::write(work.join("tree/sub/none.txt"), "").unwrap();
    fs::write(work.join("tree2/only.txt"), "x\n").unwrap();
    fs::write(work.join("bin.dat"), b"TODO\0\x01\xff\nx\n").unwrap();
    // Which of two is the newer one must not hang on how fast they were laid, nor differ between the two runs.
    static LAID: OnceLock<SystemTime> = OnceLock::new();
    let laid = *LAID.get_or_init(SystemTime::now);
    let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    let rest = [
        "bin.dat",
        "tree/sub/a.rs",
        "tree/sub/none.txt",
        "tree2/only.txt",
        "tree/sub/empty",
        "tree/sub",
        "tree",
        "tree2",
    ];
    for name in names.iter().map(String::as_str).chain(rest) {
        fs::File::open(work.join(name)).unwrap().set_times(fs::FileTimes::new().set_modified(laid)).unwrap();
    }
}
