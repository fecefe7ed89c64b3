//! Command lines of programs that are taken as they are, as these can do them here.

use std::ffi::OsString;

/// Programs that read standard input where they are told `-`.
const READ_DASH: &[&str] = &[
    "b2sum",
    "base32",
    "base64",
    "basenc",
    "cksum",
    "comm",
    "csplit",
    "cut",
    "expand",
    "fmt",
    "fold",
    "head",
    "join",
    "md5sum",
    "nl",
    "od",
    "pr",
    "ptx",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shuf",
    "sort",
    "split",
    "sum",
    "tail",
    "tsort",
    "unexpand",
    "uniq",
    "wc",
];

/// The arguments that a program gets instead of its own: `/dev/stdin`, which need not be a file
/// here, as `-`; and a start below 0 for `nl`.
#[must_use]
pub fn arguments(name: &str, args: Vec<OsString>) -> Vec<OsString> {
    let mut adapted: Vec<OsString> = Vec::with_capacity(args.len());
    let mut options = true;
    for arg in args {
        options = options && arg != "--";
        let is_start = name == "nl" && options && adapted.last().is_some_and(|before| before == "-v");
        if READ_DASH.contains(&name) && arg == "/dev/stdin" {
            adapted.push("-".into());
        } else if is_start {
            let _ = adapted.pop();
            adapted.push(format!("--starting-line-number={}", arg.to_string_lossy()).into());
        } else {
            adapted.push(arg);
        }
    }
    adapted
}

/// The operands of a program that makes files, which are not there yet: those it makes get the mask of new
/// files, as the system knows the usual one alone.
#[must_use]
pub fn missing(name: &str, args: &[OsString]) -> Vec<String> {
    if !matches!(name, "touch" | "truncate") {
        return Vec::new();
    }
    let operands = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    operands.filter(|path| std::fs::symlink_metadata(path).is_err()).collect()
}

/// Takes from files that were made what the mask of new files takes.
pub fn mask(made: &[String]) {
    for path in made.iter().filter(|path| std::fs::symlink_metadata(path).is_ok()) {
        crate::about::masked(path);
    }
}

#[cfg(test)]
mod tests {
    fn adapted(line: &str) -> String {
        let args: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
        let name = line.split(' ').next().unwrap_or_default();
        let shown: Vec<String> =
            super::arguments(name, args).iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        shown.join(" ")
    }

    #[test]
    fn standard_input_is_named_as_a_program_knows_it() {
        assert_eq!(adapted("head -n 1 /dev/stdin a"), "head -n 1 - a");
        assert_eq!(adapted("ls /dev/stdin"), "ls /dev/stdin");
    }

    #[test]
    fn nl_starts_below_zero() {
        assert_eq!(adapted("nl -v -1 a"), "nl --starting-line-number=-1 a");
    }
}
