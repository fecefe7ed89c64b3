//! Runs scripts with our interpreter and with the machine's Node 20, and compares what they print and their status.
//!
//! The machine's Node is a help to find mistakes, and no part of the project: where it is missing, nothing is compared,
//! and that is said.

mod fixtures;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A group, how its cases are run, its cases, and how many agree at least.
const GROUPS: &[(&str, How, &str, usize)] = &[
    ("language", How::Script("case.js"), include_str!("cases/language.txt"), 35),
    ("inspect", How::Script("case.js"), include_str!("cases/inspect.txt"), 30),
    ("modules", How::Script("case.js"), include_str!("cases/modules.txt"), 17),
    ("esm", How::Script("case.mjs"), include_str!("cases/esm.txt"), 17),
    ("files", How::Script("case.js"), include_str!("cases/files.txt"), 23),
    ("core", How::Script("case.js"), include_str!("cases/core.txt"), 24),
    ("loop", How::Script("case.js"), include_str!("cases/loop.txt"), 18),
    ("command", How::Lines, include_str!("cases/command.txt"), 88),
];

/// Cases that are known to differ, and why.
const KNOWN: &[(&str, &str)] = &[
    (
        "destructuring and spread",
        "the engine keeps a key in the rest that was taken by a nested pattern with a default",
    ),
    (
        "deep recursion can be caught",
        "the engine's limit of calls ends the script: it is a RangeError that nobody can catch",
    ),
    ("iterators of maps", "what an iterator still holds cannot be seen without taking it"),
    ("strict by default", "the engine words the error of an undeclared name in its own way"),
    ("words of errors", "the engine words its errors in its own way"),
    ("text of a class", "the engine does not keep the text of a class"),
    ("promises", "the engine words the error of Promise.any in its own way"),
];

#[derive(Clone, Copy)]
enum How {
    /// Each behind a line `//// name`, as a file of this name.
    Script(&'static str),
    /// Each a line for a shell.
    Lines,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Machines,
}

#[test]
fn scripts_do_what_they_do_with_node() {
    if !machine_has_node() {
        println!("SKIPPED: there is no Node 20 on this machine, so nothing was compared");
        return;
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut behind, mut unexpected, mut agreed, mut all) = (Vec::new(), Vec::new(), 0, 0);
    for (group, how, text, least) in GROUPS.iter().copied() {
        let cases = cases(how, text);
        let mut agree = 0;
        for (name, case) in &cases {
            if !format!("{group}: {name}").contains(&only) {
                continue;
            }
            let (ours, theirs) = (run(how, case, Whose::Ours), run(how, case, Whose::Machines));
            let known = KNOWN.iter().find(|(known, _)| known == name);
            if ours.stdout == theirs.stdout && ours.status.code() == theirs.status.code() {
                agree += 1;
            } else if let Some((_, reason)) = known {
                println!("KNOWN {group}: {name}: {reason}");
            } else {
                unexpected.push(format!("{group}: {name}"));
                println!("DIFFERS {group}: {name}\n  ours:   {}\n  theirs: {}", shown(&ours), shown(&theirs));
            }
        }
        println!("{group}: {agree} of {} agree", cases.len());
        (agreed, all) = (agreed + agree, all + cases.len());
        if agree < least && only.is_empty() {
            behind.push(format!("{group}: {agree} agree, {least} did"));
        }
    }
    println!("in all: {agreed} of {all} agree");
    assert!(behind.is_empty(), "{behind:?}");
    assert!(unexpected.is_empty(), "these differ and are not known to: {unexpected:?}");
}

fn cases(how: How, text: &str) -> Vec<(String, String)> {
    match how {
        How::Lines => {
            text.lines().filter(|line| !line.is_empty()).map(|line| (line.to_owned(), line.to_owned())).collect()
        }
        How::Script(_) => text
            .split("//// ")
            .filter_map(|case| case.split_once('\n'))
            .map(|(name, body)| (name.to_owned(), body.to_owned()))
            .collect(),
    }
}

fn machine_has_node() -> bool {
    let version = Command::new("node").arg("--version").output();
    version.is_ok_and(|output| output.stdout.starts_with(b"v20."))
}

fn shown(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    format!("{:?}\n{}\n  errors: {:?}", output.status.code(), short(&text, 3000), short(&errors, 400))
}

fn run(how: How, case: &str, whose: Whose) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    fixtures::lay(&work);
    let mut path = std::env::var("PATH").unwrap();
    if whose == Whose::Ours {
        let programs = folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_handbox-javascript"), programs.join("node")).unwrap();
        path = format!("{}:{path}", programs.display());
    }
    let mut command = Command::new("timeout");
    // A case that goes on for ever must not hold the run.
    command.arg("20");
    match how {
        How::Script(name) => {
            fs::write(work.join(name), case).unwrap();
            command.args(["node", name]);
        }
        How::Lines => drop(command.args(["sh", "-c", case])),
    }
    command.current_dir(&work).env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command.env("HOME", Path::new("/")).stdin(Stdio::null()).output().unwrap()
}
