//! Runs each script in this shell and in the machine's bash, and compares what they print,
//! how they end, and whether they complain.
//!
//! `scripts/GROUP.lines` has a script in each line, `scripts/GROUP.sh` has scripts after
//! lines `### NAME`. A known difference is one of `KNOWN`.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Which cases differ, and why.
const KNOWN: &[(&str, &str)] = &[
    ("corners:binary safe", "bash warns of a zero byte in a substitution"),
    ("misc:signals status", "bash reports the signal that ended a subshell"),
];

/// How many cases must agree, in thousandths of all.
const REACHED: usize = 970;

struct Case {
    group: String,
    name: String,
    script: String,
}

#[derive(PartialEq, Eq, Debug)]
struct Ended {
    stdout: String,
    status: Option<i32>,
    complained: bool,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let group = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        if file.extension().is_some_and(|end| end == "lines") {
            for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
                cases.push(Case {
                    group: group.clone(),
                    name: format!("{group}:{}", at + 1),
                    script: format!("{line}\n"),
                });
            }
        } else {
            for part in text.split("\n### ").flat_map(|part| part.strip_prefix("### ").or(Some(part))) {
                let (name, script) = part.split_once('\n').unwrap();
                cases.push(Case { group: group.clone(), name: format!("{group}:{name}"), script: script.to_owned() });
            }
        }
    }
    cases
}

fn run(shell: &str, script: &str) -> (Ended, String) {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let path = folder.path().join("case.sh");
    std::fs::write(&path, script).unwrap();
    let mut command = Command::new(shell);
    command.arg("../case.sh").current_dir(&work).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/root").env("LC_ALL", "C.UTF-8").env("PWD", &work);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || text(&mut stdout));
    let err = std::thread::spawn(move || text(&mut stderr));
    let until = Instant::now() + Duration::from_secs(20);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if Instant::now() > until => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let hide = |text: String| text.replace(&*work.to_string_lossy(), "WORK");
    let errors = hide(err.join().unwrap());
    (Ended { stdout: hide(out.join().unwrap()), status, complained: !errors.is_empty() }, errors)
}

fn text(stream: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn it_does_what_bash_does() {
    if Command::new("bash").arg("-c").arg(":").status().is_err() {
        eprintln!("there is no bash here to compare with");
        return;
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.name.starts_with(&only)).collect();
    let next = AtomicUsize::new(0);
    let different = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (wanted, _) = run("bash", &case.script);
                    let (got, errors) = run(env!("CARGO_BIN_EXE_handbox-sh"), &case.script);
                    if wanted != got {
                        let report = format!("{}\n  bash: {wanted:?}\n  ours: {got:?}\n  {errors}", case.script);
                        different.lock().unwrap().insert(case.name.clone(), report);
                    }
                }
            });
        }
    });
    report(&cases, &different.into_inner().unwrap());
}

fn report(cases: &[Case], different: &BTreeMap<String, String>) {
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in cases {
        let (same, all) = groups.entry(&case.group).or_default();
        *all += 1;
        *same += usize::from(!different.contains_key(&case.name));
    }
    for (name, report) in different {
        let known = KNOWN.iter().find(|(known, _)| known == name);
        match known {
            Some((_, why)) => eprintln!("known: {name}: {why}"),
            None => eprintln!("DIFFERENT {name}: {report}"),
        }
    }
    for (group, (same, all)) in &groups {
        eprintln!("{group:12} {same:4} of {all:4}");
    }
    let same = cases.len() - different.len();
    eprintln!("{:12} {same:4} of {:4}", "all", cases.len());
    assert!(same * 1000 >= cases.len() * REACHED, "{same} of {} agree", cases.len());
    if let Some((same, all)) = groups.get("agent") {
        assert_eq!(same, all, "what agents write agrees");
    }
}
