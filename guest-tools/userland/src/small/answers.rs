//! What is the same for everybody here: there is one user, and one machine without a name.

use crate::options::{Known, read};
use crate::{print, report};
use std::ffi::OsString;
use std::path::Path;

const USER: &str = "agent";

fn operands(args: &[OsString]) -> Vec<String> {
    let operands = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    operands.filter(|arg| !arg.starts_with('-') || arg == "-").collect()
}

fn options(args: &[OsString]) -> String {
    let options = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    options.filter(|arg| arg.starts_with('-') && !arg.starts_with("--")).collect()
}

fn say(text: &str) -> u8 {
    u8::from(!print(format!("{text}\n").as_bytes()))
}

pub(super) fn id(args: &[OsString]) -> u8 {
    let options = options(args);
    let named = options.contains('n');
    let (user, number) = match operands(args).first().map(String::as_str) {
        None | Some(USER | "1000") => (USER, 1000),
        Some("root" | "0") => ("root", 0),
        Some(other) => {
            report("id", &format!("‘{other}’: no such user"));
            return 1;
        }
    };
    if options.contains(['u', 'g', 'G']) {
        return say(&if named { user.to_owned() } else { number.to_string() });
    }
    say(&format!("uid={number}({user}) gid={number}({user}) groups={number}({user})"))
}

pub(super) fn whoami(_: &[OsString]) -> u8 {
    say(USER)
}

pub(super) fn groups(_: &[OsString]) -> u8 {
    say(USER)
}

pub(super) fn hostname(_: &[OsString]) -> u8 {
    say("handbox")
}

/// Runs `uname`. Scripts ask it for which system they do what they do: what is here is most like Linux.
pub(super) fn uname(args: &[OsString]) -> u8 {
    const KNOWN: Known = Known {
        letters: "asnrvmpio",
        names: &[
            ("all", 'a'),
            ("kernel-name", 's'),
            ("nodename", 'n'),
            ("kernel-release", 'r'),
            ("kernel-version", 'v'),
            ("machine", 'm'),
            ("processor", 'p'),
            ("hardware-platform", 'i'),
            ("operating-system", 'o'),
        ],
        ends_at_operand: false,
    };
    const ANSWERS: [(char, &str); 8] = [
        ('s', "Linux"),
        ('n', "handbox"),
        ('r', "0.2-wasi"),
        ('v', "#1 Handbox"),
        ('m', "wasm32"),
        ('p', "unknown"),
        ('i', "unknown"),
        ('o', "GNU/Linux"),
    ];
    let given = match read(args, &KNOWN) {
        Ok(given) if given.operands.is_empty() => given,
        Ok(given) => {
            report("uname", &format!("extra operand ‘{}’", given.operands[0]));
            return 1;
        }
        Err(problem) => {
            report("uname", &problem);
            return 1;
        }
    };
    // What is not known is left out of `-a`.
    let all = |letter: char, answer: &str| given.has('a') && !(matches!(letter, 'p' | 'i') && answer == "unknown");
    let none = given.options.is_empty();
    let wanted =
        ANSWERS.iter().filter(|(letter, answer)| given.has(*letter) || all(*letter, answer) || none && *letter == 's');
    say(&wanted.map(|(_, answer)| *answer).collect::<Vec<_>>().join(" "))
}

pub(super) fn tty(args: &[OsString]) -> u8 {
    if !options(args).contains('s') {
        say("not a tty");
    }
    1
}

pub(super) fn df(_: &[OsString]) -> u8 {
    report("df", "how full the disk is cannot be seen from a sandbox; the call's own limits apply");
    1
}

pub(super) fn sync(_: &[OsString]) -> u8 {
    0
}

/// There is one user; that a file or somebody else is not there is said.
pub(super) fn chown(args: &[OsString]) -> u8 {
    let program = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let words = operands(args);
    let reference = args.iter().any(|word| word.to_string_lossy().starts_with("--reference"));
    let files = if reference { &words[..] } else { words.get(1..).unwrap_or_default() };
    if files.is_empty() {
        report(program, "missing operand");
        return 1;
    }
    let known = |name: &str| name.is_empty() || name == USER || name.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(owner) = words.first().filter(|_| !reference)
        && !owner.split([':', '.']).all(known)
    {
        let what = if program == "chgrp" { "group" } else { "user" };
        report(program, &format!("invalid {what}: ‘{owner}’"));
        return 1;
    }
    let mut status = 0;
    for file in files {
        if let Err(error) = std::fs::metadata(Path::new(file)) {
            report(program, &format!("cannot access '{file}': {}", crate::reason(&error)));
            status = 1;
        }
    }
    status
}

/// What a system like this one says of its limits.
pub(super) fn getconf(args: &[OsString]) -> u8 {
    let names = operands(args);
    say(match names.first().map(String::as_str) {
        Some("PAGESIZE" | "PAGE_SIZE") => "65536",
        Some("_NPROCESSORS_ONLN" | "_NPROCESSORS_CONF") => "1",
        Some("NAME_MAX") => "255",
        Some("PATH_MAX") => "4096",
        Some("ARG_MAX") => "1048576",
        Some("LONG_BIT" | "WORD_BIT") => "32",
        Some("CHAR_BIT") => "8",
        name => {
            report("getconf", &format!("Unrecognized variable `{}'", name.unwrap_or_default()));
            return 2;
        }
    })
}

pub(super) fn locale(args: &[OsString]) -> u8 {
    let (options, names) = (options(args), operands(args));
    if options.contains('a') {
        return say("C\nC.utf8\nPOSIX");
    }
    if names.first().is_some_and(|name| name == "charmap") {
        return say("UTF-8");
    }
    let language = std::env::var("LANG").unwrap_or_default();
    let all = std::env::var("LC_ALL").unwrap_or_default();
    let kinds = ["CTYPE", "NUMERIC", "TIME", "COLLATE", "MONETARY", "MESSAGES"];
    let usual = if all.is_empty() { if language.is_empty() { "POSIX" } else { &language } } else { &all };
    let lines: String = kinds.iter().map(|kind| format!("LC_{kind}=\"{usual}\"\n")).collect();
    say(&format!("LANG={language}\n{lines}LC_ALL={all}"))
}

/// There is no terminal to set up: sizes are the usual ones, and what would colour or move does nothing.
pub(super) fn tput(args: &[OsString]) -> u8 {
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = if let ["-T", _, rest @ ..] = words.as_slice() { rest } else { &words };
    match words.first().map(|word| word.trim_start_matches("-T")) {
        Some("cols") => say(&std::env::var("COLUMNS").unwrap_or_else(|_| "80".to_owned())),
        Some("lines") => say(&std::env::var("LINES").unwrap_or_else(|_| "24".to_owned())),
        Some("colors") => say("-1"),
        Some(_) => 0,
        None => {
            report("tput", "usage: tput [-T TERM] CAPABILITY [PARAMETER]...");
            2
        }
    }
}

pub(super) fn which(args: &[OsString]) -> u8 {
    let programs = crate::spawn::programs();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut status = 0;
    for name in operands(args) {
        let is_program = programs.contains(&name);
        let file = if name.contains('/') {
            Path::new(&name).is_file().then(|| name.clone())
        } else {
            crate::spawn::file_on_path(&name, &path, is_program)
        };
        match file.or_else(|| is_program.then(|| format!("/usr/bin/{name}"))) {
            Some(file) => status |= say(&file),
            None => status = 1,
        }
    }
    status
}
