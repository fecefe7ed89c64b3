//! What is the same for everybody here: there is one user, and one machine without a name.

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

pub(super) fn git(_: &[OsString]) -> u8 {
    report("git", "not available here yet");
    127
}

pub(super) fn id(args: &[OsString]) -> u8 {
    let options = options(args);
    let named = options.contains('n');
    if options.contains(['u', 'g', 'G']) {
        return say(if named { USER } else { "1000" });
    }
    say("uid=1000(agent) gid=1000(agent) groups=1000(agent)")
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

/// There are no modes to change; that a file is not there is said.
pub(super) fn chmod(args: &[OsString]) -> u8 {
    changed("chmod", args)
}

pub(super) fn chown(args: &[OsString]) -> u8 {
    changed("chown", args)
}

fn changed(program: &str, args: &[OsString]) -> u8 {
    // `chmod -x file` has its mode where an option would stand.
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let is_option = |word: &&String| word.starts_with("--") || ["-R", "-v", "-f", "-c", "-h"].contains(&word.as_str());
    let reference = words.iter().any(|word| word.starts_with("--reference"));
    let rest: Vec<&String> = words.iter().filter(|word| !is_option(word)).collect();
    let files = if reference { &rest[..] } else { rest.get(1..).unwrap_or_default() };
    if files.is_empty() {
        report(program, "missing operand");
        return 1;
    }
    if let Some(mode) = rest.first().filter(|_| program == "chmod" && !reference)
        && !is_mode(mode)
    {
        report(program, &format!("invalid mode: ‘{mode}’"));
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

/// Whether it is a mode as `755` or `u=rwx,go-w`.
fn is_mode(mode: &str) -> bool {
    let octal = |text: &str| u32::from_str_radix(text, 8).is_ok_and(|bits| bits <= 0o7777);
    let clause = |text: &str| {
        let text = text.trim_start_matches(['u', 'g', 'o', 'a']);
        let signs = text.starts_with(['+', '-', '=']);
        let bits = text.trim_start_matches(['+', '-', '=']);
        signs && (octal(bits) || bits.chars().all(|bit| "+-=rwxXstugo".contains(bit)))
    };
    octal(mode) && !mode.starts_with('+') || mode.split(',').all(clause)
}

pub(super) fn which(args: &[OsString]) -> u8 {
    let programs = crate::spawn::programs();
    let mut status = 0;
    for name in operands(args) {
        if programs.contains(&name) {
            say(&format!("/usr/bin/{name}"));
        } else {
            status = 1;
        }
    }
    status
}
