//! `--help` and `--version` of the programs whose command lines are not read as the others' are.

use std::ffi::OsString;

const AWK: &str = "awk [-F SEPARATOR] [-v NAME=VALUE]... [-f FILE | PROGRAM] [FILE | NAME=VALUE]...";
const PLAIN: &str = "";
const PAGER: &str = "less [FILE]...";
const OWNER: &str = "chown OWNER[:GROUP] FILE...; chgrp GROUP FILE...";

/// What each of them knows; nothing where there is little to say.
const TEXTS: [(&str, &str); 32] = [
    ("awk", AWK),
    ("gawk", AWK),
    ("mawk", AWK),
    ("nawk", AWK),
    ("chgrp", OWNER),
    ("chown", OWNER),
    ("clear", PLAIN),
    (
        "dd",
        "dd [if=FILE] [of=FILE] [bs=BYTES] [count=N] [skip=N] [seek=N] [conv=WORD,...] [iflag=WORD,...] [oflag=WORD,...] [status=none]",
    ),
    ("df", PLAIN),
    (
        "find",
        "find [-H] [-L] [-P] [PATH]... [EXPRESSION]\n\
         Tests: -name -iname -path -ipath -regex -iregex -type -size -empty -newer -mtime -mmin -atime -ctime -perm -xtype -lname -user\n\
         -group -nouser -links -inum -samefile -readable -writable -executable -true -false; actions: -print -print0 -printf -ls -delete -exec -execdir -ok -okdir -prune -quit;\n\
         also -maxdepth -mindepth -depth, and ( ) ! -not -a -o ,",
    ),
    ("getconf", "getconf NAME [PATH]"),
    ("getopt", "getopt OPTSTRING WORD...; getopt [-o LETTERS] [-l NAMES] [-n NAME] [-q] [-a] -- WORD..."),
    ("git", PLAIN),
    ("groups", PLAIN),
    ("hostname", PLAIN),
    ("id", "id [-u|-g|-G] [-n]"),
    ("jaq", "jq [OPTION]... FILTER [FILE]..."),
    (
        "jq",
        "jq [OPTION]... FILTER [FILE]...\n\
         Options: -n -r -j -a -s -c -e -S -R -M -f FILE --tab --indent N --arg NAME VALUE --argjson NAME JSON\n\
         --slurpfile NAME FILE --rawfile NAME FILE --args --jsonargs --version",
    ),
    ("less", PAGER),
    ("more", PAGER),
    ("locale", PLAIN),
    ("logname", PLAIN),
    ("rev", "rev [FILE]..."),
    ("sync", "sync [FILE]..."),
    ("time", "time [-p] COMMAND [ARGUMENT]..."),
    ("tput", "tput NAME [VALUE]..."),
    ("tree", "tree [-a] [-d] [-f] [-L DEPTH] [-I PATTERN] [-P PATTERN] [--noreport] [FOLDER]..."),
    ("tty", "tty [-s]"),
    ("unzip", "unzip [-l|-v|-t|-p|-o|-n|-q|-j|-Z1] FILE[.zip] [MEMBER]... [-x MEMBER...] [-d FOLDER]"),
    ("which", "which [-a] PROGRAM..."),
    ("whoami", PLAIN),
    (
        "zip",
        "zip [-r|-j|-q|-y|-m|-D|-0 to -9] FILE[.zip] [PATH]... [-x PATTERN...] [-i PATTERN...]; zip -d FILE PATTERN...",
    ),
];

/// Answers where a program is asked for nothing else. None if it was asked for something else, or answers by itself.
pub(crate) fn answered(name: &str, args: &[OsString]) -> Option<u8> {
    let [_, asked] = args else { return None };
    let (_, text) = TEXTS.iter().find(|(program, _)| *program == name)?;
    let printed = match asked.to_str()? {
        "--version" if name == "jq" || name == "jaq" || name == "git" => return None,
        "--version" => version(name),
        "-version" if name == "find" => version(name),
        "--help" => usage(name, text),
        "-help" if name == "find" => usage(name, text),
        _ => return None,
    };
    Some(u8::from(!printed))
}

fn usage(name: &str, text: &str) -> bool {
    let text = if text.is_empty() { name } else { text };
    crate::print(format!("Usage: {text}\n").as_bytes())
}

/// Says which program this is. False if that could not be written.
pub(crate) fn version(name: &str) -> bool {
    crate::print(format!("{name} (Handbox userland) {}\n", env!("CARGO_PKG_VERSION")).as_bytes())
}
